/*
 * test_listener.c - listeners: ports, connections that nobody takes, the limit, running out of
 * descriptors.
 * Runs:   loopback only; the test of descriptors in a child process of its own, whose limit it lowers.
 */
#include "support.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_echo_both_ways(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(false, true);
    uint16_t port = hearing_port(hearing);
    assert_true(port != 0);
    struct recorder *client = record_to_port(port, false);
    struct recorder *server = hearing_await(hearing, 0);
    assert_int_equal(await_state(server, nw_connection_state_ready)->index,
                     1); /* preparing, then ready */
    assert_no_error(await_tag(client, record_send_text(client, "ping")));
    assert_string_equal(receive_now(server, 4, 4)->bytes, "ping");
    assert_no_error(await_tag(
        server, record_send(server, "pong", 4, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true)));
    const struct event *event = await_tag(client, record_receive_message(client));
    assert_string_equal(event->bytes, "pong");
    assert_true(event->complete && event->final);
    nw_endpoint_t endpoint = nw_connection_copy_endpoint(server->connection); /* the peer */
    assert_string_equal(nw_endpoint_get_hostname(endpoint), "127.0.0.1");
    nw_release(endpoint);
    finish(client);
    hearing_finish(hearing);
}

/* No address given: both families. */
static void test_dual_stack(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(false, true);
    char text[8];
    port_text(hearing_port(hearing), text);
    struct recorder *four = record_to("127.0.0.1", text, false),
                    *six = record_to("::1", text, false);
    await_state(four, nw_connection_state_ready);
    await_state(six, nw_connection_state_ready);
    hearing_await_arrivals(hearing, 2);
    finish(four);
    finish(six);
    hearing_finish(hearing);
}

static void test_local_endpoint(void **state) {
    (void)state;
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.1", "0");
    nw_parameters_t parameters = tcp_parameters();
    nw_parameters_set_local_endpoint(parameters, local);
    struct hearing *hearing = hear(nw_listener_create(parameters));
    hearing->keep = true;
    assert_int_equal(hearing_port(hearing), 0); /* not known before it is ready */
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    close(peer_connect(hearing_port(hearing)));
    hearing_await_arrivals(hearing, 1);
    char text[8];
    struct recorder *six = record_to("::1", port_text(hearing_port(hearing), text), false);
    assert_error(await_state(six, nw_connection_state_waiting), nw_error_domain_posix,
                 ECONNREFUSED);
    finish(six);
    hearing_finish(hearing);
    nw_release(parameters);
    nw_release(local);
}

static void test_local_path(void **state) {
    (void)state;
    char folder[] = "/tmp/nw-listener-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    nw_endpoint_t local = endpoint_at_path(path);
    nw_parameters_t parameters = tcp_parameters(), plain = tcp_parameters();
    nw_parameters_set_local_endpoint(parameters, local);
    struct hearing *hearing = hear(nw_listener_create(parameters));
    hearing->keep = true;
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    struct recorder *client = record(nw_connection_create(local, plain));
    nw_connection_start(client->connection);
    assert_no_error(await_tag(client, record_send_text(client, "local")));
    assert_string_equal(receive_now(hearing_await(hearing, 0), 5, 5)->bytes, "local");
    finish(client);
    hearing_finish(hearing);
    nw_release(parameters);
    nw_release(plain);
    nw_release(local);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void test_port_taken(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int fd = peer_listen(AF_INET, &port);
    nw_parameters_t parameters = tcp_parameters();
    struct hearing *hearing = hear(nw_listener_create_with_port(port_text(port, text), parameters));
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_failed);
    assert_int_equal(hearing->code, EADDRINUSE);
    assert_int_equal(hearing->states[nw_listener_state_ready], 0);
    nw_release(parameters);
    hearing_finish(hearing);
    close(fd);
}

static void listener_told(void *context, nw_listener_state_t state, nw_error_t error) {
    struct hearing *hearing = context;
    pthread_mutex_lock(&hearing->lock);
    hearing->states[state]++;
    hearing->code = error != NULL ? nw_error_get_error_code(error) : hearing->code;
    pthread_cond_broadcast(&hearing->changed);
    pthread_mutex_unlock(&hearing->lock);
}

static void test_no_handler(void **state) {
    (void)state;
    nw_parameters_t parameters = tcp_parameters();
    struct hearing *hearing = hear(nw_listener_create_with_port("0", parameters));
    nw_listener_set_state_changed_handler_f(hearing->listener, hearing, listener_told);
    nw_listener_set_new_connection_handler_f(hearing->listener, NULL, NULL); /* removed again */
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_failed);
    assert_int_equal(hearing->code, EINVAL);
    nw_release(parameters);
    hearing_finish(hearing);
}

static void test_bad_arguments(void **state) {
    (void)state;
    nw_parameters_t parameters = tcp_parameters();
    assert_null(nw_listener_create_with_port("no-such-service", parameters));
    assert_null(nw_listener_create_with_port("65536", parameters));
    assert_null(nw_listener_create_with_port("-1", parameters));
    assert_null(nw_listener_create_with_port("", parameters));
    assert_null(nw_listener_create_with_port(NULL, parameters));
    assert_null(nw_listener_create_with_port("0", NULL));
    assert_null(nw_listener_create(NULL));
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.1", "1234");
    nw_parameters_set_local_endpoint(parameters, local);
    assert_null(nw_listener_create_with_port("4321", parameters)); /* the two do not agree */
    nw_listener_t listener = nw_listener_create_with_port("1234", parameters);
    assert_int_equal(nw_listener_get_port(listener),
                     1234); /* chosen by the caller: known at once */
    nw_release(listener);
    nw_release(local);
    nw_release(parameters);
}

static void test_cancelled_before_start(void **state) {
    (void)state;
    nw_parameters_t parameters = tcp_parameters();
    struct hearing *hearing = hear(nw_listener_create_with_port("0", parameters));
    nw_listener_cancel(hearing->listener);
    hearing_await_state(hearing, nw_listener_state_cancelled);
    hearing_start(hearing);
    nw_listener_cancel(hearing->listener);
    nw_release(parameters);
    hearing_finish(hearing);
}

static void test_states_once(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(false, true);
    hearing_start(hearing); /* ignored */
    uint16_t port = hearing_port(hearing);
    struct recorder *client = record_to_port(port, false);
    struct recorder *server = hearing_await(hearing, 0);
    await_state(server, nw_connection_state_ready);
    nw_listener_cancel(hearing->listener);
    nw_listener_cancel(hearing->listener);
    hearing_await_state(hearing, nw_listener_state_cancelled);
    assert_int_equal(hearing->states[nw_listener_state_ready], 1);
    assert_int_equal(hearing->states[nw_listener_state_failed], 0);
    /* What it had accepted lives on; nobody else gets in. */
    assert_no_error(await_tag(client, record_send_text(client, "still")));
    assert_string_equal(receive_now(server, 5, 5)->bytes, "still");
    struct recorder *late = record_to_port(port, false);
    assert_error(await_state(late, nw_connection_state_waiting), nw_error_domain_posix,
                 ECONNREFUSED);
    finish(late);
    finish(client);
    hearing_finish(hearing);
}

/* --- connections that come to nothing --- */

static void test_nobody_starts_it(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(false, false); /* the handler leaves it */
    int fd = peer_connect(hearing_port(hearing));
    assert_int_equal(peer_read_end(fd), 0); /* closed in order */
    hearing_await_arrivals(hearing, 1);
    close(fd);
    hearing_finish(hearing);
}

/* Kept for a while, never started, let go: closed then. */
static void keep_it(void *context, nw_connection_t connection) {
    struct hearing *hearing = context;
    pthread_mutex_lock(&hearing->lock);
    hearing->heard[hearing->arrived++] = (struct recorder *)nw_retain(connection);
    pthread_cond_broadcast(&hearing->changed);
    pthread_mutex_unlock(&hearing->lock);
}

static void test_released_unstarted(void **state) {
    (void)state;
    nw_parameters_t parameters = tcp_parameters();
    struct hearing *hearing = hear(nw_listener_create_with_port("0", parameters));
    nw_release(parameters);
    nw_listener_set_new_connection_handler_f(hearing->listener, hearing, keep_it);
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    int fd = peer_connect(hearing_port(hearing));
    peer_write(fd, "kept", 4);
    nw_connection_t kept = (nw_connection_t)hearing_await(hearing, 0);
    hearing->heard[0] = NULL;
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1); /* open */
    nw_release(kept);
    int end = peer_read_end(fd);
    assert_true(end == 0 || end == ECONNRESET); /* its data was unread: the kernel may reset */
    close(fd);
    hearing_finish(hearing);
}

/* The losers of a client's race: they connect and are gone, in order or with a reset. */
static void test_also_rans(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(false, true);
    for (int i = 0; i < 20; i++) {
        int fd = peer_connect(hearing_port(hearing));
        if (i % 2 == 0)
            close(fd);
        else
            peer_reset(fd);
    }
    int fd = peer_connect(hearing_port(hearing)); /* and here is the winner */
    peer_write(fd, "winner", 6);
    struct recorder *winner = NULL;
    for (int i = 0; winner == NULL; i++) {
        struct recorder *recorder = hearing_await(hearing, i);
        const struct event *event = receive_now(recorder, 6, 6);
        if (event->size == 6)
            winner = recorder;
        else
            assert_true(event->complete || event->domain == nw_error_domain_posix);
    }
    assert_int_equal(hearing->states[nw_listener_state_failed], 0);
    close(fd);
    hearing_finish(hearing);
}

/* --- limits --- */

static void test_limit(void **state) {
    (void)state;
    nw_parameters_t parameters = tcp_parameters();
    struct hearing *hearing = hear(nw_listener_create_with_port("0", parameters));
    nw_release(parameters);
    assert_int_equal(nw_listener_get_new_connection_limit(hearing->listener),
                     NW_LISTENER_INFINITE_CONNECTION_LIMIT);
    nw_listener_set_new_connection_limit(hearing->listener, 2);
    hearing->keep = true;
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] =
            peer_connect(hearing_port(hearing)); /* the backlog takes those that are held back */
    hearing_await_arrivals(hearing, 2);
    assert_int_equal(nw_listener_get_new_connection_limit(hearing->listener), 0);
    peer_write(fds[1], "x", 1);
    assert_int_equal(receive_now(hearing_await(hearing, 1), 1, 1)->size, 1);
    assert_int_equal(hearing->arrived, 2);
    nw_listener_set_new_connection_limit(hearing->listener, 1);
    hearing_await_arrivals(hearing, 3);
    assert_int_equal(nw_listener_get_new_connection_limit(hearing->listener), 0);
    nw_listener_set_new_connection_limit(hearing->listener, NW_LISTENER_INFINITE_CONNECTION_LIMIT);
    hearing_await_arrivals(hearing, 4);
    assert_int_equal(nw_listener_get_new_connection_limit(hearing->listener),
                     NW_LISTENER_INFINITE_CONNECTION_LIMIT);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    hearing_finish(hearing);
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* In a child: no descriptor is left when a peer connects; then one is free again. 0 = as it should
 * be. */
static int run_out_of_descriptors(void) {
    struct hearing *hearing = hear_on_any_port(false, true);
    int own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int spare[4096], count = 0;
    struct rlimit limit = {.rlim_cur = 200, .rlim_max = 200};
    if (own < 0 || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 2;
    while (count < 4096 && (spare[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(hearing_port(hearing)),
                             .sin_addr.s_addr = htonl(0x7f000001)};
    if (connect(own, (struct sockaddr *)&to, sizeof to) !=
        0) /* the kernel completes it by itself */
        return 3;
    double before = cpu_seconds();
    poll(NULL, 0, 300); /* the subject: what the listener does all this time */
    if (cpu_seconds() - before > 0.15)
        return 4; /* it spins */
    pthread_mutex_lock(&hearing->lock);
    int early = hearing->arrived, failed = hearing->states[nw_listener_state_failed];
    pthread_mutex_unlock(&hearing->lock);
    if (early != 0 || failed != 0)
        return 5;
    while (count > 0)
        close(spare[--count]);
    hearing_await_arrivals(hearing, 1); /* it recovers */
    struct recorder *server = hearing_await(hearing, 0);
    peer_write(own, "after all", 9);
    if (receive_now(server, 9, 9)->size != 9)
        return 6;
    close(own);
    hearing_finish(hearing);
    return 0;
}

static void test_out_of_descriptors(void **state) {
    (void)state;
    assert_int_equal(run_self("out-of-descriptors", 0), 0);
}

static void descriptors_child(void **state) {
    (void)state;
    assert_int_equal(run_out_of_descriptors(), 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest child[] = {cmocka_unit_test(descriptors_child)};
    if (argc > 1 && strcmp(argv[1], "out-of-descriptors") == 0)
        return cmocka_run_group_tests_name("child", child, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_both_ways),
        cmocka_unit_test(test_dual_stack),
        cmocka_unit_test(test_local_endpoint),
        cmocka_unit_test(test_local_path),
        cmocka_unit_test(test_port_taken),
        cmocka_unit_test(test_no_handler),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_cancelled_before_start),
        cmocka_unit_test(test_states_once),
        cmocka_unit_test(test_nobody_starts_it),
        cmocka_unit_test(test_released_unstarted),
        cmocka_unit_test(test_also_rans),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_out_of_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
