/* test_error.c - src/model/error.c. */
#include "misuse.h"

#include "base/alloc.h"
#include "model/error.h"
#include <stdlib.h>
#include <string.h>

static void carries_domain_and_code(void **state) {
    (void)state;
    static const struct {
        nwi_err err;
        nw_error_domain_t domain;
        int code;
    } cases[] = {
        {(nwi_err)1 << 32 | ECONNREFUSED, nw_error_domain_posix, ECONNREFUSED},
        {(nwi_err)2 << 32 | (uint32_t)-65554, nw_error_domain_dns, kDNSServiceErr_NoSuchRecord},
        {(nwi_err)3 << 32 | (uint32_t)-9808, nw_error_domain_tls, -9808},
        {(nwi_err)4 << 32 | 7, nw_error_domain_wifi_aware, 7},
    };
    for (size_t i = 0; i < 4; i++) {
        nw_error_t error = nwi_error_create(cases[i].err);
        assert_int_equal(nw_error_get_error_domain(error), cases[i].domain);
        assert_int_equal(nw_error_get_error_code(error), cases[i].code);
        nw_release(error);
    }
}

static void nothing_is_no_error(void **state) {
    (void)state;
    assert_null(nwi_error_create(0));
    assert_int_equal(nw_error_get_error_domain(NULL), nw_error_domain_invalid);
    assert_int_equal(nw_error_get_error_code(NULL), 0);
    assert_null(nw_error_copy_description(NULL));
}

static void description(void **state) {
    (void)state;
    nw_error_t error = nwi_error_create(nwi_posix(ECONNREFUSED));
    char *text = nw_error_copy_description(error);
    assert_non_null(strstr(text, "posix"));
    assert_non_null(strstr(text, "ECONNREFUSED"));
    assert_non_null(strstr(text, "(111)"));
    free(text);
    nw_release(error);
}

static void never_null_for_a_failure(void **state) {
    (void)state;
    nwi_alloc_fail_at(1);
    nw_error_t error = nwi_error_create(nwi_posix(ECONNREFUSED));
    assert_true(nwi_alloc_fault_hit());
    nwi_alloc_fail_at(0);
    assert_int_equal(nw_error_get_error_domain(error), nw_error_domain_posix);
    assert_int_equal(nw_error_get_error_code(error), ENOMEM);
    nw_release(nw_retain(error)); /* static: counting does not touch it */
    nw_release(error);
    assert_int_equal(nw_error_get_error_code(error), ENOMEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_domain_and_code),
        cmocka_unit_test(nothing_is_no_error),
        cmocka_unit_test(description),
        cmocka_unit_test(never_null_for_a_failure),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
