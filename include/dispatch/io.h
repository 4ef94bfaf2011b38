/*
 * io.h - reading and writing descriptors without waiting.
 * What:   dispatch_read and dispatch_write for one transfer; channels for many, in order, with
 *         water marks.
 * Note:   SIGPIPE is never raised by these calls, and no descriptor's flags are changed. In an `_f`
 *         call the context comes before the function, and is the function's first argument.
 */
#ifndef DISPATCH_IO_H
#define DISPATCH_IO_H

#include <dispatch/data.h>
#include <sys/types.h>

DISPATCH_DECL(dispatch_io);

DISPATCH_BEGIN_DECLS

typedef int dispatch_fd_t;
typedef void (*dispatch_transfer_function_t)(void *context, dispatch_data_t data, int error);

/*
 * Reads once: as soon as the descriptor is readable, what is there, at most `length` octets, from
 * the file position. (A regular file is always readable: up to `length` or its end.) The handler
 * is called once on `queue` with the data (borrowed; empty at end of file) and 0 or an errno
 * value. Reads of one descriptor happen one after the other. The descriptor must stay open until
 * the handler has been called.
 */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_read(dispatch_fd_t fd, size_t length, dispatch_queue_t queue,
              void (^handler)(dispatch_data_t data, int error));
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_read_f(dispatch_fd_t fd, size_t length,
                                                      dispatch_queue_t queue, void *context,
                                                      dispatch_transfer_function_t handler);

/* Writes all of `data` (held until then), then calls the handler once with NULL and 0, or with what
 * was not written and an errno value. */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_write(dispatch_fd_t fd, dispatch_data_t data, dispatch_queue_t queue,
               void (^handler)(dispatch_data_t data, int error));
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_write_f(dispatch_fd_t fd, dispatch_data_t data,
                                                       dispatch_queue_t queue, void *context,
                                                       dispatch_transfer_function_t handler);

/* --- channels --- */

typedef unsigned long dispatch_io_type_t;
#define DISPATCH_IO_STREAM                                                                         \
    0 /* octets in a row from the file position: one read and one write at a time */
#define DISPATCH_IO_RANDOM                                                                         \
    1 /* offsets from where the file position was at creation: in any order */

typedef void (*dispatch_io_cleanup_function_t)(void *context, int error);
typedef void (*dispatch_io_handler_function_t)(void *context, bool done, dispatch_data_t data,
                                               int error);

/*
 * Returns a channel over `fd`, owned by the caller, or NULL when memory ran out or the type does
 * not exist. The channel has the descriptor until the cleanup handler runs on `queue`, with 0 or
 * the errno value that kept the channel from being made; close the descriptor there. A channel
 * stays in use until it is closed or released and its work has ended.
 */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_io_t
dispatch_io_create(dispatch_io_type_t type, dispatch_fd_t fd, dispatch_queue_t queue,
                   void (^cleanup_handler)(int error));
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_io_t
dispatch_io_create_f(dispatch_io_type_t type, dispatch_fd_t fd, dispatch_queue_t queue,
                     void *context, dispatch_io_cleanup_function_t cleanup_handler);

/* The same over a file that is opened (open(2) flags and mode) at the first transfer and closed by
 * the channel. `path` must be absolute: NULL otherwise. */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_io_t
dispatch_io_create_with_path(dispatch_io_type_t type, const char *path, int oflag, mode_t mode,
                             dispatch_queue_t queue, void (^cleanup_handler)(int error));
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_io_t dispatch_io_create_with_path_f(
    dispatch_io_type_t type, const char *path, int oflag, mode_t mode, dispatch_queue_t queue,
    void *context, dispatch_io_cleanup_function_t cleanup_handler);

/* The same over the descriptor or path of another channel, whose cleanup then waits for this one as
 * well. */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_io_t
dispatch_io_create_with_io(dispatch_io_type_t type, dispatch_io_t io, dispatch_queue_t queue,
                           void (^cleanup_handler)(int error));
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_io_t
dispatch_io_create_with_io_f(dispatch_io_type_t type, dispatch_io_t io, dispatch_queue_t queue,
                             void *context, dispatch_io_cleanup_function_t cleanup_handler);

/*
 * Reads `length` octets (SIZE_MAX: until end of file). The handler is called on `queue` once or
 * more, in order: `data` is what is new (borrowed), `done` marks the last call, `error` is 0 or an
 * errno value (ECANCELED after DISPATCH_IO_STOP). Done with empty data and no error is end of file.
 * `offset` counts for random channels only.
 */
#ifdef __BLOCKS__
typedef void (^dispatch_io_handler_t)(bool done, dispatch_data_t data, int error);
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_read(dispatch_io_t channel, off_t offset,
                                                       size_t length, dispatch_queue_t queue,
                                                       dispatch_io_handler_t io_handler);
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_read_f(dispatch_io_t channel, off_t offset,
                                                         size_t length, dispatch_queue_t queue,
                                                         void *context,
                                                         dispatch_io_handler_function_t io_handler);

/* Writes all of `data`. `data` in the handler is what is still to be written: NULL at the end of a
 * whole write. */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_write(dispatch_io_t channel, off_t offset,
                                                        dispatch_data_t data,
                                                        dispatch_queue_t queue,
                                                        dispatch_io_handler_t io_handler);
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_io_write_f(dispatch_io_t channel, off_t offset, dispatch_data_t data,
                    dispatch_queue_t queue, void *context,
                    dispatch_io_handler_function_t io_handler);

typedef unsigned long dispatch_io_close_flags_t;
#define DISPATCH_IO_STOP                                                                           \
    0x1 /* interrupt what is under way: its handlers get ECANCELED and what there is */
/* Takes no further transfers (they get ECANCELED); those submitted before are completed, unless
 * stopped. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_close(dispatch_io_t channel,
                                                        dispatch_io_close_flags_t flags);

/* Runs the barrier on the channel's target queue when all transfers submitted before it have ended;
 * those after it wait. The descriptor may be used inside it: fsync, lseek. It may be submitted to a
 * closed channel. */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_barrier(dispatch_io_t channel,
                                                          dispatch_block_t barrier);
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_barrier_f(dispatch_io_t channel, void *context,
                                                            dispatch_function_t barrier);

/* Returns the descriptor, or -1 when the channel is closed or its path has not been opened. */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_fd_t dispatch_io_get_descriptor(dispatch_io_t channel);

/* A handler gets at most `high_water` octets a call, and none before there are `low_water`, except
 * at the end. Both have effect on transfers submitted later. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_set_high_water(dispatch_io_t channel,
                                                                 size_t high_water);
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_set_low_water(dispatch_io_t channel,
                                                                size_t low_water);

typedef unsigned long dispatch_io_interval_flags_t;
#define DISPATCH_IO_STRICT_INTERVAL                                                                \
    0x1 /* call the handler at each interval even with less than low water */
/* Calls the handlers of later transfers each `interval` nanoseconds with what has come. 0: not. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_io_set_interval(dispatch_io_t channel,
                                                               uint64_t interval,
                                                               dispatch_io_interval_flags_t flags);

DISPATCH_END_DECLS

#endif
