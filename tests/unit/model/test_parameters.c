/*
 * test_parameters.c - src/model/parameters.c, parameters_rules.c, parameters_settings.c.
 */
#include "misuse.h"

#include "model/interface.h"
#include "model/ip_options.h"
#include "model/parameters.h"
#include "model/tcp_options.h"
#include "model/tls_options.h"
#include "model/udp_options.h"
#include <pthread.h>

#define DEFAULT NW_PARAMETERS_DEFAULT_CONFIGURATION_F
#define DISABLE NW_PARAMETERS_DISABLE_PROTOCOL_F

static void note_options(void *context, nw_protocol_options_t options) {
    nw_protocol_options_t *seen = context;
    assert_null(*seen); /* each is called once */
    *seen = options;
}

static void secure_tcp(void **state) {
    (void)state;
    nw_protocol_options_t tls = NULL, tcp = NULL;
    nw_parameters_t p = nw_parameters_create_secure_tcp_f(&tls, note_options, &tcp, note_options);
    assert_ptr_equal(tcp, p->stack->transport);
    assert_int_equal(p->stack->application_count, 1);
    assert_ptr_equal(tls, p->stack->applications[0]);
    assert_non_null(nwi_tcp_options(tcp));
    assert_non_null(nwi_tls_options(tls));
    assert_non_null(nwi_ip_options(p->stack->internet));
    nw_release(p);

    p = nw_parameters_create_secure_tcp_f(NULL, DISABLE, NULL, DEFAULT);
    assert_int_equal(p->stack->application_count, 0);
    assert_non_null(nwi_tcp_options(p->stack->transport));
    nw_release(p);
    p = nw_parameters_create_secure_tcp_f(NULL, DEFAULT, NULL, DEFAULT);
    assert_ptr_equal(p->stack->applications[0]->definition, &nwi_tls_definition);
    nw_release(p);
}

static void secure_udp(void **state) {
    (void)state;
    nw_protocol_options_t dtls = NULL, udp = NULL;
    nw_parameters_t p = nw_parameters_create_secure_udp_f(&dtls, note_options, &udp, note_options);
    assert_non_null(nwi_udp_options(udp));
    assert_non_null(nwi_tls_options(dtls));
    assert_ptr_equal(udp, p->stack->transport);
    nw_release(p);
}

static void custom_ip(void **state) {
    (void)state;
    nw_protocol_options_t ip = NULL;
    nw_parameters_t p = nw_parameters_create_custom_ip_f(253, &ip, note_options);
    assert_ptr_equal(ip, p->stack->internet);
    assert_int_equal(nwi_ip_options(ip)->custom_protocol, 253);
    assert_null(p->stack->transport);
    nw_release(p);
    static const uint8_t refused[] = {0, 6, 17};
    for (size_t i = 0; i < 3; i++)
        assert_misuse(assert_null(nw_parameters_create_custom_ip_f(refused[i], NULL, DEFAULT)));
    assert_misuse(assert_null(nw_parameters_create_custom_ip_f(253, NULL, DISABLE)));
    assert_misuse(assert_null(nw_parameters_create_custom_ip_f(253, NULL, NULL)));
}

static void refused_combinations(void **state) {
    (void)state;
    assert_misuse(assert_null(nw_parameters_create_secure_tcp_f(NULL, DEFAULT, NULL, DISABLE)));
    assert_misuse(assert_null(nw_parameters_create_secure_tcp_f(NULL, NULL, NULL, DEFAULT)));
    assert_misuse(assert_null(nw_parameters_create_secure_udp_f(NULL, DEFAULT, NULL, DISABLE)));
    assert_misuse(assert_null(nw_parameters_create_secure_udp_f(NULL, DEFAULT, NULL, NULL)));
}

static void defaults(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
    assert_null(p->stack->transport);
    assert_null(p->stack->internet);
    assert_int_equal(p->stack->application_count, 0);
    assert_null(nw_parameters_copy_required_interface(p));
    assert_null(nw_parameters_copy_local_endpoint(p));
    assert_int_equal(nw_parameters_get_required_interface_type(p), nw_interface_type_other);
    assert_int_equal(nw_parameters_get_attribution(p), nw_parameters_attribution_developer);
    assert_int_equal(nw_parameters_get_service_class(p), nw_service_class_best_effort);
    assert_int_equal(nw_parameters_get_multipath_service(p), nw_multipath_service_disabled);
    assert_int_equal(nw_parameters_get_expired_dns_behavior(p),
                     nw_parameters_expired_dns_behavior_default);
    nw_release(p);
}

/* Each switch alone: the setter of one must not move another. */
static const struct {
    void (*set)(nw_parameters_t, bool);
    bool (*get)(nw_parameters_t);
} switches[] = {
    {nw_parameters_set_prohibit_expensive, nw_parameters_get_prohibit_expensive},
    {nw_parameters_set_prohibit_constrained, nw_parameters_get_prohibit_constrained},
    {nw_parameters_set_allow_ultra_constrained, nw_parameters_get_allow_ultra_constrained},
    {nw_parameters_set_reuse_local_address, nw_parameters_get_reuse_local_address},
    {nw_parameters_set_include_peer_to_peer, nw_parameters_get_include_peer_to_peer},
    {nw_parameters_set_fast_open_enabled, nw_parameters_get_fast_open_enabled},
    {nw_parameters_set_local_only, nw_parameters_get_local_only},
    {nw_parameters_set_prefer_no_proxy, nw_parameters_get_prefer_no_proxy},
    {nw_parameters_set_requires_dnssec_validation, nw_parameters_requires_dnssec_validation},
};
enum { SWITCHES = sizeof switches / sizeof switches[0] };

static void each_switch_alone(void **state) {
    (void)state;
    for (size_t i = 0; i < SWITCHES; i++) {
        nw_parameters_t p = nw_parameters_create();
        switches[i].set(p, true);
        for (size_t j = 0; j < SWITCHES; j++)
            assert_int_equal(switches[j].get(p), i == j);
        nw_parameters_t copy = nw_parameters_copy(p);
        assert_true(switches[i].get(copy));
        switches[i].set(p, false);
        assert_false(switches[i].get(p));
        assert_true(switches[i].get(copy));
        assert_misuse(switches[i].set(NULL, true));
        assert_false(switches[i].get(NULL));
        nw_release(p), nw_release(copy);
    }
}

static void values_are_checked(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
    for (int v = 0; v <= 5; v++) {
        nw_parameters_set_service_class(p, (nw_service_class_t)v);
        assert_int_equal(nw_parameters_get_service_class(p), v);
    }
    for (int v = 0; v <= 3; v++) {
        nw_parameters_set_multipath_service(p, (nw_multipath_service_t)v);
        nw_parameters_set_expired_dns_behavior(p, (nw_parameters_expired_dns_behavior_t)v);
        assert_int_equal(nw_parameters_get_multipath_service(p), v);
        assert_int_equal(nw_parameters_get_expired_dns_behavior(p), v);
    }
    nw_parameters_set_attribution(p, nw_parameters_attribution_user);
    assert_misuse(nw_parameters_set_service_class(p, (nw_service_class_t)6));
    assert_misuse(nw_parameters_set_multipath_service(p, (nw_multipath_service_t)4));
    assert_misuse(
        nw_parameters_set_expired_dns_behavior(p, (nw_parameters_expired_dns_behavior_t)4));
    assert_misuse(nw_parameters_set_attribution(p, 0));
    assert_misuse(nw_parameters_set_attribution(p, 3));
    assert_misuse(nw_parameters_set_required_interface_type(p, (nw_interface_type_t)5));
    assert_misuse(nw_parameters_prohibit_interface_type(p, (nw_interface_type_t)32));
    assert_int_equal(nw_parameters_get_service_class(p), 5);
    assert_int_equal(nw_parameters_get_multipath_service(p), 3);
    assert_int_equal(nw_parameters_get_attribution(p), nw_parameters_attribution_user);
    assert_int_equal(nw_parameters_get_service_class(NULL), 0);
    assert_int_equal(nw_parameters_get_multipath_service(NULL), 0);
    assert_int_equal(nw_parameters_get_expired_dns_behavior(NULL), 0);
    assert_int_equal(nw_parameters_get_attribution(NULL), 0);
    nw_release(p);
}

struct walk {
    nw_interface_t seen[4];
    unsigned types, count, stop_after;
    nw_parameters_t clear;
};
static bool visit_interface(void *context, nw_interface_t interface) {
    struct walk *walk = context;
    walk->seen[walk->count++] = interface;
    if (walk->clear != NULL)
        nw_parameters_clear_prohibited_interfaces(walk->clear);
    return walk->count < walk->stop_after;
}
static bool visit_type(void *context, nw_interface_type_t type) {
    struct walk *walk = context;
    walk->types |= 1u << type;
    walk->count++;
    return walk->count < walk->stop_after;
}

static void prohibited_interfaces(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
    nw_interface_t a = nwi_interface_create("a", 1, nw_interface_type_wired);
    nw_interface_t a2 = nwi_interface_create("a", 1, nw_interface_type_wired);
    nw_interface_t b = nwi_interface_create("b", 2, nw_interface_type_wifi);
    nw_parameters_prohibit_interface(p, a);
    nw_parameters_prohibit_interface(p, a2); /* the same one again */
    nw_parameters_prohibit_interface(p, b);
    struct walk all = {.stop_after = 9}, one = {.stop_after = 1},
                cleared = {.stop_after = 9, .clear = p};
    nw_parameters_iterate_prohibited_interfaces_f(p, &all, visit_interface);
    assert_int_equal(all.count, 2);
    assert_ptr_equal(all.seen[0], a);
    assert_ptr_equal(all.seen[1], b);
    nw_parameters_iterate_prohibited_interfaces_f(p, &one, visit_interface);
    assert_int_equal(one.count, 1);
    nw_parameters_t copy = nw_parameters_copy(p);
    nw_parameters_iterate_prohibited_interfaces_f(p, &cleared,
                                                  visit_interface); /* edits while walking */
    assert_int_equal(cleared.count, 1);
    assert_int_equal(copy->prohibited_interface_count, 2);
    assert_true(nwi_parameters_allow_interface(p, a));
    assert_false(nwi_parameters_allow_interface(copy, a));
    assert_misuse(nw_parameters_prohibit_interface(p, NULL));
    assert_misuse(nw_parameters_prohibit_interface(NULL, a));
    assert_misuse(nw_parameters_clear_prohibited_interfaces(NULL));
    assert_misuse(nw_parameters_iterate_prohibited_interfaces_f(p, NULL, NULL));
    nw_release(a), nw_release(a2), nw_release(b), nw_release(p), nw_release(copy);
}

static void prohibited_types(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
    nw_parameters_prohibit_interface_type(p, nw_interface_type_other);
    nw_parameters_prohibit_interface_type(p, nw_interface_type_loopback);
    struct walk all = {.stop_after = 9}, one = {.stop_after = 1};
    nw_parameters_iterate_prohibited_interface_types_f(p, &all, visit_type);
    assert_int_equal(all.types, 1u << nw_interface_type_other | 1u << nw_interface_type_loopback);
    nw_parameters_iterate_prohibited_interface_types_f(p, &one, visit_type);
    assert_int_equal(one.count, 1);
    nw_parameters_clear_prohibited_interface_types(p);
    struct walk none = {.stop_after = 9};
    nw_parameters_iterate_prohibited_interface_types_f(p, &none, visit_type);
    assert_int_equal(none.count, 0);
    assert_misuse(nw_parameters_clear_prohibited_interface_types(NULL));
    assert_misuse(nw_parameters_iterate_prohibited_interface_types_f(NULL, &all, visit_type));
    nw_release(p);
}

static void judging_an_interface(void **state) {
    (void)state;
    nw_interface_t wired = nwi_interface_create("eth0", 1, nw_interface_type_wired);
    nw_interface_t wifi = nwi_interface_create("wlan0", 2, nw_interface_type_wifi);
    nw_interface_t other = nwi_interface_create("tun0", 3, nw_interface_type_other);
    nw_parameters_t p = nw_parameters_create();
    assert_true(nwi_parameters_allow_interface(p, wired));
    assert_true(nwi_parameters_allow_interface(p, other));
    nw_parameters_set_required_interface_type(p, nw_interface_type_wired);
    assert_true(nwi_parameters_allow_interface(p, wired));
    assert_false(nwi_parameters_allow_interface(p, wifi));
    assert_false(nwi_parameters_allow_interface(p, other));
    nw_parameters_set_required_interface_type(p, nw_interface_type_other);
    nw_parameters_require_interface(p, wifi);
    assert_false(nwi_parameters_allow_interface(p, wired));
    assert_true(nwi_parameters_allow_interface(p, wifi));
    nw_interface_t required = nw_parameters_copy_required_interface(p);
    assert_ptr_equal(required, wifi);
    nw_release(required);
    nw_parameters_require_interface(p, NULL);
    nw_parameters_prohibit_interface_type(p, nw_interface_type_other);
    assert_false(nwi_parameters_allow_interface(p, other));
    assert_true(nwi_parameters_allow_interface(p, wired));
    assert_misuse(nw_parameters_require_interface(NULL, wifi));
    assert_null(nw_parameters_copy_required_interface(NULL));
    nw_release(wired), nw_release(wifi), nw_release(other), nw_release(p);
}

static void local_endpoint(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
    nw_endpoint_t address = nw_endpoint_create_host("127.0.0.1", "0");
    nw_endpoint_t name = nw_endpoint_create_host("localhost", "0");
    nw_parameters_set_local_endpoint(p, address);
    assert_misuse(nw_parameters_set_local_endpoint(p, name)); /* and the old one stays */
    nw_endpoint_t held = nw_parameters_copy_local_endpoint(p);
    assert_ptr_equal(held, address);
    nw_release(held);
    nw_parameters_set_local_endpoint(p, NULL);
    assert_null(nw_parameters_copy_local_endpoint(p));
    assert_misuse(nw_parameters_set_local_endpoint(NULL, address));
    assert_null(nw_parameters_copy_local_endpoint(NULL));
    nw_release(p), nw_release(address), nw_release(name);
}

static void copies_are_deep(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create_secure_tcp_f(NULL, DEFAULT, NULL, DEFAULT);
    nw_parameters_t copy = nw_parameters_copy(p);
    nw_tcp_options_set_no_delay(p->stack->transport, true);
    nw_ip_options_set_version(p->stack->internet, nw_ip_version_6);
    sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(p->stack->applications[0]);
    sec_protocol_options_set_tls_server_name(sec, "example.com");
    assert_false(nwi_tcp_options(copy->stack->transport)->no_delay);
    assert_int_equal(nwi_ip_options(copy->stack->internet)->version, nw_ip_version_any);
    assert_null(nwi_tls_options(copy->stack->applications[0])->sec->server_name);
    assert_int_equal(copy->base.refs, 1);
    assert_misuse(assert_null(nw_parameters_copy(NULL)));
    assert_null(nwi_parameters_copy_for_connection(NULL));
    nw_release(sec), nw_release(p), nw_release(copy);
}

/* Whatever is changed, the next connection gets a copy of its own; else all have the same. */
static void connections_share_a_copy(void **state) {
    (void)state;
    nw_parameters_t p =
        nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, DEFAULT);
    nw_interface_t lo = nwi_interface_create("lo", 1, nw_interface_type_loopback);
    nw_protocol_options_t udp = nw_udp_create_options();
    nw_parameters_t last = nwi_parameters_copy_for_connection(p);
    assert_ptr_not_equal(last, p);
    for (int change = 0; change < 8; change++) {
        nw_parameters_t same = nwi_parameters_copy_for_connection(p);
        assert_ptr_equal(same, last);
        nw_release(same);
        switch (change) {
        case 0:
            nw_parameters_set_reuse_local_address(p, true);
            break;
        case 1:
            nw_parameters_require_interface(p, lo);
            break;
        case 2:
            nw_parameters_prohibit_interface(p, lo);
            break;
        case 3:
            nw_parameters_clear_prohibited_interfaces(p);
            break;
        case 4:
            nw_tcp_options_set_no_delay(p->stack->transport, true);
            break;
        case 5:
            nw_ip_options_set_hop_limit(p->stack->internet, 3);
            break;
        case 6:
            nw_protocol_stack_set_transport_protocol(p->stack, udp);
            break;
        default:
            nw_parameters_set_service_class(p, nw_service_class_background);
        }
        nw_parameters_t next = nwi_parameters_copy_for_connection(p);
        assert_ptr_not_equal(next, last);
        nw_release(last);
        last = next;
    }
    assert_int_equal(last->base.refs, 2); /* ours and that of the parameters */
    nw_release(p);
    assert_int_equal(last->base.refs, 1);
    nw_release(last), nw_release(lo), nw_release(udp);
}

/* Connections share the copy, and with it what TLS made of it, until a setting of TLS changes. */
static void secure_copies_are_shared_while_equal(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create_secure_tcp_f(NULL, DEFAULT, NULL, DEFAULT);
    sec_protocol_options_t sec = nwi_tls_options(p->stack->applications[0])->sec; /* live */
    nw_parameters_t first = nwi_parameters_copy_for_connection(p);
    nw_parameters_t second = nwi_parameters_copy_for_connection(p);
    assert_ptr_equal(first, second);
    sec_protocol_options_set_tls_server_name(sec, "other.test");
    nw_parameters_t third = nwi_parameters_copy_for_connection(p);
    assert_ptr_not_equal(third, first);
    assert_null(nwi_tls_options(first->stack->applications[0])->sec->server_name);
    assert_string_equal(nwi_tls_options(third->stack->applications[0])->sec->server_name,
                        "other.test");
    nw_release(first), nw_release(second), nw_release(third), nw_release(p);
}

static void *copy_often(void *parameters) {
    for (int i = 0; i < 2000; i++) {
        nw_parameters_t copy = nwi_parameters_copy_for_connection(parameters);
        assert_true(nwi_tcp_options(copy->stack->transport)->no_delay);
        nw_release(copy);
    }
    return NULL;
}

static void threads_share_a_copy(void **state) {
    (void)state;
    nw_parameters_t p =
        nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, DEFAULT);
    nw_tcp_options_set_no_delay(p->stack->transport, true);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, copy_often, p), 0);
    copy_often(p);
    pthread_join(thread, NULL);
    nw_release(p);
}

static void the_stack_is_live(void **state) {
    (void)state;
    nw_parameters_t p = nw_parameters_create();
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(p);
    nw_protocol_options_t udp = nw_udp_create_options();
    nw_protocol_stack_set_transport_protocol(stack, udp);
    assert_ptr_equal(p->stack->transport, udp);
    assert_misuse(assert_null(nw_parameters_copy_default_protocol_stack(NULL)));
    nw_release(p); /* the stack outlives its parameters */
    nw_protocol_options_t held = nw_protocol_stack_copy_transport_protocol(stack);
    assert_ptr_equal(held, udp);
    nw_release(held), nw_release(stack), nw_release(udp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secure_tcp),
        cmocka_unit_test(secure_udp),
        cmocka_unit_test(custom_ip),
        cmocka_unit_test(refused_combinations),
        cmocka_unit_test(defaults),
        cmocka_unit_test(each_switch_alone),
        cmocka_unit_test(values_are_checked),
        cmocka_unit_test(prohibited_interfaces),
        cmocka_unit_test(prohibited_types),
        cmocka_unit_test(judging_an_interface),
        cmocka_unit_test(local_endpoint),
        cmocka_unit_test(copies_are_deep),
        cmocka_unit_test(the_stack_is_live),
        cmocka_unit_test(connections_share_a_copy),
        cmocka_unit_test(threads_share_a_copy),
        cmocka_unit_test(secure_copies_are_shared_while_equal),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
