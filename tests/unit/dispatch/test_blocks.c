/* test_blocks.c - block objects, and the block forms of data, sources and I/O. Compiled by clang
 * -fblocks. */
#include "base/alloc.h"
#include "dispatch/dispatch.h"
#include "latch.h"
#include <dispatch/dispatch.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h> /* needed by cmocka, like stdarg, stddef and stdint */

#include <cmocka.h>

static void test_block_object_runs_and_is_waited_for(void **state) {
    (void)state;
    __block int runs = 0;
    dispatch_block_t block = dispatch_block_create(0, ^{
        runs++;
    });
    assert_non_null(block);
    assert_int_not_equal(
        dispatch_block_wait(block, dispatch_time(DISPATCH_TIME_NOW, NSEC_PER_MSEC)), 0);
    dispatch_async(dispatch_get_global_queue(0, 0), block);
    assert_int_equal(dispatch_block_wait(block, DISPATCH_TIME_FOREVER), 0);
    assert_int_equal(runs, 1);
    assert_int_equal(dispatch_wait(block, DISPATCH_TIME_NOW), 0);
    Block_release(block);
}

static void test_block_object_cancelled(void **state) {
    (void)state;
    __block int runs = 0;
    dispatch_queue_t queue = dispatch_queue_create("blocks", NULL);
    dispatch_block_t block = dispatch_block_create(DISPATCH_BLOCK_BARRIER, ^{
        runs++;
    });
    dispatch_suspend(queue);
    dispatch_async(queue, block);
    assert_int_equal(dispatch_block_testcancel(block), 0);
    dispatch_cancel(block);
    assert_int_not_equal(dispatch_testcancel(block), 0);
    dispatch_resume(queue);
    assert_int_equal(dispatch_block_wait(block, DISPATCH_TIME_FOREVER), 0);
    assert_int_equal(runs, 0);
    Block_release(block);
    dispatch_release(queue);
}

static void test_block_object_notifies(void **state) {
    (void)state;
    static struct latch early = LATCH_INIT, late = LATCH_INIT;
    dispatch_queue_t queue = dispatch_queue_create("blocks", NULL);
    dispatch_block_t block = dispatch_block_create_with_qos_class(0, QOS_CLASS_UTILITY, -3,
                                                                  ^{
                                                                  });
    dispatch_block_notify(block, queue, ^{
        latch_hit(&early);
    });
    assert_false(latch_wait(&early, 1, 20));
    block(); /* called by hand: as good as on a queue */
    assert_true(latch_wait(&early, 1, SOON));
    dispatch_notify(block, queue, ^{
        latch_hit(&late);
    });
    assert_true(latch_wait(&late, 1, SOON));
    Block_release(block);
    /* Never run: the notification goes with it, and so does what it holds. */
    block = dispatch_block_create(0, ^{
                                  });
    dispatch_block_notify(block, queue, ^{
        latch_hit(&early);
    });
    Block_release(block);
    dispatch_release(queue);
    assert_int_equal(latch_count(&early), 1);
}

static void test_block_objects_misused(void **state) {
    (void)state;
    dispatch_block_t plain = ^{
    };
    assert_null(dispatch_block_create(0x100, plain));
    assert_null(dispatch_block_create(0, (dispatch_block_t _Nonnull)NULL));
    assert_null(dispatch_block_create_with_qos_class(0, 0x22, 0, plain));
    assert_null(dispatch_block_create_with_qos_class(0, QOS_CLASS_DEFAULT, 1, plain));
    assert_int_not_equal(dispatch_block_wait(plain, DISPATCH_TIME_FOREVER), 0);
    dispatch_block_cancel(plain);
    assert_int_equal(dispatch_block_testcancel(plain), 0);
    __block int runs = 0;
    dispatch_block_perform(DISPATCH_BLOCK_DETACHED, ^{
        runs++;
    });
    assert_int_equal(runs, 1);
    assert_false(nwi_block_is_barrier((const void *)plain));
    dispatch_block_t barrier = dispatch_block_create(DISPATCH_BLOCK_BARRIER, plain);
    assert_true(nwi_block_is_barrier((const void *)barrier));
    Block_release(barrier);
}

static void test_data_destructors(void **state) {
    (void)state;
    static struct latch latch = LATCH_INIT;
    static const char bytes[] = "bytes";
    dispatch_release(dispatch_data_create(bytes, 5, NULL, ^{
        latch_hit(&latch);
    }));
    assert_true(latch_wait(&latch, 1, SOON));
    dispatch_data_t data =
        dispatch_data_create(strdup("heap"), 4, NULL, DISPATCH_DATA_DESTRUCTOR_FREE);
    __block size_t seen = 0;
    assert_true(dispatch_data_apply(
        data, ^bool(dispatch_data_t region, size_t offset, const void *buffer, size_t size) {
            (void)region;
            assert_memory_equal(buffer, "heap", 4);
            seen += offset + size;
            return true;
        }));
    assert_int_equal(seen, 4);
    dispatch_release(data);
    void *pages = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    dispatch_release(dispatch_data_create(pages, 4096, NULL, DISPATCH_DATA_DESTRUCTOR_MUNMAP));
    unsigned char vec;
    assert_int_equal(mincore(pages, 4096, &vec), -1);
    data = dispatch_data_create(bytes, 5, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
    assert_int_equal(dispatch_data_get_size(data), 5);
    dispatch_release(data);
}

static void test_source_handlers(void **state) {
    (void)state;
    static struct latch events = LATCH_INIT, cancels = LATCH_INIT, registrations = LATCH_INIT;
    dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, NULL);
    dispatch_source_set_event_handler(source, ^{
        if (dispatch_source_get_data(source) == 7)
            latch_hit(&events);
    });
    dispatch_source_set_cancel_handler(source, ^{
        latch_hit(&cancels);
    });
    dispatch_source_set_registration_handler(source, ^{
        latch_hit(&registrations);
    });
    dispatch_activate(source);
    assert_true(latch_wait(&registrations, 1, SOON));
    dispatch_source_merge_data(source, 7);
    assert_true(latch_wait(&events, 1, SOON));
    dispatch_cancel(source);
    assert_true(latch_wait(&cancels, 1, SOON));
    assert_int_not_equal(dispatch_testcancel(source), 0);
    dispatch_release(source);
}

static void test_io_handlers(void **state) {
    (void)state;
    static struct latch reads = LATCH_INIT, writes = LATCH_INIT, cleanups = LATCH_INIT,
                        barriers = LATCH_INIT;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_queue_t queue = dispatch_queue_create("io", NULL);
    dispatch_data_t data = dispatch_data_create("abc", 3, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
    dispatch_write(ends[1], data, queue, ^(dispatch_data_t rest, int error) {
        if (rest == NULL && error == 0)
            latch_hit(&writes);
    });
    dispatch_read(ends[0], 100, queue, ^(dispatch_data_t got, int error) {
        if (dispatch_data_get_size(got) == 3 && error == 0)
            latch_hit(&reads);
    });
    assert_true(latch_wait(&writes, 1, SOON));
    assert_true(latch_wait(&reads, 1, SOON));
    dispatch_io_t channel = dispatch_io_create(DISPATCH_IO_STREAM, ends[1], queue, ^(int error) {
        if (error == 0)
            latch_hit(&cleanups);
    });
    dispatch_io_write(channel, 0, data, queue, ^(bool done, dispatch_data_t rest, int error) {
        if (done && rest == NULL && error == 0)
            latch_hit(&writes);
    });
    dispatch_io_barrier(channel, ^{
        latch_hit(&barriers);
    });
    assert_true(latch_wait(&writes, 2, SOON));
    assert_true(latch_wait(&barriers, 1, SOON));
    dispatch_io_close(channel, 0);
    assert_true(latch_wait(&cleanups, 1, SOON));
    dispatch_release(channel);
    dispatch_release(data);
    dispatch_release(queue);
    close(ends[0]);
    close(ends[1]);
}

static void test_no_memory_for_a_block_object(void **state) {
    (void)state;
    nwi_alloc_fail_at(1);
    assert_null(dispatch_block_create(0, ^{
                                      }));
    nwi_alloc_fail_at(1);
    assert_null(dispatch_source_create(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, NULL));
    nwi_alloc_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_object_runs_and_is_waited_for),
        cmocka_unit_test(test_block_object_cancelled),
        cmocka_unit_test(test_block_object_notifies),
        cmocka_unit_test(test_block_objects_misused),
        cmocka_unit_test(test_data_destructors),
        cmocka_unit_test(test_source_handlers),
        cmocka_unit_test(test_io_handlers),
        cmocka_unit_test(test_no_memory_for_a_block_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
