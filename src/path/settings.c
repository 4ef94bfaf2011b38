/*
 * settings.c - see settings.h.
 * What:   a reader of sections and settings, line by line, and the lists it fills.
 * Source: libnw-network.conf(5).
 * Runs:   any thread.
 * Owns:   the lists of a snapshot.
 */
#include "path/settings.h"
#include "base/alloc.h"
#include "base/log.h"
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

enum {
    PATTERN_SIZE = 64, /* octets of an interface's name or pattern, the end included */
    SHOWN_MAX = 60,    /* octets of a value that a message repeats */
    ENTRIES_MAX = 1024 /* sections and programs of one file: bounds the work of each question */
};

struct section {
    SIMPLEQ_ENTRY(section) entry;
    char pattern[PATTERN_SIZE];
    bool exact; /* no '*' or '?' in it */
    struct nwi_settings_interface says;
};

struct program {
    SIMPLEQ_ENTRY(program) entry;
    bool whole_path; /* there is a '/' in the pattern; else it is compared with the file's name */
    char pattern[];
};
SIMPLEQ_HEAD(program_list, program);

struct nwi_settings {
    struct nwi_object base;
    SIMPLEQ_HEAD(, section) sections; /* in the order of the file */
    struct program_list deny, allow;
    unsigned entries;
};

static void free_programs(struct program_list *list) {
    while (!SIMPLEQ_EMPTY(list)) {
        struct program *program = SIMPLEQ_FIRST(list);
        SIMPLEQ_REMOVE_HEAD(list, entry);
        nwi_free(program);
    }
}

static void settings_destroy(void *object) {
    struct nwi_settings *settings = object;
    while (!SIMPLEQ_EMPTY(&settings->sections)) {
        struct section *section = SIMPLEQ_FIRST(&settings->sections);
        SIMPLEQ_REMOVE_HEAD(&settings->sections, entry);
        nwi_free(section);
    }
    free_programs(&settings->deny);
    free_programs(&settings->allow);
}
static const struct nwi_type settings_type = {
    .name = "network settings", .size = sizeof(struct nwi_settings), .destroy = settings_destroy};

/* --- reading --- */
enum place { BEFORE_ALL, IN_INTERFACE, IN_LOCAL_NETWORK, IN_REFUSED };

struct reader {
    struct nwi_settings *settings;
    const char *file;
    unsigned line;
    enum place place;
    struct section *section; /* of IN_INTERFACE */
    bool failed;             /* no memory */
};

static const char spaces[] = " \t\r\v\f";

/* `value` as it may be shown: short, and without what would move a terminal's cursor. */
static void complain(const struct reader *reader, const char *what, const char *value,
                     const char *problem) {
    char shown[SHOWN_MAX + 1];
    size_t length = 0;
    for (; value[length] != '\0' && length < SHOWN_MAX; length++) {
        unsigned char c = (unsigned char)value[length];
        shown[length] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    shown[length] = '\0';
    nwi_log(NWI_LOG_ERROR, "settings", "config", "%s:%u: %s \"%s\" %s", reader->file, reader->line,
            what, shown, problem);
}

static bool has_room(struct reader *reader, const char *what, const char *value) {
    if (reader->settings->entries == ENTRIES_MAX) {
        complain(reader, what, value, "is one too many and ignored");
        return false;
    }
    reader->settings->entries++;
    return true;
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text) {
    text += strspn(text, spaces);
    size_t length = strlen(text);
    while (length > 0 && strchr(spaces, text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

static void open_interface(struct reader *reader, const char *pattern) {
    if (*pattern == '\0' || strlen(pattern) >= PATTERN_SIZE ||
        pattern[strcspn(pattern, spaces)] != '\0') {
        complain(reader, "interface", pattern, "is not one name or pattern");
        return;
    }
    if (!has_room(reader, "interface", pattern))
        return;
    struct section *section = nwi_alloc(sizeof *section);
    if (section == NULL) {
        reader->failed = true;
        return;
    }
    memcpy(section->pattern, pattern, strlen(pattern) + 1);
    section->exact = pattern[strcspn(pattern, "*?")] == '\0';
    SIMPLEQ_INSERT_TAIL(&reader->settings->sections, section, entry);
    reader->section = section;
    reader->place = IN_INTERFACE;
}

/* `line` begins with '['. */
static void open_section(struct reader *reader, char *line) {
    static const char interface[] = "interface";
    size_t length = strlen(line);
    reader->place = IN_REFUSED;
    if (line[length - 1] != ']') {
        complain(reader, "section", line, "does not end with \"]\"");
        return;
    }
    line[length - 1] = '\0';
    char *name = trim(line + 1);
    size_t word = strcspn(name, spaces);
    if (word == sizeof interface - 1 && memcmp(name, interface, word) == 0)
        open_interface(reader, trim(name + word));
    else if (strcmp(name, "local-network") == 0)
        reader->place = IN_LOCAL_NETWORK;
    else
        complain(reader, "section", name, "is unknown (interface NAME, local-network)");
}

/* --- values --- */
struct word {
    const char *text;
    int value;
};
/* The value, or -1. */
static int look_up(const struct word *words, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].text, text) == 0)
            return words[i].value;
    }
    return -1;
}
#define LOOK_UP(words, text) look_up(words, sizeof(words) / sizeof(words)[0], text)

static void set_choice(const struct reader *reader, enum nwi_settings_choice *choice,
                       const char *key, const char *value) {
    static const struct word words[] = {
        {"auto", NWI_SETTINGS_AUTO}, {"no", NWI_SETTINGS_NO},   {"off", NWI_SETTINGS_NO},
        {"false", NWI_SETTINGS_NO},  {"yes", NWI_SETTINGS_YES}, {"on", NWI_SETTINGS_YES},
        {"true", NWI_SETTINGS_YES},
    };
    char what[40];
    int found = LOOK_UP(words, value);
    if (found >= 0) {
        *choice = (enum nwi_settings_choice)found;
        return;
    }
    snprintf(what, sizeof what, "%s =", key);
    complain(reader, what, value, "is not yes, no or auto");
}

static void set_quality(const struct reader *reader, const char *value) {
    static const struct word words[] = {
        {"auto", nw_link_quality_unknown},    {"unknown", nw_link_quality_unknown},
        {"minimal", nw_link_quality_minimal}, {"moderate", nw_link_quality_moderate},
        {"good", nw_link_quality_good},
    };
    struct nwi_settings_interface *says = &reader->section->says;
    int found = LOOK_UP(words, value);
    if (found < 0) {
        complain(reader, "quality =", value, "is not auto, unknown, minimal, moderate or good");
        return;
    }
    says->has_quality = strcmp(value, "auto") == 0 ? NWI_SETTINGS_AUTO : NWI_SETTINGS_YES;
    says->quality = (nw_link_quality_t)found;
}

static void set_type(const struct reader *reader, const char *value) {
    static const struct word words[] = {
        {"auto", nw_interface_type_other},        {"wired", nw_interface_type_wired},
        {"wifi", nw_interface_type_wifi},         {"other", nw_interface_type_other},
        {"cellular", nw_interface_type_cellular},
    };
    struct nwi_settings_interface *says = &reader->section->says;
    int found = LOOK_UP(words, value);
    if (found < 0) {
        complain(reader, "type =", value, "is not auto, wired, wifi, cellular or other");
        return;
    }
    says->has_type = strcmp(value, "auto") == 0 ? NWI_SETTINGS_AUTO : NWI_SETTINGS_YES;
    says->type = (nw_interface_type_t)found;
}

static void set_of_interface(const struct reader *reader, const char *key, const char *value) {
    struct nwi_settings_interface *says = &reader->section->says;
    if (strcmp(key, "expensive") == 0)
        set_choice(reader, &says->expensive, key, value);
    else if (strcmp(key, "constrained") == 0)
        set_choice(reader, &says->constrained, key, value);
    else if (strcmp(key, "ultra_constrained") == 0)
        set_choice(reader, &says->ultra_constrained, key, value);
    else if (strcmp(key, "quality") == 0)
        set_quality(reader, value);
    else if (strcmp(key, "type") == 0)
        set_type(reader, value);
    else
        complain(reader, "setting", key,
                 "is unknown (expensive, constrained, ultra_constrained, quality, type)");
}

/* --- programs --- */
static void add_program(struct reader *reader, struct program_list *list, const char *pattern) {
    bool whole_path = strchr(pattern, '/') != NULL;
    if (*pattern == '\0' || (whole_path && *pattern != '/' && *pattern != '*')) {
        complain(reader, "program", pattern, "is neither a name nor an absolute path");
        return;
    }
    if (!has_room(reader, "program", pattern))
        return;
    size_t size = strlen(pattern) + 1;
    struct program *program = nwi_alloc(sizeof *program + size);
    if (program == NULL) {
        reader->failed = true;
        return;
    }
    program->whole_path = whole_path;
    memcpy(program->pattern, pattern, size);
    SIMPLEQ_INSERT_TAIL(list, program, entry);
}

/* Words between blanks; a word in double quotes may have blanks in it. `value` is ours to change.
 */
static void add_programs(struct reader *reader, struct program_list *list, char *value) {
    while (*(value += strspn(value, spaces)) != '\0') {
        bool quoted = *value == '"';
        char *word = value + quoted;
        size_t length = strcspn(word, quoted ? "\"" : spaces);
        if (quoted && word[length] == '\0') {
            complain(reader, "program", word, "has no closing quotation mark");
            return;
        }
        value = word[length] != '\0' ? word + length + 1 : word + length;
        word[length] = '\0';
        add_program(reader, list, word);
    }
}

/* --- lines --- */
static void take_setting(struct reader *reader, char *line) {
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        complain(reader, "line", line, "is neither [section] nor setting = value");
        return;
    }
    *equals = '\0';
    char *key = trim(line), *value = trim(equals + 1);
    switch (reader->place) {
    case IN_INTERFACE:
        set_of_interface(reader, key, value);
        break;
    case IN_LOCAL_NETWORK:
        if (strcmp(key, "deny") == 0)
            add_programs(reader, &reader->settings->deny, value);
        else if (strcmp(key, "allow") == 0)
            add_programs(reader, &reader->settings->allow, value);
        else
            complain(reader, "setting", key, "is unknown (deny, allow)");
        break;
    case BEFORE_ALL:
        complain(reader, "setting", key, "stands before the first [section]");
        break;
    case IN_REFUSED: /* what is wrong with its section has been told */
        break;
    }
}

static void take_line(struct reader *reader, char *line, size_t length) {
    bool whole = strlen(line) == length;
    line = trim(line);
    if (!whole)
        complain(reader, "line", line, "has a NUL character in it");
    else if (*line == '[')
        open_section(reader, line);
    else if (*line != '\0' && *line != '#' && *line != ';')
        take_setting(reader, line);
}

struct nwi_settings *nwi_settings_parse(const char *file, const char *text, size_t length) {
    struct nwi_settings *settings = nwi_object_create(&settings_type, 0);
    if (settings == NULL)
        return NULL;
    SIMPLEQ_INIT(&settings->sections);
    SIMPLEQ_INIT(&settings->deny);
    SIMPLEQ_INIT(&settings->allow);
    char *copy = nwi_alloc_raw(length + 1);
    struct reader reader = {.settings = settings, .file = file, .failed = copy == NULL};
    if (copy != NULL && length > 0)
        memcpy(copy, text, length);
    char *line = copy;
    for (size_t left = length; left > 0 && !reader.failed;) {
        char *newline = memchr(line, '\n', left);
        size_t size = newline != NULL ? (size_t)(newline - line) : left;
        line[size] = '\0';
        reader.line++;
        take_line(&reader, line, size);
        size_t used = newline != NULL ? size + 1 : size;
        line += used;
        left -= used;
    }
    nwi_free(copy);
    return reader.failed ? nwi_release(settings) : settings;
}

/* --- questions --- */
bool nwi_settings_match(const char *pattern, const char *text) {
    const char *star = NULL, *resume = NULL;
    while (*text != '\0') {
        if (*pattern == '*') { /* tries to stand for nothing; one more character each time round */
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) { /* a later star makes the earlier ones' tries needless */
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static void overlay(struct nwi_settings_interface *answer,
                    const struct nwi_settings_interface *says) {
    if (says->expensive != NWI_SETTINGS_UNSAID)
        answer->expensive = says->expensive;
    if (says->constrained != NWI_SETTINGS_UNSAID)
        answer->constrained = says->constrained;
    if (says->ultra_constrained != NWI_SETTINGS_UNSAID)
        answer->ultra_constrained = says->ultra_constrained;
    if (says->has_quality != NWI_SETTINGS_UNSAID) {
        answer->has_quality = says->has_quality;
        answer->quality = says->quality;
    }
    if (says->has_type != NWI_SETTINGS_UNSAID) {
        answer->has_type = says->has_type;
        answer->type = says->type;
    }
}

void nwi_settings_interface(const struct nwi_settings *settings, const char *name,
                            struct nwi_settings_interface *answer) {
    const struct section *section;
    SIMPLEQ_FOREACH(section, &settings->sections, entry) {
        if (!section->exact && nwi_settings_match(section->pattern, name))
            overlay(answer, &section->says);
    }
    SIMPLEQ_FOREACH(section, &settings->sections, entry) {
        if (section->exact && strcmp(section->pattern, name) == 0)
            overlay(answer, &section->says);
    }
}

static bool is_listed(const struct program_list *list, const char *executable) {
    const char *slash = strrchr(executable, '/');
    const char *name = slash != NULL ? slash + 1 : executable;
    const struct program *program;
    SIMPLEQ_FOREACH(program, list, entry) {
        if (nwi_settings_match(program->pattern, program->whole_path ? executable : name))
            return true;
    }
    return false;
}

bool nwi_settings_denies(const struct nwi_settings *settings, const char *executable) {
    return is_listed(&settings->deny, executable) && !is_listed(&settings->allow, executable);
}
