/*
 * show.c - what nwlink tells while the wire stands.
 * Runs:   in the only thread of nwlink.
 */
#include "show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const char *place_name(const struct nwlink_end_wish *wish) {
    return wish->place != NULL ? wish->place : "new";
}

static void begin_event(struct tool_json *json, const struct nwlink_show *show, const char *name) {
    tool_json_begin(json);
    tool_json_text(json, "event", name);
    tool_json_number(json, "time", (double)(nwlink_now() - show->start) / 1e9, 6);
}

static void ready_json(struct nwlink_show *show) {
    struct tool_json json;
    char seed[24];
    begin_event(&json, show, "ready");
    snprintf(seed, sizeof seed, "%" PRIu64, show->options->seed); /* a text: doubles lose digits */
    tool_json_text(&json, "seed", seed);
    for (unsigned i = 0; i < 2; i++) {
        tool_json_open(&json, i == 0 ? "a" : "b", '{');
        tool_json_text(&json, "namespace", place_name(&show->options->ends[i]));
        tool_json_text(&json, "device", show->wire->ends[i].device);
        tool_json_close(&json, '}');
    }
    tool_json_open(&json, "conditions", '{');
    nwlink_conditions_json(&json, show->wire);
    tool_json_close(&json, '}');
    tool_json_end(&json, show->out);
}

static void ready_text(struct nwlink_show *show) {
    char up[NWLINK_CONDITIONS_TEXT], down[NWLINK_CONDITIONS_TEXT];
    nwlink_conditions_write(&show->wire->halves[NWLINK_UP].link.conditions, up);
    nwlink_conditions_write(&show->wire->halves[NWLINK_DOWN].link.conditions, down);
    fprintf(show->out, "ready %s:%s %s:%s up %s down %s seed %" PRIu64 "\n",
            place_name(&show->options->ends[0]), show->wire->ends[0].device,
            place_name(&show->options->ends[1]), show->wire->ends[1].device, up, down,
            show->options->seed);
    fflush(show->out);
}

void nwlink_show_start(struct nwlink_show *show, const struct nwlink_options *options,
                       struct nwlink_wire *wire) {
    memset(show, 0, sizeof *show);
    show->start = show->before.at = nwlink_now();
    if (options->quiet)
        return;
    /* run: standard output is the command's */
    show->out = options->command == NWLINK_RUN ? stderr : stdout;
    show->options = options;
    show->wire = wire;
    bool ours = options->command != NWLINK_RUN; /* the terminal, to draw on */
    show->terminal = ours && !options->json && isatty(fileno(show->out));
    /* commands typed at it have the terminal for their answers */
    bool typed = options->control != NULL && strcmp(options->control, "-") == 0;
    bool usual = (show->terminal && !typed) || (options->json && ours);
    double every = options->stats >= 0 ? options->stats : usual ? 1 : 0;
    show->every = llround(every * 1e9);
    show->next = show->start + show->every;
    if (options->json)
        ready_json(show);
    else
        ready_text(show);
}

int nwlink_show_wait(const struct nwlink_show *show) {
    if (show->out == NULL || show->every == 0)
        return -1;
    int64_t left = show->next - nwlink_now();
    return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

static void stats_json(struct nwlink_show *show, const char *event, const int *status) {
    struct tool_json json;
    begin_event(&json, show, event);
    if (status != NULL)
        tool_json_integer(&json, "status", *status);
    nwlink_stats_json(&json, show->wire);
    tool_json_end(&json, show->out);
}

/* On a terminal the table is drawn over the one before. */
static void draw(struct nwlink_show *show) {
    if (show->terminal && show->drawn)
        fprintf(show->out, "\033[%dA\033[J", NWLINK_STATS_LINES);
    show->drawn = true;
    nwlink_stats_table(show->out, show->wire, &show->before);
    fflush(show->out);
}

void nwlink_show_turn(struct nwlink_show *show) {
    if (show->out == NULL || show->every == 0 || nwlink_now() < show->next)
        return;
    show->next += show->every;
    if (show->next <= nwlink_now()) /* stopped for a while: no burst of lines */
        show->next = nwlink_now() + show->every;
    if (show->options->json)
        stats_json(show, "stats", NULL);
    else
        draw(show);
}

void nwlink_show_end(struct nwlink_show *show, int status) {
    if (show->out == NULL)
        return;
    if (show->options->json)
        stats_json(show, "end", &status);
    else if (show->every != 0)
        draw(show);
}

static void profile_json(const struct nwlink_profile *profile, FILE *out) {
    struct tool_json json;
    char text[NWLINK_CONDITIONS_TEXT];
    tool_json_begin(&json);
    tool_json_text(&json, "name", profile->name);
    nwlink_conditions_write(&profile->conditions[NWLINK_DOWN], text);
    tool_json_text(&json, "down", text);
    nwlink_conditions_write(&profile->conditions[NWLINK_UP], text);
    tool_json_text(&json, "up", text);
    tool_json_end(&json, out);
}

int nwlink_show_profiles(const struct nwlink_profiles *profiles, bool json, FILE *out) {
    const struct nwlink_profile *profile;
    for (size_t i = 0; (profile = nwlink_profile_at(profiles, i)) != NULL; i++) {
        char down[NWLINK_CONDITIONS_TEXT], up[NWLINK_CONDITIONS_TEXT];
        if (json) {
            profile_json(profile, out);
            continue;
        }
        nwlink_conditions_write(&profile->conditions[NWLINK_DOWN], down);
        nwlink_conditions_write(&profile->conditions[NWLINK_UP], up);
        fprintf(out, "%-18s down %s\n%-18s up   %s\n", profile->name, down, "", up);
    }
    return fflush(out) == 0 ? 0 : 1;
}
