/*
 * timeline_report.c - the establishment report, read out of the record of events.
 * What:   the round that ended in `ready`: when it began, how its name was resolved, how long the
 *         attempt that won took. A round is what the report calls an attempt: from preparing to
 *         waiting or ready.
 * Source: semantics of nw_establishment_report_*.
 * Runs:   any thread; under the record's lock while it reads.
 * Owns:   nothing; the report owns what it shows.
 */
#include "establish/timeline_private.h"
#include "model/endpoint.h"
#include "model/establishment_report.h"

/* Places in the record; -1: none. */
struct round {
    int64_t start, question, first_attempt, won_attempt, handshake, ready;
};

static bool is(const struct nwi_timeline_record *record, enum nwi_timeline_event event) {
    return record->event == event;
}

static bool is_same_branch(struct nwi_branch a, struct nwi_branch b) {
    return a.first == b.first && a.second == b.second;
}

static struct round find_round(const struct nwi_timeline *timeline) {
    struct round round = {-1, -1, -1, -1, -1, -1};
    const struct nwi_timeline_record *records = timeline->records;
    for (int64_t i = (int64_t)timeline->count - 1; i >= 0 && round.ready < 0; i--)
        if (is(&records[i], NWI_EVENT_READY))
            round.ready = i;
    for (int64_t i = round.ready - 1; i >= 0 && round.start < 0; i--) {
        if (is(&records[i], NWI_EVENT_START))
            round.start = i;
        else if (is(&records[i], NWI_EVENT_RESOLVE_START))
            round.question = i;
        else if (is(&records[i], NWI_EVENT_ATTEMPT_START))
            round.first_attempt = i;
        if (!is_same_branch(records[i].branch, records[round.ready].branch))
            continue;
        if (is(&records[i], NWI_EVENT_ATTEMPT_START) && round.won_attempt < 0)
            round.won_attempt = i;
        else if (is(&records[i], NWI_EVENT_HANDSHAKE_START) && round.won_attempt < 0)
            round.handshake = i;
    }
    return round;
}

static bool is_answer(const struct nwi_timeline_record *record) {
    return is(record, NWI_EVENT_ANSWER_AAAA) || is(record, NWI_EVENT_ANSWER_A);
}

static bool answers_with(const struct nwi_timeline_record *record, nw_endpoint_t address) {
    socklen_t length;
    const struct sockaddr *remote = nwi_endpoint_sockaddr(address, &length);
    return remote != NULL && record->domain == NWI_DOMAIN_INVALID &&
           is(record, remote->sa_family == AF_INET6 ? NWI_EVENT_ANSWER_AAAA : NWI_EVENT_ANSWER_A);
}

/* NULL: no memory, or the record has lost what belongs to it. */
static nw_resolution_report_t read_resolution(const struct nwi_timeline *timeline,
                                              const struct round *round) {
    const struct nwi_timeline_record *records = timeline->records;
    nw_resolution_report_t resolution = nwi_resolution_report_create();
    if (resolution == NULL)
        return NULL;
    resolution->successful = nwi_retain(records[round->ready].endpoint);
    resolution->preferred = nwi_retain(
        records[round->first_attempt >= 0 ? round->first_attempt : round->ready].endpoint);
    for (int64_t i = round->question + 1; i < round->ready; i++) {
        if (!is_answer(&records[i]))
            continue;
        if (records[i].domain == NWI_DOMAIN_INVALID)
            resolution->endpoint_count += records[i].count;
        if (!answers_with(&records[i], resolution->successful))
            continue;
        resolution->source = (nw_report_resolution_source_t)records[i].source;
        resolution->protocol = (nw_report_resolution_protocol_t)records[i].protocol;
        resolution->duration = records[i].at - records[round->question].at;
    }
    return resolution;
}

/* A Unix socket stands in TCP's place, but has no handshake. */
static bool shakes_hands(const struct nwi_timeline_record *ready) {
    socklen_t length;
    const struct sockaddr *remote = nwi_endpoint_sockaddr(ready->endpoint, &length);
    return remote == NULL || remote->sa_family != AF_UNIX;
}

/* A handshake of `protocol` from one record to the other. */
static void add_handshake(nw_establishment_report_t report, nw_protocol_definition_t protocol,
                          const struct nwi_timeline_record *from,
                          const struct nwi_timeline_record *to) {
    if (protocol != NULL)
        report->handshakes[report->handshake_count++] = (struct nwi_handshake){
            .protocol = protocol, .duration = to->at - from->at, .rtt = (nwi_ns)to->rtt * 1000};
}

static void read_handshakes(nw_establishment_report_t report, const struct nwi_timeline *timeline,
                            const struct round *round, nw_protocol_definition_t transport,
                            nw_protocol_definition_t above) {
    const struct nwi_timeline_record *ready = &timeline->records[round->ready];
    const struct nwi_timeline_record *connected =
        round->handshake >= 0 ? &timeline->records[round->handshake] : ready;
    if (round->won_attempt < 0)
        return;
    add_handshake(report, shakes_hands(ready) ? transport : NULL,
                  &timeline->records[round->won_attempt], connected);
    if (round->handshake >= 0)
        add_handshake(report, above, connected, ready);
}

static nw_establishment_report_t read_report(const struct nwi_timeline *timeline,
                                             nw_protocol_definition_t transport,
                                             nw_protocol_definition_t above) {
    struct round round = find_round(timeline);
    if (round.ready < 0)
        return NULL;
    nw_establishment_report_t report = nwi_establishment_report_create();
    if (report == NULL)
        return NULL;
    const struct nwi_timeline_record *ready = &timeline->records[round.ready];
    nwi_ns start = round.start >= 0 ? timeline->records[round.start].at : timeline->first;
    report->duration = ready->at - start;
    report->previous_attempts = timeline->failed_rounds;
    report->started_after = start - timeline->first;
    read_handshakes(report, timeline, &round, transport, above);
    if (round.question < 0)
        return report;
    report->resolution = read_resolution(timeline, &round);
    return report->resolution != NULL ? report : nwi_release(report);
}

nw_establishment_report_t nwi_timeline_report(struct nwi_timeline *timeline,
                                              nw_protocol_definition_t transport,
                                              nw_protocol_definition_t above) {
    if (timeline == NULL)
        return NULL;
    pthread_mutex_lock(&timeline->lock);
    nw_establishment_report_t report = read_report(timeline, transport, above);
    pthread_mutex_unlock(&timeline->lock);
    return report;
}
