/*
 * progress.h - how far and how fast.
 * What:   octets and rates as text, and the line that is drawn over itself on a terminal.
 */
#ifndef NWCAT_PROGRESS_H
#define NWCAT_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct nwcat_progress {
    uint64_t sent, received;
    uint64_t total; /* octets that the input holds; 0 when not known */
    double seconds; /* since the connection was ready */
    double rate;    /* octets a second of late, both ways; see nwcat_progress_rate */
};

/* "0 B", "999 B", "1.50 KiB", "12.3 MiB": three digits, powers of 1024. */
void nwcat_format_octets(char *text, size_t size, double octets);
/* Smoothed rate: `moved` octets in `seconds` since the last call, weighed against the rate before.
 */
double nwcat_progress_rate(double before, double moved, double seconds);
/* One line without an end, at most `size` - 1 octets of ASCII. */
void nwcat_progress_line(char *text, size_t size, const struct nwcat_progress *progress);

#endif
