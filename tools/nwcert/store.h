/*
 * store.h - certificates and keys in files.
 * What:   every function that fails has said on standard error which file and why.
 */
#ifndef NWCERT_STORE_H
#define NWCERT_STORE_H

#include "make.h"

enum { NWCERT_PATH_MAX = 4096 };

/* Reads a PEM or DER file of certificates. The caller gives each one back with
 * gnutls_x509_crt_deinit and the list with gnutls_free. */
bool nwcert_read_certificates(const char *path, gnutls_x509_crt_t **ret_list, unsigned *ret_count);
/* The CA that the request names: its chain and its key, which must belong together. */
bool nwcert_read_ca(const struct nwcert_request *request, struct nwcert_identity *ret_identity);
/* Writes BASE.pem, BASE-key.pem and, with a password file, BASE.p12 into the folder, which is made
 * when it is not there. Keys are for their owner alone from the first octet on. */
bool nwcert_write_identity(const struct nwcert_request *request, const char *base,
                           const struct nwcert_identity *identity);

#endif
