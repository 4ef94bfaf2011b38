/*
 * records.c - content in records, both ways.
 * What:   small pieces share a record, several records share one write; a big record goes up
 *         without a copy.
 * Source: RFC 8446 sections 5 and 6.1, RFC 5246 sections 6.2 and 7.2.1.
 * Runs:   in the protocol context of the chain.
 * Owns:   nothing of its own.
 */
#include "base/log.h"
#include "dispatch/data.h"
#include "loop/loop.h"
#include "model/content_context.h"
#include "protocol/tls/private.h"
#include "protocol/tls/resume.h"
#include "stack/chain.h"
#include <string.h>

/* --- out --- */

/* Plain octets that wait, up to a limit. */
static size_t queued(const struct tls *tls, size_t limit) {
    size_t octets = 0;
    const struct nwi_send *send;
    STAILQ_FOREACH (send, &tls->queue, link) {
        octets += nwi_send_left(send);
        if (octets >= limit || send->final)
            break;
    }
    return octets < limit ? octets : limit;
}

/* The content of the next record: where it lies when it lies in one piece, else a copy of several
 * pieces in `scratch`. Returns its size, at most `most`; 0: nothing but marks waits in front. */
static size_t next_content(const struct tls *tls, unsigned char *scratch, size_t most,
                           const void **ret_bytes) {
    size_t size = 0;
    const struct nwi_send *send;
    STAILQ_FOREACH (send, &tls->queue, link) {
        struct iovec piece;
        if (size == 0 && nwi_send_left(send) > 0 &&
            nwi_data_iovec(send->content, send->offset, &piece, 1) == 1 &&
            (piece.iov_len >= most || piece.iov_len >= queued(tls, most))) {
            *ret_bytes = piece.iov_base;
            return piece.iov_len < most ? piece.iov_len : most;
        }
        if (nwi_send_left(send) > 0)
            size += nwi_data_copy_out(send->content, send->offset, scratch + size, most - size);
        if (size == most || send->final)
            break;
    }
    *ret_bytes = scratch;
    return size;
}

/* Takes encrypted octets off the queue; what is through waits in `through` for the write. True: the
 * last of them ends the direction. */
static bool account(struct tls *tls, size_t octets, struct nwi_send_list *through) {
    struct nwi_send *send;
    while ((send = STAILQ_FIRST(&tls->queue)) != NULL) {
        size_t left = nwi_send_left(send);
        if (left > octets) {
            send->offset += octets;
            return false;
        }
        octets -= left;
        send->offset += left;
        STAILQ_REMOVE_HEAD(&tls->queue, link);
        STAILQ_INSERT_TAIL(through, send, link);
        if (send->final)
            return true;
    }
    return false;
}

void nwi_tls_end_direction(struct tls *tls) {
    gnutls_bye(tls->session, GNUTLS_SHUT_WR); /* writes into memory: cannot wait */
    tls->write_ended = true;
    nwi_tls_enter(tls, tls->read_ended ? NWI_TLS_CLOSED : NWI_TLS_CLOSING);
}

/* Encrypts up to one write. GnuTLS's code, or 0. */
static int encrypt(struct tls *tls, struct nwi_send_list *through) {
    unsigned char scratch[NWI_TLS_RECORD];
    size_t most = gnutls_record_get_max_size(tls->session), done = 0;
    most = most < sizeof scratch ? most : sizeof scratch;
    size_t batch = queued(tls, NWI_TLS_BATCH);
    if (!nwi_tls_reserve(tls, batch + (batch / most + 2) * 32))
        return GNUTLS_E_MEMORY_ERROR;
    bool last = false;
    while (!last && !STAILQ_EMPTY(&tls->queue) && (done < batch || batch == 0)) {
        const void *bytes;
        size_t size = next_content(tls, scratch, most, &bytes);
        ssize_t sent = size > 0 ? gnutls_record_send(tls->session, bytes, size) : 0;
        if (sent < 0)
            return (int)sent;
        done += (size_t)sent;
        last = account(tls, (size_t)sent, through);
        if (batch == 0)
            break;
    }
    if (last)
        nwi_tls_end_direction(tls);
    return 0;
}

static void pump(struct tls *tls) {
    for (int writes = 0; !STAILQ_EMPTY(&tls->queue) && tls->in_flight == 0 && !tls->write_ended &&
                         nwi_tls_is_open(tls) && !nwi_layer_stopped(&tls->base);
         writes++) {
        if (writes > 0 && nwi_loop_turn_is_over() && tls->base.chain->context != NULL) {
            nwi_tls_queue_turn(tls);
            return;
        }
        struct nwi_send_list through = STAILQ_HEAD_INITIALIZER(through);
        pthread_mutex_lock(&tls->lock);
        int code = encrypt(tls, &through);
        pthread_mutex_unlock(&tls->lock);
        if (code == 0) {
            nwi_tls_flush(tls, &through, tls->write_ended);
            continue;
        }
        STAILQ_CONCAT(&through, &tls->queue);
        STAILQ_CONCAT(&tls->queue, &through); /* they fail with the rest */
        nwi_tls_fail(tls, nwi_tls_end_with(tls, code));
    }
}

void nwi_tls_pump(struct tls *tls) {
    if (tls->pumping)
        return;
    nwi_retain(tls);
    tls->pumping = true;
    if (tls->config->is_datagram)
        nwi_dtls_pump(tls);
    else
        pump(tls);
    tls->pumping = false;
    if (tls->told_congested && STAILQ_EMPTY(&tls->queue) && !nwi_layer_stopped(&tls->base)) {
        tls->told_congested = false;
        nwi_layer_writable(&tls->base);
    }
    nwi_release(tls);
}

/* --- in --- */

enum { COPY_MOST = 4 * 1024 }; /* a packet keeps 16 KiB, whatever is in it */

/* A server that wants to negotiate anew is told that we do not (RFC 5746 section 4.5), and goes on
 * or ends as it likes. Not so a client: GnuTLS keeps its hello in front of all that follows; nor a
 * server that asks without end: answers that it does not read would pile up. */
static bool refuses_renegotiation(struct tls *tls, ssize_t code) {
    enum { MOST = 8 };
    if (code != GNUTLS_E_REHANDSHAKE || tls->config->is_server || tls->unrenewed == MOST)
        return false;
    tls->unrenewed++;
    gnutls_alert_send(tls->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
    return true;
}

static ssize_t decrypt(struct tls *tls, dispatch_data_t *ret_content) {
    gnutls_packet_t packet = NULL;
    gnutls_datum_t datum;
    ssize_t size = gnutls_record_recv_packet(tls->session, &packet);
    *ret_content = NULL;
    if (size <= 0)
        return size;
    gnutls_packet_get(packet, &datum, NULL);
    if (datum.size > COPY_MOST)
        *ret_content = nwi_data_create_lent(datum.data, datum.size, packet,
                                            (void (*)(void *))gnutls_packet_deinit);
    if (*ret_content == NULL) {
        *ret_content = nwi_data_create_copy(datum.data, datum.size);
        gnutls_packet_deinit(packet);
    }
    return *ret_content != NULL ? size : GNUTLS_E_MEMORY_ERROR;
}

/* What came beside the ClientHello is the beginning of the stream. As decrypt(). */
static ssize_t take_early(struct tls *tls, dispatch_data_t *ret_content) {
    *ret_content = nwi_tls_resume_take_early(tls);
    if (*ret_content != NULL)
        return (ssize_t)dispatch_data_get_size(*ret_content);
    return tls->has_early ? GNUTLS_E_MEMORY_ERROR : GNUTLS_E_AGAIN;
}

ssize_t nwi_tls_decrypt(struct tls *tls, dispatch_data_t *ret_content) {
    pthread_mutex_lock(&tls->lock);
    ssize_t size = tls->has_early ? take_early(tls, ret_content) : decrypt(tls, ret_content);
    if (tls->ticket_came)
        nwi_tls_resume_keep(tls);
    if (refuses_renegotiation(tls, size))
        size = GNUTLS_E_AGAIN;
    if (size > 0)
        tls->barren = 0;
    else if (size == GNUTLS_E_AGAIN && tls->barren > NWI_TLS_HEARD_MOST)
        size = GNUTLS_E_HANDSHAKE_TOO_LARGE; /* as in a handshake: see handshake.c */
    pthread_mutex_unlock(&tls->lock);
    return size;
}

void nwi_tls_end_input(struct tls *tls) {
    tls->read_ended = true;
    nwi_tls_enter(tls, tls->write_ended ? NWI_TLS_CLOSED : NWI_TLS_CLOSING);
    nwi_tls_drop_in(tls);
    struct nwi_input input = {.complete = true, .final = true};
    if (tls->config->is_datagram) /* messages have contexts, and so does this one */
        input.context = nwi_content_context_create_received(true);
    nwi_err err = nwi_layer_deliver(&tls->base, &input);
    if (err != 0 && !nwi_layer_stopped(&tls->base))
        nwi_tls_fail(tls, err);
}

static void deliver(struct tls *tls, dispatch_data_t content, size_t size) {
    tls->window -= size < tls->window ? size : tls->window;
    struct nwi_input input = {.content = content};
    nwi_err err = nwi_layer_deliver(&tls->base, &input);
    if (err != 0 && !nwi_layer_stopped(&tls->base))
        nwi_tls_fail(tls, err);
}

void nwi_tls_read(struct tls *tls) {
    if (tls->config->is_datagram) {
        nwi_dtls_read(tls);
        return;
    }
    for (int records = 0; tls->window > 0 && !tls->read_ended && nwi_tls_is_open(tls) &&
                          (tls->has_early || nwi_tls_has_record(tls));
         records++) {
        if (records > 0 && nwi_loop_turn_is_over() && tls->base.chain->context != NULL) {
            nwi_tls_queue_turn(tls);
            return;
        }
        dispatch_data_t content, in = tls->in;
        size_t offset = tls->in_offset;
        bool was_early = tls->has_early;
        ssize_t size = nwi_tls_decrypt(tls, &content);
        if (size == GNUTLS_E_AGAIN && !was_early && tls->in == in && tls->in_offset == offset)
            break; /* it takes nothing more: whatever it waits for is not here */
        if (size > 0)
            deliver(tls, content, (size_t)size);
        else if (size == 0)
            nwi_tls_end_input(tls);
        else if (size != GNUTLS_E_AGAIN && size != GNUTLS_E_INTERRUPTED &&
                 size != GNUTLS_E_WARNING_ALERT_RECEIVED)
            nwi_tls_fail(tls, nwi_tls_end_with(tls, (int)size));
        if (nwi_layer_stopped(&tls->base))
            return;
        if (tls->keys_renewed)
            nwi_tls_tell_key_update(tls);
    }
    if (nwi_tls_is_open(tls) && tls->out != NULL)
        nwi_tls_flush(tls, NULL, false); /* answers of the protocol's own: alerts, key updates */
}
