/*
 * usage.c - complaints about a command line, worded alike by all tools.
 * Runs:   before anything else.
 */
#include "common/usage.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int tool_vcomplain(FILE *err, const char *tool, const char *format, va_list args) {
    fprintf(err, "%s: ", tool);
    vfprintf(err, format, args);
    fprintf(err, "\nTry '%s --help' for more.\n", tool);
    return TOOL_USAGE;
}

int tool_complain(FILE *err, const char *tool, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tool_vcomplain(err, tool, format, args);
    va_end(args);
    return TOOL_USAGE;
}

int tool_complain_option(FILE *err, const char *tool, int c, char **argv) {
    const char *word = argv[optind - 1];
    if (c == ':')
        return optopt > 0 && optopt < TOOL_LONG_OPTIONS
                   ? tool_complain(err, tool, "option -%c needs a value", optopt)
                   : tool_complain(err, tool, "option '%s' needs a value", word);
    if (optopt >= TOOL_LONG_OPTIONS || (optopt != 0 && strncmp(word, "--", 2) == 0))
        return tool_complain(err, tool, "option '%s' takes no value", word);
    return optopt != 0 ? tool_complain(err, tool, "there is no option -%c", optopt)
                       : tool_complain(err, tool, "there is no option '%s'", word);
}

bool tool_read_seconds(const char *text, double *seconds) {
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(value) || value < 0 ||
        value > 366.0 * 86400)
        return false;
    *seconds = value;
    return true;
}
