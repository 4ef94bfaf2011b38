/*
 * meter.c - the progress line on the terminal.
 * Runs:   on the main queue.
 * Owns:   the timer that draws it. All functions accept NULL: no meter.
 */
#include "meter.h"

#include "common/terminal.h"
#include "common/timer.h"
#include "progress.h"

#include <stdlib.h>
#include <unistd.h>

#define DRAW_EVERY 0.2 /* seconds */

struct nwcat_meter {
    const struct nwcat_app *app;
    struct tool_timer *timer;
    uint64_t total, counted;
    double began, drawn, rate;
    bool shown, terminal;
};

static void draw(struct nwcat_meter *meter, bool last) {
    double now = nwcat_now();
    uint64_t moved = meter->app->sent + meter->app->received;
    meter->rate =
        nwcat_progress_rate(meter->rate, (double)(moved - meter->counted), now - meter->drawn);
    meter->counted = moved;
    meter->drawn = now;
    double seconds = now - meter->began;
    struct nwcat_progress progress = {.sent = meter->app->sent,
                                      .received = meter->app->received,
                                      .total = meter->total,
                                      .seconds = seconds,
                                      .rate = meter->rate};
    if (last && seconds > 0)
        progress.rate = (double)moved / seconds; /* the mean of it all */
    char line[160];
    nwcat_progress_line(line, sizeof line, &progress);
    int columns = tool_terminal_columns(STDERR_FILENO);
    if (meter->terminal)
        fprintf(stderr, "\r%.*s\033[K", columns - 1, line);
    else
        fputs(line, stderr);
    if (last || !meter->terminal)
        fputc('\n', stderr);
    fflush(stderr);
    meter->shown = !last && meter->terminal;
}

static void on_timer(void *context) {
    draw(context, false);
}

struct nwcat_meter *nwcat_meter_create(const struct nwcat_app *app, uint64_t total) {
    struct nwcat_meter *meter = calloc(1, sizeof *meter);
    if (meter == NULL)
        return NULL;
    meter->timer = tool_timer_create(meter, on_timer, true);
    if (meter->timer == NULL) {
        free(meter);
        return NULL;
    }
    meter->app = app;
    meter->total = total;
    meter->terminal = isatty(STDERR_FILENO);
    return meter;
}

void nwcat_meter_start(struct nwcat_meter *meter) {
    if (meter == NULL || meter->began > 0)
        return;
    meter->began = meter->drawn = nwcat_now();
    tool_timer_set(meter->timer, meter->terminal ? DRAW_EVERY : 1);
}

void nwcat_meter_hide(struct nwcat_meter *meter) {
    if (meter == NULL || !meter->shown)
        return;
    fputs("\r\033[K", stderr);
    meter->shown = false;
}

void nwcat_meter_finish(struct nwcat_meter *meter) {
    if (meter == NULL)
        return;
    if (meter->began > 0)
        draw(meter, true);
    tool_timer_free(meter->timer);
    free(meter);
}
