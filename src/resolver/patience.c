/*
 * patience.c - see patience.h.
 * What:   finds the lines that start with "options" and the words in them that we know.
 * Source: resolv.conf(5).
 * Runs:   any thread.
 * Owns:   nothing beyond each call.
 */
#include "resolver/patience.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    FILE_MAX = 65536, /* octets; what follows is ignored */
};
static const char blank[] = " \t\r";

/* The number after `name` when the word starts with it, at least 1 and at most `max`; else 0. */
static unsigned number_after(const char *word, size_t length, const char *name, unsigned max) {
    size_t skip = strlen(name);
    unsigned value = 0;
    if (length <= skip || strncmp(word, name, skip) != 0)
        return 0;
    for (size_t i = skip; i < length; i++) {
        if (word[i] < '0' || word[i] > '9')
            return 0;
        value = value * 10 + (unsigned)(word[i] - '0');
        if (value > max)
            value = max;
    }
    return value > 0 ? value : 1; /* no patience at all would ask nobody */
}

static void read_options(const char *at, const char *end, unsigned *timeout_ms, unsigned *tries) {
    while (at < end) {
        size_t length = strcspn(at, " \t\r\n");
        unsigned value;
        if ((value = number_after(at, length, "timeout:", NWI_PATIENCE_TIMEOUT_MAX)) != 0)
            *timeout_ms = value * 1000;
        if ((value = number_after(at, length, "attempts:", NWI_PATIENCE_TRIES_MAX)) != 0)
            *tries = value;
        at += length;
        at += strspn(at, blank);
        if (*at == '\n')
            return;
    }
}

void nwi_patience_parse(const char *text, unsigned *timeout_ms, unsigned *tries) {
    static const char keyword[] = "options";
    while (*text != '\0') {
        const char *end = text + strcspn(text, "\n");
        const char *rest = text + sizeof keyword - 1;
        if (strncmp(text, keyword, sizeof keyword - 1) == 0 && rest < end &&
            strchr(blank, *rest) != NULL)
            read_options(rest + strspn(rest, blank), end, timeout_ms, tries);
        text = *end == '\n' ? end + 1 : end;
    }
}

void nwi_patience_read(const char *path, unsigned *timeout_ms, unsigned *tries) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        if (errno != ENOENT)
            nwi_log(NWI_LOG_NOTICE, "resolver", "patience", "cannot open %s: %s", path,
                    nwi_err_text(nwi_posix(errno)));
        return;
    }
    char *text = nwi_alloc(FILE_MAX + 1);
    if (text != NULL) {
        text[fread(text, 1, FILE_MAX, file)] = '\0';
        nwi_patience_parse(text, timeout_ms, tries);
    }
    nwi_free(text);
    fclose(file);
}
