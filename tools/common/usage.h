/*
 * usage.h - complaints about a command line, worded alike by all tools.
 * What:   each names the value it is about, and says how to learn more.
 */
#ifndef TOOL_USAGE_H
#define TOOL_USAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

enum {
    TOOL_USAGE = 2,          /* the exit status of all tools for it */
    TOOL_LONG_OPTIONS = 256, /* options without a letter are numbered from here on */
};

/* Says what is wrong; returns TOOL_USAGE. */
int tool_vcomplain(FILE *err, const char *tool, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int tool_complain(FILE *err, const char *tool, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What getopt_long did not understand: `c` is its answer, ':' or '?', with optopt and optind as it
 * left them. Returns TOOL_USAGE. */
int tool_complain_option(FILE *err, const char *tool, int c, char **argv);
/* Seconds, not negative, fractions allowed, at most a year (so that nanoseconds fit). */
bool tool_read_seconds(const char *text, double *seconds);

#endif
