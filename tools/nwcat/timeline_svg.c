/*
 * timeline_svg.c - the race as an SVG picture.
 * What:   the rows of the timeline as bars over a time axis, with a legend. Colours are told apart
 *         by lightness as well, and each bar says its outcome in words, so that nobody depends on
 *         hue.
 * Source: SVG 1.1; texts are escaped as XML 1.0 asks. Light and dark pages by a media query.
 * Runs:   pure: a timeline in, text out.
 */
#include "timeline.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 1120,
    MARGIN = 28,
    LEFT = 392,
    RIGHT = 250,
    TOP = 92,
    ROW = 34,
    BAR = 18,
    QUESTION_BAR = 8,
    BOTTOM = 76,
    MARKS = 6
};

struct look {
    const char *class_name, *word;
};

static const struct look looks[NWCAT_ROW_OUTCOME_COUNT] = {
    [NWCAT_ROW_RUNNING] = {"run", "still trying"},
    [NWCAT_ROW_GOOD] = {"good", "connected"},
    [NWCAT_ROW_BAD] = {"bad", "failed"},
    [NWCAT_ROW_LEFT] = {"left", "given up"},
};

static const char style[] =
    "<style>\n"
    "text{font:13px system-ui,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2933}\n"
    ".title{font-size:19px;font-weight:600}.sub{fill:#52606d}.name,.num{fill:#7b8794;font-size:"
    "12px}\n"
    ".addr{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:12.5px}\n"
    ".page{fill:#ffffff}.band{fill:#f5f7fa}.grid{stroke:#d5dbe1;stroke-width:1}\n"
    ".good{fill:#0b7a4b}.bad{fill:#c8321f}.left{fill:#aab4bf}.run{fill:#d99a06}.ask{fill:#3568c0}\n"
    ".win{stroke:#0b7a4b;stroke-width:1.5;stroke-dasharray:4 3}\n"
    "text.good{fill:#0b7a4b}text.bad{fill:#b42a18}text.left{fill:#66727f}text.run{fill:#8a6100}\n"
    "text.ask{fill:#2d59a8}\n"
    "@media (prefers-color-scheme:dark){text{fill:#e4e7eb}.sub{fill:#b0bac5}.page{fill:#15191e}\n"
    ".band{fill:#1c2229}.grid{stroke:#39434e}.good,text.good{fill:#3ecf8e}.win{stroke:#3ecf8e}\n"
    ".bad,text.bad{fill:#ff7b6b}.left{fill:#5c6873}text.left{fill:#9aa5b1}.run,text.run{fill:#"
    "f0b429}\n"
    ".ask,text.ask{fill:#7fa7f0}}\n"
    "</style>\n";

/* Text as XML content: markup escaped, control characters and broken UTF-8 shown as '?'. */
static void put_text(FILE *out, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        unsigned length = *p < 0x80                 ? 1
                          : *p >= 0xc2 && *p < 0xe0 ? 2
                          : (*p & 0xf0) == 0xe0     ? 3
                          : *p >= 0xf0 && *p < 0xf5 ? 4
                                                    : 0;
        bool good = length > 0;
        for (unsigned i = 1; i < length; i++)
            good = good && (p[i] & 0xc0) == 0x80;
        if (good && length == 3) /* surrogates, and the two that XML leaves out */
            good = !(p[0] == 0xe0 && p[1] < 0xa0) && !(p[0] == 0xed && p[1] >= 0xa0) &&
                   !(p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe);
        if (good && length == 4)
            good = !(p[0] == 0xf0 && p[1] < 0x90) && !(p[0] == 0xf4 && p[1] >= 0x90);
        if (!good || *p < 0x20 || *p == 0x7f)
            fputc('?', out);
        else if (*p == '&' || *p == '<' || *p == '>')
            fputs(*p == '&' ? "&amp;" : *p == '<' ? "&lt;" : "&gt;", out);
        else
            fwrite(p, 1, length, out);
        p += good ? length : 1;
    }
}

static double x_of(double ms, double span) {
    return LEFT + ms / span * (WIDTH - LEFT - RIGHT);
}

static void put_grid(FILE *out, double span, double height) {
    double step = nwcat_nice_step(span, MARKS), foot = height - BOTTOM + 8;
    for (unsigned i = 0; i * step <= span * 1.0001; i++) {
        double x = x_of(i * step, span);
        fprintf(out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x,
                TOP - 8, x, foot);
        fprintf(out,
                "<text class=\"num\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.10g%s</text>\n",
                x, foot + 17, i * step, i == 0 ? " ms" : "");
    }
}

/* What stands right of a bar: the note or the outcome, and how long it took. */
static void put_verdict(FILE *out, const struct nwcat_row *row, const char *class_name, double end,
                        double y, double x) {
    char took[32];
    nwcat_format_ms(took, sizeof took, end - row->start);
    const char *word = looks[row->outcome].word;
    if (row->note[0] != '\0' && row->outcome != NWCAT_ROW_LEFT)
        word = row->note;
    else if (row->outcome == NWCAT_ROW_GOOD && row->kind != NWCAT_ROW_ATTEMPT)
        word = nwcat_row_done(row->kind);
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class_name, x, y);
    put_text(out, word);
    fprintf(out, ", %s</text>\n", took);
}

static void put_row(FILE *out, const struct nwcat_row *row, size_t index, double span) {
    bool question = row->kind == NWCAT_ROW_QUESTION, thin = row->kind != NWCAT_ROW_ATTEMPT;
    const char *class_name = looks[row->outcome].class_name;
    if (question && row->outcome == NWCAT_ROW_GOOD)
        class_name = "ask";
    double middle = TOP + (double)index * ROW + ROW / 2.0, height = thin ? QUESTION_BAR : BAR;
    double end = row->end >= 0 ? row->end : span;
    double from = x_of(row->start, span), width = fmax(x_of(end, span) - from, 3);
    fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", MARGIN, middle + 4.5);
    put_text(out, row->name);
    fprintf(out, "</text>\n<text class=\"addr\" x=\"%d\" y=\"%.1f\">", MARGIN + 62, middle + 4.5);
    size_t length = strlen(row->label);
    char label[NWCAT_ROW_LABEL];
    snprintf(label, sizeof label, "%.*s%s", length > 39 ? 38 : (int)length, row->label,
             length > 39 ? "\u2026" : "");
    put_text(out, label);
    fputs("</text>\n<g>", out);
    fputs("<title>", out); /* shown by viewers on hover: the label whole */
    put_text(out, row->label);
    fprintf(
        out,
        "</title><rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" rx=\"3\"/>"
        "</g>\n",
        class_name, from, middle - height / 2, width, height);
    put_verdict(out, row, class_name, end, middle + 4.5, WIDTH - RIGHT + 14);
}

static void put_legend(FILE *out, double y) {
    static const struct {
        const char *class_name, *word;
        double width;
    } items[] = {
        {"ask", "name looked up", 136},
        {"good", "won", 62},
        {"bad", "failed", 78},
        {"left", "given up: another was faster", 0},
    };
    double x = MARGIN;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        fprintf(out,
                "<rect class=\"%s\" x=\"%.0f\" y=\"%.1f\" width=\"14\" height=\"%d\" rx=\"2\"/>\n",
                items[i].class_name, x, i == 0 ? y - 8 : y - 10, i == 0 ? 6 : 10);
        fprintf(out, "<text class=\"sub\" x=\"%.0f\" y=\"%.1f\">%s</text>\n", x + 20, y,
                items[i].word);
        x += items[i].width + 10;
    }
}

void nwcat_timeline_draw_svg(const struct nwcat_timeline *timeline, FILE *out) {
    double span = nwcat_timeline_span(timeline);
    double height = TOP + (double)timeline->count * ROW + BOTTOM;
    char total[32];
    nwcat_format_ms(total, sizeof total, timeline->total);
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 "
            "%d %.0f\" "
            "role=\"img\">\n<title>",
            WIDTH, height, WIDTH, height);
    put_text(out, timeline->title);
    fprintf(out, "</title>\n%s<rect class=\"page\" width=\"%d\" height=\"%.0f\"/>\n", style, WIDTH,
            height);
    fprintf(out, "<text class=\"title\" x=\"%d\" y=\"40\">", MARGIN);
    put_text(out, timeline->title);
    fprintf(out, "</text>\n<text class=\"sub\" x=\"%d\" y=\"62\">%s after %s</text>\n", MARGIN,
            timeline->won       ? "Connected"
            : timeline->decided ? "No connection"
                                : "Still trying",
            total);
    for (size_t i = 0; i < timeline->count; i++)
        if (i % 2 == 0)
            fprintf(
                out,
                "<rect class=\"band\" x=\"%d\" y=\"%zu\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n",
                MARGIN - 10, TOP + i * ROW, WIDTH - 2 * MARGIN + 20, ROW);
    put_grid(out, span, height);
    if (timeline->won)
        fprintf(out, "<line class=\"win\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                x_of(timeline->total, span), TOP - 8, x_of(timeline->total, span),
                height - BOTTOM + 8);
    for (size_t i = 0; i < timeline->count; i++)
        put_row(out, &timeline->rows[i], i, span);
    put_legend(out, height - 20);
    fputs("</svg>\n", out);
}
