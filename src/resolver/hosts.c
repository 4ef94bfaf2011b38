/*
 * hosts.c - reading and searching the hosts file.
 * What:   one entry per (name, address); names point into one copy of the text.
 * Source: hosts(5); RFC 1035 section 2.3.4 (length of names).
 * Runs:   any thread.
 * Owns:   the table and its copy of the text.
 */
#include "resolver/hosts.h"
#include "base/alloc.h"
#include "sys/address.h"
#include "sys/sockets.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char *name;   /* into text */
    size_t order; /* place in the file: keeps the sort stable */
    union nwi_inet address;
};

struct nwi_hosts {
    char *text;
    struct entry *entries; /* sorted by name, then order */
    size_t count, room;
};

bool nwi_name_normalize(const char *name, size_t length, char *ret) {
    if (length > 0 && name[length - 1] == '.')
        length--;
    if (length == 0 || length >= NWI_NAME_SIZE - 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c <= ' ' || c == 0x7f)
            return false;
        ret[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    ret[length] = '\0';
    return true;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\0';
}

/* The next word of the line, ended with NUL in place; NULL at its end. */
static char *next_word(char **position, char *end) {
    char *start = *position;
    while (start < end && is_space(*start))
        start++;
    if (start == end)
        return NULL;
    char *stop = start;
    while (stop < end && !is_space(*stop))
        stop++;
    *stop = '\0'; /* `end` itself may be overwritten: a newline, a '#', or the spare octet after the
                     text */
    *position = stop < end ? stop + 1 : end;
    return start;
}

static bool add(struct nwi_hosts *hosts, char *name, const union nwi_inet *address) {
    if (hosts->count == hosts->room) {
        size_t room = hosts->room != 0 ? hosts->room * 2 : 64;
        struct entry *grown = nwi_realloc(hosts->entries, room * sizeof *grown);
        if (grown == NULL)
            return false;
        hosts->entries = grown;
        hosts->room = room;
    }
    hosts->entries[hosts->count] = (struct entry){name, hosts->count, *address};
    hosts->count++;
    return true;
}

/* False only when memory ran out. */
static bool parse_line(struct nwi_hosts *hosts, char *start, char *end) {
    char *word = next_word(&start, end), name[NWI_NAME_SIZE];
    struct sockaddr_storage parsed;
    socklen_t length;
    if (word == NULL || !nwi_address_parse(word, 0, &parsed, &length))
        return true;
    union nwi_inet address = {0};
    memcpy(&address, &parsed, length);
    while ((word = next_word(&start, end)) != NULL) {
        if (!nwi_name_normalize(word, strlen(word), name))
            continue;
        memcpy(word, name, strlen(name) + 1); /* never longer than the word */
        if (!add(hosts, word, &address))
            return false;
    }
    return true;
}

static int compare(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : a->order < b->order ? -1 : a->order > b->order;
}

struct nwi_hosts *nwi_hosts_parse(const char *text, size_t size) {
    struct nwi_hosts *hosts = nwi_alloc(sizeof *hosts);
    if (hosts == NULL)
        return NULL;
    hosts->text = nwi_alloc_raw(size + 1);
    if (hosts->text == NULL)
        return nwi_hosts_free(hosts);
    if (size > 0)
        memcpy(hosts->text, text, size);
    hosts->text[size] = '\n';
    char *line = hosts->text, *limit = hosts->text + size + 1;
    while (line < limit) {
        char *newline =
            memchr(line, '\n', (size_t)(limit - line)); /* there is one: the octet added above */
        char *comment = memchr(line, '#', (size_t)(newline - line));
        if (!parse_line(hosts, line, comment != NULL ? comment : newline))
            return nwi_hosts_free(hosts);
        line = newline + 1;
    }
    if (hosts->count > 1)
        qsort(hosts->entries, hosts->count, sizeof *hosts->entries, compare);
    return hosts;
}

/* *ret_text is owned by the caller. False when memory or descriptors ran out; an unreadable file
 * reads as empty. */
static bool read_file(const char *path, char **ret_text, size_t *ret_size) {
    size_t size = 0, room = 4096;
    char *text = nwi_alloc_raw(room);
    if (text == NULL)
        return false;
    int fd = nwi_sys()->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0 && nwi_err_is_shortage(nwi_posix(errno))) {
        nwi_free(text);
        return false;
    }
    while (fd >= 0 && size < NWI_HOSTS_FILE_MAX) {
        if (size == room) {
            char *grown = nwi_realloc(text, room * 2);
            if (grown == NULL) {
                nwi_sys()->close(fd);
                nwi_free(text);
                return false;
            }
            text = grown;
            room *= 2;
        }
        ssize_t got = nwi_sys()->read(fd, text + size, room - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    if (fd >= 0)
        nwi_sys()->close(fd);
    *ret_text = text;
    *ret_size = size;
    return true;
}

struct nwi_hosts *nwi_hosts_load(const char *path) {
    char *text;
    size_t size;
    if (!read_file(path, &text, &size))
        return NULL;
    struct nwi_hosts *hosts = nwi_hosts_parse(text, size);
    nwi_free(text);
    return hosts;
}

void *nwi_hosts_free(struct nwi_hosts *hosts) {
    if (hosts != NULL) {
        nwi_free(hosts->entries);
        nwi_free(hosts->text);
        nwi_free(hosts);
    }
    return NULL;
}

size_t nwi_hosts_find(const struct nwi_hosts *hosts, const char *name,
                      union nwi_inet *ret_addresses, size_t room) {
    size_t low = 0, high = hosts->count; /* first entry not before `name` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(hosts->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t count = 0;
    for (; low < hosts->count && count < room && strcmp(hosts->entries[low].name, name) == 0; low++)
        ret_addresses[count++] = hosts->entries[low].address;
    return count;
}
