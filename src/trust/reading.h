/*
 * reading.h - certificates and a private key, as they are gathered from files, octets and tokens.
 * What:   one struct that each reader fills; the first thing that goes wrong is kept as one line
 *         for a person, and ends the reading.
 * Runs:   the thread of the public call.
 * Owns:   what was gathered so far.
 */
#ifndef NWI_TRUST_READING_H
#define NWI_TRUST_READING_H

#include "trust/identity.h"

enum {
    NWI_READING_OCTETS_MAX = 1 << 20,
    NWI_READING_CERTIFICATES_MAX = 1024,
    NWI_READING_ROUNDS_MAX = 10000000,
    NWI_READING_PLACE_MAX = 320,
};

enum nwi_reading_wish { NWI_READ_CERTIFICATES = 1, NWI_READ_KEY = 2, NWI_READ_BOTH = 3 };

struct nwi_reading {
    const char *password;            /* lent; NULL: none */
    const char *source, *key_source; /* lent: how reasons call where they should be */
    bool quiet;                      /* others than those of the chain are to be expected */
    unsigned rounds;                 /* of key derivation that may still be spent */
    sec_certificate_t *certificates; /* in the order in which they were read; one reference each */
    size_t count;
    struct nwi_identity_key key;
    char key_place[NWI_READING_PLACE_MAX]; /* where it was found */
    bool failed;
    char *reason; /* the first failure; NULL though failed: no memory even for it */
};

/* source: of certificates; key_source: of the key. */
void nwi_reading_begin(struct nwi_reading *reading, const char *source, const char *key_source,
                       const char *password);
/* Keeps the reason unless there is one; returns false. */
bool nwi_reading_fail(struct nwi_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for what GnuTLS says about a place. */
bool nwi_reading_fault(struct nwi_reading *reading, const char *place, int gnutls_code);

/* Takes what is wished for from PEM or DER octets, all of it; what else they hold is passed over.
 * `place` is how reasons call them. False: failed. */
bool nwi_reading_take(struct nwi_reading *reading, const char *place, const void *octets,
                      size_t size, enum nwi_reading_wish wish);
/* The same from a file, or with a PKCS #11 URL in place of its name. */
bool nwi_reading_take_file(struct nwi_reading *reading, const char *path,
                           enum nwi_reading_wish wish);
bool nwi_reading_add_certificate(struct nwi_reading *reading, const char *place,
                                 const gnutls_datum_t *der);

/* Makes the identity: +1, or NULL with the reason handed out or logged under the caller's name.
 * Ends the reading. */
sec_identity_t nwi_reading_finish(struct nwi_reading *reading, const char *function,
                                  char **ret_reason);
/* Hands the reason out, or logs it; for a reading without one does nothing. */
void nwi_reading_tell(struct nwi_reading *reading, const char *function, char **ret_reason);
/* Frees what was gathered and not handed on. */
void nwi_reading_end(struct nwi_reading *reading);

/* --- one reader each --- */

/* private_key.c: a key in DER, or in one PEM block with its label. */
bool nwi_reading_add_key(struct nwi_reading *reading, const char *place, const gnutls_datum_t *data,
                         const char *pem_label /* NULL: DER */);
/* Whether that many rounds may still be spent on a password; they are then. */
bool nwi_reading_spend(struct nwi_reading *reading, const char *place, unsigned rounds);
/* pkcs12.c */
bool nwi_reading_take_pkcs12(struct nwi_reading *reading, const char *place,
                             const gnutls_datum_t *data, enum nwi_reading_wish wish);
/* token.c */
bool nwi_reading_is_url(const char *path);
bool nwi_reading_take_token_key(struct nwi_reading *reading, const char *url);
/* Certificates that the URL fits; `whole_token`: all that lie in the same token. */
bool nwi_reading_take_token_certificates(struct nwi_reading *reading, const char *url,
                                         bool whole_token);

#endif
