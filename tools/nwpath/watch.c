/*
 * watch.c - the path as it changes: a line each, or a view that is redrawn.
 * What:   the monitor says when the path has become another one, which is what counts; the reasons
 *         come from an explanation made then. Links that the path does not use may change without
 *         that, so a terminal's view is also renewed once a second.
 * Source: cursor and erasing by ECMA-48 CUU and ED.
 * Runs:   on the main queue.
 * Owns:   the last report, the texts of past changes.
 */
#include "watch.h"

#include "common/signals.h"
#include "common/terminal.h"
#include "common/timer.h"

#include <Network/path_monitor.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HISTORY = 8 };

static struct {
    const struct nwpath_options *options;
    nw_parameters_t parameters; /* owned */
    struct nwpath_pen pen;
    bool live;
    void (*leave)(int status);
    nw_path_monitor_t monitor;     /* owned */
    struct nwpath_report last;     /* what was told last */
    unsigned long told;            /* paths so far */
    char *history[HISTORY];        /* owned; the oldest first */
    unsigned history_count, drawn; /* lines on the screen */
    char *screen;                  /* owned; what they show */
} watch;

static int status_now(void) {
    return watch.last.satisfied ? NWPATH_OK : NWPATH_FAILED;
}

/* --- the live view --- */

static void remember(void) {
    char *text = NULL;
    size_t size;
    FILE *line = open_memstream(&text, &size);
    if (line == NULL)
        return;
    char clock[16];
    struct tm local;
    localtime_r(&watch.last.time.tv_sec, &local);
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    fprintf(line, "%s.%03ld ", clock, watch.last.time.tv_nsec / 1000000);
    nwpath_write_path(&watch.last, line);
    if (fclose(line) != 0)
        return;
    if (watch.history_count == HISTORY) {
        free(watch.history[0]);
        memmove(&watch.history[0], &watch.history[1], (HISTORY - 1) * sizeof watch.history[0]);
        watch.history_count--;
    }
    watch.history[watch.history_count++] = text;
}

/* The whole view as text, the caller's; NULL: no memory. */
static char *compose(const struct nwpath_report *report, int columns) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    struct nwpath_pen pen = {.out = out, .colour = watch.pen.colour, .columns = columns};
    nwpath_write_status(report, &pen);
    fputc('\n', out);
    nwpath_write_table(report, &pen);
    fputs("\nChanges\n", out);
    for (unsigned i = 0; i < watch.history_count; i++)
        fprintf(out, "%.*s\n", columns, watch.history[i]);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static unsigned count_lines(const char *text) {
    unsigned lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

/* Lines that have left the screen at the top cannot be redrawn: as many as fit are written. */
static void cut_lines(char *text, unsigned most) {
    for (; *text != '\0'; text++) {
        if (*text == '\n' && --most == 0) {
            text[1] = '\0';
            return;
        }
    }
}

static void draw(const struct nwpath_report *report) {
    char *text = compose(report, tool_terminal_columns(STDOUT_FILENO) - 1);
    if (text == NULL)
        return;
    cut_lines(text, (unsigned)tool_terminal_lines(STDOUT_FILENO) - 1);
    if (watch.screen != NULL && strcmp(watch.screen, text) == 0) {
        free(text);
        return;
    }
    if (watch.drawn > 0)
        printf("\033[%uA\r\033[J", watch.drawn);
    fputs(text, stdout);
    watch.drawn = count_lines(text);
    free(watch.screen);
    watch.screen = text;
}

/* --- telling --- */

/* Past the last word of a pipe that nobody reads any more. */
static void check_output(void) {
    if (fflush(stdout) != 0)
        watch.leave(NWPATH_OUTPUT);
}

static bool fill(struct nwpath_report *report, nw_path_t path) {
    nw_path_explanation_t explanation = nw_path_explanation_create(watch.parameters, NULL);
    bool filled = nwpath_report_fill(report, path, explanation, watch.options->family);
    nw_release(explanation);
    return filled;
}

static void tell(void) {
    if (watch.options->json) {
        nwpath_write_json(&watch.last, NULL, NULL, stdout);
    } else if (!watch.live) {
        nwpath_write_line(&watch.last, stdout);
    } else if (watch.options->count == 1) { /* one answer: nothing to redraw */
        nwpath_write_status(&watch.last, &watch.pen);
        nwpath_write_table(&watch.last, &watch.pen);
    } else {
        remember();
        draw(&watch.last);
    }
    check_output();
}

static void path_changed(void *context, nw_path_t path) {
    struct nwpath_report report;
    (void)context;
    if (!fill(&report, path)) {
        fputs("nwpath: out of memory\n", stderr);
        watch.leave(NWPATH_FAILED);
        return;
    }
    nwpath_report_free(&watch.last);
    watch.last = report;
    watch.told++;
    tell();
    if (watch.told == watch.options->count)
        watch.leave(status_now());
}

static void renew(void *context) {
    struct nwpath_report report;
    (void)context;
    if (watch.told == 0 || !fill(&report, watch.last.path))
        return;
    draw(&report);
    nwpath_report_free(&report);
    check_output();
}

static void time_is_up(void *context) {
    (void)context;
    watch.leave(status_now());
}

static void interrupted(void *context, int status) {
    (void)context;
    watch.leave(status);
}

void nwpath_watch_start(const struct nwpath_options *options, nw_parameters_t parameters,
                        const struct nwpath_pen *pen, bool live, void (*leave)(int status)) {
    watch.options = options;
    watch.parameters = nw_retain(parameters);
    watch.pen = *pen;
    watch.live = live;
    watch.leave = leave;
    tool_signals_watch(NULL, interrupted);
    watch.monitor = nw_path_monitor_create_with_rules(parameters);
    if (watch.monitor == NULL) {
        fputs("nwpath: out of memory\n", stderr);
        leave(NWPATH_FAILED);
        return;
    }
    if (options->seconds > 0)
        tool_timer_set(tool_timer_create(NULL, time_is_up, false), options->seconds);
    if (live && options->count != 1)
        tool_timer_set(tool_timer_create(NULL, renew, true), 1);
    nw_path_monitor_set_queue(watch.monitor, dispatch_get_main_queue());
    nw_path_monitor_set_update_handler_f(watch.monitor, NULL, path_changed);
    nw_path_monitor_start(watch.monitor);
}
