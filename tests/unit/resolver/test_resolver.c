/*
 * test_resolver.c - src/resolver whole, against a DNS server in this process that answers by a
 * script.
 */
#include "base/alloc.h"
#include "dispatch/serial.h"
#include "fake/fake_dns.h"
#include "fake/fake_sys.h"
#include "resolver/resolver.h"
#include "sys/address.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE = 30 /* s until a wait counts as a failure */, A = 1, AAAA = 28 };
#define NO_SUCH nwi_dns(NWI_DNS_NO_SUCH_RECORD)

/* --- what one resolution answered --- */
struct probe {
    struct nwi_serial *context;
    struct nwi_resolution *resolution;
    struct nwi_task task; /* carries a call into the context */
    const char *host;
    struct nwi_resolve_options options;
    bool cancel_inside; /* in the first handler call */
    unsigned answers, after_cancel;
    bool canceled, task_done;
    struct {
        int family;
        nwi_err err;
        char addresses[1024];
        size_t count;
        enum nwi_resolve_source source;
        uint32_t ttl, first_rank;
        nwi_ns duration;
        bool last;
    } got[2]; /* in order of arrival */
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;

static void on_answer(void *context, const struct nwi_resolve_answer *answer) {
    struct probe *probe = context;
    char text[NWI_ADDRESS_TEXT_SIZE];
    pthread_mutex_lock(&lock);
    probe->after_cancel += probe->canceled;
    if (probe->answers < 2) {
        unsigned n = probe->answers;
        probe->got[n].family = answer->family == AF_INET6 ? 6 : 4;
        probe->got[n].err = answer->err;
        probe->got[n].count = answer->count;
        probe->got[n].source = answer->source;
        probe->got[n].ttl = answer->ttl;
        probe->got[n].duration = answer->duration;
        probe->got[n].last = answer->last;
        probe->got[n].first_rank = answer->count > 0 ? answer->addresses[0].rank : 0;
        for (size_t i = 0; i < answer->count && i < 8; i++) {
            const struct sockaddr *address = (const struct sockaddr *)&answer->addresses[i].address;
            strcat(probe->got[n].addresses, i > 0 ? " " : "");
            strcat(probe->got[n].addresses, nwi_address_text_port(address, text, sizeof text));
        }
    }
    probe->answers++;
    if (probe->cancel_inside) {
        probe->canceled = true;
        probe->resolution = nwi_resolve_cancel(probe->resolution);
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_until(const bool *flag, const unsigned *counter, unsigned target) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += PATIENCE;
    pthread_mutex_lock(&lock);
    int late = 0;
    while (late == 0 && !(flag != NULL ? *flag : *counter >= target))
        late = pthread_cond_timedwait(&changed, &lock, &deadline);
    pthread_mutex_unlock(&lock);
    assert_int_equal(late, 0);
}

static void cancel_run(struct nwi_task *task) {
    struct probe *probe = nwi_container_of(task, struct probe, task);
    pthread_mutex_lock(&lock);
    probe->canceled = true;
    probe->resolution = nwi_resolve_cancel(probe->resolution);
    probe->task_done = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
static void cancel_in_context(struct probe *probe) {
    probe->task_done = false;
    probe->task.run = cancel_run;
    nwi_serial_push(probe->context, &probe->task);
    wait_until(&probe->task_done, NULL, 0);
}
static void nothing_run(struct nwi_task *task) {
    struct probe *probe = nwi_container_of(task, struct probe, task);
    pthread_mutex_lock(&lock);
    probe->task_done = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
/* All that was in the context's list before this has run when it returns. */
static void pass_through(struct probe *probe) {
    probe->task_done = false;
    probe->task.run = nothing_run;
    nwi_serial_push(probe->context, &probe->task);
    wait_until(&probe->task_done, NULL, 0);
}

/* --- fixture --- */
static const struct fake_dns_rule rules[] = {
    {.name = "both.test", .type = A, .ttl = 60, .records = {"127.0.0.2", "127.0.0.3"}},
    {.name = "both.test", .type = AAAA, .ttl = 30, .records = {"::1"}},
    {.name = "only4.test", .type = A, .ttl = 60, .records = {"127.0.0.2"}},
    {.name = "only4.test", .type = AAAA},
    {.name = "order.test", .type = AAAA, .ttl = 30, .records = {"2001:db8:dead::1", "::1"}},
    {.name = "zero.test", .type = 0, .ttl = 0, .records = {"127.0.0.2", "::1"}},
    {.name = "silent6.test", .type = A, .ttl = 60, .records = {"127.0.0.2"}},
    {.name = "silent6.test", .type = AAAA, .kind = FAKE_DNS_SILENT},
    {.name = "silent.test", .type = 0, .kind = FAKE_DNS_SILENT},
    {.name = "slow6.test", .type = AAAA, .delay_ms = 80, .ttl = 60, .records = {"::1"}},
    {.name = "slow6.test", .type = A, .ttl = 60, .records = {"127.0.0.2"}},
    {.name = "servfail.test", .type = 0, .kind = FAKE_DNS_RCODE, .rcode = 2},
    {.name = "refused.test", .type = 0, .kind = FAKE_DNS_RCODE, .rcode = 5},
    {.name = "alias.test",
     .type = 0,
     .ttl = 9,
     .cnames = {"second.test", "third.test"},
     .records = {"127.0.0.9", "::1"}},
    {.name = "big.test", .type = A, .kind = FAKE_DNS_TRUNCATE, .ttl = 60, .many = 60},
    {.name = "big.test", .type = AAAA},
    {.name = "garbage.test", .type = 0, .kind = FAKE_DNS_GARBAGE},
    {.name = "stranger.test",
     .type = 0,
     .kind = FAKE_DNS_STRANGER,
     .ttl = 60,
     .records = {"127.0.0.2", "::1"}},
    {.name = "www.corp.test", .type = A, .ttl = 60, .records = {"127.0.0.5"}},
    {.name = "www.corp.test", .type = AAAA},
    {.name = "host.second.corp.test", .type = 0, .ttl = 60, .records = {"127.0.0.6", "::1"}},
    {.name = "half.corp.test", .type = AAAA, .ttl = 60, .records = {"::1"}},
    {.name = "half.corp.test", .type = A},
    {.name = "half.second.corp.test", .type = A, .ttl = 60, .records = {"127.0.0.7"}},
    {.name = "", .type = -1},
};

static struct fake_dns *server;
static struct nwi_resolver *resolver;
static struct nwi_serial context; /* without owner: lives as long as the program */
static char resolv_path[64], hosts_path[64];

static void write_file(const char *path, const char *text) {
    char fresh[80];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(rename(fresh, path), 0); /* a new inode: seen whatever the clock's grain */
}

static int setup_with(const char *resolv, unsigned timeout_ms, unsigned tries,
                      unsigned max_lookups) {
    server = fake_dns_start(rules);
    assert_non_null(server);
    snprintf(resolv_path, sizeof resolv_path, "/tmp/nw-resolv-%d", (int)getpid());
    snprintf(hosts_path, sizeof hosts_path, "/tmp/nw-hosts-%d", (int)getpid());
    write_file(resolv_path, resolv);
    write_file(hosts_path, "127.0.0.77 inhosts.test only.hosts\n::1 inhosts.test\n");
    struct nwi_resolver_config config = {.resolv_conf = resolv_path,
                                         .hosts = hosts_path,
                                         .gai_conf = "/nonexistent", /* the default order */
                                         .server_port = fake_dns_port(server),
                                         .timeout_ms = timeout_ms,
                                         .tries = tries,
                                         .max_lookups = max_lookups};
    resolver = nwi_resolver_create(&config);
    assert_non_null(resolver);
    return 0;
}
static int setup(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\nsearch corp.test second.corp.test\n", 400, 2, 0);
}
static int setup_patient(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\nsearch corp.test\n", 60000, 1, 0);
}
static int setup_narrow(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\n", 3000, 4, 8);
}
static int setup_many(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\n", 3000, 4, 0);
}
static int teardown(void **state) {
    (void)state;
    resolver = nwi_resolver_close(resolver);
    fake_dns_stop(server);
    server = NULL;
    unlink(resolv_path);
    unlink(hosts_path);
    return 0;
}

static void start(struct probe *probe, const char *host) {
    probe->context = &context;
    probe->options.port = 443;
    probe->options.resolver = resolver;
    /* A caller inside its context has this for free: no handler may see the probe half done. */
    pthread_mutex_lock(&lock);
    probe->resolution = nwi_resolve_start(host, &probe->options, probe->context, on_answer, probe);
    bool started =
        probe->resolution != NULL; /* the handler may cancel it as soon as the lock is free */
    pthread_mutex_unlock(&lock);
    assert_true(started);
}
static void finish(struct probe *probe) {
    pass_through(probe);
    assert_int_equal(probe->after_cancel, 0);
    if (probe->resolution != NULL)
        cancel_in_context(probe);
}
/* Runs one to its end; the answers are sorted by family, IPv6 first. */
static void resolve(struct probe *probe, const char *host, int family) {
    memset(probe, 0, sizeof *probe);
    probe->options.family = family;
    start(probe, host);
    wait_until(NULL, &probe->answers, family == 0 ? 2 : 1);
    finish(probe);
    assert_int_equal(probe->answers, family == 0 ? 2 : 1);
    assert_true(probe->got[probe->answers - 1].last);
    assert_true(probe->answers == 1 || !probe->got[0].last);
    if (family == 0 && probe->got[0].family == 4) {
        __typeof__(probe->got[0]) swap = probe->got[0];
        probe->got[0] = probe->got[1];
        probe->got[1] = swap;
    }
}
static void expect(const char *host, nwi_err err6, const char *v6, nwi_err err4, const char *v4,
                   enum nwi_resolve_source source) {
    struct probe probe;
    resolve(&probe, host, 0);
    if (probe.got[0].err != err6 || probe.got[1].err != err4)
        fail_msg("%s: %s, %s", host, nwi_err_text(probe.got[0].err),
                 nwi_err_text(probe.got[1].err));
    assert_string_equal(probe.got[0].addresses, v6);
    assert_string_equal(probe.got[1].addresses, v4);
    assert_int_equal(probe.got[0].source, source);
    assert_int_equal(probe.got[1].source, source);
}

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

static void server_that_does_not_run(void **state) {
    (void)state;
    fake_dns_stop(server);
    server = fake_dns_start(rules); /* another port: the one resolver knows is closed */
    struct probe probe;
    resolve(&probe, "both.test", 0);
    assert_int_equal(probe.got[0].err, nwi_dns(NWI_DNS_SERVICE_NOT_RUNNING));
    assert_int_equal(probe.got[1].err, nwi_dns(NWI_DNS_SERVICE_NOT_RUNNING));
    assert_int_equal(fake_dns_questions(server, NULL, 0), 0);
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

/* --- cancel --- */
static void cancel_at_once_is_quick(void **state) {
    (void)state;
    static const char *const hosts[] = {"silent.test", "both.test",    "192.0.2.1",
                                        "localhost",   "inhosts.test", "www"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct probe *probe = calloc(1, sizeof *probe);
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        start(probe, hosts[i]);
        cancel_in_context(probe);
        clock_gettime(CLOCK_MONOTONIC, &after);
        double ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
                    (double)(after.tv_nsec - before.tv_nsec) / 1e6;
        if (getenv("NW_TEST_SLOW") == NULL)
            assert_true(ms < 50);
        pass_through(probe);
        assert_int_equal(probe->after_cancel, 0);
        free(probe);
    }
}

static void cancel_inside_the_handler(void **state) {
    (void)state;
    struct probe probe = {.cancel_inside = true};
    start(&probe, "both.test");
    wait_until(NULL, &probe.answers, 1);
    struct probe other; /* its answers come after what the first one might still have had */
    resolve(&other, "both.test", 0);
    pass_through(&probe);
    assert_int_equal(probe.answers, 1);
    assert_int_equal(probe.after_cancel, 0);
}

static void cancel_between_the_answers(void **state) {
    (void)state;
    struct probe probe = {0};
    start(&probe, "slow6.test");
    wait_until(NULL, &probe.answers, 1);
    cancel_in_context(&probe);
    struct probe other;
    resolve(&other, "slow6.test", 0);
    assert_int_equal(probe.answers, 1);
}

/* At many moments of a lookup: after as many turns of the context as the loop has made. */
static void cancel_at_every_point(void **state) {
    (void)state;
    for (unsigned turns = 0; turns < 60; turns++) {
        struct probe probe = {0};
        char host[32];
        snprintf(host, sizeof host, turns % 3 != 0 ? "zero.test" : "zero%u.test", turns);
        start(&probe, host);
        for (unsigned i = 0; i < turns; i++)
            pass_through(&probe);
        cancel_in_context(&probe);
        pass_through(&probe);
        assert_int_equal(probe.after_cancel, 0);
    }
    struct probe last;
    resolve(&last, "zero.test", 0);
    assert_int_equal(last.got[0].err, 0);
}

/* --- closing, flushing, failing --- */
static void close_ends_what_waits(void **state) {
    (void)state;
    struct probe probe = {0};
    start(&probe, "silent.test");
    pass_through(&probe);
    resolver = nwi_resolver_close(resolver);
    wait_until(NULL, &probe.answers, 2);
    assert_int_equal(probe.got[0].err, NWI_ERR_CANCELED);
    finish(&probe);
}

/* The patient fixture would wait a minute for its lost packet: only asking anew can answer in time.
 */
static void flush_asks_anew(void **state) {
    (void)state;
    struct probe probe = {0};
    start(&probe, "silent.test");
    struct probe other;
    resolve(&other, "both.test", 0); /* by now the first has asked */
    assert_true(fake_dns_questions(server, "silent.test", A) == 1);
    write_file(resolv_path, "nameserver 127.0.0.1\n# changed\n");
    resolve(&other, "both.test", 0);
    resolve(&other, "only4.test", 0); /* its questions follow those asked anew */
    assert_true(fake_dns_questions(server, "silent.test", A) == 2);
    cancel_in_context(&probe);
    assert_int_equal(probe.answers, 0);
}

static void failing_system_calls(void **state) {
    (void)state;
    static const struct {
        enum fake_sys_call call;
        int code;
    } faults[] = {{FAKE_SOCKET, EMFILE},
                  {FAKE_CONNECT, ENETUNREACH},
                  {FAKE_SENDMSG, ENOBUFS},
                  {FAKE_RECVMSG, ECONNREFUSED}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        fake_sys_install();
        struct probe probe;
        fake_sys_fail(faults[i].call, 1, 1, faults[i].code); /* once: a second try succeeds */
        resolve(&probe, "zero.test", 0);
        fake_sys_fail(faults[i].call, 1, 1000, faults[i].code); /* always */
        resolve(&probe, "zero.test", 0);
        assert_int_not_equal(probe.got[0].err, 0);
        assert_int_not_equal(probe.got[1].err, 0);
        fake_sys_remove();
        resolve(&probe, "zero.test", 0); /* recovered */
        assert_int_equal(probe.got[0].err, 0);
    }
}

/* Each allocation failing in turn, whichever thread makes it: either no resolution, or both
 * answers; and the next one works. */
static void memory_runs_out(void **state) {
    (void)state;
    unsigned missed = 0;
    for (unsigned long n = 1; n < 200 && missed < 3; n++) {
        struct probe probe = {.context = &context, .options = {.resolver = resolver}};
        nwi_alloc_fail_at(n);
        pthread_mutex_lock(&lock);
        probe.resolution =
            nwi_resolve_start("zero.test", &probe.options, &context, on_answer, &probe);
        bool started = probe.resolution != NULL;
        pthread_mutex_unlock(&lock);
        if (started) {
            wait_until(NULL, &probe.answers, 2);
            finish(&probe);
        }
        missed += !nwi_alloc_fault_hit(); /* three in a row beyond the last allocation: all have had
                                             their turn */
        nwi_alloc_fail_at(0);
        struct probe after;
        resolve(&after, "zero.test", 0);
        assert_int_equal(after.got[0].err, 0);
        assert_int_equal(after.got[1].err, 0);
    }
    assert_int_equal(missed, 3);
}

int main(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    nwi_serial_init(&context, NULL, NULL);
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define PATIENT(f) cmocka_unit_test_setup_teardown(f, setup_patient, teardown)
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
        T(answers_from_strangers_are_ignored),
        T(search_list),
        T(same_name_is_asked_once),
        cmocka_unit_test_setup_teardown(thousand_at_once, setup_many, teardown),
        cmocka_unit_test_setup_teardown(thousand_at_once, setup_narrow, teardown),
        PATIENT(cancel_at_once_is_quick),
        T(cancel_inside_the_handler),
        T(cancel_between_the_answers),
        T(cancel_at_every_point),
        PATIENT(close_ends_what_waits),
        PATIENT(flush_asks_anew),
        T(failing_system_calls),
        T(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
