/*
 * io_file.c - one descriptor under dispatch I/O.
 * What:   the table of descriptors in use; transfers one after the other for each direction;
 *         waiting until the descriptor is ready; the end, when it goes back to its owner.
 * Runs:   in the file's serial context; steps on regular files on a global queue, one at a time.
 * Owns:   the descriptor of a path. A descriptor of the caller is only lent.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/io_internal.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 64, STEPS_A_TURN = 8 };

static struct {
    pthread_mutex_t lock;
    LIST_HEAD(, nwi_io_file) bucket[BUCKETS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- the watch: readiness of the descriptor, while something waits for it --- */

struct nwi_io_file_watch {
    struct nwi_object
        base; /* referenced by the file and by the watch itself until the loop has let go */
    struct nwi_watch watch;
    struct nwi_io_file *file; /* owned reference */
    int own_fd;               /* a duplicate to be closed, or -1 */
};

static void destroy_watch(void *object) {
    struct nwi_io_file_watch *held = object;
    nwi_release(held->file);
}
static const struct nwi_type watch_type = {.name = "dispatch_io watch",
                                           .size = sizeof(struct nwi_io_file_watch),
                                           .destroy = destroy_watch};

static void run_direction(struct nwi_io_file *file, enum nwi_io_direction direction);

static unsigned event_of(enum nwi_io_direction direction) {
    return direction == NWI_READING ? NWI_IO_READ : NWI_IO_WRITE;
}

static void run_ready(struct nwi_io_file *file, unsigned events) {
    if ((events & (NWI_IO_HANGUP | NWI_IO_ERROR)) != 0)
        events |= NWI_IO_READ | NWI_IO_WRITE;
    unsigned due = file->context.waiting & events;
    file->context.waiting &= ~due;
    for (int d = 0; d < NWI_DIRECTIONS; d++)
        if ((due & event_of((enum nwi_io_direction)d)) != 0)
            run_direction(file, (enum nwi_io_direction)d);
}

static void watch_ready(struct nwi_watch *watch, unsigned events) {
    run_ready(nwi_container_of(watch, struct nwi_io_file_watch, watch)->file, events);
}

/* Errors: those of nwi_io_start; EPERM for a file that cannot be waited for. */
static nwi_err start_watch(struct nwi_io_file *file) {
    struct nwi_io_file_watch *held = nwi_object_create(&watch_type, 0);
    if (held == NULL)
        return NWI_ERR_NOMEM;
    held->file = nwi_retain(file);
    held->own_fd = -1;
    int fd = atomic_load_explicit(&file->fd, memory_order_relaxed);
    nwi_err err =
        nwi_watch_start(&held->watch, &file->serial, nwi_loop_pick(), fd, held, watch_ready);
    if (err == nwi_posix(EEXIST)) { /* a source or a connection watches it as well */
        held->own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        err = held->own_fd < 0 ? nwi_posix(errno)
                               : nwi_watch_start(&held->watch, &file->serial, nwi_loop_pick(),
                                                 held->own_fd, held, watch_ready);
    }
    if (err != 0) {
        if (held->own_fd >= 0)
            close(held->own_fd);
        nwi_release(held);
        return err;
    }
    file->context.watch = held;
    return 0;
}

static void stop_watch(struct nwi_io_file *file) {
    struct nwi_io_file_watch *held = nwi_take(&file->context.watch);
    if (held == NULL)
        return;
    nwi_watch_stop(&held->watch);
    if (held->own_fd >= 0)
        close(held->own_fd);
    nwi_release(held);
}

/* --- what kind of file it is --- */

/* Opens the path at the first transfer and looks at the descriptor. Returns 0 or an errno value. */
static int identify(struct nwi_io_file *file) {
    if (file->context.known)
        return file->context.error;
    file->context.known = true;
    int fd = atomic_load_explicit(&file->fd, memory_order_relaxed);
    if (file->path != NULL) {
        fd = open(file->path, file->oflag | O_CLOEXEC, file->mode);
        if (fd < 0)
            return file->context.error = errno;
        atomic_store_explicit(&file->fd, fd, memory_order_relaxed);
    }
    struct stat status;
    if (fstat(fd, &status) != 0)
        return file->context.error = errno;
    file->context.regular =
        S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode);
    file->context.socket = S_ISSOCK(status.st_mode);
    int flags = fcntl(fd, F_GETFL);
    file->context.nonblocking = flags >= 0 && (flags & O_NONBLOCK) != 0;
    return 0;
}

/* --- transfers (context) --- */

static void end(struct nwi_io_file *file, struct nwi_io_operation *operation, int error, bool eof) {
    TAILQ_REMOVE(&file->context.queue[operation->direction], operation, link);
    if (TAILQ_EMPTY(&file->context.queue[operation->direction]))
        file->context.waiting &= ~event_of(operation->direction);
    if (TAILQ_EMPTY(&file->context.queue[NWI_READING]) &&
        TAILQ_EMPTY(&file->context.queue[NWI_WRITING]))
        stop_watch(file);
    dispatch_io_t channel = nwi_take(&operation->channel);
    nwi_retain(file); /* the operation may have held the last reference but ours */
    /* Before the handler can run: it may close the descriptor, and the number come back as another
     * file. */
    if (operation->once)
        nwi_io_file_unuse(file);
    nwi_io_operation_finish(operation, error, eof);
    if (channel != NULL) {
        nwi_io_channel_transfer_ended(channel);
        nwi_io_channel_drop(channel);
    }
    nwi_release(file);
}

/* Returns whether the same operation may go on now. */
static bool take_step(struct nwi_io_file *file, struct nwi_io_operation *operation,
                      enum nwi_step step) {
    enum nwi_io_direction direction = operation->direction;
    switch (step) {
    case NWI_STEP_MORE:
        nwi_io_operation_report(operation, false);
        return true;
    case NWI_STEP_EOF:
        end(file, operation, 0, true);
        return true;
    case NWI_STEP_DONE:
        end(file, operation, operation->context.error, false);
        return true;
    case NWI_STEP_WAIT:
        break;
    }
    /* dispatch_read is content with what there was (dispatch_read(3)). */
    if (operation->once && direction == NWI_READING && operation->context.moved > 0) {
        end(file, operation, 0, false);
        return true;
    }
    nwi_err err = file->context.watch != NULL ? 0 : start_watch(file);
    if (err == 0) {
        file->context.waiting |= event_of(direction);
        return false;
    }
    if (err == nwi_posix(EPERM)) {
        file->context.regular = true; /* a device that is always ready */
        return true;
    }
    end(file, operation, nwi_err_code(err), false);
    return true;
}

static void step_back(struct nwi_task *task) {
    struct nwi_io_operation *operation = nwi_container_of(task, struct nwi_io_operation, task);
    struct nwi_io_file *file = operation->file;
    file->context.stepping = NULL;
    if (operation->context.stop)
        end(file, operation, ECANCELED, false);
    else
        take_step(file, operation, operation->context.step);
    run_direction(file, NWI_READING);
    run_direction(file, NWI_WRITING);
}

/* On a global queue: a disk may be slow, and poll(2) does not tell. */
static void step_elsewhere(struct nwi_task *task) {
    struct nwi_io_operation *operation = nwi_container_of(task, struct nwi_io_operation, task);
    operation->context.step = nwi_io_transfer_step(operation);
    operation->task.run = step_back;
    nwi_serial_push(&operation->file->serial, &operation->task);
}

static void run_both(struct nwi_task *task) {
    struct nwi_io_file *file = nwi_container_of(task, struct nwi_io_file, context.run_task);
    file->context.run_posted = false;
    run_direction(file, NWI_READING);
    run_direction(file, NWI_WRITING);
}

/* Goes on later, so that a fast peer does not keep the loop for itself. */
static void post_run(struct nwi_io_file *file) {
    if (file->context.run_posted)
        return;
    file->context.run_posted = true;
    nwi_serial_push(&file->serial, &file->context.run_task);
}

static void run_direction(struct nwi_io_file *file, enum nwi_io_direction direction) {
    struct nwi_io_operation *operation;
    int error = 0;
    for (int steps = 0; (operation = TAILQ_FIRST(&file->context.queue[direction])) != NULL;
         steps++) {
        if ((file->context.waiting & event_of(direction)) != 0 ||
            file->context.stepping == operation)
            return;
        if (steps == STEPS_A_TURN) {
            post_run(file);
            return;
        }
        error = identify(file);
        if (error != 0) {
            end(file, operation, error, false);
        } else if (file->context.regular) {
            if (file->context.stepping == NULL) {
                file->context.stepping = operation;
                operation->task.run = step_elsewhere;
                nwi_queue_push(NULL, &operation->task);
            }
            return;
        } else if (!take_step(file, operation, nwi_io_transfer_step(operation))) {
            return;
        }
    }
}

void nwi_io_file_start(struct nwi_io_file *file, struct nwi_io_operation *operation) {
    TAILQ_INSERT_TAIL(&file->context.queue[operation->direction], operation, link);
    if (operation->interval > 0)
        nwi_alarm_set(&operation->context.alarm, nwi_now() + operation->interval);
    run_direction(file, operation->direction);
}

void nwi_io_file_stop(struct nwi_io_file *file, dispatch_io_t channel) {
    for (int d = 0; d < NWI_DIRECTIONS; d++) {
        struct nwi_io_operation *operation = TAILQ_FIRST(&file->context.queue[d]);
        while (operation != NULL) {
            struct nwi_io_operation *next = TAILQ_NEXT(operation, link);
            if (operation->channel != channel) {
                operation = next;
                continue;
            }
            if (file->context.stepping == operation)
                operation->context.stop = true;
            else
                end(file, operation, ECANCELED, false);
            operation = next;
        }
        file->context.waiting &=
            ~event_of((enum nwi_io_direction)d); /* others try again, and wait */
        if (!TAILQ_EMPTY(&file->context.queue[d]))
            post_run(file);
    }
}

/* --- life --- */

static void destroy_file(void *object) {
    struct nwi_io_file *file = object;
    nwi_free(file->path);
}
static const struct nwi_type file_type = {
    .name = "dispatch_io file", .size = sizeof(struct nwi_io_file), .destroy = destroy_file};

static struct nwi_io_file *create_file(int fd) {
    struct nwi_io_file *file = nwi_object_create(&file_type, 0);
    if (file == NULL)
        return NULL;
    file->uses = 1;
    atomic_init(&file->fd, fd);
    STAILQ_INIT(&file->cleanups);
    TAILQ_INIT(&file->context.queue[NWI_READING]);
    TAILQ_INIT(&file->context.queue[NWI_WRITING]);
    file->context.run_task.run = run_both;
    nwi_serial_init(&file->serial, NULL, file);
    return file;
}

struct nwi_io_file *nwi_io_file_get(int fd) {
    struct nwi_io_file *file;
    unsigned bucket = (unsigned)fd % BUCKETS;
    pthread_mutex_lock(&table.lock);
    LIST_FOREACH (file, &table.bucket[bucket], link)
        if (atomic_load_explicit(&file->fd, memory_order_relaxed) == fd)
            break;
    if (file != NULL) {
        file->uses++;
        nwi_retain(file);
    } else if ((file = create_file(fd)) != NULL) {
        off_t position = lseek(fd, 0, SEEK_CUR);
        file->origin = position > 0 ? position : 0;
        file->listed = true;
        LIST_INSERT_HEAD(&table.bucket[bucket], file, link);
    }
    pthread_mutex_unlock(&table.lock);
    return file;
}

struct nwi_io_file *nwi_io_file_create_path(const char *path, int oflag, mode_t mode) {
    struct nwi_io_file *file = create_file(-1);
    if (file == NULL)
        return NULL;
    file->path = nwi_strdup(path);
    file->oflag = oflag;
    file->mode = mode;
    return file->path != NULL ? file : nwi_release(file);
}

bool nwi_io_file_use(struct nwi_io_file *file) {
    pthread_mutex_lock(&table.lock);
    bool open = file->uses > 0;
    if (open)
        file->uses++;
    pthread_mutex_unlock(&table.lock);
    return open;
}

static void run_cleanup(struct nwi_task *task) {
    struct nwi_io_cleanup *cleanup = nwi_container_of(task, struct nwi_io_cleanup, task);
    NWI_CALL(cleanup->handler, void, (int), cleanup->error);
    nwi_callback_clear(&cleanup->handler);
    nwi_release(cleanup->queue);
    nwi_free(cleanup);
}

void nwi_io_file_unuse(struct nwi_io_file *file) {
    pthread_mutex_lock(&table.lock);
    bool last = --file->uses == 0;
    if (last && file->listed) {
        LIST_REMOVE(file, link);
        file->listed = false;
    }
    pthread_mutex_unlock(&table.lock);
    if (!last)
        return;
    int fd = atomic_load_explicit(&file->fd, memory_order_relaxed);
    if (file->path != NULL && fd >= 0 && close(fd) != 0)
        nwi_log(NWI_LOG_ERROR, "dispatch", "io", "closing %s: %m", file->path);
    struct nwi_io_cleanup *cleanup;
    while ((cleanup = STAILQ_FIRST(&file->cleanups)) != NULL) {
        STAILQ_REMOVE_HEAD(&file->cleanups, link);
        cleanup->task.run = run_cleanup;
        nwi_queue_push(cleanup->queue, &cleanup->task);
    }
}

void nwi_io_file_add_cleanup(struct nwi_io_file *file, struct nwi_io_cleanup *cleanup) {
    pthread_mutex_lock(&table.lock);
    STAILQ_INSERT_TAIL(&file->cleanups, cleanup, link);
    pthread_mutex_unlock(&table.lock);
}
