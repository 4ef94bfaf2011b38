/*
 * resume.c - see resume.h.
 * Owns:   nothing of its own: sessions are kept by sessions.c, tickets made by tickets.c.
 */
#include "protocol/tls/resume.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/data.h"
#include "model/parameters.h"

/* GnuTLS tells no lifetime of a ticket, but does not use one that is past it: this is how long one
 * is kept at most. RFC 8446 section 4.6.1 allows seven days. */
#define KEEP (24 * 3600 * NWI_SEC)

enum { EARLY_PIECE = 16 * 1024 }; /* what GnuTLS's servers take, and more than a flight */

unsigned nwi_tls_resume_flags(const struct nwi_tls_config *config, bool early) {
    unsigned flags = 0;
    if (!config->sec->tickets_enabled || !config->sec->resumption_enabled)
        flags |= GNUTLS_NO_TICKETS;
    else if (early)
        flags |= GNUTLS_ENABLE_EARLY_DATA;
    /* Whether an exact list is kept to shows at the end of the handshake. */
    if (!config->is_server && config->sec->false_start_enabled &&
        config->sec->exact_ciphersuite_count == 0)
        flags |= GNUTLS_ENABLE_FALSE_START;
    return flags;
}

/* Before GnuTLS reads a message. */
static int will_read(gnutls_session_t session, struct tls *tls, unsigned type,
                     const gnutls_datum_t *message) {
    if (type == GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY || type == GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE)
        return nwi_tls_look_at_signer(session);
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && tls->config->is_server &&
        tls->config->sec->exact_ciphersuite_count > 0)
        return nwi_tls_suites_narrow(session, tls->config->sec, tls->config->is_datagram, message);
    return 0;
}

/* Called by GnuTLS before and after it deals with a message. A session has one such hook: it also
 * looks at who signs, and keeps a server to its exact list of suites. */
static int saw_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message) {
    struct tls *tls = gnutls_transport_get_ptr(session);
    if (when == GNUTLS_HOOK_PRE)
        return incoming ? will_read(session, tls, type, message) : 0;
    tls->barren = 0;
    if (type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET && incoming)
        tls->ticket_came = true;
    if (type == GNUTLS_HANDSHAKE_KEY_UPDATE)
        tls->keys_renewed = true;
    return 0;
}

static void take_up(struct tls *tls, const struct nwi_tls_request *request) {
    void *data;
    size_t size;
    struct nwi_tls_session_of of = {.options = tls->config->sec,
                                    .host = tls->host,
                                    .port = nw_endpoint_get_port(request->remote),
                                    .is_datagram = tls->config->is_datagram};
    tls->keeps_sessions = nwi_tls_session_key_make(&of, &tls->session_key);
    if (!tls->keeps_sessions || !nwi_tls_sessions_take(&tls->session_key, nwi_now(), &data, &size))
        return;
    tls->took_up = gnutls_session_set_data(tls->session, data, size) == 0;
    nwi_tls_sessions_wipe(data, size);
}

nwi_err nwi_tls_resume_begin(struct tls *tls, const struct nwi_tls_request *request) {
    const struct nwi_tls_config *config = tls->config;
    gnutls_handshake_set_hook_function(tls->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
                                       saw_message);
    if (!config->sec->resumption_enabled)
        return 0;
    if (config->is_server)
        return config->tickets != NULL
                   ? nwi_tls_tickets_attach(config->tickets, tls->session, nwi_now(),
                                            tls->takes_early, &tls->ticket_hold)
                   : 0;
    if (request->remote != NULL && tls->host != NULL)
        take_up(tls, request);
    return 0;
}

/* --- early content: a client --- */

void nwi_tls_resume_send_early(struct tls *tls) {
    if (tls->early == NULL || tls->early->content == NULL || !tls->took_up)
        return;
    size_t size = dispatch_data_get_size(tls->early->content);
    size_t most = gnutls_record_get_max_early_data_size(tls->session);
    size = size < most ? size : most;
    size = size < EARLY_PIECE ? size : EARLY_PIECE;
    unsigned char *bytes = size > 0 ? nwi_alloc_raw(size) : NULL;
    if (bytes == NULL)
        return;
    nwi_data_copy_out(tls->early->content, 0, bytes, size);
    /* It takes all or nothing, and answers 0 for "all" (GnuTLS 3.7.9). */
    if (gnutls_record_send_early_data(tls->session, bytes, size) >= 0)
        tls->early_sent = size;
    nwi_free(bytes);
}

void nwi_tls_resume_finished(struct tls *tls) {
    bool accepted = (gnutls_session_get_flags(tls->session) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
    if (tls->config->is_server) {
        tls->has_early = accepted;
        return;
    }
    /* What the server did not take is sent again, as if it had never gone (section 4.2.10). */
    if (tls->early != NULL && accepted)
        tls->early->sent = tls->early_sent;
    if (gnutls_protocol_get_version(tls->session) < GNUTLS_TLS1_3)
        tls->ticket_came = true; /* it came within the handshake, or the session has a number */
    nwi_tls_resume_keep(tls);
}

void nwi_tls_resume_failed(struct tls *tls) {
    if (tls->took_up && tls->state != NWI_TLS_READY)
        nwi_tls_sessions_forget(&tls->session_key);
}

void nwi_tls_resume_keep(struct tls *tls) {
    gnutls_datum_t data;
    bool came = tls->ticket_came;
    tls->ticket_came = false;
    if (!came || !tls->keeps_sessions || gnutls_session_get_data2(tls->session, &data) < 0)
        return;
    nwi_ns now = nwi_now();
    nwi_tls_sessions_put(&tls->session_key, data.data, data.size, now, now + KEEP,
                         gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3);
    gnutls_memset(data.data, 0, data.size);
    gnutls_free(data.data);
}

/* --- early content: a server --- */

dispatch_data_t nwi_tls_resume_take_early(struct tls *tls) {
    unsigned char bytes[4096];
    ssize_t got = gnutls_record_recv_early_data(tls->session, bytes, sizeof bytes);
    if (got > 0)
        return nwi_data_create_copy(bytes, (size_t)got);
    tls->has_early = false;
    return NULL;
}
