/*
 * signals.h - Ctrl-C and its kin end a tool in good order.
 */
#ifndef TOOL_SIGNALS_H
#define TOOL_SIGNALS_H

/* From now on SIGINT, SIGTERM and SIGHUP call `interrupt` with 128 + the signal, on the main queue;
 * a second one ends the process at once. SIGPIPE is ignored: writing to a closed pipe is an error
 * like any other. Once per process. */
void tool_signals_watch(void *context, void (*interrupt)(void *context, int status));

#endif
