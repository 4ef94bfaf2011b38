/*
 * timeline.c - see timeline.h and <Network/establishment_timeline.h>.
 * What:   the record that grows, and the snapshot of it that the public calls read.
 * Runs:   any thread.
 * Owns:   per event a reference to the endpoint (the snapshot also to the error).
 */
#include "establish/timeline.h"
#include "base/alloc.h"
#include "base/callback.h"
#include "establish/timeline_private.h"
#include "model/error.h"
#include <stdio.h>
#include <string.h>

enum { FIRST_ROOM = 4 };

static const char *const event_name[NWI_EVENT_COUNT] = {
    [NWI_EVENT_START] = "start",
    [NWI_EVENT_RESOLVE_START] = "resolve-start",
    [NWI_EVENT_ANSWER_AAAA] = "answer-aaaa",
    [NWI_EVENT_ANSWER_A] = "answer-a",
    [NWI_EVENT_ATTEMPT_START] = "attempt-start",
    [NWI_EVENT_HANDSHAKE_START] = "handshake-start",
    [NWI_EVENT_ATTEMPT_FAILED] = "attempt-failed",
    [NWI_EVENT_ABANDONED] = "abandoned",
    [NWI_EVENT_READY] = "ready",
    [NWI_EVENT_FAILED] = "failed",
};

const char *nwi_timeline_event_name(enum nwi_timeline_event event) {
    return event_name[event];
}

const char *nwi_branch_name(struct nwi_branch branch, const char *root,
                            char name[NWI_BRANCH_NAME_SIZE]) {
    if (branch.first == 0)
        snprintf(name, NWI_BRANCH_NAME_SIZE, "%s", root);
    else if (branch.second == 0)
        snprintf(name, NWI_BRANCH_NAME_SIZE, "%s.%u", root, branch.first);
    else
        snprintf(name, NWI_BRANCH_NAME_SIZE, "%s.%u.%u", root, branch.first, branch.second);
    return name;
}

static void destroy_timeline(void *object) {
    struct nwi_timeline *timeline = object;
    for (size_t i = 0; i < timeline->count; i++)
        nwi_release(timeline->records[i].endpoint);
    nwi_free(timeline->records);
    pthread_mutex_destroy(&timeline->lock);
}

static const struct nwi_type timeline_type = {
    .name = "nwi_timeline", .size = sizeof(struct nwi_timeline), .destroy = destroy_timeline};

struct nwi_timeline *nwi_timeline_create(void) {
    struct nwi_timeline *timeline = nwi_object_create(&timeline_type, 0);
    if (timeline != NULL)
        pthread_mutex_init(&timeline->lock, NULL); /* default attributes: cannot fail on Linux */
    return timeline;
}

/* False: no memory; the records stay as they are. */
static bool set_room(struct nwi_timeline *timeline, uint32_t room) {
    struct nwi_timeline_record *records = nwi_realloc(timeline->records, room * sizeof records[0]);
    if (records == NULL)
        return false;
    timeline->records = records;
    timeline->room = room;
    return true;
}

/* Room for one more. False: no memory. */
static bool make_room(struct nwi_timeline *timeline) {
    if (timeline->count == NWI_TIMELINE_CAPACITY) { /* bounded, however long a connection tries */
        enum { HALF = NWI_TIMELINE_CAPACITY / 2 };
        for (size_t i = 0; i < HALF; i++)
            nwi_release(timeline->records[i].endpoint);
        memmove(timeline->records, timeline->records + HALF, HALF * sizeof timeline->records[0]);
        timeline->count -= HALF;
        timeline->dropped += HALF;
    }
    if (timeline->count < timeline->room)
        return true;
    return set_room(timeline, timeline->room == 0 ? FIRST_ROOM : 2 * timeline->room);
}

static struct nwi_timeline_record pack(const struct nwi_timeline_entry *entry, nwi_ns at) {
    struct nwi_timeline_record record = {
        .at = at,
        .endpoint = nwi_retain(entry->endpoint),
        .domain = (uint8_t)nwi_err_domain(entry->err),
        .source = (uint8_t)entry->source,
        .protocol = (uint8_t)entry->protocol,
        .event = (uint8_t)entry->event,
        .branch = entry->branch,
    };
    nwi_ns rtt = entry->rtt / 1000;
    if (entry->err != 0)
        record.error_code = nwi_err_code(entry->err);
    else if (entry->event == NWI_EVENT_READY || entry->event == NWI_EVENT_HANDSHAKE_START)
        record.rtt = rtt < UINT32_MAX ? (uint32_t)rtt : UINT32_MAX;
    else
        record.count = entry->count;
    return record;
}

void nwi_timeline_add(struct nwi_timeline *timeline, nwi_ns now,
                      const struct nwi_timeline_entry *entry) {
    if (timeline == NULL)
        return;
    pthread_mutex_lock(&timeline->lock);
    if (timeline->count == 0 && timeline->dropped == 0)
        timeline->first = now;
    if (entry->event == NWI_EVENT_FAILED)
        timeline->failed_rounds++;
    if (make_room(timeline)) {
        nwi_ns last = timeline->count > 0 ? timeline->records[timeline->count - 1].at : now;
        timeline->records[timeline->count++] = pack(entry, now > last ? now : last);
    } else {
        timeline->dropped++;
    }
    pthread_mutex_unlock(&timeline->lock);
}

void nwi_timeline_record(struct nwi_timeline *timeline, nwi_ns now, struct nwi_branch branch,
                         enum nwi_timeline_event event, nw_endpoint_t endpoint, nwi_err err) {
    nwi_timeline_add(timeline, now,
                     &(struct nwi_timeline_entry){
                         .branch = branch, .event = event, .endpoint = endpoint, .err = err});
}

void nwi_timeline_trim(struct nwi_timeline *timeline) {
    if (timeline == NULL)
        return;
    pthread_mutex_lock(&timeline->lock);
    if (timeline->count > 0 && timeline->count < timeline->room)
        (void)set_room(timeline, timeline->count);
    pthread_mutex_unlock(&timeline->lock);
}

/* --- the snapshot --- */

struct event {
    uint64_t nanoseconds; /* since the first */
    char name[NWI_BRANCH_NAME_SIZE];
    const char *event;
    nw_endpoint_t endpoint; /* owned; may be NULL */
    nw_error_t error;       /* owned; NULL = none */
};

struct nw_establishment_timeline {
    struct nwi_object base;
    size_t count, missing;
    struct event events[];
};

static void destroy_snapshot(void *object) {
    nw_establishment_timeline_t snapshot = object;
    for (size_t i = 0; i < snapshot->count; i++) {
        nwi_release(snapshot->events[i].endpoint);
        nwi_release(snapshot->events[i].error);
    }
}

static const struct nwi_type snapshot_type = {.name = "nw_establishment_timeline",
                                              .size = sizeof(struct nw_establishment_timeline),
                                              .destroy = destroy_snapshot};

nw_establishment_timeline_t nwi_timeline_copy(struct nwi_timeline *timeline, const char *root) {
    if (timeline == NULL)
        return NULL;
    pthread_mutex_lock(&timeline->lock);
    nw_establishment_timeline_t snapshot =
        nwi_object_create(&snapshot_type, timeline->count * sizeof(struct event));
    for (size_t i = 0; snapshot != NULL && i < timeline->count; i++) {
        const struct nwi_timeline_record *record = &timeline->records[i];
        struct event *event = &snapshot->events[i];
        event->nanoseconds = record->at - timeline->first;
        nwi_branch_name(record->branch, root, event->name);
        event->event = event_name[record->event];
        event->endpoint = nwi_retain(record->endpoint);
        if (record->domain != NWI_DOMAIN_INVALID)
            event->error = nwi_error_create(
                nwi_err_make((enum nwi_err_domain)record->domain, record->error_code));
        snapshot->count++;
    }
    if (snapshot != NULL)
        snapshot->missing = timeline->dropped;
    pthread_mutex_unlock(&timeline->lock);
    return snapshot;
}

NW_EXPORT size_t nw_establishment_timeline_get_count(nw_establishment_timeline_t timeline) {
    return timeline != NULL ? timeline->count : 0;
}

NW_EXPORT size_t nw_establishment_timeline_get_missing(nw_establishment_timeline_t timeline) {
    return timeline != NULL ? timeline->missing : 0;
}

/* The callee may release the snapshot, so it is held. */
static void enumerate_events(nw_establishment_timeline_t timeline, struct nwi_callback callback,
                             const char *function) {
    if (!nwi_callback_can_walk(timeline, callback, function))
        return;
    bool more = true;
    nwi_retain(timeline);
    for (size_t i = 0; more && i < timeline->count; i++) {
        const struct event *event = &timeline->events[i];
        more = NWI_CALL(
            callback, bool, (uint64_t, const char *, const char *, nw_endpoint_t, nw_error_t),
            event->nanoseconds, event->name, event->event, event->endpoint, event->error);
    }
    nwi_release(timeline);
}

NW_EXPORT void nw_establishment_timeline_enumerate(nw_establishment_timeline_t timeline,
                                                   const void *block) {
    enumerate_events(timeline, nwi_callback_block_noescape(block), __func__);
}

NW_EXPORT void
nw_establishment_timeline_enumerate_f(nw_establishment_timeline_t timeline, void *context,
                                      nw_establishment_timeline_enumerator_f function) {
    enumerate_events(timeline, nwi_callback_f(context, (nwi_fn)function), __func__);
}
