/*
 * json.h - one JSON object, written as one line.
 * What:   keys and values in the order of the calls; the line goes out whole, in one write, at the
 *         end.
 * Source: RFC 8259. Octets that are not UTF-8 become U+FFFD, so that the line always parses.
 * Owns:   the memory of the line until tool_json_end.
 */
#ifndef TOOL_JSON_H
#define TOOL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Must stay where it is between begin and end: the stream writes into it. */
struct tool_json {
    FILE *line; /* NULL when memory ran out: all calls do nothing then */
    char *text;
    size_t size;
    bool comma;
};

void tool_json_begin(struct tool_json *json);
void tool_json_text(struct tool_json *json, const char *key, const char *value); /* NULL: null */
void tool_json_number(struct tool_json *json, const char *key, double value, int decimals);
void tool_json_integer(struct tool_json *json, const char *key, int64_t value);
void tool_json_bool(struct tool_json *json, const char *key, bool value);
void tool_json_null(struct tool_json *json, const char *key);
/* `key` NULL opens an element of an array. */
void tool_json_open(struct tool_json *json, const char *key, char bracket); /* '{' or '[' */
void tool_json_close(struct tool_json *json, char bracket);                 /* '}' or ']' */
/* Writes the line to `out` and frees it. */
void tool_json_end(struct tool_json *json, FILE *out);

#endif
