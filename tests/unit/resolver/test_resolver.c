/*
 * test_resolver.c - src/resolver whole: what a name becomes, from files, cache and servers. How it
 * ends is in test_resolver_ends.c.
 */
#include "scene.h"

#include "sys/address.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- without a server --- */
static void literals(void **state) {
    (void)state;
    expect("192.0.2.1", NO_SUCH, "", 0, "192.0.2.1:443", NWI_RESOLVED_LITERAL);
    expect("2001:db8::1", 0, "[2001:db8::1]:443", NO_SUCH, "", NWI_RESOLVED_LITERAL);
    expect("fe80::1%lo", 0, "[fe80::1%lo]:443", NO_SUCH, "", NWI_RESOLVED_LITERAL);
    static const char *const loops[] = {"localhost", "LOCALHOST", "localhost.", "a.b.localhost",
                                        "x.LocalHost."};
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++)
        expect(loops[i], 0, "[::1]:443", 0, "127.0.0.1:443", NWI_RESOLVED_LITERAL);
    static const char *const none[] = {"x.invalid", "invalid.", "abc.onion", "",
                                       ".",         "a b",      "bad\nname"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        expect(none[i], NO_SUCH, "", NO_SUCH, "", NWI_RESOLVED_LITERAL);
    assert_int_equal(fake_dns_questions(server, NULL, 0), 0);
    struct probe probe;
    resolve(&probe, "192.0.2.1", 6);
    assert_int_equal(probe.got[0].err, NO_SUCH);
    resolve(&probe, "notlocalhost", 4); /* asks */
    assert_true(fake_dns_questions(server, "notlocalhost", A) > 0);
    assert_int_equal(fake_dns_questions(server, "notlocalhost", AAAA), 0);
}

static void scope_of_the_interface(void **state) {
    (void)state;
    struct probe probe = {.options = {.interface_index = 1, .family = 6}};
    start(&probe, "fe80::1");
    wait_until(NULL, &probe.answers, 1);
    finish(&probe);
    assert_string_equal(probe.got[0].addresses, "[fe80::1%lo]:443");
}

static void hosts_file(void **state) {
    (void)state;
    expect("inhosts.test", 0, "[::1]:443", 0, "127.0.0.77:443", NWI_RESOLVED_HOSTS);
    expect("InHosts.Test.", 0, "[::1]:443", 0, "127.0.0.77:443", NWI_RESOLVED_HOSTS);
    expect("only.hosts", NO_SUCH, "", 0, "127.0.0.77:443", NWI_RESOLVED_HOSTS);
    write_file(hosts_path, "127.0.0.78 inhosts.test\n");
    expect("inhosts.test", NO_SUCH, "", 0, "127.0.0.78:443", NWI_RESOLVED_HOSTS);
    assert_int_equal(fake_dns_questions(server, NULL, 0), 0);
}

static void misuse(void **state) {
    (void)state;
    assert_null(nwi_resolve_start(NULL, NULL, &context, on_answer, NULL));
    assert_null(nwi_resolve_start("a", NULL, NULL, on_answer, NULL));
    assert_null(nwi_resolve_cancel(NULL));
    assert_null(nwi_resolver_close(NULL));
}

/* --- with one --- */
static void both_families_and_the_cache(void **state) {
    (void)state;
    expect("both.test", 0, "[::1]:443", 0, "127.0.0.2:443 127.0.0.3:443", NWI_RESOLVED_QUERY);
    expect("BOTH.test", 0, "[::1]:443", 0, "127.0.0.2:443 127.0.0.3:443", NWI_RESOLVED_CACHE);
    assert_int_equal(fake_dns_questions(server, "both.test", A), 1);
    assert_int_equal(fake_dns_questions(server, "both.test", AAAA), 1);
    struct probe probe;
    resolve(&probe, "both.test", 6);
    assert_int_equal(probe.got[0].source, NWI_RESOLVED_CACHE);
    assert_in_range(probe.got[0].ttl, 29, 30);
    nwi_resolver_flush(resolver); /* the network changed */
    expect("both.test", 0, "[::1]:443", 0, "127.0.0.2:443 127.0.0.3:443", NWI_RESOLVED_QUERY);
    write_file(resolv_path, "nameserver 127.0.0.1\n# rewritten\n");
    expect("both.test", 0, "[::1]:443", 0, "127.0.0.2:443 127.0.0.3:443", NWI_RESOLVED_QUERY);
    assert_int_equal(fake_dns_questions(server, "both.test", A), 3);
}

static void time_to_live_zero(void **state) {
    (void)state;
    expect("zero.test", 0, "[::1]:443", 0, "127.0.0.2:443", NWI_RESOLVED_QUERY);
    expect("zero.test", 0, "[::1]:443", 0, "127.0.0.2:443", NWI_RESOLVED_QUERY);
}

static void one_family_only(void **state) {
    (void)state;
    expect("only4.test", NO_SUCH, "", 0, "127.0.0.2:443", NWI_RESOLVED_QUERY);
    expect("only4.test", NO_SUCH, "", 0, "127.0.0.2:443",
           NWI_RESOLVED_CACHE); /* "none" is remembered too */
}

static void answers_come_separately(void **state) {
    (void)state;
    struct probe probe;
    resolve(&probe, "slow6.test", 0);
    assert_true(probe.got[0].duration >= 75 * NWI_MS);
    assert_true(probe.got[1].duration < probe.got[0].duration);
    resolve(&probe, "silent6.test", 0);
    assert_int_equal(probe.got[0].err, nwi_dns(NWI_DNS_TIMEOUT));
    assert_int_equal(probe.got[1].err, 0);
    assert_true(probe.got[1].duration <
                probe.got[0].duration);                  /* did not wait for the silent family */
    assert_true(probe.got[0].duration >= 1100 * NWI_MS); /* 400 ms, then 800 */
}

static void errors(void **state) {
    (void)state;
    struct probe probe;
    expect("nowhere.test", NO_SUCH, "", NO_SUCH, "", NWI_RESOLVED_QUERY);
    nwi_err refused = nwi_dns(NWI_DNS_REFUSED), unknown = nwi_dns(NWI_DNS_UNKNOWN);
    expect("refused.test", refused, "", refused, "", NWI_RESOLVED_QUERY);
    expect("servfail.test", unknown, "", unknown, "", NWI_RESOLVED_QUERY);
    expect("garbage.test", unknown, "", unknown, "", NWI_RESOLVED_QUERY);
    resolve(&probe, "silent.test", 0);
    assert_int_equal(probe.got[0].err, nwi_dns(NWI_DNS_TIMEOUT));
    assert_int_equal(probe.got[1].err, nwi_dns(NWI_DNS_TIMEOUT));
    unsigned asked = fake_dns_questions(server, "silent.test", 0);
    resolve(&probe, "silent.test", 0); /* a failure is not remembered */
    assert_true(fake_dns_questions(server, "silent.test", 0) > asked);
    char label[80] = "";
    memset(label, 'a', 70); /* no label is longer than 63: RFC 1035 section 2.3.4 */
    strcpy(label + 70, ".test");
    resolve(&probe, label, 0);
    assert_int_equal(probe.got[0].err, nwi_dns(NWI_DNS_BAD_PARAM));
}

/* A socket that has the port, so that no test beside this one gets it, and refuses what is sent
 * there: it is connected to itself, and takes nothing from others. */
static int keep_closed(uint16_t port) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&own, sizeof own), 0);
    return fd;
}

static void server_that_does_not_run(void **state) {
    (void)state;
    uint16_t port = fake_dns_port(server);
    fake_dns_stop(server);
    int closed = keep_closed(port);
    server = fake_dns_start(rules); /* another port than the resolver knows */
    struct probe probe;
    resolve(&probe, "both.test", 0);
    assert_int_equal(probe.got[0].err, nwi_dns(NWI_DNS_SERVICE_NOT_RUNNING));
    assert_int_equal(probe.got[1].err, nwi_dns(NWI_DNS_SERVICE_NOT_RUNNING));
    assert_int_equal(fake_dns_questions(server, NULL, 0), 0);
    close(closed);
}

/* Whichever family comes first, ranks compare over both as RFC 6724 section 6 orders them: ::1
 * (precedence 50) goes before 127.0.0.2 (35), whose scope and label fit as well. An address that
 * nothing leads to goes last. */
static void ranks_compare_over_families(void **state) {
    (void)state;
    struct probe probe;
    resolve(&probe, "slow6.test", 0); /* IPv4 answers first */
    assert_true(probe.got[0].first_rank < probe.got[1].first_rank);
    resolve(&probe, "localhost", 0); /* IPv6 answers first */
    assert_true(probe.got[0].first_rank < probe.got[1].first_rank);
    resolve(&probe, "order.test", 6);
    assert_string_equal(probe.got[0].addresses, "[::1]:443 [2001:db8:dead::1]:443");
}

static void aliases(void **state) {
    (void)state;
    struct probe probe;
    resolve(&probe, "alias.test", 0);
    assert_string_equal(probe.got[0].addresses, "[::1]:443");
    assert_string_equal(probe.got[1].addresses, "127.0.0.9:443");
    assert_int_equal(probe.got[1].ttl, 9);
}

static void truncated_goes_to_tcp(void **state) {
    (void)state;
    struct probe probe;
    resolve(&probe, "big.test", 4);
    assert_int_equal(probe.got[0].err, 0);
    assert_int_equal(probe.got[0].count, 60);
    assert_int_equal(fake_dns_tcp_questions(server), 1);
}

static void how_the_server_was_asked(void **state) {
    (void)state;
    struct probe probe;
    resolve(&probe, "both.test", 0);
    assert_int_equal(probe.got[0].protocol, NWI_RESOLVED_BY_UDP);
    assert_int_equal(probe.got[1].protocol, NWI_RESOLVED_BY_UDP);
    resolve(&probe, "both.test", 0); /* from the cache: nobody was asked */
    assert_int_equal(probe.got[0].protocol, NWI_RESOLVED_BY_UNKNOWN);
    resolve(&probe, "big.test", 4);
    assert_int_equal(probe.got[0].protocol, NWI_RESOLVED_BY_TCP);
    resolve(&probe, "nowhere.test", 4); /* "none" is an answer as well */
    assert_int_equal(probe.got[0].protocol, NWI_RESOLVED_BY_UDP);
    resolve(&probe, "silent.test", 4);
    assert_int_equal(probe.got[0].protocol, NWI_RESOLVED_BY_UNKNOWN);
    resolve(&probe, "localhost", 4);
    assert_int_equal(probe.got[0].protocol, NWI_RESOLVED_BY_UNKNOWN);
}

static void answers_from_strangers_are_ignored(void **state) {
    (void)state;
    expect("stranger.test", 0, "[::1]:443", 0, "127.0.0.2:443", NWI_RESOLVED_QUERY);
}

static void search_list(void **state) {
    (void)state;
    expect("www", NO_SUCH, "", 0, "127.0.0.5:443", NWI_RESOLVED_QUERY);
    assert_int_equal(fake_dns_questions(server, "www", 0),
                     0); /* no dot: the list goes first (ndots 1) */
    expect("host", 0, "[::1]:443", 0, "127.0.0.6:443", NWI_RESOLVED_QUERY);
    expect("host.second", 0, "[::1]:443", 0, "127.0.0.6:443", NWI_RESOLVED_QUERY);
    assert_int_equal(fake_dns_questions(server, "host.second", A), 1); /* as it stands first */
    /* Both families of one answer belong to one name, though A exists further down the list. */
    expect("half", 0, "[::1]:443", NO_SUCH, "", NWI_RESOLVED_QUERY);
    assert_int_equal(fake_dns_questions(server, "half.second.corp.test", 0), 0);
    expect("www.", NO_SUCH, "", NO_SUCH, "",
           NWI_RESOLVED_QUERY); /* absolute: no list, and a cache entry of its own */
    expect("www", NO_SUCH, "", 0, "127.0.0.5:443", NWI_RESOLVED_CACHE);
}

static void same_name_is_asked_once(void **state) {
    (void)state;
    static struct probe probes[50];
    memset(probes, 0, sizeof probes);
    for (size_t i = 0; i < 50; i++)
        start(&probes[i], "slow6.test");
    for (size_t i = 0; i < 50; i++) {
        wait_until(NULL, &probes[i].answers, 2);
        finish(&probes[i]);
    }
    assert_int_equal(fake_dns_questions(server, "slow6.test", A), 1);
    assert_int_equal(fake_dns_questions(server, "slow6.test", AAAA), 1);
}

static void thousand_at_once(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    struct probe *probes = calloc(COUNT, sizeof *probes);
    for (size_t i = 0; i < COUNT; i++) {
        char host[32];
        snprintf(host, sizeof host, i % 2 != 0 ? "n%zu.invalid-not" : "n%zu.test", i);
        start(&probes[i], host);
    }
    for (size_t i = 0; i < COUNT; i++) {
        wait_until(NULL, &probes[i].answers, 2);
        assert_int_equal(probes[i].got[0].err, NO_SUCH);
        assert_int_equal(probes[i].got[1].err, NO_SUCH);
    }
    for (size_t i = 0; i < COUNT; i++)
        finish(&probes[i]);
    free(probes);
}

int main(void) {
    scene_init();
    const struct CMUnitTest tests[] = {
        T(literals),
        T(scope_of_the_interface),
        T(hosts_file),
        T(misuse),
        T(both_families_and_the_cache),
        T(time_to_live_zero),
        T(one_family_only),
        T(answers_come_separately),
        T(errors),
        T(server_that_does_not_run),
        T(ranks_compare_over_families),
        T(aliases),
        T(truncated_goes_to_tcp),
        T(how_the_server_was_asked),
        T(answers_from_strangers_are_ignored),
        T(search_list),
        T(same_name_is_asked_once),
        cmocka_unit_test_setup_teardown(thousand_at_once, setup_many, teardown),
        cmocka_unit_test_setup_teardown(thousand_at_once, setup_narrow, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
