/*
 * address.c - socket addresses: compare, print, parse, classify.
 * What:   see address.h.
 * Source: RFC 4291 section 2.5, RFC 4007 section 11, RFC 5952, RFC 3927 section 2.1.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "sys/address.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const struct sockaddr_in *in4(const struct sockaddr *address) {
    return (const struct sockaddr_in *)(const void *)address;
}
static const struct sockaddr_in6 *in6(const struct sockaddr *address) {
    return (const struct sockaddr_in6 *)(const void *)address;
}
static const struct sockaddr_un *un(const struct sockaddr *address) {
    return (const struct sockaddr_un *)(const void *)address;
}

socklen_t nwi_address_length(int family) {
    switch (family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    case AF_UNIX:
        return sizeof(struct sockaddr_un);
    default:
        return 0;
    }
}

/* A scope means something only where the same address may exist on several links. */
static bool scope_counts(const struct in6_addr *address) {
    return IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_MC_LINKLOCAL(address) ||
           IN6_IS_ADDR_MC_NODELOCAL(address);
}

bool nwi_address_equal_host(const struct sockaddr *a, const struct sockaddr *b) {
    if (a->sa_family != b->sa_family)
        return false;
    switch (a->sa_family) {
    case AF_INET:
        return in4(a)->sin_addr.s_addr == in4(b)->sin_addr.s_addr;
    case AF_INET6:
        if (memcmp(&in6(a)->sin6_addr, &in6(b)->sin6_addr, sizeof(struct in6_addr)) != 0)
            return false;
        return !scope_counts(&in6(a)->sin6_addr) || in6(a)->sin6_scope_id == in6(b)->sin6_scope_id;
    case AF_UNIX:
        return memcmp(un(a)->sun_path, un(b)->sun_path, sizeof un(a)->sun_path) == 0;
    default:
        return false;
    }
}

bool nwi_address_equal(const struct sockaddr *a, const struct sockaddr *b) {
    return nwi_address_equal_host(a, b) && nwi_address_port(a) == nwi_address_port(b);
}

uint64_t nwi_address_hash_host(const struct nwi_siphash_key *key, const struct sockaddr *address) {
    return address->sa_family == AF_INET6
               ? nwi_siphash(key, &in6(address)->sin6_addr, sizeof(struct in6_addr))
               : nwi_siphash(key, &in4(address)->sin_addr, sizeof(struct in_addr));
}

uint64_t nwi_address_hash(const struct nwi_siphash_key *key, const struct sockaddr *address) {
    struct { /* without padding */
        struct in6_addr host;
        uint16_t port;
    } plain = {.port = nwi_address_port(address)};
    if (address->sa_family == AF_INET6)
        plain.host = in6(address)->sin6_addr;
    else
        memcpy(&plain.host, &in4(address)->sin_addr, sizeof(struct in_addr));
    return nwi_siphash(key, &plain, sizeof plain.host + sizeof plain.port);
}

uint16_t nwi_address_port(const struct sockaddr *address) {
    switch (address->sa_family) {
    case AF_INET:
        return ntohs(in4(address)->sin_port);
    case AF_INET6:
        return ntohs(in6(address)->sin6_port);
    default:
        return 0;
    }
}

void nwi_address_set_port(struct sockaddr *address, uint16_t port) {
    if (address->sa_family == AF_INET)
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
    else if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
}

/* An abstract name starts with NUL and may hold any octet; it is shown up to its next NUL, after
 * "@". */
static void unix_text(const struct sockaddr_un *address, char *text, size_t size) {
    bool abstract = address->sun_path[0] == '\0' && address->sun_path[1] != '\0';
    const char *path = address->sun_path + (abstract ? 1 : 0);
    size_t room = sizeof address->sun_path - (abstract ? 1 : 0);
    snprintf(text, size, "%s%.*s", abstract ? "@" : "", (int)strnlen(path, room), path);
}

const char *nwi_address_text(const struct sockaddr *address, char *text, size_t size) {
    char host[INET6_ADDRSTRLEN], scope[IF_NAMESIZE];
    if (size == 0)
        return text;
    switch (address->sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &in4(address)->sin_addr, host, sizeof host);
        snprintf(text, size, "%s", host);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &in6(address)->sin6_addr, host, sizeof host);
        if (in6(address)->sin6_scope_id == 0)
            snprintf(text, size, "%s", host);
        else if (if_indextoname(in6(address)->sin6_scope_id, scope) != NULL)
            snprintf(text, size, "%s%%%s", host, scope);
        else /* the interface is gone: RFC 4007 section 11.2 lets the number stand */
            snprintf(text, size, "%s%%%u", host, in6(address)->sin6_scope_id);
        break;
    case AF_UNIX:
        unix_text(un(address), text, size);
        break;
    default:
        snprintf(text, size, "?");
    }
    return text;
}

const char *nwi_address_text_port(const struct sockaddr *address, char *text, size_t size) {
    char host[NWI_ADDRESS_TEXT_SIZE];
    nwi_address_text(address, host, sizeof host);
    if (size == 0)
        return text;
    if (address->sa_family == AF_INET6) /* RFC 5952 section 6 */
        snprintf(text, size, "[%s]:%u", host, nwi_address_port(address));
    else if (address->sa_family == AF_INET)
        snprintf(text, size, "%s:%u", host, nwi_address_port(address));
    else
        snprintf(text, size, "%s", host);
    return text;
}

/* Index of the interface that a zone names: a decimal number or an existing name. 0: none. */
static unsigned parse_scope(const char *zone) {
    if (zone[0] >= '0' && zone[0] <= '9') {
        char *end;
        errno = 0;
        unsigned long index = strtoul(zone, &end, 10);
        if (*end == '\0' && errno == 0 && index <= UINT32_MAX)
            return (unsigned)index;
    }
    return if_nametoindex(zone);
}

static bool parse_v6(const char *text, uint16_t port, struct sockaddr_in6 *ret) {
    char host[INET6_ADDRSTRLEN];
    const char *zone = strchr(text, '%');
    size_t length = zone != NULL ? (size_t)(zone - text) : strlen(text);
    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET6, host, &address.sin6_addr) != 1)
        return false;
    if (zone != NULL) {
        address.sin6_scope_id = parse_scope(zone + 1);
        if (address.sin6_scope_id == 0)
            return false;
    }
    *ret = address;
    return true;
}

bool nwi_address_parse(const char *text, uint16_t port, struct sockaddr_storage *ret_address,
                       socklen_t *ret_length) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6;
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memset(ret_address, 0, sizeof *ret_address);
        memcpy(ret_address, &v4, sizeof v4);
        *ret_length = sizeof v4;
        return true;
    }
    if (!parse_v6(text, port, &v6))
        return false;
    memset(ret_address, 0, sizeof *ret_address);
    memcpy(ret_address, &v6, sizeof v6);
    *ret_length = sizeof v6;
    return true;
}

bool nwi_address_is_v4_mapped(const struct sockaddr *address) {
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6(address)->sin6_addr);
}

/* The IPv4 address inside, host order, of AF_INET and of a mapped IPv6 address. */
static bool inner_v4(const struct sockaddr *address, uint32_t *ret) {
    uint32_t value;
    if (address->sa_family == AF_INET)
        value = in4(address)->sin_addr.s_addr;
    else if (nwi_address_is_v4_mapped(address))
        memcpy(&value, in6(address)->sin6_addr.s6_addr + 12, sizeof value);
    else
        return false;
    *ret = ntohl(value);
    return true;
}

bool nwi_address_is_any(const struct sockaddr *address) {
    uint32_t v4;
    if (inner_v4(address, &v4))
        return v4 == INADDR_ANY;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6(address)->sin6_addr);
}

bool nwi_address_is_loopback(const struct sockaddr *address) {
    uint32_t v4;
    if (inner_v4(address, &v4))
        return v4 >> 24 == 127;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6(address)->sin6_addr);
}

bool nwi_address_is_link_local(const struct sockaddr *address) {
    uint32_t v4;
    if (inner_v4(address, &v4))
        return v4 >> 16 == 0xa9fe;
    return address->sa_family == AF_INET6 && (IN6_IS_ADDR_LINKLOCAL(&in6(address)->sin6_addr) ||
                                              IN6_IS_ADDR_MC_LINKLOCAL(&in6(address)->sin6_addr));
}

bool nwi_address_unmap(struct sockaddr_storage *address, socklen_t *length) {
    if (!nwi_address_is_v4_mapped((struct sockaddr *)address))
        return false;
    const struct sockaddr_in6 *v6 = in6((struct sockaddr *)address);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = v6->sin6_port};
    memcpy(&v4.sin_addr, v6->sin6_addr.s6_addr + 12, sizeof v4.sin_addr);
    memset(address, 0, sizeof *address);
    memcpy(address, &v4, sizeof v4);
    *length = sizeof v4;
    return true;
}

static socklen_t make(int family, uint16_t port, const struct in_addr *v4,
                      const struct in6_addr *v6, struct sockaddr_storage *ret_address) {
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = *v4};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *v6};
    memset(ret_address, 0, sizeof *ret_address);
    if (family == AF_INET6)
        memcpy(ret_address, &a6, sizeof a6);
    else
        memcpy(ret_address, &a4, sizeof a4);
    return nwi_address_length(ret_address->ss_family);
}

socklen_t nwi_address_any(int family, uint16_t port, struct sockaddr_storage *ret_address) {
    const struct in_addr v4 = {.s_addr = htonl(INADDR_ANY)};
    return make(family, port, &v4, &in6addr_any, ret_address);
}

socklen_t nwi_address_loopback(int family, uint16_t port, struct sockaddr_storage *ret_address) {
    const struct in_addr v4 = {.s_addr = htonl(INADDR_LOOPBACK)};
    return make(family, port, &v4, &in6addr_loopback, ret_address);
}
