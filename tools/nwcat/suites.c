/*
 * suites.c - see suites.h.
 * What:   the suites that a TLS of today still offers; older ones are given by number.
 * Source: the IANA registry of TLS cipher suites, by the names of <Security/CipherSuite.h>.
 */
#include "suites.h"

#include <Security/CipherSuite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SUITE(name)                                                                                \
    { #name, name }
static const struct {
    const char *name;
    uint16_t number;
} suites[] = {
    SUITE(TLS_AES_128_GCM_SHA256),
    SUITE(TLS_AES_256_GCM_SHA384),
    SUITE(TLS_CHACHA20_POLY1305_SHA256),
    SUITE(TLS_AES_128_CCM_SHA256),
    SUITE(TLS_AES_128_CCM_8_SHA256),
    SUITE(TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    SUITE(TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    SUITE(TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    SUITE(TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    SUITE(TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    SUITE(TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    SUITE(TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256),
    SUITE(TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384),
    SUITE(TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256),
    SUITE(TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384),
    SUITE(TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
    SUITE(TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
    SUITE(TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
    SUITE(TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
    SUITE(TLS_DHE_RSA_WITH_AES_128_GCM_SHA256),
    SUITE(TLS_DHE_RSA_WITH_AES_256_GCM_SHA384),
    SUITE(TLS_RSA_WITH_AES_128_GCM_SHA256),
    SUITE(TLS_RSA_WITH_AES_256_GCM_SHA384),
    SUITE(TLS_RSA_WITH_AES_128_CBC_SHA256),
    SUITE(TLS_RSA_WITH_AES_256_CBC_SHA256),
    SUITE(TLS_RSA_WITH_AES_128_CBC_SHA),
    SUITE(TLS_RSA_WITH_AES_256_CBC_SHA),
    SUITE(TLS_PSK_WITH_AES_128_GCM_SHA256),
    SUITE(TLS_PSK_WITH_AES_256_GCM_SHA384),
    SUITE(TLS_PSK_WITH_CHACHA20_POLY1305_SHA256),
    SUITE(TLS_PSK_WITH_AES_128_CBC_SHA256),
    SUITE(TLS_PSK_WITH_AES_256_CBC_SHA384),
    SUITE(TLS_PSK_WITH_AES_128_CBC_SHA),
    SUITE(TLS_PSK_WITH_AES_256_CBC_SHA),
    SUITE(TLS_DHE_PSK_WITH_AES_128_GCM_SHA256),
    SUITE(TLS_DHE_PSK_WITH_AES_256_GCM_SHA384),
    SUITE(TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA),
    SUITE(TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA),
};
enum { SUITE_COUNT = sizeof suites / sizeof suites[0] };

const char *nwcat_suite_name(uint16_t suite, char text[NWCAT_SUITE_NAME]) {
    for (size_t i = 0; i < SUITE_COUNT; i++)
        if (suites[i].number == suite)
            return suites[i].name;
    snprintf(text, NWCAT_SUITE_NAME, "0x%04X", suite);
    return text;
}

bool nwcat_suite_read(const char *name, size_t length, uint16_t *ret_suite) {
    for (size_t i = 0; i < SUITE_COUNT; i++) {
        if (strlen(suites[i].name) == length && strncasecmp(suites[i].name, name, length) == 0) {
            *ret_suite = suites[i].number;
            return true;
        }
    }
    if (length != strlen("0x1301") || strncasecmp(name, "0x", 2) != 0 ||
        strspn(name + 2, "0123456789abcdefABCDEF") < 4)
        return false;
    *ret_suite = (uint16_t)strtoul(name, NULL, 16);
    return true;
}
