/*
 * test_err.c - every class of error value has names and texts.
 */
#include "base/err.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum nwi_err_domain domain;
    int code;
    const char *name, *text;
} listed[] = {
#define NWI_ERR(domain, code, name, text) {NWI_DOMAIN_##domain, code, name, text},
#include "base/err.def"
#undef NWI_ERR
};
enum { LISTED = sizeof(listed) / sizeof(listed[0]) };

static void value_holds_domain_and_code(void **state) {
    (void)state;
    static const int codes[] = {1, 111, -1, -65554, -9808, INT32_MAX, INT32_MIN};
    for (int domain = NWI_DOMAIN_POSIX; domain <= NWI_DOMAIN_WIFI_AWARE; domain++)
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
            nwi_err err = nwi_err_make((enum nwi_err_domain)domain, codes[i]);
            assert_true(err != 0);
            assert_int_equal(nwi_err_domain(err), domain);
            assert_int_equal(nwi_err_code(err), codes[i]);
        }
    assert_true(nwi_err_make(NWI_DOMAIN_TLS, 0) == 0);
    assert_true(nwi_posix(ENOENT) == nwi_err_make(NWI_DOMAIN_POSIX, ENOENT));
    assert_true(nwi_dns(NWI_DNS_TIMEOUT) == nwi_err_make(NWI_DOMAIN_DNS, -65568));
}

static void every_listed_code_has_its_own_name_and_text(void **state) {
    (void)state;
    for (size_t i = 0; i < LISTED; i++) {
        nwi_err err = nwi_err_make(listed[i].domain, listed[i].code);
        assert_string_equal(nwi_err_name(err), listed[i].name);
        assert_string_equal(nwi_err_text(err), listed[i].text);
        for (size_t j = 0; j < i; j++) {
            assert_false(listed[i].domain == listed[j].domain && listed[i].code == listed[j].code);
            assert_string_not_equal(listed[i].name, listed[j].name);
        }
    }
}

static void every_dns_code_of_ours_is_listed(void **state) {
    (void)state;
    static const int ours[] = {NWI_DNS_UNKNOWN, NWI_DNS_NO_MEMORY,      NWI_DNS_BAD_PARAM,
                               NWI_DNS_REFUSED, NWI_DNS_NO_SUCH_RECORD, NWI_DNS_SERVICE_NOT_RUNNING,
                               NWI_DNS_TIMEOUT, NWI_DNS_POLICY_DENIED};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        assert_non_null(nwi_err_name(nwi_dns(ours[i])));
}

static void every_errno_has_a_name_and_a_text(void **state) {
    (void)state;
    for (int code = EPERM; code <= EHWPOISON; code++) {
        if (code == 41 || code == 58) /* the two numbers Linux leaves out */
            continue;
        assert_non_null(nwi_err_name(nwi_posix(code)));
        assert_string_not_equal(nwi_err_text(nwi_posix(code)), "Unknown error");
    }
    assert_string_equal(nwi_err_name(nwi_posix(ECONNREFUSED)), "ECONNREFUSED");
    assert_string_equal(nwi_err_text(nwi_posix(ECONNREFUSED)), "Connection refused");
}

static void unknown_codes_have_a_text_and_no_name(void **state) {
    (void)state;
    static const enum nwi_err_domain domains[] = {NWI_DOMAIN_POSIX, NWI_DOMAIN_DNS, NWI_DOMAIN_TLS,
                                                  NWI_DOMAIN_WIFI_AWARE};
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        assert_null(nwi_err_name(nwi_err_make(domains[i], 99999)));
        assert_string_equal(nwi_err_text(nwi_err_make(domains[i], 99999)), "Unknown error");
    }
    assert_null(nwi_err_name(0));
    assert_string_equal(nwi_err_text(0), "No error");
}

static void format_is_terminated_and_complete(void **state) {
    (void)state;
    char buffer[128];
    assert_string_equal(nwi_err_format(nwi_posix(ECONNREFUSED), buffer, sizeof(buffer)),
                        "posix/ECONNREFUSED (111): Connection refused");
    assert_string_equal(nwi_err_format(nwi_dns(-65554), buffer, sizeof(buffer)),
                        "dns/NoSuchRecord (-65554): No such record");
    assert_string_equal(
        nwi_err_format(nwi_err_make(NWI_DOMAIN_WIFI_AWARE, 3), buffer, sizeof(buffer)),
        "wifi-aware (3): Unknown error");
    assert_string_equal(nwi_err_format(0, buffer, sizeof(buffer)), "No error");
    assert_string_equal(nwi_err_format(nwi_posix(ECONNREFUSED), buffer, 8), "posix/E");
    buffer[0] = 'x';
    assert_ptr_equal(nwi_err_format(nwi_posix(EPERM), buffer, 0), buffer);
    assert_int_equal(buffer[0], 'x');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_holds_domain_and_code),
        cmocka_unit_test(every_listed_code_has_its_own_name_and_text),
        cmocka_unit_test(every_dns_code_of_ours_is_listed),
        cmocka_unit_test(every_errno_has_a_name_and_a_text),
        cmocka_unit_test(unknown_codes_have_a_text_and_no_name),
        cmocka_unit_test(format_is_terminated_and_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
