/*
 * units.h - times, rates, shares and sizes as people write them.
 * Runs:   pure. Every reader takes the whole text or refuses it, and leaves the value as it was.
 */
#ifndef NWLINK_UNITS_H
#define NWLINK_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NWLINK_UNIT_TEXT = 32 }; /* octets for any text written here, with the NUL */

/* "100ms", "1.5s", "250us", "0"; without a unit: milliseconds. At most ten minutes. */
bool nwlink_read_time(const char *text, int64_t *nanoseconds);
/* "780kbit", "1.5Mbit", "1Gbps", "9600"; a trailing "/s" is fine; "unlimited" is 0. Always bits,
 * and k is 1000. At most 1 Tbit. */
bool nwlink_read_rate(const char *text, uint64_t *bits);
/* "12.5%"; a bare number only when it is 0. */
bool nwlink_read_share(const char *text, double *share);
/* "64kB", "1MB", "64KiB", "1500B". At most 1 TB. */
bool nwlink_read_octets(const char *text, uint64_t *octets);
/* A plain number within the bounds. */
bool nwlink_read_count(const char *text, uint64_t min, uint64_t max, uint64_t *count);

/* The same the other way: what is written reads as the same value. */
void nwlink_write_time(char *text, int64_t nanoseconds);
void nwlink_write_rate(char *text, uint64_t bits);
void nwlink_write_share(char *text, double share);
void nwlink_write_octets(char *text, uint64_t octets);

#endif
