/*
 * ask.c - see ask.h.
 * Source: semantics of the handlers of sec_protocol_options_t; docs/trust.md for the default
 *         evaluation.
 * Owns:   the dialogue: the host, the answers, a question under way.
 */
#include "protocol/tls/ask.h"
#include "base/alloc.h"
#include "base/log.h"
#include "protocol/tls/describe.h"
#include "stack/chain.h"
#include "trust/identity.h"
#include "trust/policy.h"
#include <Security/SecureTransport.h>
#include <Security/trust_evaluation.h>

struct nwi_tls_dialogue *nwi_tls_dialogue_create(struct nwi_tls_config *config,
                                                 struct nwi_layer *layer, const char *host,
                                                 void (*answered)(struct nwi_layer *layer)) {
    struct nwi_tls_dialogue *dialogue = nwi_alloc(sizeof *dialogue);
    if (dialogue == NULL)
        return NULL;
    dialogue->config = nwi_retain(config);
    dialogue->layer = layer;
    dialogue->answered = answered;
    dialogue->host = host;
    return dialogue;
}

void *nwi_tls_dialogue_free(struct nwi_tls_dialogue *dialogue) {
    if (dialogue == NULL)
        return NULL;
    if (dialogue->question != NULL) {
        if (dialogue->question->posted)
            nwi_layer_asking(dialogue->layer, false);
        nwi_tls_question_forget(dialogue->question);
    }
    for (size_t i = 0; i < dialogue->chain_count; i++)
        nwi_release(dialogue->chain[i]);
    nwi_tls_peek_free(dialogue->peek);
    nwi_release(dialogue->identity);
    nwi_release(dialogue->key_name);
    nwi_release(dialogue->trust);
    nwi_release(dialogue->config);
    nwi_free(dialogue);
    return NULL;
}

/* --- questions --- */

/* What the default evaluation says, in the log too. */
static void take_evaluation(struct nwi_tls_dialogue *dialogue, sec_trust_t trust) {
    dialogue->verdict = nwi_trust_status(trust);
    if (dialogue->verdict == 0)
        return;
    char *reason = sec_trust_copy_reason(trust);
    nwi_log(NWI_LOG_NOTICE, "tls", "trust", "%s", reason != NULL ? reason : "not trusted");
    nwi_free(reason);
}

static void take_answer(struct nwi_tls_dialogue *dialogue, struct nwi_tls_question *question) {
    switch (question->asks) {
    case NWI_TLS_ASK_VERIFY:
        dialogue->verify = NWI_TLS_ANSWERED;
        if (dialogue->config->sec->verify == NULL)
            take_evaluation(dialogue, dialogue->trust);
        else
            dialogue->verdict = question->yes ? 0 : errSSLBadCert;
        break;
    case NWI_TLS_ASK_CHALLENGE:
        dialogue->identity = nwi_take(&question->identity);
        break;
    case NWI_TLS_ASK_KEY:
        nwi_release(dialogue->key_name);
        dialogue->key_name = nwi_take(&question->key_name);
        break;
    case NWI_TLS_ASK_KEY_UPDATE:
        break;
    }
}

static void came_back(struct nwi_tls_question *question) {
    struct nwi_tls_dialogue *dialogue = question->waiter;
    NWI_AUTO_RELEASE
    struct nwi_layer *layer = nwi_retain(dialogue->layer);
    void (*answered)(struct nwi_layer *) = dialogue->answered;
    dialogue->question = NULL;
    take_answer(dialogue, question);
    nwi_tls_question_forget(question);
    nwi_layer_asking(layer, false); /* the owner may stop the chain: the dialogue is gone then */
    if (!nwi_layer_stopped(layer))
        answered(layer);
}

bool nwi_tls_dialogue_waits(struct nwi_tls_dialogue *dialogue) {
    struct nwi_tls_question *question = dialogue->question;
    struct nwi_layer *layer = dialogue->layer; /* held by the caller */
    if (question == NULL)
        return false;
    bool may = !question->posted && nwi_layer_asking(layer, true);
    if (nwi_layer_stopped(layer)) /* by the owner, inside the call: the dialogue is gone */
        return false;
    if (may)
        nwi_tls_question_post(question, layer->chain->context, layer->chain->context_owner);
    return dialogue->question != NULL;
}

/* Remembers a question; the step that raised it ends with "again". Consumes the hint. False: no
 * memory. */
static bool raise_question(struct nwi_tls_dialogue *dialogue, gnutls_session_t session,
                           enum nwi_tls_asks asks, struct nwi_sec_handler *handler,
                           sec_trust_t trust, dispatch_data_t hint) {
    NWI_AUTO_RELEASE
    struct nwi_tls_question *question = nwi_tls_question_create(asks, handler);
    if (question == NULL) {
        nwi_release(hint);
        return false;
    }
    question->hint = hint;
    question->trust = nwi_retain(trust);
    question->metadata = nwi_tls_describe(session, dialogue->config, dialogue->host);
    if (question->metadata == NULL || (asks == NWI_TLS_ASK_CHALLENGE &&
                                       !nwi_tls_peek_describe(dialogue->peek, question->metadata)))
        return false;
    question->back = came_back;
    question->waiter = dialogue;
    dialogue->question = nwi_take(&question);
    return true;
}

/* --- what has to be known before GnuTLS asks --- */

static int peek_secret(gnutls_session_t session, const char *label, const gnutls_datum_t *secret) {
    struct nwi_tls_dialogue *dialogue = gnutls_session_get_ptr(session);
    nwi_tls_peek_secret(dialogue->peek, label, secret);
    return dialogue->log != NULL ? dialogue->log(session, label, secret) : 0;
}

bool nwi_tls_dialogue_begin(struct nwi_tls_dialogue *dialogue, gnutls_session_t session) {
    const struct nwi_tls_config *config = dialogue->config;
    const struct sec_protocol_options *sec = config->sec;
    if (config->is_server || (sec->challenge == NULL && !config->chooses_key))
        return true;
    dialogue->peek = nwi_tls_peek_create();
    if (dialogue->peek == NULL)
        return false;
    dialogue->log = gnutls_session_get_keylog_function(session);
    gnutls_session_set_keylog_function(session, peek_secret);
    return true;
}

void nwi_tls_dialogue_end(struct nwi_tls_dialogue *dialogue, gnutls_session_t session) {
    gnutls_session_set_ptr(session, NULL);
    if (dialogue->peek != NULL)
        gnutls_session_set_keylog_function(session, dialogue->log);
}

void nwi_tls_dialogue_look(struct nwi_tls_dialogue *dialogue, const unsigned char *record,
                           size_t size) {
    const struct sec_protocol_options *sec = dialogue->config->sec;
    dialogue->sights = nwi_tls_peek_record(dialogue->peek, record, size);
    if (sec->challenge == NULL)
        dialogue->sights &= ~(unsigned)NWI_TLS_SEEN_REQUEST;
    if (!dialogue->config->chooses_key)
        dialogue->sights &= ~(unsigned)NWI_TLS_SEEN_KEY_TURN;
}

bool nwi_tls_dialogue_holds(struct nwi_tls_dialogue *dialogue, gnutls_session_t session) {
    const struct sec_protocol_options *sec = dialogue->config->sec;
    unsigned sights = dialogue->sights;
    if (dialogue->question != NULL)
        return true;
    if (sights == 0)
        return false;
    bool raised;
    if (sights & NWI_TLS_SEEN_REQUEST) {
        dialogue->sights &= ~(unsigned)NWI_TLS_SEEN_REQUEST;
        raised =
            raise_question(dialogue, session, NWI_TLS_ASK_CHALLENGE, sec->challenge, NULL, NULL);
    } else {
        dialogue->sights = 0;
        raised = raise_question(dialogue, session, NWI_TLS_ASK_KEY, sec->psk_selection, NULL,
                                nwi_tls_peek_copy_hint(dialogue->peek));
    }
    if (!raised)
        nwi_log(NWI_LOG_ERROR, "tls", "ask", "out of memory: a handler was not asked");
    return raised;
}

bool nwi_tls_dialogue_asks_first(struct nwi_tls_dialogue *dialogue, gnutls_session_t session) {
    const struct nwi_tls_config *config = dialogue->config;
    if (!config->chooses_key || !config->has_13 || dialogue->begun)
        return false;
    if (!dialogue->key_asked) {
        dialogue->key_asked = true;
        return raise_question(dialogue, session, NWI_TLS_ASK_KEY, config->sec->psk_selection, NULL,
                              NULL);
    }
    dialogue->begun = true;
    if (dialogue->key_name != NULL) /* else it does without */
        gnutls_credentials_set(session, GNUTLS_CRD_PSK, config->client_keys);
    return false;
}

/* --- the peer's certificates --- */

/* GnuTLS asks about it twice: before a signature by it, and whether it is trusted. */
static void read_chain(struct nwi_tls_dialogue *dialogue, gnutls_session_t session) {
    if (dialogue->chain_count == 0)
        dialogue->chain_count = nwi_tls_copy_chain(session, dialogue->chain);
}

static sec_trust_t make_trust(struct nwi_tls_dialogue *dialogue, gnutls_session_t session) {
    const struct nwi_tls_config *config = dialogue->config;
    read_chain(dialogue, session);
    if (dialogue->chain_count == 0)
        return NULL;
    dispatch_data_t staple = nwi_tls_copy_staple(session);
    sec_trust_t trust = nwi_trust_create_for_peer(
        config->sec, dialogue->chain, dialogue->chain_count, dialogue->host,
        config->is_server ? NWI_TRUST_CLIENT : NWI_TRUST_SERVER, staple);
    if (staple != NULL)
        dispatch_release(staple);
    return trust;
}

static int evaluate(struct nwi_tls_dialogue *dialogue, sec_trust_t trust) {
    dialogue->verify = NWI_TLS_ANSWERED;
    sec_trust_evaluate(trust);
    take_evaluation(dialogue, trust);
    return dialogue->verdict == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static void evaluate_elsewhere(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                               sec_protocol_verify_complete_f complete, void *complete_context) {
    (void)context, (void)metadata;
    complete(complete_context, sec_trust_evaluate(trust) == 0);
}

/* The default evaluation as a handler on the global queue, for when it first reads the system's
 * roots. */
static const struct nwi_type elsewhere_type = {.name = "sec_handler",
                                               .size = sizeof(struct nwi_sec_handler)};
static struct nwi_sec_handler elsewhere = {
    .base = NWI_OBJECT_STATIC(&elsewhere_type),
    .callback = {.fn = (nwi_fn)evaluate_elsewhere},
};

/* Whether anything is asked of the certificate. */
static bool is_checked(const struct nwi_tls_config *config) {
    return config->is_server ? config->asks != GNUTLS_CERT_IGNORE
                             : config->sec->peer_authentication_required != NWI_SEC_NO;
}

int nwi_tls_look_at_signer(gnutls_session_t session) {
    struct nwi_tls_dialogue *dialogue = gnutls_session_get_ptr(session);
    if (dialogue == NULL || gnutls_certificate_get_peers(session, NULL) == NULL)
        return 0;
    read_chain(dialogue, session);
    struct nwi_trust_verdict verdict = {.reason = "the peer's certificate cannot be read"};
    if (dialogue->chain_count > 0 && nwi_trust_check_effort(dialogue->chain[0], &verdict))
        return 0;
    dialogue->verdict = errSSLBadCert;
    nwi_log(NWI_LOG_NOTICE, "tls", "trust", "%s", verdict.reason);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

int nwi_tls_verify(gnutls_session_t session) {
    struct nwi_tls_dialogue *dialogue = gnutls_session_get_ptr(session);
    if (dialogue->verify == NWI_TLS_ASKED)
        return GNUTLS_E_AGAIN;
    if (dialogue->verify == NWI_TLS_ANSWERED)
        return dialogue->verdict == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
    struct nwi_tls_config *config = dialogue->config;
    if (gnutls_certificate_get_peers(session, NULL) == NULL && config->is_server)
        return 0; /* none was required, else GnuTLS had ended the handshake */
    struct nwi_sec_handler *handler = config->sec->verify;
    if (handler == NULL && !is_checked(config))
        return 0;
    NWI_AUTO_RELEASE
    sec_trust_t trust = make_trust(dialogue, session);
    if (trust == NULL) {
        dialogue->verdict = errSSLBadCert;
        return GNUTLS_E_CERTIFICATE_ERROR;
    }
    if (handler == NULL && (nwi_trust_is_prompt(trust) || dialogue->layer->chain->context == NULL))
        return evaluate(dialogue, trust);
    if (handler == NULL) /* the question gives its own up when the handler has returned */
        dialogue->trust = nwi_retain(trust);
    handler = handler != NULL ? handler : &elsewhere;
    if (!raise_question(dialogue, session, NWI_TLS_ASK_VERIFY, handler, trust, NULL))
        return GNUTLS_E_MEMORY_ERROR;
    dialogue->verify = NWI_TLS_ASKED;
    return GNUTLS_E_AGAIN;
}

/* --- our own certificate --- */

int nwi_tls_show(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **ret_certificates, unsigned *ret_count,
                 gnutls_ocsp_data_st **ret_staples, unsigned *ret_staple_count,
                 gnutls_privkey_t *ret_key, unsigned *ret_flags) {
    const struct nwi_tls_dialogue *dialogue = gnutls_session_get_ptr(session);
    (void)info;
    sec_identity_t identity = dialogue->config->sec->challenge != NULL
                                  ? dialogue->identity
                                  : dialogue->config->sec->local_identity;
    *ret_staples = NULL;
    *ret_staple_count = 0;
    *ret_flags = 0; /* all of it is lent */
    *ret_certificates = identity != NULL ? identity->shown : NULL;
    *ret_count = identity != NULL ? (unsigned)identity->count : 0;
    *ret_key = identity != NULL ? identity->key : NULL;
    return 0;
}
