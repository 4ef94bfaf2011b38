/*
 * app.h - what all parts of a running nwcat share.
 * What:   options, the ends of the local input and output, totals, and the one way to end.
 * Runs:   everything on the main queue.
 */
#ifndef NWCAT_APP_H
#define NWCAT_APP_H

#include "options.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nwcat_input;
struct nwcat_output;
struct nwcat_meter;
struct nwcat_tls;

struct nwcat_app {
    struct nwcat_options options;
    struct nwcat_input *input;   /* NULL with -d and -z */
    struct nwcat_output *output; /* NULL with -z */
    struct nwcat_meter *meter;   /* NULL: no progress shown */
    struct nwcat_tls *tls;       /* NULL: without TLS */
    uint64_t sent, received;     /* octets, over all connections */
    double began;                /* nwcat_now() at start */
    bool colour, utf8;           /* what standard error can show */
    void *mode;                  /* the client's, server's or probe's own */
    void (*interrupt)(struct nwcat_app *app, enum nwcat_status status); /* end in good order */
};

/* Seconds on the monotonic clock. */
double nwcat_now(void);

/* The three ways to work; each calls nwcat_app_end in the end. */
void nwcat_client_start(struct nwcat_app *app);
void nwcat_server_start(struct nwcat_app *app);
void nwcat_probe_start(struct nwcat_app *app);

/* Says the last words and leaves the process with `status`. */
void nwcat_app_end(struct nwcat_app *app, int status) __attribute__((noreturn));

#endif
