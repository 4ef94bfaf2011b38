/*
 * test_race_calls.c - src/establish/race.c call by call: what is one address, what is refused, what
 * cancelling leaves, what the observer hears. Whole races are in test_race.c.
 */
#include "establish/race.h"
#include "fake/race_net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS(n) ((n)*NWI_MS)
#define REFUSED nwi_posix(ECONNREFUSED)
#define NOBODY nwi_posix(ENETUNREACH)

static struct nwi_race_address v6_address(unsigned n) {
    struct nwi_race_address address = {.rank = n};
    address.sockaddr.in6.sin6_family = AF_INET6;
    address.sockaddr.in6.sin6_addr.s6_addr[15] = (uint8_t)n;
    return address;
}

/* Addresses beyond the capacity are dropped and counted; all others are tried. */
static void test_capacity(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_action action;
    struct nwi_race_address addresses[NWI_RACE_CAPACITY + 10];
    for (unsigned i = 0; i < NWI_RACE_CAPACITY + 10; i++)
        addresses[i] = v6_address(i);
    nwi_race_init(&race, NULL);
    nwi_race_start(&race, 1);
    nwi_race_answer(&race, 1,
                    &(struct nwi_race_answer){.question = NWI_RACE_AAAA,
                                              .addresses = addresses,
                                              .count = NWI_RACE_CAPACITY + 10});
    nwi_race_answer(&race, 1, &(struct nwi_race_answer){.question = NWI_RACE_A});
    unsigned started = 0, ended = 0;
    while (nwi_race_next_action(&race, &action)) {
        if (action.kind == NWI_RACE_START) {
            assert_int_equal(action.attempt, ++started);
            assert_int_equal(action.address->rank, started - 1);
            nwi_race_attempt_failed(&race, 2, action.attempt, REFUSED);
        } else {
            assert_int_equal(action.kind, NWI_RACE_FAILED);
            ended++;
        }
    }
    assert_int_equal(started, NWI_RACE_CAPACITY);
    assert_int_equal(ended, 1);
    assert_int_equal(race.dropped, 10);
}

/* What makes two candidates different: port, scope, interface and stack, each alone. */
static void test_identity(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_address addresses[7];
    for (unsigned i = 0; i < 7; i++)
        addresses[i] = v6_address(1);
    addresses[1].sockaddr.in6.sin6_port = htons(1);
    addresses[2].sockaddr.in6.sin6_scope_id = 1;
    addresses[3].interface = 1;
    addresses[4].stack = 1;
    addresses[5].rank = 9;                       /* the same as 0 */
    addresses[6].sockaddr.in6.sin6_flowinfo = 1; /* the same as 0 */
    nwi_race_init(&race, NULL);
    nwi_race_start(&race, 1);
    nwi_race_answer(
        &race, 1,
        &(struct nwi_race_answer){.question = NWI_RACE_AAAA, .addresses = addresses, .count = 7});
    assert_int_equal(race.count, 5);
}

/* A later answer may bring a new order of those not yet started. */
static void test_new_rank(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_action action;
    struct nwi_race_address addresses[3] = {v6_address(1), v6_address(2), v6_address(3)};
    nwi_race_init(&race, NULL);
    nwi_race_start(&race, 0);
    nwi_race_answer(
        &race, 0,
        &(struct nwi_race_answer){
            .question = NWI_RACE_AAAA, .more = true, .addresses = addresses, .count = 3});
    assert_true(nwi_race_next_action(&race, &action));
    assert_int_equal(action.address->sockaddr.in6.sin6_addr.s6_addr[15], 1);
    addresses[0].rank = 5, addresses[1].rank = 5, addresses[2].rank = 4;
    nwi_race_answer(
        &race, 0,
        &(struct nwi_race_answer){.question = NWI_RACE_AAAA, .addresses = addresses, .count = 3});
    assert_int_equal(action.address->rank, 1); /* started: as it was */
    nwi_race_attempt_failed(&race, 1, 1, REFUSED);
    assert_true(nwi_race_next_action(&race, &action));
    assert_int_equal(action.address->sockaddr.in6.sin6_addr.s6_addr[15], 3);
}

/* Events that make no sense are ignored: unknown attempts, ends before START was given, second
 * ends, a second start, answers before the start, time running backwards. */
static void test_nonsense(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_action action;
    struct nwi_race_address address = v6_address(1);
    struct nwi_race_answer answer = {.question = NWI_RACE_AAAA, .addresses = &address, .count = 1};
    nwi_race_init(&race, NULL);
    nwi_race_answer(&race, 5, &answer);
    nwi_race_tick(&race, 5);
    assert_int_equal(nwi_race_state(&race), NWI_RACE_IDLE);
    assert_false(nwi_race_next_action(&race, &action));
    nwi_race_start(&race, MS(1000));
    nwi_race_start(&race, MS(2000));
    assert_int_equal(race.now, MS(1000));
    nwi_race_answer(&race, MS(500), &answer);
    assert_int_equal(race.now, MS(1000));
    nwi_race_attempt_succeeded(&race, MS(1000), 0);
    nwi_race_attempt_succeeded(&race, MS(1000), 1); /* START not given yet */
    nwi_race_attempt_failed(&race, MS(1000), 2, REFUSED);
    nwi_race_attempt_failed(&race, MS(1000), 4000000000u, REFUSED);
    assert_int_equal(nwi_race_state(&race), NWI_RACE_SPENT);
    assert_true(nwi_race_next_action(&race, &action));
    nwi_race_attempt_failed(&race, MS(1001), 1, REFUSED);
    nwi_race_attempt_failed(&race, MS(1001), 1, REFUSED);
    nwi_race_attempt_succeeded(&race, MS(1001), 1);
    assert_int_equal(nwi_race_state(&race), NWI_RACE_SPENT);
    assert_int_equal(race.alive, 0);
    nwi_race_cancel(&race, MS(1002));
    nwi_race_cancel(&race, MS(1002));
    assert_true(nwi_race_next_action(&race, &action));
    assert_int_equal(action.kind, NWI_RACE_FAILED);
    assert_true(action.err == NWI_ERR_CANCELED);
    assert_false(nwi_race_next_action(&race, &action));
}

static void test_cancel_before_start(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_action action;
    nwi_race_init(&race, NULL);
    nwi_race_cancel(&race, 1);
    nwi_race_start(&race, 1);
    assert_int_equal(nwi_race_state(&race), NWI_RACE_CANCELED);
    assert_true(nwi_race_next_action(&race, &action));
    assert_int_equal(action.kind, NWI_RACE_FAILED);
    assert_false(nwi_race_next_action(&race, &action));
}

/* An attempt decided but never given to the owner vanishes when the race ends: no START, no
 * ABANDON. */
static void test_undelivered_start_vanishes(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_action action;
    struct nwi_race_address address = v6_address(1);
    nwi_race_init(&race, NULL);
    nwi_race_start(&race, 1);
    nwi_race_answer(
        &race, 1,
        &(struct nwi_race_answer){.question = NWI_RACE_AAAA, .addresses = &address, .count = 1});
    nwi_race_cancel(&race, 1);
    assert_true(nwi_race_next_action(&race, &action));
    assert_int_equal(action.kind, NWI_RACE_FAILED);
    assert_false(nwi_race_next_action(&race, &action));
}

struct seen {
    char text[1024];
    unsigned illegal;
};

static void observe(void *context, const struct nwi_race_event *event) {
    struct seen *seen = context;
    char one[64];
    switch (event->kind) {
    case NWI_RACE_EVENT_STATE:
        snprintf(one, sizeof one, "%s>%s ", nwi_race_state_name(event->from),
                 nwi_race_state_name(event->state));
        break;
    case NWI_RACE_EVENT_ANSWER:
        snprintf(one, sizeof one, "answer%d:%u ", event->question, event->count);
        break;
    case NWI_RACE_EVENT_ATTEMPT:
        snprintf(one, sizeof one, "+%u ", event->attempt);
        break;
    case NWI_RACE_EVENT_ATTEMPT_OK:
        snprintf(one, sizeof one, "ok%u ", event->attempt);
        break;
    case NWI_RACE_EVENT_ATTEMPT_FAILED:
        snprintf(one, sizeof one, "failed%u:%s ", event->attempt, race_net_err_name(event->err));
        break;
    case NWI_RACE_EVENT_TURN:
        snprintf(one, sizeof one, "turn%u ", event->attempt);
        break;
    case NWI_RACE_EVENT_ABANDONED:
        snprintf(one, sizeof one, "-%u ", event->attempt);
        break;
    case NWI_RACE_EVENT_DROPPED:
        snprintf(one, sizeof one, "dropped%d ", event->address->sockaddr.sa.sa_family);
        break;
    case NWI_RACE_EVENT_COUNT:
        seen->illegal++;
        return;
    }
    strncat(seen->text, one, sizeof seen->text - strlen(seen->text) - 1);
}

/* The observer hears every move, answer and attempt, in order. */
static void test_observer(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_action action;
    struct seen seen = {.illegal = 0};
    struct nwi_race_address addresses[4] = {v6_address(1), v6_address(2), v6_address(3)};
    addresses[3].sockaddr.sa.sa_family = AF_UNIX;
    nwi_race_init(&race, NULL);
    nwi_race_set_observer(&race, observe, &seen);
    nwi_race_start(&race, 0);
    nwi_race_answer(
        &race, 0,
        &(struct nwi_race_answer){.question = NWI_RACE_AAAA, .addresses = addresses, .count = 4});
    assert_true(nwi_race_next_action(&race, &action));
    nwi_race_attempt_failed(&race, 1, 1, REFUSED);
    assert_true(nwi_race_next_action(&race, &action));
    nwi_race_tick(&race, MS(300));
    assert_true(nwi_race_next_action(&race, &action));
    nwi_race_attempt_succeeded(&race, MS(301), 3);
    assert_string_equal(seen.text,
                        "idle>resolving dropped1 answer1:3 +1 resolving>staggered failed1:refused "
                        "+2 +3 staggered>spent ok3 -2 spent>won ");
    assert_int_equal(seen.illegal, 0);
}

/* Steps of attempts that there are not, or not any more, change nothing; each counts once. */
static void test_steps_of_a_handshake(void **state) {
    (void)state;
    struct nwi_race race;
    struct nwi_race_action action;
    struct nwi_race_address addresses[2] = {v6_address(1), v6_address(2)};
    nwi_race_init(&race, NULL);
    nwi_race_start(&race, 0);
    nwi_race_answer(
        &race, 0,
        &(struct nwi_race_answer){.question = NWI_RACE_AAAA, .addresses = addresses, .count = 2});
    assert_false(nwi_race_attempt_asks(&race, 0, 1)); /* not handed out yet */
    assert_true(nwi_race_next_action(&race, &action));
    nwi_race_attempt_progressed(&race, MS(10), 7);
    assert_int_equal(nwi_race_deadline(&race), MS(250));
    nwi_race_attempt_answered(&race, MS(10), 1); /* without a question */
    assert_int_equal(nwi_race_deadline(&race), MS(250));
    nwi_race_attempt_progressed(&race, MS(100), 1);
    assert_int_equal(nwi_race_deadline(&race), MS(400));
    nwi_race_attempt_progressed(&race, MS(200), 1);
    assert_int_equal(nwi_race_deadline(&race), MS(400));
    assert_true(nwi_race_attempt_asks(&race, MS(210), 1));
    assert_int_equal(nwi_race_deadline(&race), NWI_NEVER);
    nwi_race_tick(&race, MS(5000));
    assert_false(nwi_race_next_action(&race, &action));
    nwi_race_attempt_answered(&race, MS(5000), 1);
    assert_int_equal(nwi_race_deadline(&race), MS(5300));
    assert_true(nwi_race_attempt_asks(&race, MS(5100), 1)); /* again, and fails with it out */
    nwi_race_attempt_failed(&race, MS(5200), 1, REFUSED);
    assert_true(nwi_race_next_action(&race, &action));
    assert_int_equal(action.kind, NWI_RACE_START);
    assert_int_equal(action.attempt, 2);
    assert_false(nwi_race_attempt_asks(&race, MS(5200), 1));
    assert_true(nwi_race_attempt_asks(&race, MS(5200), 2));
    nwi_race_attempt_succeeded(&race, MS(5300), 2);
    assert_false(nwi_race_attempt_asks(&race, MS(5300), 2));
    assert_int_equal(nwi_race_deadline(&race), NWI_NEVER);
}

static void test_names(void **state) {
    (void)state;
    for (int i = 0; i < NWI_RACE_STATE_COUNT; i++)
        assert_true(strlen(nwi_race_state_name(i)) > 2);
    assert_string_equal(nwi_race_state_name(NWI_RACE_STATE_COUNT), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_new_rank),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_cancel_before_start),
        cmocka_unit_test(test_undelivered_start_vanishes),
        cmocka_unit_test(test_observer),
        cmocka_unit_test(test_steps_of_a_handshake),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
