/*
 * test_handover.c - a loop whose thread is stuck in a callback: it goes on with another, nothing is
 * lost, nothing runs twice or beside itself.
 */
#include "support.h"

#include <sys/socket.h>

static void tasks_behind_a_stuck_callback_run(void **state) {
    (void)state;
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct stuck stuck[5];
    for (int i = 0; i < 5; i++) /* each one holds up a thread; the loop goes on to the next */
        stick(&stuck[i], loop);
    struct event_task task = {.task.run = post_event, .event = &done};
    nwi_loop_post(loop, &task.task);
    await(&done);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            assert_false(pthread_equal(stuck[i].thread, stuck[j].thread));
    for (int i = 0; i < 5; i++)
        free_stuck(&stuck[i]);
    nwi_loop_post(loop, &task.task);
    await(&done);
}

/* A thread that comes back is used again: getting stuck over and over does not add threads. */
static void threads_that_return_are_spares(void **state) {
    (void)state;
    enum { ROUNDS = 40, FEW = 12 };
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct event_task task = {.task.run = post_event, .event = &done};
    pthread_t seen[ROUNDS];
    unsigned count = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct stuck stuck;
        stick(&stuck, loop);
        nwi_loop_post(loop, &task.task);
        await(&done); /* a spare has the loop now */
        unsigned known = 0;
        while (known < count && !pthread_equal(seen[known], stuck.thread))
            known++;
        if (known == count)
            seen[count++] = stuck.thread;
        free_stuck(&stuck);
    }
    assert_true(count > 1);
    assert_true(count <= FEW);
}

static void timers_behind_a_stuck_callback_fire(void **state) {
    (void)state;
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct stuck stuck;
    struct nwi_timer timer;
    nwi_timer_init(&timer, loop, fire_event);
    stick(&stuck, loop);
    assert_int_equal(nwi_timer_set(&timer, nwi_now() + NWI_MS), 0);
    await(&done);
    free_stuck(&stuck);
}

static void events_behind_a_stuck_callback_are_told(void **state) {
    (void)state;
    int ends[2];
    struct watched watched;
    struct stuck stuck;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_int_equal(watch(&watched, ends[0], NWI_IO_EDGE), 0);
    stick(&stuck, watched.io.loop);
    assert_int_equal(write(ends[1], "x", 1), 1);
    await(&watched.ready);
    free_stuck(&stuck);
    unwatch(&watched);
    close(ends[0]);
    close(ends[1]);
}

/* The batch of events and the run list go on where the stuck thread left them: nothing twice,
 * nothing lost. */
enum { PIPES = 50 };

struct blocking_watch {
    struct nwi_io io;
    int *ends;
    sem_t stopped;
};

static _Atomic unsigned told;
static sem_t all_told, release_all;

static void block_in_ready(struct nwi_io *io, unsigned events) {
    (void)io;
    if ((events & NWI_IO_READ) == 0)
        return;
    if (atomic_fetch_add(&told, 1) + 1 == PIPES)
        sem_post(&all_told);
    await(&release_all);
}

static void note_blocking_stopped(struct nwi_io *io) {
    sem_post(&nwi_container_of(io, struct blocking_watch, io)->stopped);
}

static void a_batch_survives_its_thread(void **state) {
    (void)state;
    static int ends[PIPES][2];
    static struct blocking_watch watches[PIPES];
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct stuck stuck;
    event_init(&all_told);
    event_init(&release_all);
    stick(&stuck, loop); /* so that all are ready at once */
    for (int i = 0; i < PIPES; i++) {
        assert_int_equal(pipe2(ends[i], O_NONBLOCK), 0);
        watches[i] = (struct blocking_watch){
            .io = {.ready = block_in_ready, .stopped = note_blocking_stopped}};
        event_init(&watches[i].stopped);
        assert_int_equal(write(ends[i][1], "x", 1), 1);
        assert_int_equal(nwi_io_start(&watches[i].io, loop, ends[i][0], NWI_IO_EDGE), 0);
    }
    free_stuck(&stuck);
    await(&all_told); /* every callback blocks: each needs a thread of its own */
    for (int i = 0; i < PIPES; i++)
        sem_post(&release_all);
    for (int i = 0; i < PIPES; i++) {
        nwi_io_stop(&watches[i].io);
        await(&watches[i].stopped);
        close(ends[i][0]);
        close(ends[i][1]);
    }
    assert_int_equal(atomic_load(&told), PIPES);
}

/* A thread that is stuck inside ready(): neither another ready() nor `stopped` of the same io runs
 * beside it. */
struct slow_watch {
    struct nwi_io io;
    sem_t entered, go, stopped;
    _Atomic int inside, calls;
};

static void be_slow(struct nwi_io *io, unsigned events) {
    struct slow_watch *slow = nwi_container_of(io, struct slow_watch, io);
    (void)events;
    assert_int_equal(atomic_fetch_add(&slow->inside, 1), 0);
    atomic_fetch_add(&slow->calls, 1);
    sem_post(&slow->entered);
    await(&slow->go);
    atomic_fetch_sub(&slow->inside, 1);
}

static void note_slow_stopped(struct nwi_io *io) {
    struct slow_watch *slow = nwi_container_of(io, struct slow_watch, io);
    assert_int_equal(atomic_load(&slow->inside), 0);
    sem_post(&slow->stopped);
}

static void callbacks_of_one_descriptor_never_overlap(void **state) {
    (void)state;
    int ends[2];
    struct slow_watch slow = {.io = {.ready = be_slow, .stopped = note_slow_stopped}};
    struct event_task task = {.task.run = post_event, .event = &done};
    event_init(&slow.entered);
    event_init(&slow.go);
    event_init(&slow.stopped);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(nwi_io_start(&slow.io, nwi_loop_pick_next(), ends[0], NWI_IO_EDGE), 0);
    await(&slow.entered);
    assert_int_equal(write(ends[1], "x", 1), 1); /* an event for the loop's next thread */
    nwi_loop_post(slow.io.loop, &task.task);
    await(&done); /* which has taken over, and had the event before this task or will have it in its
                     next turn */
    nwi_loop_post(slow.io.loop, &task.task);
    await(&done);
    assert_int_equal(atomic_load(&slow.calls), 1);
    sem_post(&slow.go);
    await(&slow.entered); /* the event was kept */
    nwi_io_stop(&slow.io);
    nwi_loop_post(slow.io.loop, &task.task);
    await(&done);
    assert_int_equal(posted(&slow.stopped), 0);
    sem_post(&slow.go);
    await(&slow.stopped);
    assert_int_equal(atomic_load(&slow.calls), 2);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tasks_behind_a_stuck_callback_run, set_up),
        cmocka_unit_test_setup(threads_that_return_are_spares, set_up),
        cmocka_unit_test_setup(timers_behind_a_stuck_callback_fire, set_up),
        cmocka_unit_test_setup(events_behind_a_stuck_callback_are_told, set_up),
        cmocka_unit_test_setup(a_batch_survives_its_thread, set_up),
        cmocka_unit_test_setup(callbacks_of_one_descriptor_never_overlap, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
