/*
 * handshake.c - the handshake of a session, step by step, and what it ends with.
 * Source: RFC 8446 section 4 and 6.2, RFC 5246 sections 7.2.2 and 7.4.
 * Runs:   in the protocol context of the chain.
 */
#include "base/log.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/resume.h"
#include <Security/SecureTransport.h>

/* GnuTLS calls it a missing certificate when an alert comes in the place of a client's that is
 * required (TLS 1.2); yet the client has said why it goes. */
static int code_with_alert(struct tls *tls, int code) {
    return code == GNUTLS_E_NO_CERTIFICATE_FOUND &&
                   gnutls_alert_get(tls->session) != GNUTLS_A_CLOSE_NOTIFY
               ? GNUTLS_E_FATAL_ALERT_RECEIVED
               : code;
}

nwi_err nwi_tls_end_with(struct tls *tls, int code) {
    int verdict = tls->dialogue != NULL ? tls->dialogue->verdict : 0;
    pthread_mutex_lock(&tls->lock);
    code = code_with_alert(tls, code);
    int alert = code == GNUTLS_E_FATAL_ALERT_RECEIVED ? (int)gnutls_alert_get(tls->session) : -1;
    if (verdict != 0)
        gnutls_alert_send(tls->session, GNUTLS_AL_FATAL, nwi_tls_alert_for(verdict));
    else if (alert < 0)
        gnutls_alert_send_appropriate(tls->session, code);
    pthread_mutex_unlock(&tls->lock);
    nwi_err err = verdict != 0 ? nwi_err_make(NWI_DOMAIN_TLS, verdict) : nwi_tls_error(code, alert);
    nwi_log(NWI_LOG_INFO, "tls", "end", "%s%s%s: %s", gnutls_strerror(code),
            alert >= 0 ? ", the peer says " : "",
            alert >= 0 ? gnutls_alert_get_name((gnutls_alert_description_t)alert) : "",
            nwi_err_text(err));
    return err;
}

/* As far as it goes with the records that are here. GnuTLS keeps the records of a message that is
 * not complete, and a message may say that it has 16 MiB: so a peer is heard only so long, which
 * is more than any chain of certificates takes. It answers "again" also after a record that
 * it has taken and that was not the handshake's (early data). */
static int step(struct tls *tls) {
    enum { WARNINGS_MOST = 8, EMPTY_MOST = 64 };
    int code, warnings = 0, empty_steps = 0;
    size_t before;
    pthread_mutex_lock(&tls->lock);
    if (tls->step_due && nwi_tls_dialogue_asks_first(tls->dialogue, tls->session)) {
        pthread_mutex_unlock(&tls->lock);
        return GNUTLS_E_AGAIN;
    }
    if (!tls->begun)
        nwi_tls_resume_send_early(tls);
    tls->begun = true;
    tls->step_due = false;
    do {
        before = nwi_tls_waiting(tls);
        code = gnutls_handshake(tls->session);
        if (code == GNUTLS_E_WARNING_ALERT_RECEIVED && warnings++ < WARNINGS_MOST)
            continue;
        if (code != GNUTLS_E_AGAIN || tls->dialogue->question != NULL)
            break;
        /* A datagram may hold records of which it has not told yet. */
        if (nwi_tls_waiting(tls) == before &&
            (!tls->config->is_datagram || ++empty_steps > EMPTY_MOST))
            break;
    } while (nwi_tls_has_record(tls) || code == GNUTLS_E_WARNING_ALERT_RECEIVED);
    pthread_mutex_unlock(&tls->lock);
    return code == GNUTLS_E_AGAIN && tls->dialogue->heard > NWI_TLS_HEARD_MOST
               ? GNUTLS_E_HANDSHAKE_TOO_LARGE
               : code;
}

/* GnuTLS may have agreed on a suite that an exact list does not hold. */
static bool is_as_wanted(struct tls *tls) {
    tls_ciphersuite_t suite = nwi_tls_suite_of(tls->session);
    if (nwi_tls_suite_is_allowed(tls->config->sec, suite))
        return true;
    nwi_log(NWI_LOG_ERROR, "tls", "suite", "the peer chose %s, which is not on the list",
            nwi_tls_suite_name(suite));
    tls->dialogue->verdict = errSSLNegotiation;
    return false;
}

static void finished(struct tls *tls) {
    if (!is_as_wanted(tls)) {
        nwi_tls_fail(tls, nwi_tls_end_with(tls, GNUTLS_E_UNWANTED_ALGORITHM));
        return;
    }
    nwi_tls_resume_finished(tls);
    nwi_tls_dialogue_end(tls->dialogue, tls->session);
    tls->dialogue = nwi_tls_dialogue_free(tls->dialogue);
    tls->early = NULL;
    nwi_tls_enter(tls, NWI_TLS_READY);
    nwi_layer_connected(&tls->base);
}

void nwi_tls_handshake(struct tls *tls) {
    int code = step(tls);
    if (code < 0 && gnutls_error_is_fatal(code)) {
        nwi_tls_resume_failed(tls);
        nwi_tls_fail(tls, nwi_tls_end_with(tls, code));
        return;
    }
    if (nwi_tls_has_output(tls))
        nwi_tls_flush(tls, NULL, false);
    if (tls->state != NWI_TLS_HANDSHAKING || nwi_layer_stopped(&tls->base))
        return;
    if (code == 0)
        finished(tls);
    else if (nwi_tls_dialogue_waits(tls->dialogue))
        nwi_tls_enter(tls, NWI_TLS_ASKING);
}
