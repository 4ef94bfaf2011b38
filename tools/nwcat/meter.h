/*
 * meter.h - the progress line on the terminal.
 * What:   draws progress.h's line over itself a few times a second.
 * Runs:   on the main queue.
 */
#ifndef NWCAT_METER_H
#define NWCAT_METER_H

#include "app.h"

struct nwcat_meter;

/* NULL when memory ran out. `total`: octets that the input holds, 0 when not known. */
struct nwcat_meter *nwcat_meter_create(const struct nwcat_app *app, uint64_t total);
void nwcat_meter_start(
    struct nwcat_meter *meter); /* a connection is ready; a second call does nothing */
void nwcat_meter_hide(struct nwcat_meter *meter);   /* clears the line, to make room for others */
void nwcat_meter_finish(struct nwcat_meter *meter); /* draws the final line and ends it */

#endif
