/*
 * certificate.h - what a certificate holds, as texts that people and scripts can read.
 * Runs:   anywhere; pure.
 */
#ifndef TOOL_CERTIFICATE_H
#define TOOL_CERTIFICATE_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <time.h>

enum { TOOL_CERTIFICATE_TEXT = 512 };

/* Texts that cannot be read are empty; `from` and `until` are then "unknown". Values from a
 * certificate may hold anything, also what a terminal obeys. */
struct tool_certificate {
    char subject[TOOL_CERTIFICATE_TEXT], issuer[TOOL_CERTIFICATE_TEXT];
    char serial[64], from[32], until[32];
    char fingerprint[80];  /* SHA-256 of the whole, in hex */
    char pin[64];          /* base64 of the SHA-256 of its SubjectPublicKeyInfo */
    char key[64];          /* "RSA, 2048 bits" */
    const char *signature; /* "ECDSA-SHA256"; NULL: unknown */
    unsigned bits;
    int key_kind;           /* gnutls_pk_algorithm_t */
    int is_ca, path_length; /* -1: any */
    time_t begin, end;
    bool short_digest; /* signed over MD5 or SHA-1 */
};

void tool_certificate_read(gnutls_x509_crt_t certificate, struct tool_certificate *facts);
/* Calls `put` with each name of the SAN as kind:value; returns how many there are. */
unsigned tool_certificate_each_name(gnutls_x509_crt_t certificate, void *context,
                                    void (*put)(void *context, const char *name));
/* The same for what the key may be used for: "serverAuth", "clientAuth", or an OID. */
void tool_certificate_each_purpose(gnutls_x509_crt_t certificate, void *context,
                                   void (*put)(void *context, const char *name));
/* An address as text: 4 or 16 octets. */
void tool_address_text(const void *octets, size_t size, char *text, size_t text_size);

#endif
