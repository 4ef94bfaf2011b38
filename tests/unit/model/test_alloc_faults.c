/*
 * test_alloc_faults.c - every constructor and copy of src/model, with each of its allocations
 * failing once: the answer is NULL (or the old value), and nothing leaks.
 */
#include "misuse.h"

#include "base/alloc.h"
#include "dispatch/data.h"
#include "model/advertise_descriptor.h"
#include "model/content_context.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/metadata.h"
#include "model/parameters.h"
#include "model/path.h"
#include "model/received.h"
#include "model/sec_options.h"
#include "model/tls_options.h"

#define DEFAULT NW_PARAMETERS_DEFAULT_CONFIGURATION_F

static void *make_host(void) {
    return nw_endpoint_create_host("example.com", "80");
}
static void *make_address(void) {
    return nw_endpoint_create_host("192.0.2.1", "80");
}
static void *make_url(void) {
    return nw_endpoint_create_url("http://example.com/");
}
static void *make_service(void) {
    return nw_endpoint_create_bonjour_service("a", "_x._tcp", "local");
}
static void *make_interface(void) {
    return nwi_interface_create("eth0", 1, nw_interface_type_wired);
}
static void *make_tcp(void) {
    return nw_parameters_create_secure_tcp_f(NULL, DEFAULT, NULL, DEFAULT);
}
static void *make_udp(void) {
    return nw_parameters_create_secure_udp_f(NULL, DEFAULT, NULL, DEFAULT);
}
static void *make_custom_ip(void) {
    return nw_parameters_create_custom_ip_f(253, NULL, DEFAULT);
}
static void *make_context(void) {
    return nw_content_context_create("c");
}
static void *make_received(void) {
    return nwi_content_context_create_received(true);
}
static void *make_received_datagram(void) {
    return nwi_received_datagram(nw_ip_ecn_flag_ce, 1);
}
static void *make_descriptor(void) {
    return nw_advertise_descriptor_create_bonjour_service("n", "_x._tcp", "local");
}
static void *make_tcp_metadata(void) {
    static const struct nwi_tcp_metadata_ops ops;
    return nwi_tcp_metadata_create(&ops, NULL);
}
static void *make_ip_metadata(void) {
    return nw_ip_create_metadata();
}
static void *make_udp_metadata(void) {
    return nw_udp_create_metadata();
}

static nw_parameters_t rich_parameters;
static nw_interface_t interface;
static nw_endpoint_t address;
static nw_advertise_descriptor_t descriptor;

static void *copy_parameters(void) {
    return nw_parameters_copy(rich_parameters);
}
static void *make_path(void) {
    struct nwi_path_facts facts = {.interfaces = &interface,
                                   .interface_count = 1,
                                   .gateways = &address,
                                   .gateway_count = 1,
                                   .local = address};
    return nwi_path_create(&facts);
}

static int make_rich(void **state) {
    interface = make_interface();
    address = make_address();
    descriptor = make_descriptor();
    nw_advertise_descriptor_set_txt_record(descriptor, "\001a", 2);
    rich_parameters = make_tcp();
    nw_parameters_prohibit_interface(rich_parameters, interface);
    nw_parameters_set_local_endpoint(rich_parameters, address);
    sec_protocol_options_t sec =
        nw_tls_copy_sec_protocol_options(rich_parameters->stack->applications[0]);
    dispatch_data_t key = nwi_data_create_copy("k", 1);
    sec_protocol_options_set_tls_server_name(sec, "example.com");
    sec_protocol_options_add_tls_application_protocol(sec, "h2");
    sec_protocol_options_add_tls_application_protocol(sec, "h3");
    sec_protocol_options_append_tls_ciphersuite(sec, 0x1301);
    sec_protocol_options_add_pre_shared_key(sec, key, key);
    nw_release(key), nw_release(sec);
    return misuse_setup(state);
}
static int unmake_rich(void **state) {
    nw_release(interface), nw_release(address), nw_release(descriptor), nw_release(rich_parameters);
    return misuse_teardown(state);
}

static void every_allocation_of_constructors(void **state) {
    (void)state;
    static void *(*const makers[])(void) = {make_host,
                                            make_address,
                                            make_url,
                                            make_service,
                                            make_interface,
                                            make_tcp,
                                            make_udp,
                                            make_custom_ip,
                                            make_context,
                                            make_received,
                                            make_received_datagram,
                                            make_descriptor,
                                            make_tcp_metadata,
                                            make_ip_metadata,
                                            make_udp_metadata,
                                            copy_parameters,
                                            make_path};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        bool hit = true;
        for (unsigned long n = 1; hit; n++) {
            assert_true(n < 100);
            nwi_alloc_count(true);
            long before = nwi_alloc_live();
            nwi_alloc_fail_at(n);
            void *object = makers[i]();
            hit = nwi_alloc_fault_hit();
            nwi_alloc_fail_at(0);
            misuse_take(); /* running out of memory may be said, or not */
            if (hit != (object == NULL))
                fail_msg("maker %zu, allocation %lu: %s", i, n,
                         hit ? "failed, yet an object" : "NULL");
            nw_release(object);
            assert_int_equal(nwi_alloc_live(), before);
        }
    }
}

static void setters_keep_the_old_value(void **state) {
    (void)state;
    nw_parameters_t p = make_tcp();
    nw_content_context_t c = make_context();
    nw_protocol_metadata_t ip = make_ip_metadata();
    sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(p->stack->applications[0]);
    sec_protocol_options_set_tls_server_name(sec, "old");
#define FAILING(call)                                                                              \
    do {                                                                                           \
        nwi_alloc_fail_at(1);                                                                      \
        assert_misuse(call);                                                                       \
        assert_true(nwi_alloc_fault_hit());                                                        \
        nwi_alloc_fail_at(0);                                                                      \
    } while (0)
    FAILING(nw_parameters_prohibit_interface(p, interface));
    assert_int_equal(p->prohibited_interface_count, 0);
    FAILING(nw_protocol_stack_prepend_application_protocol(p->stack, p->stack->applications[0]));
    assert_int_equal(p->stack->application_count, 1);
    FAILING(nw_content_context_set_metadata_for_protocol(c, ip));
    assert_int_equal(c->metadata_count, 0);
    FAILING(sec_protocol_options_set_tls_server_name(sec, "new"));
    assert_string_equal(sec->server_name, "old");
    FAILING(sec_protocol_options_append_tls_ciphersuite(sec, 1));
    assert_int_equal(sec->ciphersuite_count, 0);
    FAILING(sec_protocol_options_add_tls_application_protocol(sec, "h2"));
    assert_int_equal(sec->application_protocol_count, 0);
    FAILING(sec_protocol_options_set_verify_block_f(sec, NULL,
                                                    (sec_protocol_verify_f)(nwi_fn)make_tcp, NULL));
    assert_null(sec->verify);
    FAILING(nw_advertise_descriptor_set_txt_record(descriptor, "\002bb", 3));
    assert_int_equal(descriptor->txt_length, 2);
    nw_release(p), nw_release(c), nw_release(ip), nw_release(sec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_constructors),
        cmocka_unit_test(setters_keep_the_old_value),
    };
    return cmocka_run_group_tests(tests, make_rich, unmake_rich);
}
