/*
 * io_internal.h - what the files of dispatch I/O share.
 * What:   a file is one descriptor with all that goes on with it: its transfers, in order for each
 *         direction, run in its serial context. Channels and dispatch_read/dispatch_write submit
 *         operations to it.
 * Files:  io.c (public calls), io_channel.c (channels: barriers, closing), io_file.c (files: order,
 *         readiness), io_transfer.c (one step of reading or writing), io_operation.c (operations,
 *         handing over to handlers).
 */
#ifndef NWI_DISPATCH_IO_INTERNAL_H
#define NWI_DISPATCH_IO_INTERNAL_H

#include "dispatch/alarm.h"
#include "dispatch/data.h"
#include "dispatch/dispatch.h"
#include "dispatch/serial.h"
#include "dispatch/watch.h"
#include "loop/loop.h"
#include <pthread.h>
#include <sys/queue.h>
#include <sys/types.h>

struct nwi_io_file;
struct nwi_io_file_watch;

enum nwi_io_direction { NWI_READING, NWI_WRITING, NWI_DIRECTIONS, NWI_BARRIER = NWI_DIRECTIONS };

/* What one step of a transfer came to. */
enum nwi_step {
    NWI_STEP_MORE, /* some octets moved, more may follow at once */
    NWI_STEP_WAIT, /* the descriptor is not ready */
    NWI_STEP_EOF,
    NWI_STEP_DONE, /* all octets asked for, or operation->error is set */
};

/* A message to a handler. */
struct nwi_io_message {
    STAILQ_ENTRY(nwi_io_message) link;
    dispatch_data_t data; /* owned; may be NULL */
    int error;
    bool done;
};

/* One read, write or barrier. Referenced by the flow through the file until its last message has
 * been handled, and by its alarm. */
struct nwi_io_operation {
    struct nwi_object base;
    enum nwi_io_direction direction;
    bool once;         /* dispatch_read, dispatch_write: one call of the handler */
    bool positioned;   /* of a random channel */
    off_t offset;      /* where, when positioned */
    size_t length;     /* octets asked for */
    size_t low, high;  /* water marks */
    uint64_t interval; /* nanoseconds; 0: none */
    bool strict;
    struct nwi_io_file *file; /* owned reference */
    dispatch_io_t channel;    /* inner reference, dropped when the transfer ends; NULL when once */
    dispatch_queue_t queue;   /* owned */
    struct nwi_callback handler;
    TAILQ_ENTRY(nwi_io_operation) link; /* in its file's or channel's list */
    struct nwi_task task;               /* submission, then steps on a global queue */
    struct {                  /* touched only in the file's context, or by the one step under way */
        size_t moved;         /* octets so far */
        dispatch_data_t data; /* read: not delivered yet. Write: all; owned */
        size_t reported;      /* write: `moved` at the last message */
        int error;
        bool stop;          /* DISPATCH_IO_STOP came while a step was under way */
        enum nwi_step step; /* result of a step on a global queue */
        struct nwi_alarm alarm;
    } context;
    struct {
        pthread_mutex_t lock;
        STAILQ_HEAD(, nwi_io_message) messages;
        bool busy;
        struct nwi_task task;
    } mail;
};
TAILQ_HEAD(nwi_io_operations, nwi_io_operation);

/* A cleanup handler that waits for the end of the file. */
struct nwi_io_cleanup {
    STAILQ_ENTRY(nwi_io_cleanup) link;
    dispatch_queue_t queue; /* owned */
    struct nwi_callback handler;
    int error;
    struct nwi_task task;
};

struct nwi_io_file {
    struct nwi_object base;       /* memory: referenced by channels, operations and the watch */
    LIST_ENTRY(nwi_io_file) link; /* table of files by descriptor; under the table's lock */
    unsigned uses; /* channels that have not ended, dispatch_read and dispatch_write under way;
                      under the table's lock. At 0 the file is closed for good */
    /* -1: the path is not open yet. Relaxed: a number; the kernel knows what it stands for. */
    _Atomic int fd;
    bool listed;
    char *path; /* NULL: a descriptor of the caller */
    int oflag;
    mode_t mode;
    off_t origin;                           /* of random channels' offsets */
    STAILQ_HEAD(, nwi_io_cleanup) cleanups; /* under the table's lock */
    struct nwi_serial serial;
    struct {
        bool known;   /* what kind of file it is */
        bool regular; /* steps run on a global queue */
        bool socket;
        bool no_nowait;                    /* RWF_NOWAIT is refused */
        bool nonblocking;                  /* O_NONBLOCK is set */
        int error;                         /* open(2) failed */
        unsigned waiting;                  /* enum nwi_io_events that operations wait for */
        struct nwi_io_operation *stepping; /* its step is on a global queue */
        struct nwi_io_operations queue[NWI_DIRECTIONS];
        struct nwi_io_file_watch *watch; /* owned reference; NULL while nothing waits */
        bool run_posted;
        struct nwi_task run_task;
    } context; /* touched only in the serial context */
};

struct dispatch_io_s {
    struct nwi_dispatch_object base; /* counts the users */
    dispatch_io_type_t type;
    struct nwi_io_file *file; /* owned reference; a use until the channel has ended */
    int error;                /* why it cannot be used; set at creation */
    _Atomic size_t low;  /* relaxed, with the next three: settings, each taken as it is found */
    _Atomic size_t high; /* relaxed */
    _Atomic uint64_t interval; /* relaxed */
    _Atomic bool strict;       /* relaxed */
    /* NWI_CLOSED, NWI_STOPPED, NWI_RELEASED. Relaxed: the bits reach the check task by `checking`.
     */
    _Atomic unsigned closing;
    _Atomic uint32_t inner; /* up relaxed, down acq_rel: users together 1, each operation 1, the
                               check task 1 */
    /* check_task is on its way. acq_rel exchange on both sides: a closer that finds it set has put
     * its bits where the task, which clears it first, will see them. */
    _Atomic bool checking;
    struct nwi_task check_task;
    struct {
        unsigned active; /* transfers handed to the file, or 1 while a barrier runs */
        struct nwi_io_operations waiting; /* behind a barrier */
        bool barrier, ended;
    } context; /* touched only in the file's serial context */
};
enum { NWI_CLOSED = 1, NWI_STOPPED = 2, NWI_RELEASED = 4 };

enum { NWI_IO_CHUNK = 65536 }; /* octets of one step */

/* --- io_operation.c --- */
/* Consumes nothing; NULL when memory ran out. `handler` is moved in, and released with the
 * operation. */
struct nwi_io_operation *nwi_io_operation_create(struct nwi_io_file *file,
                                                 enum nwi_io_direction direction,
                                                 dispatch_queue_t queue,
                                                 struct nwi_callback handler);
/* Gives what has been read or written since the last message to the handler, when the water marks
 * allow it or `force` is set. Context. */
void nwi_io_operation_report(struct nwi_io_operation *operation, bool force);
/* Sends the last message and lets the operation go. Context, or for an operation that was never
 * submitted. */
void nwi_io_operation_finish(struct nwi_io_operation *operation, int error, bool eof);

/* --- io_transfer.c --- */
enum nwi_step nwi_io_transfer_step(struct nwi_io_operation *operation);

/* --- io_file.c --- */
/* The file of a descriptor, shared by all that use it now. The caller owns a reference and a use.
 * NULL when memory ran out. */
struct nwi_io_file *nwi_io_file_get(int fd);
struct nwi_io_file *nwi_io_file_create_path(const char *path, int oflag, mode_t mode);
/* One more use of a file in use; false when it is closed already. */
bool nwi_io_file_use(struct nwi_io_file *file);
/* One use less. With the last one the descriptor is given back: cleanup handlers are called. */
void nwi_io_file_unuse(struct nwi_io_file *file);
void nwi_io_file_add_cleanup(struct nwi_io_file *file, struct nwi_io_cleanup *cleanup);
/* Queues a transfer. Context. */
void nwi_io_file_start(struct nwi_io_file *file, struct nwi_io_operation *operation);
/* Ends the transfers of a channel with ECANCELED. Context. */
void nwi_io_file_stop(struct nwi_io_file *file, dispatch_io_t channel);

/* --- io_channel.c --- */
extern const struct nwi_dispatch_type nwi_io_channel_type;
void nwi_io_channel_keep(dispatch_io_t channel);
void nwi_io_channel_drop(dispatch_io_t channel);
/* Takes an operation in (context): hands it to the file, or keeps it behind a barrier. */
void nwi_io_channel_submit(dispatch_io_t channel, struct nwi_io_operation *operation);
/* A transfer of the channel has ended. Context. */
void nwi_io_channel_transfer_ended(dispatch_io_t channel);
/* Sets bits of `closing` and lets the context see to it. */
void nwi_io_channel_close(dispatch_io_t channel, unsigned bits);

#endif
