/* test_parameters_blocks.c - the calls of parameters.h that take blocks. */
#include "api/test_parameters_common.h"

static void configured_inside_the_call(void **state) {
    (void)state;
    __block int tls = 0, tcp = 0, udp = 0, ip = 0;
    nw_parameters_t p = nw_parameters_create_secure_tcp(
        ^(nw_protocol_options_t options) {
            sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(options);
            assert_non_null(sec);
            nw_release(sec); /* as programs do */
            tls++;
        },
        ^(nw_protocol_options_t options) {
            nw_tcp_options_set_no_delay(options, true);
            tcp++;
        });
    assert_int_equal(tls, 1);
    assert_int_equal(tcp, 1);
    assert_transport(p, nw_protocol_copy_tcp_definition());
    assert_live_ip(p);
    nw_release(p);
    p = nw_parameters_create_secure_udp(NW_PARAMETERS_DISABLE_PROTOCOL,
                                        ^(nw_protocol_options_t options) {
                                            nw_udp_options_set_prefer_no_checksum(options, true);
                                            udp++;
                                        });
    assert_int_equal(udp, 1);
    assert_transport(p, nw_protocol_copy_udp_definition());
    nw_release(p);
    p = nw_parameters_create_custom_ip(253, ^(nw_protocol_options_t options) {
        nw_ip_options_set_hop_limit(options, 1);
        ip++;
    });
    assert_int_equal(ip, 1);
    nw_release(p);
}

static int count_applications(nw_parameters_t parameters) {
    __block int count = 0;
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_stack_iterate_application_protocols(stack, ^(nw_protocol_options_t options) {
        assert_non_null(options);
        count++;
    });
    nw_release(stack);
    return count;
}

static void default_and_disable(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create_secure_tcp(NW_PARAMETERS_DEFAULT_CONFIGURATION,
                                                        NW_PARAMETERS_DEFAULT_CONFIGURATION);
    assert_int_equal(count_applications(p), 1);
    nw_release(p);
    p = nw_parameters_create_secure_tcp(NW_PARAMETERS_DISABLE_PROTOCOL,
                                        NW_PARAMETERS_DEFAULT_CONFIGURATION);
    assert_int_equal(count_applications(p), 0);
    nw_release(p);
    assert_null(nw_parameters_create_secure_tcp(NW_PARAMETERS_DEFAULT_CONFIGURATION,
                                                NW_PARAMETERS_DISABLE_PROTOCOL));
    assert_null(nw_parameters_create_secure_udp(NW_PARAMETERS_DEFAULT_CONFIGURATION, NULL));
    assert_null(nw_parameters_create_custom_ip(253, NW_PARAMETERS_DISABLE_PROTOCOL));
    assert_true(NW_PARAMETERS_DEFAULT_CONFIGURATION != NW_PARAMETERS_DISABLE_PROTOCOL);
}

/* The exported variables are blocks like any other: they can be copied, kept and released. */
static void sentinels_are_blocks(void **state) {
    (void)state;
    nw_parameters_configure_protocol_block_t copy = Block_copy(NW_PARAMETERS_DISABLE_PROTOCOL);
    assert_true(copy == NW_PARAMETERS_DISABLE_PROTOCOL);
    nw_parameters_t p = nw_parameters_create_secure_tcp(copy, NW_PARAMETERS_DEFAULT_CONFIGURATION);
    assert_int_equal(count_applications(p), 0);
    Block_release(copy);
    nw_release(p);
    assert_non_null(NW_CONNECTION_SEND_IDEMPOTENT_CONTENT);
    /* the function form takes the function words also where blocks are known */
    p = nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                          NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    assert_int_equal(count_applications(p), 0);
    nw_release(p);
}

static void iteration(void **state) {
    (void)state;
    __block unsigned types = 0, calls = 0;
    nw_parameters_t p = nw_parameters_create();
    nw_parameters_prohibit_interface_type(p, nw_interface_type_wifi);
    nw_parameters_prohibit_interface_type(p, nw_interface_type_wired);
    nw_parameters_iterate_prohibited_interface_types(p, ^bool(nw_interface_type_t type) {
        types |= 1u << type;
        return true;
    });
    assert_int_equal(types, 1u << nw_interface_type_wifi | 1u << nw_interface_type_wired);
    nw_parameters_iterate_prohibited_interface_types(p, ^bool(nw_interface_type_t type) {
        (void)type;
        calls++;
        return false;
    });
    assert_int_equal(calls, 1);
    nw_parameters_iterate_prohibited_interfaces(p, ^bool(nw_interface_t interface) {
        (void)interface;
        fail();
        return true;
    });
    nw_release(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configured_inside_the_call),
        cmocka_unit_test(default_and_disable),
        cmocka_unit_test(sentinels_are_blocks),
        cmocka_unit_test(iteration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
