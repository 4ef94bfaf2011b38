/*
 * report_collect.h - the reports on a connection, asked of the library, and shown.
 */
#ifndef NWCAT_REPORT_COLLECT_H
#define NWCAT_REPORT_COLLECT_H

#include "app.h"
#include "report.h"

#include <Network/Network.h>

struct nwcat_measure;

/* Begins to measure, when --report asks for it; NULL when not, or memory ran out. */
struct nwcat_measure *nwcat_measure_begin(const struct nwcat_app *app, nw_connection_t connection);
/* Ends it, shows both reports, and calls `done` later on the main queue. Frees `measure`. */
void nwcat_measure_end(struct nwcat_measure *measure, unsigned number, bool accepted, void *context,
                       void (*done)(void *context));

#endif
