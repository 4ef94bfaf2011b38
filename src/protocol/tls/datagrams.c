/*
 * datagrams.c - records in datagrams, both ways.
 * What:   each message is one record in one datagram; records of one flight of the handshake share
 *         datagrams as far as they fit. What comes is read whether or not somebody asked, since it
 *         may be the handshake's, and a few messages are kept until they are asked for.
 * Source: RFC 6347 sections 4.1, 4.1.1 (records and datagrams), 4.1.2.7 (invalid records), 4.2.3.
 * Runs:   in the protocol context of the chain.
 * Owns:   packets until the layer below takes them; messages that nobody has asked for.
 */
#include "protocol/tls/datagrams.h"
#include "base/alloc.h"
#include "dispatch/data.h"
#include "model/content_context.h"
#include "stack/chain.h"
#include "stack/message.h"
#include <string.h>

struct held_message {
    STAILQ_ENTRY(held_message) link;
    struct nwi_input input;
};

/* One datagram on its way down, and the message that is in it. */
struct packet {
    struct nwi_send send;
    struct dtls *dtls;            /* retained */
    struct nwi_send_list message; /* completes with it; empty: the protocol's own */
    unsigned char *octets;        /* lent by the content */
    size_t used, room;
};

/* --- to below --- */

static void packet_done(struct nwi_send *send, nwi_err err) {
    struct packet *packet = nwi_container_of(send, struct packet, send);
    struct dtls *dtls = packet->dtls;
    struct nwi_send_list message = STAILQ_HEAD_INITIALIZER(message);
    bool own = STAILQ_EMPTY(&packet->message);
    STAILQ_CONCAT(&message, &packet->message);
    dtls->tls.in_flight -= packet->used;
    dispatch_release(send->content);
    nwi_release(send->context);
    nwi_free(packet);
    nwi_send_list_fail(&message, err); /* 0: completes it */
    if (own && err != 0)
        nwi_dtls_take_trouble(dtls, err);
    if (dtls->tls.in_flight == 0 && !nwi_layer_stopped(&dtls->tls.base))
        nwi_tls_written(&dtls->tls);
    nwi_release(dtls);
}

/* With room for so many octets. NULL: no memory. */
static struct packet *add_packet(struct dtls *dtls, size_t room) {
    struct packet *packet = nwi_alloc(sizeof *packet);
    if (packet == NULL)
        return NULL;
    packet->send.content = nwi_data_create_buffer(room, (void **)&packet->octets);
    if (packet->send.content == NULL) {
        nwi_free(packet);
        return NULL;
    }
    packet->room = room;
    packet->dtls = nwi_retain(dtls);
    packet->send.context = nwi_retain(&nwi_default_message_context);
    packet->send.complete = true;
    packet->send.done = packet_done;
    STAILQ_INIT(&packet->message);
    STAILQ_INSERT_TAIL(&dtls->packets, &packet->send, link);
    dtls->last = packet;
    return packet;
}

/* One record. Those of a flight go together (RFC 6347 section 4.1.1: "multiple DTLS records may be
 * placed in a single datagram"), so that fewer can be lost. */
static ssize_t push(gnutls_transport_ptr_t pointer, const void *octets, size_t size) {
    struct dtls *dtls = pointer;
    size_t mtu = gnutls_dtls_get_mtu(dtls->tls.session);
    struct packet *packet = dtls->alone ? NULL : dtls->last;
    if (packet == NULL || packet->room - packet->used < size)
        packet = add_packet(dtls, !dtls->alone && size < mtu ? mtu : size);
    dtls->wrote = true;
    dtls->lost = packet == NULL;
    if (packet == NULL) /* as if the network had lost it: GnuTLS could not do without it */
        return (ssize_t)size;
    memcpy(packet->octets + packet->used, octets, size);
    packet->used += size;
    dtls->tls.in_flight += size;
    return (ssize_t)size;
}

bool nwi_dtls_has_output(struct tls *tls) {
    return !STAILQ_EMPTY(&nwi_dtls(tls)->packets);
}

void nwi_dtls_flush(struct tls *tls) {
    struct nwi_send *send;
    struct nwi_send_list packets = STAILQ_HEAD_INITIALIZER(packets);
    struct dtls *dtls = nwi_dtls(tls);
    STAILQ_CONCAT(&packets, &dtls->packets); /* completions may write more */
    dtls->last = NULL;
    if (dtls->wrote && tls->state == NWI_TLS_HANDSHAKING)
        nwi_dtls_count_flight(dtls);
    dtls->wrote = false;
    while ((send = STAILQ_FIRST(&packets)) != NULL) {
        struct packet *packet = nwi_container_of(send, struct packet, send);
        STAILQ_REMOVE_HEAD(&packets, link);
        send->content = nwi_data_trim(send->content, packet->used);
        send->more = !STAILQ_EMPTY(&packets);
        if (nwi_layer_stopped(&tls->base))
            send->done(send, NWI_ERR_CANCELED);
        else
            nwi_layer_output(&tls->base, send);
    }
}

/* --- messages out --- */

/* The octets where they lie, when they lie in one piece; else a copy of them in `scratch`. */
static const void *message_octets(const struct nwi_send_list *message, size_t size,
                                  unsigned char *scratch) {
    const struct nwi_send *send;
    struct iovec piece;
    STAILQ_FOREACH (send, message, link)
        if (send->content != NULL && nwi_data_iovec(send->content, 0, &piece, 1) == 1 &&
            piece.iov_len == size)
            return piece.iov_base;
    nwi_message_copy_out(message, scratch);
    return scratch;
}

/* One record of it, as the last packet. GnuTLS's code. A message is never cut into records, and the
 * path's MTU is the program's affair: it may let the network cut datagrams (RFC 6347 section
 * 4.1.1.1). */
static int encrypt(struct dtls *dtls, const struct nwi_send_list *message) {
    unsigned char scratch[NWI_DTLS_RECORD];
    gnutls_session_t session = dtls->tls.session;
    size_t size = nwi_message_size(message);
    unsigned mtu = gnutls_dtls_get_mtu(session);
    ssize_t sent = GNUTLS_E_LARGE_PACKET;
    gnutls_dtls_set_mtu(session, NWI_DTLS_RECORD);
    dtls->alone = true;
    if (size <= gnutls_dtls_get_data_mtu(session) && size <= gnutls_record_get_max_size(session))
        sent = gnutls_record_send(session, message_octets(message, size, scratch), size);
    dtls->alone = false;
    gnutls_dtls_set_mtu(session, mtu);
    return sent < 0 ? (int)sent : dtls->lost ? GNUTLS_E_MEMORY_ERROR : 0;
}

/* GnuTLS's code; then the message is still the caller's. */
static int write_message(struct dtls *dtls, struct nwi_send_list *message, bool final) {
    pthread_mutex_lock(&dtls->tls.lock);
    int code = nwi_message_is_bare_end(message) ? 0 : encrypt(dtls, message);
    if (code == 0 && !nwi_message_is_bare_end(message)) {
        struct packet *packet = dtls->last;
        nwi_release(packet->send.context);
        packet->send.context = nwi_retain(STAILQ_FIRST(message)->context);
        STAILQ_CONCAT(&packet->message, message);
    }
    if (code == 0 && final) {
        dtls->alone = true; /* an alert is no part of the message before it */
        nwi_tls_end_direction(&dtls->tls);
        dtls->alone = false;
    }
    pthread_mutex_unlock(&dtls->tls.lock);
    return code;
}

void nwi_dtls_pump(struct tls *tls) {
    struct nwi_send_list message;
    nwi_err err = 0;
    while (err == 0 && nwi_tls_is_open(tls) && !tls->write_ended &&
           nwi_message_take(&tls->queue, &message)) {
        bool final = nwi_message_is_final(&message);
        if (nwi_message_size(&message) == 0 && !nwi_message_is_bare_end(&message)) {
            nwi_send_list_fail(&message, NWI_ERR_INVAL); /* GnuTLS has no empty records */
            continue;
        }
        int code = write_message(nwi_dtls(tls), &message, final);
        if (code == GNUTLS_E_LARGE_PACKET)
            nwi_send_list_fail(&message, nwi_posix(EMSGSIZE));
        else if (code == GNUTLS_E_MEMORY_ERROR)
            nwi_send_list_fail(&message, NWI_ERR_NOMEM); /* of a datagram: nothing is broken */
        else if (code != 0)
            nwi_send_list_fail(&message, err = nwi_tls_end_with(tls, code));
        else
            nwi_send_list_fail(&message, 0); /* a bare end: all else is with its packet */
    }
    if (err != 0)
        nwi_tls_fail(tls, err);
    else
        nwi_dtls_flush(tls);
}

/* --- from below --- */

/* A peek at the datagram, once. It is dropped when it is ahead of its turn, or there is no memory.
 */
static void look(struct dtls *dtls) {
    struct tls *tls = &dtls->tls;
    size_t size = dispatch_data_get_size(tls->in), found = 0;
    unsigned char *octets = nwi_alloc_raw(2 * size + NWI_DTLS_FRAGMENTS_MORE),
                  *record = octets + size;
    if (octets != NULL)
        nwi_data_copy_out(tls->in, 0, octets, size);
    bool in_order =
        octets != NULL && nwi_dtls_fragments_order(&dtls->fragments, octets, size, record, &found);
    if (found > 0)
        nwi_tls_dialogue_look(tls->dialogue, record, found);
    nwi_free(octets);
    if (!in_order)
        nwi_tls_drop_in(tls);
    tls->looked = in_order;
}

/* Whether a datagram is there that GnuTLS may have. */
static bool has_datagram(struct dtls *dtls) {
    struct tls *tls = &dtls->tls;
    struct nwi_tls_dialogue *dialogue = tls->dialogue;
    if (tls->in == NULL || dialogue == NULL || dialogue->peek == NULL)
        return tls->in != NULL;
    if (!tls->looked)
        look(dtls);
    return !nwi_tls_dialogue_holds(dialogue, tls->session) && tls->in != NULL;
}

/* Octets of the records that GnuTLS can do with. One that says it is longer than its datagram would
 * have it wait for the rest in those that follow, and lose these as well; a ChangeCipherSpec of
 * more than its one octet (RFC 5246 section 7.1) would cost memory that it never gives back. */
static size_t sound_records(const unsigned char *octets, size_t size) {
    enum {
        EPOCH = 3,
        LENGTH = 11,
        HEADER = 13,
        CHANGE_CIPHER_SPEC = 20
    }; /* RFC 6347 section 4.1 */
    size_t sound = 0;
    while (size - sound >= HEADER) {
        const unsigned char *record = octets + sound;
        size_t length = (size_t)record[LENGTH] << 8 | record[LENGTH + 1];
        bool is_plain = record[EPOCH] == 0 && record[EPOCH + 1] == 0;
        if (length > size - sound - HEADER ||
            (is_plain && record[0] == CHANGE_CIPHER_SPEC && length != 1))
            break;
        sound += HEADER + length;
    }
    return sound;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *octets, size_t size) {
    struct tls *tls = pointer;
    size_t got = 0;
    if (has_datagram(nwi_dtls(tls))) {
        got = sound_records(octets, nwi_data_copy_out(tls->in, 0, octets, size));
        nwi_tls_drop_in(tls);
        tls->looked = false;
    }
    if (got == 0) {
        nwi_dtls(tls)->dry = tls->in == NULL;
        gnutls_transport_set_errno(tls->session, EAGAIN);
        return -1;
    }
    if (tls->dialogue != NULL)
        tls->dialogue->heard += got;
    return (ssize_t)got;
}

bool nwi_dtls_has_record(struct tls *tls) {
    return !nwi_dtls(tls)->dry;
}

static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned milliseconds) {
    (void)milliseconds;
    return nwi_dtls_has_record(pointer);
}

void nwi_dtls_attach_transport(struct tls *tls) {
    gnutls_transport_set_ptr(tls->session, tls);
    gnutls_transport_set_pull_function(tls->session, pull);
    gnutls_transport_set_pull_timeout_function(tls->session, pull_timeout);
    gnutls_transport_set_push_function(tls->session, push);
}

/* --- messages in --- */

/* Consumes the content. Without memory the datagram is lost, as the kernel might have lost it. */
static void hold(struct dtls *dtls, dispatch_data_t content) {
    struct held_message *message = nwi_alloc(sizeof *message);
    if (message == NULL) {
        dispatch_release(content);
        return;
    }
    message->input = (struct nwi_input){
        .content = content, .context = nwi_retain(dtls->arrived), .complete = true};
    STAILQ_INSERT_TAIL(&dtls->held, message, link);
    dtls->held_count++;
}

static struct nwi_input take_held(struct dtls *dtls) {
    struct held_message *message = STAILQ_FIRST(&dtls->held);
    struct nwi_input input = message->input;
    STAILQ_REMOVE_HEAD(&dtls->held, link);
    dtls->held_count--;
    nwi_free(message);
    return input;
}

/* One message for each grant of the reader's, and the peer's end behind the last. */
static void deliver_held(struct dtls *dtls) {
    struct tls *tls = &dtls->tls;
    while (tls->window > 0 && dtls->held_count > 0 && !nwi_layer_stopped(&tls->base)) {
        struct nwi_input input = take_held(dtls);
        tls->window = 0;
        nwi_err err = nwi_layer_deliver(&tls->base, &input);
        if (err != 0)
            nwi_layer_soft_error(&tls->base, err);
    }
    if (tls->window > 0 && dtls->peer_ended && !tls->read_ended && !nwi_layer_stopped(&tls->base))
        nwi_tls_end_input(tls);
}

/* True: there may be more. What is not a valid record is dropped by GnuTLS without a word (RFC 6347
 * section 4.1.2.7). */
static bool read_record(struct dtls *dtls) {
    struct tls *tls = &dtls->tls;
    dispatch_data_t content;
    ssize_t size = nwi_tls_decrypt(tls, &content);
    if (content != NULL)
        hold(dtls, content);
    else if (size == 0)
        dtls->peer_ended = true;
    else if (size == GNUTLS_E_AGAIN || size == GNUTLS_E_INTERRUPTED)
        return !dtls->dry;
    else if (gnutls_error_is_fatal((int)size) || size == GNUTLS_E_REHANDSHAKE)
        nwi_tls_fail(tls, nwi_tls_end_with(tls, (int)size));
    return size != 0;
}

void nwi_dtls_read(struct tls *tls) {
    struct dtls *dtls = nwi_dtls(tls);
    do
        deliver_held(dtls);
    while (nwi_tls_is_open(tls) && !nwi_layer_stopped(&tls->base) && !dtls->peer_ended &&
           dtls->held_count < NWI_DTLS_HELD && read_record(dtls));
    if (!nwi_layer_stopped(&tls->base))
        deliver_held(dtls);
    if (nwi_tls_is_open(tls) && !nwi_layer_stopped(&tls->base))
        nwi_dtls_flush(tls); /* a flight sent again, an alert */
}

void nwi_dtls_drop(struct dtls *dtls) {
    struct nwi_send_list packets = STAILQ_HEAD_INITIALIZER(packets);
    STAILQ_CONCAT(&packets, &dtls->packets); /* written and never sent */
    dtls->last = NULL;
    nwi_send_list_fail(&packets, NWI_ERR_CANCELED);
    while (dtls->held_count > 0) {
        struct nwi_input input = take_held(dtls);
        nwi_input_drop(&input);
    }
    dtls->arrived = nwi_release(dtls->arrived);
}
