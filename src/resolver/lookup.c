/*
 * lookup.c - one name on its way: hosts file, cache, search list, questions, answers for all who
 * wait.
 * What:   resolutions of the same name share one lookup. It asks AAAA and A of one candidate name
 *         at a time; the next candidate of the search list comes only when neither family has
 *         anything, so both families of an answer always belong to one name.
 * Source: resolv.conf(5) (search, ndots); RFC 1035; RFC 4074 (servers that deny a name for one
 *         family only).
 * Runs:   in the resolver's context.
 * Owns:   a reference on each resolution that waits; one on itself per question under way.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "resolver/private.h"
#include <ares.h>
#include <stdio.h>
#include <string.h>

enum state {
    UNWANTED, /* this family is not asked for */
    IDLE,     /* to be asked */
    ASKING,   /* a question is under way */
    EMPTY,    /* this candidate has nothing; the other family, or the next candidate, decides */
    DONE,     /* answered */
};

struct part {
    struct lookup *lookup;
    enum state state;
    int index;                 /* FAMILY_V6, FAMILY_V4 */
    struct nwi_answer *answer; /* EMPTY: the best so far, DONE: final; owned; NULL = no memory */
};

struct lookup {
    struct nwi_object base;
    struct nwi_resolver *resolver; /* borrowed: the lookup is in its lists */
    TAILQ_ENTRY(lookup) entry;
    struct nwi_resolutions waiters;
    struct part parts[FAMILY_COUNT];
    size_t candidate; /* place in the search list */
    bool active;      /* in resolver->inside.active, not .waiting */
    bool absolute;
    bool ended; /* out of the lists */
    char name[NWI_NAME_SIZE];
};

static void lookup_destroy(void *object) {
    struct lookup *lookup = object;
    for (int i = 0; i < FAMILY_COUNT; i++)
        nwi_release(lookup->parts[i].answer);
}
static const struct nwi_type lookup_type = {
    .name = "dns lookup", .size = sizeof(struct lookup), .destroy = lookup_destroy};

static void start_waiting(struct nwi_resolver *resolver);
static void ask(struct lookup *lookup);

/* --- answers out --- */
static void end_lookup(struct lookup *lookup) {
    struct nwi_resolver *resolver = lookup->resolver;
    struct nwi_resolution *waiter;
    if (lookup->ended)
        return;
    lookup->ended = true;
    while ((waiter = TAILQ_FIRST(&lookup->waiters)) != NULL) {
        TAILQ_REMOVE(&lookup->waiters, waiter, inside.entry);
        waiter->inside.lookup = NULL;
        nwi_release(waiter);
    }
    TAILQ_REMOVE(lookup->active ? &resolver->inside.active : &resolver->inside.waiting, lookup,
                 entry);
    if (lookup->active)
        resolver->inside.active_count--;
    nwi_release(lookup);
}

static void finish_part(struct part *part) {
    struct lookup *lookup = part->lookup;
    struct nwi_resolution *waiter;
    struct nwi_answer *answer = part->answer;
    part->state = DONE;
    uint32_t ttl = answer != NULL ? answer->ttl : 0;
    if (ttl != 0) { /* one cache entry per spelling: with and without the search list */
        char key[NWI_NAME_SIZE + 1];
        snprintf(key, sizeof key, "%s%s", lookup->name, lookup->absolute ? "." : "");
        nwi_cache_put(lookup->resolver->inside.cache, key, answer, nwi_now());
    }
    TAILQ_FOREACH (waiter, &lookup->waiters, inside.entry)
        nwi_resolution_answer(waiter, part->index, answer, NWI_RESOLVED_QUERY, ttl);
}

/* --- candidates --- */
static unsigned count_dots(const char *name) {
    unsigned dots = 0;
    for (; *name != '\0'; name++)
        dots += *name == '.';
    return dots;
}

static size_t candidate_count(const struct lookup *lookup) {
    return lookup->absolute ? 1 : 1 + nwi_channel_domain_count(lookup->resolver->inside.channel);
}

/* False when the name would be too long to exist. */
static bool candidate_name(const struct lookup *lookup, char *ret, size_t size) {
    const struct nwi_channel *channel = lookup->resolver->inside.channel;
    size_t domains = lookup->absolute ? 0 : nwi_channel_domain_count(channel);
    bool plain_first = domains == 0 || count_dots(lookup->name) >= nwi_channel_ndots(channel);
    size_t plain = plain_first ? 0 : domains;
    const char *domain = "";
    if (lookup->candidate != plain)
        domain = nwi_channel_domain(channel, lookup->candidate - (plain_first ? 1 : 0));
    if (strcmp(domain, ".") == 0) /* "search ." names the root */
        domain = "";
    int length = snprintf(ret, size, "%s%s%s", lookup->name, domain[0] != '\0' ? "." : "", domain);
    return length > 0 && (size_t)length < size;
}

/* --- answers in --- */
/* After any change: what is decided is delivered, the next candidate asked, the end reached. May
 * end the lookup; the caller holds a reference. */
static void settle(struct lookup *lookup) {
    unsigned asking = 0, done = 0, empty = 0, wanted = 0;
    for (int i = 0; i < FAMILY_COUNT; i++) {
        enum state state = lookup->parts[i].state;
        wanted += state != UNWANTED;
        asking += state == ASKING || state == IDLE;
        done += state == DONE;
        empty += state == EMPTY;
    }
    bool last = lookup->candidate + 1 >= candidate_count(lookup);
    if (empty > 0 && !last && done == 0) {
        if (asking > 0)
            return; /* the other family may yet show that the name exists */
        lookup->candidate++;
        for (int i = 0; i < FAMILY_COUNT; i++) {
            if (lookup->parts[i].state == EMPTY)
                lookup->parts[i].state = IDLE;
        }
        ask(lookup);
        return;
    }
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (lookup->parts[i].state == EMPTY) {
            finish_part(&lookup->parts[i]);
            done++;
        }
    }
    if (done == wanted) {
        end_lookup(lookup);
        start_waiting(lookup->resolver);
    }
}

/* Nothing here, but perhaps under the next name: c-ares's own search goes on in the same cases. */
static bool is_empty(int status) {
    return status == ARES_ENODATA || status == ARES_ENOTFOUND || status == ARES_ESERVFAIL;
}

static void take_answer(struct part *part, struct nwi_answer *answer, bool empty) {
    bool keep_old =
        empty && part->answer != NULL && part->answer->err != nwi_dns(NWI_DNS_NO_SUCH_RECORD);
    if (keep_old) { /* a server's failure earlier in the list tells more than "no such name" at its
                       end */
        nwi_release(answer);
    } else {
        nwi_release(part->answer);
        part->answer = answer;
    }
    part->state = empty ? EMPTY : DONE;
    if (!empty)
        finish_part(part);
}

static void on_message(void *context, int status, const unsigned char *message, size_t size) {
    struct part *part = context;
    struct lookup *lookup = part->lookup;
    if (status == ARES_EDESTRUCTION) { /* nwi_lookup_restart_all follows */
        part->state = IDLE;
        nwi_release(lookup);
        return;
    }
    struct nwi_answer *answer =
        nwi_answer_from_message(nwi_family_of(part->index), status, message, size);
    if (answer != NULL && message != NULL)
        answer->protocol = (uint8_t)nwi_channel_protocol(lookup->resolver->inside.channel);
    nwi_log(NWI_LOG_DEBUG, "resolver", "answer", "%s %s: %s", lookup->name,
            part->index == FAMILY_V6 ? "AAAA" : "A",
            answer == NULL     ? "no memory"
            : answer->err != 0 ? nwi_err_text(answer->err)
                               : "found");
    bool empty =
        is_empty(status) || (answer != NULL && answer->err == nwi_dns(NWI_DNS_NO_SUCH_RECORD));
    take_answer(part, answer, empty);
    settle(lookup);
    nwi_release(lookup);
}

/* Asks for every family that is IDLE. Answers may come inside (a name that cannot be asked, no
 * memory). */
static void ask(struct lookup *lookup) {
    char name[NWI_NAME_SIZE];
    bool fits = candidate_name(lookup, name, sizeof name);
    bool idle[FAMILY_COUNT];
    nwi_retain(lookup);
    for (int i = 0; i < FAMILY_COUNT; i++) {
        idle[i] = lookup->parts[i].state == IDLE;
        if (idle[i])
            lookup->parts[i].state = ASKING;
    }
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (!idle[i])
            continue;
        nwi_retain(lookup); /* given back by on_message */
        if (fits)
            nwi_channel_query(lookup->resolver->inside.channel, name, nwi_family_of(i), on_message,
                              &lookup->parts[i]);
        else
            on_message(&lookup->parts[i], ARES_ENOTFOUND, NULL, 0);
    }
    nwi_release(lookup);
}

/* --- beginning --- */
static void fail(struct lookup *lookup, nwi_err err) {
    nwi_retain(lookup);
    for (int i = 0; i < FAMILY_COUNT; i++) {
        struct part *part = &lookup->parts[i];
        if (part->state == UNWANTED || part->state == DONE)
            continue;
        take_answer(part, nwi_answer_create_error(nwi_family_of(i), err, 0), false);
    }
    end_lookup(lookup);
    nwi_release(lookup);
}

static void start_waiting(struct nwi_resolver *resolver) {
    struct lookup *lookup;
    while (resolver->inside.active_count < resolver->max_lookups &&
           (lookup = TAILQ_FIRST(&resolver->inside.waiting)) != NULL) {
        TAILQ_REMOVE(&resolver->inside.waiting, lookup, entry);
        TAILQ_INSERT_TAIL(&resolver->inside.active, lookup, entry);
        lookup->active = true;
        resolver->inside.active_count++;
        if (resolver->inside.channel != NULL)
            ask(lookup);
        else
            fail(lookup, nwi_dns(NWI_DNS_SERVICE_NOT_RUNNING));
    }
}

static bool same_question(const struct lookup *lookup, const struct nwi_resolution *resolution) {
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if ((lookup->parts[i].state != UNWANTED) != resolution->wanted[i])
            return false;
    }
    return lookup->absolute == resolution->absolute && strcmp(lookup->name, resolution->name) == 0;
}

static struct lookup *find_lookup(struct nwi_lookups *list,
                                  const struct nwi_resolution *resolution) {
    struct lookup *lookup;
    TAILQ_FOREACH (lookup, list, entry) {
        if (same_question(lookup, resolution))
            return lookup;
    }
    return NULL;
}

static void join(struct lookup *lookup, struct nwi_resolution *resolution) {
    TAILQ_INSERT_TAIL(&lookup->waiters, resolution, inside.entry);
    nwi_retain(resolution);
    resolution->inside.lookup = lookup;
    for (int i = 0; i < FAMILY_COUNT; i++) { /* what came before it joined */
        struct part *part = &lookup->parts[i];
        if (part->state == DONE)
            nwi_resolution_answer(resolution, i, part->answer, NWI_RESOLVED_QUERY,
                                  part->answer != NULL ? part->answer->ttl : 0);
    }
}

static struct lookup *create_lookup(struct nwi_resolver *resolver,
                                    const struct nwi_resolution *resolution) {
    struct lookup *lookup = nwi_object_create(&lookup_type, 0);
    if (lookup == NULL)
        return NULL;
    lookup->resolver = resolver;
    lookup->absolute = resolution->absolute;
    memcpy(lookup->name, resolution->name, sizeof lookup->name);
    TAILQ_INIT(&lookup->waiters);
    for (int i = 0; i < FAMILY_COUNT; i++)
        lookup->parts[i] = (struct part){
            .lookup = lookup, .index = i, .state = resolution->wanted[i] ? IDLE : UNWANTED};
    TAILQ_INSERT_TAIL(&resolver->inside.waiting, lookup, entry); /* takes over the reference */
    return lookup;
}

/* A name that stands in the hosts file is answered by it alone, also "no address of that family".
 */
static bool answer_from_hosts(struct nwi_resolver *resolver, struct nwi_resolution *resolution) {
    union nwi_inet found[NWI_ANSWER_MAX];
    if (resolver->inside.hosts == NULL)
        return false;
    size_t count = nwi_hosts_find(resolver->inside.hosts, resolution->name, found, NWI_ANSWER_MAX);
    if (count == 0)
        return false;
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (!resolution->wanted[i])
            continue;
        struct nwi_answer *answer = nwi_answer_create(nwi_family_of(i), found, count, 0);
        nwi_resolution_answer(resolution, i, answer, NWI_RESOLVED_HOSTS, 0);
        nwi_release(answer);
    }
    return true;
}

/* All families or none: half an answer from before and half from now might belong to different
 * names. */
static bool answer_from_cache(struct nwi_resolver *resolver, struct nwi_resolution *resolution) {
    struct nwi_answer *found[FAMILY_COUNT] = {NULL};
    uint32_t ttl[FAMILY_COUNT];
    char key[NWI_NAME_SIZE + 1];
    snprintf(key, sizeof key, "%s%s", resolution->name, resolution->absolute ? "." : "");
    nwi_ns now = nwi_now();
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (!resolution->wanted[i])
            continue;
        found[i] = nwi_cache_get(resolver->inside.cache, key, nwi_family_of(i), now, &ttl[i]);
        if (found[i] == NULL)
            return false;
    }
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (found[i] != NULL)
            nwi_resolution_answer(resolution, i, found[i], NWI_RESOLVED_CACHE, ttl[i]);
    }
    return true;
}

static void answer_all(struct nwi_resolution *resolution, nwi_err err) {
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (!resolution->wanted[i])
            continue;
        struct nwi_answer *answer = nwi_answer_create_error(nwi_family_of(i), err, 0);
        nwi_resolution_answer(resolution, i, answer, NWI_RESOLVED_QUERY, 0);
        nwi_release(answer);
    }
}

void nwi_lookup_begin(struct nwi_resolver *resolver, struct nwi_resolution *resolution) {
    if (resolver->inside.closed) {
        answer_all(resolution, NWI_ERR_CANCELED);
        return;
    }
    nwi_resolver_refresh(resolver);
    if (answer_from_hosts(resolver, resolution) || answer_from_cache(resolver, resolution))
        return;
    struct lookup *lookup = find_lookup(&resolver->inside.active, resolution);
    if (lookup == NULL)
        lookup = find_lookup(&resolver->inside.waiting, resolution);
    if (lookup == NULL)
        lookup = create_lookup(resolver, resolution);
    if (lookup == NULL) {
        answer_all(resolution, nwi_dns(NWI_DNS_NO_MEMORY));
        return;
    }
    join(lookup, resolution);
    start_waiting(resolver);
}

void nwi_lookup_leave(struct nwi_resolution *resolution) {
    struct lookup *lookup = resolution->inside.lookup;
    if (lookup == NULL)
        return;
    resolution->inside.lookup = NULL;
    TAILQ_REMOVE(&lookup->waiters, resolution, inside.entry);
    nwi_release(resolution);
    if (TAILQ_EMPTY(&lookup->waiters) && !lookup->active)
        end_lookup(lookup); /* nobody asked yet, nobody cares any more */
}

/* The search list may be another one now, so a name of which nothing is known yet starts at its
 * beginning. */
static void restart(struct lookup *lookup) {
    bool fresh = true;
    for (int i = 0; i < FAMILY_COUNT; i++)
        fresh = fresh && lookup->parts[i].state != DONE;
    for (int i = 0; fresh && i < FAMILY_COUNT; i++) {
        struct part *part = &lookup->parts[i];
        if (part->state == EMPTY)
            part->state = IDLE;
        part->answer = nwi_release(part->answer);
    }
    if (fresh)
        lookup->candidate = 0;
    else if (lookup->candidate >= candidate_count(lookup))
        lookup->candidate = candidate_count(lookup) - 1;
    ask(lookup);
}

void nwi_lookup_restart_all(struct nwi_resolver *resolver) {
    struct lookup *lookup, *next;
    nwi_err err = resolver->inside.closed ? NWI_ERR_CANCELED : nwi_dns(NWI_DNS_SERVICE_NOT_RUNNING);
    if (resolver->inside.channel == NULL) {
        while ((lookup = TAILQ_FIRST(&resolver->inside.active)) != NULL ||
               (lookup = TAILQ_FIRST(&resolver->inside.waiting)) != NULL)
            fail(lookup, err);
        return;
    }
    /* Asking may answer at once and so end this lookup, and start others at the end of the list:
     * those ask the new channel already and are not reached, since only the ones that were here now
     * are counted. */
    unsigned count = resolver->inside.active_count;
    for (lookup = TAILQ_FIRST(&resolver->inside.active); lookup != NULL && count > 0;
         lookup = next, count--) {
        next = TAILQ_NEXT(lookup, entry);
        restart(lookup);
    }
}
