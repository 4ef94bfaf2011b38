/*
 * test_pick.c - which loop a new connection's descriptor gets.
 * What:   half of the loops in turn while those find time to sleep; the others when they do not.
 */
#include "fake/await.h"
#include "loop/loop.h"
#include <stdatomic.h>

enum { LOOPS = 256, POLL_NS = 1000000 };

static struct nwi_loop *usual[LOOPS]; /* as picked while nothing runs */
static unsigned usual_count;

static bool is_usual(const struct nwi_loop *loop) {
    for (unsigned i = 0; i < usual_count; i++)
        if (usual[i] == loop)
            return true;
    return false;
}

/* Picks until the answer is as wanted, for a deadline's time at most. */
static bool comes(bool wanted_usual) {
    const struct timespec moment = {.tv_nsec = POLL_NS};
    nwi_ns limit = nwi_now() + AWAIT_SECONDS * NWI_SEC;
    while (is_usual(nwi_loop_pick_for_io()) != wanted_usual) {
        if (nwi_now() > limit)
            return false;
        nanosleep(&moment, NULL);
    }
    return true;
}

struct busy_task {
    struct nwi_task task;
    struct nwi_loop *loop;
    sem_t ended;
};
static _Atomic bool stop; /* relaxed: one flag, nothing behind it */

static void keep_busy(struct nwi_task *task) {
    struct busy_task *busy = nwi_container_of(task, struct busy_task, task);
    if (atomic_load_explicit(&stop, memory_order_relaxed))
        sem_post(&busy->ended);
    else
        nwi_loop_post(busy->loop, task);
}

static void half_of_the_loops_in_turn(void **state) {
    (void)state;
    unsigned count = nwi_loop_count(), half = (count + 1) / 2;
    for (unsigned i = 0; i < half; i++)
        usual[usual_count++] = nwi_loop_pick_for_io();
    for (unsigned i = 0; i < half; i++)
        for (unsigned j = 0; j < i; j++)
            assert_ptr_not_equal(usual[i], usual[j]);
    for (unsigned i = 0; i < 2 * count; i++)
        assert_true(is_usual(nwi_loop_pick_for_io()));
}

static void a_loop_that_never_sleeps_gets_no_more(void **state) {
    (void)state;
    static struct busy_task tasks[LOOPS];
    if (nwi_loop_count() == 1)
        skip();
    for (unsigned i = 0; i < usual_count; i++) {
        tasks[i] = (struct busy_task){.task.run = keep_busy, .loop = usual[i]};
        event_init(&tasks[i].ended);
        nwi_loop_post(usual[i], &tasks[i].task);
    }
    bool spread = comes(false);
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (unsigned i = 0; i < usual_count; i++)
        await(&tasks[i].ended);
    assert_true(spread);
    assert_true(comes(true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_loops_in_turn),
        cmocka_unit_test(a_loop_that_never_sleeps_gets_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
