/*
 * test_race.c - src/establish/race.c against written networks: what is tried when, in which order,
 * how it ends. Each case is a small network; the expected text lists the actions with their times
 * in ms (race_net.h): "0+6a 250+4b 300-6a 300=4b" is: 6a started at once, 4b 250 ms later; 4b
 * connected, so 6a was abandoned.
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
#define POSIX(code) ((nwi_err)((uint64_t)NWI_DOMAIN_POSIX << 32 | (uint32_t)(code)))
#define DNS(code) ((nwi_err)((uint64_t)NWI_DOMAIN_DNS << 32 | (uint32_t)(code)))
#define REFUSED POSIX(ECONNREFUSED)
#define NOBODY POSIX(ENETUNREACH)
#define GAVE_UP POSIX(ETIMEDOUT)

#define AAAA(when, ...)                                                                            \
    { .at = (when), .question = NWI_RACE_AAAA, __VA_ARGS__ }
#define A(when, ...)                                                                               \
    { .at = (when), .question = NWI_RACE_A, __VA_ARGS__ }
#define SERVICE(when, ...)                                                                         \
    { .at = (when), .question = NWI_RACE_SERVICE, __VA_ARGS__ }
#define HOSTS(n, ...) .count = (n), .hosts = {__VA_ARGS__}
#define V6(when, ...)                                                                              \
    { .family = 6, .delay = (when), __VA_ARGS__ }
#define V4(when, ...)                                                                              \
    { .family = 4, .delay = (when), __VA_ARGS__ }
#define SILENT .silent = true

struct scenario {
    const char *name;
    struct race_net net; /* cancel_at 0 = never */
    const char *expect;
};

static const struct scenario scenarios[] = {
    /* --- answers: RFC 8305 section 3 --- */
    {"v6 answer starts at once",
     {.host_count = 2,
      .hosts = {V6(MS(30)), V4(MS(5))},
      .answer_count = 2,
      .answers = {AAAA(MS(10), HOSTS(1, 0)), A(MS(12), HOSTS(1, 1))}},
     "10+6a 40=6a"},
    {"v4 answer waits the resolution delay, then goes",
     {.host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 2,
      .answers = {A(MS(10), HOSTS(1, 0)), AAAA(NWI_NEVER)}},
     "35+4a 40=4a"},
    {"v6 answer within the resolution delay goes first",
     {.host_count = 2,
      .hosts = {V4(MS(5)), V6(MS(30))},
      .answer_count = 2,
      .answers = {A(MS(10), HOSTS(1, 0)), AAAA(MS(34), HOSTS(1, 1))}},
     "34+6b 64=6b"},
    {"v6 answer after the delay takes the next turn",
     {.host_count = 3,
      .hosts = {V4(0, SILENT), V4(0, SILENT), V6(MS(5))},
      .answer_count = 2,
      .answers = {A(MS(10), HOSTS(2, 0, 1)), AAAA(MS(50), HOSTS(1, 2))}},
     "35+4a 285+6c 290-4a 290=6c"},
    {"no v6 record ends the wait",
     {.host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 2,
      .answers = {A(MS(10), HOSTS(1, 0)), AAAA(MS(13))}},
     "13+4a 18=4a"},
    {"a failed v6 question ends the wait",
     {.host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 2,
      .answers = {A(MS(10), HOSTS(1, 0)), AAAA(MS(13), .err = DNS(NWI_DNS_REFUSED))}},
     "13+4a 18=4a"},
    {"an unfinished empty v6 answer does not",
     {.host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 2,
      .answers = {A(MS(10), HOSTS(1, 0)), AAAA(MS(13), .more = true)}},
     "35+4a 40=4a"},
    {"v6 known to be missing before: v4 does not wait",
     {.host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 2,
      .answers = {AAAA(MS(5)), A(MS(10), HOSTS(1, 0))}},
     "10+4a 15=4a"},
    {"resolution delay can be set",
     {.options = {.resolution_delay = MS(50)},
      .host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 1,
      .answers = {A(MS(10), HOSTS(1, 0))}},
     "60+4a 65=4a"},
    {"resolution delay can be none",
     {.options = {.resolution_delay = NWI_RACE_NO_DELAY},
      .host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 1,
      .answers = {A(MS(10), HOSTS(1, 0))}},
     "10+4a 15=4a"},
    {"or for ever: until the answer comes",
     {.options = {.resolution_delay = UINT64_MAX - 1},
      .host_count = 1,
      .hosts = {V4(MS(5))},
      .answer_count = 2,
      .answers = {A(MS(10), HOSTS(1, 0)), AAAA(MS(90000))}},
     "90000+4a 90005=4a"},
    {"v4 preferred: v6 waits",
     {.options = {.first_family = 4},
      .host_count = 2,
      .hosts = {V6(MS(5)), V4(0, SILENT)},
      .answer_count = 2,
      .answers = {AAAA(MS(10), HOSTS(1, 0)), A(MS(20), HOSTS(1, 1))}},
     "20+4b 270+6a 275-4b 275=6a"},
    {"only v4 asked: nothing to wait for, v6 dropped",
     {.options = {.ip_version = 4},
      .host_count = 2,
      .hosts = {V6(MS(5)), V4(MS(7))},
      .answer_count = 1,
      .answers = {A(MS(10), HOSTS(2, 0, 1))}},
     "10+4b 17=4b"},
    {"service answer is waited for no longer than the delay",
     {.options = {.ask_service = true},
      .host_count = 1,
      .hosts = {V6(MS(5))},
      .answer_count = 2,
      .answers = {AAAA(MS(10), HOSTS(1, 0)), SERVICE(MS(100))}},
     "35+6a 40=6a"},
    {"service answer ends the wait",
     {.options = {.ask_service = true},
      .host_count = 1,
      .hosts = {V6(MS(5))},
      .answer_count = 2,
      .answers = {AAAA(MS(10), HOSTS(1, 0)), SERVICE(MS(12))}},
     "12+6a 17=6a"},
    /* --- order: RFC 8305 section 4 --- */
    {"families take turns",
     {.host_count = 6,
      .hosts = {V6(0, SILENT, .rank = 0), V6(0, SILENT, .rank = 1), V6(0, SILENT, .rank = 2),
                V4(0, SILENT, .rank = 3), V4(0, SILENT, .rank = 4), V4(MS(1), .rank = 5)},
      .answer_count = 2,
      .answers = {A(0, HOSTS(3, 3, 4, 5)), AAAA(0, HOSTS(3, 0, 1, 2))}},
     "0+6a 250+4d 500+6b 750+4e 1000+6c 1250+4f 1251-6a 1251-4d 1251-6b 1251-4e 1251-6c 1251=4f"},
    {"two of the first family before turns begin",
     {.options = {.first_family_count = 2},
      .host_count = 4,
      .hosts = {V6(0, SILENT), V6(0, SILENT), V6(0, SILENT), V4(MS(1))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(3, 0, 1, 2)), A(0, HOSTS(1, 3))}},
     "0+6a 250+6b 500+4d 501-6a 501-6b 501=4d"},
    {"the better rank goes first, also if it is v4",
     {.host_count = 2,
      .hosts = {V6(MS(5), .rank = 1), V4(MS(7), .rank = 0)},
      .answer_count = 2,
      .answers = {A(0, HOSTS(1, 1)), AAAA(MS(1), HOSTS(1, 0))}},
     "1+4b 8=4b"},
    {"unless the first family is set",
     {.options = {.first_family = 6},
      .host_count = 2,
      .hosts = {V6(MS(5), .rank = 1), V4(MS(7), .rank = 0)},
      .answer_count = 2,
      .answers = {A(0, HOSTS(1, 1)), AAAA(MS(1), HOSTS(1, 0))}},
     "1+6a 6=6a"},
    {"rank decides inside a family, not the place in the answer",
     {.host_count = 2,
      .hosts = {V6(0, SILENT, .rank = 7), V6(MS(5), .rank = 2)},
      .answer_count = 1,
      .answers = {AAAA(0, HOSTS(2, 0, 1))}},
     "0+6b 5=6b"},
    {"groups go one after the other",
     {.host_count = 3,
      .hosts = {V6(0, SILENT, .group = 1), V4(0, SILENT, .group = 1), V4(0, SILENT, .rank = 9)},
      .answer_count = 2,
      .answers = {A(0, HOSTS(2, 1, 2)), AAAA(0, HOSTS(1, 0))},
      .cancel_at = MS(600)},
     "0+4c 250+6a 500+4b 600-4c 600-6a 600-4b 600!canceled"},
    {"each address once, however often it is answered",
     {.host_count = 2,
      .hosts = {V6(MS(10), .err = REFUSED), V6(MS(10), .err = REFUSED)},
      .answer_count = 4,
      .answers = {AAAA(0, HOSTS(3, 0, 0, 1), .more = true), AAAA(MS(15), HOSTS(2, 1, 0)), A(MS(30)),
                  AAAA(MS(40), HOSTS(1, 0))}},
     "0+6a 10+6b 30!refused"},
    /* --- attempts: RFC 8305 section 5 --- */
    {"the stagger aborts nothing: the first may still win",
     {.host_count = 2,
      .hosts = {V6(MS(400)), V4(MS(200))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 250+4b 400-4b 400=6a"},
    {"a failure goes straight on",
     {.host_count = 3,
      .hosts = {V6(MS(10), .err = REFUSED), V4(MS(10), .err = REFUSED), V6(MS(10))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(2, 0, 2)), A(0, HOSTS(1, 1))}},
     "0+6a 10+4b 20+6c 30=6c"},
    {"a failure inside the call that starts goes straight on",
     {.host_count = 3,
      .hosts = {V6(0, .err = NOBODY), V6(0, .err = NOBODY), V4(MS(10))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(2, 0, 1)), A(0, HOSTS(1, 2))}},
     "0+6a 0+6b 0+4c 10=4c"},
    {"after a failure with nothing left, a late address does not wait",
     {.host_count = 3,
      .hosts = {V6(0, SILENT), V6(MS(10), .err = REFUSED), V4(MS(1))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(2, 0, 1)), A(MS(300), HOSTS(1, 2))}},
     "0+6a 250+6b 300+4c 301-6a 301=4c"},
    {"attempt delay can be set",
     {.options = {.attempt_delay = MS(50)},
      .host_count = 2,
      .hosts = {V6(0, SILENT), V4(MS(1))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 50+4b 51-6a 51=4b"},
    {"but is never under 10 ms",
     {.options = {.attempt_delay = 1},
      .host_count = 2,
      .hosts = {V6(0, SILENT), V4(MS(1))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 10+4b 11-6a 11=4b"},
    {"nor over 2 s",
     {.options = {.attempt_delay = 9 * NWI_SEC},
      .host_count = 2,
      .hosts = {V6(0, SILENT), V4(MS(1))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 2000+4b 2001-6a 2001=4b"},
    {"a measured round trip shortens and lengthens the stagger",
     {.host_count = 5,
      .hosts = {V6(0, SILENT, .rtt = MS(60)), V6(0, SILENT, .rtt = MS(400)),
                V6(0, SILENT, .rtt = MS(1)), V6(0, SILENT, .rtt = 3 * NWI_SEC), V6(MS(1))},
      .answer_count = 1,
      .answers = {AAAA(0, HOSTS(5, 0, 1, 2, 3, 4))}},
     "0+6a 120+6b 920+6c 1020+6d 3020+6e 3021-6a 3021-6b 3021-6c 3021-6d 3021=6e"},
    {"no more than six at once; a failure lets the next in",
     {.host_count = 8,
      .hosts = {V6(0, SILENT), V6(0, SILENT), V6(0, SILENT), V6(MS(9000), .err = GAVE_UP),
                V6(0, SILENT), V6(0, SILENT), V6(0, SILENT), V6(0)},
      .answer_count = 1,
      .answers = {AAAA(0, HOSTS(8, 0, 1, 2, 3, 4, 5, 6, 7))},
      .cancel_at = MS(10000)},
     "0+6a 250+6b 500+6c 750+6d 1000+6e 1250+6f 9750+6g 10000-6a 10000-6b 10000-6c 10000-6e "
     "10000-6f "
     "10000-6g 10000!canceled"},
    {"one at a time, if so set",
     {.options = {.max_alive = 1},
      .host_count = 2,
      .hosts = {V6(MS(900), .err = GAVE_UP), V6(MS(1))},
      .answer_count = 1,
      .answers = {AAAA(0, HOSTS(2, 0, 1))}},
     "0+6a 900+6b 901=6b"},
    {"a timer that fires late starts one attempt, not several",
     {.host_count = 3,
      .hosts = {V6(0, SILENT), V6(0, SILENT), V6(MS(1))},
      .timer_late = MS(700),
      .answer_count = 1,
      .answers = {AAAA(0, HOSTS(3, 0, 1, 2))}},
     "0+6a 950+6b 1900+6c 1901-6a 1901-6b 1901=6c"},
    /* --- ends --- */
    {"a silent family holds nobody up",
     {.host_count = 2,
      .hosts = {V6(MS(10), .err = REFUSED), V6(MS(10))},
      .answer_count = 1,
      .answers = {AAAA(MS(5), HOSTS(2, 0, 1))}},
     "5+6a 15+6b 25=6b"},
    {"closed port on localhost: refused as soon as the last address refuses",
     {.host_count = 2,
      .hosts = {V6(0, .err = REFUSED), V4(MS(1), .err = REFUSED)},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 0+4b 1!refused"},
    {"no failure while an answer is outstanding",
     {.host_count = 1,
      .hosts = {V6(MS(1), .err = REFUSED)},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(MS(500), .err = DNS(NWI_DNS_TIMEOUT))}},
     "0+6a 500!refused"},
    {"the late answer still wins",
     {.host_count = 2,
      .hosts = {V6(MS(1), .err = REFUSED), V4(MS(2))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(MS(500), HOSTS(1, 1))}},
     "0+6a 500+4b 502=4b"},
    {"a peer that answered tells more than a missing route, in either order",
     {.host_count = 2,
      .hosts = {V6(MS(5), .err = REFUSED), V4(MS(1), .err = NOBODY)},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 5+4b 6!refused"},
    {"and more than a timeout",
     {.host_count = 2,
      .hosts = {V6(MS(5000), .err = GAVE_UP), V4(MS(1), .err = REFUSED)},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 250+4b 5000!refused"},
    {"a failed handshake tells most",
     {.host_count = 2,
      .hosts = {V6(MS(5), .err = (nwi_err)((uint64_t)NWI_DOMAIN_TLS << 32 | 5)),
                V4(MS(1), .err = REFUSED)},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 5+4b 6!tls"},
    {"a timeout tells more than a missing route",
     {.host_count = 2,
      .hosts = {V6(MS(1), .err = NOBODY), V4(MS(1), .err = GAVE_UP)},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 1+4b 2!timeout"},
    {"among equals the later: one missing route after the other",
     {.host_count = 2,
      .hosts = {V6(MS(1), .err = NOBODY), V4(MS(1), .err = POSIX(EHOSTUNREACH))},
      .answer_count = 2,
      .answers = {AAAA(0, HOSTS(1, 0)), A(0, HOSTS(1, 1))}},
     "0+6a 1+4b 2!no-route"},
    {"no such name", {.answer_count = 2, .answers = {AAAA(MS(3)), A(MS(4))}}, "4!no-record"},
    {"a definite answer tells more than silence, in either order",
     {.answer_count = 2,
      .answers = {AAAA(MS(3), .err = DNS(NWI_DNS_NO_SUCH_RECORD)),
                  A(MS(9), .err = DNS(NWI_DNS_TIMEOUT))}},
     "9!no-record"},
    {"definite after silence",
     {.answer_count = 2,
      .answers = {AAAA(MS(3), .err = DNS(NWI_DNS_TIMEOUT)),
                  A(MS(9), .err = DNS(NWI_DNS_NO_SUCH_RECORD))}},
     "9!no-record"},
    {"a server's failure tells more than silence",
     {.answer_count = 2,
      .answers = {AAAA(MS(3), .err = DNS(NWI_DNS_UNKNOWN)), A(MS(9), .err = DNS(NWI_DNS_TIMEOUT))}},
     "9!dns-failure"},
    {"a missing service record is no reason to fail, and none to wait once v4 and v6 failed",
     {.options = {.ask_service = true},
      .answer_count = 3,
      .answers = {SERVICE(MS(1), .err = DNS(NWI_DNS_UNKNOWN)), AAAA(MS(3)),
                  A(MS(9), .err = DNS(NWI_DNS_TIMEOUT))}},
     "9!no-record"},
    {"cancel while resolving",
     {.answer_count = 1, .answers = {AAAA(MS(30))}, .cancel_at = MS(7)},
     "7!canceled"},
    {"cancel in the resolution delay",
     {.host_count = 1,
      .hosts = {V4(MS(1))},
      .answer_count = 1,
      .answers = {A(MS(10), HOSTS(1, 0))},
      .cancel_at = MS(20)},
     "20!canceled"},
    {"cancel after the end changes nothing",
     {.host_count = 1,
      .hosts = {V6(MS(1))},
      .answer_count = 1,
      .answers = {AAAA(0, HOSTS(1, 0))},
      .cancel_at = MS(20)},
     "0+6a 1=6a"},
};

static void run_scenarios(void **state) {
    (void)state;
    static struct race_net_log log;
    char text[2048];
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        struct race_net net = scenarios[i].net;
        if (net.cancel_at == 0)
            net.cancel_at = NWI_NEVER;
        race_net_run(&net, &log);
        race_net_text(&net, &log, text, sizeof text);
        if (strcmp(text, scenarios[i].expect) != 0 || log.stuck)
            fail_msg("%s:\n  expected %s\n  got      %s%s", scenarios[i].name, scenarios[i].expect,
                     text, log.stuck ? " (stuck)" : "");
    }
}

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
    assert_int_equal(nwi_race_attempt_address(&race, 1)->rank, 1); /* started: as it was */
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
    assert_null(nwi_race_attempt_address(&race, 0));
    assert_null(nwi_race_attempt_address(&race, 2));
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

static void test_names_and_questions(void **state) {
    (void)state;
    struct nwi_race race;
    nwi_race_init(&race, &(struct nwi_race_options){.ip_version = 6});
    assert_int_equal(nwi_race_asked(&race), NWI_RACE_AAAA);
    nwi_race_init(&race, &(struct nwi_race_options){.ip_version = 4, .ask_service = true});
    assert_int_equal(nwi_race_asked(&race), NWI_RACE_A | NWI_RACE_SERVICE);
    nwi_race_init(&race, NULL);
    assert_int_equal(nwi_race_asked(&race), NWI_RACE_A | NWI_RACE_AAAA);
    for (int i = 0; i < NWI_RACE_STATE_COUNT; i++)
        assert_true(strlen(nwi_race_state_name(i)) > 2);
    assert_string_equal(nwi_race_state_name(NWI_RACE_STATE_COUNT), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_scenarios),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_new_rank),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_cancel_before_start),
        cmocka_unit_test(test_undelivered_start_vanishes),
        cmocka_unit_test(test_observer),
        cmocka_unit_test(test_names_and_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
