/*
 * test_settings.c - src/path/settings.c: what a network.conf says, and what is wrong with it.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "path/settings.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the log --- */
static char lines[8][200];
static unsigned line_count;
static void sink(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    (void)name, (void)event;
    assert_int_equal(level, NWI_LOG_ERROR);
    if (line_count < 8)
        snprintf(lines[line_count], sizeof lines[0], "%s", message);
    line_count++;
}
static int listen_to_log(void **state) {
    (void)state;
    line_count = 0;
    nwi_log_set_sink(sink);
    return 0;
}
static int leave_log(void **state) {
    (void)state;
    nwi_log_set_sink(NULL);
    return 0;
}

static struct nwi_settings *parse(const char *text) {
    struct nwi_settings *settings = nwi_settings_parse("network.conf", text, strlen(text));
    assert_non_null(settings);
    return settings;
}
static struct nwi_settings_interface ask(const struct nwi_settings *settings, const char *name) {
    struct nwi_settings_interface answer = {0};
    nwi_settings_interface(settings, name, &answer);
    return answer;
}

/* --- interfaces --- */
static void every_setting(void **state) {
    (void)state;
    struct nwi_settings *s = parse("# a comment\n"
                                   "; another\r\n"
                                   "\t[ interface   wlan0 ]\r\n"
                                   "expensive = yes\r\n"
                                   "  constrained=on\n"
                                   "ultra_constrained = true\n"
                                   "quality = moderate\n"
                                   "type = cellular\n"
                                   "[interface eth0]\n"
                                   "expensive = no\nconstrained = off\nultra_constrained = false\n"
                                   "quality = good\ntype = wired");
    struct nwi_settings_interface a = ask(s, "wlan0");
    assert_int_equal(a.expensive, NWI_SETTINGS_YES);
    assert_int_equal(a.constrained, NWI_SETTINGS_YES);
    assert_int_equal(a.ultra_constrained, NWI_SETTINGS_YES);
    assert_int_equal(a.has_quality, NWI_SETTINGS_YES);
    assert_int_equal(a.quality, nw_link_quality_moderate);
    assert_int_equal(a.has_type, NWI_SETTINGS_YES);
    assert_int_equal(a.type, nw_interface_type_cellular);
    a = ask(s, "eth0");
    assert_int_equal(a.expensive, NWI_SETTINGS_NO);
    assert_int_equal(a.constrained, NWI_SETTINGS_NO);
    assert_int_equal(a.ultra_constrained, NWI_SETTINGS_NO);
    assert_int_equal(a.quality, nw_link_quality_good);
    assert_int_equal(a.type, nw_interface_type_wired);
    a = ask(s, "eth1");
    assert_int_equal(a.expensive, NWI_SETTINGS_UNSAID);
    assert_int_equal(a.has_quality, NWI_SETTINGS_UNSAID);
    assert_int_equal(a.has_type, NWI_SETTINGS_UNSAID);
    assert_int_equal(line_count, 0);
    nwi_release(s);
}

/* The name itself before a pattern, a later section before an earlier one, each setting by itself.
 */
static void which_section_counts(void **state) {
    (void)state;
    struct nwi_settings *s = parse("[interface wwan0]\nexpensive = no\nquality = auto\n"
                                   "[interface *]\nexpensive = yes\nconstrained = yes\n"
                                   "quality = minimal\n"
                                   "[interface wwan?]\nconstrained = no\n");
    struct nwi_settings_interface a = ask(s, "wwan0");
    assert_int_equal(a.expensive, NWI_SETTINGS_NO);
    assert_int_equal(a.constrained, NWI_SETTINGS_NO);
    assert_int_equal(a.has_quality, NWI_SETTINGS_AUTO);
    a = ask(s, "wwan10");
    assert_int_equal(a.expensive, NWI_SETTINGS_YES);
    assert_int_equal(a.constrained, NWI_SETTINGS_YES);
    assert_int_equal(a.quality, nw_link_quality_minimal);
    nwi_release(s);
}

static void patterns(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"", "", true},       {"", "a", false},         {"*", "", true},
        {"*", "abc", true},   {"a*", "abc", true},      {"*c", "abc", true},
        {"*b", "abc", false}, {"a*c*e", "abcde", true}, {"a*c*f", "abcde", false},
        {"?", "", false},     {"??", "ab", true},       {"?b?", "abc", true},
        {"**a", "ba", true},  {"*ab*ab", "abab", true}, {"*aab", "aaab", true},
        {"abc", "ab", false}, {"[ab]", "a", false},     {"a?*", "a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (nwi_settings_match(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("%s against %s", cases[i].pattern, cases[i].text);
    }
    /* Many stars cost no more than pattern times text. */
    char stars[401], text[4001];
    for (int i = 0; i < 400; i++)
        stars[i] = i % 2 == 0 ? '*' : 'a';
    stars[399] = 'b';
    stars[400] = '\0';
    memset(text, 'a', 4000);
    text[4000] = '\0';
    assert_false(nwi_settings_match(stars, text));
}

/* --- programs --- */
static void programs(void **state) {
    (void)state;
    struct nwi_settings *s = parse("[local-network]\n"
                                   "deny = /usr/bin/tracker  \"two words\" game-*\n"
                                   "deny = /opt/vendor/*\n"
                                   "allow = /opt/vendor/bin/updater game-chess\n");
    assert_true(nwi_settings_denies(s, "/usr/bin/tracker"));
    assert_false(nwi_settings_denies(s, "/usr/local/bin/tracker"));
    assert_true(nwi_settings_denies(s, "/anywhere/two words"));
    assert_false(nwi_settings_denies(s, "/anywhere/two"));
    assert_true(nwi_settings_denies(s, "/usr/games/game-go"));
    assert_false(nwi_settings_denies(s, "/usr/games/game-chess"));
    assert_true(nwi_settings_denies(s, "/opt/vendor/bin/agent"));
    assert_false(nwi_settings_denies(s, "/opt/vendor/bin/updater"));
    assert_false(nwi_settings_denies(s, ""));
    assert_int_equal(line_count, 0);
    nwi_release(s);
    s = parse("[local-network]\ndeny = *\nallow = nwcat\n");
    assert_true(nwi_settings_denies(s, "/usr/bin/tracker"));
    assert_true(nwi_settings_denies(s, ""));
    assert_false(nwi_settings_denies(s, "/usr/bin/nwcat"));
    nwi_release(s);
}

/* --- what is wrong --- */
static void errors_name_the_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[interface wlan0]\n\nexpensive = maybe\n",
         "network.conf:3: expensive = \"maybe\" is not yes, no or auto"},
        {"[interface wlan0]\nquality = 100\n",
         "network.conf:2: quality = \"100\" is not auto, unknown, minimal, moderate or good"},
        {"[interface wlan0]\ntype = loopback\n",
         "network.conf:2: type = \"loopback\" is not auto, wired, wifi, cellular or other"},
        {"[interface wlan0]\ncost = 3\n",
         "network.conf:2: setting \"cost\" is unknown (expensive, constrained, ultra_constrained, "
         "quality, type)"},
        {"[interface]\n", "network.conf:1: interface \"\" is not one name or pattern"},
        {"[interface a b]\n", "network.conf:1: interface \"a b\" is not one name or pattern"},
        {"[interfaces a]\n",
         "network.conf:1: section \"interfaces a\" is unknown (interface NAME, local-network)"},
        {"[interface wlan0\n", "network.conf:1: section \"[interface wlan0\" does not end with "
                               "\"]\""},
        {"expensive = yes\n",
         "network.conf:1: setting \"expensive\" stands before the first [section]"},
        {"[local-network]\ndeny\n",
         "network.conf:2: line \"deny\" is neither [section] nor setting = value"},
        {"[local-network]\nblock = x\n",
         "network.conf:2: setting \"block\" is unknown (deny, allow)"},
        {"[local-network]\ndeny = bin/x\n",
         "network.conf:2: program \"bin/x\" is neither a name nor an absolute path"},
        {"[local-network]\ndeny = \"a b\n",
         "network.conf:2: program \"a b\" has no closing quotation mark"},
        {"[interface w]\nexpensive = \x1b[2J\x7f\n",
         "network.conf:2: expensive = \"?[2J?\" is not yes, no or auto"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        line_count = 0;
        nwi_release(parse(cases[i].text));
        assert_string_equal(lines[0], cases[i].message);
        assert_int_equal(line_count, 1);
    }
    line_count = 0;
    nwi_release(nwi_settings_parse("f", "[interface a]\ntype\0= wifi\n", 27));
    assert_string_equal(lines[0], "f:2: line \"type\" has a NUL character in it");
}

/* One wrong line or section costs nothing but itself. */
static void the_rest_holds(void **state) {
    (void)state;
    struct nwi_settings *s = parse("nonsense\n[interface a]\nexpensive = 7\nconstrained = yes\n"
                                   "[unknown]\nexpensive = yes\n[interface b]\nexpensive = yes\n"
                                   "expensive = never\n");
    assert_int_equal(line_count, 4);
    assert_int_equal(ask(s, "a").expensive, NWI_SETTINGS_UNSAID);
    assert_int_equal(ask(s, "a").constrained, NWI_SETTINGS_YES);
    assert_int_equal(ask(s, "b").expensive, NWI_SETTINGS_YES);
    nwi_release(s);
}

/* A file of sections alone: 1,024 count, each further one is told. */
static void bounded(void **state) {
    (void)state;
    static char text[65536];
    size_t length = 0;
    for (int i = 0; i < 1026; i++)
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "[interface i%d]\nexpensive = yes\n", i);
    struct nwi_settings *s = nwi_settings_parse("big", text, length);
    assert_int_equal(line_count, 2);
    assert_string_equal(lines[0], "big:2049: interface \"i1024\" is one too many and ignored");
    assert_int_equal(ask(s, "i1023").expensive, NWI_SETTINGS_YES);
    assert_int_equal(ask(s, "i1024").expensive, NWI_SETTINGS_UNSAID);
    nwi_release(s);
}

/* The example that users copy says what it means to say. */
static void the_example(void **state) {
    (void)state;
    static char text[8192];
    char path[512];
    const char *root = getenv("NW_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/examples/network.conf", root != NULL ? root : ".");
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    struct nwi_settings *s = nwi_settings_parse(path, text, length);
    assert_int_equal(line_count, 0);
    assert_int_equal(ask(s, "wwan0").expensive, NWI_SETTINGS_YES);
    assert_int_equal(ask(s, "usb0").type, nw_interface_type_cellular);
    assert_true(nwi_settings_denies(s, "/opt/vendor/bin/agent"));
    assert_false(nwi_settings_denies(s, "/opt/vendor/bin/updater"));
    nwi_release(s);
}

/* Each allocation failing in turn: no snapshot, nothing left behind. */
static void no_memory(void **state) {
    (void)state;
    static const char text[] = "[interface a]\nexpensive = yes\n[local-network]\ndeny = x\n"
                               "allow = y\n";
    nwi_alloc_count(true);
    long live = nwi_alloc_live();
    unsigned long n = 1;
    for (;; n++) {
        nwi_alloc_fail_at(n);
        struct nwi_settings *s = nwi_settings_parse("f", text, sizeof text - 1);
        nwi_alloc_fail_at(0);
        nwi_release(s);
        assert_int_equal(nwi_alloc_live(), live);
        if (s != NULL)
            break;
    }
    nwi_alloc_count(false);
    assert_int_equal(n, 6); /* the snapshot, the copy, one section, two programs; then none fails */
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, listen_to_log, leave_log)
    const struct CMUnitTest tests[] = {
        T(every_setting), T(which_section_counts),  T(patterns),
        T(programs),      T(errors_name_the_place), T(the_rest_holds),
        T(bounded),       T(the_example),           T(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
