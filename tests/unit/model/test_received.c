/*
 * test_received.c - src/model/received.c: one block, whichever of its objects lives longer.
 */
#include "misuse.h"

#include "base/alloc.h"
#include "model/received.h"

static long live(void) {
    return nwi_alloc_live();
}

static void what_it_tells(void **state) {
    (void)state;
    nw_content_context_t context = nwi_received_datagram(nw_ip_ecn_flag_ce, 12345);
    assert_string_equal(nw_content_context_get_identifier(context), "received");
    assert_false(nw_content_context_get_is_final(context));
    assert_true(nw_content_context_get_relative_priority(context) == 0.5);
    nw_protocol_metadata_t ip =
        nw_content_context_copy_protocol_metadata(context, &nwi_ip_definition);
    nw_protocol_metadata_t udp =
        nw_content_context_copy_protocol_metadata(context, &nwi_udp_definition);
    assert_true(nw_protocol_metadata_is_ip(ip) && nw_protocol_metadata_is_udp(udp));
    assert_int_equal(nw_ip_metadata_get_ecn_flag(ip), nw_ip_ecn_flag_ce);
    assert_true(nw_ip_metadata_get_receive_time(ip) == 12345);
    nw_release(udp), nw_release(ip), nw_release(context);
}

/* A program may keep one of them, edit it, and none of another packet changes. */
static void they_live_apart(void **state) {
    (void)state;
    nwi_alloc_count(true);
    long before = live();
    nw_content_context_t one = nwi_received_datagram(nw_ip_ecn_flag_ect_0, 0);
    nw_content_context_t two = nwi_received_datagram(nw_ip_ecn_flag_ect_0, 0);
    assert_int_equal(live() - before, 2); /* one each */
    nw_protocol_metadata_t ip = nw_content_context_copy_protocol_metadata(one, &nwi_ip_definition);
    nw_release(one);
    nw_ip_metadata_set_ecn_flag(ip, nw_ip_ecn_flag_ce);
    assert_int_equal(nw_ip_metadata_get_ecn_flag(ip), nw_ip_ecn_flag_ce);
    assert_int_equal(live() - before, 2);
    nw_release(ip);
    assert_int_equal(live() - before, 1);
    ip = nw_content_context_copy_protocol_metadata(two, &nwi_ip_definition);
    assert_int_equal(nw_ip_metadata_get_ecn_flag(ip), nw_ip_ecn_flag_ect_0);
    nw_release(ip);
    assert_int_equal(live() - before, 1);
    nw_release(two);
    assert_int_equal(live() - before, 0);
    nwi_alloc_count(false);
}

/* It can be used to answer with: metadata replaced and added, antecedents set. */
static void it_can_be_edited(void **state) {
    (void)state;
    nwi_alloc_count(true);
    long before = live();
    nw_content_context_t context = nwi_received_datagram(nw_ip_ecn_flag_ce, 0);
    nw_protocol_metadata_t ip = nw_ip_create_metadata();
    nw_content_context_set_metadata_for_protocol(context, ip);
    assert_ptr_equal(nwi_content_context_metadata(context, &nwi_ip_definition), ip);
    static const struct nwi_tcp_metadata_ops ops;
    nw_protocol_metadata_t tcp = nwi_tcp_metadata_create(&ops, NULL);
    nw_content_context_set_metadata_for_protocol(context, tcp);
    assert_ptr_equal(nwi_content_context_metadata(context, &nwi_tcp_definition), tcp);
    assert_ptr_equal(nwi_content_context_metadata(context, &nwi_ip_definition), ip);
    assert_ptr_equal(nwi_content_context_metadata(context, &nwi_udp_definition), &nwi_udp_metadata);
    nw_content_context_t next = nw_content_context_create("next");
    nw_content_context_set_antecedent(next, context);
    nw_release(tcp), nw_release(ip), nw_release(context);
    nw_release(next); /* the last holder */
    assert_int_equal(live() - before, 0);
    nwi_alloc_count(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_tells),
        cmocka_unit_test(they_live_apart),
        cmocka_unit_test(it_can_be_edited),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
