/*
 * fuzz_settings.c - any text as a network.conf: it makes a snapshot, and every question about it
 * gets an answer within its range.
 */
#include "fuzz.h"
#include "path/settings.h"

static void check_interface(const struct nwi_settings *settings, const char *name) {
    struct nwi_settings_interface a = {0};
    nwi_settings_interface(settings, name, &a);
    CHECK(a.expensive <= NWI_SETTINGS_YES && a.constrained <= NWI_SETTINGS_YES &&
          a.ultra_constrained <= NWI_SETTINGS_YES);
    CHECK(a.has_quality != NWI_SETTINGS_NO && a.has_type != NWI_SETTINGS_NO);
    CHECK(a.quality <= nw_link_quality_good && a.quality % 10 == 0);
    CHECK(a.type <= nw_interface_type_wired);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_log_nothing();
    char *text = malloc(size > 0 ? size : 1); /* its own block, so that a read past it is seen */
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    struct nwi_settings *settings = nwi_settings_parse("network.conf", text, size);
    CHECK(settings != NULL);
    static const char *const names[] = {"wlan0", "eth0", "wwan0", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_interface(settings, names[i]);
    (void)nwi_settings_denies(settings, "/usr/bin/nwcat");
    (void)nwi_settings_denies(settings, "");
    /* The first half as a pattern for the second. */
    char pattern[128], word[128];
    size_t half = size / 2 < sizeof pattern - 1 ? size / 2 : sizeof pattern - 1;
    memcpy(pattern, text, half);
    memcpy(word, text + half, half);
    pattern[half] = word[half] = '\0';
    (void)nwi_settings_match(pattern, word);
    CHECK(nwi_settings_match("*", word));
    CHECK(strchr(pattern, '*') == NULL ? nwi_settings_match(pattern, pattern) : true);
    nwi_release(settings);
    free(text);
    return 0;
}
