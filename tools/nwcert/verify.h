/*
 * verify.h - what a client of libnw would say to a chain.
 */
#ifndef NWCERT_VERIFY_H
#define NWCERT_VERIFY_H

#include "request.h"

/* Prints the verdict. NWCERT_OK: trusted; NWCERT_FAILED: not, or a file could not be read. */
enum nwcert_status nwcert_verify(const struct nwcert_request *request);

#endif
