/*
 * resolver.c - resolutions: names with a fixed meaning, the way to the resolver's context and back.
 * What:   see resolver.h. What needs no file and no server is answered from the calling thread; the
 *         rest goes to lookup.c in the resolver's context. Answers travel back as tasks in the
 *         caller's context.
 * Source: RFC 6761 sections 6.3 (localhost) and 6.4 (invalid); RFC 7686 section 2 (onion).
 * Runs:   as each function says.
 * Owns:   a resolution holds its resolver and the owner of the caller's context; a resolver its
 *         channel, cache and table of hosts. The process's own resolver lives as long as the
 *         process.
 */
#include "resolver/resolver.h"
#include "base/alloc.h"
#include "base/log.h"
#include "loop/loop.h"
#include "resolver/private.h"
#include "sys/address.h"
#include <pthread.h>
#include <string.h>

enum {
    MAX_LOOKUPS = 128
}; /* names asked at once: twice as many packets still fit a socket's buffer */

/* --- resolutions --- */
static void resolution_destroy(void *object) {
    struct nwi_resolution *r = object;
    for (int i = 0; i < FAMILY_COUNT; i++)
        nwi_release(r->parts[i].answer);
    nwi_release(r->resolver);
    nwi_release(r->context != NULL ? r->context->owner : NULL);
}
static const struct nwi_type resolution_type = {
    .name = "resolution", .size = sizeof(struct nwi_resolution), .destroy = resolution_destroy};

/* In the caller's context. */
static void deliver(struct nwi_resolution *r, int index) {
    struct nwi_part *part = &r->parts[index];
    struct nwi_resolved sorted[NWI_ANSWER_MAX];
    r->client.remaining--;
    if (r->client.canceled)
        return;
    struct nwi_resolve_answer answer = {
        .family = nwi_family_of(index),
        .err = part->answer != NULL ? part->answer->err : nwi_dns(NWI_DNS_NO_MEMORY),
        .addresses = sorted,
        .source = part->source,
        .protocol = part->answer != NULL && part->source == NWI_RESOLVED_QUERY
                        ? (enum nwi_resolve_protocol)part->answer->protocol
                        : NWI_RESOLVED_BY_UNKNOWN,
        .ttl = part->ttl,
        .duration = part->duration,
        .last = r->client.remaining == 0,
    };
    if (answer.err == 0)
        answer.count = nwi_rank(part->answer, &r->options, &r->resolver->policy, sorted);
    r->handler(r->handler_context, &answer); /* may cancel: the task's reference holds r */
}

static void deliver_v6(struct nwi_task *task) {
    struct nwi_resolution *r = nwi_container_of(task, struct nwi_resolution, parts[FAMILY_V6].task);
    deliver(r, FAMILY_V6);
    nwi_release(r);
}
static void deliver_v4(struct nwi_task *task) {
    struct nwi_resolution *r = nwi_container_of(task, struct nwi_resolution, parts[FAMILY_V4].task);
    deliver(r, FAMILY_V4);
    nwi_release(r);
}

void nwi_resolution_answer(struct nwi_resolution *r, int index, struct nwi_answer *answer,
                           enum nwi_resolve_source source, uint32_t ttl) {
    struct nwi_part *part = &r->parts[index];
    part->answer = nwi_retain(answer);
    part->source = source;
    part->ttl = ttl;
    part->duration = nwi_now() - r->started;
    nwi_retain(r); /* until the task ran */
    nwi_serial_push(r->context, &part->task);
}

static void answer_fixed(struct nwi_resolution *r, const union nwi_inet *addresses, size_t count,
                         uint32_t ttl) {
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (!r->wanted[i])
            continue;
        struct nwi_answer *answer = nwi_answer_create(nwi_family_of(i), addresses, count, ttl);
        nwi_resolution_answer(r, i, answer, NWI_RESOLVED_LITERAL, ttl);
        nwi_release(answer);
    }
}

static bool is_or_ends_in(const char *name, const char *domain) {
    size_t length = strlen(name), tail = strlen(domain);
    if (length < tail || strcmp(name + length - tail, domain) != 0)
        return false;
    return length == tail || name[length - tail - 1] == '.';
}

/* Answers names that nobody needs to be asked about. False for all others. */
static bool answer_special(struct nwi_resolution *r, const char *host) {
    union nwi_inet addresses[2] = {{{0}}};
    struct sockaddr_storage literal;
    socklen_t length;
    if (nwi_address_parse(host, 0, &literal, &length)) {
        memcpy(&addresses[0], &literal, length);
        answer_fixed(r, addresses, 1, UINT32_MAX);
        return true;
    }
    if (!nwi_name_normalize(host, strlen(host), r->name)) { /* no name can look like this */
        answer_fixed(r, addresses, 0, UINT32_MAX);
        return true;
    }
    if (is_or_ends_in(r->name, "localhost")) {
        addresses[0].in6 =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
        addresses[1].in =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        answer_fixed(r, addresses, 2, UINT32_MAX);
        return true;
    }
    if (is_or_ends_in(r->name, "invalid") || is_or_ends_in(r->name, "onion")) {
        answer_fixed(r, addresses, 0, UINT32_MAX);
        return true;
    }
    return false;
}

/* In the resolver's context. */
static void start_run(struct nwi_task *task) {
    struct nwi_resolution *r = nwi_container_of(task, struct nwi_resolution, start_task);
    nwi_lookup_begin(r->resolver, r);
    nwi_release(r);
}
static void cancel_run(struct nwi_task *task) {
    struct nwi_resolution *r = nwi_container_of(task, struct nwi_resolution, cancel_task);
    nwi_lookup_leave(r);
    nwi_release(r);
}

static struct nwi_resolver *own_resolver(void);

struct nwi_resolution *nwi_resolve_start(const char *host,
                                         const struct nwi_resolve_options *options,
                                         struct nwi_serial *context, nwi_resolve_fn handler,
                                         void *handler_context) {
    if (host == NULL || context == NULL || handler == NULL) {
        nwi_log_misuse(__func__, "host, context and handler are required");
        return NULL;
    }
    struct nwi_resolution *r = nwi_object_create(&resolution_type, 0);
    if (r == NULL)
        return NULL;
    if (options != NULL)
        r->options = *options;
    struct nwi_resolver *resolver =
        r->options.resolver != NULL ? r->options.resolver : own_resolver();
    r->resolver = nwi_retain(resolver);
    if (resolver == NULL)
        return nwi_release(r);
    r->context = context;
    nwi_retain(context->owner);
    r->handler = handler;
    r->handler_context = handler_context;
    r->started = nwi_now();
    r->wanted[FAMILY_V6] = r->options.family != 4;
    r->wanted[FAMILY_V4] = r->options.family != 6;
    r->client.remaining = (unsigned)r->wanted[FAMILY_V6] + (unsigned)r->wanted[FAMILY_V4];
    r->parts[FAMILY_V6].task.run = deliver_v6;
    r->parts[FAMILY_V4].task.run = deliver_v4;
    r->start_task.run = start_run;
    r->cancel_task.run = cancel_run;
    if (answer_special(r, host))
        return r;
    r->absolute = host[strlen(host) - 1] == '.'; /* not empty: normalize refused that */
    nwi_retain(r);                               /* until start_run ran */
    nwi_serial_push(&resolver->serial, &r->start_task);
    return r;
}

void *nwi_resolve_cancel(struct nwi_resolution *r) {
    if (r == NULL)
        return NULL;
    r->client.canceled = true;
    if (r->client.remaining > 0) {
        nwi_retain(r); /* until cancel_run ran */
        nwi_serial_push(&r->resolver->serial, &r->cancel_task);
    }
    return nwi_release(r);
}

/* --- resolvers --- */
static void resolver_destroy(void *object) {
    struct nwi_resolver *resolver = object;
    nwi_cache_free(resolver->inside.cache);
    nwi_hosts_free(resolver->inside.hosts);
    nwi_free(resolver->resolv_conf);
    nwi_free(resolver->hosts_path);
}
static const struct nwi_type resolver_type = {
    .name = "resolver", .size = sizeof(struct nwi_resolver), .destroy = resolver_destroy};

/* Replaces the channel; lookups under way move to the new one. */
static void reopen(struct nwi_resolver *resolver) {
    nwi_cache_flush(resolver->inside.cache);
    resolver->inside.channel = nwi_channel_close(resolver->inside.channel);
    struct nwi_channel *channel = NULL;
    if (nwi_channel_open(&resolver->settings, &resolver->serial, resolver->loop, resolver,
                         &channel) == 0)
        resolver->inside.channel = channel;
    nwi_lookup_restart_all(resolver);
}

void nwi_resolver_refresh(struct nwi_resolver *resolver) {
    if (nwi_mark_changed(&resolver->inside.hosts_mark, resolver->hosts_path)) {
        struct nwi_hosts *hosts = nwi_hosts_load(resolver->hosts_path);
        if (hosts != NULL) {
            nwi_hosts_free(resolver->inside.hosts);
            resolver->inside.hosts = hosts;
        } else {
            resolver->inside.hosts_mark.known =
                false; /* no memory or descriptor: the old table serves, and we try again */
        }
        nwi_cache_flush(resolver->inside.cache);
    }
    bool changed = nwi_mark_changed(&resolver->inside.resolv_mark, resolver->resolv_conf);
    if (changed || resolver->inside.channel == NULL)
        reopen(resolver);
}

static void flush_run(struct nwi_task *task) {
    struct nwi_resolver *resolver = nwi_container_of(task, struct nwi_resolver, flush_task);
    atomic_store(&resolver->flush_waiting, false);
    if (!resolver->inside.closed && resolver->inside.channel != NULL)
        reopen(resolver);
    nwi_release(resolver);
}

static void close_run(struct nwi_task *task) {
    struct nwi_resolver *resolver = nwi_container_of(task, struct nwi_resolver, close_task);
    resolver->inside.closed = true;
    resolver->inside.channel = nwi_channel_close(resolver->inside.channel);
    nwi_lookup_restart_all(resolver);
    nwi_release(resolver); /* the caller's reference */
}

struct nwi_resolver *nwi_resolver_create(const struct nwi_resolver_config *config) {
    static const struct nwi_resolver_config plain;
    if (config == NULL)
        config = &plain;
    struct nwi_resolver *resolver = nwi_object_create(&resolver_type, 0);
    if (resolver == NULL)
        return NULL;
    resolver->resolv_conf =
        nwi_strdup(config->resolv_conf != NULL ? config->resolv_conf : "/etc/resolv.conf");
    resolver->hosts_path = nwi_strdup(config->hosts != NULL ? config->hosts : "/etc/hosts");
    resolver->inside.cache = nwi_cache_create(0);
    if (resolver->resolv_conf == NULL || resolver->hosts_path == NULL ||
        resolver->inside.cache == NULL)
        return nwi_release(resolver);
    nwi_policy_read(config->gai_conf != NULL ? config->gai_conf : "/etc/gai.conf",
                    &resolver->policy);
    resolver->settings = (struct nwi_channel_settings){
        .resolv_conf = resolver->resolv_conf,
        .server_port = config->server_port,
        .timeout_ms = config->timeout_ms,
        .tries = config->tries,
    };
    resolver->max_lookups = config->max_lookups != 0 ? config->max_lookups : MAX_LOOKUPS;
    resolver->flush_task.run = flush_run;
    resolver->close_task.run = close_run;
    TAILQ_INIT(&resolver->inside.active);
    TAILQ_INIT(&resolver->inside.waiting);
    resolver->loop = nwi_loop_pick_for_io();
    nwi_serial_init(&resolver->serial, resolver->loop, resolver);
    return resolver;
}

void *nwi_resolver_close(struct nwi_resolver *resolver) {
    if (resolver != NULL)
        nwi_serial_push(&resolver->serial, &resolver->close_task);
    return NULL;
}

void nwi_resolver_flush(struct nwi_resolver *resolver) {
    if (atomic_exchange(&resolver->flush_waiting, true))
        return;
    nwi_retain(resolver); /* until flush_run ran */
    nwi_serial_push(&resolver->serial, &resolver->flush_task);
}

/* The process's own, made at first use and never freed. NULL when memory ran out; then tried again
 * next time. */
static struct nwi_resolver *own;
static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;

static struct nwi_resolver *own_resolver(void) {
    pthread_mutex_lock(&own_lock);
    if (own == NULL)
        own = nwi_resolver_create(NULL);
    struct nwi_resolver *resolver = own;
    pthread_mutex_unlock(&own_lock);
    return resolver;
}

void nwi_resolver_network_changed(void) {
    pthread_mutex_lock(&own_lock);
    struct nwi_resolver *resolver = own;
    pthread_mutex_unlock(&own_lock);
    if (resolver != NULL)
        nwi_resolver_flush(resolver);
}
