/*
 * test_resolving.c - a connection while its name is being resolved: cancelled with a silent server,
 * told that there is no such name.
 * Runs:   in a child process with a network and a mount namespace of its own, where the one name server is a socket
 *         of the test's on 127.0.0.1. Needs root; skipped where that is not allowed.
 */
#include "support.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int server; /* the name server's socket */

/* This process alone sees the new /etc/resolv.conf. */
static bool make_place(void) {
    char path[] = "/tmp/nw-resolv-XXXXXX";
    static const char text[] = "nameserver 127.0.0.1\noptions timeout:5 attempts:2\n";
    int fd = mkstemp(path);
    bool done = fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1 &&
                fchmod(fd, 0644) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0 &&
                system("exec 2>/dev/null; ip link set lo up") == 0;
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return done && server >= 0 && bind(server, (struct sockaddr *)&address, sizeof address) == 0;
}

static void await_question(void) {
    struct pollfd poll_fd = {.fd = server, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, WAIT_SECONDS * 1000), 1);
}

static void forget_questions(void) {
    char message[512];
    while (recv(server, message, sizeof message, MSG_DONTWAIT) >= 0)
        ;
}

/* The question has been asked and nobody answers: the cancel does not wait for it. */
static bool cancelled_promptly(void) {
    enum { PROMPT = 50000000 }; /* nanoseconds */
    forget_questions();
    struct recorder *recorder = record_to("silent.example", "80", false);
    int send = record_send_text(recorder, "never"), receive = record_receive(recorder, 1, 10);
    await_question();
    uint64_t begin = now_ns();
    nw_connection_cancel(recorder->connection);
    const struct event *cancelled = await_state(recorder, nw_connection_state_cancelled);
    bool prompt = cancelled->at - begin < PROMPT;
    assert_error(await_tag(recorder, send), nw_error_domain_posix, ECANCELED);
    assert_error(await_tag(recorder, receive), nw_error_domain_posix, ECANCELED);
    assert_int_equal(cancelled->index, 3); /* preparing, two completions, the end */
    settle(recorder);
    assert_int_equal(event_count(recorder), 4);
    discard(recorder);
    return prompt;
}

static void child_cancel(void **state) {
    (void)state;
    bool prompt = false;
    for (int i = 0; i < 5 && !prompt; i++) /* a loaded machine may be slow, but not each time */
        prompt = cancelled_promptly();
    assert_true(prompt);
}

/* One answer (RFC 1035 section 4.1.1): the question again, marked as a response with this code. */
static void answer_with(unsigned code) {
    unsigned char message[512];
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    await_question();
    ssize_t size = recvfrom(server, message, sizeof message, 0, (struct sockaddr *)&from, &length);
    assert_true(size >= 12);
    message[2] |= 0x80;                        /* QR: a response */
    message[3] = (unsigned char)(0x80 | code); /* RA, and the code */
    message[10] = message[11] = 0;             /* the EDNS record is left out */
    size_t end = 12;
    while (end < (size_t)size && message[end] != 0)
        end += message[end] + 1u;
    end += 5; /* the root label, type, class */
    assert_true(end <= (size_t)size);
    assert_int_equal(sendto(server, message, end, 0, (struct sockaddr *)&from, length),
                     (ssize_t)end);
}

/* Both questions, A and AAAA, are answered: there is no such name. */
static void child_no_such_name(void **state) {
    (void)state;
    enum { NXDOMAIN = 3 };
    forget_questions();
    struct recorder *recorder = record_to("nowhere.example", "80", false);
    answer_with(NXDOMAIN);
    answer_with(NXDOMAIN);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_dns,
                 kDNSServiceErr_NoSuchRecord);
    finish(recorder);
}

static void test_with_a_server_of_our_own(void **state) {
    (void)state;
    int status = run_self("child", CLONE_NEWNET | CLONE_NEWNS);
    if (status == CANNOT)
        skip(); /* no namespaces here */
    assert_int_equal(status, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest child[] = {
        cmocka_unit_test(child_cancel),
        cmocka_unit_test(child_no_such_name),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return !make_place() ? CANNOT : cmocka_run_group_tests_name("child", child, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_a_server_of_our_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
