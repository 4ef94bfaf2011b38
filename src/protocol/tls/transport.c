/*
 * transport.c - the octets between GnuTLS and the layer below.
 * What:   GnuTLS pulls whole records only, so that a handshake step costs something only when there
 *         is something to do; what it pushes is gathered into one buffer for one write.
 * Source: RFC 8446 section 5.1, RFC 5246 section 6.2.1 (the header of a record).
 * Runs:   in the protocol context of the chain.
 * Owns:   what came and was not pulled; what was pushed and is not written.
 */
#include "base/alloc.h"
#include "dispatch/data.h"
#include "protocol/tls/private.h"
#include <string.h>

enum { SMALL = 2 * 1024, MIDDLE = 18 * 1024, LARGE = 66 * 1024 }; /* sizes of the buffer pool */

/* --- from below --- */

size_t nwi_tls_waiting(const struct tls *tls) {
    return tls->in != NULL ? dispatch_data_get_size(tls->in) - tls->in_offset : 0;
}

enum { TYPE_FIRST = 20, TYPE_LAST = 24 }; /* change_cipher_spec to heartbeat */
enum { JOINS_MAX = 16 };

/* The size of the next record; 0 while its header is not there. What cannot be a header is as long
 * as there are octets: GnuTLS says what is wrong with it. */
static size_t record_size(const struct tls *tls, bool *ret_garbage) {
    unsigned char header[NWI_TLS_HEADER];
    size_t got =
        tls->in != NULL ? nwi_data_copy_out(tls->in, tls->in_offset, header, sizeof header) : 0;
    bool wrong = tls->garbage || (got > 0 && (header[0] < TYPE_FIRST || header[0] > TYPE_LAST));
    size_t length = got == sizeof header ? (size_t)header[3] << 8 | header[4] : 0;
    if (got == sizeof header)
        wrong |= header[1] != 3 || length > NWI_TLS_RECORD + NWI_TLS_RECORD_MORE;
    *ret_garbage = wrong;
    if (wrong)
        return nwi_tls_waiting(tls);
    return got == sizeof header ? NWI_TLS_HEADER + length : 0;
}

size_t nwi_tls_record_lacks(const struct tls *tls) {
    bool garbage;
    size_t have = nwi_tls_waiting(tls), size = record_size(tls, &garbage);
    if (tls->record_left > 0)
        return 0;
    if (size == 0)
        return NWI_TLS_HEADER - have;
    return size > have ? size - have : 0;
}

bool nwi_tls_has_record(struct tls *tls) {
    return tls->config->is_datagram ? nwi_dtls_has_record(tls) : nwi_tls_record_lacks(tls) == 0;
}

/* Joins the rest of what waits with what came. A peer that sends octet by octet makes one region
 * of each: they are copied together before they become many. */
static dispatch_data_t join(struct tls *tls, dispatch_data_t content) {
    size_t have = nwi_tls_waiting(tls), size = dispatch_data_get_size(content);
    if (++tls->joins < JOINS_MAX) {
        dispatch_data_t rest = dispatch_data_create_subrange(tls->in, tls->in_offset, have);
        dispatch_data_t joined = rest != NULL ? dispatch_data_create_concat(rest, content) : NULL;
        if (rest != NULL)
            dispatch_release(rest);
        return joined;
    }
    void *bytes;
    dispatch_data_t flat = nwi_data_create_buffer(have + size, &bytes);
    if (flat == NULL)
        return NULL;
    nwi_data_copy_out(tls->in, tls->in_offset, bytes, have);
    nwi_data_copy_out(content, 0, (char *)bytes + have, size);
    tls->joins = 0;
    return flat;
}

bool nwi_tls_take_in(struct tls *tls, dispatch_data_t content) {
    if (content == NULL)
        return true;
    if (tls->in == NULL) {
        tls->in = content;
        return true;
    }
    dispatch_data_t joined = join(tls, content);
    dispatch_release(content);
    if (joined == NULL)
        return false;
    dispatch_release(tls->in);
    tls->in = joined;
    tls->in_offset = 0;
    return true;
}

void nwi_tls_drop_in(struct tls *tls) {
    dispatch_data_t in = nwi_take(&tls->in);
    if (in != NULL)
        dispatch_release(in);
    tls->in_offset = 0;
    tls->record_left = 0;
    tls->joins = 0;
}

/* Looks at the record in front, once, before GnuTLS does. True: it is held back. */
static bool is_held(struct tls *tls) {
    struct nwi_tls_dialogue *dialogue = tls->dialogue;
    bool garbage;
    size_t size = record_size(tls, &garbage);
    if (dialogue == NULL || dialogue->peek == NULL || garbage)
        return false;
    unsigned char *record = tls->looked ? NULL : nwi_alloc_raw(size);
    if (record != NULL) {
        nwi_data_copy_out(tls->in, tls->in_offset, record, size);
        nwi_tls_dialogue_look(dialogue, record, size);
        tls->looked = true;
        nwi_free(record);
    }
    return nwi_tls_dialogue_holds(dialogue, tls->session);
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *bytes, size_t size) {
    struct tls *tls = pointer;
    if (tls->record_left == 0) {
        if (!nwi_tls_has_record(tls) || is_held(tls)) {
            gnutls_transport_set_errno(tls->session, EAGAIN);
            return -1;
        }
        bool garbage;
        tls->record_left = record_size(tls, &garbage);
        tls->garbage = garbage;
        tls->looked = false;
    }
    size_t got = nwi_data_copy_out(tls->in, tls->in_offset, bytes,
                                   size < tls->record_left ? size : tls->record_left);
    tls->in_offset += got;
    tls->record_left -= got;
    tls->barren += got;
    if (tls->dialogue != NULL)
        tls->dialogue->heard += got;
    if (nwi_tls_waiting(tls) == 0)
        nwi_tls_drop_in(tls);
    return (ssize_t)got;
}

static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned milliseconds) {
    (void)milliseconds;
    return nwi_tls_has_record(pointer);
}

/* --- to below --- */

/* Puts the buffer that is being filled behind those that are full. */
static bool close_buffer(struct tls *tls) {
    if (tls->out == NULL)
        return true;
    dispatch_data_t last = nwi_data_trim(nwi_take(&tls->out), tls->out_used);
    tls->out_used = tls->out_room = 0;
    if (tls->out_full == NULL) {
        tls->out_full = last;
        return true;
    }
    dispatch_data_t joined = dispatch_data_create_concat(tls->out_full, last);
    dispatch_release(last);
    if (joined == NULL)
        return false;
    dispatch_release(tls->out_full);
    tls->out_full = joined;
    return true;
}

bool nwi_tls_reserve(struct tls *tls, size_t room) {
    if (tls->out_room - tls->out_used >= room)
        return true;
    if (!close_buffer(tls))
        return false;
    size_t size = room <= SMALL ? SMALL : room <= MIDDLE ? MIDDLE : room <= LARGE ? LARGE : room;
    void *bytes;
    tls->out = nwi_data_create_buffer(size, &bytes);
    if (tls->out == NULL)
        return false;
    tls->out_bytes = bytes;
    tls->out_room = size;
    return true;
}

static ssize_t push(gnutls_transport_ptr_t pointer, const giovec_t *pieces, int count) {
    struct tls *tls = pointer;
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    if (!nwi_tls_reserve(tls, total)) {
        gnutls_transport_set_errno(tls->session, ENOMEM);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        memcpy(tls->out_bytes + tls->out_used, pieces[i].iov_base, pieces[i].iov_len);
        tls->out_used += pieces[i].iov_len;
    }
    return (ssize_t)total;
}

/* What goes down in one piece, and whose content is in it. */
struct carrier {
    struct nwi_send send;
    struct tls *tls;              /* retained */
    struct nwi_send_list carried; /* complete with it */
    size_t octets;
};

static void carried(struct nwi_send *send, nwi_err err) {
    struct carrier *carrier = nwi_container_of(send, struct carrier, send);
    struct tls *tls = carrier->tls;
    struct nwi_send_list list = STAILQ_HEAD_INITIALIZER(list);
    STAILQ_CONCAT(&list, &carrier->carried);
    tls->in_flight -= carrier->octets;
    tls->write_lost |= err != 0;
    if (send->content != NULL)
        dispatch_release(send->content);
    nwi_free(carrier);
    nwi_send_list_fail(&list, err); /* 0: completes them */
    if (tls->in_flight == 0 && !nwi_layer_stopped(&tls->base))
        nwi_tls_written(tls);
    nwi_release(tls);
}

bool nwi_tls_has_output(struct tls *tls) {
    return tls->config->is_datagram ? nwi_dtls_has_output(tls) : tls->out != NULL;
}

void nwi_tls_flush(struct tls *tls, struct nwi_send_list *carried_list, bool final) {
    if (tls->config->is_datagram) {
        nwi_dtls_flush(tls);
        return;
    }
    bool closed = close_buffer(tls);
    bool empty = tls->out_full == NULL && !final;
    struct carrier *carrier = closed && !empty ? nwi_alloc(sizeof *carrier) : NULL;
    if (carrier == NULL) {
        if (carried_list != NULL)
            nwi_send_list_fail(carried_list, empty && closed ? 0 : NWI_ERR_NOMEM);
        if (!empty || !closed) /* octets of the stream are lost */
            nwi_tls_fail(tls, NWI_ERR_NOMEM);
        return;
    }
    STAILQ_INIT(&carrier->carried);
    if (carried_list != NULL)
        STAILQ_CONCAT(&carrier->carried, carried_list);
    carrier->tls = nwi_retain(tls);
    carrier->send.content = nwi_take(&tls->out_full);
    carrier->send.final = final;
    carrier->send.complete = final;
    carrier->send.done = carried;
    if (carrier->send.content != NULL)
        carrier->octets = dispatch_data_get_size(carrier->send.content);
    tls->in_flight += carrier->octets;
    nwi_layer_output(&tls->base, &carrier->send);
}

void nwi_tls_attach_transport(struct tls *tls) {
    if (tls->config->is_datagram) {
        nwi_dtls_attach_transport(tls);
        return;
    }
    gnutls_transport_set_ptr(tls->session, tls);
    gnutls_transport_set_pull_function(tls->session, pull);
    gnutls_transport_set_pull_timeout_function(tls->session, pull_timeout);
    gnutls_transport_set_vec_push_function(tls->session, push);
}
