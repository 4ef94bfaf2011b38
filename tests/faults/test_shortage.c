/*
 * test_shortage.c - every call of a kind fails for a while, then all is well again.
 * What:   the scene of scene.h runs on a thread of its own, while the test takes the resource away
 *         and gives it back. While it lasts a call is not tried again in a circle; afterwards the
 *         conversation goes on by itself, or it has ended with the errno. And: streams that move an
 *         octet at a time lose none.
 */
#include "base/alloc.h"
#include "descriptors.h"
#include "fake/fake_sys.h"
#include "scene.h"
#include "table.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

enum {
    LASTS_MS = 120,
    CALLS_MAX = 100, /* while it lasts, and one more each millisecond; a circle makes thousands */
    EVERY_ONE = 1u << 30, /* more than a scene makes */
    MANY_OCTETS = 300000,
};

static const struct scene_script scripts[] = {
    {.name = "tcp", .host = "127.0.0.1"},
    {.name = "udp", .host = "127.0.0.1", .datagrams = true},
    {.name = "tcp, name", .host = "localhost"},
};

struct player {
    const struct scene_script *script;
    struct scene_result result;
    sem_t over;
};

static void *play(void *argument) {
    struct player *player = argument;
    player->result = scene_play(player->script);
    sem_post(&player->over);
    return NULL;
}

static void assert_clean(const struct player *player, const char *what) {
    if (player->result.complaint[0] != '\0')
        fail_msg("%s, %s: %s", player->script->name, what, player->result.complaint);
}

static bool goes_on(const struct player *player) {
    const struct scene_result *result = &player->result;
    return result->echoed && (player->script->datagrams || result->ended) &&
           result->client.failed == 0 && result->client.waiting == 0;
}

/* Waits for the scene's end or until the time of the shortage has passed. Returns milliseconds: on
 * a busy machine it may be longer. */
static long let_it_last(struct player *player) {
    struct timespec until, began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LASTS_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (sem_timedwait(&player->over, &until) == 0)
        sem_post(&player->over); /* for finish() */
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000;
}

static pthread_t begin(struct player *player, const struct scene_script *script) {
    pthread_t thread;
    *player = (struct player){.script = script};
    event_init(&player->over);
    assert_int_equal(pthread_create(&thread, NULL, play, player), 0);
    return thread;
}

static void finish(struct player *player, pthread_t thread) {
    assert_int_equal(pthread_join(thread, NULL), 0);
    sem_destroy(&player->over);
}

static unsigned warm_up(void) {
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct player player;
        finish(&player, begin(&player, &scripts[i]));
        assert_clean(&player, "no fault");
        assert_true(goes_on(&player));
    }
    return open_descriptors();
}

/* Processor time of this process, in nanoseconds. */
static long long used(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* --- system calls --- */

/* A call that goes on for every party has nobody to tell: so it must come through. */
static bool must_recover(const struct fault *fault, bool datagrams) {
    const enum outcome *parties =
        datagrams ? (const enum outcome[]){fault->udp.listener, fault->udp.client, fault->udp.peer}
                  : (const enum outcome[]){fault->tcp.listener, fault->tcp.client, fault->tcp.peer};
    for (int i = 0; i < 3; i++)
        if (parties[i] != ON && parties[i] != ANY)
            return false;
    return true;
}

static void try_one(const struct scene_script *script, const struct fault *fault, int code,
                    unsigned descriptors) {
    char what[64];
    struct player player;
    snprintf(what, sizeof what, "%s %s for a while", fault->name, strerrorname_np(code));
    unsigned calls = fake_sys_calls(fault->call);
    fake_sys_fail(fault->call, 1, EVERY_ONE, code);
    pthread_t thread = begin(&player, script);
    long lasted = let_it_last(&player);
    calls = fake_sys_calls(fault->call) - calls;
    fake_sys_fail(fault->call, 0, 0, 0);
    finish(&player, thread);
    assert_clean(&player, what);
    if (calls > CALLS_MAX + (unsigned)lasted)
        fail_msg("%s, %s: %u calls", script->name, what, calls);
    if (must_recover(fault, script->datagrams) && !goes_on(&player))
        fail_msg("%s, %s: did not go on afterwards: listener %d %d, client %d %d %d", script->name,
                 what, player.result.listener.waiting, player.result.listener.failed,
                 player.result.client.waiting, player.result.client.failed,
                 player.result.client.completion);
    assert_descriptors(descriptors, what);
}

/* What is to be tried again at once, since an event or nothing at all stood in the way, has no
 * "while". */
static void test_calls(void **state) {
    const struct scene_script *script = *state;
    unsigned descriptors = warm_up();
    fake_sys_install();
    for (size_t f = 0; f < fault_count; f++)
        for (size_t c = 0; fault_table[f].class != FAULT_TRANSIENT && c < FAULT_CODES &&
                           fault_table[f].codes[c] != 0;
             c++)
            try_one(script, &fault_table[f], fault_table[f].codes[c], descriptors);
    fake_sys_remove();
}

/* The peer that had to wait is gone when accepting goes on: the next one is accepted like any. */
static void test_nobody_left(void **state) {
    const struct scene_script *script = *state;
    struct player player;
    warm_up();
    fake_sys_install();
    fake_sys_fail(FAKE_ACCEPT, 1, 1, EMFILE);
    pthread_t thread = begin(&player, script);
    while (fake_sys_faults(FAKE_ACCEPT) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    fake_sys_fail(FAKE_ACCEPT, 1, 1, EAGAIN); /* and an event, as of somebody who comes */
    finish(&player, thread);
    assert_int_equal(fake_sys_faults(FAKE_ACCEPT), 2);
    fake_sys_remove();
    assert_clean(&player, "nobody left to accept");
    assert_true(goes_on(&player));
}

/* --- memory --- */

/* Every allocation from the n-th on fails for a while. */
static void test_memory(void **state) {
    const struct scene_script *script = *state;
    unsigned descriptors = warm_up();
    bool hit = true;
    for (unsigned n = 1; hit; n += 3) {
        char what[64];
        struct player player;
        snprintf(what, sizeof what, "no memory from allocation %u on", n);
        nwi_alloc_fail_from(n);
        long long before = used();
        pthread_t thread = begin(&player, script);
        long lasted = let_it_last(&player);
        before = used() - before;
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        finish(&player, thread);
        assert_clean(&player, what);
        if (before > (lasted + 20) * 1000000LL * 3 / 4)
            fail_msg("%s, %s: %lld ms of processor time", script->name, what, before / 1000000);
        assert_descriptors(descriptors, what);
    }
}

/* --- short transfers --- */

static void test_octet_by_octet(void **state) {
    const struct scene_script *script = *state;
    static const struct {
        size_t cut, octets;
    } cases[] = {{1, 3000}, {7, 20000}, {1000, MANY_OCTETS}, {0, MANY_OCTETS}};
    unsigned descriptors = warm_up();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene_script longer = *script;
        struct player player;
        char what[64];
        longer.octets = cases[i].octets;
        longer.patience_s = 60;
        snprintf(what, sizeof what, "%zu octets, %zu at a time", cases[i].octets, cases[i].cut);
        fake_sys_install();
        fake_sys_cut(cases[i].cut);
        finish(&player, begin(&player, &longer));
        fake_sys_remove();
        assert_clean(&player, what);
        assert_true(goes_on(&player));
        assert_descriptors(descriptors, what);
    }
}

#define EACH(function, number)                                                                     \
    { #function " " #number, function, NULL, NULL, (void *)&scripts[number] }

/* usage: test_shortage [name]: one of the tests only. */
int main(int argc, char **argv) {
    setenv("NW_LOG", "off", 0);
    alarm(600); /* a scene that hangs where it cannot complain ends here */
    const struct CMUnitTest tests[] = {
        EACH(test_calls, 0),          EACH(test_calls, 1),  EACH(test_memory, 0),
        EACH(test_nobody_left, 0),    EACH(test_memory, 1), EACH(test_memory, 2),
        EACH(test_octet_by_octet, 0),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
