/*
 * conditions.c - the conditions of one direction, read and written.
 * What:   one table of keys; each has a kind of value, and a kind knows how to read and to write.
 * Runs:   pure.
 */
#include "conditions.h"

#include "units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { QUEUE_MAX = 1000000, MTU_MIN = 68 /* RFC 791 */, MTU_MAX = 65535, PIECES_MAX = 4 };
static const int64_t reorder_by_default = 10000000;

enum kind { TIME, RATE, SHARE, QUEUE, BURST, REORDER, MTU, YES_NO };

static const struct key {
    const char *name;
    enum kind kind;
    size_t offset; /* of the value that TIME, RATE, SHARE, MTU and YES_NO set */
} keys[] = {
    {"rate", RATE, offsetof(struct nwlink_conditions, rate)},
    {"delay", TIME, offsetof(struct nwlink_conditions, delay)},
    {"jitter", TIME, offsetof(struct nwlink_conditions, jitter)},
    {"queue", QUEUE, 0},
    {"loss", SHARE, offsetof(struct nwlink_conditions, loss)},
    {"burst", BURST, 0},
    {"duplicate", SHARE, offsetof(struct nwlink_conditions, duplicate)},
    {"reorder", REORDER, 0},
    {"corrupt", SHARE, offsetof(struct nwlink_conditions, corrupt)},
    {"mtu", MTU, offsetof(struct nwlink_conditions, mtu)},
    {"mtu-signal", YES_NO, offsetof(struct nwlink_conditions, mtu_signal)},
    {"dns-delay", TIME, offsetof(struct nwlink_conditions, dns_delay)},
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static const char *const expected[] = {
    [TIME] = "a time such as 100ms or 1.5s, at most 600s",
    [RATE] = "a rate such as 780kbit or 50Mbit, at most 1000Gbit, or unlimited",
    [SHARE] = "a share such as 1.5%, at most 100%",
    [QUEUE] = "packets (50), octets (64kB) or auto",
    [BURST] = "ENTER/LEAVE[/BAD[/GOOD]] in percent, such as 1%/25%, or off",
    [REORDER] = "a share and perhaps a time, such as 5%/10ms",
    [MTU] = "a size of 68 to 65535 octets, or none",
    [YES_NO] = "yes or no",
};

const char *nwlink_conditions_key(unsigned index) {
    return index < KEY_COUNT ? keys[index].name : NULL;
}

/* Cuts the text at its slashes; 0 when there are too many. */
static unsigned cut_pieces(char *text, char *pieces[PIECES_MAX]) {
    unsigned count = 0;
    for (char *piece; (piece = strsep(&text, "/")) != NULL;) {
        if (count == PIECES_MAX)
            return 0;
        pieces[count++] = piece;
    }
    return count;
}

static bool read_queue(struct nwlink_conditions *c, const char *text) {
    uint64_t packets = 0, octets = 0;
    if (strcasecmp(text, "auto") != 0 && !nwlink_read_count(text, 1, QUEUE_MAX, &packets) &&
        (!nwlink_read_octets(text, &octets) || octets == 0))
        return false;
    c->queue_packets = (uint32_t)packets;
    c->queue_octets = octets;
    return true;
}

static bool read_burst(struct nwlink_conditions *c, char *text) {
    struct nwlink_burst burst = {.bad = 1};
    double *const shares[PIECES_MAX] = {&burst.enter, &burst.leave, &burst.bad, &burst.good};
    char *pieces[PIECES_MAX];
    if (strcasecmp(text, "off") == 0) {
        memset(&c->burst, 0, sizeof c->burst);
        return true;
    }
    unsigned count = cut_pieces(text, pieces);
    if (count < 2)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!nwlink_read_share(pieces[i], shares[i]))
            return false;
    c->burst = burst;
    return true;
}

static bool read_reorder(struct nwlink_conditions *c, char *text) {
    char *pieces[PIECES_MAX];
    double share;
    int64_t by = reorder_by_default;
    unsigned count = cut_pieces(text, pieces);
    if (count < 1 || count > 2 || !nwlink_read_share(pieces[0], &share) ||
        (count == 2 && !nwlink_read_time(pieces[1], &by)))
        return false;
    c->reorder = share;
    c->reorder_by = share > 0 ? by : 0;
    return true;
}

static bool read_mtu(uint32_t *mtu, const char *text) {
    uint64_t octets = 0;
    if (strcasecmp(text, "none") != 0 && !nwlink_read_count(text, MTU_MIN, MTU_MAX, &octets))
        return false;
    *mtu = (uint32_t)octets;
    return true;
}

static bool read_yes_no(bool *value, const char *text) {
    static const char *const words[] = {"no", "yes", "off", "on"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *value = i % 2;
            return true;
        }
    return false;
}

static bool read_value(struct nwlink_conditions *c, const struct key *key, char *text) {
    void *value = (char *)c + key->offset;
    switch (key->kind) {
    case TIME:
        return nwlink_read_time(text, value);
    case RATE:
        return nwlink_read_rate(text, value);
    case SHARE:
        return nwlink_read_share(text, value);
    case QUEUE:
        return read_queue(c, text);
    case BURST:
        return read_burst(c, text);
    case REORDER:
        return read_reorder(c, text);
    case MTU:
        return read_mtu(value, text);
    case YES_NO:
        return read_yes_no(value, text);
    }
    return false;
}

bool nwlink_conditions_set(struct nwlink_conditions *conditions, const char *key, const char *value,
                           char *why) {
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        if (strcmp(key, keys[i].name) != 0)
            continue;
        char copy[64];
        struct nwlink_conditions changed = *conditions;
        bool fits = (size_t)snprintf(copy, sizeof copy, "%s", value) < sizeof copy;
        if (fits && read_value(&changed, &keys[i], copy)) {
            *conditions = changed;
            return true;
        }
        snprintf(why, NWLINK_WHY, "%s: '%.40s' is not %s", key, value, expected[keys[i].kind]);
        return false;
    }
    snprintf(why, NWLINK_WHY, "'%.40s' is not a condition (rate, delay, loss, ...: see --help)",
             key);
    return false;
}

bool nwlink_conditions_read(struct nwlink_conditions *conditions, const char *list, char *why) {
    struct nwlink_conditions changed = *conditions;
    char copy[NWLINK_CONDITIONS_TEXT], *rest = copy;
    if ((size_t)snprintf(copy, sizeof copy, "%s", list) >= sizeof copy) {
        snprintf(why, NWLINK_WHY, "'%.40s...' is too long", list);
        return false;
    }
    for (char *word; (word = strsep(&rest, ",")) != NULL;) {
        char *equals = strchr(word, '=');
        if (strcmp(word, "perfect") == 0) {
            memset(&changed, 0, sizeof changed);
            continue;
        }
        if (equals == NULL) {
            snprintf(why, NWLINK_WHY, "'%.40s' is not KEY=VALUE", word);
            return false;
        }
        *equals = '\0';
        if (!nwlink_conditions_set(&changed, word, equals + 1, why))
            return false;
    }
    *conditions = changed;
    return true;
}

static void write_burst(const struct nwlink_burst *burst, char *text, size_t size) {
    char shares[4][NWLINK_UNIT_TEXT];
    nwlink_write_share(shares[0], burst->enter);
    nwlink_write_share(shares[1], burst->leave);
    nwlink_write_share(shares[2], burst->bad);
    nwlink_write_share(shares[3], burst->good);
    snprintf(text, size, "%s/%s/%s/%s", shares[0], shares[1], shares[2], shares[3]);
}

/* Whether the value differs from a perfect wire's; if so, its text. */
static bool write_value(const struct nwlink_conditions *c, const struct key *key, char *text,
                        size_t size) {
    const void *value = (const char *)c + key->offset;
    char time[NWLINK_UNIT_TEXT];
    switch (key->kind) {
    case TIME:
        nwlink_write_time(text, *(const int64_t *)value);
        return *(const int64_t *)value != 0;
    case RATE:
        nwlink_write_rate(text, *(const uint64_t *)value);
        return *(const uint64_t *)value != 0;
    case SHARE:
        nwlink_write_share(text, *(const double *)value);
        return *(const double *)value > 0;
    case QUEUE:
        if (c->queue_octets != 0)
            nwlink_write_octets(text, c->queue_octets);
        else
            snprintf(text, size, "%u", c->queue_packets);
        return c->queue_octets != 0 || c->queue_packets != 0;
    case BURST:
        write_burst(&c->burst, text, size);
        return c->burst.enter > 0 || c->burst.good > 0;
    case REORDER:
        nwlink_write_share(text, c->reorder);
        nwlink_write_time(time, c->reorder_by);
        snprintf(text + strlen(text), size - strlen(text), "/%s", time);
        return c->reorder > 0;
    case MTU:
        snprintf(text, size, "%u", *(const uint32_t *)value);
        return *(const uint32_t *)value != 0;
    case YES_NO:
        snprintf(text, size, "yes");
        return *(const bool *)value;
    }
    return false;
}

void nwlink_conditions_write(const struct nwlink_conditions *conditions, char *text) {
    char value[4 * NWLINK_UNIT_TEXT];
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < KEY_COUNT; i++)
        if (write_value(conditions, &keys[i], value, sizeof value))
            used += (size_t)snprintf(text + used, NWLINK_CONDITIONS_TEXT - used, "%s%s=%s",
                                     used > 0 ? "," : "", keys[i].name, value);
    if (used == 0)
        snprintf(text, NWLINK_CONDITIONS_TEXT, "perfect");
}
