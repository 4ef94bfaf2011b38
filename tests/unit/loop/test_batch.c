/*
 * test_batch.c - what runs between the events of one batch, what has to wait for its end, and when
 * a turn ends.
 * What:   four descriptors made readable while the loop's thread is held, so that one wait fetches
 *         all of them; the order of everything that follows is written down and compared.
 */
#include "fake/await.h"
#include "loop/loop.h"
#include <stdatomic.h>
#include <sys/eventfd.h>

enum { COUNT = 4 };

struct member {
    struct nwi_io io;
    struct nwi_task follower;
    sem_t told;
};

static struct member members[COUNT];
static char order[64]; /* 'r'eady, 't'ask, 's'topped: all on the one loop's thread */
static unsigned order_length;
static sem_t entered, go, finished;

static void note(char what) {
    if (order_length + 1 < sizeof order)
        order[order_length++] = what;
}

static void hold(struct nwi_task *task) {
    (void)task;
    sem_post(&entered);
    await(&go);
}

static void follow(struct nwi_task *task) {
    note('t');
    sem_post(&nwi_container_of(task, struct member, follower)->told);
}

/* Stops the neighbour, whose event is still in the batch, when it is the first of the batch. */
static void ready(struct nwi_io *io, unsigned events) {
    struct member *member = nwi_container_of(io, struct member, io);
    if ((events & NWI_IO_READ) == 0) { /* the edge of being writable, right after the start */
        sem_post(&member->told);
        return;
    }
    bool first = order_length == 0;
    note('r');
    nwi_loop_post(io->loop, &member->follower);
    if (first)
        nwi_io_stop(&members[(member - members + 1) % COUNT].io);
}

static void stopped(struct nwi_io *io) {
    note('s');
    /* As if the memory had been used again: an event that came late would be delivered. */
    atomic_store(&io->stopping, 0);
    sem_post(&finished);
}

static void handlers_follow_their_event_and_a_stop_the_batch(void **state) {
    (void)state;
    struct nwi_loop *loop = nwi_loop_pick_next();
    struct nwi_task gate = {.run = hold};
    const uint64_t one = 1;
    nwi_loop_set_patience(NWI_NEVER);
    event_init(&entered);
    event_init(&go);
    event_init(&finished);
    for (int i = 0; i < COUNT; i++) {
        members[i] =
            (struct member){.io = {.ready = ready, .stopped = stopped}, .follower.run = follow};
        event_init(&members[i].told);
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_true(fd >= 0);
        assert_int_equal(nwi_io_start(&members[i].io, loop, fd, NWI_IO_EDGE), 0);
        await(&members[i].told);
    }
    nwi_loop_post(loop, &gate);
    await(&entered);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(write(members[i].io.fd, &one, sizeof one), sizeof one);
    sem_post(&go);
    await(&finished);
    assert_string_equal(order, "rtrtrts");
    for (int i = 0; i < COUNT; i++) {
        bool is_left = posted(&members[i].told) == 1;
        if (is_left) {
            nwi_io_stop(&members[i].io);
            await(&finished);
        }
        close(members[i].io.fd);
    }
}

/* A task that goes on by itself and moves many octets, as a flooded connection does. */
struct flood {
    struct nwi_task task;
    struct nwi_loop *loop;
    struct nwi_io io;
    int runs, runs_before_event;
};
enum { FLOOD_RUNS = 60, FLOOD_OCTETS = 64 * 1024, FLOOD_SHARE = 4 };

static void go_on(struct nwi_task *task) {
    struct flood *flood = nwi_container_of(task, struct flood, task);
    const uint64_t one = 1;
    if (flood->runs == 0)
        assert_int_equal(write(flood->io.fd, &one, sizeof one), sizeof one);
    nwi_loop_charge(FLOOD_OCTETS);
    if (++flood->runs < FLOOD_RUNS)
        nwi_loop_post(flood->loop, task);
    else
        sem_post(&finished);
}

static void note_runs(struct nwi_io *io, unsigned events) {
    struct flood *flood = nwi_container_of(io, struct flood, io);
    if ((events & NWI_IO_READ) == 0)
        sem_post(&entered);
    else
        flood->runs_before_event = flood->runs;
}

static void other_stopped(struct nwi_io *io) {
    (void)io;
    sem_post(&finished);
}

static void a_flood_ends_the_turn(void **state) {
    (void)state;
    struct flood flood = {.task.run = go_on,
                          .loop = nwi_loop_pick_next(),
                          .io = {.ready = note_runs, .stopped = other_stopped}};
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(fd >= 0);
    nwi_loop_set_patience(NWI_NEVER);
    event_init(&entered);
    event_init(&finished);
    assert_int_equal(nwi_io_start(&flood.io, flood.loop, fd, NWI_IO_EDGE), 0);
    await(&entered);
    nwi_loop_post(flood.loop, &flood.task);
    await(&finished);
    assert_in_range(flood.runs_before_event, 1, FLOOD_SHARE);
    nwi_io_stop(&flood.io);
    await(&finished);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_follow_their_event_and_a_stop_the_batch),
        cmocka_unit_test(a_flood_ends_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
