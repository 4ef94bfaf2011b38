/*
 * io.c - dispatch I/O: the public calls.
 * What:   checks arguments, makes operations and sends them to the context of their file.
 * Source: behaviour as in dispatch_read(3), dispatch_io_create(3), dispatch_io_read(3).
 * Runs:   on any thread.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/io_internal.h"
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* In the context of the file. */
static void arrive(struct nwi_task *task) {
    struct nwi_io_operation *operation = nwi_container_of(task, struct nwi_io_operation, task);
    if (operation->channel != NULL)
        nwi_io_channel_submit(operation->channel, operation);
    else
        nwi_io_file_start(operation->file, operation);
}

static void submit(struct nwi_io_operation *operation) {
    operation->task.run = arrive;
    nwi_serial_push(&operation->file->serial, &operation->task);
}

/* As for other work that is submitted: memory that has run out is waited for, the handler is owed
 * its call. */
static struct nwi_io_operation *make_operation(struct nwi_io_file *file,
                                               enum nwi_io_direction direction,
                                               dispatch_queue_t queue,
                                               struct nwi_callback handler) {
    struct nwi_io_operation *operation;
    while ((operation = nwi_io_operation_create(file, direction, queue, handler)) == NULL)
        sched_yield();
    return operation;
}

/* --- one transfer --- */

static void transfer_once(const char *function, int fd, enum nwi_io_direction direction,
                          size_t length, dispatch_data_t data, dispatch_queue_t queue,
                          struct nwi_callback handler) {
    if (handler.fn == NULL) {
        nwi_log_misuse(function, "no handler");
        return;
    }
    struct nwi_io_file *file;
    while ((file = nwi_io_file_get(fd)) == NULL)
        sched_yield();
    struct nwi_io_operation *operation = make_operation(file, direction, queue, handler);
    operation->once = true;
    operation->length = length;
    operation->context.data = nwi_retain(data);
    submit(operation);
    nwi_release(file); /* the operation has its own; the use lasts until it ends */
}

DISPATCH_EXPORT void dispatch_read(dispatch_fd_t fd, size_t length, dispatch_queue_t queue,
                                   const void *handler);
void dispatch_read(dispatch_fd_t fd, size_t length, dispatch_queue_t queue, const void *handler) {
    transfer_once(__func__, fd, NWI_READING, length, NULL, queue, nwi_callback_block(handler));
}

void dispatch_read_f(dispatch_fd_t fd, size_t length, dispatch_queue_t queue, void *context,
                     dispatch_transfer_function_t handler) {
    transfer_once(__func__, fd, NWI_READING, length, NULL, queue,
                  nwi_callback_f(context, (nwi_fn)handler));
}

DISPATCH_EXPORT void dispatch_write(dispatch_fd_t fd, dispatch_data_t data, dispatch_queue_t queue,
                                    const void *handler);
void dispatch_write(dispatch_fd_t fd, dispatch_data_t data, dispatch_queue_t queue,
                    const void *handler) {
    transfer_once(__func__, fd, NWI_WRITING, dispatch_data_get_size(data), data, queue,
                  nwi_callback_block(handler));
}

void dispatch_write_f(dispatch_fd_t fd, dispatch_data_t data, dispatch_queue_t queue, void *context,
                      dispatch_transfer_function_t handler) {
    transfer_once(__func__, fd, NWI_WRITING, dispatch_data_get_size(data), data, queue,
                  nwi_callback_f(context, (nwi_fn)handler));
}

/* --- making channels --- */

/* Consumes the reference and the use of `file`, and the cleanup handler. */
static dispatch_io_t create_channel(dispatch_io_type_t type, struct nwi_io_file *file, int error,
                                    dispatch_queue_t queue, struct nwi_callback cleanup_handler) {
    dispatch_io_t channel = nwi_dispatch_create(&nwi_io_channel_type, 0, NULL);
    struct nwi_io_cleanup *cleanup =
        cleanup_handler.fn != NULL ? nwi_alloc(sizeof(*cleanup)) : NULL;
    if (channel == NULL || (cleanup == NULL && cleanup_handler.fn != NULL)) {
        nwi_free(cleanup);
        nwi_callback_clear(&cleanup_handler);
        nwi_io_file_unuse(file);
        if (channel == NULL)
            nwi_release(file);
        else
            channel->context.ended = true;
    }
    if (channel == NULL)
        return NULL;
    bool failed = channel->context.ended;
    channel->type = type;
    channel->file = file;
    channel->error = error;
    atomic_init(&channel->low, 1);
    atomic_init(&channel->high, SIZE_MAX);
    atomic_init(&channel->inner, 1);
    TAILQ_INIT(&channel->context.waiting);
    if (failed)
        return nwi_release(channel);
    if (cleanup != NULL) {
        cleanup->queue = nwi_retain(queue);
        cleanup->handler = cleanup_handler;
        cleanup->error = error;
        nwi_io_file_add_cleanup(file, cleanup);
    }
    if (error != 0)
        nwi_io_channel_close(channel, NWI_CLOSED);
    return channel;
}

static bool check_type(const char *function, dispatch_io_type_t type) {
    if (type == DISPATCH_IO_STREAM || type == DISPATCH_IO_RANDOM)
        return true;
    nwi_log_misuse(function, "no such type of channel");
    return false;
}

static dispatch_io_t create_fd(dispatch_io_type_t type, int fd, dispatch_queue_t queue,
                               struct nwi_callback cleanup) {
    struct nwi_io_file *file = check_type("dispatch_io_create", type) ? nwi_io_file_get(fd) : NULL;
    if (file == NULL) {
        nwi_callback_clear(&cleanup);
        return NULL;
    }
    int error = 0;
    if (type == DISPATCH_IO_RANDOM && lseek(fd, 0, SEEK_CUR) < 0)
        error = errno;
    return create_channel(type, file, error, queue, cleanup);
}

DISPATCH_EXPORT dispatch_io_t dispatch_io_create(dispatch_io_type_t type, dispatch_fd_t fd,
                                                 dispatch_queue_t queue,
                                                 const void *cleanup_handler);
dispatch_io_t dispatch_io_create(dispatch_io_type_t type, dispatch_fd_t fd, dispatch_queue_t queue,
                                 const void *cleanup_handler) {
    return create_fd(type, fd, queue, nwi_callback_block(cleanup_handler));
}

dispatch_io_t dispatch_io_create_f(dispatch_io_type_t type, dispatch_fd_t fd,
                                   dispatch_queue_t queue, void *context,
                                   dispatch_io_cleanup_function_t cleanup_handler) {
    return create_fd(type, fd, queue, nwi_callback_f(context, (nwi_fn)cleanup_handler));
}

static dispatch_io_t create_path(dispatch_io_type_t type, const char *path, int oflag, mode_t mode,
                                 dispatch_queue_t queue, struct nwi_callback cleanup) {
    struct nwi_io_file *file = NULL;
    if (path == NULL || path[0] != '/')
        nwi_log_misuse("dispatch_io_create_with_path", "the path is not absolute");
    else if (check_type("dispatch_io_create_with_path", type))
        file = nwi_io_file_create_path(path, oflag, mode);
    if (file == NULL) {
        nwi_callback_clear(&cleanup);
        return NULL;
    }
    return create_channel(type, file, 0, queue, cleanup);
}

DISPATCH_EXPORT dispatch_io_t dispatch_io_create_with_path(dispatch_io_type_t type,
                                                           const char *path, int oflag, mode_t mode,
                                                           dispatch_queue_t queue,
                                                           const void *cleanup_handler);
dispatch_io_t dispatch_io_create_with_path(dispatch_io_type_t type, const char *path, int oflag,
                                           mode_t mode, dispatch_queue_t queue,
                                           const void *cleanup_handler) {
    return create_path(type, path, oflag, mode, queue, nwi_callback_block(cleanup_handler));
}

dispatch_io_t dispatch_io_create_with_path_f(dispatch_io_type_t type, const char *path, int oflag,
                                             mode_t mode, dispatch_queue_t queue, void *context,
                                             dispatch_io_cleanup_function_t cleanup_handler) {
    return create_path(type, path, oflag, mode, queue,
                       nwi_callback_f(context, (nwi_fn)cleanup_handler));
}

static bool check_channel(const char *function, dispatch_io_t channel) {
    if (nwi_object_is(channel, &nwi_io_channel_type.base))
        return true;
    nwi_log_misuse(function, channel == NULL ? "no channel" : "not a channel");
    return false;
}

static dispatch_io_t create_over(dispatch_io_type_t type, dispatch_io_t io, dispatch_queue_t queue,
                                 struct nwi_callback cleanup) {
    const char *function = "dispatch_io_create_with_io";
    if (!check_channel(function, io) || !check_type(function, type) || !nwi_io_file_use(io->file)) {
        nwi_callback_clear(&cleanup);
        return NULL;
    }
    return create_channel(type, nwi_retain(io->file), io->error, queue, cleanup);
}

DISPATCH_EXPORT dispatch_io_t dispatch_io_create_with_io(dispatch_io_type_t type, dispatch_io_t io,
                                                         dispatch_queue_t queue,
                                                         const void *cleanup_handler);
dispatch_io_t dispatch_io_create_with_io(dispatch_io_type_t type, dispatch_io_t io,
                                         dispatch_queue_t queue, const void *cleanup_handler) {
    return create_over(type, io, queue, nwi_callback_block(cleanup_handler));
}

dispatch_io_t dispatch_io_create_with_io_f(dispatch_io_type_t type, dispatch_io_t io,
                                           dispatch_queue_t queue, void *context,
                                           dispatch_io_cleanup_function_t cleanup_handler) {
    return create_over(type, io, queue, nwi_callback_f(context, (nwi_fn)cleanup_handler));
}

/* --- transfers of channels --- */

struct transfer {
    enum nwi_io_direction direction;
    off_t offset;
    size_t length;
    dispatch_data_t data; /* borrowed */
};

static void transfer(const char *function, dispatch_io_t channel, struct transfer what,
                     dispatch_queue_t queue, struct nwi_callback handler) {
    if (!check_channel(function, channel) || handler.fn == NULL) {
        if (channel != NULL)
            nwi_log_misuse(function, "no handler");
        nwi_callback_clear(&handler);
        return;
    }
    struct nwi_io_operation *operation =
        make_operation(channel->file, what.direction, queue, handler);
    operation->positioned = channel->type == DISPATCH_IO_RANDOM;
    operation->offset = what.offset;
    operation->length = what.length;
    operation->context.data = nwi_retain(what.data);
    operation->low = atomic_load_explicit(&channel->low, memory_order_relaxed);
    operation->high = atomic_load_explicit(&channel->high, memory_order_relaxed);
    operation->interval = atomic_load_explicit(&channel->interval, memory_order_relaxed);
    operation->strict = atomic_load_explicit(&channel->strict, memory_order_relaxed);
    /* A write is reported as a whole, unless somebody asked for more. */
    if (what.direction == NWI_WRITING && operation->low == 1)
        operation->low = operation->high < SIZE_MAX ? operation->high : SIZE_MAX;
    int error = channel->error;
    if (error == 0 && atomic_load_explicit(&channel->closing, memory_order_relaxed) != 0)
        error = ECANCELED;
    if (error == 0 && operation->positioned && what.offset < 0)
        error = EINVAL;
    if (error != 0) {
        nwi_io_operation_finish(operation, error, false);
        return;
    }
    nwi_io_channel_keep(channel);
    operation->channel = channel;
    submit(operation);
}

DISPATCH_EXPORT void dispatch_io_read(dispatch_io_t channel, off_t offset, size_t length,
                                      dispatch_queue_t queue, const void *io_handler);
void dispatch_io_read(dispatch_io_t channel, off_t offset, size_t length, dispatch_queue_t queue,
                      const void *io_handler) {
    transfer(__func__, channel, (struct transfer){NWI_READING, offset, length, NULL}, queue,
             nwi_callback_block(io_handler));
}

void dispatch_io_read_f(dispatch_io_t channel, off_t offset, size_t length, dispatch_queue_t queue,
                        void *context, dispatch_io_handler_function_t io_handler) {
    transfer(__func__, channel, (struct transfer){NWI_READING, offset, length, NULL}, queue,
             nwi_callback_f(context, (nwi_fn)io_handler));
}

DISPATCH_EXPORT void dispatch_io_write(dispatch_io_t channel, off_t offset, dispatch_data_t data,
                                       dispatch_queue_t queue, const void *io_handler);
void dispatch_io_write(dispatch_io_t channel, off_t offset, dispatch_data_t data,
                       dispatch_queue_t queue, const void *io_handler) {
    size_t size = dispatch_data_get_size(data);
    transfer(__func__, channel, (struct transfer){NWI_WRITING, offset, size, data}, queue,
             nwi_callback_block(io_handler));
}

void dispatch_io_write_f(dispatch_io_t channel, off_t offset, dispatch_data_t data,
                         dispatch_queue_t queue, void *context,
                         dispatch_io_handler_function_t io_handler) {
    size_t size = dispatch_data_get_size(data);
    transfer(__func__, channel, (struct transfer){NWI_WRITING, offset, size, data}, queue,
             nwi_callback_f(context, (nwi_fn)io_handler));
}

/* --- barriers, closing, settings --- */

static void barrier(dispatch_io_t channel, struct nwi_callback handler) {
    if (!check_channel("dispatch_io_barrier", channel) || handler.fn == NULL) {
        nwi_callback_clear(&handler);
        return;
    }
    struct nwi_io_operation *operation = make_operation(channel->file, NWI_BARRIER, NULL, handler);
    nwi_io_channel_keep(channel);
    operation->channel = channel;
    submit(operation);
}

DISPATCH_EXPORT void dispatch_io_barrier(dispatch_io_t channel, const void *block);
void dispatch_io_barrier(dispatch_io_t channel, const void *block) {
    barrier(channel, nwi_callback_block(block));
}

void dispatch_io_barrier_f(dispatch_io_t channel, void *context, dispatch_function_t function) {
    barrier(channel, nwi_callback_f(context, (nwi_fn)function));
}

void dispatch_io_close(dispatch_io_t channel, dispatch_io_close_flags_t flags) {
    if (check_channel(__func__, channel))
        nwi_io_channel_close(channel, NWI_CLOSED | (flags & DISPATCH_IO_STOP ? NWI_STOPPED : 0));
}

dispatch_fd_t dispatch_io_get_descriptor(dispatch_io_t channel) {
    if (!check_channel(__func__, channel) ||
        atomic_load_explicit(&channel->closing, memory_order_relaxed) != 0)
        return -1;
    return atomic_load_explicit(&channel->file->fd, memory_order_relaxed);
}

void dispatch_io_set_high_water(dispatch_io_t channel, size_t high_water) {
    if (!check_channel(__func__, channel))
        return;
    size_t high = high_water > 0 ? high_water : 1;
    if (atomic_load_explicit(&channel->low, memory_order_relaxed) > high)
        atomic_store_explicit(&channel->low, high, memory_order_relaxed);
    atomic_store_explicit(&channel->high, high, memory_order_relaxed);
}

void dispatch_io_set_low_water(dispatch_io_t channel, size_t low_water) {
    if (!check_channel(__func__, channel))
        return;
    size_t low = low_water > 0 ? low_water : 1;
    if (atomic_load_explicit(&channel->high, memory_order_relaxed) < low)
        atomic_store_explicit(&channel->high, low, memory_order_relaxed);
    atomic_store_explicit(&channel->low, low, memory_order_relaxed);
}

void dispatch_io_set_interval(dispatch_io_t channel, uint64_t interval,
                              dispatch_io_interval_flags_t flags) {
    if (!check_channel(__func__, channel))
        return;
    atomic_store_explicit(&channel->interval, interval, memory_order_relaxed);
    atomic_store_explicit(&channel->strict, (flags & DISPATCH_IO_STRICT_INTERVAL) != 0,
                          memory_order_relaxed);
}
