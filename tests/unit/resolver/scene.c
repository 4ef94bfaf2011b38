/*
 * scene.c - see scene.h.
 */
#include "scene.h"

#include "sys/address.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;

void on_answer(void *context, const struct nwi_resolve_answer *answer) {
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
        probe->got[n].protocol = answer->protocol;
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

void wait_until(const bool *flag, const unsigned *counter, unsigned target) {
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
void cancel_in_context(struct probe *probe) {
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
void pass_through(struct probe *probe) {
    probe->task_done = false;
    probe->task.run = nothing_run;
    nwi_serial_push(probe->context, &probe->task);
    wait_until(&probe->task_done, NULL, 0);
}

/* --- fixture --- */
const struct fake_dns_rule rules[] = {
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

struct fake_dns *server;
struct nwi_resolver *resolver;
struct nwi_serial context;
char resolv_path[64], hosts_path[64];

void write_file(const char *path, const char *text) {
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
int setup(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\nsearch corp.test second.corp.test\n", 400, 2, 0);
}
int setup_patient(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\nsearch corp.test\n", 60000, 1, 0);
}
int setup_narrow(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\n", 3000, 4, 8);
}
int setup_many(void **state) {
    (void)state;
    return setup_with("nameserver 127.0.0.1\n", 3000, 4, 0);
}
int teardown(void **state) {
    (void)state;
    resolver = nwi_resolver_close(resolver);
    fake_dns_stop(server);
    server = NULL;
    unlink(resolv_path);
    unlink(hosts_path);
    return 0;
}

void start(struct probe *probe, const char *host) {
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
void finish(struct probe *probe) {
    pass_through(probe);
    assert_int_equal(probe->after_cancel, 0);
    if (probe->resolution != NULL)
        cancel_in_context(probe);
}
void resolve(struct probe *probe, const char *host, int family) {
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
void expect(const char *host, nwi_err err6, const char *v6, nwi_err err4, const char *v4,
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

void scene_init(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    nwi_serial_init(&context, NULL, NULL);
}
