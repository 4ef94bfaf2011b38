/* test_advertise_descriptor.c - src/model/advertise_descriptor.c. */
#include "misuse.h"

#include "model/advertise_descriptor.h"
#include <string.h>

static void records(void **state) {
    (void)state;
    char txt[] = "\003a=b";
    nw_advertise_descriptor_t d =
        nw_advertise_descriptor_create_bonjour_service("n", "_x._tcp", "local");
    assert_false(nw_advertise_descriptor_get_no_auto_rename(d));
    nw_advertise_descriptor_set_no_auto_rename(d, true);
    nw_advertise_descriptor_set_txt_record(d, txt, 4);
    memset(txt, 0, sizeof txt); /* it was copied */
    assert_true(nw_advertise_descriptor_get_no_auto_rename(d));
    assert_string_equal(d->name, "n");
    assert_string_equal(d->type, "_x._tcp");
    assert_string_equal(d->domain, "local");
    assert_int_equal(d->txt_length, 4);
    assert_memory_equal(d->txt, "\003a=b", 4);
    nw_advertise_descriptor_set_txt_record(d, "x", 0);
    assert_int_equal(d->txt_length, 0);
    nw_advertise_descriptor_set_txt_record(d, "x", 1);
    nw_advertise_descriptor_set_txt_record(d, NULL, 4); /* takes it away */
    assert_null(d->txt);
    assert_int_equal(d->txt_length, 0);
    nw_release(d);
}

static void optional_and_refused(void **state) {
    (void)state;
    nw_advertise_descriptor_t d =
        nw_advertise_descriptor_create_bonjour_service(NULL, "_x._tcp", NULL);
    assert_null(d->name);
    assert_null(d->domain);
    assert_misuse(assert_null(nw_advertise_descriptor_create_bonjour_service("n", NULL, NULL)));
    assert_misuse(assert_null(nw_advertise_descriptor_create_bonjour_service("n", "", NULL)));
    assert_misuse(nw_advertise_descriptor_set_txt_record(NULL, "x", 1));
    assert_misuse(nw_advertise_descriptor_set_no_auto_rename(NULL, true));
    assert_false(nw_advertise_descriptor_get_no_auto_rename(NULL));
    nw_release(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(records),
                                       cmocka_unit_test(optional_and_refused)};
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
