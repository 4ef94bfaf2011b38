/* test_security.c - every setting of SecProtocolOptions.h is kept, in the function form. */
#include <Network/Network.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static dispatch_data_t data(const char *text) {
    return dispatch_data_create_f(text, strlen(text), NULL, NULL, NULL);
}

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

static void settings(void **state) {
    (void)state;
    dispatch_data_t key = data("key"), identity = data("identity");
    CHANGES(append_tls_ciphersuite, tls_ciphersuite_AES_128_GCM_SHA256);
    CHANGES(add_tls_ciphersuite, TLS_PSK_WITH_AES_128_GCM_SHA256);
    CHANGES(append_tls_ciphersuite_group, tls_ciphersuite_group_ats);
    CHANGES(add_tls_ciphersuite_group, kSSLCiphersuiteGroupATS);
    CHANGES(set_tls_min_version, kTLSProtocol12);
    CHANGES(set_tls_max_version, kTLSProtocol12);
    CHANGES(set_min_tls_protocol_version, tls_protocol_version_TLSv13);
    CHANGES(set_max_tls_protocol_version, tls_protocol_version_TLSv12);
    CHANGES(add_tls_application_protocol, "h2");
    CHANGES(set_tls_server_name, "example.com");
    CHANGES(set_tls_diffie_hellman_parameters, key);
    CHANGES(add_pre_shared_key, key, identity);
    CHANGES(set_tls_pre_shared_key_identity_hint, identity);
    CHANGES(set_tls_tickets_enabled, false);
    CHANGES(set_tls_is_fallback_attempt, true);
    CHANGES(set_tls_resumption_enabled, false);
    CHANGES(set_tls_false_start_enabled, true);
    CHANGES(set_tls_ocsp_enabled, true);
    CHANGES(set_tls_sct_enabled, true);
    CHANGES(set_tls_renegotiation_enabled, false);
    CHANGES(set_peer_authentication_required, false);
    CHANGES(set_peer_authentication_optional, true);
    CHANGES(set_enable_encrypted_client_hello, true);
    CHANGES(set_quic_use_legacy_codepoint, true);
    dispatch_release(key), dispatch_release(identity);
}

static void verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                   sec_protocol_verify_complete_f complete, void *complete_context) {
    (void)context, (void)metadata, (void)trust;
    complete(complete_context, true);
}
static void challenge(void *context, sec_protocol_metadata_t metadata,
                      sec_protocol_challenge_complete_f complete, void *complete_context) {
    (void)context, (void)metadata;
    complete(complete_context, NULL);
}
static void key_update(void *context, sec_protocol_metadata_t metadata,
                       sec_protocol_key_update_complete_f complete, void *complete_context) {
    (void)context, (void)metadata;
    complete(complete_context);
}
static void select_key(void *context, sec_protocol_metadata_t metadata, dispatch_data_t hint,
                       sec_protocol_pre_shared_key_selection_complete_f complete,
                       void *complete_context) {
    (void)context, (void)metadata;
    complete(complete_context, hint);
}

static void handlers(void **state) {
    int context;
    (void)state;
    CHANGES(set_verify_block_f, &context, verify, NULL);
    CHANGES(set_challenge_block_f, &context, challenge, NULL);
    CHANGES(set_key_update_block_f, &context, key_update, NULL);
    CHANGES(set_pre_shared_key_selection_block_f, &context, select_key, NULL);
}

static void getters_and_defaults(void **state) {
    (void)state;
    struct pair p = make_pair();
    assert_false(sec_protocol_options_get_enable_encrypted_client_hello(p.a));
    assert_false(sec_protocol_options_get_quic_use_legacy_codepoint(p.a));
    sec_protocol_options_set_local_identity(p.a, NULL); /* refused */
    end_pair(p, true);
    assert_int_equal(sec_protocol_options_get_default_min_tls_protocol_version(),
                     tls_protocol_version_TLSv12);
    assert_int_equal(sec_protocol_options_get_default_max_tls_protocol_version(),
                     tls_protocol_version_TLSv13);
    assert_int_equal(sec_protocol_options_get_default_min_dtls_protocol_version(),
                     tls_protocol_version_DTLSv12);
    assert_int_equal(sec_protocol_options_get_default_max_dtls_protocol_version(),
                     tls_protocol_version_DTLSv12);
    assert_null(nw_tls_copy_sec_protocol_options(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(settings), cmocka_unit_test(handlers),
                                       cmocka_unit_test(getters_and_defaults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
