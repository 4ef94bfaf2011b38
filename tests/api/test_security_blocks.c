/* test_security_blocks.c - the handlers of SecProtocolOptions.h, as blocks. */
#include <Network/Network.h>
#include <Security/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Two sets of settings that start equal: whatever one call changes makes them differ. */
struct pair {
    nw_protocol_options_t tls_a, tls_b;
    sec_protocol_options_t a, b;
};
static struct pair make_pair(void) {
    struct pair p = {.tls_a = nw_tls_create_options(), .tls_b = nw_tls_create_options()};
    p.a = nw_tls_copy_sec_protocol_options(p.tls_a);
    p.b = nw_tls_copy_sec_protocol_options(p.tls_b);
    assert_true(sec_protocol_options_are_equal(p.a, p.b));
    return p;
}
static void end_pair(struct pair p, bool equal) {
    assert_int_equal(sec_protocol_options_are_equal(p.a, p.b), equal);
    sec_release(p.a), sec_release(p.b), nw_release(p.tls_a), nw_release(p.tls_b);
}
#define CHANGES(name, ...)                                                                         \
    do {                                                                                           \
        struct pair p = make_pair();                                                               \
        sec_protocol_options_##name(p.a, __VA_ARGS__);                                             \
        assert_false(sec_protocol_options_are_equal(p.a, p.b));                                    \
        sec_protocol_options_##name(p.b, __VA_ARGS__);                                             \
        end_pair(p, true);                                                                         \
        sec_protocol_options_##name(NULL, __VA_ARGS__); /* refused, no crash */                    \
    } while (0)

static void each_handler(void **state) {
    (void)state;
    sec_protocol_verify_t verify = ^(sec_protocol_metadata_t metadata, sec_trust_t trust,
                                     sec_protocol_verify_complete_t complete) {
        (void)metadata, (void)trust;
        complete(true);
    };
    sec_protocol_challenge_t challenge =
        ^(sec_protocol_metadata_t metadata, sec_protocol_challenge_complete_t complete) {
            (void)metadata, complete(NULL);
        };
    sec_protocol_key_update_t key_update =
        ^(sec_protocol_metadata_t metadata, sec_protocol_key_update_complete_t complete) {
            (void)metadata, complete();
        };
    sec_protocol_pre_shared_key_selection_t select_key =
        ^(sec_protocol_metadata_t metadata, dispatch_data_t hint,
          sec_protocol_pre_shared_key_selection_complete_t complete) {
            (void)metadata, complete(hint);
        };
    /* These are global blocks, so both sides hold the same one. */
    CHANGES(set_verify_block, verify, NULL);
    CHANGES(set_challenge_block, challenge, NULL);
    CHANGES(set_key_update_block, key_update, NULL);
    CHANGES(set_pre_shared_key_selection_block, select_key, NULL);
    struct pair p = make_pair();
    sec_protocol_options_set_challenge_block(p.a, challenge, NULL);
    sec_protocol_options_set_challenge_block(p.a, NULL, NULL); /* removed */
    end_pair(p, true);
}

/* A seed of the fuzzer: two octets of length, two certificates, their key. */
static sec_identity_t read_identity(void) {
    char path[1024];
    static unsigned char octets[4096];
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/identity/pem", getenv("NW_SOURCE_ROOT"));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(octets, 1, sizeof octets, file);
    fclose(file);
    return sec_identity_create_with_bytes(octets + 2, size - 2, NULL, 0, NULL, NULL);
}

static void certificates_of_an_identity(void **state) {
    (void)state;
    __block int seen = 0;
    sec_identity_t identity = read_identity();
    assert_non_null(identity);
    assert_true(sec_identity_access_certificates(identity, ^(sec_certificate_t certificate) {
        sec_certificate_t own = sec_identity_copy_certificate(identity, seen++);
        assert_ptr_equal(certificate, own);
        sec_release(own);
    }));
    assert_int_equal(seen, 2);
    assert_false(sec_identity_access_certificates(NULL, ^(sec_certificate_t certificate) {
        (void)certificate, seen++;
    }));
    assert_int_equal(seen, 2);
    CHANGES(set_local_identity, identity);
    sec_release(identity);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_handler),
                                       cmocka_unit_test(certificates_of_an_identity)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
