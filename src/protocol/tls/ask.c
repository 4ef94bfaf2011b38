/*
 * ask.c - see ask.h.
 * Source: semantics of the handlers of sec_protocol_options_t; docs/trust.md for the default
 *         evaluation.
 * Owns:   the dialogue: the host, the answers, a question under way.
 */
#include "protocol/tls/ask.h"
#include "base/alloc.h"
#include "base/log.h"
#include "stack/chain.h"
#include "trust/certificate.h"
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
    dialogue->host = nwi_strdup(host);
    return host == NULL || dialogue->host != NULL ? dialogue : nwi_tls_dialogue_free(dialogue);
}

void *nwi_tls_dialogue_free(struct nwi_tls_dialogue *dialogue) {
    if (dialogue == NULL)
        return NULL;
    if (dialogue->question != NULL) {
        if (dialogue->question->posted)
            nwi_layer_asking(dialogue->layer, false);
        nwi_tls_question_forget(dialogue->question);
    }
    nwi_release(dialogue->config);
    nwi_free(dialogue->host);
    nwi_free(dialogue);
    return NULL;
}

/* --- questions --- */

static void take_answer(struct nwi_tls_dialogue *dialogue, struct nwi_tls_question *question) {
    dialogue->verify = NWI_TLS_ANSWERED;
    dialogue->verdict = question->yes ? 0 : errSSLBadCert;
}

static void came_back(struct nwi_tls_question *question) {
    struct nwi_tls_dialogue *dialogue = question->waiter;
    dialogue->question = NULL;
    take_answer(dialogue, question);
    nwi_tls_question_forget(question);
    nwi_layer_asking(dialogue->layer, false);
    dialogue->answered(dialogue->layer); /* may end the dialogue */
}

bool nwi_tls_dialogue_waits(struct nwi_tls_dialogue *dialogue) {
    struct nwi_tls_question *question = dialogue->question;
    if (question == NULL)
        return false;
    if (!question->posted && nwi_layer_asking(dialogue->layer, true)) {
        struct nwi_chain *chain = dialogue->layer->chain;
        nwi_tls_question_post(question, chain->context, chain->context_owner);
    }
    return dialogue->question != NULL;
}

/* Remembers a question; the step that raised it ends with "again". False: no memory. */
static bool raise_question(struct nwi_tls_dialogue *dialogue, enum nwi_tls_asks asks,
                           struct nwi_sec_handler *handler, sec_trust_t trust) {
    struct nwi_tls_question *question = nwi_tls_question_create(asks, handler);
    if (question == NULL)
        return false;
    question->trust = nwi_retain(trust);
    question->back = came_back;
    question->waiter = dialogue;
    dialogue->question = question;
    return true;
}

/* --- the peer's certificates --- */

enum { CHAIN_MOST = 16 };

/* The chain that the peer showed, its own certificate first. Returns its length; 0 when there is
 * none or it cannot be read. */
static size_t copy_chain(gnutls_session_t session, sec_certificate_t *chain) {
    unsigned shown = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &shown);
    size_t count = 0;
    for (; list != NULL && count < shown && count < CHAIN_MOST; count++)
        if ((chain[count] = nwi_certificate_create(list[count].data, list[count].size)) == NULL)
            break;
    return count;
}

static sec_trust_t make_trust(struct nwi_tls_dialogue *dialogue, gnutls_session_t session) {
    sec_certificate_t chain[CHAIN_MOST];
    size_t count = copy_chain(session, chain);
    sec_trust_t trust =
        count > 0 ? sec_trust_create_with_chain(chain, count, dialogue->host) : NULL;
    for (size_t i = 0; i < count; i++)
        nwi_release(chain[i]);
    if (trust != NULL && dialogue->config->is_server)
        sec_trust_set_purpose(trust, sec_trust_purpose_client);
    return trust;
}

static int evaluate(struct nwi_tls_dialogue *dialogue, sec_trust_t trust) {
    dialogue->verify = NWI_TLS_ANSWERED;
    dialogue->verdict = sec_trust_evaluate(trust);
    if (dialogue->verdict != 0) {
        char *reason = sec_trust_copy_reason(trust);
        nwi_log(NWI_LOG_NOTICE, "tls", "trust", "%s", reason != NULL ? reason : "not trusted");
        nwi_free(reason);
    }
    return dialogue->verdict == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* Whether anything is asked of the certificate. */
static bool is_checked(const struct nwi_tls_config *config) {
    return config->is_server ? config->asks != GNUTLS_CERT_IGNORE
                             : config->sec->peer_authentication_required != NWI_SEC_NO;
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
    if (handler == NULL)
        return evaluate(dialogue, trust);
    if (!raise_question(dialogue, NWI_TLS_ASK_VERIFY, handler, trust))
        return GNUTLS_E_MEMORY_ERROR;
    dialogue->verify = NWI_TLS_ASKED;
    return GNUTLS_E_AGAIN;
}
