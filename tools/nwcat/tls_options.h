/*
 * tls_options.h - what the command line says of TLS.
 * What:   zero is the default of every field.
 * Owns:   nothing; strings point into argv.
 */
#ifndef NWCAT_TLS_OPTIONS_H
#define NWCAT_TLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { NWCAT_SUITES_MAX = 32 };

struct nwcat_tls_options {
    bool on;                           /* -t or -k */
    bool insecure, show_certs;         /* --insecure, --show-certs */
    const char *psk;                   /* -k KEY */
    const char *ca;                    /* --ca FILE */
    const char *cert, *key;            /* --cert FILE, --key FILE */
    const char *password_file;         /* --password-file FILE */
    const char *server_name;           /* --server-name NAME */
    const char *alpn;                  /* --alpn LIST */
    const char *least, *most;          /* --tls-min and --tls-max as given: "1.2" */
    uint16_t suites[NWCAT_SUITES_MAX]; /* --ciphers LIST */
    size_t suite_count;
    const char *first; /* the first of these options that was given: "--ca" */
};

/* The options that have no letter. */
enum nwcat_tls_option {
    NWCAT_TLS_CA,
    NWCAT_TLS_CERT,
    NWCAT_TLS_KEY,
    NWCAT_TLS_PASSWORD_FILE,
    NWCAT_TLS_ALPN,
    NWCAT_TLS_MIN,
    NWCAT_TLS_MAX,
    NWCAT_TLS_CIPHERS,
    NWCAT_TLS_INSECURE,
    NWCAT_TLS_SHOW_CERTS,
    NWCAT_TLS_SERVER_NAME,
    NWCAT_TLS_OPTION_COUNT
};

/* Takes one of them; `value` NULL when it has none. NWCAT_RUN, or NWCAT_USAGE after a complaint on
 * `err`. */
int nwcat_tls_option(struct nwcat_tls_options *tls, enum nwcat_tls_option option, const char *value,
                     FILE *err);
/* -k KEY. */
int nwcat_tls_psk(struct nwcat_tls_options *tls, const char *key, FILE *err);

/* The number on the wire of "1.2", for TLS or DTLS; 0: there is no such version. */
uint16_t nwcat_tls_version(const char *text, bool datagram);
/* The next name of a list with commas: where it begins, with its length, and *list moved behind it.
 * NULL at the end. */
const char *nwcat_tls_next(const char **list, size_t *ret_length);

struct nwcat_options;
/* What goes with what. */
int nwcat_tls_check(const struct nwcat_options *options, FILE *err);

#endif
