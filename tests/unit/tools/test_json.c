/*
 * test_json.c - one object, one line, always well-formed.
 */
#include "json.h"
#include "nwcat_test.h"

static char *finish(struct nwcat_json *json) {
    struct text_file out;
    text_open(&out);
    nwcat_json_end(json, out.file);
    return text_close(&out);
}

static void values(void **state) {
    (void)state;
    struct nwcat_json json;
    nwcat_json_begin(&json);
    nwcat_json_text(&json, "a", "b");
    nwcat_json_text(&json, "none", NULL);
    nwcat_json_integer(&json, "n", -5);
    nwcat_json_number(&json, "x", 1.25, 3);
    nwcat_json_number(&json, "inf", 1.0 / 0.0, 3);
    nwcat_json_bool(&json, "t", true);
    char *line = finish(&json);
    assert_string_equal(
        line, "{\"a\":\"b\",\"none\":null,\"n\":-5,\"x\":1.250,\"inf\":null,\"t\":true}\n");
    free(line);
}

static void nests(void **state) {
    (void)state;
    struct nwcat_json json;
    nwcat_json_begin(&json);
    nwcat_json_open(&json, "list", '[');
    for (int i = 0; i < 2; i++) {
        nwcat_json_open(&json, NULL, '{');
        nwcat_json_integer(&json, "i", i);
        nwcat_json_close(&json, '}');
    }
    nwcat_json_close(&json, ']');
    nwcat_json_open(&json, "empty", '{');
    nwcat_json_close(&json, '}');
    nwcat_json_bool(&json, "end", false);
    char *line = finish(&json);
    assert_string_equal(line, "{\"list\":[{\"i\":0},{\"i\":1}],\"empty\":{},\"end\":false}\n");
    free(line);
}

static void escapes(const char *text, const char *expected) {
    struct nwcat_json json;
    char whole[128];
    nwcat_json_begin(&json);
    nwcat_json_text(&json, "s", text);
    char *line = finish(&json);
    snprintf(whole, sizeof whole, "{\"s\":\"%s\"}\n", expected);
    assert_string_equal(line, whole);
    free(line);
}

static void strings(void **state) {
    (void)state;
    escapes("a\"b\\c\n\x01\x7f", "a\\\"b\\\\c\\n\\u0001\\u007f");
    escapes("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    escapes("\xff|\xc3|\xe2\x82", "\\ufffd|\\ufffd|\\ufffd\\ufffd"); /* alone, cut off, cut off */
    escapes("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");                /* a surrogate */
    escapes("\xc0\xaf", "\\ufffd\\ufffd");                           /* overlong */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(nests),
        cmocka_unit_test(strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
