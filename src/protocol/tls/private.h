/*
 * private.h - a TLS session as the files of this folder share it.
 * Runs:   in the protocol context of the chain, except where a field says otherwise.
 */
#ifndef NWI_PROTOCOL_TLS_PRIVATE_H
#define NWI_PROTOCOL_TLS_PRIVATE_H

#include "base/clock.h"
#include "base/task.h"
#include "protocol/tls/ask.h"
#include "protocol/tls/config.h"
#include "protocol/tls/sessions.h"
#include "protocol/tls/tls.h"
#include <gnutls/gnutls.h>
#include <pthread.h>

/*
 *   IDLE -> HANDSHAKING <-> ASKING -> READY -> CLOSING -> CLOSED
 *   any of them -> FAILED
 *
 * ASKING: the handshake stands still until the program has answered. CLOSING: one direction has
 * had its close_notify, the other goes on (RFC 8446 section 6.1). FAILED: nothing more goes in
 * either direction; the alert that says why may still be on its way.
 */
enum nwi_tls_state {
    NWI_TLS_IDLE,
    NWI_TLS_HANDSHAKING,
    NWI_TLS_ASKING,
    NWI_TLS_READY,
    NWI_TLS_CLOSING,
    NWI_TLS_CLOSED,
    NWI_TLS_FAILED,
    NWI_TLS_STATE_COUNT
};

enum {
    NWI_TLS_HEADER = 5,              /* octets: RFC 8446 section 5.1 */
    NWI_TLS_RECORD = 16 * 1024,      /* content of one record, at most */
    NWI_TLS_RECORD_MORE = 2048,      /* what encryption may add, at most: RFC 5246 section 6.2.3 */
    NWI_TLS_BATCH = 64 * 1024,       /* plain octets encrypted for one write */
    NWI_TLS_HEARD_MOST = 256 * 1024, /* octets heard of a peer while nothing comes of them */
};

struct tls {
    struct nwi_layer base;
    gnutls_session_t session; /* under `lock` */
    struct nwi_tls_config *config;
    char *host;                        /* owned; NULL: none, or a server */
    struct nwi_tls_dialogue *dialogue; /* owned; NULL once connected */
    nw_protocol_metadata_t metadata;   /* owned; made when asked for, by the connection under
                                          its lock */
    pthread_mutex_t lock;              /* GnuTLS: getters come from any thread */
    struct nwi_early *early;           /* lent until connected */
    /* from below */
    dispatch_data_t in; /* what GnuTLS has not taken yet, from in_offset on; NULL: nothing */
    size_t in_offset;
    size_t record_left; /* of the record that GnuTLS may take now */
    size_t barren;      /* octets taken since content or a whole message came of them */
    size_t granted;     /* octets that the layer below may still deliver */
    /* to below */
    dispatch_data_t out; /* buffer that is being filled; owned; NULL: none */
    unsigned char *out_bytes;
    size_t out_used, out_room;
    dispatch_data_t out_full;   /* filled before it; NULL: nothing */
    struct nwi_send_list queue; /* content not yet encrypted */
    size_t in_flight;           /* octets with the layer below */
    size_t window;              /* octets the reader above still takes */
    struct nwi_task turn;
    struct nwi_tls_session_key session_key; /* where tickets are kept */
    void *ticket_hold;                      /* owned, until after the session */
    size_t early_sent;                      /* of the early content, beside the ClientHello */
    nwi_err failure;
    nwi_err below_error;          /* of the layer below */
    enum nwi_tls_state state : 8; /* written by nwi_tls_enter() alone */
    bool read_ended : 1;          /* close_notify has come */
    bool write_ended : 1;         /* close_notify has gone */
    bool write_lost : 1;          /* what was sent below did not get through */
    bool below_ended : 1;         /* the stream below has ended */
    bool advancing : 1, pumping : 1, in_input : 1;
    bool garbage : 1;        /* no records of TLS: GnuTLS gets them as they are */
    bool told_congested : 1; /* whoever asked waits for writable */
    bool turn_queued : 1;
    bool told_failed : 1; /* the chain knows */
    bool looked : 1;      /* the dialogue has seen the record in front */
    bool begun : 1;       /* the first step has been made */
    bool step_due : 1;    /* the handshake goes on without anything from the peer */
    bool in_turn : 1;     /* this is a step's own turn */
    bool keeps_sessions : 1, took_up : 1, ticket_came : 1;
    bool takes_early : 1, has_early : 1; /* a server: content with a ClientHello */
    bool keys_renewed : 1;
    uint8_t joins;     /* regions that `in` may have by now */
    uint8_t unrenewed; /* times that the server has asked for a new handshake */
};

/* tls.c */
void nwi_tls_enter(struct tls *tls, enum nwi_tls_state next);
/* Goes on with whatever is possible: handshake, reading, writing; then grants below. */
void nwi_tls_advance(struct tls *tls);
void nwi_tls_queue_turn(struct tls *tls);
/* The session is broken. Sends fail; the chain ends once the alert, if one is waiting to go, is
 * with the layer below. */
void nwi_tls_fail(struct tls *tls, nwi_err err);
/* New keys are in use: the program's handler is told, nothing waits for it. */
void nwi_tls_tell_key_update(struct tls *tls);
/* All that was sent below has been taken there. */
void nwi_tls_written(struct tls *tls);
/* Operations that both kinds of layer have. */
void nwi_tls_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why);
void nwi_tls_output(struct nwi_layer *layer, struct nwi_send *send);
void nwi_tls_window(struct nwi_layer *layer, size_t octets);
void nwi_tls_go_on(struct nwi_layer *layer);
nw_protocol_metadata_t nwi_tls_copy_metadata(struct nwi_layer *layer,
                                             nw_protocol_definition_t definition);
void nwi_tls_free(struct nwi_layer *layer);
static inline bool nwi_tls_is_open(const struct tls *tls) {
    return tls->state == NWI_TLS_READY || tls->state == NWI_TLS_CLOSING;
}

/* transport.c */
void nwi_tls_attach_transport(struct tls *tls);
/* Octets that have come and that GnuTLS has not taken. */
size_t nwi_tls_waiting(const struct tls *tls);
/* Whether a whole record, or a datagram, is waiting for GnuTLS. */
bool nwi_tls_has_record(struct tls *tls);
/* Octets that the next record lacks; 0: it is there. */
size_t nwi_tls_record_lacks(const struct tls *tls);
/* Consumes the content. False: no memory. */
bool nwi_tls_take_in(struct tls *tls, dispatch_data_t content);
void nwi_tls_drop_in(struct tls *tls);
/* Makes room for so many octets in one buffer. False: no memory. */
bool nwi_tls_reserve(struct tls *tls, size_t room);
/* Whether GnuTLS has written what was not sent down. */
bool nwi_tls_has_output(struct tls *tls);
/* Sends what GnuTLS has written down; `carried` (may be NULL) completes with it and is emptied.
 * `final` ends the stream below after it. Datagrams carry their messages themselves: NULL, false.
 */
void nwi_tls_flush(struct tls *tls, struct nwi_send_list *carried, bool final);

/* dtls.c: what is different over datagrams */
extern const struct nwi_layer_ops nwi_dtls_ops;
void nwi_dtls_init(struct tls *tls);
/* After each step: what the timer waits for, and whether the layer below may bring more. */
void nwi_dtls_settle(struct tls *tls);

/* datagrams.c: the same as the functions of transport.c and records.c that call these */
void nwi_dtls_attach_transport(struct tls *tls);
bool nwi_dtls_has_record(struct tls *tls);
bool nwi_dtls_has_output(struct tls *tls);
void nwi_dtls_flush(struct tls *tls);
void nwi_dtls_pump(struct tls *tls);
void nwi_dtls_read(struct tls *tls);

/* handshake.c */
void nwi_tls_handshake(struct tls *tls);
/* GnuTLS's code, or what the program decided, as our error; queues the fitting alert. */
nwi_err nwi_tls_end_with(struct tls *tls, int code);

/* records.c */
void nwi_tls_read(struct tls *tls);
void nwi_tls_pump(struct tls *tls);
/* close_notify, the last record of our direction. Under the lock. */
void nwi_tls_end_direction(struct tls *tls);
/* Tells the reader that the peer's direction has ended. */
void nwi_tls_end_input(struct tls *tls);
/* One record's content. GnuTLS's code, with NULL content; 0: the peer's close_notify. Answers what
 * only the session cares for. */
ssize_t nwi_tls_decrypt(struct tls *tls, dispatch_data_t *ret_content);

#endif
