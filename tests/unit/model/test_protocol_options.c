/*
 * test_protocol_options.c - src/model/protocol.c, tcp_options.c, udp_options.c, ip_options.c,
 * tls_options.c.
 */
#include "misuse.h"

#include "model/ip_options.h"
#include "model/metadata.h"
#include "model/tcp_options.h"
#include "model/tls_options.h"
#include "model/udp_options.h"
#include <string.h>

static void definitions(void **state) {
    (void)state;
    nw_protocol_definition_t all[] = {
        nw_protocol_copy_tcp_definition(), nw_protocol_copy_udp_definition(),
        nw_protocol_copy_ip_definition(), nw_protocol_copy_tls_definition()};
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++)
            assert_int_equal(nw_protocol_definition_is_equal(all[i], all[j]), i == j);
        assert_false(nw_protocol_definition_is_equal(all[i], NULL));
        nw_release(all[i]);
    }
    assert_false(nw_protocol_definition_is_equal(NULL, NULL));
    nw_protocol_options_t options = nw_udp_create_options();
    nw_protocol_metadata_t metadata = nw_ip_create_metadata();
    nw_protocol_definition_t udp = nw_protocol_options_copy_definition(options);
    nw_protocol_definition_t ip = nw_protocol_metadata_copy_definition(metadata);
    assert_ptr_equal(udp, &nwi_udp_definition);
    assert_ptr_equal(ip, &nwi_ip_definition);
    assert_misuse(assert_null(nw_protocol_options_copy_definition(NULL)));
    assert_misuse(assert_null(nw_protocol_metadata_copy_definition(NULL)));
    nw_release(udp), nw_release(ip), nw_release(options), nw_release(metadata);
}

#define T(option)                                                                                  \
    { nw_tcp_options_set_##option, offsetof(struct nwi_tcp_options, option) }
static const struct {
    void (*set)(nw_protocol_options_t, bool);
    size_t offset;
} tcp_switches[] = {T(no_delay),
                    T(no_push),
                    T(no_options),
                    T(enable_keepalive),
                    T(retransmit_fin_drop),
                    T(disable_ack_stretching),
                    T(enable_fast_open),
                    T(disable_ecn)};
static const struct {
    void (*set)(nw_protocol_options_t, uint32_t);
    size_t offset;
} tcp_numbers[] = {T(keepalive_count),
                   T(keepalive_idle_time),
                   T(keepalive_interval),
                   T(maximum_segment_size),
                   T(connection_timeout),
                   T(persist_timeout),
                   T(retransmit_connection_drop_time)};

/* Sets one and looks at all, in the options and in a copy of them. */
static void tcp_settings_alone(void **state) {
    (void)state;
    enum { S = 8, N = 7 };
    nw_protocol_options_t udp = nw_udp_create_options();
    for (size_t i = 0; i < S + N; i++) {
        nw_protocol_options_t options = nw_tcp_create_options();
        if (i < S)
            tcp_switches[i].set(options, true);
        else
            tcp_numbers[i - S].set(options, 1234567);
        nw_protocol_options_t copy = nwi_protocol_options_copy(options);
        for (size_t j = 0; j < S; j++)
            assert_int_equal(*((bool *)copy + tcp_switches[j].offset), i == j);
        for (size_t j = 0; j < N; j++) {
            uint32_t value;
            memcpy(&value, (char *)copy + tcp_numbers[j].offset, sizeof value);
            assert_int_equal(value, i == S + j ? 1234567 : 0);
        }
        assert_int_equal(nwi_tcp_options(copy)->multipath_force_version, -1);
        if (i < S) {
            assert_misuse(tcp_switches[i].set(udp, true));
            assert_misuse(tcp_switches[i].set(NULL, true));
        } else {
            assert_misuse(tcp_numbers[i - S].set(udp, 1));
            assert_misuse(tcp_numbers[i - S].set(NULL, 1));
        }
        nw_release(options), nw_release(copy);
    }
    nw_release(udp);
}

static void tcp_multipath_version(void **state) {
    (void)state;
    nw_protocol_options_t options = nw_tcp_create_options();
    nw_tcp_options_set_multipath_force_version(options, nw_multipath_version_1);
    assert_misuse(nw_tcp_options_set_multipath_force_version(options, (nw_multipath_version_t)2));
    assert_misuse(nw_tcp_options_set_multipath_force_version(options, (nw_multipath_version_t)-2));
    assert_misuse(nw_tcp_options_set_multipath_force_version(NULL, nw_multipath_version_1));
    assert_int_equal(nwi_tcp_options(options)->multipath_force_version, nw_multipath_version_1);
    nw_tcp_options_set_multipath_force_version(options, nw_multipath_version_unspecified);
    assert_int_equal(nwi_tcp_options(options)->multipath_force_version, -1);
    nw_release(options);
}

static void udp_settings(void **state) {
    (void)state;
    nw_protocol_options_t options = nw_udp_create_options(), tcp = nw_tcp_create_options();
    assert_false(nwi_udp_options(options)->prefer_no_checksum);
    nw_udp_options_set_prefer_no_checksum(options, true);
    nw_protocol_options_t copy = nwi_protocol_options_copy(options);
    assert_true(nwi_udp_options(copy)->prefer_no_checksum);
    assert_null(nwi_udp_options(tcp));
    assert_misuse(nw_udp_options_set_prefer_no_checksum(tcp, true));
    assert_misuse(nw_udp_options_set_prefer_no_checksum(NULL, true));
    nw_release(options), nw_release(tcp), nw_release(copy);
}

static void ip_settings(void **state) {
    (void)state;
    nw_protocol_options_t options = nwi_ip_options_create(), tcp = nw_tcp_create_options();
    nw_ip_options_set_version(options, nw_ip_version_6);
    nw_ip_options_set_hop_limit(options, 7);
    nw_ip_options_set_use_minimum_mtu(options, true);
    nw_ip_options_set_calculate_receive_time(options, true);
    nw_ip_options_set_disable_multicast_loopback(options, true);
    nw_ip_options_set_local_address_preference(options, nw_ip_local_address_preference_stable);
    assert_false(nwi_ip_options(options)->fragmentation_set);
    nw_ip_options_set_disable_fragmentation(options, false);
    nw_protocol_options_t copy = nwi_protocol_options_copy(options);
    const struct nwi_ip_options *ip = nwi_ip_options(copy);
    assert_int_equal(ip->version, 6);
    assert_int_equal(ip->hop_limit, 7);
    assert_true(ip->use_minimum_mtu && ip->calculate_receive_time &&
                ip->disable_multicast_loopback);
    assert_int_equal(ip->local_address_preference, nw_ip_local_address_preference_stable);
    assert_true(ip->fragmentation_set && !ip->disable_fragmentation);
    assert_misuse(nw_ip_options_set_version(options, (nw_ip_version_t)5));
    assert_misuse(
        nw_ip_options_set_local_address_preference(options, (nw_ip_local_address_preference_t)3));
    assert_int_equal(nwi_ip_options(options)->version, 6);
    assert_misuse(nw_ip_options_set_version(tcp, nw_ip_version_4));
    assert_misuse(nw_ip_options_set_hop_limit(NULL, 1));
    assert_misuse(nw_ip_options_set_use_minimum_mtu(tcp, true));
    assert_misuse(nw_ip_options_set_calculate_receive_time(tcp, true));
    assert_misuse(nw_ip_options_set_disable_multicast_loopback(tcp, true));
    assert_misuse(nw_ip_options_set_disable_fragmentation(NULL, true));
    assert_misuse(
        nw_ip_options_set_local_address_preference(NULL, nw_ip_local_address_preference_default));
    nw_release(options), nw_release(copy), nw_release(tcp);
}

static void tls_settings_are_live(void **state) {
    (void)state;
    nw_protocol_options_t options = nw_tls_create_options(), tcp = nw_tcp_create_options();
    sec_protocol_options_t a = nw_tls_copy_sec_protocol_options(options);
    sec_protocol_options_t b = nw_tls_copy_sec_protocol_options(options);
    assert_ptr_equal(a, b);
    sec_protocol_options_set_tls_server_name(a, "example.com");
    nw_protocol_options_t copy = nwi_protocol_options_copy(options);
    sec_protocol_options_set_tls_server_name(b, "example.org");
    assert_string_equal(nwi_tls_options(options)->sec->server_name, "example.org");
    assert_string_equal(nwi_tls_options(copy)->sec->server_name, "example.com");
    assert_misuse(assert_null(nw_tls_copy_sec_protocol_options(tcp)));
    assert_misuse(assert_null(nw_tls_copy_sec_protocol_options(NULL)));
    nw_protocol_metadata_t ip = nw_ip_create_metadata();
    assert_false(nw_protocol_metadata_is_tls(ip));
    assert_false(nw_protocol_metadata_is_tls(NULL));
    assert_misuse(assert_null(nw_tls_copy_sec_protocol_metadata(ip)));
    assert_misuse(assert_null(nw_tls_copy_sec_protocol_metadata(NULL)));
    nw_release(a), nw_release(b), nw_release(options), nw_release(copy), nw_release(tcp),
        nw_release(ip);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions),           cmocka_unit_test(tcp_settings_alone),
        cmocka_unit_test(tcp_multipath_version), cmocka_unit_test(udp_settings),
        cmocka_unit_test(ip_settings),           cmocka_unit_test(tls_settings_are_live),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
