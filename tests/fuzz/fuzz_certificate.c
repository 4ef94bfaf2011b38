/*
 * fuzz_certificate.c - certificates from outside, and chains of them.
 * What:   the input is a list: two octets of length, a certificate; the first octet says which one is
 *         an anchor too. One that is no certificate is a stapled OCSP response. Whatever they hold,
 *         the evaluation ends, with a verdict that fits its reason.
 */
#include "fuzz.h"
#include "trust/sct.h"
#include <Security/trust_evaluation.h>
#include <dispatch/dispatch.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_MAX = 16, NOW = 1795000000 /* 2026-11-18 */ };

static bool see(void *context, const void *octets, size_t size) {
    (void)context;
    CHECK(octets != NULL && size > 0);
    return true;
}

static void check_one(sec_certificate_t certificate) {
    char *subject = sec_certificate_copy_subject(certificate);
    CHECK(subject != NULL);
    for (const char *c = subject; *c != '\0'; c++)
        CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
    free(subject);
    dispatch_data_t data = sec_certificate_copy_data(certificate);
    CHECK(data != NULL && dispatch_data_get_size(data) > 0);
    dispatch_release(data);
    nwi_certificate_scts(certificate, NULL, see);
}

static dispatch_data_t take_staple(const uint8_t *octets, size_t size) {
    gnutls_datum_t response = {.data = (unsigned char *)octets, .size = (unsigned)size};
    nwi_scts_of_list(&response, NULL, see);
    nwi_scts_of_staple(&response, NULL, see);
    return dispatch_data_create_f(octets, size, NULL, NULL, NULL);
}

static void evaluate(sec_trust_t trust) {
    int status = sec_trust_evaluate(trust);
    char *reason = sec_trust_copy_reason(trust);
    CHECK(reason != NULL && reason[0] != '\0');
    CHECK((status == 0) == (strncmp(reason, "trusted", 7) == 0));
    CHECK((status == 0) == (sec_trust_get_path_count(trust) > 0));
    free(reason);
    for (size_t i = 0; i < sec_trust_get_chain_count(trust); i++) {
        char *verdict = sec_trust_copy_certificate_verdict(trust, i);
        CHECK(verdict != NULL && verdict[0] != '\0');
        free(verdict);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sec_certificate_t chain[CHAIN_MAX];
    size_t count = 0;
    dispatch_data_t staple = NULL;
    if (size < 1)
        return 0;
    uint8_t choice = data[0];
    for (size_t at = 1; at + 2 <= size && count < CHAIN_MAX;) {
        size_t length = (size_t)(data[at] << 8 | data[at + 1]);
        at += 2;
        if (length > size - at)
            length = size - at;
        sec_certificate_t certificate =
            length > 0 ? sec_certificate_create_with_bytes(data + at, length) : NULL;
        if (certificate == NULL && staple == NULL && length > 0)
            staple = take_staple(data + at, length);
        at += length;
        if (certificate == NULL)
            continue;
        check_one(certificate);
        chain[count++] = certificate;
    }
    if (count > 0) {
        sec_trust_t trust = sec_trust_create_with_chain(chain, count,
                                                        choice & 0x20   ? "192.0.2.1"
                                                        : choice & 0x40 ? NULL
                                                                        : "a.example");
        CHECK(trust != NULL);
        sec_trust_set_system_anchors_enabled(trust, false);
        sec_trust_set_verify_time(trust, NOW);
        if (choice & 0x80)
            sec_trust_set_purpose(trust, sec_trust_purpose_client);
        sec_trust_set_stapled_status(trust, staple);
        evaluate(trust);
        sec_trust_add_anchor(trust, chain[(choice & 0x1f) % count]);
        evaluate(trust);
        sec_release(trust);
    }
    for (size_t i = 0; i < count; i++)
        sec_release(chain[i]);
    if (staple != NULL)
        dispatch_release(staple);
    return 0;
}
