/* test_objects.c - nw_retain, nw_release, sec_retain, sec_release over objects of every family. */
#include <Network/Network.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void one_count_for_all(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("example.com", "80");
    nw_protocol_options_t tls = nw_tls_create_options();
    sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(tls);
    dispatch_data_t data = dispatch_data_create_f("x", 1, NULL, NULL, NULL);
    void *all[] = {endpoint, tls, sec, data};
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(nw_retain(all[i]), all[i]);
        assert_ptr_equal(sec_retain(all[i]), all[i]);
        assert_ptr_equal(CFRetain(all[i]), all[i]);
        nw_release(all[i]), sec_release(all[i]), CFRelease(all[i]);
    }
    assert_string_equal(nw_endpoint_get_hostname(endpoint), "example.com"); /* still there */
    assert_int_equal(dispatch_data_get_size(data), 1);
    sec_release(endpoint), nw_release(sec), sec_release(tls), nw_release(data);
}

static void null_is_fine(void **state) {
    (void)state;
    assert_null(nw_retain(NULL));
    assert_null(sec_retain(NULL));
    nw_release(NULL);
    sec_release(NULL);
    assert_true(nil == NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_count_for_all),
                                       cmocka_unit_test(null_is_fine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
