/*
 * frame.c - the thread's list of frames.
 * Runs:   on the calling thread only.
 */
#include "dispatch/frame.h"
#include "base/thread_local.h"
#include <stddef.h>

static NWI_HOT_THREAD_LOCAL struct nwi_frame *top;

void nwi_frame_push(struct nwi_frame *frame) {
    frame->up = top;
    top = frame;
}

void nwi_frame_pop(struct nwi_frame *frame) {
    top = frame->up;
}

struct nwi_frame *nwi_frame_top(void) {
    return top;
}

struct nwi_frame **nwi_frame_top_link(void) {
    return &top;
}
