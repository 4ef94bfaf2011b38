/*
 * timeline.c - rows of a race: keeping them, and the measures that both drawings share.
 * Runs:   on the main queue; pure but for memory.
 */
#include "timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct nwcat_row *nwcat_timeline_add(struct nwcat_timeline *timeline) {
    if (timeline->count == timeline->capacity) {
        size_t capacity = timeline->capacity != 0 ? timeline->capacity * 2 : 8;
        struct nwcat_row *rows = reallocarray(timeline->rows, capacity, sizeof *rows);
        if (rows == NULL)
            return NULL;
        timeline->rows = rows;
        timeline->capacity = capacity;
    }
    struct nwcat_row *row = &timeline->rows[timeline->count++];
    memset(row, 0, sizeof *row);
    row->end = -1;
    return row;
}

const char *nwcat_row_done(enum nwcat_row_kind kind) {
    static const char *const words[NWCAT_ROW_KIND_COUNT] = {
        [NWCAT_ROW_QUESTION] = "answered",
        [NWCAT_ROW_ATTEMPT] = "connected",
        [NWCAT_ROW_HANDSHAKE] = "secured",
    };
    return words[kind];
}

void nwcat_timeline_clear(struct nwcat_timeline *timeline) {
    free(timeline->rows);
    memset(timeline, 0, sizeof *timeline);
}

void nwcat_format_ms(char *text, size_t size, double ms) {
    if (ms < 0.95)
        snprintf(text, size, "%.2f ms", ms);
    else if (ms < 99.5)
        snprintf(text, size, "%.1f ms", ms);
    else if (ms < 999.5)
        snprintf(text, size, "%.0f ms", ms);
    else
        snprintf(text, size, "%.2f s", ms / 1000);
}

double nwcat_nice_step(double span, unsigned wanted) {
    double rough = span / (wanted > 0 ? wanted : 1);
    double power = pow(10, floor(log10(rough)));
    double factor = rough / power;
    return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

double nwcat_timeline_span(const struct nwcat_timeline *timeline) {
    double span = timeline->total;
    for (size_t i = 0; i < timeline->count; i++) {
        const struct nwcat_row *row = &timeline->rows[i];
        span = fmax(span, fmax(row->start, row->end));
    }
    return span > 0.01 ? span : 0.01;
}
