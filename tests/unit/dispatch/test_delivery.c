/*
 * test_delivery.c - alarms and watches: the loop's timers and descriptors, delivered into serial
 * contexts.
 */
#include "base/object.h"
#include "dispatch/alarm.h"
#include "dispatch/watch.h"
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_SECONDS = 30 };

static sem_t fired, freed;

static void wait_for(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_SECONDS;
    assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

struct owner {
    struct nwi_object base;
    struct nwi_serial context;
    struct nwi_alarm alarm;
    struct nwi_watch watch;
    int fds[2];
    unsigned count, events;
    bool stop_on_fire;
};

static void destroy_owner(void *object) {
    (void)object;
    sem_post(&freed);
}
static const struct nwi_type owner_type = {
    .name = "test_owner", .size = sizeof(struct owner), .destroy = destroy_owner};

static void alarm_fired(struct nwi_alarm *alarm) {
    struct owner *owner = alarm->owner;
    assert_true(nwi_serial_is_current(&owner->context));
    owner->count++;
    sem_post(&fired);
}

static struct owner *make_owner(void) {
    struct owner *owner = nwi_object_create(&owner_type, 0);
    assert_non_null(owner);
    struct nwi_loop *loop = nwi_loop_pick();
    nwi_serial_init(&owner->context, loop, owner);
    nwi_alarm_init(&owner->alarm, &owner->context, loop, owner, alarm_fired);
    return owner;
}

/* Runs `run` inside the context and waits for it. */
struct call {
    struct nwi_task task;
    struct owner *owner;
    void (*run)(struct owner *owner);
    sem_t done;
};
static void call_run(struct nwi_task *task) {
    struct call *call = nwi_container_of(task, struct call, task);
    call->run(call->owner);
    sem_post(&call->done);
}
static void in_context(struct owner *owner, void (*run)(struct owner *)) {
    struct call call = {.task.run = call_run, .owner = owner, .run = run};
    sem_init(&call.done, 0, 0);
    nwi_serial_push(&owner->context, &call.task);
    wait_for(&call.done);
    sem_destroy(&call.done);
}

static void set_soon(struct owner *owner) {
    assert_int_equal(nwi_alarm_set(&owner->alarm, nwi_now() + NWI_MS), 0);
}

static void test_alarm_fires_in_the_context_and_lets_go(void **state) {
    (void)state;
    struct owner *owner = make_owner();
    in_context(owner, set_soon);
    nwi_release(owner); /* the armed alarm holds it */
    wait_for(&fired);
    wait_for(&freed);
}

static void set_and_stop(struct owner *owner) {
    assert_int_equal(nwi_alarm_set(&owner->alarm, nwi_now()), 0);
    /* Let the loop's timer fire and its task travel while we hold the context: stop must win all
     * the same. */
    nwi_ns until = nwi_now() + 5 * NWI_MS;
    while (nwi_now() < until)
        ;
    nwi_alarm_stop(&owner->alarm);
}

static void test_alarm_never_fires_after_stop(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct owner *owner = make_owner();
        in_context(owner, set_and_stop);
        assert_int_equal(owner->count, 0);
        nwi_release(owner);
        wait_for(&freed); /* every reference comes back */
    }
    assert_int_equal(sem_trywait(&fired), -1);
}

static void set_late_then_soon(struct owner *owner) {
    assert_int_equal(nwi_alarm_set(&owner->alarm, nwi_now() + 3600 * NWI_SEC), 0);
    set_soon(owner);
    set_soon(owner);
}

static void test_alarm_is_re_armed(void **state) {
    (void)state;
    struct owner *owner = make_owner();
    in_context(owner, set_late_then_soon);
    wait_for(&fired);
    nwi_release(owner);
    wait_for(&freed);
    assert_int_equal(sem_trywait(&fired), -1);
}

static void watch_ready(struct nwi_watch *watch, unsigned events) {
    struct owner *owner = watch->owner;
    assert_true(nwi_serial_is_current(&owner->context));
    owner->events |= events;
    if (events & NWI_IO_READ) {
        if (owner->stop_on_fire)
            nwi_watch_stop(watch);
        sem_post(&fired);
    }
}

static void start_watch(struct owner *owner) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, owner->fds), 0);
    assert_int_equal(nwi_watch_start(&owner->watch, &owner->context, nwi_loop_pick(), owner->fds[0],
                                     owner, watch_ready),
                     0);
}
static void stop_watch(struct owner *owner) {
    nwi_watch_stop(&owner->watch);
    nwi_watch_stop(&owner->watch); /* harmless */
}

static void test_watch_reports_and_lets_go(void **state) {
    (void)state;
    struct owner *owner = make_owner();
    in_context(owner, start_watch);
    assert_int_equal(write(owner->fds[1], "x", 1), 1);
    wait_for(&fired);
    in_context(owner, stop_watch);
    close(owner->fds[0]);
    close(owner->fds[1]);
    nwi_release(owner);
    wait_for(&freed);
}

static void test_watch_may_stop_inside_its_handler(void **state) {
    (void)state;
    struct owner *owner = make_owner();
    owner->stop_on_fire = true;
    in_context(owner, start_watch);
    int fds[2] = {owner->fds[0], owner->fds[1]};
    assert_int_equal(write(fds[1], "x", 1), 1);
    wait_for(&fired);
    nwi_release(owner);
    wait_for(&freed);
    close(fds[0]);
    close(fds[1]);
    while (sem_trywait(&fired) == 0)
        ;
}

static void start_watch_on_nothing(struct owner *owner) {
    assert_int_equal(
        nwi_watch_start(&owner->watch, &owner->context, nwi_loop_pick(), -1, owner, watch_ready),
        nwi_posix(EBADF));
    nwi_watch_stop(&owner->watch); /* never started: nothing to stop */
}

static void test_watch_that_cannot_start_holds_nothing(void **state) {
    (void)state;
    struct owner *owner = make_owner();
    in_context(owner, start_watch_on_nothing);
    nwi_release(owner);
    wait_for(&freed);
}

int main(void) {
    sem_init(&fired, 0, 0);
    sem_init(&freed, 0, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alarm_fires_in_the_context_and_lets_go),
        cmocka_unit_test(test_alarm_never_fires_after_stop),
        cmocka_unit_test(test_alarm_is_re_armed),
        cmocka_unit_test(test_watch_reports_and_lets_go),
        cmocka_unit_test(test_watch_may_stop_inside_its_handler),
        cmocka_unit_test(test_watch_that_cannot_start_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
