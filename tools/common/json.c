/*
 * json.c - one JSON object, written as one line.
 * Source: RFC 8259 sections 4, 6 and 7.
 * Runs:   pure but for memory and the final write.
 */
#include "common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Octets of the well-formed UTF-8 sequence at `p` (RFC 3629 section 4), 0 when there is none. */
static unsigned utf8_length(const unsigned char *p) {
    if (*p < 0x80)
        return 1;
    unsigned length = *p >= 0xc2 && *p <= 0xdf   ? 2
                      : (*p & 0xf0) == 0xe0      ? 3
                      : *p >= 0xf0 && *p <= 0xf4 ? 4
                                                 : 0;
    for (unsigned i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
        (*p == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

static void put_string(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        unsigned length = utf8_length(p);
        if (length == 0)
            fputs("\\ufffd", out);
        else if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p == '\n')
            fputs("\\n", out);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(out, "\\u%04x", *p);
        else
            fwrite(p, 1, length, out);
        p += length > 0 ? length : 1;
    }
    fputc('"', out);
}

/* The comma and the key; false when there is no line to write to. */
static bool put_key(struct tool_json *json, const char *key) {
    if (json->line == NULL)
        return false;
    if (json->comma)
        fputc(',', json->line);
    json->comma = true;
    if (key != NULL) {
        put_string(json->line, key);
        fputc(':', json->line);
    }
    return true;
}

void tool_json_begin(struct tool_json *json) {
    memset(json, 0, sizeof *json);
    json->line = open_memstream(&json->text, &json->size);
    tool_json_open(json, NULL, '{');
}

void tool_json_text(struct tool_json *json, const char *key, const char *value) {
    if (value == NULL)
        tool_json_null(json, key);
    else if (put_key(json, key))
        put_string(json->line, value);
}

void tool_json_number(struct tool_json *json, const char *key, double value, int decimals) {
    if (!isfinite(value))
        tool_json_null(json, key);
    else if (put_key(json, key))
        fprintf(json->line, "%.*f", decimals, value);
}

void tool_json_integer(struct tool_json *json, const char *key, int64_t value) {
    if (put_key(json, key))
        fprintf(json->line, "%lld", (long long)value);
}

void tool_json_bool(struct tool_json *json, const char *key, bool value) {
    if (put_key(json, key))
        fputs(value ? "true" : "false", json->line);
}

void tool_json_null(struct tool_json *json, const char *key) {
    if (put_key(json, key))
        fputs("null", json->line);
}

void tool_json_open(struct tool_json *json, const char *key, char bracket) {
    if (put_key(json, key))
        fputc(bracket, json->line);
    json->comma = false;
}

void tool_json_close(struct tool_json *json, char bracket) {
    if (json->line != NULL)
        fputc(bracket, json->line);
    json->comma = true;
}

void tool_json_end(struct tool_json *json, FILE *out) {
    if (json->line == NULL)
        return;
    tool_json_close(json, '}');
    fputc('\n', json->line);
    if (fclose(json->line) == 0) {
        fwrite(json->text, 1, json->size, out);
        fflush(out);
    }
    free(json->text);
    memset(json, 0, sizeof *json);
}
