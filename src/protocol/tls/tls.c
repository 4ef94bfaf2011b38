/*
 * tls.c - TLS as a layer; see tls.h. The handshake is handshake.c's, content records.c's, octets
 *         transport.c's, questions to the program ask.c's.
 * Source: RFC 8446, RFC 5246.
 * Runs:   in the protocol context of the chain; copying metadata on any thread.
 * Owns:   the session, what has not gone out or come in yet, the dialogue of the handshake.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/data.h"
#include "dispatch/serial.h"
#include "model/parameters.h"
#include "protocol/tls/describe.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/gate.h"
#include "protocol/tls/private.h"
#include "protocol/tls/resume.h"
#include "stack/chain.h"
#include <Security/SecureTransport.h>

static const char *const state_name[NWI_TLS_STATE_COUNT] = {
    "idle", "handshaking", "asking", "ready", "closing", "closed", "failed"};

void nwi_tls_enter(struct tls *tls, enum nwi_tls_state next) {
    if (nwi_log_enabled(NWI_LOG_DEBUG))
        nwi_log(NWI_LOG_DEBUG, "tls", "state", "%s -> %s", state_name[tls->state],
                state_name[next]);
    tls->state = next;
}

/* --- turns --- */

static void take_turn(struct nwi_task *task) {
    struct tls *tls = nwi_container_of(task, struct tls, turn);
    tls->turn_queued = false;
    tls->in_turn = true;
    if (!nwi_layer_stopped(&tls->base))
        nwi_tls_advance(tls);
    tls->in_turn = false;
    nwi_release(tls);
}

void nwi_tls_queue_turn(struct tls *tls) {
    struct nwi_chain *chain = tls->base.chain;
    if (tls->turn_queued)
        return;
    tls->turn_queued = true;
    nwi_retain(tls);
    if (tls->state == NWI_TLS_HANDSHAKING && chain->loop != NULL)
        nwi_tls_gate_wait(chain->loop, chain->context, chain->context_owner, &tls->turn);
    else
        nwi_serial_push(chain->context, &tls->turn);
}

/* A chain without a loop of its own (tests) is driven by its caller: there a step waits for
 * nothing. */
static void shake_hands(struct tls *tls) {
    if (!tls->step_due && !nwi_tls_has_record(tls))
        return;
    if (tls->in_turn || tls->base.chain->loop == NULL)
        nwi_tls_handshake(tls);
    else
        nwi_tls_queue_turn(tls);
}

/* --- ends --- */

static void tell_failed(struct tls *tls) {
    if (tls->told_failed || nwi_layer_stopped(&tls->base))
        return;
    tls->told_failed = true;
    nwi_layer_failed(&tls->base, tls->failure);
}

void nwi_tls_fail(struct tls *tls, nwi_err err) {
    if (tls->state == NWI_TLS_FAILED) {
        tell_failed(tls); /* not even the alert could go */
        return;
    }
    bool below_is_busy = tls->in_flight > 0;
    tls->failure = err;
    nwi_tls_enter(tls, NWI_TLS_FAILED);
    nwi_tls_drop_in(tls);
    struct nwi_send_list failed = STAILQ_HEAD_INITIALIZER(failed);
    STAILQ_CONCAT(&failed, &tls->queue); /* out of reach first: completions may come back here */
    nwi_send_list_fail(&failed, err);
    if (nwi_layer_stopped(&tls->base))
        return;
    nwi_tls_flush(tls, NULL, !tls->write_ended && !below_is_busy && tls->out != NULL);
    /* A peer that reads nothing shall not keep the end from being told. */
    if (tls->in_flight == 0 || below_is_busy)
        tell_failed(tls);
}

void nwi_tls_written(struct tls *tls) {
    if (tls->state == NWI_TLS_FAILED)
        tell_failed(tls);
    else
        nwi_tls_pump(tls);
}

/* The end of the stream below. After close_notify it means nothing, unless our own content was lost
 * by it; before close_notify, octets are missing: RFC 8446 section 6.1, "truncation attack". */
static void look_for_end(struct tls *tls) {
    bool is_no_matter = tls->read_ended && !tls->write_lost;
    if (!tls->below_ended || is_no_matter || tls->state == NWI_TLS_FAILED)
        return;
    /* While the program thinks, records may be held back; but nothing comes of them any more when
     * the layer below is broken. */
    if (tls->state == NWI_TLS_ASKING ? tls->below_error == 0 : nwi_tls_has_record(tls))
        return;
    nwi_tls_fail(tls, tls->below_error != 0 ? tls->below_error : nwi_tls(errSSLClosedNoNotify));
}

/* --- what may be read --- */

enum {
    PROTECTION_MOST = 64
}; /* octets: header, nonce and tag of the suites in use; a guess will do */

/* Octets below for so many octets of content. */
static size_t on_the_wire(size_t content) {
    size_t records = content / NWI_TLS_RECORD + 1;
    return content > SIZE_MAX / 2 ? SIZE_MAX / 2 : content + records * PROTECTION_MOST;
}

static size_t wanted(const struct tls *tls) {
    size_t lacks = nwi_tls_record_lacks(tls), wire;
    switch (tls->state) {
    case NWI_TLS_HANDSHAKING:
        return tls->granted >= lacks ? tls->granted : NWI_TLS_HEADER + NWI_TLS_RECORD;
    case NWI_TLS_READY:
    case NWI_TLS_CLOSING:
        if (tls->window == 0 || tls->read_ended)
            return 0;
        wire = on_the_wire(tls->window);
        return wire > lacks ? wire : lacks;
    default:
        return 0;
    }
}

/* Grants the layer below what is wanted. Inside an input it would read on below us, deeper and
 * deeper: what is not granted yet waits for a turn. */
static void grant(struct tls *tls) {
    if (nwi_layer_stopped(&tls->base) || tls->below_ended)
        return;
    if (tls->config->is_datagram) {
        nwi_dtls_settle(tls);
        return;
    }
    size_t octets = wanted(tls);
    if (octets == tls->granted)
        return;
    if (octets > tls->granted && tls->in_input && tls->base.chain->context != NULL) {
        if (tls->granted == 0 || tls->granted < nwi_tls_record_lacks(tls))
            nwi_tls_queue_turn(tls);
        return;
    }
    tls->granted = octets;
    nwi_layer_grant(&tls->base, octets);
}

void nwi_tls_advance(struct tls *tls) {
    if (tls->advancing)
        return;
    nwi_retain(tls);
    tls->advancing = true;
    if (tls->state == NWI_TLS_HANDSHAKING)
        shake_hands(tls);
    if (nwi_tls_is_open(tls) && !nwi_layer_stopped(&tls->base))
        nwi_tls_pump(tls);
    if (nwi_tls_is_open(tls) && !nwi_layer_stopped(&tls->base))
        nwi_tls_read(tls);
    tls->advancing = false;
    if (!nwi_layer_stopped(&tls->base))
        look_for_end(tls);
    grant(tls);
    nwi_release(tls);
}

/* --- what was agreed on --- */

/* On any thread, under the metadata's lock. */
static bool export_secret(void *owner, const char *label, size_t label_length,
                          const uint8_t *context, size_t context_length, size_t length,
                          uint8_t *ret_secret) {
    struct tls *tls = owner;
    pthread_mutex_lock(&tls->lock);
    bool done = nwi_tls_export(tls->session, label, label_length, context, context_length, length,
                               ret_secret);
    pthread_mutex_unlock(&tls->lock);
    return done;
}

static const struct nwi_sec_exporter_ops exporter = {.export_secret = export_secret};

/* Under the lock. */
static sec_protocol_metadata_t describe(struct tls *tls) {
    sec_protocol_metadata_t sec = nwi_tls_describe(tls->session, tls->config, tls->host);
    if (sec != NULL)
        nwi_sec_metadata_attach(sec, &exporter, tls);
    return sec;
}

void nwi_tls_tell_key_update(struct tls *tls) {
    struct nwi_sec_handler *handler = tls->config->sec->key_update;
    struct nwi_chain *chain = tls->base.chain;
    tls->keys_renewed = false;
    struct nwi_tls_question *question =
        handler != NULL ? nwi_tls_question_create(NWI_TLS_ASK_KEY_UPDATE, handler) : NULL;
    if (question == NULL)
        return;
    pthread_mutex_lock(&tls->lock);
    question->metadata = nwi_tls_describe(tls->session, tls->config, tls->host);
    pthread_mutex_unlock(&tls->lock);
    nwi_tls_question_post(question, chain->context, chain->context_owner);
    nwi_release(question); /* nobody waits for the answer */
}

static void detach(struct tls *tls) {
    pthread_mutex_lock(&tls->lock);
    nw_protocol_metadata_t metadata = tls->metadata; /* stays as long as we do */
    pthread_mutex_unlock(&tls->lock);
    if (metadata != NULL)
        nwi_sec_metadata_detach(((struct nwi_tls_metadata *)metadata)->sec);
}

nw_protocol_metadata_t nwi_tls_copy_metadata(struct nwi_layer *layer,
                                             nw_protocol_definition_t definition) {
    struct tls *tls = (struct tls *)layer;
    if (definition != &nwi_tls_definition)
        return NULL;
    pthread_mutex_lock(&tls->lock);
    if (tls->metadata == NULL)
        tls->metadata = nwi_tls_metadata_create(describe(tls));
    nw_protocol_metadata_t metadata = nwi_retain(tls->metadata);
    pthread_mutex_unlock(&tls->lock);
    return metadata;
}

/* --- the layer's operations --- */

static nwi_err tls_connect(struct nwi_layer *layer) {
    struct tls *tls = (struct tls *)layer;
    tls->step_due = !tls->config->is_server; /* the client speaks first */
    nwi_tls_enter(tls, NWI_TLS_HANDSHAKING);
    nwi_tls_advance(tls);
    return 0;
}

static nwi_err tls_input(struct nwi_layer *layer, struct nwi_input *input) {
    struct tls *tls = (struct tls *)layer;
    size_t size = input->content != NULL ? dispatch_data_get_size(input->content) : 0;
    dispatch_data_t content = nwi_take(&input->content);
    tls->granted -= size < tls->granted ? size : tls->granted;
    tls->below_ended |= input->final;
    nwi_input_drop(input);
    if (tls->state == NWI_TLS_FAILED || tls->read_ended) { /* nothing counts any more */
        if (content != NULL)
            dispatch_release(content);
        return 0;
    }
    if (!nwi_tls_take_in(tls, content))
        return NWI_ERR_NOMEM; /* octets are lost: the stream must end */
    bool outermost = !tls->in_input;
    tls->in_input = true;
    nwi_retain(tls);
    nwi_tls_advance(tls);
    if (outermost)
        tls->in_input = false;
    nwi_release(tls);
    return 0;
}

/* A small piece waits for the end of what its context does just now: others may follow, as when
 * many sends complete at once, and share its record and its write. */
static bool may_wait(const struct tls *tls, const struct nwi_send *send) {
    enum { SMALL = 4 * 1024 };
    return nwi_tls_is_open(tls) && !tls->config->is_datagram && !send->final &&
           tls->base.chain->context != NULL && tls->in_flight == 0 && send->content != NULL &&
           dispatch_data_get_size(send->content) < SMALL;
}

void nwi_tls_output(struct nwi_layer *layer, struct nwi_send *send) {
    struct tls *tls = (struct tls *)layer;
    if (tls->failure != 0 || tls->write_ended) {
        send->done(send, tls->failure != 0 ? tls->failure : nwi_posix(EPIPE));
        return;
    }
    bool waits = may_wait(tls, send);
    STAILQ_INSERT_TAIL(&tls->queue, send, link);
    if (waits)
        nwi_tls_queue_turn(tls);
    else if (!send->more)
        nwi_tls_pump(tls);
}

static bool tls_congested(struct nwi_layer *layer) {
    struct tls *tls = (struct tls *)layer;
    /* What waits only because more was announced is no reason to announce nothing. */
    bool congested = !STAILQ_EMPTY(&tls->queue) && (tls->in_flight > 0 || !nwi_tls_is_open(tls));
    tls->told_congested |= congested;
    return congested;
}

void nwi_tls_window(struct nwi_layer *layer, size_t octets) {
    struct tls *tls = (struct tls *)layer;
    tls->window = octets;
    if (nwi_tls_is_open(tls))
        nwi_tls_advance(tls);
}

/* A graceful end says so to the peer. What the layer below cannot take now it will not take. */
static void say_goodbye(struct tls *tls) {
    pthread_mutex_lock(&tls->lock);
    gnutls_bye(tls->session, GNUTLS_SHUT_WR);
    pthread_mutex_unlock(&tls->lock);
    tls->write_ended = true;
    nwi_tls_flush(tls, NULL, false);
}

void nwi_tls_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    struct tls *tls = (struct tls *)layer;
    detach(tls); /* first: it asks the session from other threads */
    tls->dialogue = nwi_tls_dialogue_free(tls->dialogue);
    if (how == NWI_DISCONNECT_GRACEFUL && nwi_tls_is_open(tls))
        nwi_tls_pump(tls); /* what waits for a turn */
    if (how == NWI_DISCONNECT_GRACEFUL && nwi_tls_is_open(tls) && !tls->write_ended)
        say_goodbye(tls);
    tls->failure = tls->failure != 0 ? tls->failure : why;
    tls->state = NWI_TLS_CLOSED;
    tls->early = NULL;
    struct nwi_send_list failed = STAILQ_HEAD_INITIALIZER(failed);
    STAILQ_CONCAT(&failed, &tls->queue);
    nwi_send_list_fail(&failed, why);
}

void nwi_tls_free(struct nwi_layer *layer) {
    struct tls *tls = (struct tls *)layer;
    nwi_tls_dialogue_free(tls->dialogue);
    detach(tls); /* it may have been made after the end, for a context of content */
    nwi_release(tls->metadata);
    nwi_tls_drop_in(tls);
    if (tls->out != NULL)
        dispatch_release(tls->out);
    if (tls->out_full != NULL)
        dispatch_release(tls->out_full);
    if (tls->session != NULL)
        gnutls_deinit(tls->session);
    nwi_release(tls->ticket_hold);
    nwi_release(tls->config);
    nwi_free(tls->host);
    pthread_mutex_destroy(&tls->lock);
}

/* The layer below is at its end. Records that it brought before are still read. */
static void tls_failed(struct nwi_layer *layer, nwi_err err) {
    struct tls *tls = (struct tls *)layer;
    tls->below_error = err;
    tls->below_ended = true;
    nwi_tls_advance(tls);
}

static void tls_writable(struct nwi_layer *layer) {
    struct tls *tls = (struct tls *)layer;
    if (!tls_congested(layer) && nwi_tls_is_open(tls)) {
        tls->told_congested = false;
        nwi_layer_writable(layer);
    }
}

/* What was put off may be asked now. */
void nwi_tls_go_on(struct nwi_layer *layer) {
    struct tls *tls = (struct tls *)layer;
    if (tls->state == NWI_TLS_ASKING)
        nwi_tls_dialogue_waits(tls->dialogue);
}

static const struct nwi_layer_ops tls_ops = {
    .name = "tls",
    .traits = NWI_TRAIT_STREAM | NWI_TRAIT_SECURE,
    .size = sizeof(struct tls),
    .connect = tls_connect,
    .disconnect = nwi_tls_disconnect,
    .input = tls_input,
    .output = nwi_tls_output,
    .congested = tls_congested,
    .writable = tls_writable,
    .failed = tls_failed,
    .go_on = nwi_tls_go_on,
    .window = nwi_tls_window,
    .copy_metadata = nwi_tls_copy_metadata,
    .free = nwi_tls_free,
};

/* --- making one --- */

/* The program's answer is here. */
static void answered(struct nwi_layer *layer) {
    struct tls *tls = (struct tls *)layer;
    if (tls->state != NWI_TLS_ASKING)
        return;
    tls->step_due = true;
    nwi_tls_enter(tls, NWI_TLS_HANDSHAKING);
    nwi_tls_advance(tls);
}

static nwi_err fill(struct tls *tls, const struct nwi_tls_request *request) {
    const char *host = request->is_server ? NULL : request->host;
    nwi_err err = nwi_tls_config_get(request->options, request->is_server, request->is_datagram,
                                     &tls->config);
    if (err != 0)
        return err;
    if (request->options->sec->server_name != NULL && !request->is_server)
        host = request->options->sec->server_name;
    tls->host = nwi_strdup(host);
    tls->dialogue = nwi_tls_dialogue_create(tls->config, &tls->base, tls->host, answered);
    if (tls->dialogue == NULL || (host != NULL && tls->host == NULL))
        return NWI_ERR_NOMEM;
    tls->takes_early =
        request->is_server && request->parameters != NULL && request->parameters->fast_open_enabled;
    tls->early = request->early;
    unsigned flags = nwi_tls_resume_flags(tls->config, tls->takes_early || tls->early != NULL);
    err = nwi_tls_config_session(tls->config, host, tls->dialogue, flags, &tls->session);
    if (err != 0)
        return err;
    if (!nwi_tls_dialogue_begin(tls->dialogue, tls->session))
        return NWI_ERR_NOMEM;
    nwi_tls_attach_transport(tls);
    return nwi_tls_resume_begin(tls, request);
}

struct nwi_layer *nwi_tls_create(const struct nwi_tls_request *request, nwi_err *ret_err) {
    struct tls *tls =
        (struct tls *)nwi_layer_create(request->is_datagram ? &nwi_dtls_ops : &tls_ops);
    if (tls == NULL) {
        *ret_err = NWI_ERR_NOMEM;
        return NULL;
    }
    STAILQ_INIT(&tls->queue);
    if (request->is_datagram)
        nwi_dtls_init(tls);
    pthread_mutex_init(&tls->lock, NULL);
    tls->turn.run = take_turn;
    *ret_err = fill(tls, request);
    return *ret_err == 0 ? &tls->base : nwi_release(tls);
}

/* A server that has nothing to prove itself by refuses each peer in turn: better to say so once. */
static bool can_serve(sec_protocol_options_t sec) {
    return sec->local_identity != NULL || sec->psk_count > 0;
}

nwi_err nwi_tls_check(struct nwi_tls_options *options, bool is_server, bool is_datagram) {
    NWI_AUTO_RELEASE
    struct nwi_tls_config *config = NULL;
    if (is_server && !can_serve(options->sec)) {
        nwi_log(NWI_LOG_ERROR, "tls", "options",
                "a listener needs an identity or a pre-shared key to prove itself by: "
                "sec_protocol_options_set_local_identity, ..._add_pre_shared_key");
        return nwi_tls(errSSLBadConfiguration);
    }
    return nwi_tls_config_get(options, is_server, is_datagram, &config);
}
