/*
 * test_nwlink_link.c - one direction of the wire: its arithmetic, its statistics, its seed.
 * What:   the bounds of the statistics are at least four standard deviations away; the seed makes
 *         them hold always once they hold.
 */
#include "link.h"
#include "nwcat_test.h"

#define MS(n) ((int64_t)(n)*1000000)

enum { PACKETS = 100000, SIZE = 1000 };

static struct nwlink_link *fresh(const char *conditions, uint64_t seed) {
    static struct nwlink_link link;
    char why[NWLINK_WHY];
    nwlink_link_init(&link, seed);
    if (!nwlink_conditions_read(&link.conditions, conditions, why))
        fail_msg("%s", why);
    return &link;
}

static struct nwlink_fate offer(struct nwlink_link *link, int64_t now) {
    return nwlink_link_offer(link, now, SIZE, SIZE, false);
}

static uint64_t offer_many(struct nwlink_link *link, int64_t gap) {
    uint64_t passed = 0;
    for (int64_t i = 0; i < PACKETS; i++)
        passed += offer(link, i * gap).copies > 0;
    return passed;
}

static void assert_about(uint64_t value, double expected, double tolerance) {
    assert_true((double)value > expected - tolerance && (double)value < expected + tolerance);
}

static void perfect(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("perfect", 1);
    for (int64_t now = 0; now < MS(10); now += MS(1)) {
        struct nwlink_fate fate = offer(link, now);
        assert_int_equal(fate.copies, 1);
        assert_int_equal(fate.at, now);
        assert_false(fate.corrupt);
    }
    nwlink_link_free(link);
}

/* 1000 octets at 1 Mbit/s take 8 ms; with the delay each comes out a multiple of 8 ms later. */
static void rate_and_delay(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("rate=1Mbit,delay=100ms,queue=10", 1);
    for (int i = 1; i <= 10; i++)
        assert_int_equal(offer(link, 0).at, MS(8 * i + 100));
    struct nwlink_fate fate = offer(link, 0);
    assert_int_equal(fate.copies, 0);
    assert_int_equal(fate.cause, NWLINK_QUEUE);
    assert_int_equal(nwlink_link_waiting(link, MS(8) - 1), 10);
    assert_int_equal(nwlink_link_waiting(link, MS(8)), 9); /* one has left: there is room */
    assert_int_equal(offer(link, MS(8)).at, MS(88 + 100));
    assert_int_equal(nwlink_link_waiting(link, MS(88)), 0);
    assert_int_equal(offer(link, MS(1000)).at, MS(1108)); /* the line stood idle: no credit */
    assert_int_equal(link->counts.dropped[NWLINK_QUEUE], 1);
    nwlink_link_free(link);
}

static void queue_of_octets(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("rate=1Mbit,queue=2500B", 1);
    assert_int_equal(offer(link, 0).copies, 1);
    assert_int_equal(offer(link, 0).copies, 1);
    assert_int_equal(offer(link, 0).copies, 0);
    assert_int_equal(nwlink_link_offer(link, 0, 500, 500, false).copies, 1);
    assert_int_equal(nwlink_link_offer(link, 0, 1, 1, false).copies, 0);
    /* larger than the queue, but nothing waits */
    assert_int_equal(nwlink_link_offer(link, MS(100), 9000, 9000, false).copies, 1);
    nwlink_link_free(link);
}

/* With queue=auto a slow line has 50 packets, a fast one as many as take it 100 ms. */
static void queue_by_itself(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("rate=1Mbit", 1);
    unsigned count = 0;
    while (offer(link, 0).copies == 1)
        count++;
    assert_int_equal(count, 50);
    nwlink_link_free(link);
    link = fresh("rate=100Mbit", 1);
    for (count = 0; offer(link, 0).copies == 1; count++)
        continue;
    assert_int_equal(count, 100000000 / 8 / 10 / SIZE);
    nwlink_link_free(link);
}

static void long_run_rate(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("rate=3Mbit,queue=5", 1);
    int64_t last = 0;
    for (int64_t i = 0; i < PACKETS; i++) { /* 8 Mbit/s are offered */
        struct nwlink_fate fate = offer(link, i * MS(1));
        if (fate.copies > 0) {
            assert_true(fate.at > last);
            last = fate.at;
        }
    }
    uint64_t passed = PACKETS - link->counts.dropped[NWLINK_QUEUE];
    assert_about(passed, 3e6 / 8 / SIZE * PACKETS / 1000, 10);
    nwlink_link_free(link);
}

/* What is queued keeps its time; what comes later has the new rate, and does not overtake. */
static void rate_changes(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("rate=1Mbit", 1);
    assert_int_equal(offer(link, 0).at, MS(8));
    link->conditions.rate = 0;
    assert_int_equal(offer(link, MS(1)).at, MS(8));
    assert_int_equal(offer(link, MS(9)).at, MS(9));
    nwlink_link_free(link);
}

static void random_loss(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("loss=10%", 7);
    uint64_t passed = offer_many(link, 0);
    assert_about(passed, 0.9 * PACKETS, 400); /* one standard deviation: 95 */
    assert_int_equal(link->counts.dropped[NWLINK_LOSS], PACKETS - passed);
    link = fresh("loss=100%", 7);
    assert_int_equal(offer_many(link, 0), 0);
}

/* Enter 1 %, leave 25 %: bad for 1/26 of the time, for 4 packets on average. */
static void bursts(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("burst=1%/25%", 3);
    unsigned lost = 0, count = 0;
    bool before = false;
    for (int64_t i = 0; i < PACKETS; i++) {
        bool now = offer(link, i).copies == 0;
        lost += now;
        count += now && !before;
        before = now;
    }
    assert_about(lost, PACKETS / 26.0, 400);
    double length = (double)lost / count;
    assert_true(length > 3.6 && length < 4.4);
    assert_int_equal(link->counts.dropped[NWLINK_BURST], lost);
    link = fresh("burst=1%/25%/50%/10%", 3); /* also good states lose, and bad ones not all */
    offer_many(link, 0);
    assert_about(link->counts.dropped[NWLINK_BURST], PACKETS * (0.5 / 26 + 0.1 * 25 / 26), 600);
}

static void jitter_keeps_order(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("delay=50ms,jitter=10ms", 5);
    int64_t last = 0, least = INT64_MAX, most = 0, sum = 0;
    for (int64_t i = 0; i < PACKETS; i++) {
        int64_t now = i * MS(30), at = offer(link, now).at; /* too far apart to touch */
        assert_true(at >= last);
        last = at;
        sum += at - now;
        least = at - now < least ? at - now : least;
        most = at - now > most ? at - now : most;
    }
    assert_true(least >= MS(40) && least < MS(41));
    assert_true(most <= MS(60) && most > MS(59));
    assert_about((uint64_t)(sum / PACKETS), MS(50), 100000);
    link = fresh("delay=50ms,jitter=10ms", 5);
    for (int64_t i = last = 0; i < PACKETS; i++) { /* close together: still in order */
        int64_t at = offer(link, i * 1000).at;
        assert_true(at >= last);
        last = at;
    }
}

static void reordering(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("delay=20ms,reorder=5%/30ms", 5);
    unsigned late = 0;
    for (int64_t i = 0; i < PACKETS; i++) {
        int64_t way = offer(link, i * MS(1)).at - i * MS(1);
        assert_true(way == MS(20) || way == MS(50));
        late += way == MS(50);
    }
    assert_about(late, 0.05 * PACKETS, 300);
    assert_int_equal(link->counts.reordered, late);
}

static void doubles_and_flips(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("duplicate=20%,corrupt=2%", 9);
    unsigned doubles = 0, flips = 0;
    uint32_t highest = 0;
    for (int64_t i = 0; i < PACKETS; i++) {
        struct nwlink_fate fate = offer(link, i);
        doubles += fate.copies == 2;
        flips += fate.corrupt;
        assert_true(fate.corrupt_bit < SIZE * 8);
        highest = fate.corrupt_bit > highest ? fate.corrupt_bit : highest;
    }
    assert_about(doubles, 0.2 * PACKETS, 550);
    assert_about(flips, 0.02 * PACKETS, 200);
    assert_true(highest > SIZE * 8 * 9 / 10); /* any bit, not only the first ones */
    assert_int_equal(link->counts.duplicated, doubles);
    assert_int_equal(link->counts.corrupted, flips);
}

static void sizes_and_names(void **state) {
    (void)state;
    struct nwlink_link *link = fresh("mtu=1280,dns-delay=3s,delay=10ms", 1);
    assert_int_equal(nwlink_link_offer(link, 0, 1294, 1280, false).at, MS(10));
    struct nwlink_fate fate = nwlink_link_offer(link, 0, 1295, 1281, false);
    assert_int_equal(fate.copies, 0);
    assert_int_equal(fate.cause, NWLINK_MTU);
    assert_int_equal(nwlink_link_offer(link, 0, 100, 100, true).at, MS(3010));
    assert_int_equal(offer(link, 0).at, MS(10)); /* nobody waits for a name's packet */
    link->cut = true;
    assert_int_equal(offer(link, 0).cause, NWLINK_CUT);
    assert_int_equal(link->counts.dropped[NWLINK_CUT], 1);
}

/* The fate of the n-th packet, as one number; times relative. */
static uint64_t digest(const char *conditions, uint64_t seed, uint64_t *lost) {
    struct nwlink_link *link = fresh(conditions, seed);
    uint64_t hash = 14695981039346656037ULL;
    for (int64_t i = 0; i < 2000; i++) {
        struct nwlink_fate fate = offer(link, i * MS(1));
        hash = (hash ^ fate.copies) * 1099511628211ULL;
        hash = (hash ^ (uint64_t)fate.at) * 1099511628211ULL;
        hash = (hash ^ fate.corrupt_bit) * 1099511628211ULL;
        lost[i / 64] = (lost[i / 64] << 1) | (fate.copies == 0);
    }
    nwlink_link_free(link);
    return hash;
}

static void seeds(void **state) {
    (void)state;
    static const char all[] = "delay=9ms,jitter=4ms,loss=9%,burst=1%/30%,duplicate=3%,reorder=4%,"
                              "corrupt=5%";
    uint64_t a[32] = {0}, b[32] = {0}, c[32] = {0}, d[32] = {0};
    assert_int_equal(digest(all, 42, a), digest(all, 42, b));
    assert_true(digest(all, 42, c) != digest(all, 43, d));
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(c, d, sizeof c);
    /* the same packets are lost when something else is set as well */
    uint64_t less[32] = {0};
    digest("loss=9%,burst=1%/30%", 42, less);
    assert_memory_equal(a, less, sizeof a);
}

/* A full queue hangs on time; the losses of the others do not change with it. */
static void drops_shift_nothing(void **state) {
    (void)state;
    bool lost[2000];
    struct nwlink_link *link = fresh("loss=20%", 11);
    for (int i = 0; i < 2000; i++)
        lost[i] = offer(link, i).copies == 0;
    link = fresh("loss=20%,rate=1Mbit,queue=3", 11);
    for (int i = 0; i < 2000; i++) {
        struct nwlink_fate fate = offer(link, i);
        assert_int_equal(fate.copies == 0 && fate.cause == NWLINK_LOSS, lost[i]);
    }
    assert_true(link->counts.dropped[NWLINK_QUEUE] > 1000);
    nwlink_link_free(link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect),
        cmocka_unit_test(rate_and_delay),
        cmocka_unit_test(queue_of_octets),
        cmocka_unit_test(queue_by_itself),
        cmocka_unit_test(long_run_rate),
        cmocka_unit_test(rate_changes),
        cmocka_unit_test(random_loss),
        cmocka_unit_test(bursts),
        cmocka_unit_test(jitter_keeps_order),
        cmocka_unit_test(reordering),
        cmocka_unit_test(doubles_and_flips),
        cmocka_unit_test(sizes_and_names),
        cmocka_unit_test(seeds),
        cmocka_unit_test(drops_shift_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
