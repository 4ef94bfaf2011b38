/*
 * test_faults.c - the scene of scene.h with each allocation, and each system call with each errno
 * of table.c, failing in turn: it comes to the outcome that the table says; every completion fires
 * once; no octet is lost; no descriptor stays open; nothing is tried again in a tight loop.
 */
#include "base/alloc.h"
#include "descriptors.h"
#include "fake/fake_sys.h"
#include "scene.h"
#include "table.h"
#include <Security/SecureTransport.h>
#include <errno.h>
#include <stdio.h>

enum { FAULTS_MAX = 2000 };

static const struct scene_script scripts[] = {
    {.name = "tcp, address", .host = "127.0.0.1"},
    {.name = "tcp, name", .host = "localhost"},
    {.name = "udp, address", .host = "127.0.0.1", .datagrams = true},
    {.name = "udp, name", .host = "localhost", .datagrams = true},
    {.name = "tls, address", .host = "127.0.0.1", .secure = true},
};
enum { SCRIPTS = sizeof scripts / sizeof scripts[0] };

/* The rules that hold whatever failed. */
static struct scene_result play(const struct scene_script *script, const char *what,
                                unsigned descriptors) {
    struct scene_result result = scene_play(script);
    if (result.complaint[0] != '\0')
        fail_msg("%s, %s: %s", script->name, what, result.complaint);
    if (result.echoed && !result.client_ready)
        fail_msg("%s, %s: an echo without ready", script->name, what);
    assert_descriptors(descriptors, what);
    return result;
}

static bool is_quiet(const struct scene_told *told) {
    return told->waiting == 0 && told->failed == 0 && told->completion == 0;
}
static bool goes_on(const struct scene_script *script, const struct scene_result *result) {
    return result->listener_ready && result->client_ready && result->echoed &&
           (script->datagrams || result->ended) && is_quiet(&result->listener) &&
           is_quiet(&result->client);
}

/* Threads, loops and caches that are made once and stay. Returns the descriptors open then. */
static unsigned warm_up(void) {
    for (size_t i = 0; i < SCRIPTS; i++) {
        struct scene_result result = play(&scripts[i], "no fault", UINT32_MAX);
        assert_true(goes_on(&scripts[i], &result));
    }
    return open_descriptors();
}

static void test_allocations(void **state) {
    const struct scene_script *script = *state;
    unsigned descriptors = warm_up();
    unsigned hits = 0;
    for (unsigned n = 1; n < FAULTS_MAX; n++) {
        char what[64];
        snprintf(what, sizeof what, "allocation %u", n);
        nwi_alloc_fail_at(n);
        play(script, what, descriptors);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        if (!hit)
            break;
        hits++;
    }
    assert_in_range(hits, 20, FAULTS_MAX - 2); /* the seam was there, and the end was reached */
}

/* --- system calls --- */

/* What the fault was, for messages. */
struct given {
    const struct scene_script *script;
    const struct fault *fault;
    int code;
    unsigned n;
    enum fake_role role;
    bool first; /* of this role's calls: later ones may come when all has been said */
};

static const char *describe(const struct given *given, char *text, size_t size) {
    static const char *const roles[] = {"nobody's", "the listener's", "the client's", "a peer's",
                                        "netlink's"};
    snprintf(text, size, "%s: %s %u (%s) %s", given->script->name, given->fault->name, given->n,
             roles[given->role], strerrorname_np(given->code));
    return text;
}

static enum outcome outcome_of(const struct given *given) {
    const struct fault *fault = given->fault;
    bool datagrams = given->script->datagrams;
    switch (given->role) {
    case FAKE_LISTENER:
        return datagrams ? fault->udp.listener : fault->tcp.listener;
    case FAKE_CLIENT:
        return datagrams ? fault->udp.client : fault->tcp.client;
    case FAKE_PEER:
        return datagrams ? fault->udp.peer : fault->tcp.peer;
    default:
        return ANY;
    }
}

/* The other side of a connection that failed sees it end: by a reset, or by sending to nobody; or
 * without the end that TLS wants. */
static bool is_consequence(const struct scene_script *script, int code) {
    return code == 0 || code == ECONNRESET || code == EPIPE || code == ECONNREFUSED ||
           (script->secure && code == errSSLClosedNoNotify);
}
static bool is_told_only(const struct given *given, const struct scene_told *told) {
    int code = given->code;
    return (told->waiting == code || is_consequence(given->script, told->waiting)) &&
           (told->failed == code || is_consequence(given->script, told->failed)) &&
           (told->completion == code || is_consequence(given->script, told->completion));
}

/* False, and a line that tells what was seen, when it was not the table's outcome. */
static bool check(const struct given *given, const struct scene_result *result) {
    char text[128];
    /* A name may have a second address. */
    bool spared = !given->first || strcmp(given->script->host, "localhost") == 0;
    const struct scene_told *told = given->role == FAKE_LISTENER ? &result->listener
                                    : given->role == FAKE_CLIENT ? &result->client
                                                                 : &result->peer;
    bool on = goes_on(given->script, result), met = true;
    switch (outcome_of(given)) {
    case ANY:
        break;
    case ON:
        met = on;
        break;
    case WAIT:
        met = told->waiting == given->code || (spared && on);
        break;
    case FAIL:
        met = told->failed == given->code || (spared && on);
        /* What ends a connection ends an attempt whose handshake is not over. */
        met = met || (given->script->secure && told->waiting == given->code);
        break;
    case TOLD: /* what peers send by a listener's socket is told to the peer */
        if (given->role == FAKE_LISTENER)
            told = &result->peer;
        met = told->completion == given->code && told->waiting == 0 && told->failed == 0 &&
              result->echoed;
        met = met || (!given->first && on);
        break;
    case ON_WAIT:
        met = on || told->waiting == given->code;
        break;
    case ON_FAIL:
        met = on || told->failed == given->code;
        break;
    }
    met = met && is_told_only(given, &result->listener) && is_told_only(given, &result->client) &&
          is_told_only(given, &result->peer);
    if (!met)
        print_error("%s: echoed %d, ended %d; listener %d %d; client %d %d %d; peer %d %d %d\n",
                    describe(given, text, sizeof text), result->echoed, result->ended,
                    result->listener.waiting, result->listener.failed, result->client.waiting,
                    result->client.failed, result->client.completion, result->peer.waiting,
                    result->peer.failed, result->peer.completion);
    return met;
}

/* The scene with the n-th call failing. False: there was no n-th call. */
static bool try_one(struct given *given, unsigned descriptors, unsigned *failures) {
    char text[128];
    unsigned before = fake_sys_faults(given->fault->call);
    fake_sys_fail(given->fault->call, given->n, 1, given->code);
    struct scene_result result =
        play(given->script, describe(given, text, sizeof text), descriptors);
    bool hit = fake_sys_faults(given->fault->call) != before;
    fake_sys_fail(given->fault->call, 0, 0, 0);
    given->role = fake_sys_hit_role();
    given->first = fake_sys_hit_number() == 1;
    *failures += hit && !check(given, &result);
    return hit;
}

static void test_calls(void **state) {
    const struct scene_script *script = *state;
    unsigned descriptors = warm_up(), failures = 0;
    fake_sys_install();
    for (size_t f = 0; f < fault_count; f++)
        for (size_t c = 0; c < FAULT_CODES && fault_table[f].codes[c] != 0; c++) {
            struct given given = {
                .script = script, .fault = &fault_table[f], .code = fault_table[f].codes[c]};
            do
                given.n++;
            while (given.n < FAULTS_MAX && try_one(&given, descriptors, &failures));
        }
    fake_sys_remove();
    assert_int_equal(failures, 0);
}

/* A full buffer seen by the listener's side only, after which the kernel has room and says nothing:
 * the peer must not wait for an edge that has been. */
static void test_blocked_peer(void **state) {
    const struct scene_script *script = *state;
    unsigned descriptors = warm_up();
    fake_sys_install();
    fake_sys_fail(FAKE_SENDMSG, 2, 1, EAGAIN); /* 1 is the client's greeting, 2 its echo */
    struct scene_result result = play(script, "a full buffer once", descriptors);
    assert_int_equal(fake_sys_faults(FAKE_SENDMSG), 1);
    assert_true(result.echoed);
    fake_sys_remove();
}

#define EACH(function, number)                                                                     \
    { #function " " #number, function, NULL, NULL, (void *)&scripts[number] }

/* usage: test_faults [name]: one of the tests only. */
int main(int argc, char **argv) {
    setenv("NW_LOG", "off", 0);
    scene_make_certificate();
    alarm(600); /* a scene that hangs where it cannot complain ends here */
    const struct CMUnitTest tests[] = {
        EACH(test_allocations, 0), EACH(test_allocations, 1), EACH(test_allocations, 2),
        EACH(test_allocations, 3), EACH(test_calls, 0),       EACH(test_calls, 1),
        EACH(test_calls, 2),       EACH(test_calls, 3),       EACH(test_blocked_peer, 2),
        EACH(test_allocations, 4), EACH(test_calls, 4),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
