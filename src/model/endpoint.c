/*
 * endpoint.c - nw_endpoint_t: an address, a host name, a Bonjour service or a URL.
 * What:   constructors, public questions, comparison, text for the log. Reading texts is
 *         endpoint_parse.c's.
 * Source: semantics of nw_endpoint_t; RFC 1035 section 2.3.4 (255 octets on the wire are 253 in
 *         text).
 * Runs:   any thread: an endpoint never changes.
 * Owns:   address and texts, which lie behind the struct.
 */
#include "model/endpoint.h"
#include "base/alloc.h"
#include "base/log.h"
#include "model/endpoint_parse.h"
#include "sys/address.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

enum { UNIX_PATH_OFFSET = offsetof(struct sockaddr_un, sun_path) };

const struct nwi_type nwi_endpoint_type = {
    .name = "nw_endpoint",
    .size = sizeof(struct nw_endpoint),
};

/* Says which value was wrong: a port or a name in a log line is half of the answer. */
static void *refuse(const char *function, const char *what, const char *value) {
    char text[128];
    snprintf(text, sizeof text, "%s: \"%.80s\"", what, value);
    nwi_log_misuse(function, text);
    return NULL;
}

static void *refuse_null(const char *function) {
    nwi_log_misuse(function, "an argument is NULL");
    return NULL;
}

static nw_endpoint_t create(nw_endpoint_type_t type, size_t extra) {
    nw_endpoint_t endpoint = nwi_object_create(&nwi_endpoint_type, extra);
    if (endpoint != NULL)
        endpoint->type = type;
    return endpoint;
}

/* Octets that a text takes behind the struct. */
static size_t text_size(const char *text) {
    return strlen(text) + 1;
}

/* Writes the text at *end, behind the struct, and moves *end behind it. */
static const char *put_text(char **end, const char *text) {
    size_t size = text_size(text);
    *end += size;
    return memcpy(*end - size, text, size);
}

/* --- addresses --- */

/* Octets of the address that count, or 0 when it is none that we use. */
static socklen_t checked_length(const struct sockaddr *address, socklen_t length) {
    if (length < (socklen_t)(offsetof(struct sockaddr, sa_family) + sizeof address->sa_family))
        return 0;
    socklen_t full = nwi_address_length(address->sa_family);
    if (address->sa_family == AF_UNIX)
        return length < full ? length : full; /* down to the unnamed address of a client */
    return full != 0 && length >= full ? full : 0;
}

nw_endpoint_t nwi_endpoint_from_sockaddr(const struct sockaddr *address, socklen_t length) {
    socklen_t used = checked_length(address, length);
    if (used == 0)
        return NULL;
    struct sockaddr_storage plain = {0}; /* zeros also end a path that fills sun_path */
    memcpy(&plain, address, used);
    if (address->sa_family == AF_INET) /* padding is not part of the address */
        memset(((struct sockaddr_in *)&plain)->sin_zero, 0, 8);
    char text[NWI_ADDRESS_TEXT_SIZE];
    nwi_address_text((struct sockaddr *)&plain, text, sizeof text);
    size_t room = nwi_address_length(address->sa_family) + (address->sa_family == AF_UNIX);
    nw_endpoint_t endpoint = create(nw_endpoint_type_address, room + text_size(text));
    if (endpoint == NULL)
        return NULL;
    char *end = (char *)(endpoint + 1) + room;
    endpoint->hostname = put_text(&end, text);
    endpoint->address = memcpy(endpoint + 1, &plain, room);
    endpoint->address_length = (uint16_t)used;
    endpoint->port = nwi_address_port(endpoint->address);
    return endpoint;
}

NW_EXPORT nw_endpoint_t nw_endpoint_create_address(const struct sockaddr *address) {
    if (address == NULL)
        return refuse_null(__func__);
    socklen_t length = nwi_address_length(address->sa_family);
    if (address->sa_family == AF_UNIX) {
        const struct sockaddr_un *local = (const struct sockaddr_un *)(const void *)address;
        size_t path = strnlen(local->sun_path, sizeof local->sun_path);
        if (path == 0)
            return refuse(__func__, "a local socket needs a path", "");
        length = (socklen_t)(UNIX_PATH_OFFSET + path + (path < sizeof local->sun_path));
    }
    if (length == 0) {
        nwi_log_misuse(__func__, "the address family is none of AF_INET, AF_INET6, AF_UNIX");
        return NULL;
    }
    return nwi_endpoint_from_sockaddr(address, length);
}

const struct sockaddr *nwi_endpoint_sockaddr(nw_endpoint_t endpoint, socklen_t *ret_length) {
    bool has_address = nwi_endpoint_is_resolved(endpoint);
    *ret_length = has_address ? endpoint->address_length : 0;
    return has_address ? endpoint->address : NULL;
}

NW_EXPORT const struct sockaddr *nw_endpoint_get_address(nw_endpoint_t endpoint) {
    return nwi_endpoint_is_resolved(endpoint) ? endpoint->address : NULL;
}

NW_EXPORT char *nw_endpoint_copy_address_string(nw_endpoint_t endpoint) {
    return nwi_endpoint_is_resolved(endpoint) ? nwi_strdup(endpoint->hostname) : NULL;
}

/* --- host names --- */

static nw_endpoint_t create_host(const char *hostname, uint16_t port) {
    nw_endpoint_t endpoint = create(nw_endpoint_type_host, text_size(hostname));
    if (endpoint == NULL)
        return NULL;
    char *end = (char *)(endpoint + 1);
    endpoint->port = port;
    endpoint->hostname = put_text(&end, hostname);
    return endpoint;
}

NW_EXPORT nw_endpoint_t nw_endpoint_create_host(const char *hostname, const char *port) {
    uint16_t number;
    struct sockaddr_storage address;
    socklen_t length;
    if (hostname == NULL || port == NULL)
        return refuse_null(__func__);
    if (!nwi_port_parse(port, &number))
        return refuse(__func__, "no port and no known service", port);
    if (nwi_address_parse(hostname, number, &address, &length))
        return nwi_endpoint_from_sockaddr((struct sockaddr *)&address, length);
    if (!nwi_hostname_is_usable(hostname))
        return refuse(__func__, "neither a host name nor an address", hostname);
    return create_host(hostname, number);
}

NW_EXPORT const char *nw_endpoint_get_hostname(nw_endpoint_t endpoint) {
    return endpoint == NULL ? NULL : endpoint->hostname;
}

NW_EXPORT uint16_t nw_endpoint_get_port(nw_endpoint_t endpoint) {
    return endpoint == NULL ? 0 : endpoint->port;
}

NW_EXPORT char *nw_endpoint_copy_port_string(nw_endpoint_t endpoint) {
    if (endpoint == NULL ||
        (endpoint->type != nw_endpoint_type_host && endpoint->type != nw_endpoint_type_address))
        return NULL;
    return nwi_asprintf("%u", endpoint->port);
}

NW_EXPORT nw_endpoint_type_t nw_endpoint_get_type(nw_endpoint_t endpoint) {
    return endpoint == NULL ? nw_endpoint_type_invalid : endpoint->type;
}

/* --- Bonjour services --- */

NW_EXPORT nw_endpoint_t nw_endpoint_create_bonjour_service(const char *name, const char *type,
                                                           const char *domain) {
    if (name == NULL || type == NULL || domain == NULL)
        return refuse_null(__func__);
    if (name[0] == '\0' || type[0] == '\0')
        return refuse(__func__, "a service needs a name and a type", type);
    nw_endpoint_t endpoint = create(nw_endpoint_type_bonjour_service,
                                    text_size(name) + text_size(type) + text_size(domain));
    if (endpoint == NULL)
        return NULL;
    char *end = (char *)(endpoint + 1);
    endpoint->service.name = put_text(&end, name);
    endpoint->service.type = put_text(&end, type);
    endpoint->service.domain = put_text(&end, domain);
    return endpoint;
}

static bool is_service(nw_endpoint_t endpoint) {
    return endpoint != NULL && endpoint->type == nw_endpoint_type_bonjour_service;
}

NW_EXPORT const char *nw_endpoint_get_bonjour_service_name(nw_endpoint_t endpoint) {
    return is_service(endpoint) ? endpoint->service.name : NULL;
}

NW_EXPORT const char *nw_endpoint_get_bonjour_service_type(nw_endpoint_t endpoint) {
    return is_service(endpoint) ? endpoint->service.type : NULL;
}

NW_EXPORT const char *nw_endpoint_get_bonjour_service_domain(nw_endpoint_t endpoint) {
    return is_service(endpoint) ? endpoint->service.domain : NULL;
}

/* No endpoint of this version comes from browsing, which is what finds TXT records and signatures.
 */
NW_EXPORT nw_txt_record_t nw_endpoint_copy_txt_record(nw_endpoint_t endpoint) {
    (void)endpoint;
    return NULL;
}

NW_EXPORT const uint8_t *nw_endpoint_get_signature(nw_endpoint_t endpoint,
                                                   size_t *out_signature_length) {
    (void)endpoint;
    if (out_signature_length != NULL)
        *out_signature_length = 0;
    return NULL;
}

/* --- URLs --- */

NW_EXPORT nw_endpoint_t nw_endpoint_create_url(const char *url) {
    struct nwi_url_parts parts;
    if (url == NULL)
        return refuse_null(__func__);
    if (!nwi_url_parse(url, &parts))
        return refuse(__func__, "not a URL with a host", url);
    nw_endpoint_t endpoint = create(nw_endpoint_type_url, text_size(parts.host) + text_size(url));
    if (endpoint == NULL)
        return NULL;
    char *end = (char *)(endpoint + 1);
    endpoint->port = parts.port;
    endpoint->hostname = put_text(&end, parts.host);
    endpoint->url = put_text(&end, url);
    return endpoint;
}

NW_EXPORT const char *nw_endpoint_get_url(nw_endpoint_t endpoint) {
    return endpoint != NULL && endpoint->type == nw_endpoint_type_url ? endpoint->url : NULL;
}

/* --- comparison and text --- */

static bool same_text(const char *a, const char *b) {
    return strcasecmp(a, b) == 0; /* RFC 4343: the case of names does not count */
}

static bool same_local(nw_endpoint_t a, nw_endpoint_t b) {
    return a->address_length == b->address_length &&
           memcmp(a->address, b->address, a->address_length) == 0;
}

bool nwi_endpoint_is_equal(nw_endpoint_t a, nw_endpoint_t b) {
    if (a == NULL || b == NULL)
        return a == b;
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case nw_endpoint_type_address:
        if (a->address->sa_family == AF_UNIX && b->address->sa_family == AF_UNIX)
            return same_local(a, b);
        return nwi_address_equal(a->address, b->address);
    case nw_endpoint_type_host:
        return a->port == b->port && same_text(a->hostname, b->hostname);
    case nw_endpoint_type_bonjour_service:
        return same_text(a->service.name, b->service.name) &&
               same_text(a->service.type, b->service.type) &&
               same_text(a->service.domain, b->service.domain);
    case nw_endpoint_type_url:
        return strcmp(a->url, b->url) == 0;
    case nw_endpoint_type_invalid:
        break;
    }
    return false;
}

const char *nwi_endpoint_text(nw_endpoint_t endpoint, char *text, size_t size) {
    if (endpoint == NULL) {
        snprintf(text, size, "(none)");
        return text;
    }
    switch (endpoint->type) {
    case nw_endpoint_type_address:
        return nwi_address_text_port(endpoint->address, text, size);
    case nw_endpoint_type_host:
        snprintf(text, size, "%s:%u", endpoint->hostname, endpoint->port);
        return text;
    case nw_endpoint_type_bonjour_service:
        snprintf(text, size, "%s.%s.%s", endpoint->service.name, endpoint->service.type,
                 endpoint->service.domain);
        return text;
    case nw_endpoint_type_url:
        snprintf(text, size, "%s", endpoint->url);
        return text;
    case nw_endpoint_type_invalid:
        break;
    }
    snprintf(text, size, "(invalid)");
    return text;
}
