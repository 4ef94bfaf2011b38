/*
 * endpoint_parse.c - ports, host names and URLs from text.
 * What:   pure readers; the result counts only when the whole text is good and the answer true.
 * Source: RFC 3986 section 3 (URI), RFC 6874 section 2 (zone of an IPv6 host), RFC 6335 section 5.1
 *         (service names).
 * Runs:   any thread.
 */
#include "model/endpoint_parse.h"
#include "model/endpoint.h"
#include "sys/address.h"
#include <netdb.h>
#include <string.h>
#include <strings.h>

enum { SERVICE_BUFFER = 2048 }; /* octets for one entry of the services table with its aliases */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Decimal digits only, to the end of the `length` octets; at most 65535. */
static bool parse_number(const char *text, size_t length, uint16_t *ret) {
    uint32_t value = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]))
            return false;
        value = value * 10 + (uint32_t)(text[i] - '0');
        if (value > UINT16_MAX) /* checked at each digit: no overflow however long the text */
            return false;
    }
    *ret = (uint16_t)value;
    return true;
}

static bool find_service(const char *name, uint16_t *ret) {
    struct servent entry, *found = NULL;
    char buffer[SERVICE_BUFFER];
    if (getservbyname_r(name, NULL, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
        return false;
    *ret = ntohs((uint16_t)found->s_port);
    return true;
}

bool nwi_port_parse(const char *text, uint16_t *ret_port) {
    if (text == NULL || text[0] == '\0')
        return false;
    if (is_digit(text[0]))
        return parse_number(text, strlen(text), ret_port);
    return find_service(text, ret_port);
}

bool nwi_hostname_is_usable(const char *hostname) {
    size_t length = strlen(hostname);
    if (length > 1 &&
        hostname[length - 1] == '.') /* fully qualified: the dot is not part of the name */
        length--;
    if (length == 0 || length > NWI_HOSTNAME_MAX)
        return false;
    for (const unsigned char *c = (const unsigned char *)hostname; *c != '\0'; c++)
        if (*c <= ' ' || *c == 0x7f || *c == ':' || *c == '/')
            return false;
    return true;
}

static const struct {
    const char *scheme;
    uint16_t port;
} default_port[] = {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}, {"ftp", 21}};

static uint16_t port_of_scheme(const char *scheme, size_t length) {
    for (size_t i = 0; i < sizeof default_port / sizeof default_port[0]; i++)
        if (strlen(default_port[i].scheme) == length &&
            strncasecmp(default_port[i].scheme, scheme, length) == 0)
            return default_port[i].port;
    return 0;
}

/* Octets of the scheme, or 0 when the text begins with none. RFC 3986 section 3.1. */
static size_t scheme_length(const char *url) {
    size_t n = 0;
    if (!is_letter(url[0]))
        return 0;
    while (is_letter(url[n]) || is_digit(url[n]) || url[n] == '+' || url[n] == '-' || url[n] == '.')
        n++;
    return url[n] == ':' ? n : 0;
}

/* A URI is printable ASCII without blanks and the delimiters that RFC 3986 section 2 leaves out. */
static bool has_only_uri_characters(const char *url) {
    for (const unsigned char *c = (const unsigned char *)url; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\"<>\\^`{|}", *c) != NULL)
            return false;
    return true;
}

/* "[2001:db8::1]" or "[fe80::1%25eth0]"; `length` counts what stands between the brackets. */
static bool take_ip_literal(const char *text, size_t length, struct nwi_url_parts *ret) {
    struct sockaddr_storage address;
    socklen_t address_length;
    if (length == 0 || length >= sizeof ret->host)
        return false;
    memcpy(ret->host, text, length);
    ret->host[length] = '\0';
    char *zone = strchr(ret->host, '%');
    if (zone != NULL) { /* RFC 6874 section 2: the percent sign itself is written %25 */
        if (strncmp(zone, "%25", 3) != 0)
            return false;
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
    }
    return nwi_address_parse(ret->host, 0, &address, &address_length) &&
           address.ss_family == AF_INET6;
}

static bool take_name(const char *text, size_t length, struct nwi_url_parts *ret) {
    if (length >= sizeof ret->host)
        return false;
    memcpy(ret->host, text, length);
    ret->host[length] = '\0';
    /* A percent-encoded host would have to be decoded to be asked for; host names have no need of
     * it. */
    return nwi_hostname_is_usable(ret->host) && strpbrk(ret->host, "%[]@") == NULL;
}

bool nwi_url_parse(const char *url, struct nwi_url_parts *ret) {
    size_t scheme = scheme_length(url);
    if (scheme == 0 || strncmp(url + scheme, "://", 3) != 0 || !has_only_uri_characters(url))
        return false;
    const char *authority = url + scheme + 3;
    const char *end = authority + strcspn(authority, "/?#");
    const char *at = memchr(authority, '@', (size_t)(end - authority));
    const char *host = at == NULL ? authority : at + 1;
    const char *after; /* where the host ends: at ":port", or at the end */
    bool good;
    if (*host == '[') {
        const char *bracket = memchr(host, ']', (size_t)(end - host));
        if (bracket == NULL)
            return false;
        good = take_ip_literal(host + 1, (size_t)(bracket - host) - 1, ret);
        after = bracket + 1;
    } else {
        const char *colon = memchr(host, ':', (size_t)(end - host));
        after = colon == NULL ? end : colon;
        good = take_name(host, (size_t)(after - host), ret);
    }
    if (!good)
        return false;
    ret->port = port_of_scheme(url, scheme);
    if (after == end)
        return true;
    if (*after != ':')
        return false;
    after++;
    return after ==
               end /* an empty port is allowed, and means the default: RFC 3986 section 3.2.3 */
           || parse_number(after, (size_t)(end - after), &ret->port);
}
