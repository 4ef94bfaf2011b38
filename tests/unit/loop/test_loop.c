/*
 * test_loop.c - posting, timers and descriptors. A loop whose thread is stuck: test_handover.c.
 */
#include "support.h"

#include "base/alloc.h"
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* --- posting --- */

enum { POSTERS = 8, POSTS = 20000 };

struct numbered {
    struct nwi_task task;
    unsigned poster, number;
};

static struct nwi_loop *shared_loop;
static unsigned last_number[POSTERS];
static unsigned arrived;

static void check_order(struct nwi_task *task) {
    struct numbered *numbered = nwi_container_of(task, struct numbered, task);
    assert_ptr_equal(nwi_loop_current(), shared_loop);
    assert_int_equal(numbered->number, last_number[numbered->poster] + 1);
    last_number[numbered->poster] = numbered->number;
    free(numbered);
    if (++arrived == POSTERS * POSTS)
        sem_post(&done);
}

static void *post_many(void *argument) {
    for (unsigned i = 1; i <= POSTS; i++) {
        struct numbered *numbered = calloc(1, sizeof(*numbered));
        numbered->task.run = check_order;
        numbered->poster = (unsigned)(uintptr_t)argument;
        numbered->number = i;
        nwi_loop_post(shared_loop, &numbered->task);
    }
    return NULL;
}

static void posts_from_many_threads_keep_their_order(void **state) {
    (void)state;
    pthread_t threads[POSTERS];
    assert_null(nwi_loop_current());
    shared_loop = nwi_loop_pick_next();
    for (uintptr_t i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    await(&done);
}

static void post_again(struct nwi_task *task) {
    struct event_task *self = nwi_container_of(task, struct event_task, task);
    if (--self->left == 0)
        sem_post(self->event);
    else
        nwi_loop_post(nwi_loop_current(), task);
}

static void a_task_may_post_itself(void **state) {
    (void)state;
    struct event_task task = {.task.run = post_again, .event = &done, .left = 10000};
    nwi_loop_post(nwi_loop_pick_next(), &task.task);
    await(&done);
    assert_int_equal(task.left, 0);
}

static void picks_go_round(void **state) {
    (void)state;
    unsigned count = nwi_loop_count();
    struct nwi_loop *first = nwi_loop_pick_next();
    for (unsigned i = 1; i < count; i++)
        assert_ptr_not_equal(nwi_loop_pick_next(), first);
    assert_ptr_equal(nwi_loop_pick_next(), first);
}

/* --- timers --- */

enum { TIMERS = 100000 };

struct counted_timer {
    struct nwi_timer timer;
    nwi_ns deadline;
};

static struct counted_timer *timers;
static nwi_ns last_deadline;
static unsigned fired;
static bool early, disordered;

static void count_timer(struct nwi_timer *timer) {
    struct counted_timer *counted = nwi_container_of(timer, struct counted_timer, timer);
    early |= nwi_now() < counted->deadline;
    disordered |= counted->deadline < last_deadline;
    last_deadline = counted->deadline;
    if (++fired == TIMERS / 2)
        sem_post(&done);
}

static void hundred_thousand_timers_fire_in_order(void **state) {
    (void)state;
    struct nwi_loop *loop = nwi_loop_pick_next();
    timers = calloc(TIMERS, sizeof(*timers));
    unsigned random = 1;
    struct stuck stuck;
    stick(&stuck, loop); /* nobody overtakes here, so nothing fires while they are being set */
    nwi_ns start = nwi_now();
    for (unsigned i = 0; i < TIMERS; i++) {
        random = random * 1103515245 + 12345;
        timers[i].deadline = start + random / 16 % (200 * NWI_MS);
        nwi_timer_init(&timers[i].timer, loop, count_timer);
        assert_int_equal(nwi_timer_set(&timers[i].timer, start + 3600 * NWI_SEC), 0);
    }
    for (unsigned i = 0; i < TIMERS; i++) /* moved to their places */
        assert_int_equal(nwi_timer_set(&timers[i].timer, timers[i].deadline), 0);
    for (unsigned i = 0; i < TIMERS; i += 2) /* half of them taken out again */
        assert_true(nwi_timer_stop(&timers[i].timer));
    free_stuck(&stuck);
    await(&done);
    assert_false(early);
    assert_false(disordered);
    for (unsigned i = 0; i < TIMERS; i++)
        assert_false(nwi_timer_stop(&timers[i].timer));
    assert_int_equal(fired, TIMERS / 2);
}

static void earlier_deadline_wakes_a_sleeping_loop(void **state) {
    (void)state;
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct nwi_timer late, soon;
    nwi_timer_init(&late, loop, fire_event);
    nwi_timer_init(&soon, loop, fire_event);
    assert_int_equal(nwi_timer_set(&late, nwi_now() + 3600 * NWI_SEC), 0);
    for (int i = 0; i < 20; i++) {
        nwi_ns before = nwi_now();
        assert_int_equal(nwi_timer_set(&soon, before + 2 * NWI_MS), 0);
        await(&done);
        assert_true(nwi_now() >= before + 2 * NWI_MS);
    }
    assert_true(nwi_timer_stop(&late));
    assert_false(nwi_timer_stop(&late));
}

static void a_moved_timer_keeps_its_new_deadline(void **state) {
    (void)state;
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct nwi_timer first, second;
    nwi_timer_init(&first, loop, fire_event);
    nwi_timer_init(&second, loop, fire_event);
    assert_false(nwi_timer_move(&first, nwi_now())); /* it is not armed, so it stays that way */
    assert_int_equal(nwi_timer_set(&first, nwi_now() + 900 * NWI_SEC), 0);
    assert_int_equal(nwi_timer_set(&second, nwi_now() + 1800 * NWI_SEC), 0);
    assert_true(nwi_timer_move(&first, nwi_now() + 3600 * NWI_SEC)); /* now behind the second */
    nwi_ns before = nwi_now();
    assert_true(nwi_timer_move(&second, before + 2 * NWI_MS)); /* while the loop sleeps */
    await(&done);
    assert_true(nwi_now() >= before + 2 * NWI_MS);
    assert_false(nwi_timer_move(&second, nwi_now()));
    assert_int_equal(sem_trywait(&done), -1);
    assert_true(nwi_timer_stop(&first));
}

static int repeats;
static void set_again(struct nwi_timer *timer) {
    if (++repeats == 100)
        sem_post(&done);
    else
        assert_int_equal(nwi_timer_set(timer, nwi_now()), 0);
}

static void a_timer_may_set_itself(void **state) {
    (void)state;
    struct nwi_timer timer;
    repeats = 0;
    nwi_timer_init(&timer, nwi_loop_pick_next(), set_again);
    assert_int_equal(nwi_timer_set(&timer, nwi_now()), 0);
    await(&done);
    assert_int_equal(repeats, 100);
}

/* --- descriptors --- */

static void edge_mode_reports_both_directions(void **state) {
    (void)state;
    int ends[2];
    struct watched watched;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(watch(&watched, ends[0], NWI_IO_EDGE), 0);
    await(&watched.ready);
    assert_int_equal(atomic_load(&watched.events), NWI_IO_WRITE);
    assert_int_equal(write(ends[1], "x", 1), 1);
    await(&watched.ready);
    assert_true(atomic_load(&watched.events) & NWI_IO_READ);
    assert_int_equal(write(ends[1], "y", 1), 1); /* each arrival is an edge, read or not */
    await(&watched.ready);
    assert_int_equal(nwi_io_start(&(struct nwi_io){0}, watched.io.loop, ends[0], NWI_IO_EDGE),
                     nwi_posix(EEXIST));
    close(ends[1]);
    await(&watched.ready);
    assert_true(atomic_load(&watched.events) & NWI_IO_HANGUP);
    unwatch(&watched);
    close(ends[0]);
}

static void read_mode_tells_of_writing_when_awaited(void **state) {
    (void)state;
    int ends[2];
    char octet;
    struct watched watched;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(watch(&watched, ends[0], NWI_IO_EDGE_READ), 0);
    /* Sent and taken: writable anew, which is nobody's business yet. */
    assert_int_equal(write(ends[0], "x", 1), 1);
    assert_int_equal(read(ends[1], &octet, 1), 1);
    assert_int_equal(posted(&watched.ready), 0);
    assert_int_equal(write(ends[1], "y", 1), 1);
    await(&watched.ready);
    assert_int_equal(atomic_load(&watched.events), NWI_IO_READ);
    assert_int_equal(read(ends[0], &octet, 1), 1);
    nwi_io_await_write(&watched.io, true); /* possible already: told at once */
    await(&watched.ready);
    assert_int_equal(atomic_load(&watched.events), NWI_IO_WRITE);
    assert_int_equal(write(ends[0], "x", 1), 1); /* goes on until it is ended */
    assert_int_equal(read(ends[1], &octet, 1), 1);
    await(&watched.ready);
    nwi_io_await_write(&watched.io, false);
    assert_int_equal(write(ends[0], "x", 1), 1);
    assert_int_equal(read(ends[1], &octet, 1), 1);
    assert_int_equal(posted(&watched.ready), 0);
    unwatch(&watched);
    close(ends[0]);
    close(ends[1]);
}

static void oneshot_mode_reports_once_an_arming(void **state) {
    (void)state;
    int ends[2];
    struct watched watched;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(watch(&watched, ends[0], NWI_IO_ONESHOT), 0);
    assert_int_equal(nwi_io_arm(&watched.io, NWI_IO_READ), 0);
    await(&watched.ready);
    assert_int_equal(atomic_load(&watched.events), NWI_IO_READ);
    assert_int_equal(posted(&watched.ready), 0); /* still readable, not armed */
    assert_int_equal(nwi_io_arm(&watched.io, NWI_IO_READ), 0);
    await(&watched.ready);
    char octet;
    assert_int_equal(read(ends[0], &octet, 1), 1);
    /* A hang-up that comes while nobody is armed is told at the next arming. */
    close(ends[1]);
    assert_int_equal(nwi_io_arm(&watched.io, NWI_IO_READ), 0);
    await(&watched.ready);
    assert_true(atomic_load(&watched.events) & NWI_IO_HANGUP);
    assert_true(atomic_load(&watched.events) & NWI_IO_READ);
    unwatch(&watched);
    close(ends[0]);
}

static void files_cannot_be_watched(void **state) {
    (void)state;
    struct watched watched;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(watch(&watched, fileno(file), NWI_IO_EDGE), nwi_posix(EPERM));
    fclose(file);
}

static _Atomic bool flood_over;

static void *flood(void *fd) {
    while (!atomic_load(&flood_over))
        if (write(*(int *)fd, "x", 1) < 0) {
            char buffer[4096]; /* full: emptied from this side, the watcher does not read */
            while (read(((int *)fd)[1], buffer, sizeof(buffer)) > 0) {
            }
        }
    return NULL;
}

/* Stops while events keep coming: none arrives after `stopped`, and that comes once. */
static void stop_is_final(void **state) {
    (void)state;
    for (int round = 0; round < 200; round++) {
        int ends[2], pair[2];
        struct watched watched;
        pthread_t thread;
        assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
        pair[0] = ends[1];
        pair[1] = ends[0];
        atomic_store(&flood_over, false);
        assert_int_equal(watch(&watched, ends[0], NWI_IO_EDGE), 0);
        assert_int_equal(pthread_create(&thread, NULL, flood, pair), 0);
        await(&watched.ready);
        nwi_io_stop(&watched.io);
        nwi_io_stop(&watched.io); /* a second one does nothing */
        await(&watched.stopped);
        atomic_store(&flood_over, true);
        pthread_join(thread, NULL);
        assert_int_equal(atomic_load(&watched.late), 0);
        assert_int_equal(posted(&watched.stopped), 0);
        close(ends[0]);
        close(ends[1]);
    }
}

static void *is_blocked(void *signal_number) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return (void *)(intptr_t)sigismember(&mask, (int)(intptr_t)signal_number);
}

struct mask_task {
    struct nwi_task task;
    bool blocks_usr1, blocks_segv;
};

static void look_at_mask(struct nwi_task *task) {
    struct mask_task *self = nwi_container_of(task, struct mask_task, task);
    self->blocks_usr1 = is_blocked((void *)(intptr_t)SIGUSR1) != NULL;
    self->blocks_segv = is_blocked((void *)(intptr_t)SIGSEGV) != NULL;
    sem_post(&done);
}

static void loop_threads_leave_signals_to_the_program(void **state) {
    (void)state;
    struct mask_task task = {.task.run = look_at_mask};
    nwi_loop_post(nwi_loop_pick_next(), &task.task);
    await(&done);
    assert_true(task.blocks_usr1);
    assert_false(task.blocks_segv);
    assert_null(is_blocked((void *)(intptr_t)SIGUSR1));
}

static void heap_growth_can_fail(void **state) {
    (void)state;
    enum { ENOUGH = 300000 }; /* more than any heap of the tests before has room for */
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct nwi_timer *many = calloc(ENOUGH, sizeof(*many));
    unsigned armed = 0;
    nwi_err err = 0;
    nwi_alloc_fail_at(1);
    while (err == 0 && armed < ENOUGH) {
        nwi_timer_init(&many[armed], loop, fire_event);
        err = nwi_timer_set(&many[armed], nwi_now() + 3600 * NWI_SEC);
        armed += err == 0;
    }
    nwi_alloc_fail_at(0);
    assert_int_equal(err, NWI_ERR_NOMEM);
    assert_false(nwi_timer_stop(&many[armed]));
    for (unsigned i = 0; i < armed; i++)
        assert_true(nwi_timer_stop(&many[i]));
    free(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(posts_from_many_threads_keep_their_order, set_up_patient),
        cmocka_unit_test_setup(a_task_may_post_itself, set_up_patient),
        cmocka_unit_test_setup(picks_go_round, set_up),
        cmocka_unit_test_setup(hundred_thousand_timers_fire_in_order, set_up_patient),
        cmocka_unit_test_setup(earlier_deadline_wakes_a_sleeping_loop, set_up),
        cmocka_unit_test_setup(a_moved_timer_keeps_its_new_deadline, set_up),
        cmocka_unit_test_setup(a_timer_may_set_itself, set_up_patient),
        cmocka_unit_test_setup(edge_mode_reports_both_directions, set_up),
        cmocka_unit_test_setup(read_mode_tells_of_writing_when_awaited, set_up),
        cmocka_unit_test_setup(oneshot_mode_reports_once_an_arming, set_up),
        cmocka_unit_test_setup(files_cannot_be_watched, set_up),
        cmocka_unit_test_setup(stop_is_final, set_up),
        cmocka_unit_test_setup(loop_threads_leave_signals_to_the_program, set_up),
        cmocka_unit_test_setup(heap_growth_can_fail, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
