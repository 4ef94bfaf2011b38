/* test_protocol_stack.c - src/model/protocol_stack.c. */
#include "misuse.h"

#include "model/ip_options.h"
#include "model/protocol_stack.h"
#include "model/tcp_options.h"
#include "model/tls_options.h"
#include "model/udp_options.h"

struct walk {
    nw_protocol_options_t seen[4];
    unsigned count;
    nw_protocol_stack_t clear;
};
static void visit(void *context, nw_protocol_options_t options) {
    struct walk *walk = context;
    walk->seen[walk->count++] = options;
    if (walk->clear != NULL)
        nw_protocol_stack_clear_application_protocols(walk->clear);
    assert_non_null(options->definition); /* still held */
}

static void top_first(void **state) {
    (void)state;
    nw_protocol_stack_t stack = nwi_protocol_stack_create();
    nw_protocol_options_t first = nw_tls_create_options(), second = nw_tls_create_options();
    nw_protocol_stack_prepend_application_protocol(stack, first);
    nw_protocol_stack_prepend_application_protocol(stack, second);
    struct walk walk = {0}, clearing = {.clear = stack}, after = {0};
    nw_protocol_stack_iterate_application_protocols_f(stack, &walk, visit);
    assert_int_equal(walk.count, 2);
    assert_ptr_equal(walk.seen[0], second);
    assert_ptr_equal(walk.seen[1], first);
    nw_release(first), nw_release(second);
    nw_protocol_stack_iterate_application_protocols_f(stack, &clearing, visit);
    assert_int_equal(clearing.count, 2);
    nw_protocol_stack_iterate_application_protocols_f(stack, &after, visit);
    assert_int_equal(after.count, 0);
    nw_release(stack);
}

static void one_transport(void **state) {
    (void)state;
    nw_protocol_stack_t stack = nwi_protocol_stack_create();
    assert_null(nw_protocol_stack_copy_transport_protocol(stack));
    assert_null(nw_protocol_stack_copy_internet_protocol(stack));
    nw_protocol_options_t tcp = nw_tcp_create_options(), udp = nw_udp_create_options();
    nw_protocol_stack_set_transport_protocol(stack, tcp);
    nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
    nw_ip_options_set_version(ip, nw_ip_version_4); /* live */
    assert_int_equal(nwi_ip_options(stack->internet)->version, nw_ip_version_4);
    nw_protocol_stack_set_transport_protocol(stack, udp);
    assert_ptr_equal(stack->transport, udp);
    assert_ptr_equal(stack->internet, ip);
    nw_protocol_stack_set_transport_protocol(stack, udp); /* itself */
    assert_ptr_equal(stack->transport, udp);
    nw_release(ip), nw_release(tcp), nw_release(udp), nw_release(stack);
}

static void refused(void **state) {
    (void)state;
    nw_protocol_stack_t stack = nwi_protocol_stack_create();
    nw_protocol_options_t tcp = nw_tcp_create_options(), tls = nw_tls_create_options();
    nw_protocol_options_t ip = nwi_ip_options_create();
    assert_misuse(nw_protocol_stack_prepend_application_protocol(stack, tcp));
    assert_misuse(nw_protocol_stack_prepend_application_protocol(stack, ip));
    assert_misuse(nw_protocol_stack_set_transport_protocol(stack, tls));
    assert_misuse(nw_protocol_stack_set_transport_protocol(stack, ip));
    assert_int_equal(stack->application_count, 0);
    assert_null(stack->transport);
    assert_misuse(nw_protocol_stack_prepend_application_protocol(NULL, tls));
    assert_misuse(nw_protocol_stack_prepend_application_protocol(stack, NULL));
    assert_misuse(nw_protocol_stack_set_transport_protocol(NULL, tcp));
    assert_misuse(nw_protocol_stack_clear_application_protocols(NULL));
    assert_misuse(nw_protocol_stack_iterate_application_protocols_f(stack, NULL, NULL));
    assert_misuse(assert_null(nw_protocol_stack_copy_transport_protocol(NULL)));
    assert_misuse(assert_null(nw_protocol_stack_copy_internet_protocol(NULL)));
    nw_release(tcp), nw_release(tls), nw_release(ip), nw_release(stack);
}

static void transport_ends_custom_ip(void **state) {
    (void)state;
    nw_protocol_stack_t stack = nwi_protocol_stack_create();
    stack->internet = nwi_ip_options_create();
    nwi_ip_options(stack->internet)->custom_protocol = 253;
    nw_protocol_options_t tcp = nw_tcp_create_options();
    nw_protocol_stack_set_transport_protocol(stack, tcp);
    assert_int_equal(nwi_ip_options(stack->internet)->custom_protocol, 0);
    nw_release(tcp), nw_release(stack);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_first),
        cmocka_unit_test(one_transport),
        cmocka_unit_test(refused),
        cmocka_unit_test(transport_ends_custom_ip),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
