/*
 * ask.h - what a handshake asks the program, and the answers.
 * What:   whether the peer is trusted; which identity to show; which pre-shared key to use. A
 *         handler of the program runs on its own queue; its answer may come from any thread, later,
 *         after the session is gone, or never.
 * Runs:   in the protocol context, except the handlers and their completions.
 */
#ifndef NWI_PROTOCOL_TLS_ASK_H
#define NWI_PROTOCOL_TLS_ASK_H

#include "protocol/tls/config.h"
#include "protocol/tls/peek.h"
#include "protocol/tls/question.h"
#include "stack/layer.h"
#include <gnutls/abstract.h>

enum { NWI_TLS_CHAIN_MOST = 16 };
enum nwi_tls_answer { NWI_TLS_UNASKED, NWI_TLS_ASKED, NWI_TLS_ANSWERED };

/* What a handshake has to remember until it ends. It is GnuTLS's session pointer meanwhile. */
struct nwi_tls_dialogue {
    struct nwi_tls_config *config; /* retained */
    struct nwi_layer *layer;       /* owns the dialogue */
    /* An answer has come: the handshake may go on. In the protocol context. */
    void (*answered)(struct nwi_layer *layer);
    const char *host;                  /* lent; NULL: none */
    struct nwi_tls_question *question; /* under way; owned; NULL: none */
    enum nwi_tls_answer verify;
    int verdict;                                 /* of verify: 0, or an errSSL code */
    struct nwi_tls_peek *peek;                   /* owned; NULL: nobody wants to be asked */
    unsigned sights;                             /* of the peek, not yet asked about */
    gnutls_keylog_func log;                      /* that was there before the peek's */
    sec_certificate_t chain[NWI_TLS_CHAIN_MOST]; /* the peer's, read once; retained */
    size_t chain_count;                          /* 0: not read yet, or there is none that can be */
    sec_trust_t trust;                           /* under evaluation on another thread; retained */
    sec_identity_t identity;                     /* answer to the challenge; retained */
    dispatch_data_t key_name;                    /* answer to the choice of a key; retained */
    bool key_asked, begun;                       /* before the ClientHello; it has been made */
    size_t heard;                                /* octets of the peer that GnuTLS has taken */
};

/* NULL: no memory. The layer is not retained, the host lent. */
struct nwi_tls_dialogue *nwi_tls_dialogue_create(struct nwi_tls_config *config,
                                                 struct nwi_layer *layer, const char *host,
                                                 void (*answered)(struct nwi_layer *layer));
/* Ends it; a question under way is forgotten. NULL is fine. Returns NULL. */
void *nwi_tls_dialogue_free(struct nwi_tls_dialogue *dialogue);
/* Before the first step of a session, whose pointer the dialogue is by then. False: no memory. */
bool nwi_tls_dialogue_begin(struct nwi_tls_dialogue *dialogue, gnutls_session_t session);
/* The handshake has ended well: the session knows the dialogue no more. */
void nwi_tls_dialogue_end(struct nwi_tls_dialogue *dialogue, gnutls_session_t session);
/* Before the ClientHello, which names the pre-shared key of TLS 1.3. True: the program is asked. */
bool nwi_tls_dialogue_asks_first(struct nwi_tls_dialogue *dialogue, gnutls_session_t session);
/* A whole record, before GnuTLS gets it. */
void nwi_tls_dialogue_look(struct nwi_tls_dialogue *dialogue, const unsigned char *record,
                           size_t size);
/* Raises what the last look found. True: the record is held back until there is an answer. */
bool nwi_tls_dialogue_holds(struct nwi_tls_dialogue *dialogue, gnutls_session_t session);
/* After each step of the handshake, and when the chain says "go on": gives a question that the
 * step raised to the program, when it may. True: the handshake waits for an answer. */
bool nwi_tls_dialogue_waits(struct nwi_tls_dialogue *dialogue);

/* GnuTLS's callbacks, for config.c. */
int nwi_tls_verify(gnutls_session_t session);
/* Before GnuTLS looks at a signature by the key of the peer's certificate, which TLS 1.3 does
 * before it asks whether that is to be trusted. 0, or GnuTLS's code: it would take too long. */
int nwi_tls_look_at_signer(gnutls_session_t session);
/* A client's: the identity that it shows to a server that asks for one. */
int nwi_tls_show(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **ret_certificates, unsigned *ret_count,
                 gnutls_ocsp_data_st **ret_staples, unsigned *ret_staple_count,
                 gnutls_privkey_t *ret_key, unsigned *ret_flags);
/* A client's: which pre-shared key it uses. */
int nwi_tls_choose_key(gnutls_session_t session, gnutls_datum_t *ret_name, gnutls_datum_t *ret_key);
/* A server's: the key of that name. */
int nwi_tls_find_key(gnutls_session_t session, const gnutls_datum_t *name, gnutls_datum_t *ret_key);

#endif
