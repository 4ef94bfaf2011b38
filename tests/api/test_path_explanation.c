/*
 * test_path_explanation.c - <Network/path_explanation.h>, function forms.
 */
#include "path_explanation_check.h"

static bool see_own_address(void *context, nw_endpoint_t address, uint8_t prefix_length,
                            nw_address_state_t state) {
    struct seen *seen = context;
    assert_int_equal(nw_endpoint_get_port(address), 0);
    assert_true(prefix_length > 0);
    assert_true(state <= nw_address_state_deprecated);
    seen->own_addresses++;
    return true;
}

static bool see_gateway(void *context, nw_endpoint_t gateway, uint32_t metric) {
    struct seen *seen = context;
    (void)gateway, (void)metric;
    seen->gateways++;
    return true;
}

static bool see_interface(void *context, nw_interface_explanation_t explanation) {
    struct seen *seen = context;
    note_interface(seen, explanation);
    nw_interface_explanation_enumerate_addresses_f(explanation, seen, see_own_address);
    unsigned gateways = seen->gateways;
    nw_interface_explanation_enumerate_gateways_f(explanation, seen, see_gateway);
    assert_true((seen->gateways > gateways) ==
                nw_interface_explanation_get_metric(explanation, NULL));
    return true;
}

static bool see_address(void *context, nw_address_explanation_t explanation) {
    note_address(context, explanation);
    return true;
}

static bool see_one_interface(void *context, nw_interface_explanation_t explanation) {
    (void)explanation;
    return ++*(unsigned *)context < 1;
}

static void see(struct seen *seen, nw_path_explanation_t explanation) {
    nw_path_explanation_enumerate_interfaces_f(explanation, seen, see_interface);
    nw_path_explanation_enumerate_addresses_f(explanation, seen, see_address);
    nw_error_t error = nw_path_explanation_copy_error(explanation);
    seen->error = error != NULL ? nw_error_get_error_code(error) : 0;
    nw_release(error);
}

static void test_without_endpoint(void **state) {
    (void)state;
    struct seen seen = {0};
    nw_path_explanation_t explanation = nw_path_explanation_create(NULL, NULL);
    assert_non_null(explanation);
    see(&seen, explanation);
    assert_true(seen.loopback);
    assert_int_equal(seen.verdict, nw_path_verdict_refused);
    assert_int_equal(seen.reason, nw_path_verdict_reason_loopback);
    assert_string_equal(seen.text, "loopback leads to this machine only");
    assert_true(seen.own_addresses >= 1);
    assert_int_equal(seen.addresses, 0);
    assert_int_equal(seen.error, 0);
    nw_path_t path = nw_path_explanation_copy_path(explanation);
    assert_int_not_equal(nw_path_get_status(path), nw_path_status_invalid);
    nw_release(path);
    unsigned count = 0; /* false stops */
    nw_path_explanation_enumerate_interfaces_f(explanation, &count, see_one_interface);
    assert_int_equal(count, 1);
    nw_release(explanation);
}

static void test_rules(void **state) {
    (void)state;
    struct seen seen = {0};
    nw_parameters_t parameters = nw_parameters_create();
    nw_parameters_set_required_interface_type(parameters, nw_interface_type_loopback);
    nw_path_explanation_t explanation = nw_path_explanation_create(parameters, NULL);
    see(&seen, explanation);
    assert_int_equal(seen.verdict, nw_path_verdict_used);
    assert_int_equal(seen.reason, nw_path_verdict_reason_only);
    nw_release(explanation);
    memset(&seen, 0, sizeof seen);
    nw_parameters_prohibit_interface_type(parameters, nw_interface_type_loopback);
    explanation = nw_path_explanation_create(parameters, NULL);
    see(&seen, explanation);
    assert_int_equal(seen.verdict, nw_path_verdict_refused);
    assert_int_equal(seen.reason, nw_path_verdict_reason_prohibited_type);
    nw_release(explanation);
    nw_release(parameters);
}

static void test_address(void **state) {
    (void)state;
    struct seen seen = {0};
    nw_endpoint_t name = nw_endpoint_create_host("localhost", "80");
    assert_null(nw_path_explanation_create(NULL, name)); /* needs a lookup */
    nw_endpoint_t literal = nw_endpoint_create_host("127.0.0.1", "80");
    nw_path_explanation_t explanation = nw_path_explanation_create(NULL, literal);
    see(&seen, explanation);
    assert_int_equal(seen.addresses, 1);
    assert_string_equal(seen.remote, "127.0.0.1");
    assert_int_equal(seen.kind, nw_route_kind_local);
    assert_string_equal(seen.way, "an address of this machine");
    assert_string_equal(seen.order, "the only address");
    nw_release(explanation);
    nw_release(literal);
    nw_release(name);
}

static void explained(void *context, nw_path_explanation_t explanation) {
    struct seen *seen = context;
    seen->calls++;
    see(seen, explanation);
    sem_post(&seen->done);
}

static void explain(struct seen *seen, nw_parameters_t parameters, const char *host) {
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, "80");
    dispatch_queue_t queue = dispatch_queue_create("explain", NULL);
    memset(seen, 0, sizeof *seen);
    sem_init(&seen->done, 0, 0);
    nw_path_explain_f(parameters, endpoint, queue, seen, explained);
    nw_release(endpoint);
    dispatch_release(queue); /* kept by the request */
    wait_for(&seen->done);
    assert_int_equal(seen->calls, 1);
}

static void test_name(void **state) {
    (void)state;
    struct seen seen;
    explain(&seen, NULL, "localhost");
    assert_int_equal(seen.addresses, 2);
    assert_string_equal(seen.remote, "::1");
    assert_int_equal(seen.error, 0);
    explain(&seen, NULL, "127.0.0.1"); /* an address goes by the same call */
    assert_string_equal(seen.remote, "127.0.0.1");
    explain(&seen, NULL, "x.invalid"); /* RFC 6761 section 6.4: no server is asked */
    assert_int_equal(seen.addresses, 0);
    assert_int_not_equal(seen.error, 0);
}

static void test_family(void **state) {
    (void)state;
    struct seen seen;
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION);
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
    nw_ip_options_set_version(ip, nw_ip_version_4);
    nw_release(ip);
    nw_release(stack);
    explain(&seen, parameters, "localhost");
    assert_int_equal(seen.addresses, 1);
    assert_string_equal(seen.remote, "127.0.0.1");
    explain(&seen, parameters, "::1");
    assert_int_equal(seen.addresses, 0);
    assert_int_not_equal(seen.error, 0);
    nw_release(parameters);
}

/* Loopback is there on every machine: a monitor that requires it is satisfied, one that prohibits
 * it too is not. */
struct told {
    nw_path_status_t status;
    sem_t done;
};
static void told_path(void *context, nw_path_t path) {
    struct told *told = context;
    told->status = nw_path_get_status(path);
    sem_post(&told->done);
}
static void told_end(void *context) {
    sem_post(&((struct told *)context)->done);
}
static nw_path_status_t watch(nw_parameters_t parameters) {
    struct told told = {0};
    sem_init(&told.done, 0, 0);
    dispatch_queue_t queue = dispatch_queue_create("monitor", NULL);
    nw_path_monitor_t monitor = nw_path_monitor_create_with_rules(parameters);
    nw_path_monitor_set_queue(monitor, queue);
    nw_path_monitor_set_update_handler_f(monitor, &told, told_path);
    nw_path_monitor_set_cancel_handler_f(monitor, &told, told_end);
    nw_path_monitor_start(monitor);
    wait_for(&told.done);
    nw_path_monitor_cancel(monitor);
    wait_for(&told.done);
    nw_release(monitor);
    dispatch_release(queue);
    return told.status;
}

static void test_monitor(void **state) {
    (void)state;
    nw_parameters_t parameters = nw_parameters_create();
    nw_parameters_set_required_interface_type(parameters, nw_interface_type_loopback);
    assert_int_equal(watch(parameters), nw_path_status_satisfied);
    nw_parameters_prohibit_interface_type(parameters, nw_interface_type_loopback);
    assert_int_equal(watch(parameters), nw_path_status_unsatisfied);
    nw_release(parameters);
    assert_int_not_equal(watch(NULL), nw_path_status_invalid);
}

static void test_null(void **state) {
    (void)state;
    struct seen seen = {0};
    assert_null(nw_path_explanation_copy_path(NULL));
    assert_null(nw_path_explanation_copy_error(NULL));
    nw_path_explanation_enumerate_interfaces_f(NULL, &seen, see_interface);
    nw_path_explanation_enumerate_addresses_f(NULL, &seen, see_address);
    assert_null(nw_interface_explanation_copy_interface(NULL));
    assert_int_equal(nw_interface_explanation_get_verdict(NULL), nw_path_verdict_unusable);
    assert_int_equal(nw_interface_explanation_get_reason(NULL), 0);
    assert_null(nw_interface_explanation_get_text(NULL));
    assert_false(nw_interface_explanation_get_metric(NULL, NULL));
    assert_int_equal(nw_interface_explanation_get_mtu(NULL), 0);
    assert_false(nw_interface_explanation_is_expensive(NULL));
    nw_interface_explanation_enumerate_addresses_f(NULL, &seen, see_own_address);
    nw_interface_explanation_enumerate_gateways_f(NULL, &seen, see_gateway);
    assert_null(nw_address_explanation_copy_remote(NULL));
    assert_null(nw_address_explanation_copy_source(NULL));
    assert_null(nw_address_explanation_copy_gateway(NULL));
    assert_null(nw_address_explanation_copy_interface(NULL));
    assert_int_equal(nw_address_explanation_get_route_kind(NULL), nw_route_kind_none);
    assert_false(nw_address_explanation_get_match(NULL, NULL, NULL));
    assert_null(nw_address_explanation_get_text(NULL));
    assert_null(nw_address_explanation_get_order_text(NULL));
    nw_path_explain_f(NULL, NULL, NULL, &seen, explained); /* refused, logged */
    assert_int_equal(seen.interfaces + seen.addresses + seen.calls, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_endpoint),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_family),
        cmocka_unit_test(test_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
