/*
 * report.c - see report.h.
 * What:   a row is printed as soon as it is measured. The table is a Markdown table with padded cells,
 *         one line for each peer and figure; JSON has one object a row with all its sides.
 * Runs:   one thread.
 */
#include "report.h"
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

static void json_head(const struct bench_program *program, const struct bench_options *options,
                      const char *kernel, long processors) {
    printf("{\"program\": \"%s\", \"title\": \"%s\", \"kernel\": \"%s\", \"processors\": %ld,\n"
           " \"rounds\": %u, \"seconds\": %g, \"notes\": [",
           program->name, program->title, kernel, processors, options->rounds, options->seconds);
    for (unsigned i = 0; program->notes != NULL && program->notes[i] != NULL; i++)
        printf("%s\"%s\"", i == 0 ? "" : ", ", program->notes[i]);
    printf("],\n \"rows\": [");
}

void bench_report_head(const struct bench_program *program, const struct bench_options *options) {
    struct utsname system = {0};
    uname(&system);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const char *subject = program->subject != NULL ? program->subject : "libnw";
    if (options->form == BENCH_JSON) {
        json_head(program, options, system.release, processors);
        return;
    }
    printf("%s%s\n\nLinux %s, %ld processors; %u rounds of %g s, medians, +- half the quartile "
           "distance; ratio: %s / peer, median of the pairs.\n",
           options->form == BENCH_MARKDOWN ? "### " : "", program->title, system.release,
           processors, options->rounds, options->seconds, subject);
    for (unsigned i = 0; program->notes != NULL && program->notes[i] != NULL; i++)
        printf("%s- %s\n", i == 0 ? "\n" : "", program->notes[i]);
    printf("\n| %-40s | %-13s | %-12s | %-12s | %-13s | %-5s | %-7s |\n", "work", "unit", subject,
           "peer", "peer is", "ratio", "goal");
    printf("|---|---|---|---|---|---|---|\n");
    fflush(stdout);
}

/* Three digits at least, whatever the size. */
static void print_value(char *text, size_t room, double value, double spread) {
    int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    snprintf(text, room, "%.*f +-%.0f%%", decimals, value, spread * 100);
}

/* One line: figure `f` of libnw and of side `s`; s = 0 means that there is no peer. */
static void table_line(const struct bench_row *row, const struct bench_result *result, unsigned s,
                       unsigned f) {
    const struct bench_figure *figure = &row->figures[f];
    char work[128], ours[32], theirs[32] = "", ratio[16] = "", goal[16] = "";
    snprintf(work, sizeof work, "%s%s%s", row->name, figure->name != NULL ? ": " : "",
             figure->name != NULL ? figure->name : "");
    print_value(ours, sizeof ours, result->value[0][f], result->spread[0][f]);
    if (s > 0) {
        print_value(theirs, sizeof theirs, result->value[s][f], result->spread[s][f]);
        snprintf(ratio, sizeof ratio, "%.2f", result->ratio[s][f]);
    }
    if (row->sides[s].goals[f] > 0)
        snprintf(goal, sizeof goal, "%s %.4g", figure->less ? "<=" : ">=", row->sides[s].goals[f]);
    printf("| %-40s | %-13s | %-12s | %-12s | %-13s | %-5s | %-7s |\n", work, figure->unit, ours,
           theirs, s > 0 ? row->sides[s].name : "", ratio, goal);
}

static void json_row(const struct bench_row *row, const struct bench_result *result, bool first) {
    printf("%s\n  {\"name\": \"%s\", \"figures\": [", first ? "" : ",", row->name);
    for (unsigned f = 0; f < BENCH_FIGURES_MAX && row->figures[f].unit != NULL; f++) {
        const struct bench_figure *figure = &row->figures[f];
        printf("%s\n    {\"name\": \"%s\", \"unit\": \"%s\", \"better\": \"%s\", \"sides\": [",
               f == 0 ? "" : ",", figure->name != NULL ? figure->name : "", figure->unit,
               figure->less ? "less" : "more");
        for (unsigned s = 0; s < BENCH_SIDES_MAX && row->sides[s].name != NULL; s++)
            printf("%s\n      {\"name\": \"%s\", \"median\": %.6g, \"spread\": %.4f, "
                   "\"ratio\": %.4f, \"goal\": %.4g}",
                   s == 0 ? "" : ",", row->sides[s].name, result->value[s][f], result->spread[s][f],
                   result->ratio[s][f], row->sides[s].goals[f]);
        printf("]}");
    }
    printf("]}");
}

void bench_report_row(const struct bench_row *row, const struct bench_result *result,
                      const struct bench_options *options, bool first) {
    unsigned first_peer = row->sides[1].name == NULL ? 0 : 1;
    if (options->form == BENCH_JSON)
        json_row(row, result, first);
    for (unsigned f = 0; options->form != BENCH_JSON && f < BENCH_FIGURES_MAX; f++) {
        if (row->figures[f].unit == NULL || (row->figures[f].full && !options->full))
            continue;
        for (unsigned s = first_peer; s < BENCH_SIDES_MAX && row->sides[s].name != NULL; s++)
            table_line(row, result, s, f);
    }
    fflush(stdout);
}

void bench_report_end(enum bench_form form) {
    printf(form == BENCH_JSON ? "\n]}\n" : "\n");
}
