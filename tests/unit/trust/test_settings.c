/*
 * test_settings.c - what options say of trust: each call, copies, comparison, and what becomes of
 * it in the evaluation of a peer. src/model/trust_settings.c, src/trust/policy.c, evaluate.c.
 */
#include "base/alloc.h"
#include "dispatch/data.h"
#include "trust/policy.h"
#include "trust/trust.h"
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1795000000 };
static sec_certificate_t client, root;
static uint8_t root_key[NWI_TRUST_PIN_SIZE];

/* A seed of the fuzzer holds a client and its root. */
static int read_chain(void **state) {
    static unsigned char octets[4096];
    char path[1024];
    (void)state;
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/certificate/client",
             getenv("NW_SOURCE_ROOT"));
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(octets, 1, sizeof octets, file) < 4)
        return -1;
    fclose(file);
    size_t first = (size_t)(octets[1] << 8 | octets[2]), size = sizeof root_key;
    const unsigned char *second = octets + 3 + first;
    client = sec_certificate_create_with_bytes(octets + 3, first);
    root = sec_certificate_create_with_bytes(second + 2, (size_t)(second[0] << 8 | second[1]));
    if (client == NULL || root == NULL)
        return -1;
    return gnutls_x509_crt_get_key_id(root->crt, GNUTLS_KEYID_USE_SHA256, root_key, &size);
}

static int forget_chain(void **state) {
    (void)state;
    sec_release(client);
    sec_release(root);
    return 0;
}

static sec_protocol_options_t make(void) {
    sec_protocol_options_t options = nwi_sec_options_create();
    assert_non_null(options);
    return options;
}

/* What the options make of the client, asked for a host that it does not name when `host` is set.
 */
static int judge(sec_protocol_options_t options, const char *host, time_t now, char **ret_reason) {
    sec_trust_t trust =
        nwi_trust_create_for_peer(options, &client, 1, host, NWI_TRUST_CLIENT, NULL);
    assert_non_null(trust);
    sec_trust_set_verify_time(trust, now);
    int status = sec_trust_evaluate(trust);
    if (ret_reason != NULL)
        *ret_reason = sec_trust_copy_reason(trust);
    sec_release(trust);
    return status;
}

static void an_anchor_loosens(void **state) {
    (void)state;
    sec_protocol_options_t options = make();
    assert_int_equal(judge(options, NULL, NOW, NULL), errSSLNoRootCert);
    sec_protocol_options_add_trust_anchor(options, root);
    assert_int_equal(judge(options, NULL, NOW, NULL), 0);
    assert_int_equal(judge(options, "b.example", NOW, NULL), errSSLHostNameMismatch);
    sec_release(options);
}

static void an_accepted_certificate_needs_no_name_but_its_dates(void **state) {
    char *reason;
    (void)state;
    sec_protocol_options_t options = make();
    sec_protocol_options_add_accepted_certificate(options, client);
    assert_int_equal(judge(options, "b.example", NOW, &reason), 0);
    assert_non_null(strstr(reason, "accepted as it is"));
    free(reason);
    assert_int_equal(judge(options, NULL, client->end + 1, &reason), errSSLCertExpired);
    free(reason);
    sec_release(options);
    options = make();
    sec_protocol_options_add_accepted_certificate(options, root); /* another than the peer shows */
    assert_int_equal(judge(options, NULL, NOW, NULL), errSSLNoRootCert);
    sec_release(options);
}

static void pins_tighten(void **state) {
    const uint8_t other[NWI_TRUST_PIN_SIZE] = {1};
    char *reason;
    (void)state;
    sec_protocol_options_t options = make();
    sec_protocol_options_add_trust_anchor(options, root);
    sec_protocol_options_add_pin(options, other);
    assert_int_equal(judge(options, NULL, NOW, &reason), errSSLBadCert);
    assert_non_null(strstr(reason, "pinned"));
    free(reason);
    sec_protocol_options_add_pin(options, root_key);
    assert_int_equal(judge(options, NULL, NOW, NULL), 0);
    sec_release(options);

    options = make();
    sec_protocol_options_add_pinned_certificate(options, root); /* trusts nobody by itself */
    assert_int_equal(judge(options, NULL, NOW, NULL), errSSLNoRootCert);
    sec_protocol_options_add_trust_anchor(options, root);
    assert_int_equal(judge(options, NULL, NOW, NULL), 0);
    sec_release(options);

    options = make(); /* an accepted certificate is the whole path */
    sec_protocol_options_add_accepted_certificate(options, client);
    sec_protocol_options_add_pinned_certificate(options, root);
    assert_int_equal(judge(options, NULL, NOW, NULL), errSSLBadCert);
    sec_release(options);
}

static void the_system_counts_by_role(void **state) {
    (void)state;
    sec_protocol_options_t options = make();
    assert_null(options->trust);
    sec_protocol_options_set_system_anchors_enabled(options, false);
    assert_int_equal(options->trust->system, NWI_TRUST_SYSTEM_OFF);
    sec_protocol_options_set_system_anchors_enabled(options, true);
    assert_int_equal(options->trust->system, NWI_TRUST_SYSTEM_ON);
    sec_release(options);
}

static void copies_share_until_one_changes(void **state) {
    (void)state;
    sec_protocol_options_t options = make();
    sec_protocol_options_add_trust_anchor(options, root);
    sec_protocol_options_add_pin(options, root_key);
    sec_protocol_options_t copy = nwi_sec_options_copy(options);
    assert_ptr_equal(copy->trust, options->trust);
    assert_true(sec_protocol_options_are_equal(options, copy));
    sec_protocol_options_add_accepted_certificate(options, client);
    assert_ptr_not_equal(copy->trust, options->trust);
    assert_int_equal(copy->trust->accepted.count, 0);
    assert_int_equal(options->trust->anchors.count, 1);
    assert_int_equal(options->trust->pin_count, 1);
    assert_false(sec_protocol_options_are_equal(options, copy));
    sec_protocol_options_add_accepted_certificate(copy, client);
    assert_true(sec_protocol_options_are_equal(options, copy));
    sec_protocol_options_set_stapled_status_required(copy, true);
    assert_false(sec_protocol_options_are_equal(options, copy));
    assert_true(nwi_trust_asks_staple(copy));
    assert_false(nwi_trust_asks_staple(options));
    sec_release(copy);
    sec_release(options);

    options = make(), copy = make(); /* what says nothing is as if it were not there */
    sec_protocol_options_set_stapled_status_required(copy, false);
    assert_true(sec_protocol_options_are_equal(options, copy));
    dispatch_data_t status = nwi_data_create_copy("status", 6);
    sec_protocol_options_set_local_stapled_status(options, status);
    dispatch_release(status);
    assert_false(sec_protocol_options_are_equal(options, copy));
    sec_release(copy);
    copy = nwi_sec_options_copy(options);
    assert_true(sec_protocol_options_are_equal(options, copy));
    sec_protocol_options_set_system_anchors_enabled(copy, false);
    assert_false(sec_protocol_options_are_equal(options, copy));
    sec_release(copy);
    sec_release(options);
}

static void misuse(void **state) {
    (void)state;
    sec_protocol_options_t options = make();
    sec_protocol_options_add_trust_anchor(NULL, root);
    sec_protocol_options_add_trust_anchor(options, NULL);
    sec_protocol_options_add_accepted_certificate(options, NULL);
    sec_protocol_options_add_pinned_certificate(options, NULL);
    sec_protocol_options_add_pin(options, NULL);
    sec_protocol_options_set_system_anchors_enabled(NULL, true);
    sec_protocol_options_set_stapled_status_required(NULL, true);
    sec_protocol_options_set_local_stapled_status(NULL, NULL);
    assert_null(options->trust);
    sec_release(options);
}

/* Whatever runs out, a pin is kept, and nothing is lost or leaked. */
static void each_allocation_fails(void **state) {
    (void)state;
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    bool hit = true;
    for (unsigned n = 1; hit && n < 50; n++) {
        sec_protocol_options_t options = make();
        nwi_alloc_fail_at(n);
        sec_protocol_options_add_trust_anchor(options, root);
        sec_protocol_options_t copy = nwi_sec_options_copy(options);
        sec_protocol_options_add_pin(options, root_key);
        sec_protocol_options_add_pinned_certificate(options, root);
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_int_equal(options->trust->pin_count, 1);
        assert_int_equal(options->trust->pinned.count, 1);
        sec_release(copy);
        sec_release(options);
        assert_int_equal(nwi_alloc_live(), before);
    }
    assert_false(hit);
    nwi_alloc_count(false);
}

static void each_certificate_has_its_verdict(void **state) {
    sec_certificate_t chain[] = {client, root};
    (void)state;
    sec_protocol_options_t options = make();
    sec_protocol_options_add_trust_anchor(options, root);
    for (int wrong = 0; wrong < 2; wrong++) {
        sec_trust_t trust = nwi_trust_create_for_peer(options, chain, 2, wrong ? "b.example" : NULL,
                                                      NWI_TRUST_CLIENT, NULL);
        sec_trust_set_verify_time(trust, NOW);
        assert_null(sec_trust_copy_certificate_verdict(trust, 0));
        assert_int_equal(sec_trust_evaluate(trust), wrong ? errSSLHostNameMismatch : 0);
        assert_int_equal(sec_trust_get_chain_count(trust), 2);
        char *first = sec_trust_copy_certificate_verdict(trust, 0);
        char *second = sec_trust_copy_certificate_verdict(trust, 1);
        assert_null(sec_trust_copy_certificate_verdict(trust, 2));
        if (wrong) {
            assert_string_equal(first, "its Subject Alternative Name does not hold 'b.example'");
            assert_string_equal(second, "nothing is wrong with it by itself");
        } else {
            assert_string_equal(first, "trusted");
            assert_string_equal(second, "trusted, an anchor");
        }
        free(first);
        free(second);
        sec_release(trust);
    }
    sec_release(options);
}

/* The same by the calls on one evaluation. */
static void an_evaluation_takes_them_too(void **state) {
    sec_certificate_t chain[] = {client, root};
    (void)state;
    sec_trust_t trust = sec_trust_create_with_chain(chain, 1, "b.example");
    sec_trust_set_purpose(trust, sec_trust_purpose_client);
    sec_trust_set_verify_time(trust, NOW);
    sec_trust_add_accepted_certificate(trust, client);
    assert_int_equal(sec_trust_evaluate(trust), 0);
    sec_trust_add_pinned_certificate(trust, root);
    assert_int_equal(sec_trust_evaluate(trust), errSSLBadCert);
    sec_trust_add_pinned_certificate(trust, client);
    assert_int_equal(sec_trust_evaluate(trust), 0);
    sec_certificate_t own = sec_trust_copy_chain_certificate(trust, 0);
    assert_true(sec_certificate_are_equal(own, client));
    assert_false(sec_certificate_are_equal(own, root));
    assert_false(sec_certificate_are_equal(own, NULL));
    assert_null(sec_trust_copy_chain_certificate(trust, 1));
    sec_release(own);
    sec_release(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_anchor_loosens),
        cmocka_unit_test(an_accepted_certificate_needs_no_name_but_its_dates),
        cmocka_unit_test(pins_tighten),
        cmocka_unit_test(the_system_counts_by_role),
        cmocka_unit_test(copies_share_until_one_changes),
        cmocka_unit_test(misuse),
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(each_certificate_has_its_verdict),
        cmocka_unit_test(an_evaluation_takes_them_too),
    };
    return cmocka_run_group_tests(tests, read_chain, forget_chain);
}
