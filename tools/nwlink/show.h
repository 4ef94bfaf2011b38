/*
 * show.h - what nwlink tells while the wire stands: that it does, then statistics.
 * What:   lines of text, a table that is drawn again in place on a terminal, or JSON lines.
 */
#ifndef NWLINK_SHOW_H
#define NWLINK_SHOW_H

#include "options.h"
#include "stats.h"

struct nwlink_show {
    FILE *out; /* NULL: says nothing */
    const struct nwlink_options *options;
    struct nwlink_wire *wire;
    bool terminal, drawn;
    int64_t every, next, start; /* nanoseconds; every 0: no statistics */
    struct nwlink_stats_before before;
};

void nwlink_show_start(struct nwlink_show *show, const struct nwlink_options *options,
                       struct nwlink_wire *wire);
/* Milliseconds that the loop may wait, -1: for ever. */
int nwlink_show_wait(const struct nwlink_show *show);
void nwlink_show_turn(struct nwlink_show *show);
void nwlink_show_end(struct nwlink_show *show, int status);

/* The list of "nwlink profiles"; returns the exit status. */
int nwlink_show_profiles(const struct nwlink_profiles *profiles, bool json, FILE *out);

#endif
