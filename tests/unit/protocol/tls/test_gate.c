/*
 * test_gate.c - many expensive steps at once, and a descriptor of the same loop that is served
 *         between them.
 */
#include "dispatch/serial.h"
#include "fake/await.h"
#include "loop/loop.h"
#include "protocol/tls/gate.h"
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

enum { JOBS = 60 };
#define STEP (NWI_MS / 2)

static struct job {
    struct nwi_serial serial;
    struct nwi_task task;
} jobs[JOBS];

static struct {
    struct nwi_io io;
    int ends[2];
    sem_t event, gone;
    _Atomic int done, served; /* seq_cst, as tests may */
    int served_at_end;
} scene;

static void step(struct nwi_task *task) {
    (void)task;
    nwi_ns end = nwi_now() + STEP;
    while (nwi_now() < end) {
    }
    if (atomic_fetch_add(&scene.done, 1) + 1 == JOBS) {
        scene.served_at_end = atomic_load(&scene.served);
        sem_post(&scene.event);
    }
}

/* Each octet that is read brings the next: readable whenever the loop looks. */
static void ready(struct nwi_io *io, unsigned events) {
    char octet;
    (void)io, (void)events;
    if (read(scene.ends[0], &octet, 1) == 1) {
        atomic_fetch_add(&scene.served, 1);
        assert_int_equal(write(scene.ends[1], &octet, 1), 1);
    }
}
static void stopped(struct nwi_io *io) {
    (void)io;
    sem_post(&scene.gone);
}

static void test_descriptors_between_steps(void **state) {
    (void)state;
    struct nwi_loop *loop = nwi_loop_pick_for_io();
    event_init(&scene.event);
    event_init(&scene.gone);
    nwi_loop_set_patience(NWI_NEVER); /* the monitor shall not help */
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, scene.ends), 0);
    scene.io.ready = ready;
    scene.io.stopped = stopped;
    assert_int_equal(nwi_io_start(&scene.io, loop, scene.ends[0], NWI_IO_EDGE_READ), 0);
    assert_int_equal(write(scene.ends[1], "x", 1), 1);
    for (int i = 0; i < JOBS; i++) {
        nwi_serial_init(&jobs[i].serial, loop, NULL);
        jobs[i].task.run = step;
        nwi_tls_gate_wait(loop, &jobs[i].serial, NULL, &jobs[i].task);
    }
    await(&scene.event);
    /* Two steps make up the millisecond; some slack for the first and the last turn. */
    assert_true(scene.served_at_end >= JOBS / 2 - 8);
    nwi_io_stop(&scene.io);
    await(&scene.gone);
    close(scene.ends[0]);
    close(scene.ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_descriptors_between_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
