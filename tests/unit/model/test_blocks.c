/*
 * test_blocks.c - block forms over objects that a program cannot make itself: paths, interfaces,
 * handlers kept in TLS settings, what a handshake agreed on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dispatch/data.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/path.h"
#include "model/sec_metadata.h"
#include <Network/Network.h>
#include <Security/session_metadata.h>

static void path_blocks(void **state) {
    (void)state;
    nw_interface_t links[] = {nwi_interface_create("a", 1, nw_interface_type_wifi),
                              nwi_interface_create("b", 2, nw_interface_type_wired)};
    nw_endpoint_t gateway = nw_endpoint_create_host("192.0.2.254", "0");
    struct nwi_path_facts facts = {
        .interfaces = links, .interface_count = 2, .gateways = &gateway, .gateway_count = 1};
    nw_path_t path = nwi_path_create(&facts);
    nw_interface_t preferred = links[0];
    __block unsigned count = 0;
    nw_path_enumerate_interfaces(path, ^bool(nw_interface_t interface) {
        assert_ptr_equal(interface, preferred);
        count++;
        return false;
    });
    assert_int_equal(count, 1);
    nw_path_enumerate_interfaces(path, ^bool(nw_interface_t interface) {
        count += nw_interface_get_index(interface);
        return true;
    });
    assert_int_equal(count, 1 + 1 + 2);
    nw_path_enumerate_gateways(path, ^bool(nw_endpoint_t found) {
        assert_ptr_equal(found, gateway);
        count = 100;
        return true;
    });
    assert_int_equal(count, 100);
    nw_release(path), nw_release(links[0]), nw_release(links[1]), nw_release(gateway);
}

static void prohibited_interface_blocks(void **state) {
    (void)state;
    nw_interface_t link = nwi_interface_create("a", 1, nw_interface_type_wifi);
    nw_parameters_t parameters = nw_parameters_create();
    nw_parameters_prohibit_interface(parameters, link);
    __block unsigned count = 0;
    nw_parameters_iterate_prohibited_interfaces(parameters, ^bool(nw_interface_t interface) {
        assert_ptr_equal(interface, link);
        count++;
        return true;
    });
    assert_int_equal(count, 1);
    nw_release(parameters), nw_release(link);
}

/* A block kept as a handler is copied once, shared by copies of the options, and released with the
 * last. */
static void handlers_are_copied_and_released(void **state) {
    (void)state;
    nw_parameters_t canary = nw_parameters_create();
    struct nwi_object *counted = (struct nwi_object *)canary;
    sec_protocol_options_t options = nwi_sec_options_create();
    __block int answered = 0;
    void (^answer)(bool) = ^(bool result) {
        answered = result ? 1 : 2;
    };
    sec_protocol_options_set_verify_block(
        options,
        ^(sec_protocol_metadata_t metadata, sec_trust_t trust,
          sec_protocol_verify_complete_t complete) {
            (void)metadata, (void)trust, (void)canary;
            complete(false);
        },
        NULL);
    assert_true(options->verify->is_block);
    sec_protocol_options_t copy = nwi_sec_options_copy(options);
    assert_ptr_equal(copy->verify, options->verify);
    assert_true(sec_protocol_options_are_equal(options, copy));
    sec_protocol_options_set_verify_block(options, NULL, NULL);
    assert_null(options->verify);
    NWI_CALL(copy->verify->callback, void, (void *, void *, void *), NULL, NULL, (void *)answer);
    assert_int_equal(answered, 2);
    sec_protocol_options_set_challenge_block(
        options,
        ^(sec_protocol_metadata_t m, sec_protocol_challenge_complete_t c) {
            (void)m, c(NULL);
        },
        NULL);
    sec_protocol_options_set_key_update_block(
        options,
        ^(sec_protocol_metadata_t m, sec_protocol_key_update_complete_t c) {
            (void)m, c();
        },
        NULL);
    sec_protocol_options_set_pre_shared_key_selection_block(
        options,
        ^(sec_protocol_metadata_t m, dispatch_data_t hint,
          sec_protocol_pre_shared_key_selection_complete_t c) {
            (void)m, c(hint);
        },
        NULL);
    assert_true(options->challenge->is_block && options->key_update->is_block &&
                options->psk_selection->is_block);
    sec_release(options), sec_release(copy);
    assert_int_equal(counted->refs, 1);
    nw_release(canary);
}

static void metadata_blocks(void **state) {
    (void)state;
    sec_protocol_metadata_t m = nwi_sec_metadata_create();
    __block unsigned count = 0;
    void (^see_data)(dispatch_data_t) = ^(dispatch_data_t data) {
        count += dispatch_data_get_size(data);
    };
    void (^see_keys)(dispatch_data_t, dispatch_data_t) =
        ^(dispatch_data_t key, dispatch_data_t identity) {
            assert_null(identity);
            count += dispatch_data_get_size(key);
        };
    void (^see_certificate)(sec_certificate_t) = ^(sec_certificate_t certificate) {
        assert_ptr_equal(certificate, m); /* any object will do: it is only shown */
        count++;
    };
    void (^see_number)(uint16_t) = ^(uint16_t number) {
        count += number;
    };
    assert_false(sec_protocol_metadata_access_peer_certificate_chain(m, see_certificate));
    assert_false(sec_protocol_metadata_access_ocsp_response(m, see_data));
    assert_false(sec_protocol_metadata_access_distinguished_names(m, see_data));
    assert_false(sec_protocol_metadata_access_signed_certificate_timestamps(m, see_data));
    assert_false(sec_protocol_metadata_access_supported_signature_algorithms(m, see_number));
    assert_false(sec_protocol_metadata_access_pre_shared_keys(m, see_keys));
    assert_int_equal(count, 0);
    dispatch_data_t key = nwi_data_create_copy("0123456789", 10);
    sec_protocol_metadata_t other = nwi_sec_metadata_create();
    nwi_sec_metadata_set_peer_chain(other, (sec_certificate_t *)&m, 1);
    nwi_sec_metadata_add_item(&other->ocsp_responses, "1", 1);
    nwi_sec_metadata_add_item(&other->distinguished_names, "22", 2);
    nwi_sec_metadata_add_item(&other->scts, "333", 3);
    nwi_sec_metadata_add_signature_algorithm(other, 1000);
    nwi_sec_metadata_add_psk(other, key, NULL);
    assert_true(sec_protocol_metadata_access_peer_certificate_chain(other, see_certificate));
    assert_int_equal(count, 1);
    assert_true(sec_protocol_metadata_access_ocsp_response(other, see_data));
    assert_int_equal(count, 1 + 1);
    assert_true(sec_protocol_metadata_access_distinguished_names(other, see_data));
    assert_int_equal(count, 2 + 2);
    assert_true(sec_protocol_metadata_access_signed_certificate_timestamps(other, see_data));
    assert_int_equal(count, 4 + 3);
    assert_true(sec_protocol_metadata_access_supported_signature_algorithms(other, see_number));
    assert_int_equal(count, 7 + 1000);
    assert_true(sec_protocol_metadata_access_pre_shared_keys(other, see_keys));
    assert_int_equal(count, 1007 + 10);
    sec_release(other), sec_release(m), dispatch_release(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_blocks),
        cmocka_unit_test(prohibited_interface_blocks),
        cmocka_unit_test(handlers_are_copied_and_released),
        cmocka_unit_test(metadata_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
