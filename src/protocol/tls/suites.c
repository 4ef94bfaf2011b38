/*
 * suites.c - a set of options as a GnuTLS priority string.
 * What:   GnuTLS is told key exchanges, ciphers and MACs, and offers every suite that these can
 *         form. So each suite that is wanted is taken apart, the parts are listed in the order of
 *         the suites, and what GnuTLS makes of the list is read back: a suite that the program
 *         named and is not there is an error in the log; suites that came on top are told as well.
 * Source: GnuTLS 3.7.9, "Priority strings" and lib/priority.c; versions: RFC 8996, RFC 9325
 *         section 3.1; groups: RFC 8422, RFC 8446 section 9.1; signatures: RFC 8446 section 4.2.3
 *         without SHA-1 (RFC 9155).
 * Runs:   any thread.
 */
#include "protocol/tls/suites.h"
#include "base/alloc.h"
#include "base/log.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/suites_internal.h"
#include <Security/SecureTransport.h>
#include <stdio.h>
#include <string.h>

#define GROUPS ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1"
#define DH_GROUPS ":+GROUP-FFDHE2048:+GROUP-FFDHE3072:+GROUP-FFDHE4096"
#define SIGNATURES                                                                                 \
    ":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256:+SIGN-EDDSA-ED25519"                         \
    ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-SHA256:+SIGN-RSA-SHA256"                             \
    ":+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SHA384:+SIGN-RSA-PSS-RSAE-SHA384"                   \
    ":+SIGN-RSA-PSS-SHA384:+SIGN-RSA-SHA384:+SIGN-ECDSA-SECP521R1-SHA512:+SIGN-ECDSA-SHA512"       \
    ":+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-PSS-SHA512:+SIGN-RSA-SHA512"

enum { PARTS_MOST = 32, TEXT_MOST = 2048 };

struct parts {
    int part[PARTS_MOST];
    size_t count;
};

struct plan {
    sec_protocol_options_t options;
    bool is_server, is_datagram;
    enum nwi_tls_level min, max;
    bool has_13, has_12; /* some suite of these versions is to be offered */
    struct nwi_tls_wishes wishes;
    struct parts kx, ciphers, macs;
};

/* --- versions --- */

static enum nwi_tls_level level_of(tls_protocol_version_t version, enum nwi_tls_level otherwise) {
    switch (version) {
    case tls_protocol_version_TLSv10:
        return NWI_TLS_LEVEL_10;
    case tls_protocol_version_TLSv11:
    case tls_protocol_version_DTLSv10: /* made from TLS 1.1: RFC 4347 section 1 */
        return NWI_TLS_LEVEL_11;
    case tls_protocol_version_TLSv12:
    case tls_protocol_version_DTLSv12:
        return NWI_TLS_LEVEL_12;
    case tls_protocol_version_TLSv13:
        return NWI_TLS_LEVEL_13;
    default:
        return otherwise;
    }
}

/* DTLS has neither a version 1.0 of TLS's to it nor, in GnuTLS 3.7, 1.3. One bound that was set
 * moves the other, when that is only a default. Errors: errSSLBadConfiguration. */
static nwi_err choose_versions(struct plan *plan) {
    const struct sec_protocol_options *options = plan->options;
    enum nwi_tls_level top = plan->is_datagram ? NWI_TLS_LEVEL_12 : NWI_TLS_LEVEL_13;
    plan->min = level_of(options->min_version, NWI_TLS_LEVEL_12);
    plan->max = level_of(options->max_version, top);
    if (plan->max > top)
        plan->max = top;
    if (options->min_version == 0 && plan->min > plan->max)
        plan->min = plan->max;
    if (plan->min <= plan->max)
        return 0;
    nwi_log(NWI_LOG_ERROR, "tls", "versions",
            plan->is_datagram && plan->min > top
                ? "DTLS 1.2 is the highest there is, the minimum is above it"
                : "the minimum version is above the maximum");
    return nwi_tls(errSSLBadConfiguration);
}

/* --- suites and their parts --- */

bool nwi_tls_suite_take_apart(tls_ciphersuite_t suite, struct nwi_tls_suite *ret) {
    unsigned char id[2];
    gnutls_protocol_t version;
    for (size_t i = 0;
         gnutls_cipher_suite_info(i, id, &ret->kx, &ret->cipher, &ret->mac, &version) != NULL; i++)
        if (suite == (tls_ciphersuite_t)(id[0] << 8 | id[1])) {
            ret->is_13 = version == GNUTLS_TLS1_3;
            return true;
        }
    return false;
}

static bool is_psk(gnutls_kx_algorithm_t kx) {
    return kx == GNUTLS_KX_PSK || kx == GNUTLS_KX_DHE_PSK || kx == GNUTLS_KX_ECDHE_PSK ||
           kx == GNUTLS_KX_RSA_PSK;
}

/* Why a suite is not to be offered; NULL: it is. */
static const char *objection(const struct plan *plan, const struct nwi_tls_suite *suite) {
    if (suite->kx == GNUTLS_KX_ANON_DH || suite->kx == GNUTLS_KX_ANON_ECDH)
        return "it proves nobody's identity";
    if (suite->cipher == GNUTLS_CIPHER_NULL)
        return "it does not encrypt";
    if (suite->cipher == GNUTLS_CIPHER_ARCFOUR_128)
        return "RC4 is prohibited (RFC 7465)";
    if (suite->kx == GNUTLS_KX_DHE_DSS || suite->kx == GNUTLS_KX_SRP_DSS)
        return "certificates with DSA keys are never trusted";
    if (suite->kx == GNUTLS_KX_SRP || suite->kx == GNUTLS_KX_SRP_RSA)
        return "there is no call that sets a password for it";
    if (is_psk(suite->kx) && plan->options->psk_count == 0)
        return "no pre-shared key was given";
    if (suite->kx == GNUTLS_KX_RSA_PSK && plan->max == NWI_TLS_LEVEL_13)
        return "it cannot be offered together with TLS 1.3";
    if (suite->is_13 && plan->max < NWI_TLS_LEVEL_13)
        return "it needs TLS 1.3, which is above the maximum version";
    if (!suite->is_13 && plan->min == NWI_TLS_LEVEL_13)
        return "TLS 1.3, the minimum version, does not have it";
    return NULL;
}

bool nwi_tls_suite_is_usable(sec_protocol_options_t options, bool is_datagram,
                             const struct nwi_tls_suite *suite) {
    struct plan plan = {.options = options, .is_server = true, .is_datagram = is_datagram};
    return choose_versions(&plan) == 0 && objection(&plan, suite) == NULL;
}

static bool add_part(struct parts *parts, int part) {
    for (size_t i = 0; i < parts->count; i++)
        if (parts->part[i] == part)
            return true;
    if (parts->count == PARTS_MOST)
        return false;
    parts->part[parts->count++] = part;
    return true;
}

static void complain(const struct plan *plan, size_t i, const char *why) {
    tls_ciphersuite_t suite = plan->wishes.wish[i].suite;
    nwi_log(plan->wishes.wish[i].named ? NWI_LOG_ERROR : NWI_LOG_DEBUG, "tls", "suites",
            "%s (0x%04X) cannot be offered: %s", nwi_tls_suite_name(suite), suite, why);
}

/* Drops the wishes that cannot be, and lists the parts of those that stay. Key exchanges for
 * pre-shared keys come first, GnuTLS orders by them; those with forward secrecy before others. */
static void list_parts(struct plan *plan) {
    size_t kept = 0;
    for (size_t i = 0; i < plan->wishes.count; i++) {
        struct nwi_tls_suite suite;
        const char *why = nwi_tls_suite_take_apart(plan->wishes.wish[i].suite, &suite)
                              ? objection(plan, &suite)
                              : "GnuTLS does not have it";
        if (why == NULL &&
            !((suite.is_13 || add_part(&plan->kx, (int)suite.kx)) &&
              add_part(&plan->ciphers, (int)suite.cipher) && add_part(&plan->macs, (int)suite.mac)))
            why = "too many different ones";
        if (why != NULL) {
            complain(plan, i, why);
            continue;
        }
        plan->has_13 |= suite.is_13;
        plan->has_12 |= !suite.is_13;
        plan->wishes.wish[kept++] = plan->wishes.wish[i];
    }
    plan->wishes.count = kept;
}

/* A version without a suite is not offered: GnuTLS would find suites for it among the parts. */
static void narrow_versions(struct plan *plan) {
    if (!plan->has_13 && plan->max == NWI_TLS_LEVEL_13)
        plan->max = NWI_TLS_LEVEL_12;
    if (!plan->has_12)
        plan->min = NWI_TLS_LEVEL_13;
    /* An external key in TLS 1.3 needs a key exchange that allows it (psk_dhe_ke). */
    if (plan->has_13 && plan->options->psk_count > 0)
        add_part(&plan->kx, GNUTLS_KX_ECDHE_PSK);
}

/* --- the string --- */

struct text {
    char s[TEXT_MOST];
    size_t length;
};

static void say(struct text *text, const char *prefix, const char *word) {
    int length = snprintf(text->s + text->length, sizeof text->s - text->length, "%s%s", prefix,
                          word == NULL ? "" : word);
    if (length > 0 && (size_t)length < sizeof text->s - text->length)
        text->length += (size_t)length; /* all parts together have some 600 octets */
}

static void say_versions(struct text *text, const struct plan *plan) {
    static const char *const stream[] = {"TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"};
    static const char *const datagram[] = {NULL, "DTLS1.0", "DTLS1.2"};
    for (int level = (int)plan->max; level >= (int)plan->min; level--) {
        const char *name = plan->is_datagram ? datagram[level] : stream[level];
        if (name != NULL)
            say(text, ":+VERS-", name);
    }
}

/* Forward secrecy first: GnuTLS orders suites by key exchange before all else. */
static void say_key_exchanges(struct text *text, const struct plan *plan) {
    static const gnutls_kx_algorithm_t order[] = {
        GNUTLS_KX_ECDHE_PSK, GNUTLS_KX_DHE_PSK, GNUTLS_KX_PSK,     GNUTLS_KX_ECDHE_ECDSA,
        GNUTLS_KX_ECDHE_RSA, GNUTLS_KX_DHE_RSA, GNUTLS_KX_RSA_PSK, GNUTLS_KX_RSA};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        for (size_t j = 0; j < plan->kx.count; j++)
            if (plan->kx.part[j] == (int)order[i])
                say(text, ":+", gnutls_kx_get_name(order[i]));
}

static bool uses(const struct plan *plan, gnutls_kx_algorithm_t kx) {
    for (size_t i = 0; i < plan->kx.count; i++)
        if (plan->kx.part[i] == (int)kx)
            return true;
    return false;
}

/* RFC 5746: a client that speaks to a server without it can be made the victim of that server's
 * renegotiation. Small servers with pre-shared keys, and those for which somebody chose old suites,
 * often lack it. */
static bool insists_on_renegotiation_info(const struct plan *plan) {
    return !plan->is_server && plan->options->psk_count == 0 && plan->min >= NWI_TLS_LEVEL_12 &&
           (plan->options->ciphersuite_groups &
            (1u << tls_ciphersuite_group_compatibility | 1u << tls_ciphersuite_group_legacy)) == 0;
}

static void say_all(struct text *text, const struct plan *plan) {
    const struct sec_protocol_options *options = plan->options;
    say(text, "NONE", NULL);
    say_versions(text, plan);
    say_key_exchanges(text, plan);
    for (size_t i = 0; i < plan->ciphers.count; i++)
        say(text, ":+", gnutls_cipher_get_name((gnutls_cipher_algorithm_t)plan->ciphers.part[i]));
    for (size_t i = 0; i < plan->macs.count; i++)
        say(text, ":+", gnutls_mac_get_name((gnutls_mac_algorithm_t)plan->macs.part[i]));
    say(text, GROUPS,
        uses(plan, GNUTLS_KX_DHE_RSA) || uses(plan, GNUTLS_KX_DHE_PSK) ? DH_GROUPS : NULL);
    say(text, SIGNATURES, NULL);
    say(text, ":+CTYPE-CLI-X509:+CTYPE-SRV-X509:+COMP-NULL:%PROFILE_MEDIUM", NULL);
    if (insists_on_renegotiation_info(plan))
        say(text, ":%SAFE_RENEGOTIATION", NULL);
    /* All that is good: the client knows which is fast for it. Otherwise our order. */
    if (plan->is_server && plan->wishes.weak)
        say(text, ":%SERVER_PRECEDENCE", NULL);
    if (!plan->is_server && options->is_fallback_attempt)
        say(text, ":%FALLBACK_SCSV", NULL);
    if (!options->tickets_enabled || !options->resumption_enabled)
        say(text, ":%NO_TICKETS", NULL);
}

/* --- reading back --- */

static bool wishes_for(const struct plan *plan, tls_ciphersuite_t suite) {
    for (size_t i = 0; i < plan->wishes.count; i++)
        if (plan->wishes.wish[i].suite == suite)
            return true;
    return false;
}

/* Fills `ret` with what GnuTLS would offer; returns how many. */
static size_t offered(gnutls_priority_t priority, tls_ciphersuite_t *ret, size_t most) {
    size_t count = 0;
    unsigned index;
    for (unsigned i = 0; count < most; i++) {
        unsigned char id[2];
        int code = gnutls_priority_get_cipher_suite_index(priority, i, &index);
        if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (code == 0 && gnutls_cipher_suite_info(index, id, NULL, NULL, NULL, NULL) != NULL)
            ret[count++] = (tls_ciphersuite_t)(id[0] << 8 | id[1]);
    }
    return count;
}

/* Whether any suite that was wanted is among them. */
static bool compare(const struct plan *plan, gnutls_priority_t priority) {
    tls_ciphersuite_t list[256];
    size_t count = offered(priority, list, sizeof list / sizeof list[0]), wanted = 0;
    for (size_t i = 0; i < plan->wishes.count; i++) {
        size_t j = 0;
        while (j < count && list[j] != plan->wishes.wish[i].suite)
            j++;
        if (j < count)
            wanted++;
        else
            complain(plan, i, "the system's configuration of GnuTLS forbids it");
    }
    for (size_t i = 0; i < count; i++)
        if (!wishes_for(plan, list[i]))
            nwi_log(NWI_LOG_INFO, "tls", "suites", "%s (0x%04X) is offered too, of the same parts",
                    nwi_tls_suite_name(list[i]), list[i]);
    return wanted > 0;
}

nwi_err nwi_tls_suites_priority_on(sec_protocol_options_t options, bool is_server, bool is_datagram,
                                   bool aes, char **ret_priority) {
    struct plan plan = {.options = options, .is_server = is_server, .is_datagram = is_datagram};
    struct text text = {.length = 0};
    nwi_err err = choose_versions(&plan);
    *ret_priority = NULL;
    if (err != 0)
        return err;
    nwi_tls_wishes_collect(&plan.wishes, options, plan.min, aes);
    list_parts(&plan);
    if (plan.wishes.count == 0) {
        nwi_log(NWI_LOG_ERROR, "tls", "suites", "no cipher suite is left to offer");
        return nwi_tls(errSSLBadConfiguration);
    }
    narrow_versions(&plan);
    say_all(&text, &plan);
    struct nwi_tls_priority *priority = nwi_tls_priority_get(text.s, &err);
    if (priority == NULL)
        return err;
    bool usable = compare(&plan, priority->value);
    nwi_release(priority);
    if (!usable) {
        nwi_log(NWI_LOG_ERROR, "tls", "suites", "no cipher suite is left to offer");
        return nwi_tls(errSSLBadConfiguration);
    }
    *ret_priority = nwi_strdup(text.s);
    return *ret_priority == NULL ? NWI_ERR_NOMEM : 0;
}

nwi_err nwi_tls_suites_priority(sec_protocol_options_t options, bool is_server, bool is_datagram,
                                char **ret_priority) {
    return nwi_tls_suites_priority_on(options, is_server, is_datagram, nwi_tls_processor_has_aes(),
                                      ret_priority);
}

bool nwi_tls_suite_is_allowed(sec_protocol_options_t options, tls_ciphersuite_t suite) {
    return options->exact_ciphersuite_count == 0 ||
           nwi_sec_suites_hold(options->exact_ciphersuites, options->exact_ciphersuite_count,
                               suite);
}
