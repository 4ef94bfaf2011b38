/*
 * test_options.c - parameters and options as a connection acts on them: local endpoint, IP version,
 * time limit, what a graceful end still delivers, descriptors that run out,
 * a link that goes down.
 * Runs:   loopback; the link that goes down is one in a network namespace of the test's own, in a child process.
 */
#include "support.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static struct recorder *start_with(const char *host, uint16_t port, nw_parameters_t parameters) {
    char text[8];
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port_text(port, text));
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_start(recorder->connection);
    return recorder;
}

/* The connection comes from the address and the port that were asked for. */
static void test_local_endpoint(void **state) {
    (void)state;
    uint16_t port, own;
    char text[8];
    int listening = peer_listen(AF_INET, &port), probe = peer_bound(AF_INET, SOCK_STREAM, &own);
    close(probe); /* a port that is free */
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.2", port_text(own, text));
    nw_parameters_t parameters = tcp_parameters();
    nw_parameters_set_local_endpoint(parameters, local);
    nw_parameters_set_reuse_local_address(parameters, true);
    struct recorder *recorder = start_with("127.0.0.1", port, parameters);
    int fd = peer_accept(listening);
    struct sockaddr_in seen;
    socklen_t length = sizeof seen;
    assert_int_equal(getpeername(fd, (struct sockaddr *)&seen, &length), 0);
    assert_int_equal(ntohl(seen.sin_addr.s_addr), 0x7f000002);
    assert_int_equal(ntohs(seen.sin_port), own);
    finish(recorder);
    nw_release(local);
    close(fd);
    close(listening);
}

static nw_parameters_t of_version(nw_ip_version_t version) {
    nw_parameters_t parameters = tcp_parameters();
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
    nw_ip_options_set_version(ip, version);
    nw_release(ip);
    nw_release(stack);
    return parameters;
}

/* Only one family may be used: the server of the other one is not found. */
static void test_ip_version(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *four = start_with("localhost", port, of_version(nw_ip_version_4));
    await_state(four, nw_connection_state_ready);
    struct recorder *six = start_with("localhost", port, of_version(nw_ip_version_6));
    assert_error(await_state(six, nw_connection_state_waiting), nw_error_domain_posix,
                 ECONNREFUSED);
    finish(four);
    finish(six);
    close(listening);
}

static void limit_time(void *context, nw_protocol_options_t options) {
    (void)context;
    nw_tcp_options_set_connection_timeout(options, 1);
}

/* A peer that says nothing: the attempt ends after the time it was given, and the connection waits.
 */
static void test_connection_timeout(void **state) {
    (void)state;
    uint16_t port;
    int fds[4];
    fds[0] = peer_bound(AF_INET, SOCK_STREAM, &port);
    assert_int_equal(listen(fds[0], 0), 0); /* SYNs are dropped once its backlog is full */
    for (int i = 1; i < 4; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fds[i], (struct sockaddr *)&to, sizeof to);
    }
    uint64_t begin = now_ns();
    struct recorder *recorder =
        start_with("127.0.0.1", port,
                   nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                     limit_time));
    const struct event *waiting = await_state(recorder, nw_connection_state_waiting);
    assert_error(waiting, nw_error_domain_posix, ETIMEDOUT);
    assert_true(waiting->at - begin > 900000000u && waiting->at - begin < 15000000000u);
    finish(recorder);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

/* --- graceful ends --- */

/* What was told as sent arrives, although the connection is cancelled at once. */
static void test_cancel_delivers_what_was_sent(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to_port(port, false);
    int fd = peer_accept(listening);
    char *bytes = malloc(SIZE), *back = malloc(SIZE + 1);
    fill_pattern(bytes, SIZE, 0);
    assert_no_error(await_tag(
        recorder, record_send(recorder, bytes, SIZE, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true)));
    finish(recorder);
    assert_int_equal(peer_read(fd, back, SIZE + 1), SIZE);
    assert_memory_equal(bytes, back, SIZE);
    free(bytes);
    free(back);
    close(fd);
    close(listening);
}

/* The same with content of the peer's that nobody read: the kernel would answer a close with a
 * reset. */
static void test_cancel_with_unread_content(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to_port(port, false);
    int fd = peer_accept(listening);
    await_state(recorder, nw_connection_state_ready);
    peer_write(fd, "never read", 10);
    peer_drained(fd);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "goodbye")));
    finish(recorder);
    char back[8];
    assert_int_equal(peer_read(fd, back, sizeof back), 7);
    assert_memory_equal(back, "goodbye", 7);
    close(fd);
    close(listening);
}

/* --- in a child --- */

/* No descriptor for the socket: the connection waits, and a restart succeeds when there is one. */
static void child_without_descriptors(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port), spare[512], count = 0;
    struct recorder *first =
        record_to_port(port, false); /* whatever the library opens for itself is open now */
    await_state(first, nw_connection_state_ready);
    struct rlimit limit = {.rlim_cur = 200, .rlim_max = 200};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (count < 512 && (spare[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    struct recorder *recorder = record_to_port(port, false);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_posix, EMFILE);
    while (count > 0)
        close(spare[--count]);
    nw_connection_restart(recorder->connection);
    await_state(recorder, nw_connection_state_ready);
    finish(recorder);
    finish(first);
    close(listening);
}

/* A link between two ends of our own; false where the kernel has none to give. */
static bool make_link(void) {
    return system("exec 2>/dev/null; ip link add nw0 type veth peer name nw1 && "
                  "ip link set nw1 up && ip link set nw0 up && "
                  "ip -6 addr add fe80::5/64 dev nw0 nodad") == 0;
}

static void set_link(bool up) {
    assert_int_equal(system(up ? "ip link set nw0 up && ip -6 addr add fe80::5/64 dev nw0 nodad"
                               : "ip link set nw0 down"),
                     0);
}

/* What is sent over a link that is down is never told as sent. */
static void child_with_link_down(void **state) {
    (void)state;
    struct recorder *recorder = start_with("fe80::99%nw0", 5000, udp_parameters());
    await_state(recorder, nw_connection_state_ready);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "up")));
    set_link(false);
    const struct event *event = await_tag(recorder, record_send_text(recorder, "down"));
    assert_int_equal(event->domain, nw_error_domain_posix);
    assert_true(event->code == ENETDOWN || event->code == ENETUNREACH);
    finish(recorder);
    /* A new connection waits for the link, and goes on by itself when it comes. */
    recorder = start_with("fe80::99%nw0", 5000, udp_parameters());
    const struct event *waiting = await_state(recorder, nw_connection_state_waiting);
    assert_int_equal(waiting->domain, nw_error_domain_posix);
    int tag = record_send_text(recorder, "later");
    settle(recorder);
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 0);
    set_link(true);
    assert_no_error(await_tag(recorder, tag));
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 1);
    finish(recorder);
}

static void test_out_of_descriptors(void **state) {
    (void)state;
    assert_int_equal(run_self("descriptors", 0), 0);
}

static void test_link_down(void **state) {
    (void)state;
    int status = run_self("link", CLONE_NEWNET);
    if (status == CANNOT)
        skip(); /* no namespaces here */
    assert_int_equal(status, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest descriptors[] = {cmocka_unit_test(child_without_descriptors)};
    const struct CMUnitTest link[] = {cmocka_unit_test(child_with_link_down)};
    if (argc > 1 && strcmp(argv[1], "descriptors") == 0)
        return cmocka_run_group_tests_name("child", descriptors, NULL, NULL);
    if (argc > 1 && strcmp(argv[1], "link") == 0)
        return !make_link() ? CANNOT : cmocka_run_group_tests_name("child", link, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local_endpoint),
        cmocka_unit_test(test_ip_version),
        cmocka_unit_test(test_connection_timeout),
        cmocka_unit_test(test_cancel_delivers_what_was_sent),
        cmocka_unit_test(test_cancel_with_unread_content),
        cmocka_unit_test(test_out_of_descriptors),
        cmocka_unit_test(test_link_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
