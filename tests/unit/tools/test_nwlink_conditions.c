/*
 * test_nwlink_conditions.c - conditions and their units, read and written; profiles and their
 * files.
 */
#include "nwcat_test.h"
#include "profiles.h"
#include "units.h"

#define MS(n) ((int64_t)(n)*1000000)

static struct nwlink_conditions reads(const char *list) {
    struct nwlink_conditions c = {0};
    char why[NWLINK_WHY];
    if (!nwlink_conditions_read(&c, list, why))
        fail_msg("%s: %s", list, why);
    return c;
}

static void refuses(const char *list, const char *value) {
    struct nwlink_conditions c = {.delay = 77}, before = c;
    char why[NWLINK_WHY] = "";
    assert_false(nwlink_conditions_read(&c, list, why));
    if (strstr(why, value) == NULL)
        fail_msg("'%s' does not name '%s'", why, value);
    assert_memory_equal(&c, &before, sizeof c);
}

static void values(void **state) {
    (void)state;
    struct nwlink_conditions c = reads("rate=780kbit,delay=1.5s,jitter=250us,loss=1.5%");
    assert_int_equal(c.rate, 780000);
    assert_int_equal(c.delay, MS(1500));
    assert_int_equal(c.jitter, 250000);
    assert_true(c.loss == 0.015);
    assert_int_equal(reads("delay=20").delay, MS(20));
    assert_int_equal(reads("rate=1.5Mbps").rate, 1500000);
    assert_int_equal(reads("rate=2Gbit/s").rate, 2000000000);
    assert_int_equal(reads("rate=9600").rate, 9600);
    assert_int_equal(reads("rate=1Mbit,rate=unlimited").rate, 0);
    assert_int_equal(reads("queue=50").queue_packets, 50);
    assert_int_equal(reads("queue=64kB").queue_octets, 64000);
    assert_int_equal(reads("queue=64KiB").queue_octets, 65536);
    c = reads("queue=64kB,queue=auto,mtu=1280,mtu-signal=yes");
    assert_int_equal(c.queue_octets + c.queue_packets, 0);
    assert_int_equal(c.mtu, 1280);
    assert_true(c.mtu_signal);
    c = reads("burst=1%/25%,reorder=5%");
    assert_true(c.burst.enter == 0.01 && c.burst.leave == 0.25);
    assert_true(c.burst.bad == 1 && c.burst.good == 0);
    assert_int_equal(c.reorder_by, MS(10));
    assert_int_equal(reads("reorder=5%/3ms").reorder_by, MS(3));
    assert_int_equal(reads("delay=5ms,perfect").delay, 0);
}

static void mistakes(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"loss=3", "'3'"},
        {"loss=101%", "'101%'"},
        {"loss=-1%", "'-1%'"},
        {"loss=", "''"},
        {"loss", "'loss'"},
        {"", "''"},
        {"delay=5m", "'5m'"},
        {"delay=601s", "'601s'"},
        {"delay=0x10", "'0x10'"},
        {"delay=inf", "'inf'"},
        {"delay= 5ms", "' 5ms'"},
        {"delay=1.2.3s", "'1.2.3s'"},
        {"rate=0", "'0'"},
        {"rate=0.5bit", "'0.5bit'"},
        {"rate=5MB", "'5MB'"},
        {"rate=2000Gbit", "2000G"},
        {"rate=/s", "'/s'"},
        {"rate=5/s", "'5/s'"},
        {"queue=0", "'0'"},
        {"queue=0B", "'0B'"},
        {"queue=1000001", "'1000001'"},
        {"burst=1%", "'1%'"},
        {"burst=1%/2%/3%/4%/5%", "5%"},
        {"burst=1%/x", "'1%/x'"},
        {"reorder=1%/2ms/3", "3'"},
        {"mtu=67", "'67'"},
        {"mtu=65536", "'65536'"},
        {"mtu-signal=maybe", "'maybe'"},
        {"delay=1ms,,loss=1%", "''"},
        {"speed=1", "'speed'"},
        {"Delay=1ms", "'Delay'"},
        {"delay=1ms,loss=x", "'x'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuses(wrong[i][0], wrong[i][1]);
    char longest[NWLINK_CONDITIONS_TEXT + 1];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    refuses(longest, "too long");
}

static void round_trips(const char *list, const char *text) {
    struct nwlink_conditions c = reads(list), again;
    char written[NWLINK_CONDITIONS_TEXT];
    nwlink_conditions_write(&c, written);
    assert_string_equal(written, text);
    again = reads(written);
    assert_memory_equal(&c, &again, sizeof c);
}

static void writing(void **state) {
    (void)state;
    round_trips("perfect", "perfect");
    round_trips("delay=0.0015s,rate=1500kbit", "rate=1500kbit,delay=1500us");
    round_trips("loss=0.1%,corrupt=33.3%,duplicate=100%", "loss=0.1%,duplicate=100%,corrupt=33.3%");
    round_trips("burst=1%/20%,reorder=2%,queue=64kB,mtu=1400,mtu-signal=on,dns-delay=3s,jitter=1ns",
                "jitter=1ns,queue=64kB,burst=1%/20%/100%/0%,reorder=2%/10ms,mtu=1400,"
                "mtu-signal=yes,dns-delay=3s");
    round_trips("rate=123456789bit,queue=7", "rate=123456789bit,queue=7");
}

/* The numbers of Apple's preference pane. */
static void apple(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint64_t down_rate, up_rate;
        int64_t down_delay, up_delay, dns;
        double loss;
    } rows[] = {
        {"100% Loss", 0, 0, 0, 0, 0, 1},
        {"3G", 780000, 330000, 100, 100, 0, 0},
        {"DSL", 2000000, 256000, 5, 5, 0, 0},
        {"Edge", 240000, 200000, 400, 440, 0, 0},
        {"High Latency DNS", 0, 0, 0, 0, 3000, 0},
        {"LTE", 50000000, 10000000, 50, 65, 0, 0},
        {"Very Bad Network", 1000000, 1000000, 500, 500, 0, 0.1},
        {"Wi-Fi", 40000000, 33000000, 1, 1, 0, 0},
        {"Wi-Fi 802.11ac", 250000000, 100000000, 1, 1, 0, 0},
    };
    struct nwlink_profiles none = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct nwlink_profile *profile = nwlink_profile_find(&none, rows[i].name);
        assert_non_null(profile);
        const struct nwlink_conditions *up = &profile->conditions[NWLINK_UP];
        const struct nwlink_conditions *down = &profile->conditions[NWLINK_DOWN];
        assert_int_equal(down->rate, rows[i].down_rate);
        assert_int_equal(up->rate, rows[i].up_rate);
        assert_int_equal(down->delay, MS(rows[i].down_delay));
        assert_int_equal(up->delay, MS(rows[i].up_delay));
        assert_int_equal(up->dns_delay + down->dns_delay, MS(rows[i].dns));
        assert_true(up->loss == rows[i].loss && down->loss == rows[i].loss);
    }
    assert_non_null(nwlink_profile_find(&none, "very bad network"));
    assert_null(nwlink_profile_find(&none, "4G"));
}

static void files(void **state) {
    (void)state;
    struct nwlink_profiles profiles = {0};
    char why[NWLINK_WHY] = "";
    assert_true(nwlink_profiles_parse(&profiles, "# trains\n\n[Train]\r\n  delay = 40 ms\n", "f",
                                      why) == false);
    assert_string_equal(why,
                        "f:4: delay: '40 ms' is not a time such as 100ms or 1.5s, at most 600s");
    assert_true(nwlink_profiles_parse(&profiles,
                                      "# trains\n\n[ Train ]\r\n  delay = 40ms\nup.rate=1Mbit\n"
                                      "down.loss = 2%\n; more\n[Tunnel]\nbase = train\nloss=50%\n"
                                      "[lte]\nbase = LTE\ndown.delay = 7ms",
                                      "f", why));
    assert_int_equal(profiles.count, 3);
    const struct nwlink_profile *tunnel = nwlink_profile_find(&profiles, "TUNNEL");
    assert_non_null(tunnel);
    assert_int_equal(tunnel->conditions[NWLINK_UP].rate, 1000000);
    assert_int_equal(tunnel->conditions[NWLINK_DOWN].rate, 0);
    assert_int_equal(tunnel->conditions[NWLINK_DOWN].delay, MS(40));
    assert_true(tunnel->conditions[NWLINK_DOWN].loss == 0.5);
    const struct nwlink_profile *lte = nwlink_profile_find(&profiles, "LTE");
    assert_int_equal(lte->conditions[NWLINK_DOWN].delay, MS(7)); /* our own namesake comes first */
    assert_int_equal(lte->conditions[NWLINK_DOWN].rate, 50000000);
    nwlink_profiles_free(&profiles);
}

static void file_mistakes(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"delay = 1ms\n", "f:1: 'delay' comes before the first [NAME]"},
        {"[a\n", "f:1: '[a' is not [NAME]"},
        {"[]\n", "f:1: '' is not a name"},
        {"[a]\n[A]\n", "f:2: [A] is there twice"},
        {"[a]\nwhat\n", "f:2: 'what' is neither"},
        {"[a]\n\nside.delay=1ms\n", "f:3: 'side.delay' is not a condition"},
        {"[a]\nup.base=LTE\n", "f:2: 'base' is not a condition"},
        {"[a]\nbase=a\n", "f:2: base: there is no profile 'a'"},
        {"[a]\ndelay=1ms\nbase=LTE\n", "f:3: base = LTE must be the first"},
        {"[a]\nup.loss=5\n", "f:2: loss: '5'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct nwlink_profiles profiles = {0};
        char why[NWLINK_WHY] = "";
        assert_false(nwlink_profiles_parse(&profiles, wrong[i][0], "f", why));
        if (strncmp(why, wrong[i][1], strlen(wrong[i][1])) != 0)
            fail_msg("'%s' is not '%s...'", why, wrong[i][1]);
        assert_int_equal(profiles.count, 0);
        nwlink_profiles_free(&profiles);
    }
}

static void too_many(void **state) {
    (void)state;
    struct nwlink_profiles profiles = {0};
    struct text_file t;
    char why[NWLINK_WHY] = "";
    text_open(&t);
    for (unsigned i = 0; i <= NWLINK_PROFILES_MAX; i++)
        fprintf(t.file, "[p%u]\n", i);
    char *text = text_close(&t);
    assert_false(nwlink_profiles_parse(&profiles, text, "f", why));
    assert_non_null(strstr(why, "f:257: [p256] is one profile too many"));
    free(text);
    nwlink_profiles_free(&profiles);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),   cmocka_unit_test(mistakes), cmocka_unit_test(writing),
        cmocka_unit_test(apple),    cmocka_unit_test(files),    cmocka_unit_test(file_mistakes),
        cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
