/*
 * control.c - what one can tell a wire while it stands.
 * What:   one table of words.
 * Runs:   in the only thread of nwlink.
 */
#include "control.h"

#include "device.h"
#include "stats.h"

#include <errno.h>
#include <string.h>

enum { UP = 1 << NWLINK_UP, DOWN = 1 << NWLINK_DOWN, BOTH = UP | DOWN };

static void ok(FILE *answer) {
    fputs("ok\n", answer);
}

/* The directions that a word means, "" being both; 0 when it means none. */
static unsigned directions(const char *word) {
    if (strcmp(word, "up") == 0)
        return UP;
    if (strcmp(word, "down") == 0)
        return DOWN;
    return *word == '\0' || strcmp(word, "both") == 0 ? BOTH : 0;
}

/* Sets the values in both directions or in none. */
static void change(struct nwlink_control *control, unsigned which, const char *list, FILE *answer) {
    struct nwlink_conditions changed[NWLINK_DIRECTIONS];
    char why[NWLINK_WHY];
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++) {
        changed[d] = control->wire->halves[d].link.conditions;
        if ((which & 1 << d) != 0 && !nwlink_conditions_read(&changed[d], list, why)) {
            fprintf(answer, "error %s\n", why);
            return;
        }
    }
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
        control->wire->halves[d].link.conditions = changed[d];
    ok(answer);
}

static void change_up(struct nwlink_control *control, const char *rest, FILE *answer) {
    change(control, UP, rest, answer);
}

static void change_down(struct nwlink_control *control, const char *rest, FILE *answer) {
    change(control, DOWN, rest, answer);
}

static void change_both(struct nwlink_control *control, const char *rest, FILE *answer) {
    change(control, BOTH, rest, answer);
}

static void set_profile(struct nwlink_control *control, const char *name, FILE *answer) {
    const struct nwlink_profile *profile = nwlink_profile_find(control->profiles, name);
    if (profile == NULL) {
        fprintf(answer, "error there is no profile '%.*s'\n", NWLINK_NAME, name);
        return;
    }
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
        control->wire->halves[d].link.conditions = profile->conditions[d];
    ok(answer);
}

static void set_cut(struct nwlink_control *control, const char *word, bool cut, FILE *answer) {
    unsigned which = directions(word);
    if (which == 0) {
        fprintf(answer, "error '%.40s' is not up, down or both\n", word);
        return;
    }
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
        if ((which & 1 << d) != 0)
            control->wire->halves[d].link.cut = cut;
    ok(answer);
}

static void do_cut(struct nwlink_control *control, const char *rest, FILE *answer) {
    set_cut(control, rest, true, answer);
}

static void do_mend(struct nwlink_control *control, const char *rest, FILE *answer) {
    set_cut(control, rest, false, answer);
}

/* The plug of an end, or of both: the interface loses its carrier, and nothing passes. */
static void set_plug(struct nwlink_control *control, const char *word, bool in, FILE *answer) {
    struct nwlink_wire *wire = control->wire;
    unsigned first = strcmp(word, "b") == 0, last = strcmp(word, "a") != 0;
    if (*word != '\0' && strcmp(word, "a") != 0 && strcmp(word, "b") != 0) {
        fprintf(answer, "error '%.40s' is not a or b\n", word);
        return;
    }
    for (unsigned i = first; i <= last; i++) {
        int error = wire->ends[i].large ? EOPNOTSUPP : nwlink_device_carrier(wire->ends[i].fd, in);
        if (error != 0) {
            fprintf(answer, "error '%s' has no plug: %s\n", wire->ends[i].device, strerror(error));
            return;
        }
    }
    set_cut(control, "", !in, answer);
}

static void do_unplug(struct nwlink_control *control, const char *rest, FILE *answer) {
    set_plug(control, rest, false, answer);
}

static void do_plug(struct nwlink_control *control, const char *rest, FILE *answer) {
    set_plug(control, rest, true, answer);
}

static void tell(struct nwlink_control *control, FILE *answer,
                 void (*add)(struct tool_json *json, struct nwlink_wire *wire)) {
    struct tool_json json;
    tool_json_begin(&json);
    add(&json, control->wire);
    fputs("ok ", answer);
    tool_json_end(&json, answer);
}

static void add_conditions(struct tool_json *json, struct nwlink_wire *wire) {
    nwlink_conditions_json(json, wire);
}

static void do_show(struct nwlink_control *control, const char *rest, FILE *answer) {
    (void)rest;
    tell(control, answer, add_conditions);
}

static void do_stats(struct nwlink_control *control, const char *rest, FILE *answer) {
    (void)rest;
    tell(control, answer, nwlink_stats_json);
}

static void do_quit(struct nwlink_control *control, const char *rest, FILE *answer) {
    (void)rest;
    control->quit = true;
    ok(answer);
}

static void do_help(struct nwlink_control *control, const char *rest, FILE *answer) {
    (void)control, (void)rest;
    fputs("ok up|down|both KEY=VALUE,...; profile NAME; cut|mend [up|down]; "
          "unplug|plug [a|b]; show; stats; quit\n",
          answer);
}

static const struct word {
    const char *name;
    void (*obey)(struct nwlink_control *control, const char *rest, FILE *answer);
    bool alone; /* nothing may follow */
} words[] = {
    {"unplug", do_unplug, false}, {"plug", do_plug, false},        {"up", change_up, false},
    {"down", change_down, false}, {"both", change_both, false},    {"cut", do_cut, false},
    {"mend", do_mend, false},     {"profile", set_profile, false}, {"show", do_show, true},
    {"stats", do_stats, true},    {"quit", do_quit, true},         {"help", do_help, true},
};

void nwlink_control_obey(struct nwlink_control *control, char *line, FILE *answer) {
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
        line[--length] = '\0';
    if (*line == '\0' || *line == '#')
        return;
    char *rest = line + strcspn(line, " \t");
    if (*rest != '\0')
        *rest++ = '\0';
    rest += strspn(rest, " \t");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(line, words[i].name) != 0)
            continue;
        if (words[i].alone && *rest != '\0')
            fprintf(answer, "error %s stands alone: '%.40s'\n", line, rest);
        else
            words[i].obey(control, rest, answer);
        return;
    }
    fprintf(answer, "error '%.40s' is not a command (say help)\n", line);
}
