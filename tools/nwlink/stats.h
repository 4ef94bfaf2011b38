/*
 * stats.h - what the wire has done, for people and for programs.
 */
#ifndef NWLINK_STATS_H
#define NWLINK_STATS_H

#include "wire.h"

#include "common/json.h"

#include <stdio.h>

/* Adds "up" and "down", an object each, to the line. */
void nwlink_stats_json(struct tool_json *json, struct nwlink_wire *wire);
/* Adds "up" and "down" as texts: the conditions as they are now. */
void nwlink_conditions_json(struct tool_json *json, const struct nwlink_wire *wire);

struct nwlink_stats_before { /* for rates: what was there when the table was last drawn */
    int64_t at;
    uint64_t octets_out[NWLINK_DIRECTIONS];
};
enum { NWLINK_STATS_LINES = 3 };
/* A table of NWLINK_STATS_LINES lines that fit into 80 columns. Rates are those since `before`,
 * which becomes now. */
void nwlink_stats_table(FILE *out, struct nwlink_wire *wire, struct nwlink_stats_before *before);

#endif
