/*
 * test_faults.c - misuse is refused, and each allocation may fail, without a trust that should not
 * be.
 */
#include "base/alloc.h"
#include "trust/trust.h"
#include <Security/trust_evaluation.h>
#include <dispatch/dispatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1795000000, OCTETS_MAX = 4096 };
static unsigned char octets[OCTETS_MAX];
static size_t client_size, root_size;
static const unsigned char *client, *root;

/* A seed of the fuzzer holds a client and its root. */
static int read_chain(void **state) {
    char path[1024];
    (void)state;
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/certificate/client",
             getenv("NW_SOURCE_ROOT"));
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    size_t size = fread(octets, 1, sizeof octets, file);
    fclose(file);
    client_size = (size_t)(octets[1] << 8 | octets[2]);
    client = octets + 3;
    root_size = (size_t)(client[client_size] << 8 | client[client_size + 1]);
    root = client + client_size + 2;
    return root + root_size == octets + size ? 0 : -1;
}

static void test_misuse(void **state) {
    (void)state;
    sec_certificate_t good = sec_certificate_create_with_bytes(client, client_size), bad = NULL;
    assert_non_null(good);
    assert_null(sec_certificate_create_with_bytes(NULL, 1));
    assert_null(sec_certificate_create_with_bytes(client, 0));
    assert_null(sec_certificate_create_with_bytes(client, client_size - 1));
    assert_null(sec_certificate_create_with_bytes("-----BEGIN CERTIFICATE-----\n", 28));
    assert_null(sec_certificate_copy_data(NULL));
    assert_null(sec_certificate_copy_subject(NULL));
    assert_null(sec_trust_create_with_chain(NULL, 1, NULL));
    assert_null(sec_trust_create_with_chain(&good, 0, NULL));
    assert_null(sec_trust_create_with_chain(&bad, 1, NULL));
    assert_int_not_equal(sec_trust_evaluate(NULL), 0);
    assert_null(sec_trust_copy_reason(NULL));
    assert_int_equal(sec_trust_get_path_count(NULL), 0);
    assert_null(sec_trust_copy_path_certificate(NULL, 0));
    sec_trust_t trust = sec_trust_create_with_chain(&good, 1, NULL);
    sec_trust_add_anchor(trust, NULL);
    sec_trust_add_anchor(NULL, good);
    sec_trust_add_pin(trust, NULL);
    sec_trust_set_purpose(trust, (sec_trust_purpose_t)7);
    sec_trust_set_verify_time(trust, -1);
    sec_trust_set_system_anchors_enabled(NULL, true);
    assert_null(trust->settings);
    assert_null(sec_trust_copy_reason(trust));
    sec_release(trust);
    sec_release(good);
}

static int evaluate(bool pinned_wrongly) {
    const uint8_t pin[32] = {1};
    int status = -1;
    sec_certificate_t chain[] = {sec_certificate_create_with_bytes(client, client_size)};
    sec_certificate_t anchor = sec_certificate_create_with_bytes(root, root_size);
    sec_trust_t trust = chain[0] != NULL ? sec_trust_create_with_chain(chain, 1, NULL) : NULL;
    if (trust != NULL && anchor != NULL) {
        sec_trust_set_system_anchors_enabled(trust, false);
        sec_trust_set_purpose(trust, sec_trust_purpose_client);
        sec_trust_set_verify_time(trust, NOW);
        sec_trust_add_anchor(trust, anchor);
        if (pinned_wrongly)
            sec_trust_add_pin(trust, pin);
        status = sec_trust_evaluate(trust);
        if (status == 0)
            assert_int_equal(sec_trust_get_path_count(trust), 2);
    }
    sec_release(trust);
    sec_release(anchor);
    sec_release(chain[0]);
    return status;
}

/* Whatever runs out: no crash, no leak, and never trusted against a pin. */
static void test_each_allocation_fails(void **state) {
    (void)state;
    assert_int_equal(evaluate(false), 0);
    assert_int_not_equal(evaluate(true), 0);
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    bool hit = true;
    for (unsigned n = 1; hit && n < 100; n++) {
        nwi_alloc_fail_at(n);
        assert_int_not_equal(evaluate(true), 0);
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_int_equal(nwi_alloc_live(), before);
    }
    assert_false(hit);
    nwi_alloc_count(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, read_chain, NULL);
}
