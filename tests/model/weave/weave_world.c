/*
 * weave_world.c - what stands for the rest of the library below woven queues.
 * What:   a post to a loop begins a thread that runs the task, so drains run as early and as late
 *         as they can, and beside each other where the queue would let them. No thread is the main
 *         one.
 * Runs:   see weave.h.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/queue.h"
#include "loop/loop.h"
#include "weave.h"

static int some_loop; /* its address is a loop to the queues, which do not look inside */

struct nwi_loop *nwi_loop_current(void) {
    return NULL;
}
struct nwi_loop *nwi_loop_pick(void) {
    return (struct nwi_loop *)&some_loop;
}
struct nwi_loop *nwi_loop_pick_next(void) {
    return nwi_loop_pick();
}
struct nwi_loop *nwi_loop_pick_idle(void) {
    return NULL;
}
static void run_posted(void *task) {
    ((struct nwi_task *)task)->run(task);
}
void nwi_loop_post(struct nwi_loop *loop, struct nwi_task *task) {
    (void)loop;
    weave_thread(run_posted, task);
}
void nwi_loop_will_block(void) {}
bool nwi_loop_turn_is_over(void) {
    return false;
}

bool nwi_is_main_thread(void) {
    return false;
}
dispatch_queue_main_t dispatch_get_main_queue(void) {
    return NULL;
}
bool nwi_block_is_barrier(const void *block) {
    (void)block;
    return false;
}
void nwi_specifics_free(struct nwi_specifics *specifics) {
    (void)specifics;
}

char *nwi_strdup(const char *text) {
    (void)text;
    return NULL;
}
bool nwi_log_enabled(enum nwi_log_level level) {
    (void)level;
    return false;
}
void nwi_log(enum nwi_log_level level, const char *name, const char *event, const char *format,
             ...) {
    (void)level, (void)format;
    weave_fail("log: %s %s", name, event);
}
