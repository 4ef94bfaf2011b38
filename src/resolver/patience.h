/*
 * patience.h - how long resolv.conf says to wait for a name server.
 * What:   the options "timeout:SECONDS" and "attempts:N"; c-ares reads them only from 1.22 on.
 * Source: resolv.conf(5).
 * Runs:   any thread.
 */
#ifndef NWI_RESOLVER_PATIENCE_H
#define NWI_RESOLVER_PATIENCE_H

/* What is more is taken for this much, as the C library does (resolv.conf(5)). */
enum { NWI_PATIENCE_TIMEOUT_MAX = 30 /* seconds */, NWI_PATIENCE_TRIES_MAX = 5 };

/* Sets what the text says, bounded as resolv.conf(5) tells (30 s, 5 attempts); leaves the rest. The
 * last word on a thing counts. */
void nwi_patience_parse(const char *text, unsigned *timeout_ms, unsigned *tries);
/* The same from a file. One that cannot be read says nothing. */
void nwi_patience_read(const char *path, unsigned *timeout_ms, unsigned *tries);

#endif
