/*
 * pkcs12.h - an identity in one file under a password.
 */
#ifndef NWCERT_PKCS12_H
#define NWCERT_PKCS12_H

#include "make.h"

/* The password is the first line of the file, or of standard input for "-". *ret_content from
 * gnutls_malloc. False: said why on standard error. */
bool nwcert_pkcs12(const char *password_file, const char *friendly_name,
                   const struct nwcert_identity *identity, gnutls_datum_t *ret_content);

#endif
