/*
 * options.h - nwpath's command line, read.
 * What:   one struct that says what to do. Zero is the default of every field.
 * Owns:   nothing; strings point into argv.
 */
#ifndef NWPATH_OPTIONS_H
#define NWPATH_OPTIONS_H

#include "common/terminal.h"

#include <stdbool.h>
#include <stdio.h>

enum { NWPATH_NAMES_MAX = 16 };

struct nwpath_options {
    const char *host, *port;   /* NULL: watch the path; port NULL: none in particular */
    unsigned required_type;    /* enum nw_interface_type; 0: no rule */
    unsigned prohibited_types; /* bit n: type n */
    const char *interface;     /* --interface */
    const char *prohibited[NWPATH_NAMES_MAX];
    unsigned prohibited_count;
    bool no_expensive, no_constrained, ultra_constrained;
    int family;          /* 0 both, 4 or 6 */
    double seconds;      /* --for; 0: no end */
    unsigned long count; /* --changes, --once; 0: no end */
    bool json;
    enum tool_when colour;
};

/* What nwpath tells the script that ran it; man/nwpath.1 says the same in words. */
enum nwpath_status {
    NWPATH_OK = 0,     /* satisfied; HOST: there is a way */
    NWPATH_FAILED = 1, /* unsatisfied; HOST: no way */
    NWPATH_USAGE = 2,
    NWPATH_NO_NAME = 4, /* HOST does not exist or cannot be looked up */
    NWPATH_OUTPUT = 5,  /* standard output cannot be written */
};
enum { NWPATH_RUN = -1 };

/* Reads the command line. Returns NWPATH_RUN when there is work to do, else the exit status: 0
 * after
 * --help or --version (printed to `out`), 2 after a mistake (explained on `err`). */
int nwpath_options_parse(struct nwpath_options *options, int argc, char **argv, FILE *out,
                         FILE *err);
/* "wifi"; the number, or -1. */
int nwpath_type_parse(const char *text);
const char *nwpath_type_name(unsigned type);

/* The text of --help, whole, and the one line of --version. */
void nwpath_print_help(FILE *out);
void nwpath_print_version(FILE *out);

#endif
