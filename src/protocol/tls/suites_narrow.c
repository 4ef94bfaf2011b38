/*
 * suites_narrow.c - a server keeps to its exact list of suites, whatever a client offers.
 * What:   GnuTLS's parts may form suites that the list does not hold, and a client may offer just
 *         these besides. Before GnuTLS reads the ClientHello, the list is cut, for this session, to
 *         suites that the client offers and whose parts form nothing else of what it offers.
 * Source: RFC 8446 section 4.1.2, RFC 6347 section 4.2.1 (where the suites stand in a hello).
 * Runs:   inside a step of a server's handshake.
 */
#include "base/alloc.h"
#include "protocol/tls/octets.h"
#include "protocol/tls/suites_internal.h"
#include "trust/identity.h"
#include <Security/protocol_settings.h>

enum { OFFER_MOST = 512 }; /* suites of a client that are looked at; more are as if not offered */

struct offer {
    tls_ciphersuite_t suites[OFFER_MOST];
    size_t count;
    struct nwi_tls_suite others[OFFER_MOST]; /* those that the list does not hold */
    size_t other_count;
};

/* Whatever is no ClientHello offers nothing: GnuTLS will say what is wrong with it. */
static void read_offer(const gnutls_datum_t *hello, bool is_datagram, struct offer *ret) {
    struct octets body = {hello->data, hello->size}, field, suites;
    ret->count = 0;
    if (!octets_skip(&body, 2 + 32) || !octets_take_list(&body, 1, &field) || /* session id */
        (is_datagram && !octets_take_list(&body, 1, &field)) ||               /* cookie */
        !octets_take_list(&body, 2, &suites))
        return;
    while (ret->count < OFFER_MOST && octets_take_16(&suites, &ret->suites[ret->count]))
        ret->count++;
}

static bool is_listed(sec_protocol_options_t options, tls_ciphersuite_t suite) {
    return nwi_sec_suites_hold(options->exact_ciphersuites, options->exact_ciphersuite_count,
                               suite);
}

static void find_others(sec_protocol_options_t options, struct offer *offer) {
    offer->other_count = 0;
    for (size_t i = 0; i < offer->count; i++)
        if (!is_listed(options, offer->suites[i]))
            offer->other_count +=
                nwi_tls_suite_take_apart(offer->suites[i], &offer->others[offer->other_count]);
}

/* Whether the key that the server would show can do this key exchange. */
static bool can_prove(sec_protocol_options_t options, gnutls_kx_algorithm_t kx) {
    gnutls_pk_algorithm_t key = options->local_identity == NULL
                                    ? GNUTLS_PK_UNKNOWN
                                    : (gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(
                                          options->local_identity->key, NULL);
    bool is_rsa = key == GNUTLS_PK_RSA || key == GNUTLS_PK_RSA_PSS;
    switch (kx) {
    case GNUTLS_KX_ECDHE_ECDSA:
        return key != GNUTLS_PK_UNKNOWN && !is_rsa;
    case GNUTLS_KX_ECDHE_RSA:
    case GNUTLS_KX_DHE_RSA:
    case GNUTLS_KX_RSA:
        return is_rsa;
    case GNUTLS_KX_RSA_PSK:
        return is_rsa && options->psk_count > 0;
    case GNUTLS_KX_PSK:
    case GNUTLS_KX_DHE_PSK:
    case GNUTLS_KX_ECDHE_PSK:
        return options->psk_count > 0;
    default:
        return true; /* TLS 1.3 */
    }
}

/* Whether the parts of the chosen suites form this one. */
static bool is_formed(const struct nwi_tls_suite *chosen, size_t count,
                      const struct nwi_tls_suite *suite) {
    bool kx = false, cipher = false, mac = false;
    for (size_t i = 0; i < count; i++) {
        kx |= suite->is_13 ? chosen[i].is_13 : chosen[i].kx == suite->kx && !chosen[i].is_13;
        cipher |= chosen[i].cipher == suite->cipher;
        mac |= chosen[i].mac == suite->mac;
    }
    return kx && cipher && mac;
}

/* Whether they form one that the client offers and the list does not hold. */
static bool form_another(const struct nwi_tls_suite *chosen, size_t count,
                         const struct offer *offer) {
    for (size_t i = 0; i < offer->other_count; i++)
        if (is_formed(chosen, count, &offer->others[i]))
            return true;
    return false;
}

/* Takes a suite of the list apart; false when it cannot come to be chosen. */
static bool take_apart(sec_protocol_options_t options, bool is_datagram, tls_ciphersuite_t suite,
                       struct nwi_tls_suite *ret) {
    return nwi_tls_suite_take_apart(suite, ret) &&
           nwi_tls_suite_is_usable(options, is_datagram, ret);
}

/* Fills `ret`, of NWI_TLS_WISHES_MOST, in the order of the list; returns how many. */
static size_t choose(sec_protocol_options_t options, bool is_datagram, const struct offer *offer,
                     tls_ciphersuite_t *ret) {
    struct nwi_tls_suite chosen[NWI_TLS_WISHES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < options->exact_ciphersuite_count && count < NWI_TLS_WISHES_MOST; i++) {
        tls_ciphersuite_t suite = options->exact_ciphersuites[i];
        if (!nwi_sec_suites_hold(offer->suites, offer->count, suite) ||
            !take_apart(options, is_datagram, suite, &chosen[count]) ||
            !can_prove(options, chosen[count].kx))
            continue;
        ret[count++] = suite;
        if (form_another(chosen, count, offer))
            count--;
    }
    return count;
}

/* Not through the cache: which lists there are is up to clients, and a session counts one that only
 * it has safely. */
static int use(gnutls_session_t session, sec_protocol_options_t options, bool is_datagram,
               const tls_ciphersuite_t *suites, size_t count) {
    NWI_AUTO_RELEASE
    sec_protocol_options_t narrow = nwi_sec_options_copy(options);
    char *string = NULL;
    if (narrow == NULL)
        return GNUTLS_E_MEMORY_ERROR;
    sec_protocol_options_set_exact_tls_ciphersuites(narrow, suites, count);
    nwi_err err = nwi_tls_suites_priority(narrow, true, is_datagram, &string);
    if (err != 0)
        return err == NWI_ERR_NOMEM ? GNUTLS_E_MEMORY_ERROR : GNUTLS_E_NO_CIPHER_SUITES;
    int code = gnutls_priority_set_direct(session, string, NULL);
    nwi_free(string);
    return code;
}

/* Whether the list as it is would let GnuTLS choose something else of what is offered. */
static bool is_loose(sec_protocol_options_t options, bool is_datagram, const struct offer *offer) {
    struct nwi_tls_suite whole[NWI_TLS_WISHES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < options->exact_ciphersuite_count && count < NWI_TLS_WISHES_MOST; i++)
        count += take_apart(options, is_datagram, options->exact_ciphersuites[i], &whole[count]);
    return form_another(whole, count, offer);
}

int nwi_tls_suites_narrow(gnutls_session_t session, sec_protocol_options_t options,
                          bool is_datagram, const gnutls_datum_t *hello) {
    struct offer offer;
    tls_ciphersuite_t suites[NWI_TLS_WISHES_MOST];
    if (options->exact_ciphersuite_count == 0)
        return 0;
    read_offer(hello, is_datagram, &offer);
    find_others(options, &offer);
    if (!is_loose(options, is_datagram, &offer))
        return 0;
    size_t count = choose(options, is_datagram, &offer, suites);
    return count == 0 ? 0 : use(session, options, is_datagram, suites, count);
}
