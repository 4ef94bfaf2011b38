/*
 * answer.c - answers, and reading them out of DNS messages by c-ares.
 * What:   see answer.h.
 * Source: RFC 1035 section 4; RFC 2181 section 8 (TTL); RFC 2308 (negative answers); c-ares 1.18
 *         manual pages.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "resolver/answer.h"
#define CARES_NO_DEPRECATED /* later c-ares (1.28 on) renames what 1.18 has; both work */
#include <ares.h>
#include <string.h>

static const struct nwi_type answer_type = {.name = "dns answer",
                                            .size = sizeof(struct nwi_answer)};

static bool is_known(const struct nwi_answer *answer, const union nwi_inet *address) {
    for (size_t i = 0; i < answer->count; i++) {
        const union nwi_inet *known = &answer->addresses[i];
        if (answer->family == AF_INET
                ? known->in.sin_addr.s_addr == address->in.sin_addr.s_addr
                : memcmp(&known->in6.sin6_addr, &address->in6.sin6_addr, 16) == 0 &&
                      known->in6.sin6_scope_id == address->in6.sin6_scope_id)
            return true;
    }
    return false;
}

struct nwi_answer *nwi_answer_create(int family, const union nwi_inet *addresses, size_t count,
                                     uint32_t ttl) {
    size_t room = count < NWI_ANSWER_MAX ? count : NWI_ANSWER_MAX;
    struct nwi_answer *answer = nwi_object_create(&answer_type, room * sizeof(union nwi_inet));
    if (answer == NULL)
        return NULL;
    answer->family = family;
    answer->ttl = ttl;
    for (size_t i = 0; i < count && answer->count < room; i++) {
        if (addresses[i].sa.sa_family == family && !is_known(answer, &addresses[i]))
            answer->addresses[answer->count++] = addresses[i];
    }
    if (answer->count == 0) {
        answer->err = nwi_dns(NWI_DNS_NO_SUCH_RECORD);
        if (ttl != UINT32_MAX && ttl > NWI_ANSWER_TTL_NEGATIVE)
            answer->ttl = NWI_ANSWER_TTL_NEGATIVE;
    }
    return answer;
}

struct nwi_answer *nwi_answer_create_error(int family, nwi_err err, uint32_t ttl) {
    struct nwi_answer *answer = nwi_object_create(&answer_type, 0);
    if (answer == NULL)
        return NULL;
    answer->family = family;
    answer->err = err;
    answer->ttl = ttl;
    return answer;
}

/* Shortest TTL so far. RFC 2181 section 8: one with the top bit set counts as zero. */
static void shorten(uint32_t *ttl, int seconds) {
    uint32_t value = seconds > 0 ? (uint32_t)seconds : 0;
    if (value < *ttl)
        *ttl = value;
}

static struct nwi_answer *read_v4(const unsigned char *message, int size) {
    struct ares_addrttl found[NWI_ANSWER_MAX];
    union nwi_inet addresses[NWI_ANSWER_MAX];
    int count = NWI_ANSWER_MAX;
    int status = ares_parse_a_reply(message, size, NULL, found, &count);
    if (status != ARES_SUCCESS)
        return nwi_answer_from_message(AF_INET, status, NULL, 0);
    uint32_t ttl = NWI_ANSWER_TTL_MAX;
    for (int i = 0; i < count; i++) {
        addresses[i] = (union nwi_inet){.in = {.sin_family = AF_INET, .sin_addr = found[i].ipaddr}};
        shorten(&ttl, found[i].ttl);
    }
    return nwi_answer_create(AF_INET, addresses, (size_t)count, ttl);
}

static struct nwi_answer *read_v6(const unsigned char *message, int size) {
    struct ares_addr6ttl found[NWI_ANSWER_MAX];
    union nwi_inet addresses[NWI_ANSWER_MAX];
    int count = NWI_ANSWER_MAX;
    int status = ares_parse_aaaa_reply(message, size, NULL, found, &count);
    if (status != ARES_SUCCESS)
        return nwi_answer_from_message(AF_INET6, status, NULL, 0);
    uint32_t ttl = NWI_ANSWER_TTL_MAX;
    for (int i = 0; i < count; i++) {
        addresses[i] = (union nwi_inet){.in6 = {.sin6_family = AF_INET6}};
        memcpy(&addresses[i].in6.sin6_addr, &found[i].ip6addr, sizeof addresses[i].in6.sin6_addr);
        shorten(&ttl, found[i].ttl);
    }
    return nwi_answer_create(AF_INET6, addresses, (size_t)count, ttl);
}

struct nwi_answer *nwi_answer_from_message(int family, int status, const unsigned char *message,
                                           size_t size) {
    if (status != ARES_SUCCESS) {
        bool negative = status == ARES_ENOTFOUND || status == ARES_ENODATA;
        return nwi_answer_create_error(family, nwi_answer_status_error(status),
                                       negative ? NWI_ANSWER_TTL_NEGATIVE : 0);
    }
    if (message == NULL || size > UINT16_MAX) /* no DNS message is longer: RFC 1035 section 4.2.2 */
        return nwi_answer_create_error(family, nwi_dns(NWI_DNS_UNKNOWN), 0);
    return family == AF_INET ? read_v4(message, (int)size) : read_v6(message, (int)size);
}

/* Every status of c-ares 1.18, in the order of ares.h; the test walks it. */
static const struct {
    int status;
    int code; /* enum nwi_dns_code */
} status_codes[] = {
    {ARES_ENODATA, NWI_DNS_NO_SUCH_RECORD},
    {ARES_EFORMERR, NWI_DNS_UNKNOWN},
    {ARES_ESERVFAIL, NWI_DNS_UNKNOWN},
    {ARES_ENOTFOUND, NWI_DNS_NO_SUCH_RECORD},
    {ARES_ENOTIMP, NWI_DNS_UNKNOWN},
    {ARES_EREFUSED, NWI_DNS_REFUSED},
    {ARES_EBADQUERY, NWI_DNS_BAD_PARAM},
    {ARES_EBADNAME, NWI_DNS_BAD_PARAM},
    {ARES_EBADFAMILY, NWI_DNS_BAD_PARAM},
    {ARES_EBADRESP, NWI_DNS_UNKNOWN},
    {ARES_ECONNREFUSED, NWI_DNS_SERVICE_NOT_RUNNING}, /* no server could be spoken to */
    {ARES_ETIMEOUT, NWI_DNS_TIMEOUT},
    {ARES_EOF, NWI_DNS_SERVICE_NOT_RUNNING},
    {ARES_EFILE, NWI_DNS_SERVICE_NOT_RUNNING},
    {ARES_ENOMEM, NWI_DNS_NO_MEMORY},
    {ARES_EDESTRUCTION, NWI_DNS_SERVICE_NOT_RUNNING},
    {ARES_EBADSTR, NWI_DNS_BAD_PARAM},
    {ARES_EBADFLAGS, NWI_DNS_BAD_PARAM},
    {ARES_ENONAME, NWI_DNS_NO_SUCH_RECORD},
    {ARES_EBADHINTS, NWI_DNS_BAD_PARAM},
    {ARES_ENOTINITIALIZED, NWI_DNS_SERVICE_NOT_RUNNING},
    {ARES_ELOADIPHLPAPI, NWI_DNS_UNKNOWN},
    {ARES_EADDRGETNETWORKPARAMS, NWI_DNS_UNKNOWN},
    {ARES_ECANCELLED, NWI_DNS_SERVICE_NOT_RUNNING},
    {ARES_ESERVICE, NWI_DNS_BAD_PARAM},
};

nwi_err nwi_answer_status_error(int status) {
    if (status == ARES_SUCCESS)
        return 0;
    for (size_t i = 0; i < sizeof status_codes / sizeof status_codes[0]; i++) {
        if (status_codes[i].status == status)
            return nwi_dns(status_codes[i].code);
    }
    return nwi_dns(NWI_DNS_UNKNOWN);
}
