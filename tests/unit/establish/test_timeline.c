/*
 * test_timeline.c - src/establish/timeline.c: the record, its snapshot, the public calls.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/object.h"
#include "establish/timeline.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS(n) ((n)*NWI_MS)
#define ROOT ((struct nwi_branch){0, 0})
#define RESOLVER ((struct nwi_branch){1, 0})
#define ADDRESS ((struct nwi_branch){1, 1})

struct seen {
    char text[1024];
    unsigned count, stop_after;
    uint64_t last;
    nw_establishment_timeline_t release; /* given up inside the first call */
    nw_endpoint_t endpoint;              /* of the last event */
};

static bool write_down(void *context, uint64_t nanoseconds, const char *name, const char *event,
                       nw_endpoint_t endpoint, nw_error_t error) {
    struct seen *seen = context;
    char one[128];
    if (seen->release != NULL)
        nw_release(seen->release);
    seen->release = NULL;
    snprintf(one, sizeof one, "%llu %s %s%s %d; ", (unsigned long long)(nanoseconds / NWI_MS), name,
             event, endpoint != NULL ? " to" : "", nw_error_get_error_code(error));
    if (strlen(seen->text) + strlen(one) < sizeof seen->text)
        strcat(seen->text, one);
    seen->last = nanoseconds;
    seen->endpoint = endpoint;
    return ++seen->count != seen->stop_after;
}

static void fill(struct nwi_timeline *timeline) {
    nw_endpoint_t host = nw_endpoint_create_host("example.com", "80");
    nw_endpoint_t address = nw_endpoint_create_host("192.0.2.1", "80");
    assert_non_null(host);
    assert_non_null(address);
    nwi_timeline_record(timeline, MS(1000), ROOT, NWI_EVENT_START, host, 0);
    nwi_timeline_record(timeline, MS(1002), RESOLVER, NWI_EVENT_ANSWER_A, NULL, 0);
    nwi_timeline_record(timeline, MS(1003), ADDRESS, NWI_EVENT_ATTEMPT_START, address, 0);
    nwi_timeline_record(timeline, MS(1010), ADDRESS, NWI_EVENT_ATTEMPT_FAILED, address,
                        nwi_posix(ECONNREFUSED));
    nw_release(host);
    nw_release(address);
}

static void test_events(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    struct seen seen = {.stop_after = 0};
    fill(timeline);
    nw_establishment_timeline_t snapshot = nwi_timeline_copy(timeline, "C1");
    /* What comes later does not change the snapshot; nor does the end of the record. */
    nwi_timeline_record(timeline, MS(1020), ROOT, NWI_EVENT_FAILED, NULL, nwi_posix(ECONNREFUSED));
    nwi_release(timeline);
    assert_int_equal(nw_establishment_timeline_get_count(snapshot), 4);
    assert_int_equal(nw_establishment_timeline_get_missing(snapshot), 0);
    nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
    assert_string_equal(seen.text,
                        "0 C1 start to 0; 2 C1.1 answer-a 0; 3 C1.1.1 attempt-start to 0; "
                        "10 C1.1.1 attempt-failed to 111; ");
    assert_string_equal(nw_endpoint_get_hostname(seen.endpoint), "192.0.2.1");
    nw_release(snapshot);
}

static void test_stop_and_release(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    fill(timeline);
    nw_establishment_timeline_t snapshot = nwi_timeline_copy(timeline, "C1");
    struct seen seen = {.stop_after = 2};
    nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
    assert_int_equal(seen.count, 2);
    seen = (struct seen){.release = snapshot}; /* all events are still told */
    nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
    assert_int_equal(seen.count, 4);
    nwi_release(timeline);
}

/* A block is a struct that begins like this, and its function gets it as the first argument. */
struct block {
    void *isa;
    int flags, reserved;
    void (*invoke)(void);
    void *descriptor;
    struct seen seen;
};

static bool invoke(void *context, uint64_t nanoseconds, const char *name, const char *event,
                   nw_endpoint_t endpoint, nw_error_t error) {
    return write_down(&((struct block *)context)->seen, nanoseconds, name, event, endpoint, error);
}

extern void nw_establishment_timeline_enumerate(nw_establishment_timeline_t timeline,
                                                const void *block);

static void test_block(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    fill(timeline);
    nw_establishment_timeline_t snapshot = nwi_timeline_copy(timeline, "C1");
    struct block block = {.invoke = (void (*)(void))invoke, .seen = {.stop_after = 3}};
    nw_establishment_timeline_enumerate(snapshot, &block);
    assert_int_equal(block.seen.count, 3);
    nw_release(snapshot);
    nwi_release(timeline);
}

/* Bounded: the older half goes, the times still count from the first event. */
static void test_bound(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    nw_endpoint_t endpoint = nw_endpoint_create_host("192.0.2.1", "80");
    for (unsigned i = 0; i < 3 * NWI_TIMELINE_CAPACITY; i++)
        nwi_timeline_record(timeline, MS(100 + i), ROOT, NWI_EVENT_START, endpoint, 0);
    nw_establishment_timeline_t snapshot = nwi_timeline_copy(timeline, "C1");
    size_t count = nw_establishment_timeline_get_count(snapshot);
    size_t missing = nw_establishment_timeline_get_missing(snapshot);
    assert_true(count <= NWI_TIMELINE_CAPACITY && count >= NWI_TIMELINE_CAPACITY / 2);
    assert_int_equal(count + missing, 3 * NWI_TIMELINE_CAPACITY);
    struct seen seen = {.stop_after = 1};
    nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
    assert_int_equal(seen.last, MS(missing));
    seen = (struct seen){.stop_after = 0};
    nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
    assert_int_equal(seen.last, MS(3 * NWI_TIMELINE_CAPACITY - 1));
    nw_release(snapshot);
    nw_release(endpoint);
    nwi_release(timeline);
}

/* Time that runs backwards is held; the longest name fits; room given back is found again. */
static void test_odd_values(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    nwi_timeline_trim(timeline);
    nwi_timeline_record(timeline, MS(10), ROOT, NWI_EVENT_START, NULL, 0);
    nwi_timeline_trim(timeline);
    nwi_timeline_record(timeline, MS(5), ((struct nwi_branch){UINT8_MAX, UINT8_MAX}),
                        NWI_EVENT_READY, NULL, 0);
    nw_establishment_timeline_t snapshot = nwi_timeline_copy(timeline, "C4294967295");
    struct seen seen = {.stop_after = 0};
    nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
    assert_string_equal(seen.text, "0 C4294967295 start 0; 0 C4294967295.255.255 ready 0; ");
    nw_release(snapshot);
    nwi_release(timeline);
}

/* The words are part of the public interface; each event has its own. */
static void test_words(void **state) {
    (void)state;
    const char *const words[] = {"start",         "resolve-start",   "answer-aaaa",    "answer-a",
                                 "attempt-start", "handshake-start", "attempt-failed", "abandoned",
                                 "ready",         "failed"};
    assert_int_equal(sizeof words / sizeof words[0], NWI_EVENT_COUNT);
    for (int i = 0; i < NWI_EVENT_COUNT; i++)
        assert_string_equal(nwi_timeline_event_name((enum nwi_timeline_event)i), words[i]);
}

static unsigned misuses;

static void count_misuse(enum nwi_log_level level, const char *name, const char *event,
                         const char *message) {
    (void)name, (void)event, (void)message;
    misuses += level == NWI_LOG_ERROR;
}

static void test_null(void **state) {
    (void)state;
    nwi_log_set_sink(count_misuse);
    nwi_timeline_record(NULL, 0, ROOT, NWI_EVENT_START, NULL, 0);
    nwi_timeline_trim(NULL);
    assert_null(nwi_timeline_copy(NULL, "C1"));
    assert_int_equal(nw_establishment_timeline_get_count(NULL), 0);
    assert_int_equal(nw_establishment_timeline_get_missing(NULL), 0);
    assert_int_equal(misuses, 0);
    nw_establishment_timeline_enumerate_f(NULL, NULL, write_down);
    struct nwi_timeline *timeline = nwi_timeline_create();
    nw_establishment_timeline_t snapshot = nwi_timeline_copy(timeline, "C1");
    nw_establishment_timeline_enumerate_f(snapshot, NULL, NULL);
    nw_establishment_timeline_enumerate(snapshot, NULL);
    assert_int_equal(misuses, 3);
    nwi_log_set_sink(NULL);
    nw_release(snapshot);
    nwi_release(timeline);
}

/* Every allocation fails once: events are counted as missing, nothing leaks, nothing crashes. */
static void test_no_memory(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("192.0.2.1", "80");
    nwi_alloc_count(true);
    bool hit = true;
    for (unsigned long n = 1; hit; n++) {
        long before = nwi_alloc_live();
        nwi_alloc_fail_at(n);
        struct nwi_timeline *timeline = nwi_timeline_create();
        for (unsigned i = 0; i < 40; i++)
            nwi_timeline_record(timeline, MS(i), ROOT, NWI_EVENT_FAILED, endpoint,
                                nwi_posix(ECONNREFUSED));
        nwi_timeline_trim(timeline);
        nw_establishment_timeline_t snapshot = nwi_timeline_copy(timeline, "C1");
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        if (snapshot != NULL)
            assert_int_equal(nw_establishment_timeline_get_count(snapshot) +
                                 nw_establishment_timeline_get_missing(snapshot),
                             40);
        else
            assert_true(hit);
        struct seen seen = {.stop_after = 0};
        if (snapshot != NULL)
            nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
        nw_release(snapshot);
        nwi_release(timeline);
        assert_int_equal(nwi_alloc_live(), before);
    }
    nwi_alloc_count(false);
    nw_release(endpoint);
}

struct writer {
    struct nwi_timeline *timeline;
    _Atomic bool done;
};

static void *write_many(void *argument) {
    struct writer *writer = argument;
    nw_endpoint_t endpoint = nw_endpoint_create_host("192.0.2.1", "80");
    for (unsigned i = 0; i < 5000; i++)
        nwi_timeline_record(writer->timeline, MS(i), ADDRESS, NWI_EVENT_ATTEMPT_START, endpoint, 0);
    nw_release(endpoint);
    writer->done = true;
    return NULL;
}

/* Snapshots taken while another thread writes are whole: events in order, none lost between. */
static void test_threads(void **state) {
    (void)state;
    struct writer writer = {.timeline = nwi_timeline_create()};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_many, &writer), 0);
    for (bool last = false; !last;) {
        last = writer.done;
        nw_establishment_timeline_t snapshot = nwi_timeline_copy(writer.timeline, "C1");
        size_t count = nw_establishment_timeline_get_count(snapshot);
        size_t missing = nw_establishment_timeline_get_missing(snapshot);
        struct seen seen = {.stop_after = 0};
        nw_establishment_timeline_enumerate_f(snapshot, &seen, write_down);
        if (count > 0)
            assert_int_equal(seen.last, MS(count + missing - 1));
        nw_release(snapshot);
    }
    pthread_join(thread, NULL);
    nwi_release(writer.timeline);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),     cmocka_unit_test(test_stop_and_release),
        cmocka_unit_test(test_block),      cmocka_unit_test(test_bound),
        cmocka_unit_test(test_odd_values), cmocka_unit_test(test_null),
        cmocka_unit_test(test_no_memory),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
