/*
 * suites.h - the cipher suites of TLS by name.
 * Runs:   anywhere; pure.
 */
#ifndef NWCAT_SUITES_H
#define NWCAT_SUITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NWCAT_SUITE_NAME = 56 };

/* "TLS_AES_128_GCM_SHA256", or "0x1301" for one without a name here. */
const char *nwcat_suite_name(uint16_t suite, char text[NWCAT_SUITE_NAME]);
/* The suite of such a name, of any case, or of a number with 0x. False: there is none. */
bool nwcat_suite_read(const char *name, size_t length, uint16_t *ret_suite);

#endif
