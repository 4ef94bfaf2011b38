/*
 * options.h - nwlink's command line, read.
 * Owns:   the profiles of files; all else points into argv.
 */
#ifndef NWLINK_OPTIONS_H
#define NWLINK_OPTIONS_H

#include "end.h"
#include "profiles.h"

#include <stdio.h>

enum nwlink_command { NWLINK_BETWEEN, NWLINK_TUN, NWLINK_JOIN, NWLINK_RUN, NWLINK_LIST };

struct nwlink_options {
    enum nwlink_command command;
    struct nwlink_end_wish ends[2];
    struct nwlink_conditions conditions[NWLINK_DIRECTIONS];
    struct nwlink_profiles profiles;
    const char *control; /* --control; NULL: none */
    double stats;        /* --stats, seconds; below 0: not given */
    uint64_t seed;
    bool seeded; /* --seed given */
    bool json, quiet, realtime;
    uint64_t memory; /* octets a direction */
    char **child;    /* NWLINK_RUN: the command and its words, ended by NULL */
};

enum { NWLINK_GO = -1 };

/* Returns NWLINK_GO when there is work to do, else the exit status: 0 after --help or --version
 * (printed to `out`), 2 after a mistake (explained on `err`). */
int nwlink_options_parse(struct nwlink_options *options, int argc, char **argv, FILE *out,
                         FILE *err);
void nwlink_options_free(struct nwlink_options *options);

/* The text of --help, whole, and the one line of --version. */
void nwlink_print_help(FILE *out);
void nwlink_print_version(FILE *out);

#endif
