/*
 * suites_wishes.c - the list of suites that a set of options asks for.
 * What:   an exact list as it is; otherwise the defaults, the groups and single suites that were
 *         appended, in this order. The defaults: TLS 1.3 and ephemeral elliptic curves with an
 *         AEAD, AES first where the processor has it; with pre-shared keys, suites for them before.
 * Source: RFC 9325 section 4.2 (recommended suites); RFC 5487, RFC 7905 (pre-shared keys); groups:
 *         "Preventing Insecure Network Connections" of Apple's documentation for the two of ATS.
 * Runs:   any thread.
 */
#include "base/log.h"
#include "protocol/tls/suites_internal.h"
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/* AES-GCM in software is slow and leaks through the cache: there ChaCha20 goes first. */
bool nwi_tls_processor_has_aes(void) {
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
    unsigned long has = getauxval(AT_HWCAP);
    return (has & HWCAP_AES) != 0 && (has & HWCAP_PMULL) != 0;
#else
    return false;
#endif
}

static void wish(struct nwi_tls_wishes *wishes, tls_ciphersuite_t suite, bool named) {
    for (size_t i = 0; i < wishes->count; i++)
        if (wishes->wish[i].suite == suite) {
            wishes->wish[i].named |= named;
            return;
        }
    if (wishes->count == NWI_TLS_WISHES_MOST) {
        nwi_log(NWI_LOG_ERROR, "tls", "suites",
                "more than %d cipher suites: %s (0x%04X) is left out", NWI_TLS_WISHES_MOST,
                nwi_tls_suite_name(suite), suite);
        return;
    }
    wishes->wish[wishes->count].suite = suite;
    wishes->wish[wishes->count++].named = named;
}

#define WISH_ALL(wishes, ...)                                                                      \
    wish_all(wishes, (const tls_ciphersuite_t[]){__VA_ARGS__},                                     \
             sizeof((const tls_ciphersuite_t[]){__VA_ARGS__}) / sizeof(tls_ciphersuite_t))

static void wish_all(struct nwi_tls_wishes *wishes, const tls_ciphersuite_t *suites, size_t count) {
    for (size_t i = 0; i < count; i++)
        wish(wishes, suites[i], false);
}

/* --- the defaults --- */

static void wish_chacha20(struct nwi_tls_wishes *wishes, bool psk) {
    WISH_ALL(wishes, TLS_CHACHA20_POLY1305_SHA256);
    if (psk) /* GnuTLS has no AES-GCM with ECDHE_PSK (RFC 8442) */
        WISH_ALL(wishes, 0xCCAC /* TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 */,
                 TLS_PSK_WITH_CHACHA20_POLY1305_SHA256);
    WISH_ALL(wishes, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
             TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256);
}

static void wish_aes(struct nwi_tls_wishes *wishes, bool psk) {
    WISH_ALL(wishes, TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384);
    if (psk)
        WISH_ALL(wishes, TLS_PSK_WITH_AES_128_GCM_SHA256, TLS_PSK_WITH_AES_256_GCM_SHA384);
    WISH_ALL(wishes, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
             TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
             TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384);
}

/* A program that allows TLS 1.0 or 1.1 means to speak it, and these are the least bad there. */
static void wish_old(struct nwi_tls_wishes *wishes) {
    WISH_ALL(wishes, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
             TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA);
}

/* --- the groups --- */

static void wish_ats(struct nwi_tls_wishes *wishes) {
    WISH_ALL(wishes, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
             TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
             TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
             TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
             TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
             TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA);
}

static void wish_rsa(struct nwi_tls_wishes *wishes) {
    WISH_ALL(wishes, TLS_RSA_WITH_AES_256_GCM_SHA384, TLS_RSA_WITH_AES_128_GCM_SHA256,
             TLS_RSA_WITH_AES_256_CBC_SHA256, TLS_RSA_WITH_AES_256_CBC_SHA,
             TLS_RSA_WITH_AES_128_CBC_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA);
}

static void wish_3des(struct nwi_tls_wishes *wishes) {
    WISH_ALL(wishes, TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA, TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
             TLS_RSA_WITH_3DES_EDE_CBC_SHA);
}

static void wish_groups(struct nwi_tls_wishes *wishes, uint32_t groups) {
    const uint32_t ats = 1u << tls_ciphersuite_group_ats,
                   ats_compatibility = 1u << tls_ciphersuite_group_ats_compatibility,
                   compatibility = 1u << tls_ciphersuite_group_compatibility,
                   legacy = 1u << tls_ciphersuite_group_legacy;
    if (groups & (ats | ats_compatibility | compatibility | legacy))
        wish_ats(wishes);
    if (groups & (ats_compatibility | compatibility | legacy))
        wish_rsa(wishes);
    if (groups & legacy)
        wish_3des(wishes);
    /* default and ats_fcp_v2_1 bring nothing that is not there: the AEADs with ECDHE */
}

void nwi_tls_wishes_collect(struct nwi_tls_wishes *wishes, sec_protocol_options_t options,
                            enum nwi_tls_level min, bool aes) {
    wishes->count = 0;
    wishes->weak = true;
    for (size_t i = 0; i < options->exact_ciphersuite_count; i++)
        wish(wishes, options->exact_ciphersuites[i], true);
    if (wishes->count > 0)
        return;
    bool psk = options->psk_count > 0;
    if (!aes)
        wish_chacha20(wishes, psk);
    wish_aes(wishes, psk);
    wish_chacha20(wishes, psk);
    size_t defaults = wishes->count;
    if (min < NWI_TLS_LEVEL_12)
        wish_old(wishes);
    wish_groups(wishes, options->ciphersuite_groups);
    for (size_t i = 0; i < options->ciphersuite_count; i++)
        wish(wishes, options->ciphersuites[i], true);
    wishes->weak = wishes->count > defaults;
}
