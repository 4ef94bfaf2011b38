/*
 * frame.h - which serial contexts and queues the calling thread is inside of; folder-private.
 * What:   a list of frames, innermost first, one for each context or queue entered on this thread.
 *         Contexts that the entered one targets are held with it and have no frame of their own
 *         unless their drain runs below.
 * Runs:   on the calling thread only.
 * Owns:   nothing: frames live on the stack, or (try_enter) in a small array of the thread.
 */
#ifndef NWI_DISPATCH_FRAME_H
#define NWI_DISPATCH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

struct nwi_serial;
struct dispatch_queue_s;

struct nwi_frame {
    struct nwi_frame *up;           /* the frame outside this one */
    struct nwi_serial *serial;      /* a serial context, or NULL */
    struct dispatch_queue_s *queue; /* a queue of another kind, or NULL */
    uint32_t done; /* drain: tasks finished and not yet taken off the context's count */
    bool handed;   /* drain: the context now belongs to another thread: do not touch it */
    bool barrier;  /* queue: the item is a barrier */
    bool moved;    /* drain: the target has changed: go on there */
};

void nwi_frame_push(struct nwi_frame *frame);
void nwi_frame_pop(struct nwi_frame *frame); /* the frame must be the innermost */
struct nwi_frame *nwi_frame_top(void);
struct nwi_frame **nwi_frame_top_link(void); /* to unlink one that is not the innermost */

/* Inside a task of a drain: prepares every context that the drain holds for another thread, which
 * will end each with nwi_serial_leave_one (or its queue's counterpart). After the caller has told
 * that thread, the drain unwinds without touching them. */
void nwi_frame_hand_off(void);
/* Ends one task of the context on the calling thread, leaving its target held. */
void nwi_serial_leave_one(struct nwi_serial *serial);

#endif
