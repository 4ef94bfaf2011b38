/*
 * dtls.c - DTLS as a layer over datagrams; see tls.h. The session and its handshake are TLS's
 *          (tls.c, handshake.c), what is in datagrams is datagrams.c's.
 * Source: RFC 6347 sections 4.1.1.1 (path MTU), 4.2.1 (cookies), 4.2.4 (timers).
 * Runs:   in the protocol context of the chain, the alarm too.
 * Owns:   the alarm, while the handshake runs.
 */
#include "base/log.h"
#include "dispatch/data.h"
#include "protocol/tls/cookie.h"
#include "protocol/tls/datagrams.h"
#include "protocol/tls/errors.h"
#include "stack/chain.h"
#include "sys/sockets.h"

enum {
    REPEAT_FIRST = 1000, /* milliseconds, doubled each time: RFC 6347 section 4.2.4.1 */
    FOREVER =
        1000 * 1000 * 1000, /* milliseconds; GnuTLS takes no more into account than fits an int */
    MTU_LEAST = 256,        /* octets; a handshake in smaller pieces would not end */
    /* What gets through nearly everywhere (RFC 6347 section 4.1.1.1): IPv6's smallest packets, then
     * those that every IPv4 host takes; less 48 and 28 octets of headers. */
    MTU_CAREFUL = 1280 - 48,
    MTU_HUMBLE = 576 - 28,
};
static const nwi_ns patience =
    60 * NWI_SEC; /* for a handshake, answers of the program not counted */

/* --- path MTU, and what the network says --- */

static void set_mtu(struct dtls *dtls, unsigned mtu) {
    pthread_mutex_lock(&dtls->tls.lock);
    gnutls_dtls_set_mtu(dtls->tls.session, mtu < MTU_LEAST ? MTU_LEAST : mtu);
    pthread_mutex_unlock(&dtls->tls.lock);
}

static void limit_mtu(struct dtls *dtls, unsigned mtu) {
    if (gnutls_dtls_get_mtu(dtls->tls.session) <= mtu)
        return;
    nwi_log(NWI_LOG_INFO, "dtls", "mtu", "the handshake goes on in datagrams of %u octets", mtu);
    set_mtu(dtls, mtu);
}

/* Says nothing about the peer, or says it once only: the next repetition may get through. When two
 * in a row come to nothing, nobody is there. */
void nwi_dtls_take_trouble(struct dtls *dtls, nwi_err err) {
    struct tls *tls = &dtls->tls;
    if (tls->state != NWI_TLS_HANDSHAKING || nwi_layer_stopped(&tls->base))
        return;
    if (err == nwi_posix(EMSGSIZE)) {
        unsigned mtu = gnutls_dtls_get_mtu(tls->session);
        limit_mtu(dtls, mtu > MTU_CAREFUL ? MTU_CAREFUL : mtu / 4 * 3);
        return;
    }
    bool again = dtls->trouble != 0 && dtls->repeats > dtls->trouble_at;
    if (dtls->trouble == 0)
        dtls->trouble_at = dtls->repeats;
    dtls->trouble = err;
    nwi_log(NWI_LOG_INFO, "dtls", "trouble", "%s", nwi_err_text(err));
    if (again && (err == nwi_posix(ECONNREFUSED) || err == nwi_posix(EHOSTUNREACH) ||
                  err == nwi_posix(ENETUNREACH)))
        nwi_tls_fail(tls, err);
}

/* --- time --- */

static void fire(struct nwi_alarm *alarm) {
    struct dtls *dtls = nwi_container_of(alarm, struct dtls, alarm);
    struct tls *tls = &dtls->tls;
    dtls->pausing = false;
    if (nwi_layer_stopped(&tls->base))
        return;
    if (tls->state == NWI_TLS_HANDSHAKING && nwi_now() >= dtls->give_up) {
        nwi_tls_fail(tls,
                     dtls->trouble != 0 ? dtls->trouble : nwi_tls_error(GNUTLS_E_TIMEDOUT, -1));
        return;
    }
    tls->step_due = tls->state == NWI_TLS_HANDSHAKING;
    nwi_tls_advance(tls);
}

/* A flight was written: the next one, or the same again, by our timer or because the peer has sent
 * his again. Large datagrams may be what does not get through (RFC 6347 section 4.1.1.1). */
void nwi_dtls_count_flight(struct dtls *dtls) {
    pthread_mutex_lock(&dtls->tls.lock);
    int last = (int)gnutls_handshake_get_last_out(dtls->tls.session);
    pthread_mutex_unlock(&dtls->tls.lock);
    dtls->repeats = last == dtls->last_out ? dtls->repeats + 1 : 0;
    dtls->last_out = last;
    if (dtls->repeats >= 2)
        limit_mtu(dtls, dtls->repeats >= 3 ? MTU_HUMBLE : MTU_CAREFUL);
}

/* When there is nothing of ours to send again GnuTLS says 0: then it is the peer's turn. */
static nwi_ns next_repeat(struct dtls *dtls) {
    pthread_mutex_lock(&dtls->tls.lock);
    unsigned wait = gnutls_dtls_get_timeout(dtls->tls.session);
    pthread_mutex_unlock(&dtls->tls.lock);
    return nwi_now() + (wait > 0 ? wait + 1 : REPEAT_FIRST) * NWI_MS;
}

static void set_alarm(struct dtls *dtls) {
    nwi_ns when = NWI_NEVER;
    if (dtls->tls.state == NWI_TLS_HANDSHAKING) {
        if (dtls->give_up == 0)
            dtls->give_up = nwi_now() + patience;
        when = next_repeat(dtls);
        when = when < dtls->give_up ? when : dtls->give_up;
    } else {
        dtls->give_up = 0;
    }
    if (dtls->pausing && nwi_now() + NWI_SHORTAGE_PAUSE < when)
        when = nwi_now() + NWI_SHORTAGE_PAUSE;
    if (when == NWI_NEVER)
        nwi_alarm_stop(&dtls->alarm);
    else if (nwi_alarm_set(&dtls->alarm, when) != 0)
        nwi_tls_fail(&dtls->tls, NWI_ERR_NOMEM); /* nothing would ever wake it */
}

static bool wants_input(const struct dtls *dtls) {
    const struct tls *tls = &dtls->tls;
    if (dtls->granted || dtls->pausing || tls->in != NULL)
        return false;
    if (tls->state == NWI_TLS_HANDSHAKING)
        return true;
    return nwi_tls_is_open(tls) && !dtls->peer_ended && dtls->held_count < NWI_DTLS_HELD;
}

void nwi_dtls_settle(struct tls *tls) {
    struct dtls *dtls = nwi_dtls(tls);
    if (nwi_layer_stopped(&tls->base))
        return;
    set_alarm(dtls);
    if (!wants_input(dtls) || nwi_layer_stopped(&tls->base))
        return;
    dtls->granted = true;
    nwi_layer_grant(&tls->base, NWI_DTLS_RECORD);
}

/* --- the layer's operations --- */

static nwi_err dtls_connect(struct nwi_layer *layer) {
    struct dtls *dtls = (struct dtls *)layer;
    struct nwi_layer_facts facts = nwi_chain_facts(layer->chain);
    nwi_release(facts.local);
    nwi_release(facts.remote);
    nwi_alarm_init(&dtls->alarm, layer->chain->context, layer->chain->loop, dtls, fire);
    /* GnuTLS's own patience goes by the clock on the wall, which may jump ahead: it has days. */
    gnutls_dtls_set_timeouts(dtls->tls.session, REPEAT_FIRST, FOREVER);
    set_mtu(dtls, facts.maximum_datagram);
    dtls->tls.step_due = !dtls->tls.config->is_server; /* the client speaks first */
    nwi_tls_enter(&dtls->tls, NWI_TLS_HANDSHAKING);
    nwi_tls_advance(&dtls->tls);
    return 0;
}

/* The listener has asked the peer for a cookie before there was a session (cookie.h). */
static void count_from(struct dtls *dtls, dispatch_data_t datagram) {
    gnutls_dtls_prestate_st state;
    struct iovec piece;
    if (nwi_data_iovec(datagram, 0, &piece, 1) == 1 &&
        nwi_dtls_prestate(piece.iov_base, piece.iov_len, &state))
        gnutls_dtls_prestate_set(dtls->tls.session, &state);
}

static nwi_err dtls_input(struct nwi_layer *layer, struct nwi_input *input) {
    struct dtls *dtls = (struct dtls *)layer;
    struct tls *tls = &dtls->tls;
    dtls->granted = false;
    bool useless = input->content == NULL || tls->in != NULL || dtls->peer_ended ||
                   !(tls->state == NWI_TLS_HANDSHAKING || nwi_tls_is_open(tls));
    if (!useless) {
        tls->in = nwi_take(&input->content);
        dtls->dry = false;
        nwi_release(dtls->arrived);
        dtls->arrived = nwi_take(&input->context);
        dtls->trouble = 0;
        if (!dtls->heard && tls->config->is_server)
            count_from(dtls, tls->in);
        dtls->heard = true;
    }
    nwi_input_drop(input);
    nwi_retain(dtls);
    if (useless)
        nwi_dtls_settle(tls);
    else
        nwi_tls_advance(tls);
    nwi_release(dtls);
    return 0;
}

static void dtls_soft_error(struct nwi_layer *layer, nwi_err err) {
    struct dtls *dtls = (struct dtls *)layer;
    nwi_retain(dtls);
    dtls->granted = false;
    dtls->pausing = dtls->pausing || nwi_err_is_shortage(err);
    if (nwi_tls_is_open(&dtls->tls))
        nwi_layer_soft_error(layer, err);
    else
        nwi_dtls_take_trouble(dtls, err);
    nwi_dtls_settle(&dtls->tls);
    nwi_release(dtls);
}

static void dtls_failed(struct nwi_layer *layer, nwi_err err) {
    nwi_tls_fail((struct tls *)layer, err);
}

static void dtls_facts(struct nwi_layer *layer, struct nwi_layer_facts *facts) {
    struct tls *tls = (struct tls *)layer;
    if (facts->fd_only || !nwi_tls_is_open(tls))
        return;
    pthread_mutex_lock(&tls->lock);
    facts->overhead += gnutls_dtls_get_mtu(tls->session) - gnutls_dtls_get_data_mtu(tls->session);
    pthread_mutex_unlock(&tls->lock);
}

static void dtls_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    struct dtls *dtls = (struct dtls *)layer;
    if (dtls->tls.state != NWI_TLS_IDLE)
        nwi_alarm_stop(&dtls->alarm);
    nwi_tls_disconnect(layer, how, why);
    nwi_dtls_drop(dtls);
}

static void dtls_free(struct nwi_layer *layer) {
    nwi_dtls_drop((struct dtls *)layer);
    nwi_tls_free(layer);
}

const struct nwi_layer_ops nwi_dtls_ops = {
    .name = "dtls",
    .traits = NWI_TRAIT_SECURE,
    .size = sizeof(struct dtls),
    .connect = dtls_connect,
    .disconnect = dtls_disconnect,
    .input = dtls_input,
    .output = nwi_tls_output,
    .failed = dtls_failed,
    .soft_error = dtls_soft_error,
    .go_on = nwi_tls_go_on,
    .window = nwi_tls_window,
    .facts = dtls_facts,
    .copy_metadata = nwi_tls_copy_metadata,
    .free = dtls_free,
};

void nwi_dtls_init(struct tls *tls) {
    struct dtls *dtls = nwi_dtls(tls);
    STAILQ_INIT(&dtls->packets);
    STAILQ_INIT(&dtls->held);
    dtls->last_out = -1;
}
