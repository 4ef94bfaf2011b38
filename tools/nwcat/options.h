/*
 * options.h - nwcat's command line, read.
 * What:   one struct that says what to do. Zero is the default of every field.
 * Owns:   nothing; strings point into argv.
 */
#ifndef NWCAT_OPTIONS_H
#define NWCAT_OPTIONS_H

#include "ports.h"
#include "tls_options.h"

#include <stdbool.h>
#include <stdio.h>

struct nwcat_options {
    const char *host;        /* NULL with -l: every address. With -U the socket's path */
    const char *port;        /* as given; NULL with -U, and with -l when left out (any free port) */
    const char *source_host; /* -s */
    const char *source_port; /* -p */
    const char *input;       /* -i FILE; NULL: standard input */
    const char *output;      /* -o FILE; NULL: standard output */
    const char *timeline_svg; /* --timeline-svg FILE */
    int family;               /* 0 both, 4 or 6 */
    double timeout;           /* -w, seconds; 0: none */
    double quit_after;        /* -q, seconds after end of input; below 0: not given */
    double linger;            /* --linger, seconds; below 0: for ever */
    bool listen, udp, unix_socket, probe, detach, keep_open, wait;
    bool no_shutdown; /* --no-shutdown: keep the sending side open at end of input */
    bool shutdown;    /* -N given: only UDP behaves otherwise without it */
    bool json, timeline, report, progress, no_progress;
    unsigned verbose;
    struct nwcat_ports ports; /* filled with -z only */
    struct nwcat_tls_options tls;
};

enum { NWCAT_RUN = -1 };

/* Reads the command line. Returns NWCAT_RUN when there is work to do, else the exit status: 0 after
 * --help or --version (printed to `out`), 2 after a mistake (explained on `err`). */
int nwcat_options_parse(struct nwcat_options *options, int argc, char **argv, FILE *out, FILE *err);

/* The text of --help, whole, and the one line of --version. */
void nwcat_print_help(FILE *out);
void nwcat_print_version(FILE *out);

#endif
