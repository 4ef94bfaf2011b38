/*
 * weave_serial.c - the serial context in every interleaving: serial.c, and sync.c which hands it
 * over to waiting threads.
 * What:   a post to a loop begins a thread that runs the task, so drains run as early and as late
 *         as they can. Each item leaves its mark in plain memory: two items at once, or an item
 *         that does not see what the one before did, is a race.
 * Runs:   see weave.h.
 */
#include "dispatch/queue.h"
#include "weave.h"

/* --- items: what runs in a context --- */

enum { ITEMS = 6 };

struct item {
    struct nwi_task task; /* first */
    unsigned runs;
    int after; /* the item that has to have run before, or -1 */
};

static struct item item[ITEMS];
static struct nwi_serial context[2];
static dispatch_queue_t queue, other;
static unsigned inside; /* plain, as all that items touch: a race tells as well */
enum { STOPPED = 0 };   /* fact: nothing may run */

static void run(void *argument) {
    struct item *self = argument;
    weave_expect(!weave_fact(STOPPED));
    weave_expect(inside++ == 0);
    weave_expect(self->after < 0 || item[self->after].runs == 1);
    self->runs++;
    inside--;
}
static void run_task(struct nwi_task *task) {
    run(task);
}

static void prepare(void) {
    static const char *const next_name[ITEMS] = {"next[0]", "next[1]", "next[2]",
                                                 "next[3]", "next[4]", "next[5]"};
    for (unsigned i = 0; i < ITEMS; i++) {
        item[i] = (struct item){.task.run = run_task, .after = -1};
        weave_name(&item[i].task.next, next_name[i]);
    }
}

static void name_parts(struct nwi_serial *serial) {
    weave_name(&serial->state, "state");
    weave_name(&serial->tail, "tail");
    weave_name(&serial->head, "head");
    weave_name(&serial->loop, "loop");
}

static void prepare_context(void) {
    prepare();
    nwi_serial_init(&context[0], NULL, NULL);
    name_parts(&context[0]);
}

static void prepare_queue(void) {
    prepare();
    queue = dispatch_queue_create(NULL, NULL);
    name_parts(&queue->serial);
}

static void expect_run(unsigned count) {
    weave_expect(weave_blocked() == 0);
    for (unsigned i = 0; i < ITEMS; i++)
        weave_expect(item[i].runs == (i < count ? 1 : 0));
}
static void check_contexts(unsigned count) {
    expect_run(count);
    for (unsigned i = 0; i < 2; i++)
        weave_expect(nwi_serial_count(&context[i]) == 0);
}
/* Nobody holds a queue any more, so all are freed, once. */
static void check_queues(unsigned count) {
    expect_run(count);
    weave_expect(weave_live() == 0);
}

/* The argument of a thread: the number of its item. */
static unsigned number(void *argument) {
    return (unsigned)(uintptr_t)argument;
}
static void thread(void (*body)(void *), unsigned argument) {
    weave_thread(body, (void *)(uintptr_t)argument);
}

/* --- two threads push --- */

static void push_one(void *argument) {
    nwi_serial_push(&context[0], &item[number(argument)].task);
}
static void push_two(void *argument) {
    push_one(argument);
    nwi_serial_push(&context[0], &item[number(argument) + 1].task);
}
static void setup_pushes(void) {
    prepare_context();
    item[1].after = 0;
    thread(push_two, 0);
    thread(push_one, 2);
}
static void setup_more_pushes(void) {
    prepare_context();
    item[1].after = 0;
    item[3].after = 2;
    thread(push_two, 0);
    thread(push_two, 2);
}
static void check_three(void) {
    check_contexts(3);
}
static void check_four(void) {
    check_contexts(4);
}

/* --- direct entry beside pushes --- */

static void perform_one(void *argument) {
    nwi_serial_perform(&context[0], &item[number(argument)].task);
}
static void setup_direct(void) {
    prepare_context();
    thread(push_one, 0);
    thread(perform_one, 1);
    thread(perform_one, 2);
}
/* What a thread pushed runs before what it enters with afterwards, also while another push is
 * linked and not yet counted. */
static void push_then_perform(void *argument) {
    push_one(argument);
    nwi_serial_perform(&context[0], &item[number(argument) + 1].task);
}
static void setup_direct_behind(void) {
    prepare_context();
    item[1].after = 0;
    thread(push_then_perform, 0);
    thread(push_one, 2);
}

/* --- an executor of its own, one item at a time --- */

static void drain_one(void *serial) {
    nwi_serial_drain(serial, 1);
}
static void wake_own(struct nwi_serial *serial) {
    weave_thread(drain_one, serial);
}
static void setup_executor(void) {
    prepare_context();
    nwi_serial_retarget(&context[0], NULL, wake_own);
    item[1].after = 0;
    thread(push_two, 0);
    thread(push_one, 2);
}

/* --- suspension --- */

/* Nothing runs once all threads that could go on have done so; then nothing began by itself. */
static void stop_and_go(void *argument) {
    (void)argument;
    nwi_serial_suspend(&context[0]);
    weave_wait_until_quiet();
    weave_set_fact(STOPPED, true);
    weave_pause();
    weave_wait_until_quiet();
    weave_set_fact(STOPPED, false);
    weave_expect(nwi_serial_resume(&context[0]));
}
static void stop_twice(void *argument) {
    nwi_serial_suspend(&context[0]);
    stop_and_go(argument);
    weave_expect(nwi_serial_resume(&context[0]));
}
static void resume_at_once(void *argument) {
    (void)argument;
    nwi_serial_suspend(&context[0]);
    weave_expect(nwi_serial_resume(&context[0]));
}
static void setup_suspend(void) {
    prepare_context();
    item[1].after = 0;
    thread(push_two, 0);
    thread(stop_and_go, 0);
}
static void setup_nested(void) {
    prepare_context();
    thread(push_one, 0);
    thread(stop_twice, 0);
    thread(resume_at_once, 0);
}
static void setup_resumes(void) {
    prepare_context();
    thread(push_one, 0);
    thread(resume_at_once, 0);
    thread(resume_at_once, 1);
}
static void check_one(void) {
    check_contexts(1);
}
static void check_two(void) {
    check_contexts(2);
}
static void activate(void *argument) {
    (void)argument;
    weave_expect(nwi_serial_activate(&context[0]));
}
static void setup_activate(void) {
    prepare_context();
    nwi_serial_set_inactive(&context[0]);
    thread(push_one, 0);
    thread(activate, 0);
    thread(push_one, 1);
}

/* --- queues: hand-over to waiting threads, release while running, targets --- */

static void async_and_release(void *argument) {
    dispatch_async_f(queue, &item[number(argument)], run);
    dispatch_release(queue);
}
static void sync_and_release(void *argument) {
    unsigned at = number(argument);
    dispatch_sync_f(queue, &item[at], run);
    weave_expect(item[at].runs == 1); /* a race where sync does not order */
    dispatch_release(queue);
}
static void sync_other_and_release(void *argument) {
    unsigned at = number(argument);
    dispatch_sync_f(other, &item[at], run);
    weave_expect(item[at].runs == 1);
    dispatch_release(other);
}
static void setup_release(void) {
    prepare_queue();
    dispatch_retain(queue);
    thread(async_and_release, 0);
    thread(async_and_release, 1);
}
static void check_queues_two(void) {
    check_queues(2);
}
static void setup_sync(void) {
    prepare_queue();
    dispatch_retain(queue);
    thread(async_and_release, 0);
    thread(sync_and_release, 1);
}
static void setup_syncs(void) {
    prepare_queue();
    dispatch_retain(queue);
    thread(sync_and_release, 0);
    thread(sync_and_release, 1);
}
/* `other` is the target, so all items exclude each other. */
static void setup_targets(void) {
    prepare();
    other = dispatch_queue_create(NULL, NULL);
    queue = dispatch_queue_create_with_target(NULL, NULL, other);
    name_parts(&queue->serial);
    thread(async_and_release, 0);
    thread(sync_other_and_release, 1);
}
static void setup_target_sync(void) {
    prepare();
    other = dispatch_queue_create(NULL, NULL);
    queue = dispatch_queue_create_with_target(NULL, NULL, other);
    name_parts(&queue->serial);
    thread(sync_and_release, 0);
    thread(sync_other_and_release, 1);
}
/* The target changes between two items of the queue. */
static void move(void *argument) {
    (void)argument;
    dispatch_set_target_queue(queue, other);
}
static void async_one(void *argument) {
    dispatch_async_f(queue, &item[number(argument)], run);
}
static void setup_move(void) {
    prepare_queue();
    other = dispatch_queue_create(NULL, NULL);
    thread(move, 0);
    thread(async_one, 0);
}
static void release_both(void) {
    dispatch_release(queue);
    dispatch_release(other);
    check_queues(1);
}

static const struct weave_scenario scenarios[] = {
    {"pushes", setup_pushes, check_three, false, 0},
    {"more-pushes", setup_more_pushes, check_four, true, 0},
    {"direct", setup_direct, check_three, false, 0},
    {"direct-behind", setup_direct_behind, check_three, false, 0},
    {"executor", setup_executor, check_three, false, 0},
    {"suspend", setup_suspend, check_two, false, 0},
    {"nested", setup_nested, check_one, false, 0},
    {"resumes", setup_resumes, check_one, false, 0},
    {"activate", setup_activate, check_two, false, 0},
    {"release", setup_release, check_queues_two, false, 0},
    {"sync", setup_sync, check_queues_two, false, 0},
    {"syncs", setup_syncs, check_queues_two, false, 0},
    {"targets", setup_targets, check_queues_two, false, 0},
    {"target-sync", setup_target_sync, check_queues_two, false, 0},
    {"move", setup_move, release_both, false, 0},
};

int main(int argc, char **argv) {
    return weave_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
