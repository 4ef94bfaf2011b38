/*
 * test_serial.c - order, exclusion, direct entry, suspension and targets of serial contexts.
 */
#include "base/clock.h"
#include "base/object.h"
#include "dispatch/serial.h"
#include "loop/loop.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { THREADS = 8, PER_THREAD = 5000, DEADLINE_SECONDS = 30 };

static void wait_for(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_SECONDS;
    assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

struct item {
    struct nwi_task task;
    struct nwi_serial *serial;
    unsigned thread, number;
};

/* Four fresh ones for each test: the drain of the test before may still be on its way out of its
 * own. */
static struct nwi_serial all_contexts[16][4], *contexts;
static unsigned last_number[THREADS]; /* plain: exclusion is what is tested (TSan looks on) */
static unsigned finished;
static bool inside;
static sem_t done;

static void check_item(struct nwi_task *task) {
    struct item *item = nwi_container_of(task, struct item, task);
    assert_false(inside);
    inside = true;
    assert_true(nwi_serial_is_current(item->serial));
    assert_int_equal(item->number, last_number[item->thread] + 1);
    last_number[item->thread] = item->number;
    unsigned count = ++finished;
    inside = false;
    free(item);
    if (count == THREADS * PER_THREAD)
        sem_post(&done);
}

static void push_item(struct nwi_serial *serial, unsigned thread, unsigned number) {
    struct item *item = calloc(1, sizeof(*item));
    item->task.run = check_item;
    item->serial = serial;
    item->thread = thread;
    item->number = number;
    nwi_serial_push(serial, &item->task);
}

static void *push_many(void *argument) {
    unsigned thread = (unsigned)(uintptr_t)argument;
    for (unsigned i = 1; i <= PER_THREAD; i++)
        push_item(&contexts[0], thread, i);
    return NULL;
}

static void run_threads(void *(*body)(void *)) {
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static int set_up(void **state) {
    static unsigned test;
    (void)state;
    contexts = all_contexts[test++];
    for (unsigned i = 0; i < 4; i++)
        nwi_serial_init(&contexts[i], NULL, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        last_number[i] = 0;
    finished = 0;
    sem_init(&done, 0, 0);
    return 0;
}

static void keeps_order_and_exclusion(void **state) {
    (void)state;
    run_threads(push_many);
    wait_for(&done);
}

static void *suspend_and_push(void *argument) {
    unsigned thread = (unsigned)(uintptr_t)argument;
    for (unsigned i = 1; i <= PER_THREAD; i++) {
        if (i % 7 == 0)
            nwi_serial_suspend(&contexts[0]);
        push_item(&contexts[0], thread, i);
        if (i % 7 == 0)
            assert_true(nwi_serial_resume(&contexts[0]));
    }
    return NULL;
}

static void survives_suspension_from_all_sides(void **state) {
    (void)state;
    run_threads(suspend_and_push);
    wait_for(&done);
    assert_false(nwi_serial_resume(&contexts[0]));
}

/* Direct entrants and pushers exclude each other. */
static void *enter_or_push(void *argument) {
    unsigned thread = (unsigned)(uintptr_t)argument;
    for (unsigned i = 1; i <= PER_THREAD; i++) {
        if (nwi_serial_try_enter(&contexts[0])) {
            assert_false(inside);
            inside = true;
            assert_true(nwi_serial_is_current(&contexts[0]));
            inside = false;
            nwi_serial_leave(&contexts[0]);
            assert_false(nwi_serial_is_current(&contexts[0]));
        }
        push_item(&contexts[0], thread, i);
    }
    return NULL;
}

static void direct_entry_excludes(void **state) {
    (void)state;
    run_threads(enter_or_push);
    wait_for(&done);
}

static void direct_entry_over_a_target(void **state) {
    (void)state;
    contexts[0].target = &contexts[1];
    run_threads(enter_or_push);
    wait_for(&done);
}

struct probe {
    struct nwi_task task;
    sem_t ran;
};

static void run_probe(struct nwi_task *task) {
    sem_post(&nwi_container_of(task, struct probe, task)->ran);
}

static void make_probe(struct probe *probe) {
    *probe = (struct probe){.task.run = run_probe};
    sem_init(&probe->ran, 0, 0);
}

static int count_of(sem_t *semaphore) {
    int value;
    sem_getvalue(semaphore, &value);
    return value;
}

static void try_enter_is_refused_when_busy(void **state) {
    (void)state;
    assert_true(nwi_serial_try_enter(&contexts[0]));
    assert_false(nwi_serial_try_enter(&contexts[0]));
    struct probe probe;
    make_probe(&probe);
    nwi_serial_push(&contexts[0], &probe.task); /* waits for us */
    assert_int_equal(count_of(&probe.ran), 0);
    nwi_serial_leave(&contexts[0]);
    wait_for(&probe.ran);
    nwi_serial_suspend(&contexts[1]);
    assert_false(nwi_serial_try_enter(&contexts[1]));
    assert_true(nwi_serial_resume(&contexts[1]));
}

static void suspended_work_waits(void **state) {
    (void)state;
    struct probe probe, other;
    make_probe(&probe);
    make_probe(&other);
    nwi_serial_suspend(&contexts[0]);
    nwi_serial_suspend(&contexts[0]);
    nwi_serial_push(&contexts[0], &probe.task);
    assert_true(nwi_serial_resume(&contexts[0]));
    nwi_serial_push(&contexts[1], &other.task);
    wait_for(&other.ran);
    assert_int_equal(count_of(&probe.ran), 0);
    assert_true(nwi_serial_resume(&contexts[0]));
    wait_for(&probe.ran);
}

/* A task that suspends its own context: the next one, already counted, must not run. */
static struct probe behind_the_drain;

static void suspend_self(struct nwi_task *task) {
    (void)task;
    nwi_serial_suspend(&contexts[0]);
    nwi_loop_post(nwi_loop_current(),
                  &behind_the_drain.task); /* runs when the drain has returned */
}

static void suspension_holds_for_the_very_next_task(void **state) {
    (void)state;
    struct nwi_task first = {.run = suspend_self};
    struct probe next;
    make_probe(&next);
    make_probe(&behind_the_drain);
    nwi_loop_set_patience(NWI_NEVER);
    nwi_serial_suspend(&contexts[0]); /* so that both wait when it begins */
    nwi_serial_push(&contexts[0], &first);
    nwi_serial_push(&contexts[0], &next.task);
    assert_true(nwi_serial_resume(&contexts[0]));
    wait_for(&behind_the_drain.ran);
    assert_int_equal(count_of(&next.ran), 0);
    assert_true(nwi_serial_resume(&contexts[0]));
    wait_for(&next.ran);
    nwi_loop_set_patience(4 * NWI_MS);
}

static void inactive_work_waits(void **state) {
    (void)state;
    struct probe probe;
    make_probe(&probe);
    nwi_serial_set_inactive(&contexts[0]);
    nwi_serial_push(&contexts[0], &probe.task);
    assert_false(nwi_serial_resume(&contexts[0]));
    assert_true(nwi_serial_is_inactive(&contexts[0]));
    assert_true(nwi_serial_activate(&contexts[0]));
    assert_false(nwi_serial_activate(&contexts[0]));
    wait_for(&probe.ran);
}

/* Two contexts over one target never overlap, and the target counts as current. */
static struct nwi_serial *checked_target;

static void check_over_target(struct nwi_task *task) {
    assert_true(nwi_serial_is_current(checked_target));
    check_item(task);
}

static void *push_over_target(void *argument) {
    unsigned thread = (unsigned)(uintptr_t)argument;
    for (unsigned i = 1; i <= PER_THREAD; i++) {
        struct item *item = calloc(1, sizeof(*item));
        item->task.run = check_over_target;
        item->serial = &contexts[1 + thread % 2];
        item->thread = thread;
        item->number = i;
        nwi_serial_push(item->serial, &item->task);
    }
    return NULL;
}

static void contexts_over_one_target_exclude_each_other(void **state) {
    (void)state;
    contexts[1].target = contexts[2].target = checked_target = &contexts[0];
    run_threads(push_over_target);
    wait_for(&done);
}

/* The owner lives until the context is idle, though its last other reference goes inside a task. */
struct owner {
    struct nwi_object base;
    struct nwi_serial serial;
    struct nwi_task task;
};

static sem_t owner_gone;
static void destroy_owner(void *object) {
    (void)object;
    sem_post(&owner_gone);
}
static const struct nwi_type owner_type = {
    .name = "owner", .size = sizeof(struct owner), .destroy = destroy_owner};

static void drop_owner(struct nwi_task *task) {
    struct owner *owner = nwi_container_of(task, struct owner, task);
    nwi_release(owner);
    assert_int_equal(count_of(&owner_gone), 0);
}

static void holds_its_owner_while_busy(void **state) {
    (void)state;
    sem_init(&owner_gone, 0, 0);
    struct owner *owner = nwi_object_create(&owner_type, 0);
    nwi_serial_init(&owner->serial, NULL, owner);
    owner->task.run = drop_owner;
    nwi_serial_push(&owner->serial, &owner->task);
    wait_for(&owner_gone);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keeps_order_and_exclusion, set_up),
        cmocka_unit_test_setup(survives_suspension_from_all_sides, set_up),
        cmocka_unit_test_setup(direct_entry_excludes, set_up),
        cmocka_unit_test_setup(direct_entry_over_a_target, set_up),
        cmocka_unit_test_setup(try_enter_is_refused_when_busy, set_up),
        cmocka_unit_test_setup(suspended_work_waits, set_up),
        cmocka_unit_test_setup(suspension_holds_for_the_very_next_task, set_up),
        cmocka_unit_test_setup(inactive_work_waits, set_up),
        cmocka_unit_test_setup(contexts_over_one_target_exclude_each_other, set_up),
        cmocka_unit_test_setup(holds_its_owner_while_busy, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
