/*
 * test_storm.c - a thousand handshakes at once, judged one after the other on a slow queue, and an
 * unrelated connection on the same loop that goes on meanwhile.
 * What:   the process may use one processor when its loops are counted, so there is one. Each fifth
 *         verify handler gives its queue back only when the unrelated connection has made a round
 *         trip since the handler began: were the loop to wait for verdicts, the first of them would
 *         never come. No time is measured.
 * Runs:   loopback; both ends of each connection are ours.
 */
#include "secure.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STORM = 1000, STORM_SANITIZED = 100, HOLD_EACH = 5, PATIENCE = 60 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count; /* of handshakes */
    unsigned ready[2], cancelled[2], failed, asked, elsewhere, inside, overlaps, stuck, surplus;
    unsigned long round_trips;
} storm = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static cpu_set_t processors; /* that the process may use */
static dispatch_queue_t client_queue, slow_queue, answer_queue;
static const char slow_key;

/* Waits until *counter has reached `goal`; the lock is held. */
static void await_counter(const unsigned *counter, unsigned goal) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE;
    while (*counter < goal)
        if (storm.stuck > 0)
            fail_msg("no round trip while handler %u of %u ran", storm.asked, storm.count);
        else if (pthread_cond_timedwait(&storm.changed, &storm.lock, &deadline) != 0)
            fail_msg("%u of %u after %d s", *counter, goal, PATIENCE);
}

static void await_counts(const unsigned counters[2], unsigned goal) {
    pthread_mutex_lock(&storm.lock);
    await_counter(&counters[0], goal);
    await_counter(&counters[1], goal);
    pthread_mutex_unlock(&storm.lock);
}

/* --- the unrelated connection --- */

static nw_connection_t unrelated;
static void ping(void);

static void on_pong(void *context, dispatch_data_t content, nw_content_context_t content_context,
                    bool complete, nw_error_t error) {
    (void)context, (void)content_context, (void)complete;
    if (content == NULL || error != NULL)
        return;
    pthread_mutex_lock(&storm.lock);
    storm.round_trips++;
    pthread_cond_broadcast(&storm.changed);
    pthread_mutex_unlock(&storm.lock);
    ping();
}

static void on_ping(void *context, nw_error_t error) {
    (void)context, (void)error; /* the receive tells it, too */
}

static void ping(void) {
    dispatch_data_t octet = dispatch_data_create_f(".", 1, NULL, NULL, NULL);
    nw_connection_send_f(unrelated, octet, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL,
                         on_ping);
    nw_connection_receive_f(unrelated, 1, 1, NULL, on_pong);
    dispatch_release(octet);
}

static void *echo(void *context) {
    char octet;
    int fd = *(const int *)context;
    while (read(fd, &octet, 1) == 1 && write(fd, &octet, 1) == 1)
        ;
    return NULL;
}

/* --- verdicts --- */

static struct verdict {
    sec_protocol_verify_complete_f complete;
    void *context;
} verdicts[STORM];

static void answer(void *context) {
    struct verdict *verdict = context;
    verdict->complete(verdict->context, true);
}

/* Holds the slow queue for a round trip of the unrelated connection. Every other verdict comes
 * later still, and from another queue. */
static void on_verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                      sec_protocol_verify_complete_f complete, void *complete_context) {
    (void)context, (void)metadata, (void)trust;
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE;
    pthread_mutex_lock(&storm.lock);
    storm.elsewhere += dispatch_get_specific(&slow_key) != &slow_key;
    storm.overlaps += storm.inside++ != 0;
    unsigned number = ++storm.asked;
    unsigned long before = storm.round_trips;
    while (number % HOLD_EACH == 0 && storm.round_trips == before && storm.stuck == 0)
        storm.stuck += pthread_cond_timedwait(&storm.changed, &storm.lock, &deadline) != 0;
    storm.inside--;
    pthread_cond_broadcast(&storm.changed);
    pthread_mutex_unlock(&storm.lock);
    struct verdict *verdict = &verdicts[(number - 1) % STORM];
    *verdict = (struct verdict){complete, complete_context};
    if (number % 2 == 0)
        answer(verdict);
    else
        dispatch_async_f(answer_queue, verdict, answer);
}

static void verify_slowly(void *context, sec_protocol_options_t options) {
    (void)context;
    sec_protocol_options_set_verify_block_f(options, NULL, on_verify, slow_queue);
}

/* --- both ends of the storm --- */

enum { CLIENT_END, SERVER_END };
static nw_connection_t ends[2][STORM];
static unsigned accepted;

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    size_t end = (size_t)context;
    (void)error;
    pthread_mutex_lock(&storm.lock);
    storm.ready[end] += state == nw_connection_state_ready;
    storm.cancelled[end] += state == nw_connection_state_cancelled;
    storm.failed += state == nw_connection_state_failed || state == nw_connection_state_waiting;
    pthread_cond_broadcast(&storm.changed);
    pthread_mutex_unlock(&storm.lock);
}

static void start_end(nw_connection_t connection, size_t end) {
    nw_connection_set_queue(connection, client_queue);
    nw_connection_set_state_changed_handler_f(connection, (void *)end, on_state);
    nw_connection_start(connection);
}

static void on_connection(void *context, nw_connection_t connection) {
    (void)context;
    if (accepted == storm.count) {
        pthread_mutex_lock(&storm.lock);
        storm.surplus++;
        pthread_mutex_unlock(&storm.lock);
        nw_connection_cancel(connection);
        return;
    }
    ends[SERVER_END][accepted++] = nw_retain(connection);
    start_end(connection, SERVER_END);
}

static void on_listening(void *context, nw_listener_state_t state, nw_error_t error) {
    unsigned *states = context;
    (void)error;
    pthread_mutex_lock(&storm.lock);
    states[0] += state == nw_listener_state_ready;
    states[1] += state == nw_listener_state_cancelled;
    pthread_cond_broadcast(&storm.changed);
    pthread_mutex_unlock(&storm.lock);
}

static nw_listener_t listen_for_storm(unsigned states[2]) {
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.1", "0");
    nw_parameters_t parameters = secure_server(NULL, NULL);
    nw_parameters_set_local_endpoint(parameters, local);
    nw_listener_t listener = nw_listener_create(parameters);
    nw_release(local), nw_release(parameters);
    nw_listener_set_queue(listener, client_queue);
    nw_listener_set_new_connection_handler_f(listener, NULL, on_connection);
    nw_listener_set_state_changed_handler_f(listener, states, on_listening);
    nw_listener_start(listener);
    pthread_mutex_lock(&storm.lock);
    await_counter(&states[0], 1);
    pthread_mutex_unlock(&storm.lock);
    return listener;
}

static void break_loose(nw_listener_t listener) {
    char port[8];
    nw_parameters_t parameters = secure_client(verify_slowly, NULL);
    nw_endpoint_t endpoint =
        nw_endpoint_create_host("127.0.0.1", port_text(nw_listener_get_port(listener), port));
    for (unsigned i = 0; i < storm.count; i++) {
        ends[CLIENT_END][i] = nw_connection_create(endpoint, parameters);
        assert_non_null(ends[CLIENT_END][i]);
        start_end(ends[CLIENT_END][i], CLIENT_END);
    }
    nw_release(endpoint), nw_release(parameters);
}

static void test_storm(void **state) {
    (void)state;
    int fd;
    pthread_t echoing;
    unsigned listening[2] = {0, 0};
    struct recorder *recorder = record_pair(AF_INET, &fd);
    unrelated = recorder->connection;
    assert_int_equal(sched_setaffinity(0, sizeof processors, &processors),
                     0); /* loops are counted */
    assert_int_equal(pthread_create(&echoing, NULL, echo, &fd), 0);
    nw_listener_t listener = listen_for_storm(listening);
    ping();
    break_loose(listener);
    await_counts(storm.ready, storm.count);
    pthread_mutex_lock(&storm.lock);
    assert_int_equal(storm.failed, 0);
    assert_int_equal(storm.surplus, 0);
    assert_int_equal(storm.asked, storm.count); /* each once */
    assert_int_equal(storm.elsewhere, 0);       /* on the queue that was given */
    assert_int_equal(storm.overlaps, 0);        /* a serial one */
    assert_true(storm.round_trips >= storm.count / HOLD_EACH);
    pthread_mutex_unlock(&storm.lock);
    for (unsigned i = 0; i < storm.count; i++) {
        nw_connection_cancel(ends[CLIENT_END][i]);
        nw_connection_cancel(ends[SERVER_END][i]);
    }
    await_counts(storm.cancelled, storm.count);
    nw_listener_cancel(listener);
    pthread_mutex_lock(&storm.lock);
    await_counter(&listening[1], 1);
    pthread_mutex_unlock(&storm.lock);
    for (unsigned i = 0; i < storm.count; i++)
        nw_release(ends[CLIENT_END][i]), nw_release(ends[SERVER_END][i]);
    nw_release(listener);
    finish(recorder);
    assert_int_equal(pthread_join(echoing, NULL), 0);
    close(fd);
}

/* One processor gives one loop; both ends of a thousand connections need descriptors. */
static int prepare(void **state) {
    cpu_set_t one;
    struct rlimit files;
    (void)state;
    if (sched_getaffinity(0, sizeof processors, &processors) != 0 ||
        getrlimit(RLIMIT_NOFILE, &files) != 0)
        return -1;
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &processors))
            CPU_SET(i, &one);
    files.rlim_cur = files.rlim_max;
    if (sched_setaffinity(0, sizeof one, &one) != 0 || setrlimit(RLIMIT_NOFILE, &files) != 0)
        return -1;
    storm.count = getenv("NW_TEST_SLOW") != NULL ? STORM_SANITIZED : STORM;
    if (files.rlim_cur < 2 * storm.count + 100)
        storm.count = (unsigned)(files.rlim_cur - 100) / 2;
    client_queue = dispatch_queue_create("both ends", DISPATCH_QUEUE_SERIAL);
    slow_queue = dispatch_queue_create("slow", DISPATCH_QUEUE_SERIAL);
    answer_queue = dispatch_queue_create("answers", DISPATCH_QUEUE_SERIAL);
    dispatch_queue_set_specific(slow_queue, &slow_key, (void *)&slow_key, NULL);
    return 0;
}

static int clear(void **state) {
    (void)state;
    dispatch_release(client_queue), dispatch_release(slow_queue), dispatch_release(answer_queue);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_storm)};
    return cmocka_run_group_tests(tests, prepare, clear);
}
