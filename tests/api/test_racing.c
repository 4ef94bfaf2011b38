/* test_racing.c - the delays of the race as parameters: limits, defaults, copies, misuse. */
#include <Network/Network.h>
#include <Network/establishment_options.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static nw_parameters_t make_parameters(void) {
    return nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                             NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
}

static void defaults(void **state) {
    (void)state;
    nw_parameters_t p = make_parameters();
    assert_int_equal(nw_parameters_get_attempt_delay_milliseconds(p), 250);
    assert_int_equal(nw_parameters_get_resolution_delay_milliseconds(p), 25);
    nw_release(p);
}

static void limits(void **state) {
    (void)state;
    nw_parameters_t p = make_parameters();
    nw_parameters_set_attempt_delay_milliseconds(p, 0); /* RFC 8305 section 5: never below 10 ms */
    assert_int_equal(nw_parameters_get_attempt_delay_milliseconds(p), 10);
    nw_parameters_set_attempt_delay_milliseconds(p, UINT32_MAX);
    assert_int_equal(nw_parameters_get_attempt_delay_milliseconds(p), 2000);
    nw_parameters_set_attempt_delay_milliseconds(p, 300);
    nw_parameters_set_resolution_delay_milliseconds(p, 0);
    assert_int_equal(nw_parameters_get_resolution_delay_milliseconds(p), 0);
    nw_parameters_t copy = nw_parameters_copy(p);
    assert_int_equal(nw_parameters_get_attempt_delay_milliseconds(copy), 300);
    assert_int_equal(nw_parameters_get_resolution_delay_milliseconds(copy), 0);
    nw_release(copy);
    nw_release(p);
}

static void misuse(void **state) {
    (void)state;
    nw_parameters_set_attempt_delay_milliseconds(NULL, 1);
    nw_parameters_set_resolution_delay_milliseconds(NULL, 1);
    assert_int_equal(nw_parameters_get_attempt_delay_milliseconds(NULL), 0);
    assert_int_equal(nw_parameters_get_resolution_delay_milliseconds(NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(limits),
        cmocka_unit_test(misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
