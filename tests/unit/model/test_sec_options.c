/*
 * test_sec_options.c - src/model/sec_options.c, sec_options_copy.c, sec_options_handlers.c.
 */
#include "misuse.h"

#include "dispatch/data.h"
#include "model/sec_options.h"
#include <stdlib.h>
#include <string.h>

static dispatch_data_t data(const char *text) {
    return nwi_data_create_copy(text, strlen(text));
}
static sec_protocol_options_t make(void) {
    sec_protocol_options_t options = nwi_sec_options_create();
    assert_non_null(options);
    return options;
}

static void defaults(void **state) {
    (void)state;
    sec_protocol_options_t o = make();
    assert_true(o->tickets_enabled && o->resumption_enabled && o->renegotiation_enabled);
    assert_false(o->is_fallback_attempt || o->false_start_enabled || o->ocsp_enabled ||
                 o->sct_enabled);
    assert_int_equal(o->peer_authentication_required, NWI_SEC_DEFAULT);
    assert_int_equal(sec_protocol_options_get_default_min_tls_protocol_version(), 0x0303);
    assert_int_equal(sec_protocol_options_get_default_max_tls_protocol_version(), 0x0304);
    assert_int_equal(sec_protocol_options_get_default_min_dtls_protocol_version(), 0xFEFD);
    assert_int_equal(sec_protocol_options_get_default_max_dtls_protocol_version(), 0xFEFD);
    sec_release(o);
}

static void suites(void **state) {
    (void)state;
    sec_protocol_options_t o = make();
    sec_protocol_options_append_tls_ciphersuite(o, tls_ciphersuite_AES_128_GCM_SHA256);
    sec_protocol_options_add_tls_ciphersuite(o, TLS_PSK_WITH_AES_128_GCM_SHA256);
    sec_protocol_options_append_tls_ciphersuite(o, tls_ciphersuite_AES_128_GCM_SHA256);
    assert_int_equal(o->ciphersuite_count, 2);
    assert_int_equal(o->ciphersuites[0], 0x1301);
    assert_int_equal(o->ciphersuites[1], 0x00A8);
    sec_protocol_options_append_tls_ciphersuite_group(o, tls_ciphersuite_group_ats);
    sec_protocol_options_add_tls_ciphersuite_group(o, kSSLCiphersuiteGroupLegacy);
    assert_int_equal(o->ciphersuite_groups, 1u << 3 | 1u << 2);
    assert_misuse(sec_protocol_options_append_tls_ciphersuite_group(o, 6));
    assert_misuse(sec_protocol_options_add_tls_ciphersuite_group(o, -1));
    assert_misuse(sec_protocol_options_append_tls_ciphersuite(NULL, 1));
    assert_misuse(sec_protocol_options_add_tls_ciphersuite(NULL, 1));
    sec_release(o);
}

static void versions(void **state) {
    (void)state;
    static const struct {
        SSLProtocol old;
        tls_protocol_version_t wire;
    } cases[] = {
        {kTLSProtocol1, 0x0301},  {kTLSProtocol11, 0x0302},           {kTLSProtocol12, 0x0303},
        {kTLSProtocol13, 0x0304}, {kTLSProtocolMaxSupported, 0x0304}, {kDTLSProtocol1, 0xFEFF},
        {kDTLSProtocol12, 0xFEFD}};
    sec_protocol_options_t o = make();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sec_protocol_options_set_tls_min_version(o, cases[i].old);
        sec_protocol_options_set_tls_max_version(o, cases[i].old);
        assert_int_equal(o->min_version, cases[i].wire);
        assert_int_equal(o->max_version, cases[i].wire);
        sec_protocol_options_set_min_tls_protocol_version(o, 0x0301);
        sec_protocol_options_set_max_tls_protocol_version(o, cases[i].wire);
        assert_int_equal(o->min_version, 0x0301);
        assert_int_equal(o->max_version, cases[i].wire);
    }
    assert_misuse(sec_protocol_options_set_tls_min_version(o, kSSLProtocol3));
    assert_misuse(sec_protocol_options_set_tls_max_version(o, kSSLProtocol2));
    assert_misuse(sec_protocol_options_set_min_tls_protocol_version(o, kTLSProtocol12));
    assert_misuse(sec_protocol_options_set_max_tls_protocol_version(o, 0x0305));
    assert_misuse(sec_protocol_options_set_max_tls_protocol_version(NULL, 0x0304));
    assert_int_equal(o->min_version, 0x0301);
    sec_release(o);
}

static void names(void **state) {
    (void)state;
    char protocol[300], name[] = "example.com";
    sec_protocol_options_t o = make();
    sec_protocol_options_set_tls_server_name(o, name);
    name[0] = 'x'; /* it was copied */
    assert_string_equal(o->server_name, "example.com");
    sec_protocol_options_add_tls_application_protocol(o, "h2");
    sec_protocol_options_add_tls_application_protocol(o, "http/1.1");
    memset(protocol, 'p', sizeof protocol);
    protocol[255] = '\0';
    sec_protocol_options_add_tls_application_protocol(o, protocol);
    assert_int_equal(o->application_protocol_count, 3);
    assert_string_equal(o->application_protocols[0], "h2");
    assert_string_equal(o->application_protocols[1], "http/1.1");
    memcpy(protocol + 255, "p", 2);
    assert_misuse(sec_protocol_options_add_tls_application_protocol(o, protocol));
    assert_misuse(sec_protocol_options_add_tls_application_protocol(o, ""));
    assert_misuse(sec_protocol_options_add_tls_application_protocol(o, NULL));
    assert_misuse(sec_protocol_options_add_tls_application_protocol(NULL, "h2"));
    assert_misuse(sec_protocol_options_set_tls_server_name(o, ""));
    assert_misuse(sec_protocol_options_set_tls_server_name(o, NULL));
    assert_misuse(sec_protocol_options_set_local_identity(o, NULL));
    assert_string_equal(o->server_name, "example.com");
    sec_release(o);
}

#define S(name, field)                                                                             \
    { sec_protocol_options_set_##name, offsetof(struct sec_protocol_options, field) }
static const struct {
    void (*set)(sec_protocol_options_t, bool);
    size_t offset;
} switches[] = {S(tls_tickets_enabled, tickets_enabled),
                S(tls_is_fallback_attempt, is_fallback_attempt),
                S(tls_resumption_enabled, resumption_enabled),
                S(tls_false_start_enabled, false_start_enabled),
                S(tls_ocsp_enabled, ocsp_enabled),
                S(tls_sct_enabled, sct_enabled),
                S(tls_renegotiation_enabled, renegotiation_enabled),
                S(peer_authentication_optional, peer_authentication_optional),
                S(enable_encrypted_client_hello, enable_encrypted_client_hello),
                S(quic_use_legacy_codepoint, quic_use_legacy_codepoint)};

static void each_switch_alone(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        sec_protocol_options_t o = make(), plain = make();
        bool fresh = *((bool *)o + switches[i].offset);
        switches[i].set(o, !fresh);
        assert_int_equal(*((bool *)o + switches[i].offset), !fresh);
        assert_false(sec_protocol_options_are_equal(o, plain));
        sec_protocol_options_t copy = nwi_sec_options_copy(o);
        assert_true(sec_protocol_options_are_equal(o, copy));
        switches[i].set(o, fresh);
        assert_true(sec_protocol_options_are_equal(o, plain));
        assert_misuse(switches[i].set(NULL, true));
        sec_release(o), sec_release(plain), sec_release(copy);
    }
    sec_protocol_options_t o = make();
    sec_protocol_options_set_peer_authentication_required(o, false);
    assert_int_equal(o->peer_authentication_required, NWI_SEC_NO);
    sec_protocol_options_set_peer_authentication_required(o, true);
    assert_int_equal(o->peer_authentication_required, NWI_SEC_YES);
    assert_misuse(sec_protocol_options_set_peer_authentication_required(NULL, true));
    sec_protocol_options_set_enable_encrypted_client_hello(o, true);
    sec_protocol_options_set_quic_use_legacy_codepoint(o, true);
    assert_true(sec_protocol_options_get_enable_encrypted_client_hello(o));
    assert_true(sec_protocol_options_get_quic_use_legacy_codepoint(o));
    assert_false(sec_protocol_options_get_enable_encrypted_client_hello(NULL));
    assert_false(sec_protocol_options_get_quic_use_legacy_codepoint(NULL));
    sec_release(o);
}

static void keys(void **state) {
    (void)state;
    sec_protocol_options_t o = make();
    dispatch_data_t key = data("key"), identity = data("identity"), other = data("other");
    sec_protocol_options_add_pre_shared_key(o, key, identity);
    sec_protocol_options_add_pre_shared_key(o, other, identity);
    assert_int_equal(o->psk_count, 2);
    sec_protocol_options_set_tls_pre_shared_key_identity_hint(o, identity);
    sec_protocol_options_set_tls_pre_shared_key_identity_hint(o, other);
    sec_protocol_options_set_tls_diffie_hellman_parameters(o, key);
    assert_ptr_equal(o->psks[0].key, key);
    assert_ptr_equal(o->psk_identity_hint, other);
    assert_ptr_equal(o->dh_parameters, key);
    assert_misuse(sec_protocol_options_add_pre_shared_key(o, NULL, identity));
    assert_misuse(sec_protocol_options_add_pre_shared_key(o, key, NULL));
    assert_misuse(sec_protocol_options_add_pre_shared_key(NULL, key, identity));
    assert_misuse(sec_protocol_options_set_tls_pre_shared_key_identity_hint(o, NULL));
    assert_misuse(sec_protocol_options_set_tls_diffie_hellman_parameters(o, NULL));
    assert_int_equal(o->psk_count, 2);
    nwi_release(key), nwi_release(identity), nwi_release(other); /* the options hold them */
    sec_release(o);
}

/* Everything set; equal when built twice, and different after any one more step. */
static sec_protocol_options_t full(int last) {
    sec_protocol_options_t o = make();
    dispatch_data_t a = data("a"), b = data("b");
    for (int step = 0; step <= last; step++)
        switch (step) {
        case 0:
            sec_protocol_options_set_tls_server_name(o, "example.com");
            break;
        case 1:
            sec_protocol_options_add_tls_application_protocol(o, "h2");
            break;
        case 2:
            sec_protocol_options_add_tls_application_protocol(o, "h3");
            break;
        case 3:
            sec_protocol_options_append_tls_ciphersuite(o, 0x1301);
            break;
        case 4:
            sec_protocol_options_append_tls_ciphersuite_group(o, tls_ciphersuite_group_default);
            break;
        case 5:
            sec_protocol_options_set_min_tls_protocol_version(o, 0x0303);
            break;
        case 6:
            sec_protocol_options_set_max_tls_protocol_version(o, 0x0303);
            break;
        case 7:
            sec_protocol_options_set_tls_diffie_hellman_parameters(o, a);
            break;
        case 8:
            sec_protocol_options_set_tls_diffie_hellman_parameters(o, b);
            break;
        case 9:
            sec_protocol_options_add_pre_shared_key(o, a, b);
            break;
        case 10:
            sec_protocol_options_set_tls_pre_shared_key_identity_hint(o, a);
            break;
        case 11:
            sec_protocol_options_set_peer_authentication_required(o, false);
            break;
        case 12:
            sec_protocol_options_set_verify_block_f(
                o, (void *)1, (sec_protocol_verify_f)(void (*)(void))make, NULL);
            break;
        case 13:
            sec_protocol_options_set_verify_block_f(
                o, (void *)2, (sec_protocol_verify_f)(void (*)(void))make, NULL);
            break;
        }
    nwi_release(a), nwi_release(b);
    return o;
}

static void equality(void **state) {
    (void)state;
    for (int i = 0; i < 14; i++) {
        sec_protocol_options_t o = full(i), again = full(i), before = full(i - 1);
        sec_protocol_options_t copy = nwi_sec_options_copy(o);
        assert_true(sec_protocol_options_are_equal(o, again));
        assert_true(sec_protocol_options_are_equal(o, copy));
        assert_false(sec_protocol_options_are_equal(o, before));
        assert_false(sec_protocol_options_are_equal(before, o));
        sec_release(o), sec_release(again), sec_release(before), sec_release(copy);
    }
    sec_protocol_options_t o = make();
    assert_true(sec_protocol_options_are_equal(NULL, NULL));
    assert_false(sec_protocol_options_are_equal(o, NULL));
    sec_release(o);
}

/* The same octets in one region and in two. */
static void equality_of_split_keys(void **state) {
    (void)state;
    char big[600];
    memset(big, 'k', sizeof big);
    dispatch_data_t whole = nwi_data_create_copy(big, sizeof big);
    dispatch_data_t front = nwi_data_create_copy(big, 123),
                    back = nwi_data_create_copy(big, sizeof big - 123);
    dispatch_data_t joined = dispatch_data_create_concat(front, back);
    big[599] = 'x';
    dispatch_data_t differs = nwi_data_create_copy(big, sizeof big);
    sec_protocol_options_t a = make(), b = make(), c = make();
    sec_protocol_options_add_pre_shared_key(a, whole, front);
    sec_protocol_options_add_pre_shared_key(b, joined, front);
    sec_protocol_options_add_pre_shared_key(c, differs, front);
    assert_true(sec_protocol_options_are_equal(a, b));
    assert_false(sec_protocol_options_are_equal(a, c));
    nwi_release(whole), nwi_release(front), nwi_release(back), nwi_release(joined),
        nwi_release(differs);
    sec_release(a), sec_release(b), sec_release(c);
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
    (void)state;
    int context;
    sec_protocol_options_t o = make();
    sec_protocol_options_set_verify_block_f(o, &context, verify, NULL);
    sec_protocol_options_set_challenge_block_f(o, &context, challenge, NULL);
    sec_protocol_options_set_key_update_block_f(o, &context, key_update, NULL);
    sec_protocol_options_set_pre_shared_key_selection_block_f(o, &context, select_key, NULL);
    assert_true(o->verify->callback.fn == (nwi_fn)verify && !o->verify->is_block);
    assert_true(o->challenge->callback.fn == (nwi_fn)challenge);
    assert_true(o->key_update->callback.fn == (nwi_fn)key_update);
    assert_true(o->psk_selection->callback.fn == (nwi_fn)select_key);
    assert_ptr_equal(o->psk_selection->callback.context, &context);
    sec_protocol_options_t copy = nwi_sec_options_copy(o);
    sec_protocol_options_set_verify_block_f(o, NULL, NULL, NULL);
    assert_null(o->verify);
    assert_non_null(copy->verify);
    assert_misuse(sec_protocol_options_set_verify_block_f(NULL, NULL, verify, NULL));
    assert_misuse(sec_protocol_options_set_challenge_block_f(NULL, NULL, challenge, NULL));
    assert_misuse(sec_protocol_options_set_key_update_block_f(NULL, NULL, key_update, NULL));
    assert_misuse(
        sec_protocol_options_set_pre_shared_key_selection_block_f(NULL, NULL, select_key, NULL));
    sec_release(o), sec_release(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),          cmocka_unit_test(suites),
        cmocka_unit_test(versions),          cmocka_unit_test(names),
        cmocka_unit_test(each_switch_alone), cmocka_unit_test(keys),
        cmocka_unit_test(equality),          cmocka_unit_test(equality_of_split_keys),
        cmocka_unit_test(handlers),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
