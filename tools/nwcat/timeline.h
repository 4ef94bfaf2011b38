/*
 * timeline.h - the race of addresses as rows with a beginning and an end.
 * What:   a plain picture of how a connection was established. timeline_collect.c fills it from the
 *         public API; timeline_text.c and timeline_svg.c draw it. Times are milliseconds since the
 *         start.
 * Owns:   its rows, and all texts in place, so that a copy can be kept.
 */
#ifndef NWCAT_TIMELINE_H
#define NWCAT_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum nwcat_row_kind {
    NWCAT_ROW_QUESTION,  /* a question to the resolver */
    NWCAT_ROW_ATTEMPT,   /* one address on one interface */
    NWCAT_ROW_HANDSHAKE, /* TLS with it, the later part of the attempt of the same name */
    NWCAT_ROW_KIND_COUNT
};

enum nwcat_row_outcome {
    NWCAT_ROW_RUNNING, /* no end yet */
    NWCAT_ROW_GOOD,    /* answered; the attempt that won */
    NWCAT_ROW_BAD,     /* failed */
    NWCAT_ROW_LEFT,    /* given up because another one won, or on cancel */
    NWCAT_ROW_OUTCOME_COUNT
};

enum { NWCAT_ROW_NAME = 24, NWCAT_ROW_LABEL = 96, NWCAT_ROW_NOTE = 96, NWCAT_TITLE = 200 };

struct nwcat_row {
    enum nwcat_row_kind kind;
    enum nwcat_row_outcome outcome;
    double start, end;           /* end below 0: still running */
    char name[NWCAT_ROW_NAME];   /* "C1.1.2" */
    char label[NWCAT_ROW_LABEL]; /* "[2001:db8::1]:80", "AAAA" */
    char note[NWCAT_ROW_NOTE];   /* "2 addresses", "Connection refused" */
};

struct nwcat_timeline {
    char title[NWCAT_TITLE]; /* "www.example.org:80 (TCP)" */
    double total;            /* ms until the verdict, or until now */
    bool decided, won;
    struct nwcat_row *rows; /* in order of start */
    size_t count, capacity;
};

/* Adds a zeroed row and returns it; NULL when memory ran out. The pointer is good until the next
 * add. */
struct nwcat_row *nwcat_timeline_add(struct nwcat_timeline *timeline);
void nwcat_timeline_clear(struct nwcat_timeline *timeline);

/* What a row that went well has come to: "answered", "connected", "secured". */
const char *nwcat_row_done(enum nwcat_row_kind kind);

/* "12.3 ms", "1.25 s", "0.4 ms": three meaningful digits. */
void nwcat_format_ms(char *text, size_t size, double ms);
/* A step of 1, 2 or 5 times a power of ten that gives about `wanted` steps over `span`. */
double nwcat_nice_step(double span, unsigned wanted);
/* Where the axis ends: `total` with room for the last mark, never 0. */
double nwcat_timeline_span(const struct nwcat_timeline *timeline);

/* Draws in `columns` columns (at least 60 are used), with colours when `colour`, and with
 * characters outside ASCII when `utf8`. */
void nwcat_timeline_draw_text(const struct nwcat_timeline *timeline, FILE *out, unsigned columns,
                              bool colour, bool utf8);
/* Writes a whole SVG 1.1 document. */
void nwcat_timeline_draw_svg(const struct nwcat_timeline *timeline, FILE *out);

#endif
