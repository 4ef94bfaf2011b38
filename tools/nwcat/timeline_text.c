/*
 * timeline_text.c - the race as a picture in the terminal.
 * What:   a line for each question and attempt: name, address, a bar on a common time axis, the
 *         outcome.
 * Source: colours by ECMA-48 SGR; the caller decides on them (NO_COLOR, terminal or not).
 * Runs:   pure: a timeline in, text out.
 */
#include "timeline.h"

#include <math.h>
#include <string.h>

enum { MIN_COLUMNS = 60, MIN_BAR = 16, MAX_COLUMNS = 160, GAP = 2 };

struct pen {
    FILE *out;
    bool colour, utf8;
    unsigned bar; /* columns of the time axis */
    int label;    /* columns of name and label together */
    int name;     /* columns of the name */
    double span;  /* ms of the whole axis */
};

struct look {
    const char *colour, *glyph, *ascii, *word;
};

static const struct look looks[NWCAT_ROW_OUTCOME_COUNT] = {
    [NWCAT_ROW_RUNNING] = {"\033[33m", "\u2026", "~", "still trying"},
    [NWCAT_ROW_GOOD] = {"\033[32m", "\u2714", "*", ""},
    [NWCAT_ROW_BAD] = {"\033[31m", "\u2718", "x", "failed"},
    [NWCAT_ROW_LEFT] = {"\033[2m", "\u00b7", "-", "given up"},
};

static void paint(const struct pen *pen, const char *code) {
    if (pen->colour)
        fputs(code, pen->out);
}

/* The mark and words at the end of a row. */
static void put_verdict(const struct pen *pen, const struct nwcat_row *row) {
    const struct look *look = &looks[row->outcome];
    char took[32];
    double end = row->end >= 0 ? row->end : pen->span;
    nwcat_format_ms(took, sizeof took, end - row->start);
    const char *word = look->word;
    if (row->outcome == NWCAT_ROW_GOOD)
        word = nwcat_row_done(row->kind);
    fprintf(pen->out, "%s %s", pen->utf8 ? look->glyph : look->ascii,
            row->note[0] != '\0' && row->outcome != NWCAT_ROW_LEFT ? row->note : word);
    fprintf(pen->out, ", %s", took);
}

static unsigned column_of(const struct pen *pen, double ms) {
    double place = ms / pen->span * (pen->bar - 1);
    return place <= 0 ? 0 : place >= pen->bar - 1 ? pen->bar - 1 : (unsigned)lround(place);
}

static void put_row(const struct pen *pen, const struct nwcat_row *row) {
    static const char *const body[] = {"\u2588", "\u2501"}; /* attempts bold, others thin */
    unsigned from = column_of(pen, row->start);
    unsigned to = column_of(pen, row->end >= 0 ? row->end : pen->span);
    fprintf(pen->out, " %-*s %-*.*s", pen->name, row->name, pen->label, pen->label, row->label);
    fprintf(pen->out, " %s", pen->utf8 ? "\u2502" : "|");
    fprintf(pen->out, "%*s", (int)from, "");
    paint(pen, looks[row->outcome].colour);
    bool thin = row->kind != NWCAT_ROW_ATTEMPT;
    for (unsigned i = from; i <= to; i++)
        fputs(pen->utf8 ? body[thin] : thin ? "-" : "#", pen->out);
    paint(pen, "\033[0m");
    fprintf(pen->out, "%*s%s ", (int)(pen->bar - 1 - to), "", pen->utf8 ? "\u2502" : "|");
    paint(pen, looks[row->outcome].colour);
    put_verdict(pen, row);
    paint(pen, "\033[0m");
    fputc('\n', pen->out);
}

/* The time axis: a tick for each round number of milliseconds, and its figure below. */
static void put_axis(const struct pen *pen) {
    double step = nwcat_nice_step(pen->span, pen->bar / 12 > 2 ? pen->bar / 12 : 3);
    char ticks[MAX_COLUMNS + 1], figures[MAX_COLUMNS + 32];
    memset(ticks, '-', pen->bar);
    ticks[pen->bar] = '\0';
    memset(figures, ' ', sizeof figures);
    unsigned free_from = 0;
    for (unsigned i = 0; i * step <= pen->span * 1.0001; i++) {
        unsigned at = column_of(pen, i * step);
        char text[32];
        int length = snprintf(text, sizeof text, "%.10g%s", i * step, i == 0 ? " ms" : "");
        ticks[at] = '+';
        if (at >= free_from && at + (unsigned)length < sizeof figures) {
            memcpy(figures + at, text, (size_t)length);
            free_from = at + (unsigned)length + 1;
        }
    }
    figures[free_from > 0 ? free_from - 1 : 0] = '\0';
    paint(pen, "\033[2m");
    fprintf(pen->out, " %*s ", pen->name + 1 + pen->label, "");
    fputs(pen->utf8 ? "\u2514" : "+", pen->out);
    for (unsigned i = 0; i < pen->bar; i++)
        fputs(!pen->utf8        ? (char[2]){ticks[i], '\0'}
              : ticks[i] == '+' ? "\u2534"
                                : "\u2500",
              pen->out);
    fprintf(pen->out, "%s\n", pen->utf8 ? "\u2518" : "+");
    fprintf(pen->out, " %*s  %s", pen->name + 1 + pen->label, "", figures);
    paint(pen, "\033[0m");
    fputc('\n', pen->out);
}

void nwcat_timeline_draw_text(const struct nwcat_timeline *timeline, FILE *out, unsigned columns,
                              bool colour, bool utf8) {
    struct pen pen = {.out = out, .colour = colour, .utf8 = utf8, .label = 4, .name = 2};
    pen.span = nwcat_timeline_span(timeline);
    int verdict = 12;
    for (size_t i = 0; i < timeline->count; i++) {
        const struct nwcat_row *row = &timeline->rows[i];
        int note = (int)strlen(row->outcome == NWCAT_ROW_LEFT ? "given up" : row->note);
        pen.name = (int)fmax(pen.name, strlen(row->name));
        pen.label = (int)fmax(pen.label, strlen(row->label));
        verdict = (int)fmax(verdict, (note > 12 ? note : 12) + 12);
    }
    columns = columns < MIN_COLUMNS ? MIN_COLUMNS : columns > MAX_COLUMNS ? MAX_COLUMNS : columns;
    pen.label = pen.label > 41 ? 41 : pen.label; /* "[ffff:...:ffff]:65535" at its longest is 47 */
    int bar = (int)columns - (pen.name + pen.label + verdict + 6);
    pen.bar = bar < MIN_BAR ? MIN_BAR : (unsigned)bar;

    char total[32];
    nwcat_format_ms(total, sizeof total, timeline->total);
    paint(&pen, "\033[1m");
    fprintf(out, "%s", timeline->title);
    paint(&pen, "\033[0m");
    fprintf(out, "  %s after %s\n",
            timeline->won       ? "connected"
            : timeline->decided ? "no connection"
                                : "still trying",
            total);
    for (size_t i = 0; i < timeline->count; i++)
        put_row(&pen, &timeline->rows[i]);
    put_axis(&pen);
}
