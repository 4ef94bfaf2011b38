/*
 * identity_nw.h - the certificate that a libnw server shows in a measurement.
 */
#ifndef BENCH_IDENTITY_NW_H
#define BENCH_IDENTITY_NW_H

#include <Security/SecProtocolTypes.h>

/* P-256, signed by itself, for localhost and 127.0.0.1, made anew; +1. */
sec_identity_t bench_identity(void);

#endif
