/* test_data.c - dispatch_data by its functions: sizes, sharing, destructors, maps, iovecs, the
 * pool. */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/data.h"
#include "dispatch/data_internal.h"
#include "latch.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <setjmp.h> /* needed by cmocka, like stdarg, stddef and stdint */

#include <cmocka.h>

static dispatch_data_t text(const char *string) {
    dispatch_data_t data = dispatch_data_create_f(string, strlen(string), NULL, NULL, NULL);
    assert_non_null(data);
    return data;
}

static void assert_text(dispatch_data_t data, const char *string) {
    char copy[256] = {0};
    assert_int_equal(dispatch_data_get_size(data), strlen(string));
    assert_int_equal(nwi_data_copy_out(data, 0, copy, sizeof(copy)), strlen(string));
    assert_string_equal(copy, string);
}

static dispatch_data_t join(dispatch_data_t a, dispatch_data_t b) { /* consumes both */
    dispatch_data_t both = dispatch_data_create_concat(a, b);
    assert_non_null(both);
    dispatch_release(a);
    dispatch_release(b);
    return both;
}

static void test_empty(void **state) {
    (void)state;
    const void *bytes = "";
    size_t size = 7;
    assert_int_equal(dispatch_data_get_size(dispatch_data_empty), 0);
    assert_int_equal(dispatch_data_get_size(NULL), 0);
    dispatch_release(dispatch_data_empty); /* immortal */
    dispatch_release(dispatch_data_empty);
    assert_ptr_equal(dispatch_data_create_f("x", 0, NULL, NULL, NULL), dispatch_data_empty);
    assert_ptr_equal(dispatch_data_create_map(NULL, &bytes, &size), dispatch_data_empty);
    assert_null(bytes);
    assert_int_equal(size, 0);
    assert_ptr_equal(dispatch_data_create_concat(NULL, NULL), dispatch_data_empty);
    assert_ptr_equal(dispatch_data_create_subrange(NULL, 0, 5), dispatch_data_empty);
    size_t offset = 9;
    assert_ptr_equal(dispatch_data_copy_region(NULL, 0, &offset), dispatch_data_empty);
    assert_int_equal(offset, 0);
    dispatch_data_t a = text("a"), same = dispatch_data_create_concat(NULL, a);
    assert_ptr_equal(a, same);
    dispatch_release(same);
    dispatch_release(a);
}

static void test_default_copies(void **state) {
    (void)state;
    char buffer[] = "hello";
    dispatch_data_t data = dispatch_data_create_f(buffer, 5, NULL, NULL, NULL);
    memset(buffer, 'x', 5);
    assert_text(data, "hello");
    dispatch_release(data);
}

static void test_concat_and_subrange(void **state) {
    (void)state;
    dispatch_data_t data = join(join(text("abc"), text("defg")), text("hi"));
    assert_text(data, "abcdefghi");
    assert_int_equal(data->count, 3);
    dispatch_data_t middle = dispatch_data_create_subrange(data, 2, 6);
    assert_text(middle, "cdefgh");
    dispatch_data_t inner = dispatch_data_create_subrange(middle, 1, 4);
    assert_text(inner, "defg");
    assert_int_equal(inner->count, 0); /* exactly one whole leaf: that leaf itself */
    dispatch_data_t tail = dispatch_data_create_subrange(data, 7, SIZE_MAX);
    assert_text(tail, "hi");
    assert_ptr_equal(dispatch_data_create_subrange(data, 9, 1), dispatch_data_empty);
    assert_ptr_equal(dispatch_data_create_subrange(data, SIZE_MAX, SIZE_MAX), dispatch_data_empty);
    dispatch_release(data); /* the parts keep the leaves */
    assert_text(middle, "cdefgh");
    dispatch_release(middle);
    dispatch_release(inner);
    dispatch_release(tail);
}

static void test_split_halves_rejoin_to_the_leaf(void **state) {
    (void)state;
    dispatch_data_t leaf = text("0123456789");
    dispatch_data_t a = dispatch_data_create_subrange(leaf, 0, 4);
    dispatch_data_t b = dispatch_data_create_subrange(leaf, 4, 6);
    dispatch_data_t whole = join(a, b);
    assert_ptr_equal(whole, leaf);
    dispatch_release(whole);
    dispatch_release(leaf);
}

static void test_map(void **state) {
    (void)state;
    const void *bytes;
    size_t size;
    dispatch_data_t leaf = text("abcdef");
    dispatch_data_t map = dispatch_data_create_map(leaf, &bytes, &size);
    assert_ptr_equal(map, leaf); /* no copy */
    dispatch_release(map);
    dispatch_data_t part = dispatch_data_create_subrange(leaf, 2, 3);
    map = dispatch_data_create_map(part, &bytes, &size);
    assert_ptr_equal(bytes, (const char *)leaf->bytes + 2);
    assert_int_equal(size, 3);
    dispatch_release(map);
    dispatch_data_t two = join(part, text("XY"));
    map = dispatch_data_create_map(two, &bytes, &size);
    dispatch_release(two);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "cdeXY", 5);
    dispatch_release(map);
    assert_non_null(dispatch_data_create_map(leaf, NULL, NULL));
    dispatch_release(leaf);
    dispatch_release(leaf);
}

struct walk {
    char seen[64];
    unsigned calls, stop_at;
};

static bool collect(void *context, dispatch_data_t region, size_t offset, const void *buffer,
                    size_t size) {
    struct walk *walk = context;
    assert_int_equal(dispatch_data_get_size(region), size);
    const void *own;
    dispatch_data_t map = dispatch_data_create_map(region, &own, NULL);
    assert_ptr_equal(own, buffer);
    dispatch_release(map);
    memcpy(walk->seen + offset, buffer, size);
    return ++walk->calls != walk->stop_at;
}

static void test_apply(void **state) {
    (void)state;
    dispatch_data_t first = text("abcdef"), cut = dispatch_data_create_subrange(first, 1, 3);
    dispatch_data_t data = join(cut, text("XYZ"));
    struct walk walk = {0};
    assert_true(dispatch_data_apply_f(data, &walk, collect));
    assert_int_equal(walk.calls, 2);
    assert_string_equal(walk.seen, "bcdXYZ");
    walk = (struct walk){.stop_at = 1};
    assert_false(dispatch_data_apply_f(data, &walk, collect));
    assert_int_equal(walk.calls, 1);
    assert_true(dispatch_data_apply_f(NULL, &walk, collect));
    assert_false(dispatch_data_apply_f(data, &walk, NULL));
    dispatch_release(data);
    dispatch_release(first);
}

static void test_copy_region(void **state) {
    (void)state;
    dispatch_data_t data = join(text("abc"), text("defg"));
    size_t offset;
    dispatch_data_t region = dispatch_data_copy_region(data, 3, &offset);
    assert_text(region, "defg");
    assert_int_equal(offset, 3);
    dispatch_release(region);
    region = dispatch_data_copy_region(data, 2, &offset);
    assert_text(region, "abc");
    assert_int_equal(offset, 0);
    dispatch_release(region);
    assert_ptr_equal(dispatch_data_copy_region(data, 7, &offset), dispatch_data_empty);
    assert_int_equal(offset, 7);
    dispatch_release(data);
}

static void hit(void *context) {
    latch_hit(context);
}

static void test_custom_destructor_runs_once_after_the_last_view(void **state) {
    (void)state;
    struct latch latch = LATCH_INIT;
    static const char buffer[] = "static";
    dispatch_data_t data = dispatch_data_create_f(buffer, 6, NULL, &latch, hit);
    assert_ptr_equal(data->bytes, buffer); /* not copied */
    dispatch_data_t part = dispatch_data_create_subrange(data, 1, 2);
    dispatch_release(data);
    assert_int_equal(latch_count(&latch), 0);
    dispatch_release(part);
    assert_true(latch_wait(&latch, 1, SOON));
    /* Empty data calls its destructor all the same. */
    assert_ptr_equal(dispatch_data_create_f(buffer, 0, NULL, &latch, hit), dispatch_data_empty);
    assert_true(latch_wait(&latch, 2, SOON));
}

static void test_destructor_runs_on_its_queue(void **state) {
    (void)state;
    struct latch latch = LATCH_INIT;
    dispatch_queue_t queue = dispatch_queue_create("data", NULL);
    dispatch_suspend(queue);
    dispatch_release(dispatch_data_create_f("abc", 3, queue, &latch, hit));
    assert_false(latch_wait(&latch, 1, 30));
    dispatch_resume(queue);
    assert_true(latch_wait(&latch, 1, SOON));
    dispatch_release(queue);
}

static void test_free_and_munmap(void **state) {
    (void)state;
    char *heap = malloc(100); /* ASan tells when it is not freed */
    memset(heap, 'h', 100);
    dispatch_data_t data =
        dispatch_data_create_f(heap, 100, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_FREE_F);
    assert_ptr_equal(data->bytes, heap);
    dispatch_release(data);
    unsigned char *pages =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    data = dispatch_data_create_f(pages, 4096, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_MUNMAP_F);
    dispatch_release(data);
    unsigned char vec;
    assert_int_equal(mincore(pages, 4096, &vec), -1); /* ENOMEM: not mapped any more */
}

static void test_size_overflow_is_refused(void **state) {
    (void)state;
    static const char byte = 1;
    struct latch latch = LATCH_INIT;
    dispatch_data_t huge = dispatch_data_create_f(&byte, SIZE_MAX - 1, NULL, &latch, hit);
    assert_null(dispatch_data_create_concat(huge, huge));
    dispatch_release(huge);
    assert_true(latch_wait(&latch, 1, SOON));
    void *bytes = &latch;
    assert_null(nwi_data_create_buffer(SIZE_MAX - 4, &bytes));
    assert_null(bytes);
}

static void test_iovec(void **state) {
    (void)state;
    dispatch_data_t data = join(join(text("abc"), text("defg")), text("hi"));
    struct iovec v[4];
    assert_int_equal(nwi_data_iovec(data, 0, v, 4), 3);
    assert_int_equal(v[2].iov_len, 2);
    assert_int_equal(nwi_data_iovec(data, 4, v, 1), 1);
    assert_memory_equal(v[0].iov_base, "efg", 3);
    assert_int_equal(v[0].iov_len, 3);
    assert_int_equal(nwi_data_iovec(data, 7, v, 4), 1);
    assert_memory_equal(v[0].iov_base, "hi", 2);
    assert_int_equal(nwi_data_iovec(data, 9, v, 4), 0);
    assert_int_equal(nwi_data_iovec(NULL, 0, v, 4), 0);
    dispatch_release(data);
}

static void test_pooled_buffer(void **state) {
    (void)state;
    void *bytes, *again;
    dispatch_data_t data = nwi_data_create_buffer(16384, &bytes);
    assert_int_equal((uintptr_t)bytes % 16, 0);
    memcpy(bytes, "received", 8);
    data = nwi_data_trim(data, 8);
    assert_text(data, "received");
    dispatch_release(data);
    data = nwi_data_create_buffer(16384, &again);
    if (nwi_data_is_pooled())
        assert_ptr_equal(bytes, again);
    assert_int_equal(dispatch_data_get_size(data), 16384);
    assert_ptr_equal(nwi_data_trim(data, 16385), data); /* refused */
    assert_int_equal(dispatch_data_get_size(data), 16384);
    assert_ptr_equal(nwi_data_trim(data, 0), dispatch_data_empty);
}

/* Every allocation of the body fails in turn: nothing leaks, nothing crashes, NULL comes back. */
static void test_no_memory(void **state) {
    (void)state;
    nwi_data_pool_drain();
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    for (unsigned long n = 1;; n++) {
        nwi_alloc_fail_at(n);
        dispatch_data_t a = dispatch_data_create_f("abc", 3, NULL, NULL, NULL);
        dispatch_data_t b = dispatch_data_create_f("defg", 4, NULL, NULL, NULL);
        dispatch_data_t both = a != NULL && b != NULL ? dispatch_data_create_concat(a, b) : NULL;
        if (both != NULL) {
            dispatch_release(dispatch_data_create_subrange(both, 1, 5));
            dispatch_release(dispatch_data_create_map(both, NULL, NULL));
            struct walk walk = {0};
            dispatch_data_apply_f(both, &walk, collect);
        }
        dispatch_release(a);
        dispatch_release(b);
        dispatch_release(both);
        bool fired = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_int_equal(nwi_alloc_live(), before);
        if (!fired)
            break;
        assert_true(n < 100);
    }
    nwi_alloc_count(false);
}

/* Views of one leaf made and dropped by many threads at once; TSan watches. */
static void *churn(void *argument) {
    dispatch_data_t shared = argument;
    for (int i = 0; i < 2000; i++) {
        dispatch_data_t a = dispatch_data_create_subrange(shared, (size_t)i % 7, 5);
        dispatch_data_t b = dispatch_data_create_concat(a, shared);
        void *bytes;
        dispatch_data_t c = nwi_data_create_buffer(2048, &bytes);
        memset(bytes, i, 16);
        dispatch_release(a);
        dispatch_release(b);
        dispatch_release(c);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    dispatch_data_t shared = join(text("abcdef"), text("ghijkl"));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, shared), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_text(shared, "abcdefghijkl");
    assert_int_equal(atomic_load(&shared->base.refs), 1);
    dispatch_release(shared);
}

static int drain(void **state) {
    (void)state;
    nwi_data_pool_drain();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_default_copies),
        cmocka_unit_test(test_concat_and_subrange),
        cmocka_unit_test(test_split_halves_rejoin_to_the_leaf),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_copy_region),
        cmocka_unit_test(test_custom_destructor_runs_once_after_the_last_view),
        cmocka_unit_test(test_destructor_runs_on_its_queue),
        cmocka_unit_test(test_free_and_munmap),
        cmocka_unit_test(test_size_overflow_is_refused),
        cmocka_unit_test(test_iovec),
        cmocka_unit_test(test_pooled_buffer),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, drain);
}
