/*
 * profile_file.c - reads profiles from a file.
 * What:   [NAME], then "KEY = VALUE" for both directions, "up.KEY = VALUE" or "down.KEY = VALUE" for
 *         one, "base = NAME" to begin as another profile. # and ; begin a comment line.
 * Runs:   pure but for memory and the reading of the file.
 */
#include "profiles.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILE_MAX = 1000000, LINE_MAX_OCTETS = 400 };

struct reader {
    struct nwlink_profiles *profiles;
    size_t before; /* profiles that were there */
    const char *file;
    unsigned line;
    char *why;
    bool touched; /* the present profile has a value already: too late for a base */
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reader *r, const char *format,
                                                         ...) {
    va_list args;
    va_start(args, format);
    int used = snprintf(r->why, NWLINK_WHY, "%.60s:%u: ", r->file, r->line);
    vsnprintf(r->why + used, (size_t)(NWLINK_WHY - used), format, args);
    va_end(args);
    return false;
}

static char *trim(char *text) {
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    return text;
}

static struct nwlink_profile *present(struct reader *r) {
    return r->profiles->count > r->before ? &r->profiles->own[r->profiles->count - 1] : NULL;
}

static bool begin_profile(struct reader *r, char *text) {
    char *end = strchr(text, ']');
    if (end == NULL || end[1] != '\0')
        return refuse(r, "'%.40s' is not [NAME]", text);
    *end = '\0';
    char *name = trim(text + 1);
    if (*name == '\0' || strlen(name) >= NWLINK_NAME)
        return refuse(r, "'%.40s' is not a name of 1 to %d octets", name, NWLINK_NAME - 1);
    for (size_t i = r->before; i < r->profiles->count; i++)
        if (strcasecmp(r->profiles->own[i].name, name) == 0)
            return refuse(r, "[%.40s] is there twice", name);
    if (r->profiles->count == NWLINK_PROFILES_MAX)
        return refuse(r, "[%.40s] is one profile too many: %d are the most", name,
                      NWLINK_PROFILES_MAX);
    struct nwlink_profile *own = realloc(r->profiles->own, (r->profiles->count + 1) * sizeof *own);
    if (own == NULL)
        return refuse(r, "out of memory");
    r->profiles->own = own;
    struct nwlink_profile *profile = &own[r->profiles->count++];
    memset(profile, 0, sizeof *profile);
    strcpy(profile->name, name);
    r->touched = false;
    return true;
}

/* The present profile itself is found last of its name: its base may be the built-in namesake. */
static bool set_base(struct reader *r, struct nwlink_profile *profile, const char *name) {
    const struct nwlink_profile *base = NULL, *candidate;
    if (r->touched)
        return refuse(r, "base = %.40s must be the first line of its profile", name);
    for (size_t i = 0; (candidate = nwlink_profile_at(r->profiles, i)) != NULL; i++)
        if (candidate != profile && strcasecmp(candidate->name, name) == 0) {
            base = candidate;
            break;
        }
    if (base == NULL)
        return refuse(r, "base: there is no profile '%.40s' before this one", name);
    memcpy(profile->conditions, base->conditions, sizeof profile->conditions);
    return true;
}

static bool set_value(struct reader *r, struct nwlink_profile *profile, const char *key,
                      const char *value) {
    static const char *const prefix[] = {[NWLINK_UP] = "up.", [NWLINK_DOWN] = "down."};
    char why[NWLINK_WHY];
    unsigned first = 0, last = NWLINK_DIRECTIONS - 1;
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
        if (strncmp(key, prefix[d], strlen(prefix[d])) == 0) {
            key += strlen(prefix[d]);
            first = last = d;
            break;
        }
    for (unsigned d = first; d <= last; d++)
        if (!nwlink_conditions_set(&profile->conditions[d], key, value, why))
            return refuse(r, "%s", why);
    r->touched = true;
    return true;
}

static bool take_line(struct reader *r, char *line) {
    char *text = trim(line);
    if (*text == '\0' || *text == '#' || *text == ';')
        return true;
    if (*text == '[')
        return begin_profile(r, text);
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return refuse(r, "'%.40s' is neither [NAME] nor KEY = VALUE", text);
    *equals = '\0';
    char *key = trim(text), *value = trim(equals + 1);
    struct nwlink_profile *profile = present(r);
    if (profile == NULL)
        return refuse(r, "'%.40s' comes before the first [NAME]", key);
    return strcmp(key, "base") == 0 ? set_base(r, profile, value)
                                    : set_value(r, profile, key, value);
}

bool nwlink_profiles_parse(struct nwlink_profiles *profiles, const char *text, const char *file,
                           char *why) {
    struct reader r = {.profiles = profiles, .before = profiles->count, .file = file, .why = why};
    bool good = true;
    while (good && *text != '\0') {
        char line[LINE_MAX_OCTETS];
        size_t length = strcspn(text, "\n");
        r.line++;
        if (length >= sizeof line) {
            good = refuse(&r, "'%.40s...' is too long a line", text);
            break;
        }
        memcpy(line, text, length);
        line[length] = '\0';
        text += length + (text[length] == '\n');
        good = take_line(&r, line);
    }
    if (!good)
        profiles->count = r.before;
    return good;
}

bool nwlink_profiles_load(struct nwlink_profiles *profiles, const char *path, char *why) {
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? malloc(FILE_MAX + 1) : NULL;
    size_t size = text != NULL ? fread(text, 1, FILE_MAX + 1, file) : 0;
    bool good = false;
    if (text == NULL || ferror(file))
        snprintf(why, NWLINK_WHY, "%.100s: %s", path, strerror(errno));
    else if (size > FILE_MAX)
        snprintf(why, NWLINK_WHY, "%.100s is longer than %d octets", path, FILE_MAX);
    else if (memchr(text, '\0', size) != NULL)
        snprintf(why, NWLINK_WHY, "%.100s is not a text: it has a NUL in it", path);
    else {
        text[size] = '\0';
        good = nwlink_profiles_parse(profiles, text, path, why);
    }
    free(text);
    if (file != NULL)
        fclose(file);
    return good;
}
