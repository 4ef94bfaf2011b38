/*
 * tree.c - see tree.h.
 * Rules:  race.c decides; drive() carries its actions out until there are none and arms one alarm
 *         for its next deadline and those of handshakes above a transport. An action may report an
 *         event at once (a connect that is refused): drive() is then already running and takes it
 *         up itself.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/alarm.h"
#include "establish/assemble.h"
#include "establish/carriers.h"
#include "establish/race.h"
#include "establish/rtt.h"
#include "establish/tree_private.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/ip_options.h"
#include "model/parameters.h"
#include "path/monitor.h"
#include "resolver/resolver.h"
#include "sys/address.h"
#include <strings.h>
#include <sys/queue.h>

/* --- ends --- */

static void free_attempt(struct attempt *attempt) {
    LIST_REMOVE(attempt, link);
    if (attempt->chain != NULL) {
        nwi_chain_stop(attempt->chain, NWI_DISCONNECT_GRACEFUL, NWI_ERR_CANCELED);
        nwi_release(attempt->chain);
    }
    nwi_release(attempt->remote);
    nwi_free(attempt);
}

void nwi_establishment_cancel(struct nwi_establishment *establishment) {
    if (establishment->ended)
        return;
    establishment->ended = true;
    establishment->resolution = nwi_resolve_cancel(establishment->resolution);
    nwi_alarm_stop(&establishment->tick);
    struct attempt *attempt;
    while ((attempt = LIST_FIRST(&establishment->attempts)) != NULL) {
        nwi_attempt_note(attempt, NWI_EVENT_ABANDONED, 0);
        free_attempt(attempt);
    }
}

/* The round trip as the transport sees it now; without its estimate, what connecting it took. */
static nwi_ns learn_rtt(const struct attempt *attempt, const struct nwi_chain *chain) {
    return nwi_rtt_learn(attempt->remote, chain,
                         attempt->took != 0 ? attempt->took : nwi_now() - attempt->began);
}

static void succeed(struct attempt *winner) {
    struct nwi_establishment *establishment = winner->establishment;
    struct nwi_chain *chain = nwi_take(&winner->chain);
    establishment->early_sent = winner->early.sent;
    nwi_attempt_note_rtt(winner, NWI_EVENT_READY, learn_rtt(winner, chain));
    free_attempt(winner);
    nwi_establishment_cancel(establishment); /* the also-rans are closed at once */
    nwi_timeline_trim(establishment->timeline);
    establishment->events->ready(establishment->owner, chain);
}

static void fail(struct nwi_establishment *establishment, nwi_err err, bool permanent) {
    if (establishment->ended)
        return;
    nwi_establishment_cancel(establishment);
    nwi_establishment_note(establishment, NWI_EVENT_FAILED, err);
    establishment->events->failed(establishment->owner, err, permanent);
}

/* --- attempts --- */

static void drive(struct nwi_establishment *establishment);

static void attempt_connected(void *owner) {
    struct attempt *attempt = owner;
    struct nwi_establishment *establishment = attempt->establishment;
    if (attempt->number == 0) {
        succeed(attempt);
        return;
    }
    nwi_race_attempt_succeeded(&establishment->race, nwi_now(), attempt->number);
    drive(establishment);
}

static void attempt_failed(void *owner, nwi_err err) {
    struct attempt *attempt = owner;
    struct nwi_establishment *establishment = attempt->establishment;
    unsigned number = attempt->number;
    nwi_attempt_note(attempt, NWI_EVENT_ATTEMPT_FAILED, err);
    free_attempt(attempt);
    if (number == 0) {
        fail(establishment, err, false);
        return;
    }
    nwi_race_attempt_failed(&establishment->race, nwi_now(), number, err);
    drive(establishment);
}

static void begin_patience(struct attempt *attempt) {
    attempt->give_up = nwi_now() + nwi_assemble_patience(attempt->establishment->parameters);
}

static void attempt_progressed(void *owner, struct nwi_layer *layer) {
    struct attempt *attempt = owner;
    struct nwi_establishment *establishment = attempt->establishment;
    if (layer->below != NULL)
        return; /* only the transport's delays are the race's */
    attempt->took = nwi_now() - attempt->began;
    begin_patience(attempt);
    nwi_attempt_note_rtt(attempt, NWI_EVENT_HANDSHAKE_START, nwi_rtt_estimate(attempt->chain));
    if (attempt->number != 0)
        nwi_race_attempt_progressed(&establishment->race, nwi_now(), attempt->number);
    drive(establishment);
}

static bool attempt_asking(void *owner, bool begins) {
    struct attempt *attempt = owner;
    struct nwi_establishment *establishment = attempt->establishment;
    bool may = true;
    if (attempt->number != 0 && begins)
        may = nwi_race_attempt_asks(&establishment->race, nwi_now(), attempt->number);
    else if (attempt->number != 0)
        nwi_race_attempt_answered(&establishment->race, nwi_now(), attempt->number);
    if (begins)
        attempt->give_up = NWI_NEVER; /* the program takes what time it likes */
    else
        begin_patience(attempt);
    drive(establishment);
    return may;
}

static const struct nwi_chain_events attempt_events = {
    .connected = attempt_connected,
    .progress = attempt_progressed,
    .asking = attempt_asking,
    .failed = attempt_failed,
};

/* What one attempt is to do; addresses borrowed. */
struct order {
    unsigned number;
    nwi_err obstacle; /* it cannot even be made, and fails with this */
    struct nwi_assemble_target target;
};

static nwi_err start_chain(struct attempt *attempt, const struct order *order) {
    struct nwi_establishment *establishment = attempt->establishment;
    if (order->obstacle != 0)
        return order->obstacle;
    struct nwi_assemble_target target = order->target;
    attempt->early.content = establishment->early;
    target.early = &attempt->early;
    target.endpoint = establishment->endpoint;
    attempt->chain =
        nwi_chain_create(establishment->context, establishment->loop, establishment->context_owner);
    if (attempt->chain == NULL)
        return NWI_ERR_NOMEM;
    nwi_err err = nwi_assemble_client(attempt->chain, establishment->parameters, &target);
    if (err != 0)
        return err;
    nwi_chain_set_owner(attempt->chain, &attempt_events, attempt);
    return nwi_chain_connect(attempt->chain);
}

static void start_attempt(struct nwi_establishment *establishment, const struct order *order) {
    struct attempt *attempt = nwi_alloc(sizeof *attempt);
    unsigned number = order->number;
    if (attempt == NULL) {
        if (number == 0)
            fail(establishment, NWI_ERR_NOMEM, false);
        else
            nwi_race_attempt_failed(&establishment->race, nwi_now(), number, NWI_ERR_NOMEM);
        return;
    }
    attempt->establishment = establishment;
    attempt->number = number;
    attempt->began = nwi_now();
    attempt->give_up = NWI_NEVER;
    attempt->remote =
        number == 0 ? nwi_retain(establishment->endpoint)
                    : nwi_endpoint_from_sockaddr(order->target.remote, order->target.remote_length);
    LIST_INSERT_HEAD(&establishment->attempts, attempt, link);
    nwi_attempt_note(attempt, NWI_EVENT_ATTEMPT_START, 0);
    nwi_err err = start_chain(attempt, order);
    if (err != 0) /* otherwise an event tells how it ends, or has told already */
        attempt_failed(attempt, err);
}

/* The race hands back the code of an obstacle as the context of its address. */
static void start_by_race(struct nwi_establishment *establishment,
                          const struct nwi_race_action *action) {
    const struct nwi_race_address *address = action->address;
    start_attempt(
        establishment,
        &(struct order){
            .number = action->attempt,
            .obstacle = nwi_posix((int)(uintptr_t)address->context),
            .target = {.remote = &address->sockaddr.sa,
                       .remote_length = nwi_address_length(address->sockaddr.sa.sa_family),
                       .interface_index = address->interface},
        });
}

static struct attempt *find_attempt(struct nwi_establishment *establishment, unsigned number) {
    struct attempt *attempt;
    LIST_FOREACH (attempt, &establishment->attempts, link)
        if (attempt->number == number)
            return attempt;
    return NULL;
}

static void act(struct nwi_establishment *establishment, const struct nwi_race_action *action) {
    struct attempt *attempt = find_attempt(establishment, action->attempt);
    switch (action->kind) {
    case NWI_RACE_START:
        start_by_race(establishment, action);
        return;
    case NWI_RACE_ASK:
        begin_patience(attempt);
        nwi_chain_go_on(attempt->chain);
        return;
    case NWI_RACE_ABANDON:
        if (attempt != NULL) {
            nwi_attempt_note(attempt, NWI_EVENT_ABANDONED, 0);
            free_attempt(attempt);
        }
        return;
    case NWI_RACE_SUCCEEDED:
        succeed(attempt);
        return;
    case NWI_RACE_FAILED:
        fail(establishment, action->err, false);
        return;
    }
}

static void arm(struct nwi_establishment *establishment) {
    nwi_ns deadline = nwi_race_deadline(&establishment->race);
    const struct attempt *attempt;
    LIST_FOREACH (attempt, &establishment->attempts, link)
        if (attempt->give_up < deadline)
            deadline = attempt->give_up;
    if (deadline == NWI_NEVER)
        nwi_alarm_stop(&establishment->tick);
    else if (nwi_alarm_set(&establishment->tick, deadline) != 0)
        fail(establishment, NWI_ERR_NOMEM, false);
}

static void drive(struct nwi_establishment *establishment) {
    struct nwi_race_action action;
    if (establishment->driving || establishment->ended)
        return;
    nwi_retain(establishment);
    establishment->driving = true;
    while (!establishment->ended && nwi_race_next_action(&establishment->race, &action))
        act(establishment, &action);
    establishment->driving = false;
    if (!establishment->ended)
        arm(establishment);
    nwi_release(establishment);
}

static struct attempt *find_late(struct nwi_establishment *establishment) {
    struct attempt *attempt;
    LIST_FOREACH (attempt, &establishment->attempts, link)
        if (attempt->give_up <= nwi_now())
            return attempt;
    return NULL;
}

static void ticked(struct nwi_alarm *alarm) {
    struct nwi_establishment *establishment = alarm->owner;
    struct attempt *late;
    while ((late = find_late(establishment)) != NULL)
        attempt_failed(late, nwi_posix(ETIMEDOUT));
    nwi_race_tick(&establishment->race, nwi_now());
    drive(establishment);
}

void nwi_establishment_next(struct nwi_establishment *establishment) {
    struct attempt *attempt, *oldest = NULL;
    LIST_FOREACH (attempt, &establishment->attempts, link)
        oldest = attempt;
    if (oldest != NULL)
        attempt_failed(oldest, NWI_ERR_CANCELED);
}

/* --- names --- */

static struct nwi_race_options race_options(nw_parameters_t parameters, int ip_version) {
    struct nwi_race_options options = {.ip_version = (uint8_t)ip_version};
    if (parameters->attempt_delay_set)
        options.attempt_delay = parameters->attempt_delay_ms * NWI_MS;
    if (parameters->resolution_delay_set)
        options.resolution_delay = parameters->resolution_delay_ms > 0
                                       ? parameters->resolution_delay_ms * NWI_MS
                                       : NWI_RACE_NO_DELAY;
    return options;
}

struct candidates {
    struct nwi_race_address addresses[NWI_RACE_CAPACITY];
    unsigned count;
};

/* One candidate for each way there is to the address: among those of one address the better way
 * goes first, and a second way only after the first one of the other family. */
static void add_candidates(struct nwi_establishment *establishment, struct candidates *candidates,
                           const struct sockaddr *remote, uint32_t rank) {
    struct nwi_carriers carriers;
    nwi_carriers_find(&establishment->choice, establishment->parameters, remote, &carriers);
    establishment->denied = establishment->denied || carriers.denied;
    for (unsigned i = 0; i < carriers.count && candidates->count < NWI_RACE_CAPACITY; i++) {
        struct nwi_race_address *address = &candidates->addresses[candidates->count++];
        memset(address, 0, sizeof *address);
        memcpy(&address->sockaddr, remote, nwi_address_length(remote->sa_family));
        address->rank = rank * NWI_CARRIERS_MAX + i;
        address->interface = carriers.interfaces[i];
        address->rtt = nwi_rtt_known(remote);
        address->context = (void *)(uintptr_t)nwi_err_code(carriers.obstacle);
    }
}

static void race_candidates(struct nwi_establishment *establishment, int family, nwi_err err,
                            const struct candidates *candidates) {
    nwi_race_answer(&establishment->race, nwi_now(),
                    &(struct nwi_race_answer){
                        .question = family == AF_INET6 ? NWI_RACE_AAAA : NWI_RACE_A,
                        .err = err,
                        .addresses = candidates->addresses,
                        .count = candidates->count,
                    });
    drive(establishment);
}

static void answered(void *owner, const struct nwi_resolve_answer *answer) {
    struct nwi_establishment *establishment = owner;
    struct candidates candidates = {.count = 0};
    if (establishment->ended)
        return;
    nwi_establishment_note_answer(establishment, answer);
    for (size_t i = 0; i < answer->count; i++)
        add_candidates(establishment, &candidates,
                       (const struct sockaddr *)&answer->addresses[i].address,
                       answer->addresses[i].rank);
    race_candidates(establishment, answer->family, answer->err, &candidates);
}

static void resolve(struct nwi_establishment *establishment, int ip_version) {
    struct nwi_resolve_options options = {
        .family = ip_version,
        .port = nw_endpoint_get_port(establishment->endpoint),
        .interface_index =
            establishment->choice.count > 0 ? establishment->choice.interfaces[0] : 0,
    };
    nw_parameters_expired_dns_behavior_t expired = establishment->parameters->expired_dns_behavior;
    if (expired == nw_parameters_expired_dns_behavior_allow ||
        expired == nw_parameters_expired_dns_behavior_persistent)
        nwi_log(NWI_LOG_NOTICE, establishment->name, "unsupported",
                "expired answers: the name is asked anew");
    establishment->resolved = true;
    nwi_establishment_note(establishment, NWI_EVENT_RESOLVE_START, 0);
    nwi_race_start(&establishment->race, nwi_now());
    establishment->resolution =
        nwi_resolve_start(nw_endpoint_get_hostname(establishment->endpoint), &options,
                          establishment->context, answered, establishment);
    if (establishment->resolution == NULL)
        fail(establishment, NWI_ERR_NOMEM, false);
    else
        drive(establishment);
}

/* An address needs no resolver, and no race either where only one way leads to it. */
static void connect_address(struct nwi_establishment *establishment, int ip_version) {
    socklen_t length;
    const struct sockaddr *remote = nwi_endpoint_sockaddr(establishment->endpoint, &length);
    int version = remote->sa_family == AF_INET6 ? 6 : remote->sa_family == AF_INET ? 4 : 0;
    if (ip_version != 0 && version != 0 && version != ip_version) {
        fail(establishment, nwi_posix(EAFNOSUPPORT), true);
        return;
    }
    struct nwi_carriers carriers;
    nwi_carriers_find(&establishment->choice, establishment->parameters, remote, &carriers);
    establishment->denied = carriers.denied;
    if (carriers.count == 1) {
        start_attempt(establishment,
                      &(struct order){.obstacle = carriers.obstacle,
                                      .target = {.remote = remote,
                                                 .remote_length = length,
                                                 .interface_index = carriers.interfaces[0]}});
        return;
    }
    struct candidates candidates = {.count = 0};
    struct nwi_race_options options = race_options(establishment->parameters, version);
    nwi_race_init(&establishment->race, &options);
    nwi_race_start(&establishment->race, nwi_now());
    add_candidates(establishment, &candidates, remote, 0);
    race_candidates(establishment, remote->sa_family, 0, &candidates);
}

/* --- life --- */

/* Whether this build can connect to such an endpoint under such parameters at all. */
static nwi_err check_request(const struct nwi_establishment *establishment) {
    nw_endpoint_type_t type = nw_endpoint_get_type(establishment->endpoint);
    const char *why = NULL;
    if (type == nw_endpoint_type_bonjour_service || type == nw_endpoint_type_invalid)
        why = "endpoints of this type cannot be connected to yet";
    else if (establishment->parameters->requires_dnssec_validation &&
             type != nw_endpoint_type_address)
        why = "answers cannot be validated by DNSSEC yet: names are refused where it is required";
    if (why == NULL)
        return nwi_assemble_check(establishment->parameters, false);
    nwi_log(NWI_LOG_ERROR, establishment->name, "unsupported", "%s", why);
    return nwi_posix(ENOTSUP);
}

/* A loopback address, or a name that always means one (RFC 6761 section 6.3). */
static bool is_itself(nw_endpoint_t endpoint) {
    socklen_t length = 0;
    if (nwi_endpoint_is_resolved(endpoint)) {
        const struct sockaddr *remote = nwi_endpoint_sockaddr(endpoint, &length);
        return remote->sa_family == AF_UNIX || nwi_address_is_loopback(remote);
    }
    const char *name = nw_endpoint_get_hostname(endpoint);
    return name != NULL && strcasecmp(name, "localhost") == 0;
}

/* Before anything is learnt of the network: what is cached about it goes when it changes, and the
 * owner asks afterwards whether it has changed. The resolver and the path are siblings, so only
 * this floor may introduce them. Where changes cannot be watched a connection does without. */
static void watch_network(void) {
    nwi_path_set_hook(nwi_resolver_network_changed);
    (void)nwi_path_keep_watching();
}

void nwi_establishment_begin(struct nwi_establishment *establishment) {
    nw_parameters_t parameters = establishment->parameters;
    const struct nwi_ip_options *ip = nwi_ip_options(parameters->stack->internet);
    int ip_version = ip != NULL ? (int)ip->version : 0;
    struct nwi_race_options options = race_options(parameters, ip_version);
    nwi_retain(establishment);
    nwi_establishment_note(establishment, NWI_EVENT_START, 0);
    nwi_err err = check_request(establishment);
    bool permanent = err != 0;
    bool itself = is_itself(establishment->endpoint);
    if (err == 0 && !itself)
        watch_network();
    if (err == 0)
        err = itself ? nwi_path_allows_itself(parameters)
                     : nwi_path_choose(parameters, &establishment->choice);
    establishment->choice.free = establishment->choice.free || itself;
    nwi_race_init(&establishment->race, &options);
    if (err != 0)
        fail(establishment, err, permanent);
    else if (nwi_endpoint_is_resolved(establishment->endpoint))
        connect_address(establishment, ip_version);
    else
        resolve(establishment, ip_version);
    nwi_release(establishment);
}

size_t nwi_establishment_early_sent(const struct nwi_establishment *establishment) {
    return establishment->early_sent;
}

bool nwi_establishment_was_denied(const struct nwi_establishment *establishment) {
    return establishment->denied;
}

static void destroy_establishment(void *object) {
    struct nwi_establishment *establishment = object;
    nwi_release(establishment->endpoint);
    nwi_release(establishment->parameters);
    nwi_release(establishment->timeline);
    nwi_release(establishment->context_owner);
    if (establishment->early != NULL)
        dispatch_release(establishment->early);
}

static const struct nwi_type establishment_type = {
    .name = "nwi_establishment",
    .size = sizeof(struct nwi_establishment),
    .destroy = destroy_establishment,
};

struct nwi_establishment *nwi_establishment_create(const struct nwi_establishment_request *request,
                                                   const struct nwi_establishment_events *events,
                                                   void *owner) {
    struct nwi_establishment *establishment = nwi_object_create(&establishment_type, 0);
    if (establishment == NULL)
        return NULL;
    snprintf(establishment->name, sizeof establishment->name, "%s", request->name);
    establishment->endpoint = nwi_retain(request->endpoint);
    establishment->parameters = nwi_retain(request->parameters);
    establishment->timeline = nwi_retain(request->timeline);
    establishment->early = request->early;
    if (request->early != NULL)
        dispatch_retain(request->early);
    establishment->context = request->context;
    establishment->loop = request->loop;
    establishment->context_owner = nwi_retain(request->context_owner);
    establishment->events = events;
    establishment->owner = owner;
    LIST_INIT(&establishment->attempts);
    nwi_alarm_init(&establishment->tick, request->context, request->loop, establishment, ticked);
    return establishment;
}

struct nwi_establishment *nwi_establishment_release(struct nwi_establishment *establishment) {
    if (establishment != NULL)
        nwi_establishment_cancel(establishment);
    return nwi_release(establishment);
}
