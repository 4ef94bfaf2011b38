/*
 * tree_notes.c - what happens while a connection is established, told to its timeline and the log.
 * Runs:   in the protocol context of the establishment.
 * Owns:   nothing.
 */
#include "base/log.h"
#include "establish/tree_private.h"
#include "model/endpoint.h"

static const struct nwi_branch root = {0, 0}, resolver = {1, 0};

static void note_entry(struct nwi_establishment *establishment,
                       const struct nwi_timeline_entry *entry) {
    char name[NWI_BRANCH_NAME_SIZE], text[NWI_ENDPOINT_TEXT_SIZE], why[160];
    nwi_timeline_add(establishment->timeline, nwi_now(), entry);
    if (!nwi_log_enabled(NWI_LOG_DEBUG))
        return;
    const char *word = nwi_timeline_event_name(entry->event);
    nwi_log(NWI_LOG_DEBUG, nwi_branch_name(entry->branch, establishment->name, name), word,
            "%s %s%s%s", word,
            entry->endpoint != NULL ? nwi_endpoint_text(entry->endpoint, text, sizeof text) : "",
            entry->err != 0 ? ": " : "",
            entry->err != 0 ? nwi_err_format(entry->err, why, sizeof why) : "");
}

void nwi_establishment_note(struct nwi_establishment *establishment, enum nwi_timeline_event event,
                            nwi_err err) {
    struct nwi_branch branch = event == NWI_EVENT_RESOLVE_START ? resolver : root;
    note_entry(establishment, &(struct nwi_timeline_entry){.branch = branch,
                                                           .event = event,
                                                           .endpoint = establishment->endpoint,
                                                           .err = err});
}

static struct nwi_timeline_entry attempt_entry(const struct attempt *attempt,
                                               enum nwi_timeline_event event) {
    uint8_t number = attempt->number != 0 ? (uint8_t)attempt->number : 1;
    return (struct nwi_timeline_entry){
        .branch = attempt->establishment->resolved ? (struct nwi_branch){resolver.first, number}
                                                   : (struct nwi_branch){number, 0},
        .event = event,
        .endpoint = attempt->remote,
    };
}

void nwi_attempt_note(const struct attempt *attempt, enum nwi_timeline_event event, nwi_err err) {
    struct nwi_timeline_entry entry = attempt_entry(attempt, event);
    entry.err = err;
    note_entry(attempt->establishment, &entry);
}

void nwi_attempt_note_rtt(const struct attempt *attempt, enum nwi_timeline_event event,
                          nwi_ns rtt) {
    struct nwi_timeline_entry entry = attempt_entry(attempt, event);
    entry.rtt = rtt;
    note_entry(attempt->establishment, &entry);
}

void nwi_establishment_note_answer(struct nwi_establishment *establishment,
                                   const struct nwi_resolve_answer *answer) {
    note_entry(establishment,
               &(struct nwi_timeline_entry){
                   .branch = resolver,
                   .event = answer->family == AF_INET6 ? NWI_EVENT_ANSWER_AAAA : NWI_EVENT_ANSWER_A,
                   .endpoint = establishment->endpoint,
                   .err = answer->err,
                   /* What this host knows by itself counts as remembered: nobody was asked. */
                   .source = answer->source == NWI_RESOLVED_QUERY
                                 ? nw_report_resolution_source_query
                                 : nw_report_resolution_source_cache,
                   .protocol = (nw_report_resolution_protocol_t)answer->protocol,
                   .count = (uint32_t)answer->count,
               });
}
