/*
 * test_json.c - one object, one line, always well-formed.
 */
#include "common/json.h"
#include "nwcat_test.h"

static char *finish(struct tool_json *json) {
    struct text_file out;
    text_open(&out);
    tool_json_end(json, out.file);
    return text_close(&out);
}

static void values(void **state) {
    (void)state;
    struct tool_json json;
    tool_json_begin(&json);
    tool_json_text(&json, "a", "b");
    tool_json_text(&json, "none", NULL);
    tool_json_integer(&json, "n", -5);
    tool_json_number(&json, "x", 1.25, 3);
    tool_json_number(&json, "inf", 1.0 / 0.0, 3);
    tool_json_bool(&json, "t", true);
    char *line = finish(&json);
    assert_string_equal(
        line, "{\"a\":\"b\",\"none\":null,\"n\":-5,\"x\":1.250,\"inf\":null,\"t\":true}\n");
    free(line);
}

static void nests(void **state) {
    (void)state;
    struct tool_json json;
    tool_json_begin(&json);
    tool_json_open(&json, "list", '[');
    for (int i = 0; i < 2; i++) {
        tool_json_open(&json, NULL, '{');
        tool_json_integer(&json, "i", i);
        tool_json_close(&json, '}');
    }
    tool_json_close(&json, ']');
    tool_json_open(&json, "empty", '{');
    tool_json_close(&json, '}');
    tool_json_bool(&json, "end", false);
    char *line = finish(&json);
    assert_string_equal(line, "{\"list\":[{\"i\":0},{\"i\":1}],\"empty\":{},\"end\":false}\n");
    free(line);
}

static void escapes(const char *text, const char *expected) {
    struct tool_json json;
    char whole[128];
    tool_json_begin(&json);
    tool_json_text(&json, "s", text);
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
