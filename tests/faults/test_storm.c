/*
 * test_storm.c - descriptors really run out (RLIMIT_NOFILE), in a process of its own.
 * What:   a listener leaves peers in the backlog, takes no processor time meanwhile, and accepts each
 *         of them once a descriptor is free; a connection that found none becomes ready by itself.
 */
#include "descriptors.h"
#include <Network/Network.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { CLIENTS = 24, FREE = 5, QUIET_MS = 300, QUIET_CPU_MS = 60 };

static dispatch_queue_t queue;
static sem_t ready, accepted, ended, waiting;
static struct {
    nw_connection_t connections[CLIENTS + 1]; /* on the queue; after `accepted` the test's, too */
    _Atomic unsigned count, failures;
} taken;

/* --- limits --- */

/* Lets only `count` more descriptors be opened. Returns the limit there was. */
static struct rlimit leave_only(unsigned count) {
    struct rlimit before, now;
    int spare[64];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* The lowest free numbers are the next to be given: the limit stands above the last of them. */
    for (unsigned i = 0; i <= count; i++)
        assert_true((spare[i] = dup(STDERR_FILENO)) >= 0);
    now = before;
    now.rlim_cur = (rlim_t)spare[count];
    for (unsigned i = 0; i <= count; i++)
        close(spare[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

static long long used_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* The storm lasts: nothing may happen, and nobody may be busy with it. */
static void assert_quiet(sem_t *nothing_of) {
    struct timespec until;
    long long before = used_ms();
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += QUIET_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    assert_int_equal(sem_timedwait(nothing_of, &until), -1);
    long long used = used_ms() - before;
    if (used > QUIET_CPU_MS)
        fail_msg("%lld ms of processor time in %d ms", used, QUIET_MS);
}

/* --- the listener --- */

static void connection_state(void *context, nw_connection_state_t state, nw_error_t error) {
    (void)context;
    (void)error;
    if (state == nw_connection_state_failed)
        atomic_fetch_add(&taken.failures, 1);
    if (state == nw_connection_state_cancelled)
        sem_post(&ended);
}

static void new_connection(void *context, nw_connection_t connection) {
    (void)context;
    unsigned number = atomic_fetch_add(&taken.count, 1);
    if (number >= CLIENTS)
        return;
    taken.connections[number] = nw_retain(connection);
    nw_connection_set_queue(connection, queue);
    nw_connection_set_state_changed_handler_f(connection, NULL, connection_state);
    nw_connection_start(connection);
    sem_post(&accepted);
}

static void listener_state(void *context, nw_listener_state_t state, nw_error_t error) {
    (void)context;
    (void)error;
    if (state == nw_listener_state_failed || state == nw_listener_state_waiting)
        atomic_fetch_add(&taken.failures, 1);
    if (state == nw_listener_state_ready)
        sem_post(&ready);
    if (state == nw_listener_state_cancelled)
        sem_post(&ended);
}

static nw_parameters_t plain_tcp(void) {
    return nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                             NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
}

static nw_listener_t listen_here(void) {
    nw_parameters_t parameters = plain_tcp();
    nw_listener_t listener = nw_listener_create_with_port("0", parameters);
    nw_release(parameters);
    nw_listener_set_queue(listener, queue);
    nw_listener_set_state_changed_handler_f(listener, NULL, listener_state);
    nw_listener_set_new_connection_handler_f(listener, NULL, new_connection);
    nw_listener_start(listener);
    await(&ready);
    return listener;
}

static void cancel_one(unsigned number) {
    nw_connection_cancel(taken.connections[number]);
    await(&ended);
    nw_release(taken.connections[number]);
}

static void test_listener(void **state) {
    (void)state;
    int clients[CLIENTS];
    taken.count = taken.failures = 0;
    unsigned before = open_descriptors();
    nw_listener_t listener = listen_here();
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(nw_listener_get_port(listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CLIENTS; i++)
        assert_true((clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
    struct rlimit limit = leave_only(FREE);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(connect(clients[i], (struct sockaddr *)&to, sizeof to), 0);
    for (int i = 0; i < FREE; i++)
        await(&accepted);
    assert_quiet(&accepted);
    for (unsigned i = 0; i < CLIENTS; i++) { /* each that goes lets one in */
        cancel_one(i);
        if (i + FREE < CLIENTS)
            await(&accepted);
    }
    assert_int_equal(taken.failures, 0);
    assert_int_equal(taken.count, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) { /* closed by the listener's side: nobody was reset */
        char octet;
        assert_int_equal(read(clients[i], &octet, 1), 0);
        close(clients[i]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    nw_listener_cancel(listener);
    await(&ended);
    nw_release(listener);
    assert_descriptors(before, "after the listener's storm");
}

/* --- the client --- */

static void client_state(void *context, nw_connection_state_t state, nw_error_t error) {
    int *code = context;
    if (state == nw_connection_state_waiting) {
        *code = error != NULL ? nw_error_get_error_code(error) : 0;
        sem_post(&waiting);
    }
    if (state == nw_connection_state_ready)
        sem_post(&ready);
    if (state == nw_connection_state_cancelled)
        sem_post(&ended);
}

static void test_client(void **state) {
    const char *host = *state;
    char port[8];
    int code = 0;
    taken.count = CLIENTS; /* what comes in is let go at once */
    unsigned before = open_descriptors();
    nw_listener_t listener = listen_here();
    snprintf(port, sizeof port, "%u", nw_listener_get_port(listener));
    nw_parameters_t parameters = plain_tcp();
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port);
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_set_queue(connection, queue);
    nw_connection_set_state_changed_handler_f(connection, &code, client_state);
    struct rlimit limit = leave_only(0);
    nw_connection_start(connection);
    await(&waiting);
    assert_int_equal(code, EMFILE);
    assert_quiet(&ready);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    await(&ready);
    nw_connection_cancel(connection);
    await(&ended);
    nw_release(connection);
    nw_listener_cancel(listener);
    await(&ended);
    nw_release(listener);
    assert_descriptors(before, "after the client's storm");
}

/* Loops, threads and caches that are made once and stay; each of the two loops may be the one. */
static void test_client_before(void **state) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    (void)state;
    for (int i = 0; i < 8; i++) {
        nw_listener_t listener = listen_here();
        nw_listener_cancel(listener);
        await(&ended);
        nw_release(listener);
    }
}

int main(void) {
    setenv("NW_LOG", "off", 0);
    alarm(120);
    queue = dispatch_queue_create("storm", NULL);
    event_init(&ready);
    event_init(&accepted);
    event_init(&ended);
    event_init(&waiting);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_before),
        cmocka_unit_test(test_listener),
        {"test_client, address", test_client, NULL, NULL, (void *)"127.0.0.1"},
        {"test_client, name", test_client, NULL, NULL, (void *)"localhost"},
    };
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    dispatch_release(queue);
    return result;
}
