/*
 * test_tls_crowd.c - many handshakes at once, each of which asks a program that takes its time,
 * and a connection that has nothing to do with them.
 * Runs:   loopback only. The questions run on one serial queue that is held up.
 */
#include "secure.h"
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CROWD_MOST = 5000, CROWD = 300, SMALL_CROWD = 40, ECHOES = 200 };

struct crowd {
    dispatch_queue_t queue;
    sem_t asked, gate; /* gate: open as often as posted */
};

static void verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                   sec_protocol_verify_complete_f complete, void *complete_context) {
    struct crowd *crowd = context;
    (void)metadata;
    sem_post(&crowd->asked);
    sem_wait(&crowd->gate);
    complete(complete_context, sec_trust_evaluate(trust) == 0);
}

static void ask_slowly(void *context, sec_protocol_options_t options) {
    struct crowd *crowd = context;
    sec_protocol_options_set_verify_block_f(options, crowd, verify, crowd->queue);
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Round trips of one octet between two connections of ours; the 95th of a hundred, in µs. */
static unsigned long echo(struct recorder *client, struct recorder *server) {
    static uint64_t took[ECHOES];
    for (int i = 0; i < ECHOES; i++) {
        uint64_t begin = now_ns();
        record_send_text(client, "x");
        receive_now(server, 1, 1);
        record_send_text(server, "y");
        receive_now(client, 1, 1);
        took[i] = now_ns() - begin;
    }
    qsort(took, ECHOES, sizeof took[0], by_size);
    return (unsigned long)(took[ECHOES * 95 / 100] / 1000);
}

static int wished; /* 0: as many as a test has time for */

static int crowd_size(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (wished > 0 && wished <= CROWD_MOST)
        return wished;
    return getenv("NW_TEST_SLOW") != NULL || limit.rlim_cur < 3 * CROWD ? SMALL_CROWD : CROWD;
}

/* The program answers nobody until an unrelated connection has had all its echoes: what waits for
 * an answer holds up nobody else. Then it answers, and every handshake comes to its end. */
static void test_crowd(void **state) {
    (void)state;
    static struct recorder *clients[CROWD_MOST];
    int count = crowd_size();
    struct crowd crowd = {.queue = dispatch_queue_create("slow", NULL)};
    sem_init(&crowd.asked, 0, 0);
    sem_init(&crowd.gate, 0, 0);
    struct hearing *plain = hear_on_any_port(false, true);
    struct recorder *near = record_to_port(hearing_port(plain), false);
    struct recorder *far = hearing_await(plain, 0);
    await_state(far, nw_connection_state_ready);
    unsigned long before = echo(near, far);
    struct hearing *hearing = hear_secure(secure_server(NULL, NULL));
    nw_parameters_t parameters = secure_client(ask_slowly, &crowd);
    uint64_t begin = now_ns();
    for (int i = 0; i < count; i++)
        clients[i] = record_secure_with(hearing_port(hearing), nw_retain(parameters));
    sem_wait(&crowd.asked); /* the first is being asked, the others shake hands or wait for it */
    unsigned long during = echo(near, far);
    for (int i = 0; i < count; i++)
        assert_int_equal(count_states(clients[i], nw_connection_state_ready), 0);
    for (int i = 0; i < count; i++)
        sem_post(&crowd.gate);
    for (int i = 0; i < count; i++)
        await_state(clients[i], nw_connection_state_ready);
    print_message("%d handshakes in %lu ms; 95 of 100 echoes within %lu us before, %lu us during\n",
                  count, (unsigned long)((now_ns() - begin) / 1000000), before, during);
    for (int i = 0; i < count; i++)
        finish(clients[i]);
    nw_release(parameters);
    hearing_finish(hearing);
    finish(near);
    hearing_finish(plain);
    dispatch_release(crowd.queue);
}

/* usage: test_connection_tls_crowd [COUNT] */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crowd),
    };
    wished = argc > 1 ? atoi(argv[1]) : 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
