/* test_parameters.c - nw_parameters_* and nw_protocol_stack_*, in the function form. */
#include "test_parameters_common.h"

static void count_call(void *context, nw_protocol_options_t options) {
    assert_non_null(options);
    ++*(int *)context;
}
static void count_tls(void *context, nw_protocol_options_t options) {
    nw_protocol_definition_t found = nw_protocol_options_copy_definition(options);
    nw_protocol_definition_t tls = nw_protocol_copy_tls_definition();
    *(int *)context += nw_protocol_definition_is_equal(found, tls);
    nw_release(found), nw_release(tls);
}

static int count_applications(nw_parameters_t parameters) {
    int count = 0;
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_stack_iterate_application_protocols_f(stack, &count, count_tls);
    nw_release(stack);
    return count;
}

static void configured_inside_the_call(void **state) {
    (void)state;
    int tls = 0, tcp = 0, udp = 0, ip = 0;
    nw_parameters_t p = nw_parameters_create_secure_tcp_f(&tls, count_call, &tcp, count_call);
    assert_int_equal(tls, 1);
    assert_int_equal(tcp, 1);
    assert_int_equal(count_applications(p), 1);
    assert_transport(p, nw_protocol_copy_tcp_definition());
    assert_live_ip(p);
    nw_release(p);
    p = nw_parameters_create_secure_udp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL, &udp, count_call);
    assert_int_equal(udp, 1);
    assert_int_equal(count_applications(p), 0);
    assert_transport(p, nw_protocol_copy_udp_definition());
    nw_release(p);
    p = nw_parameters_create_custom_ip_f(253, &ip, count_call);
    assert_int_equal(ip, 1);
    assert_transport(p, NULL);
    assert_live_ip(p);
    nw_release(p);
}

static void refused(void **state) {
    (void)state;
    assert_null(nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL, NULL,
                                                  NW_PARAMETERS_DISABLE_PROTOCOL));
    assert_null(nw_parameters_create_secure_tcp_f(NULL, NULL, NULL, NULL));
    assert_null(nw_parameters_create_secure_udp_f(NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION, NULL,
                                                  NW_PARAMETERS_DISABLE_PROTOCOL_F));
    assert_null(nw_parameters_create_custom_ip_f(6, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F));
    assert_null(nw_parameters_create_custom_ip_f(17, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F));
}

static void built_by_hand(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
    assert_transport(p, NULL);
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(p);
    assert_null(nw_protocol_stack_copy_internet_protocol(stack));
    nw_protocol_options_t tcp = nw_tcp_create_options(), udp = nw_udp_create_options();
    nw_protocol_options_t tls = nw_tls_create_options();
    nw_protocol_stack_set_transport_protocol(stack, udp);
    nw_protocol_stack_set_transport_protocol(stack, tcp); /* replaces */
    nw_protocol_stack_prepend_application_protocol(stack, tls);
    assert_transport(p, nw_protocol_copy_tcp_definition());
    assert_int_equal(count_applications(p), 1);
    nw_parameters_t copy = nw_parameters_copy(p);
    nw_protocol_stack_clear_application_protocols(stack);
    assert_int_equal(count_applications(p), 0);
    assert_int_equal(count_applications(copy), 1); /* a deep copy */
    nw_release(tcp), nw_release(udp), nw_release(tls), nw_release(stack), nw_release(p),
        nw_release(copy);
}

static void settings(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
#define SWITCH(name)                                                                               \
    do {                                                                                           \
        assert_false(nw_parameters_get_##name(p));                                                 \
        nw_parameters_set_##name(p, true);                                                         \
        assert_true(nw_parameters_get_##name(p));                                                  \
    } while (0)
    SWITCH(prohibit_expensive);
    SWITCH(prohibit_constrained);
    SWITCH(allow_ultra_constrained);
    SWITCH(reuse_local_address);
    SWITCH(include_peer_to_peer);
    SWITCH(fast_open_enabled);
    SWITCH(local_only);
    SWITCH(prefer_no_proxy);
    assert_false(nw_parameters_requires_dnssec_validation(p));
    nw_parameters_set_requires_dnssec_validation(p, true);
    assert_true(nw_parameters_requires_dnssec_validation(p));
    assert_int_equal(nw_parameters_get_attribution(p), nw_parameters_attribution_developer);
    nw_parameters_set_attribution(p, nw_parameters_attribution_user);
    assert_int_equal(nw_parameters_get_attribution(p), nw_parameters_attribution_user);
    nw_parameters_set_service_class(p, nw_service_class_interactive_voice);
    assert_int_equal(nw_parameters_get_service_class(p), nw_service_class_interactive_voice);
    nw_parameters_set_multipath_service(p, nw_multipath_service_handover);
    assert_int_equal(nw_parameters_get_multipath_service(p), nw_multipath_service_handover);
    nw_parameters_set_expired_dns_behavior(p, nw_parameters_expired_dns_behavior_allow);
    assert_int_equal(nw_parameters_get_expired_dns_behavior(p),
                     nw_parameters_expired_dns_behavior_allow);
    nw_parameters_set_required_interface_type(p, nw_interface_type_loopback);
    assert_int_equal(nw_parameters_get_required_interface_type(p), nw_interface_type_loopback);
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.1", "0");
    nw_parameters_set_local_endpoint(p, local);
    nw_endpoint_t held = nw_parameters_copy_local_endpoint(p);
    assert_ptr_equal(held, local);
    assert_null(nw_parameters_copy_required_interface(p));
    nw_parameters_require_interface(p, NULL);
    nw_release(held), nw_release(local), nw_release(p);
}

static bool note_type(void *context, nw_interface_type_t type) {
    *(unsigned *)context |= 1u << type;
    return true;
}
static bool never(void *context, nw_interface_t interface) {
    (void)context, (void)interface;
    fail();
    return true;
}

static void rules(void **state) {
    (void)state;
    unsigned types = 0;
    nw_parameters_t p = nw_parameters_create();
    nw_parameters_prohibit_interface_type(p, nw_interface_type_wifi);
    nw_parameters_prohibit_interface_type(p, nw_interface_type_cellular);
    nw_parameters_iterate_prohibited_interface_types_f(p, &types, note_type);
    assert_int_equal(types, 1u << nw_interface_type_wifi | 1u << nw_interface_type_cellular);
    nw_parameters_clear_prohibited_interface_types(p);
    types = 0;
    nw_parameters_iterate_prohibited_interface_types_f(p, &types, note_type);
    assert_int_equal(types, 0);
    nw_parameters_prohibit_interface(p, NULL); /* refused */
    nw_parameters_iterate_prohibited_interfaces_f(p, NULL, never);
    nw_parameters_clear_prohibited_interfaces(p);
    nw_release(p);
}

static void null_parameters(void **state) {
    (void)state;
    assert_null(nw_parameters_copy(NULL));
    assert_null(nw_parameters_copy_default_protocol_stack(NULL));
    nw_parameters_set_local_only(NULL, true);
    nw_protocol_stack_set_transport_protocol(NULL, NULL);
    nw_protocol_stack_prepend_application_protocol(NULL, NULL);
    nw_protocol_stack_clear_application_protocols(NULL);
    assert_null(nw_protocol_stack_copy_transport_protocol(NULL));
    assert_null(nw_protocol_stack_copy_internet_protocol(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configured_inside_the_call),
        cmocka_unit_test(refused),
        cmocka_unit_test(built_by_hand),
        cmocka_unit_test(settings),
        cmocka_unit_test(rules),
        cmocka_unit_test(null_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
