/*
 * events_private.h - how events*.c say things.
 */
#ifndef NWCAT_EVENTS_PRIVATE_H
#define NWCAT_EVENTS_PRIVATE_H

#include "app.h"
#include "common/json.h"
#include "tls.h"

#include <stdio.h>

/* Where JSON goes. */
FILE *nwcat_event_stream(const struct nwcat_app *app);
/* Opens the line with what every event has. */
void nwcat_event_begin(struct tool_json *json, const struct nwcat_app *app, const char *event);
/* A line on standard error, with the progress line out of its way, when nwcat is as loud as that
 * and does not speak JSON. */
void nwcat_event_say(const struct nwcat_app *app, unsigned loudness, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a handshake agreed on, as fields of the open object, and in words. */
void nwcat_event_put_tls(struct tool_json *json, const struct nwcat_tls_facts *facts);
void nwcat_event_tls_text(const struct nwcat_tls_facts *facts, char *text, size_t size);

#endif
