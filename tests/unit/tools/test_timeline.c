/*
 * test_timeline.c - the race as a picture: measures, text and SVG from made-up races.
 */
#include "nwcat_test.h"
#include "timeline.h"

static void add(struct nwcat_timeline *t, enum nwcat_row_kind kind, enum nwcat_row_outcome outcome,
                double start, double end, const char *name, const char *label, const char *note) {
    struct nwcat_row *row = nwcat_timeline_add(t);
    assert_non_null(row);
    row->kind = kind;
    row->outcome = outcome;
    row->start = start;
    row->end = end;
    snprintf(row->name, sizeof row->name, "%s", name);
    snprintf(row->label, sizeof row->label, "%s", label);
    snprintf(row->note, sizeof row->note, "%s", note);
}

static struct nwcat_timeline race(void) {
    struct nwcat_timeline t = {.total = 300, .decided = true, .won = true};
    snprintf(t.title, sizeof t.title, "a<b>&\"c\":80");
    add(&t, NWCAT_ROW_QUESTION, NWCAT_ROW_GOOD, 0, 10, "C1.1", "AAAA name", "1 address");
    add(&t, NWCAT_ROW_ATTEMPT, NWCAT_ROW_LEFT, 10, 300, "C1.1.1", "[2001:db8::1]:80", "");
    add(&t, NWCAT_ROW_ATTEMPT, NWCAT_ROW_BAD, 260, 270, "C1.1.2", "192.0.2.1:80",
        "Connection refused");
    add(&t, NWCAT_ROW_ATTEMPT, NWCAT_ROW_GOOD, 270, 300, "C1.1.3", "192.0.2.2:80", "");
    add(&t, NWCAT_ROW_ATTEMPT, NWCAT_ROW_RUNNING, 280, -1, "C1.1.4", "\xff\x01<x>", "");
    return t;
}

static void measures(void **state) {
    (void)state;
    char text[32];
    nwcat_format_ms(text, sizeof text, 0.123);
    assert_string_equal(text, "0.12 ms");
    nwcat_format_ms(text, sizeof text, 12.34);
    assert_string_equal(text, "12.3 ms");
    nwcat_format_ms(text, sizeof text, 250);
    assert_string_equal(text, "250 ms");
    nwcat_format_ms(text, sizeof text, 1500);
    assert_string_equal(text, "1.50 s");
    assert_true(nwcat_nice_step(318, 6) == 100);
    assert_true(nwcat_nice_step(10, 5) == 2);
    struct nwcat_timeline empty = {0};
    assert_true(nwcat_timeline_span(&empty) > 0);
    struct nwcat_timeline t = race();
    assert_true(nwcat_timeline_span(&t) == 300);
    nwcat_timeline_clear(&t);
    assert_int_equal(t.count, 0);
}

static char *draw(const struct nwcat_timeline *t, unsigned columns, bool colour, bool utf8) {
    struct text_file out;
    text_open(&out);
    nwcat_timeline_draw_text(t, out.file, columns, colour, utf8);
    return text_close(&out);
}

static void text_is_plain_without_colour(void **state) {
    (void)state;
    struct nwcat_timeline t = race();
    t.count = 4; /* the last label is not ASCII itself */
    char *text = draw(&t, 100, false, false);
    for (const char *p = text; *p != '\0'; p++)
        assert_true((*p >= ' ' && *p < 0x7f) || *p == '\n');
    assert_non_null(strstr(text, "connected after 300 ms"));
    assert_non_null(strstr(text, "x Connection refused, 10.0 ms"));
    assert_non_null(strstr(text, "* connected, 30.0 ms"));
    assert_non_null(strstr(text, "- given up, 290 ms"));
    unsigned lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 1 + 4 + 2); /* title, rows, axis */
    free(text);
    nwcat_timeline_clear(&t);
}

/* The columns between the bars' edges are the same in each row, and bars stand where time says. */
static void bars_are_in_place(void **state) {
    (void)state;
    struct nwcat_timeline t = race();
    t.count = 4;
    char *text = draw(&t, 120, false, false);
    char *left = strstr(text, "C1.1.1"), *won = strstr(text, "C1.1.3");
    char *left_edge = strchr(left, '|'), *won_edge = strchr(won, '|');
    long width = strchr(left_edge + 1, '|') - left_edge;
    assert_int_equal(strchr(won_edge + 1, '|') - won_edge, width);
    assert_true(strchr(left_edge, '#') - left_edge < width / 5);
    assert_true(strchr(won_edge, '#') - won_edge > width * 4 / 5);
    assert_int_equal(won_edge[width - 1], '#'); /* the winner's bar ends at the end */
    free(text);
    nwcat_timeline_clear(&t);
}

static void colours_come_and_go(void **state) {
    (void)state;
    struct nwcat_timeline t = race();
    char *text = draw(&t, 100, true, true);
    assert_non_null(strstr(text, "\033[32m"));
    assert_string_equal(text + strlen(text) - 5, "\033[0m\n"); /* nothing is left coloured */
    free(text);
    text = draw(&t, 100, false, true);
    assert_null(strchr(text, '\033'));
    free(text);
    nwcat_timeline_clear(&t);
}

static void odd_sizes(void **state) {
    (void)state;
    struct nwcat_timeline t = race();
    static const unsigned columns[] = {0, 1, 59, 80, 161, 100000};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        free(draw(&t, columns[i], false, true));
    t.count = 0;
    t.total = 0;
    free(draw(&t, 80, false, true));
    nwcat_timeline_clear(&t);
}

static void svg_escapes(void **state) {
    (void)state;
    struct nwcat_timeline t = race();
    struct text_file out;
    text_open(&out);
    nwcat_timeline_draw_svg(&t, out.file);
    char *svg = text_close(&out);
    assert_non_null(strstr(svg, "a&lt;b&gt;&amp;\"c\":80"));
    assert_non_null(strstr(svg, "??&lt;x&gt;")); /* broken UTF-8 and a control character */
    assert_null(strstr(svg, "<x>"));
    assert_non_null(strstr(svg, "Connection refused, 10.0 ms"));
    assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
    free(svg);
    nwcat_timeline_clear(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures),          cmocka_unit_test(text_is_plain_without_colour),
        cmocka_unit_test(bars_are_in_place), cmocka_unit_test(colours_come_and_go),
        cmocka_unit_test(odd_sizes),         cmocka_unit_test(svg_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
