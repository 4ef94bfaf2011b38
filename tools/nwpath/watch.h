/*
 * watch.h - the path as it changes.
 */
#ifndef NWPATH_WATCH_H
#define NWPATH_WATCH_H

#include "options.h"
#include "report.h"

/* Watches until the options say enough, or a signal does; then calls `leave` with the status.
 * parameters NULL: no rules. `live`: standard output is a terminal to be redrawn. Once per process;
 * options are borrowed for its life. */
void nwpath_watch_start(const struct nwpath_options *options, nw_parameters_t parameters,
                        const struct nwpath_pen *pen, bool live, void (*leave)(int status));

#endif
