/*
 * request.h - what nwcert was asked to do.
 * What:   the command line, checked, as one structure; no file has been touched yet.
 * Owns:   the arrays; the texts are those of the command line.
 */
#ifndef NWCERT_REQUEST_H
#define NWCERT_REQUEST_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum nwcert_status {
    NWCERT_OK = 0,
    NWCERT_FAILED = 1, /* a certificate could not be made, read or written */
    NWCERT_USAGE = 2,  /* the command line makes no sense */
};

enum nwcert_command {
    NWCERT_CA,
    NWCERT_SERVER,
    NWCERT_CLIENT,
    NWCERT_SET,
    NWCERT_SHOW,
    NWCERT_VERIFY,
};

enum { NWCERT_NAMES_MAX = 64 };

/* One entry of a Subject Alternative Name: text for names, octets for addresses. */
struct nwcert_name {
    gnutls_x509_subject_alt_name_t kind;
    char text[256];
    size_t size; /* octets in use; the rest is zero */
};

struct nwcert_request {
    enum nwcert_command command;
    struct nwcert_name names[NWCERT_NAMES_MAX];
    size_t name_count;
    const char *extra[NWCERT_NAMES_MAX]; /* of --san; they follow the others in names */
    size_t extra_count;
    char *const *files; /* of show and verify; borrowed from argv */
    size_t file_count;
    const char *folder, *base; /* base NULL: after the command */
    const char *ca, *ca_key;   /* NULL: ca.pem and ca-key.pem in the folder */
    const char *common_name;   /* NULL: the first name */
    const char *password_file; /* NULL: no PKCS#12 file */
    gnutls_pk_algorithm_t key;
    unsigned key_bits;  /* as gnutls_x509_privkey_generate wants them: a size, or a curve */
    int days;           /* 0: the default of the command */
    time_t from, until; /* -1: not given */
    int path_length;    /* of a CA; -1: any */
    const char *host;   /* of verify; NULL: no name is asked for */
    time_t at;          /* of verify: the time to judge by; -1: now */
    bool as_client;     /* of verify: the peer is a client */
    bool no_san, expired, force, json, signed_ca; /* signed_ca: ca with --ca, an intermediate */
};

/* Fills the request. NWCERT_OK, or the status to end with: then what is wrong has been said on
 * standard error, or --help or --version was answered (NWCERT_OK and *ret_answered). */
enum nwcert_status nwcert_request_read(int argc, char *const argv[], struct nwcert_request *request,
                                       bool *ret_answered);
/* Takes a name as a user types it: a host name (also an international one, a wildcard), an IPv4 or
 * IPv6 address, or kind:value with dns, ip, email, uri. NULL, or why not: a phrase. */
const char *nwcert_name_read(const char *text, struct nwcert_name *ret_name);
/* YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ, both UTC. False: neither. */
bool nwcert_date_read(const char *text, time_t *ret_time);
/* help.c */
void nwcert_print_help(void);

#endif
