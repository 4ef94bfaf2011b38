/*
 * private.h - what the files of src/resolver share. Nobody else includes it.
 * Owns:   see each field.
 */
#ifndef NWI_RESOLVER_PRIVATE_H
#define NWI_RESOLVER_PRIVATE_H

#include "base/object.h"
#include "dispatch/serial.h"
#include "resolver/answer.h"
#include "resolver/cache.h"
#include "resolver/channel.h"
#include "resolver/hosts.h"
#include "resolver/mark.h"
#include "resolver/policy.h"
#include "resolver/resolver.h"
#include <sys/queue.h>

struct lookup;
TAILQ_HEAD(nwi_lookups, lookup);
TAILQ_HEAD(nwi_resolutions, nwi_resolution);

struct nwi_resolver {
    struct nwi_object base;
    struct nwi_serial serial; /* the resolver's context */
    struct nwi_loop *loop;
    char *resolv_conf, *hosts_path; /* set once, owned */
    struct nwi_policy policy;       /* set once: of the gai.conf at creation */
    struct nwi_channel_settings settings;
    unsigned max_lookups;
    struct nwi_task flush_task, close_task;
    _Atomic bool flush_waiting;      /* flush_task is on its way */
    struct {                         /* touched in the resolver's context only */
        struct nwi_channel *channel; /* NULL before the first lookup, and after a failure to open */
        struct nwi_mark resolv_mark, hosts_mark;
        struct nwi_hosts *hosts;
        struct nwi_cache *cache;
        struct nwi_lookups active, waiting; /* asking; standing in line. A reference on each */
        unsigned active_count;
        bool closed;
    } inside;
};

enum { FAMILY_V6, FAMILY_V4, FAMILY_COUNT }; /* index of a family; also the order of asking */
static inline int nwi_family_of(int index) {
    return index == FAMILY_V6 ? AF_INET6 : AF_INET;
}

/* What one family of a resolution was answered. Written by the resolver before `task` is pushed,
 * read in the caller's context. */
struct nwi_part {
    struct nwi_task task;
    struct nwi_answer *answer; /* owned; NULL: no memory for one */
    enum nwi_resolve_source source;
    uint32_t ttl;
    nwi_ns duration;
};

struct nwi_resolution {
    struct nwi_object base;
    struct nwi_resolver *resolver; /* retained */
    struct nwi_serial *context;    /* the caller's; its owner is retained */
    nwi_resolve_fn handler;
    void *handler_context;
    struct nwi_resolve_options options;
    nwi_ns started;
    bool wanted[FAMILY_COUNT];
    bool absolute; /* the name ended in a dot: no search list */
    struct nwi_part parts[FAMILY_COUNT];
    struct nwi_task start_task,
        cancel_task; /* to the resolver's context, a reference each while under way */
    struct {         /* the caller's context only */
        bool canceled;
        unsigned remaining; /* families not yet answered */
    } client;
    struct {                   /* the resolver's context only */
        struct lookup *lookup; /* the one waited for; borrowed */
        TAILQ_ENTRY(nwi_resolution) entry;
    } inside;
    char name[NWI_NAME_SIZE]; /* normalized */
};

/* Gives one family its answer (borrowed; NULL = no memory) and sends it to the caller. Any thread,
 * once per family. */
void nwi_resolution_answer(struct nwi_resolution *resolution, int index, struct nwi_answer *answer,
                           enum nwi_resolve_source source, uint32_t ttl);

/* lookup.c, in the resolver's context. Answers from hosts or cache, or joins or starts a lookup,
 * which then holds a reference. */
void nwi_lookup_begin(struct nwi_resolver *resolver, struct nwi_resolution *resolution);
/* The resolution is no longer interested; the lookup goes on, for the cache. */
void nwi_lookup_leave(struct nwi_resolution *resolution);
/* The channel was closed or replaced: asks all that is open anew, or ends everything when the
 * resolver is closed. */
void nwi_lookup_restart_all(struct nwi_resolver *resolver);
/* Opens the channel and reads the hosts file, again where the files changed. */
void nwi_resolver_refresh(struct nwi_resolver *resolver);

/* rank.c: fills ranks, scopes and ports, and sorts; in the caller's context. `ret_sorted` has room
 * for NWI_ANSWER_MAX. Returns how many. */
size_t nwi_rank(const struct nwi_answer *answer, const struct nwi_resolve_options *options,
                const struct nwi_policy *policy, struct nwi_resolved *ret_sorted);

#endif
