/* test_interface.c - src/model/interface.c. */
#include "misuse.h"

#include "model/interface.h"
#include <string.h>

static void tells_what_it_is(void **state) {
    (void)state;
    char name[] = "eth0";
    nw_interface_t interface = nwi_interface_create(name, 3, nw_interface_type_wired);
    memset(name, 'x', 4); /* the name was copied */
    assert_string_equal(nw_interface_get_name(interface), "eth0");
    assert_int_equal(nw_interface_get_index(interface), 3);
    assert_int_equal(nw_interface_get_type(interface), nw_interface_type_wired);
    nw_release(interface);
}

static void null_answers(void **state) {
    (void)state;
    assert_null(nw_interface_get_name(NULL));
    assert_int_equal(nw_interface_get_index(NULL), 0);
    assert_int_equal(nw_interface_get_type(NULL), nw_interface_type_other);
}

static void identity(void **state) {
    (void)state;
    nw_interface_t a = nwi_interface_create("eth0", 3, nw_interface_type_wired);
    nw_interface_t same = nwi_interface_create("eth0", 3, nw_interface_type_other);
    nw_interface_t renamed = nwi_interface_create("eth1", 3, nw_interface_type_wired);
    nw_interface_t another = nwi_interface_create("eth0", 4, nw_interface_type_wired);
    assert_true(nwi_interface_is_equal(a, same));
    assert_false(nwi_interface_is_equal(a, renamed));
    assert_false(nwi_interface_is_equal(a, another));
    assert_false(nwi_interface_is_equal(a, NULL));
    assert_true(nwi_interface_is_equal(NULL, NULL));
    nw_release(a), nw_release(same), nw_release(renamed), nw_release(another);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_it_is),
        cmocka_unit_test(null_answers),
        cmocka_unit_test(identity),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
