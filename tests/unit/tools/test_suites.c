/* test_suites.c - cipher suites by name. */
#include "nwcat_test.h"
#include "suites.h"

static bool reads(const char *name, uint16_t *ret_suite) {
    return nwcat_suite_read(name, strlen(name), ret_suite);
}

/* The name of each suite leads back to it. */
static void there_and_back(void **state) {
    (void)state;
    unsigned named = 0;
    for (unsigned suite = 0; suite <= UINT16_MAX; suite++) {
        char text[NWCAT_SUITE_NAME];
        uint16_t found = 0;
        const char *name = nwcat_suite_name((uint16_t)suite, text);
        assert_true(reads(name, &found));
        assert_int_equal(found, suite);
        named += name != text;
    }
    assert_true(named > 30);
}

static void spellings(void **state) {
    (void)state;
    char text[NWCAT_SUITE_NAME];
    uint16_t suite = 7;
    assert_string_equal(nwcat_suite_name(0x1301, text), "TLS_AES_128_GCM_SHA256");
    assert_string_equal(nwcat_suite_name(0xABCD, text), "0xABCD");
    assert_true(reads("tls_aes_128_gcm_sha256", &suite));
    assert_int_equal(suite, 0x1301);
    assert_true(reads("0X00a8", &suite));
    assert_int_equal(suite, 0x00A8);
    assert_true(nwcat_suite_read("0x1302,more", 6, &suite)); /* a piece of a list */
    assert_int_equal(suite, 0x1302);
    static const char *const wrong[] = {"",
                                        "0x",
                                        "0x130",
                                        "0x13011",
                                        "0x13 1",
                                        "0x-301",
                                        "4865",
                                        "TLS_AES_128_GCM_SHA25",
                                        "TLS_AES_128_GCM_SHA2567"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(reads(wrong[i], &suite));
    assert_int_equal(suite, 0x1302);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back),
                                       cmocka_unit_test(spellings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
