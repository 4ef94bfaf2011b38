/*
 * evaluate.c - sec_trust_evaluate: path, pins, status, and what is to be said of it.
 * Runs:   one thread at a time per trust object.
 */
#include "base/log.h"
#include "trust/anchors.h"
#include "trust/ocsp.h"
#include "trust/trust.h"
#include "trust/verdict.h"
#include <Security/trust_evaluation.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct nwi_trust_policy policy_of(sec_trust_t trust) {
    return (struct nwi_trust_policy){.purpose = trust->purpose,
                                     .now = trust->time != -1 ? trust->time : time(NULL),
                                     .host = trust->host};
}

static bool is_pinned(const struct nwi_trust_settings *settings, sec_certificate_t certificate) {
    uint8_t digest[NWI_TRUST_PIN_SIZE];
    size_t size = sizeof digest;
    if (nwi_trust_is_listed(&settings->pinned, certificate))
        return true;
    if (settings->pin_count == 0 ||
        gnutls_x509_crt_get_key_id(certificate->crt, GNUTLS_KEYID_USE_SHA256, digest, &size) < 0 ||
        size != sizeof digest)
        return false;
    for (size_t i = 0; i < settings->pin_count; i++)
        if (memcmp(settings->pins[i], digest, sizeof digest) == 0)
            return true;
    return false;
}

static bool check_pins(sec_trust_t trust) {
    const struct nwi_trust_settings *settings = trust->settings;
    if (settings == NULL || settings->pin_count + settings->pinned.count == 0)
        return true;
    for (size_t i = 0; i < trust->path.count; i++)
        if (is_pinned(settings, trust->path.certificates[i]))
            return true;
    return nwi_trust_wrong(&trust->verdict, errSSLBadCert,
                           "no certificate of the path is pinned, nor is its public key");
}

/* --- the stapled status --- */

static bool check_staple(sec_trust_t trust, struct nwi_trust_verdict *verdict) {
    const struct nwi_trust_path *path = &trust->path;
    const struct nwi_trust_policy policy = policy_of(trust);
    if (path->count < 2) /* the program's own word; there is no issuer to take it back */
        return true;
    if (trust->staple == NULL) {
        if (trust->purpose == NWI_TRUST_SERVER && trust->settings != NULL &&
            trust->settings->staple_required)
            return nwi_trust_wrong(verdict, errSSLBadCertificateStatusResponse,
                                   "no OCSP response was stapled, and one is required");
        return !trust->staple_asked || !nwi_trust_demands_status(path->certificates[0]) ||
               nwi_trust_wrong(verdict, errSSLBadCertificateStatusResponse,
                               "no OCSP response was stapled, and the certificate demands one");
    }
    const void *octets = NULL;
    size_t size = 0;
    dispatch_data_t whole = dispatch_data_create_map(trust->staple, &octets, &size);
    const gnutls_datum_t response = {.data = (unsigned char *)octets, .size = (unsigned)size};
    bool good = nwi_trust_check_status(&response, path->certificates[0], path->certificates[1],
                                       &policy, verdict);
    nwi_release(whole);
    return good;
}

/* Says that it is the peer's own certificate, whose path was good, that is refused. */
static void blame_leaf(sec_trust_t trust, const struct nwi_trust_verdict *verdict) {
    char name[100];
    sec_certificate_t leaf = nwi_retain(trust->chain[0]);
    nwi_trust_path_clear(&trust->path);
    trust->path.blamed = leaf;
    nwi_certificate_name(leaf, name, sizeof name);
    int before =
        snprintf(trust->verdict.reason, sizeof trust->verdict.reason, "certificate 1 (%s): ", name);
    trust->verdict.status = verdict->status;
    trust->verdict.phrase = (size_t)before;
    snprintf(trust->verdict.reason + before, sizeof trust->verdict.reason - (size_t)before,
             "%.180s", verdict->reason);
}

bool nwi_trust_asks_system(sec_trust_t trust) {
    switch (trust->settings != NULL ? trust->settings->system : NWI_TRUST_SYSTEM_BY_ROLE) {
    case NWI_TRUST_SYSTEM_ON:
        return true;
    case NWI_TRUST_SYSTEM_OFF:
        return false;
    case NWI_TRUST_SYSTEM_BY_ROLE:
    default:
        return trust->purpose == NWI_TRUST_SERVER;
    }
}

static void say_trusted(sec_trust_t trust) {
    char name[100];
    nwi_certificate_name(trust->path.certificates[trust->path.count - 1], name, sizeof name);
    snprintf(trust->verdict.reason, sizeof trust->verdict.reason, "trusted, %s%s",
             trust->path.accepted ? "accepted as it is: "
             : trust->path.system ? "by the system's root "
                                  : "by the anchor ",
             name);
}

SEC_EXPORT int32_t sec_trust_evaluate(sec_trust_t trust) {
    if (trust == NULL) {
        nwi_log_misuse(__func__, "trust is NULL");
        return errSSLBadCert;
    }
    const struct nwi_trust_request request = {
        .chain = trust->chain,
        .chain_count = trust->chain_count,
        .settings = trust->settings,
        .system_issuer = nwi_trust_asks_system(trust) ? nwi_trust_system_issuer : NULL,
        .policy = policy_of(trust),
    };
    struct nwi_trust_verdict verdict = {0};
    nwi_trust_path_clear(&trust->path);
    trust->evaluated = true;
    if (nwi_trust_build(&request, &trust->path, &trust->verdict) != 0)
        return trust->verdict.status;
    if (!check_pins(trust)) {
        nwi_trust_path_clear(&trust->path);
        return trust->verdict.status;
    }
    if (!check_staple(trust, &verdict)) {
        blame_leaf(trust, &verdict);
        return trust->verdict.status;
    }
    say_trusted(trust);
    return 0;
}

/* --- one certificate at a time --- */

SEC_EXPORT size_t sec_trust_get_chain_count(sec_trust_t trust) {
    return trust != NULL ? trust->chain_count : 0;
}

SEC_EXPORT sec_certificate_t sec_trust_copy_chain_certificate(sec_trust_t trust, size_t index) {
    if (trust == NULL || index >= trust->chain_count)
        return NULL;
    return nwi_retain(trust->chain[index]);
}

static const char *word_of_trusted(sec_trust_t trust, size_t index) {
    const struct nwi_trust_path *path = &trust->path;
    for (size_t i = 0; i < path->count; i++)
        if (nwi_certificate_equal(path->certificates[i], trust->chain[index]))
            return path->accepted                         ? "trusted, accepted as it is"
                   : i + 1 == path->count && path->system ? "trusted, a root of the system"
                   : i + 1 == path->count                 ? "trusted, an anchor"
                                                          : "trusted";
    return "not needed, the path goes without it";
}

/* What is wrong with this one whatever the others are; NULL: nothing. */
static const char *own_fault(sec_trust_t trust, size_t index, struct nwi_trust_verdict *verdict) {
    const struct nwi_trust_policy policy = policy_of(trust);
    sec_certificate_t certificate = trust->chain[index];
    bool anchor =
        trust->settings != NULL && nwi_trust_is_listed(&trust->settings->anchors, certificate);
    bool good = index == 0 ? nwi_trust_check_leaf(certificate, &policy, anchor, verdict)
                           : nwi_trust_check_issuer(certificate, 0, anchor, &policy, verdict);
    return good ? NULL : verdict->reason;
}

SEC_EXPORT char *sec_trust_copy_certificate_verdict(sec_trust_t trust, size_t index) {
    struct nwi_trust_verdict verdict = {0};
    if (trust == NULL || !trust->evaluated || index >= trust->chain_count)
        return NULL;
    if (trust->path.count > 0)
        return strdup(word_of_trusted(trust, index));
    if (trust->path.blamed != NULL &&
        nwi_certificate_equal(trust->path.blamed, trust->chain[index]))
        return strdup(trust->verdict.reason + trust->verdict.phrase);
    const char *fault = own_fault(trust, index, &verdict);
    return strdup(fault != NULL ? fault : "nothing is wrong with it by itself");
}
