/*
 * test_snapshots.c - errors, interfaces, paths and descriptors without a connection: NULL answers
 * as documented. Real ones are looked at where connections make them.
 */
#include <Network/Network.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void null_error(void **state) {
    (void)state;
    assert_int_equal(nw_error_get_error_domain(NULL), nw_error_domain_invalid);
    assert_int_equal(nw_error_get_error_code(NULL), 0);
    assert_null(nw_error_copy_description(NULL));
}

static void null_interface(void **state) {
    (void)state;
    assert_null(nw_interface_get_name(NULL));
    assert_int_equal(nw_interface_get_index(NULL), 0);
    assert_int_equal(nw_interface_get_type(NULL), nw_interface_type_other);
}

static bool never_interface(void *context, nw_interface_t interface) {
    (void)context, (void)interface;
    fail();
    return true;
}
static bool never_gateway(void *context, nw_endpoint_t gateway) {
    (void)context, (void)gateway;
    fail();
    return true;
}

static void null_path(void **state) {
    (void)state;
    assert_int_equal(nw_path_get_status(NULL), nw_path_status_invalid);
    assert_int_equal(nw_path_get_unsatisfied_reason(NULL),
                     nw_path_unsatisfied_reason_not_available);
    assert_int_equal(nw_path_get_link_quality(NULL), nw_link_quality_unknown);
    assert_false(nw_path_is_expensive(NULL) || nw_path_is_constrained(NULL) ||
                 nw_path_is_ultra_constrained(NULL) || nw_path_has_ipv4(NULL) ||
                 nw_path_has_ipv6(NULL) || nw_path_has_dns(NULL) ||
                 nw_path_uses_interface_type(NULL, nw_interface_type_wifi) ||
                 nw_path_is_equal(NULL, NULL));
    assert_null(nw_path_copy_effective_local_endpoint(NULL));
    assert_null(nw_path_copy_effective_remote_endpoint(NULL));
    nw_path_enumerate_interfaces_f(NULL, NULL, never_interface);
    nw_path_enumerate_gateways_f(NULL, NULL, never_gateway);
}

static void advertise_descriptor(void **state) {
    (void)state;
    nw_advertise_descriptor_t d =
        nw_advertise_descriptor_create_bonjour_service(NULL, "_x._tcp", NULL);
    assert_false(nw_advertise_descriptor_get_no_auto_rename(d));
    nw_advertise_descriptor_set_no_auto_rename(d, true);
    assert_true(nw_advertise_descriptor_get_no_auto_rename(d));
    nw_advertise_descriptor_set_txt_record(d, "\003a=b", 4);
    nw_advertise_descriptor_set_txt_record(d, NULL, 0);
    nw_release(d);
    assert_null(nw_advertise_descriptor_create_bonjour_service("n", NULL, NULL));
    assert_false(nw_advertise_descriptor_get_no_auto_rename(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_error), cmocka_unit_test(null_interface), cmocka_unit_test(null_path),
        cmocka_unit_test(advertise_descriptor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
