/*
 * name.c - see name.h.
 * What:   an entry that is no host name (an address written as a name, an underscore, a wildcard
 *         that is not the whole leftmost label) matches nothing.
 * Source: RFC 6125 section 6.4.3, RFC 5890 (labels); the list of public suffixes.
 * Runs:   any thread.
 */
#include "trust/name.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <libpsl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 63, NAME_LENGTH_MAX = 253 };

static bool is_label(const char *label, size_t length) {
    if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)label[i]) && label[i] != '-')
            return false;
    return true;
}

/* Letters, digits and hyphens in labels with points between; not all digits and points, which would
 * be an address. Returns the number of labels, 0 when it is no host name. */
static unsigned count_labels(const char *name, size_t length) {
    unsigned labels = 0;
    size_t at = 0;
    bool numeric = true;
    if (length == 0 || length > NAME_LENGTH_MAX)
        return 0;
    while (at < length) {
        const char *point = memchr(name + at, '.', length - at);
        size_t size = point != NULL ? (size_t)(point - name) - at : length - at;
        if (!is_label(name + at, size))
            return 0;
        for (size_t i = 0; i < size; i++)
            numeric = numeric && isdigit((unsigned char)name[at + i]);
        labels++;
        at += size + 1;
    }
    /* A point at the very end leaves an empty label. */
    return numeric || name[length - 1] == '.' ? 0 : labels;
}

static bool is_wildcard(const char *pattern, size_t length) {
    return length > 2 && pattern[0] == '*' && pattern[1] == '.';
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static psl_ctx_t *suffixes; /* never freed; NULL: there is no list */

/* The newer of the list that the library was built with and the system's file. */
static void read_suffixes(void) {
    suffixes = psl_latest(NULL);
}

/* Whether anybody may register a name directly below this one (CA/Browser Forum section 3.2.2.6).
 * Only the registries' part of the list: the other part has names, such as those of storage
 * services, whose owners serve all that is below them, and have such certificates. */
static bool is_public_suffix(const char *name, size_t length) {
    char text[NAME_LENGTH_MAX + 1];
    for (size_t i = 0; i < length; i++)
        text[i] = (char)tolower((unsigned char)name[i]);
    text[length] = '\0';
    pthread_once(&once, read_suffixes);
    return suffixes != NULL && psl_is_public_suffix2(suffixes, text, PSL_TYPE_ICANN);
}

/* A wildcard needs two labels below it that somebody owns: "*", "*.com" and "*.co.uk" stand for
 * nobody. */
bool nwi_trust_is_pattern(const char *pattern, size_t length) {
    if (is_wildcard(pattern, length))
        return count_labels(pattern + 2, length - 2) >= 2 &&
               !is_public_suffix(pattern + 2, length - 2);
    return count_labels(pattern, length) > 0;
}

bool nwi_trust_pattern_matches(const char *pattern, size_t length, const char *host) {
    size_t host_length = strlen(host);
    if (host_length > 0 && host[host_length - 1] == '.')
        host_length--; /* the root's point, which certificates do not write */
    if (!nwi_trust_is_pattern(pattern, length) || count_labels(host, host_length) == 0)
        return false;
    if (is_wildcard(pattern, length)) {
        const char *point = memchr(host, '.', host_length);
        if (point == NULL)
            return false;
        host_length -= (size_t)(point - host);
        host = point;
        pattern++;
        length--;
    }
    return length == host_length && strncasecmp(pattern, host, length) == 0;
}

bool nwi_trust_name_matches(sec_certificate_t certificate, const char *host) {
    unsigned char address[16];
    size_t address_size = 0;
    gnutls_datum_t entry;
    unsigned kind;
    if (inet_pton(AF_INET, host, address) == 1)
        address_size = 4;
    else if (inet_pton(AF_INET6, host, address) == 1)
        address_size = 16;
    for (unsigned i = 0;
         gnutls_subject_alt_names_get(certificate->names, i, &kind, &entry, NULL) >= 0; i++) {
        if (address_size != 0 && kind == GNUTLS_SAN_IPADDRESS && entry.size == address_size &&
            memcmp(entry.data, address, address_size) == 0)
            return true;
        if (address_size == 0 && kind == GNUTLS_SAN_DNSNAME &&
            nwi_trust_pattern_matches((const char *)entry.data, entry.size, host))
            return true;
    }
    return false;
}
