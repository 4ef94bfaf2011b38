/*
 * json.h - one JSON object, written as one line.
 * What:   keys and values in the order of the calls; the line goes out whole, in one write, at the
 *         end.
 * Source: RFC 8259. Octets that are not UTF-8 become U+FFFD, so that the line always parses.
 * Owns:   the memory of the line until nwcat_json_end.
 */
#ifndef NWCAT_JSON_H
#define NWCAT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Must stay where it is between begin and end: the stream writes into it. */
struct nwcat_json {
    FILE *line; /* NULL when memory ran out: all calls do nothing then */
    char *text;
    size_t size;
    bool comma;
};

void nwcat_json_begin(struct nwcat_json *json);
void nwcat_json_text(struct nwcat_json *json, const char *key, const char *value); /* NULL: null */
void nwcat_json_number(struct nwcat_json *json, const char *key, double value, int decimals);
void nwcat_json_integer(struct nwcat_json *json, const char *key, int64_t value);
void nwcat_json_bool(struct nwcat_json *json, const char *key, bool value);
void nwcat_json_null(struct nwcat_json *json, const char *key);
/* `key` NULL opens an element of an array. */
void nwcat_json_open(struct nwcat_json *json, const char *key, char bracket); /* '{' or '[' */
void nwcat_json_close(struct nwcat_json *json, char bracket);                 /* '}' or ']' */
/* Writes the line to `out` and frees it. */
void nwcat_json_end(struct nwcat_json *json, FILE *out);

#endif
