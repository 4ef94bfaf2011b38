/*
 * signals.h - Ctrl-C and its kin end nwcat in good order.
 */
#ifndef NWCAT_SIGNALS_H
#define NWCAT_SIGNALS_H

#include "app.h"

/* From now on SIGINT, SIGTERM and SIGHUP call app->interrupt with 128 + the signal; a second one
 * ends the process at once. SIGPIPE is ignored: writing to a closed pipe is an error like any
 * other. */
void nwcat_signals_watch(struct nwcat_app *app);

#endif
