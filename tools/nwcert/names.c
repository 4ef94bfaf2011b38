/*
 * names.c - names and dates as a user types them.
 * Source: RFC 5280 section 4.2.1.6 (what a SAN entry holds), RFC 6125 section 6.4.3 (a wildcard is
 *         the whole leftmost label).
 */
#include "request.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 63, NAME_MAX_LENGTH = 253 };

static const char *put(struct nwcert_name *name, gnutls_x509_subject_alt_name_t kind,
                       const void *value, size_t size) {
    if (size == 0)
        return "it is empty";
    if (size >= sizeof name->text)
        return "it is too long";
    memset(name, 0, sizeof *name);
    name->kind = kind;
    name->size = size;
    memcpy(name->text, value, size);
    return NULL;
}

static bool is_label(const char *label, size_t length) {
    if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

static bool is_host_name(const char *text) {
    if (strlen(text) > NAME_MAX_LENGTH)
        return false;
    if (strncmp(text, "*.", 2) == 0)
        text += 2;
    for (;;) {
        size_t length = strcspn(text, ".");
        if (!is_label(text, length))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static const char *read_dns(const char *text, struct nwcert_name *name) {
    gnutls_datum_t mapped = {0};
    const char *wrong = "it is no host name";
    if (is_host_name(text))
        return put(name, GNUTLS_SAN_DNSNAME, text, strlen(text));
    if (gnutls_idna_map(text, (unsigned)strlen(text), &mapped, 0) == 0 &&
        is_host_name((const char *)mapped.data))
        wrong = put(name, GNUTLS_SAN_DNSNAME, mapped.data, mapped.size);
    gnutls_free(mapped.data);
    return wrong;
}

static const char *read_ip(const char *text, struct nwcert_name *name) {
    unsigned char address[16];
    if (inet_pton(AF_INET, text, address) == 1)
        return put(name, GNUTLS_SAN_IPADDRESS, address, 4);
    if (inet_pton(AF_INET6, text, address) == 1)
        return put(name, GNUTLS_SAN_IPADDRESS, address, 16);
    return "it is no address";
}

static const char *read_email(const char *text, struct nwcert_name *name) {
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL)
        return "it is no mail address";
    return put(name, GNUTLS_SAN_RFC822NAME, text, strlen(text));
}

static const char *read_uri(const char *text, struct nwcert_name *name) {
    if (!isalpha((unsigned char)text[0]) || strchr(text, ':') == NULL)
        return "it is no URI";
    return put(name, GNUTLS_SAN_URI, text, strlen(text));
}

const char *nwcert_name_read(const char *text, struct nwcert_name *ret_name) {
    static const struct {
        const char *prefix;
        const char *(*read)(const char *text, struct nwcert_name *name);
    } kinds[] = {{"dns:", read_dns}, {"ip:", read_ip}, {"email:", read_email}, {"uri:", read_uri}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].prefix);
        if (strncasecmp(text, kinds[i].prefix, length) == 0)
            return kinds[i].read(text + length, ret_name);
    }
    if (strchr(text, '@') != NULL)
        return read_email(text, ret_name);
    return read_ip(text, ret_name) == NULL ? NULL : read_dns(text, ret_name);
}

bool nwcert_date_read(const char *text, time_t *ret_time) {
    struct tm date = {0};
    int used = 0;
    bool whole = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &date.tm_year, &date.tm_mon,
                        &date.tm_mday, &date.tm_hour, &date.tm_min, &date.tm_sec, &used) == 6;
    if (!whole) {
        date = (struct tm){0};
        if (sscanf(text, "%4d-%2d-%2d%n", &date.tm_year, &date.tm_mon, &date.tm_mday, &used) != 3)
            return false;
    }
    if (text[used] != '\0')
        return false;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    struct tm given = date;
    *ret_time = timegm(&date);
    /* timegm makes the 31st of February a day of March: what it changed was no date. */
    return date.tm_mday == given.tm_mday && date.tm_mon == given.tm_mon &&
           date.tm_year == given.tm_year && date.tm_hour == given.tm_hour;
}
