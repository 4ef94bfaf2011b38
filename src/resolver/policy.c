/*
 * policy.c - see policy.h.
 * Source: RFC 6724 sections 2.1 (table), 3.1 to 3.4 (scopes); gai.conf(5).
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "resolver/policy.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 65536 }; /* octets of a gai.conf that are read */

#define V6(...)                                                                                    \
    {                                                                                              \
        .s6_addr = { __VA_ARGS__ }                                                                 \
    }
#define MAPPED(...) V6(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, __VA_ARGS__)

static const struct nwi_policy default_policy = {
    /* RFC 6724 section 2.1 */
    .label = {9,
              {{V6([15] = 1), 128, 0},
               {V6(0), 0, 1},
               {MAPPED(0), 96, 4},
               {V6(0x20, 0x02), 16, 2},
               {V6(0x20, 0x01), 32, 5},
               {V6(0xfc), 7, 13},
               {V6(0), 96, 3},
               {V6(0xfe, 0xc0), 10, 11},
               {V6(0x3f, 0xfe), 16, 12}}},
    .precedence = {9,
                   {{V6([15] = 1), 128, 50},
                    {V6(0), 0, 40},
                    {MAPPED(0), 96, 35},
                    {V6(0x20, 0x02), 16, 30},
                    {V6(0x20, 0x01), 32, 5},
                    {V6(0xfc), 7, 3},
                    {V6(0), 96, 1},
                    {V6(0xfe, 0xc0), 10, 1},
                    {V6(0x3f, 0xfe), 16, 1}}},
    /* RFC 6724 section 3.2: private addresses are global */
    .scope_v4 = {3,
                 {{MAPPED(169, 254), 112, NWI_SCOPE_LINK},
                  {MAPPED(127), 104, NWI_SCOPE_LINK},
                  {MAPPED(0), 96, NWI_SCOPE_GLOBAL}}},
};

const struct nwi_policy *nwi_policy_default(void) {
    return &default_policy;
}

static bool has_prefix(const struct in6_addr *address, const struct nwi_policy_row *row) {
    unsigned octets = row->length / 8, bits = row->length % 8;
    if (memcmp(address->s6_addr, row->prefix.s6_addr, octets) != 0)
        return false;
    unsigned mask = 0xffu << (8 - bits) & 0xffu;
    return bits == 0 || ((address->s6_addr[octets] ^ row->prefix.s6_addr[octets]) & mask) == 0;
}

static unsigned look_up(const struct nwi_policy_list *list, const struct in6_addr *address,
                        unsigned otherwise) {
    const struct nwi_policy_row *best = NULL;
    for (unsigned i = 0; i < list->count; i++)
        if (has_prefix(address, &list->rows[i]) &&
            (best == NULL || list->rows[i].length > best->length))
            best = &list->rows[i];
    return best != NULL ? best->value : otherwise;
}

unsigned nwi_policy_label(const struct nwi_policy *policy, const struct in6_addr *address) {
    return look_up(&policy->label, address, 0);
}

unsigned nwi_policy_precedence(const struct nwi_policy *policy, const struct in6_addr *address) {
    return look_up(&policy->precedence, address, 0);
}

unsigned nwi_policy_scope(const struct nwi_policy *policy, const struct in6_addr *address) {
    if (IN6_IS_ADDR_MULTICAST(address))
        return address->s6_addr[1] & 0x0f; /* RFC 6724 section 3.1 */
    if (IN6_IS_ADDR_V4MAPPED(address))
        return look_up(&policy->scope_v4, address, NWI_SCOPE_GLOBAL);
    if (IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_LOOPBACK(address)) /* section 3.4 */
        return NWI_SCOPE_LINK;
    return IN6_IS_ADDR_SITELOCAL(address) ? NWI_SCOPE_SITE : NWI_SCOPE_GLOBAL;
}

/* --- gai.conf --- */

/* "2002::/16", "::ffff:0:0/96", "10.0.0.0/8" (as 96 + 8 bits), or an address alone (all its bits).
 */
static bool parse_prefix(char *text, struct nwi_policy_row *row) {
    struct in_addr v4;
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = '\0';
    unsigned all = 128, offset = 0;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        row->prefix = (struct in6_addr)MAPPED(0);
        memcpy(&row->prefix.s6_addr[12], &v4, sizeof v4);
        all = 32;
        offset = 96;
    } else if (inet_pton(AF_INET6, text, &row->prefix) != 1) {
        return false;
    }
    unsigned long length = all;
    if (slash != NULL) {
        char *end;
        if (slash[1] < '0' || slash[1] > '9')
            return false;
        length = strtoul(slash + 1, &end, 10);
        if (*end != '\0' || length > all)
            return false;
    }
    row->length = (unsigned)length + offset;
    return true;
}

static bool parse_value(const char *text, unsigned *ret_value) {
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value > INT32_MAX)
        return false;
    *ret_value = (unsigned)value;
    return true;
}

/* `line` is ours to change. False: it makes no sense. */
static bool parse_line(char *line, struct nwi_policy *policy, bool *seen) {
    char *save, *hash = strchr(line, '#');
    if (hash != NULL)
        *hash = '\0';
    const char *space = " \t\r\v\f";
    char *word = strtok_r(line, space, &save);
    if (word == NULL || strcmp(word, "reload") == 0) /* a file is read anew only when we are told */
        return true;
    struct nwi_policy_list *lists[] = {&policy->label, &policy->precedence, &policy->scope_v4};
    static const char *const names[] = {"label", "precedence", "scopev4"};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(word, names[i]) != 0)
            continue;
        struct nwi_policy_row row;
        char *prefix = strtok_r(NULL, space, &save), *value = strtok_r(NULL, space, &save);
        if (prefix == NULL || value == NULL || strtok_r(NULL, space, &save) != NULL ||
            !parse_prefix(prefix, &row) || !parse_value(value, &row.value))
            return false;
        if (!seen[i])
            lists[i]->count = 0;
        seen[i] = true;
        if (lists[i]->count == NWI_POLICY_ROWS)
            return false;
        lists[i]->rows[lists[i]->count++] = row;
        return true;
    }
    return false;
}

void nwi_policy_parse(const char *text, size_t length, struct nwi_policy *ret_policy) {
    bool seen[3] = {false, false, false};
    char line[256];
    *ret_policy = default_policy;
    for (unsigned number = 1; length > 0; number++) {
        const char *newline = memchr(text, '\n', length);
        size_t size = newline != NULL ? (size_t)(newline - text) : length;
        bool fits = size < sizeof line;
        size_t kept = fits ? size : sizeof line - 1;
        memcpy(line, text, kept);
        line[kept] = '\0';
        /* A long line is fine when it is a comment. */
        bool is_comment = strspn(line, " \t") == strcspn(line, "#") && strchr(line, '#') != NULL;
        if (!is_comment && (!fits || !parse_line(line, ret_policy, seen)))
            nwi_log(NWI_LOG_NOTICE, "resolver", "policy", "gai.conf line %u ignored", number);
        size_t used = newline != NULL ? size + 1 : size;
        text += used;
        length -= used;
    }
}

void nwi_policy_read(const char *path, struct nwi_policy *ret_policy) {
    static const char event[] = "policy";
    *ret_policy = default_policy;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        if (errno != ENOENT)
            nwi_log(NWI_LOG_NOTICE, "resolver", event, "cannot open %s: %s", path,
                    nwi_err_text(nwi_posix(errno)));
        return;
    }
    char *text = nwi_alloc_raw(FILE_MAX);
    if (text != NULL) {
        size_t length = fread(text, 1, FILE_MAX, file);
        if (ferror(file) == 0)
            nwi_policy_parse(text, length, ret_policy);
        else
            nwi_log(NWI_LOG_NOTICE, "resolver", event, "cannot read %s", path);
    }
    nwi_free(text);
    fclose(file);
}
