/*
 * test_path_explanation_blocks.c - <Network/path_explanation.h>, block forms.
 */
#include "path_explanation_check.h"

static void see(struct seen *seen, nw_path_explanation_t explanation) {
    nw_path_explanation_enumerate_interfaces(
        explanation, ^bool(nw_interface_explanation_t interface) {
            note_interface(seen, interface);
            nw_interface_explanation_enumerate_addresses(
                interface, ^bool(nw_endpoint_t address, uint8_t bits, nw_address_state_t state) {
                    assert_int_equal(nw_endpoint_get_type(address), nw_endpoint_type_address);
                    (void)bits, (void)state;
                    seen->own_addresses++;
                    return true;
                });
            nw_interface_explanation_enumerate_gateways(
                interface, ^bool(nw_endpoint_t gateway, uint32_t metric) {
                    (void)gateway, (void)metric;
                    seen->gateways++;
                    return true;
                });
            return true;
        });
    nw_path_explanation_enumerate_addresses(explanation, ^bool(nw_address_explanation_t address) {
        note_address(seen, address);
        return true;
    });
}

static void test_create(void **state) {
    (void)state;
    struct seen seen = {0};
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "80");
    nw_path_explanation_t explanation = nw_path_explanation_create(NULL, endpoint);
    see(&seen, explanation);
    assert_true(seen.loopback && seen.own_addresses > 0);
    assert_int_equal(seen.addresses, 1);
    nw_release(explanation);
    nw_release(endpoint);
}

static void test_explain(void **state) {
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    sem_init(&seen->done, 0, 0);
    nw_endpoint_t endpoint = nw_endpoint_create_host("localhost", "80");
    dispatch_queue_t queue = dispatch_queue_create("explain", NULL);
    nw_path_explain(NULL, endpoint, queue, ^(nw_path_explanation_t explanation) {
        see(seen, explanation);
        sem_post(&seen->done);
    });
    nw_release(endpoint);
    dispatch_release(queue);
    wait_for(&seen->done);
    assert_int_equal(seen->addresses, 2);
    free(seen);
    nw_path_explain(NULL, NULL, NULL, ^(nw_path_explanation_t explanation) { /* refused, logged */
                                                                             (void)explanation;
                                                                             fail();
    });
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
