/*
 * datagrams.h - a session over datagrams, as dtls.c and datagrams.c share it.
 * What:   one datagram is one record is one message; the handshake sends again what may have been
 *         lost. All else is shared with TLS over a stream.
 * Source: RFC 6347 (DTLS 1.2).
 * Runs:   in the protocol context of the chain.
 */
#ifndef NWI_PROTOCOL_TLS_DATAGRAMS_H
#define NWI_PROTOCOL_TLS_DATAGRAMS_H

#include "dispatch/alarm.h"
#include "protocol/tls/fragments.h"
#include "protocol/tls/private.h"
#include <gnutls/dtls.h>

struct dtls {
    struct tls tls;
    struct nwi_alarm alarm;           /* the handshake's: to send again, or to give up */
    struct nwi_send_list packets;     /* records on their way down */
    struct packet *last;              /* of `packets`; lent; NULL: none that may be filled */
    nw_content_context_t arrived;     /* of the datagram that is being read; owned */
    STAILQ_HEAD(, held_message) held; /* read and not asked for yet */
    size_t held_count;
    struct nwi_dtls_fragments fragments;
    nwi_ns give_up;      /* the handshake ends then; 0: not set */
    nwi_err trouble;     /* the last that came of what the handshake sent; 0: none */
    int last_out;        /* the last message of the flight that is out; -1: none yet */
    unsigned repeats;    /* how often that flight was sent again */
    unsigned trouble_at; /* `repeats` when trouble came first since the peer was heard */
    bool granted;        /* the layer below may bring a message */
    bool heard;          /* the first datagram has come */
    bool peer_ended;     /* close_notify was read; told when what is held has been taken */
    bool lost;           /* there was no memory for the last record */
    bool wrote;          /* a flight, since it was last counted */
    bool dry;            /* GnuTLS has nothing left of what came */
    bool alone;          /* the next record gets a datagram of its own */
    bool pausing;        /* memory was short: the layer below is asked again later */
};

enum {
    NWI_DTLS_RECORD = 16 * 1024, /* the largest datagram GnuTLS will make */
    NWI_DTLS_HELD = 16,          /* messages read ahead */
};

static inline struct dtls *nwi_dtls(struct tls *tls) {
    return (struct dtls *)tls;
}

/* dtls.c */
/* A flight of the handshake is about to go out. */
void nwi_dtls_count_flight(struct dtls *dtls);
/* An error of one datagram that was sent, or that the network answered with. */
void nwi_dtls_take_trouble(struct dtls *dtls, nwi_err err);

/* datagrams.c */
/* Gives up what is under way in both directions. */
void nwi_dtls_drop(struct dtls *dtls);

#endif
