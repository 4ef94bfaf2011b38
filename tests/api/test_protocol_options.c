/* test_protocol_options.c - definitions, options and metadata of IP, TCP, UDP, TLS, as a program
 * sees them. */
#include <Network/Network.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void definitions(void **state) {
    (void)state;
    nw_protocol_definition_t all[] = {
        nw_protocol_copy_tcp_definition(), nw_protocol_copy_udp_definition(),
        nw_protocol_copy_ip_definition(), nw_protocol_copy_tls_definition()};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            assert_int_equal(nw_protocol_definition_is_equal(all[i], all[j]), i == j);
    nw_protocol_options_t tcp = nw_tcp_create_options();
    nw_protocol_definition_t found = nw_protocol_options_copy_definition(tcp);
    assert_true(nw_protocol_definition_is_equal(found, all[0]));
    nw_release(found), nw_release(tcp);
    for (int i = 0; i < 4; i++)
        nw_release(all[i]);
}

/* The setters have no getters: what they do is tested inside and on the wire. Here: all can be
 * called, also wrongly, and nothing happens. */
static void tcp_setters(void **state) {
    (void)state;
    nw_protocol_options_t all[] = {nw_tcp_create_options(), nw_udp_create_options(), NULL};
    for (int i = 0; i < 3; i++) {
        nw_tcp_options_set_no_delay(all[i], true);
        nw_tcp_options_set_no_push(all[i], true);
        nw_tcp_options_set_no_options(all[i], true);
        nw_tcp_options_set_enable_keepalive(all[i], true);
        nw_tcp_options_set_keepalive_count(all[i], 3);
        nw_tcp_options_set_keepalive_idle_time(all[i], 10);
        nw_tcp_options_set_keepalive_interval(all[i], 1);
        nw_tcp_options_set_maximum_segment_size(all[i], 536);
        nw_tcp_options_set_connection_timeout(all[i], 5);
        nw_tcp_options_set_persist_timeout(all[i], 5);
        nw_tcp_options_set_retransmit_connection_drop_time(all[i], 5);
        nw_tcp_options_set_retransmit_fin_drop(all[i], true);
        nw_tcp_options_set_disable_ack_stretching(all[i], true);
        nw_tcp_options_set_enable_fast_open(all[i], true);
        nw_tcp_options_set_disable_ecn(all[i], true);
        nw_tcp_options_set_multipath_force_version(all[i], nw_multipath_version_1);
        nw_release(all[i]);
    }
}

static void ip_setters(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create_secure_udp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(p);
    nw_protocol_options_t all[] = {nw_protocol_stack_copy_internet_protocol(stack),
                                   nw_tcp_create_options(), NULL};
    for (int i = 0; i < 3; i++) {
        nw_ip_options_set_version(all[i], nw_ip_version_6);
        nw_ip_options_set_hop_limit(all[i], 1);
        nw_ip_options_set_use_minimum_mtu(all[i], true);
        nw_ip_options_set_disable_fragmentation(all[i], true);
        nw_ip_options_set_calculate_receive_time(all[i], true);
        nw_ip_options_set_local_address_preference(all[i],
                                                   nw_ip_local_address_preference_temporary);
        nw_ip_options_set_disable_multicast_loopback(all[i], true);
        nw_release(all[i]);
    }
    nw_udp_options_set_prefer_no_checksum(NULL, true);
    nw_release(stack), nw_release(p);
}

static void metadata(void **state) {
    (void)state;
    nw_protocol_metadata_t ip = nw_ip_create_metadata(), udp = nw_udp_create_metadata();
    assert_true(nw_protocol_metadata_is_ip(ip) && nw_protocol_metadata_is_udp(udp));
    assert_false(nw_protocol_metadata_is_ip(udp) || nw_protocol_metadata_is_udp(ip) ||
                 nw_protocol_metadata_is_tcp(ip) || nw_protocol_metadata_is_tls(ip));
    nw_ip_metadata_set_ecn_flag(ip, nw_ip_ecn_flag_ect_0);
    nw_ip_metadata_set_service_class(ip, nw_service_class_background);
    assert_int_equal(nw_ip_metadata_get_ecn_flag(ip), nw_ip_ecn_flag_ect_0);
    assert_int_equal(nw_ip_metadata_get_service_class(ip), nw_service_class_background);
    assert_int_equal(nw_ip_metadata_get_receive_time(ip), 0);
    assert_int_equal(nw_tcp_get_available_receive_buffer(ip), 0); /* not TCP's */
    assert_int_equal(nw_tcp_get_available_send_buffer(NULL), 0);
    assert_int_equal(nw_tcp_set_max_pacing_rate(udp, 1), EINVAL);
    assert_null(nw_tls_copy_sec_protocol_metadata(ip));
    nw_protocol_definition_t found = nw_protocol_metadata_copy_definition(udp);
    nw_protocol_definition_t definition = nw_protocol_copy_udp_definition();
    assert_true(nw_protocol_definition_is_equal(found, definition));
    nw_release(found), nw_release(definition), nw_release(ip), nw_release(udp);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(definitions), cmocka_unit_test(tcp_setters),
                                       cmocka_unit_test(ip_setters), cmocka_unit_test(metadata)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
