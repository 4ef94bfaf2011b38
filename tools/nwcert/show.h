/*
 * show.h - what a certificate holds, for people and for programs.
 */
#ifndef NWCERT_SHOW_H
#define NWCERT_SHOW_H

#include <gnutls/x509.h>
#include <stdbool.h>

/* Prints one certificate on standard output; `file` is where it came from or went to. */
void nwcert_show(const char *file, gnutls_x509_crt_t certificate, bool json);

#endif
