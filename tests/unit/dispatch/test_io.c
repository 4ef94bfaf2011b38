/* test_io.c - dispatch_read, dispatch_write and channels over pipes, terminals, sockets and files.
 */
#include "base/alloc.h"
#include "dispatch/data.h"
#include "latch.h"
#include <dispatch/dispatch.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h> /* needed by cmocka, like stdarg, stddef and stdint */

#include <cmocka.h>

/* What handlers have been given. Calls of one test's handlers may come on any thread, one after the
 * other. */
struct seen {
    struct latch calls /* marked: done */, cleanups;
    pthread_mutex_t lock;
    char text[256];
    size_t size, largest;
    int error, cleanup_error;
    bool empty_done, rest_null;
};

static void init(struct seen *seen) {
    *seen = (struct seen){.calls = LATCH_INIT,

                          .cleanups = LATCH_INIT,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .error = -1};
}

static void take(struct seen *seen, bool done, dispatch_data_t data, int error) {
    pthread_mutex_lock(&seen->lock);
    size_t size = dispatch_data_get_size(data);
    if (seen->size + size < sizeof(seen->text))
        nwi_data_copy_out(data, 0, seen->text + seen->size, size);
    seen->size += size;
    if (size > seen->largest)
        seen->largest = size;
    seen->error = error;
    seen->empty_done = done && size == 0;
    seen->rest_null = data == NULL;
    pthread_mutex_unlock(&seen->lock);
    latch_hit_marked(&seen->calls, done);
}

/* Under the lock: more may come while the test looks. */
static void assert_seen(struct seen *seen, const char *expected) {
    pthread_mutex_lock(&seen->lock);
    char copy[sizeof(seen->text)];
    memcpy(copy, seen->text, sizeof(copy));
    pthread_mutex_unlock(&seen->lock);
    assert_string_equal(copy, expected);
}

static void on_transfer(void *context, dispatch_data_t data, int error) {
    take(context, true, data, error);
}
static void on_io(void *context, bool done, dispatch_data_t data, int error) {
    take(context, done, data, error);
}
static void on_cleanup(void *context, int error) {
    struct seen *seen = context;
    seen->cleanup_error = error;
    latch_hit(&seen->cleanups);
}

static dispatch_data_t text(const char *string) {
    return dispatch_data_create_f(string, strlen(string), NULL, NULL, NULL);
}

/* --- dispatch_read and dispatch_write --- */

static void test_read_takes_what_is_there(void **state) {
    (void)state;
    int ends[2];
    struct seen seen;
    init(&seen);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_read_f(ends[0], 8192, NULL, &seen, on_transfer);
    assert_false(latch_wait(&seen.calls, 1, 20)); /* nothing there: waits */
    assert_int_equal(write(ends[1], "hello", 5), 5);
    assert_true(latch_wait(&seen.calls, 1, SOON)); /* 5 of 8192: it is content */
    assert_seen(&seen, "hello");
    assert_int_equal(seen.error, 0);
    close(ends[1]);
    init(&seen);
    dispatch_read_f(ends[0], 8192, NULL, &seen, on_transfer);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_true(seen.empty_done && !seen.rest_null); /* end of file: empty, not NULL */
    assert_int_equal(seen.error, 0);
    assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
}

static void test_reads_keep_their_order_and_length(void **state) {
    (void)state;
    int ends[2];
    struct seen one, two;
    init(&one);
    init(&two);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_read_f(ends[0], 3, NULL, &one, on_transfer);
    dispatch_read_f(ends[0], 100, NULL, &two, on_transfer);
    assert_int_equal(write(ends[1], "abcdef", 6), 6);
    assert_true(latch_wait(&two.calls, 1, SOON));
    assert_true(latch_wait(&one.calls, 1, SOON));
    assert_seen(&one, "abc");
    assert_seen(&two, "def");
    close(ends[0]);
    close(ends[1]);
}

static void test_terminal_line(void **state) {
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0);
    struct seen seen;
    init(&seen);
    dispatch_read_f(terminal, 8192, NULL, &seen, on_transfer);
    assert_int_equal(write(master, "ls\n", 3), 3);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_seen(&seen, "ls\n");
    init(&seen);
    dispatch_data_t data = text("prompt> ");
    dispatch_write_f(terminal, data, NULL, &seen, on_transfer);
    dispatch_release(data);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, 0);
    assert_int_equal(fcntl(terminal, F_GETFL) & O_NONBLOCK, 0);
    close(terminal);
    close(master);
}

static void test_write_waits_for_room(void **state) {
    (void)state;
    enum { SIZE = 1000000 };
    int ends[2];
    struct seen seen;
    init(&seen);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    char *bytes = malloc(SIZE), *got = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 + i / 256);
    dispatch_data_t data = dispatch_data_create_f(bytes, SIZE, NULL, NULL, NULL);
    dispatch_write_f(ends[1], data, NULL, &seen, on_transfer);
    dispatch_release(data);
    assert_false(latch_wait(&seen.calls, 1, 20)); /* the pipe holds 64 KiB */
    for (ssize_t done = 0, n; done < SIZE; done += n)
        assert_true((n = read(ends[0], got + done, (size_t)(SIZE - done))) > 0);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, 0);
    assert_true(seen.rest_null);
    assert_memory_equal(bytes, got, SIZE);
    free(bytes);
    free(got);
    close(ends[0]);
    close(ends[1]);
}

static void test_broken_pipe_is_an_error_not_a_signal(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_DFL); /* it would end us */
    int ends[2], pair[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(ends[0]);
    close(pair[0]);
    int broken[2] = {ends[1], pair[1]};
    for (int i = 0; i < 2; i++) {
        struct seen seen;
        init(&seen);
        dispatch_data_t data = text("nobody reads this");
        dispatch_write_f(broken[i], data, NULL, &seen, on_transfer);
        dispatch_release(data);
        assert_true(latch_wait(&seen.calls, 1, SOON));
        assert_int_equal(seen.error, EPIPE);
        assert_seen(&seen, "nobody reads this"); /* what is left */
        close(broken[i]);
    }
}

static void test_bad_descriptor(void **state) {
    (void)state;
    struct seen seen;
    init(&seen);
    dispatch_read_f(987654, 10, NULL, &seen, on_transfer);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, EBADF);
    init(&seen);
    dispatch_read_f(-1, 10, NULL, &seen, on_transfer);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, EBADF);
    dispatch_read_f(0, 10, NULL, NULL, NULL); /* refused */
    dispatch_write_f(0, NULL, NULL, NULL, NULL);
}

static void test_read_beside_a_source(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    dispatch_source_t sources[8];
    for (int i = 0; i < 8; i++) { /* every loop watches the descriptor already */
        sources[i] = dispatch_source_create(DISPATCH_SOURCE_TYPE_READ, (uintptr_t)pair[0], 0, NULL);
        dispatch_activate(sources[i]);
    }
    struct seen seen;
    init(&seen);
    dispatch_read_f(pair[0], 10, NULL, &seen, on_transfer);
    assert_false(latch_wait(&seen.calls, 1, 20));
    assert_int_equal(write(pair[1], "abc", 3), 3);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_seen(&seen, "abc");
    for (int i = 0; i < 8; i++) {
        dispatch_source_cancel(sources[i]);
        dispatch_release(sources[i]);
    }
    close(pair[0]);
    close(pair[1]);
}

/* --- channels --- */

static void test_channel_reads_until_the_end(void **state) {
    (void)state;
    int ends[2];
    struct seen seen;
    init(&seen);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_queue_t queue = dispatch_queue_create("io", NULL);
    dispatch_io_t channel =
        dispatch_io_create_f(DISPATCH_IO_STREAM, ends[0], queue, &seen, on_cleanup);
    assert_non_null(channel);
    assert_int_equal(dispatch_io_get_descriptor(channel), ends[0]);
    dispatch_io_set_low_water(channel, 4);
    dispatch_io_read_f(channel, 0, SIZE_MAX, queue, &seen, on_io);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_false(latch_wait(&seen.calls, 1, 20)); /* below low water */
    assert_int_equal(write(ends[1], "def", 3), 3);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_seen(&seen, "abcdef");
    assert_int_equal(write(ends[1], "g", 1), 1);
    close(ends[1]);
    assert_true(latch_wait_marked(&seen.calls, 1, SOON));
    assert_seen(&seen, "abcdefg");
    assert_true(seen.empty_done);
    assert_int_equal(latch_count(&seen.calls), 3); /* the rest, then the end */
    dispatch_io_close(channel, 0);
    assert_true(latch_wait(&seen.cleanups, 1, SOON));
    assert_int_equal(seen.cleanup_error, 0);
    assert_int_equal(dispatch_io_get_descriptor(channel), -1);
    init(&seen);
    dispatch_io_read_f(channel, 0, 10, queue, &seen, on_io);
    assert_true(latch_wait_marked(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, ECANCELED);
    dispatch_release(channel);
    dispatch_release(queue);
    close(ends[0]);
}

static void test_high_water_and_length(void **state) {
    (void)state;
    int ends[2];
    struct seen seen;
    init(&seen);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_io_t channel =
        dispatch_io_create_f(DISPATCH_IO_STREAM, ends[0], NULL, &seen, on_cleanup);
    dispatch_io_set_high_water(channel, 3);
    assert_int_equal(write(ends[1], "0123456789", 10), 10);
    dispatch_io_read_f(channel, 0, 8, NULL, &seen, on_io);
    assert_true(latch_wait_marked(&seen.calls, 1, SOON));
    assert_seen(&seen, "01234567");
    assert_true(seen.largest <= 3);
    dispatch_release(channel); /* the last release closes as well */
    assert_true(latch_wait(&seen.cleanups, 1, SOON));
    close(ends[0]);
    close(ends[1]);
}

static void test_stop_cancels_what_is_under_way(void **state) {
    (void)state;
    int ends[2];
    struct seen seen, second;
    init(&seen);
    init(&second);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_io_t channel =
        dispatch_io_create_f(DISPATCH_IO_STREAM, ends[0], NULL, &seen, on_cleanup);
    dispatch_io_set_low_water(channel, 100);
    dispatch_io_read_f(channel, 0, SIZE_MAX, NULL, &seen, on_io);
    dispatch_io_read_f(channel, 0, SIZE_MAX, NULL, &second, on_io);
    assert_int_equal(write(ends[1], "part", 4), 4);
    assert_false(latch_wait(&seen.calls, 1, 20));
    dispatch_io_close(channel, DISPATCH_IO_STOP);
    assert_true(latch_wait_marked(&seen.calls, 1, SOON));
    assert_true(latch_wait_marked(&second.calls, 1, SOON));
    assert_int_equal(seen.error, ECANCELED);
    assert_seen(&seen, "part");
    assert_int_equal(second.error, ECANCELED);
    assert_true(latch_wait(&seen.cleanups, 1, SOON));
    dispatch_release(channel);
    close(ends[0]);
    close(ends[1]);
}

static void test_close_lets_work_end(void **state) {
    (void)state;
    int ends[2];
    struct seen seen;
    init(&seen);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_io_t channel =
        dispatch_io_create_f(DISPATCH_IO_STREAM, ends[0], NULL, &seen, on_cleanup);
    dispatch_io_read_f(channel, 0, 4, NULL, &seen, on_io);
    dispatch_io_close(channel, 0);
    dispatch_release(channel);
    assert_false(latch_wait(&seen.cleanups, 1, 20));
    assert_int_equal(write(ends[1], "work", 4), 4);
    assert_true(latch_wait_marked(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, 0);
    assert_seen(&seen, "work");
    assert_true(latch_wait(&seen.cleanups, 1, SOON));
    close(ends[0]);
    close(ends[1]);
}

static void test_interval_delivers_what_has_come(void **state) {
    (void)state;
    int ends[2];
    struct seen seen;
    init(&seen);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    dispatch_io_t channel =
        dispatch_io_create_f(DISPATCH_IO_STREAM, ends[0], NULL, &seen, on_cleanup);
    dispatch_io_set_low_water(channel, 1000);
    dispatch_io_set_interval(channel, 2 * NSEC_PER_MSEC, DISPATCH_IO_STRICT_INTERVAL);
    dispatch_io_read_f(channel, 0, SIZE_MAX, NULL, &seen, on_io);
    assert_int_equal(write(ends[1], "tick", 4), 4);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_seen(&seen, "tick");
    assert_int_equal(seen.calls.marked, 0);
    close(ends[1]);
    assert_true(latch_wait_marked(&seen.calls, 1, SOON));
    dispatch_release(channel);
    assert_true(latch_wait(&seen.cleanups, 1, SOON));
    close(ends[0]);
}

static void make_path(char *path, size_t size) {
    const char *directory = getenv("TMPDIR");
    snprintf(path, size, "%s/nw-test-io-XXXXXX", directory != NULL ? directory : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

struct barrier {
    dispatch_io_t channel;
    struct stat status;
    struct latch ran;
};

static void on_barrier(void *context) {
    struct barrier *barrier = context;
    fstat(dispatch_io_get_descriptor(barrier->channel), &barrier->status);
    latch_hit(&barrier->ran);
}

static void test_random_file_with_barrier(void **state) {
    (void)state;
    char path[128];
    struct seen wrote, read_back;
    init(&wrote);
    init(&read_back);
    make_path(path, sizeof(path));
    dispatch_io_t channel = dispatch_io_create_with_path_f(DISPATCH_IO_RANDOM, path, O_RDWR, 0,
                                                           NULL, &wrote, on_cleanup);
    assert_non_null(channel);
    assert_int_equal(dispatch_io_get_descriptor(channel), -1); /* opened at the first transfer */
    dispatch_data_t tail = text("world"), front = text("hello ");
    dispatch_io_write_f(channel, 6, tail, NULL, &wrote, on_io);
    dispatch_io_write_f(channel, 0, front, NULL, &wrote, on_io);
    struct barrier barrier = {.channel = channel, .ran = LATCH_INIT};
    dispatch_io_barrier_f(channel, &barrier, on_barrier);
    dispatch_io_read_f(channel, 0, SIZE_MAX, NULL, &read_back, on_io);
    assert_true(latch_wait_marked(&read_back.calls, 1, SOON));
    assert_true(latch_wait(&barrier.ran, 1, SOON));
    assert_int_equal(barrier.status.st_size, 11); /* both writes had ended */
    assert_seen(&read_back, "hello world");
    assert_true(latch_wait_marked(&wrote.calls, 2, SOON));
    init(&read_back);
    dispatch_io_read_f(channel, 6, 3, NULL, &read_back, on_io);
    assert_true(latch_wait_marked(&read_back.calls, 1, SOON));
    assert_seen(&read_back, "wor");
    init(&read_back);
    dispatch_io_read_f(channel, -1, 3, NULL, &read_back, on_io);
    assert_true(latch_wait_marked(&read_back.calls, 1, SOON));
    assert_int_equal(read_back.error, EINVAL);

    struct seen child_seen;
    init(&child_seen);
    dispatch_io_t child =
        dispatch_io_create_with_io_f(DISPATCH_IO_RANDOM, channel, NULL, &child_seen, on_cleanup);
    dispatch_io_close(channel, 0);
    assert_false(latch_wait(&wrote.cleanups, 1, 20)); /* the child still has the file */
    init(&read_back);
    dispatch_io_read_f(child, 0, 5, NULL, &read_back, on_io);
    assert_true(latch_wait_marked(&read_back.calls, 1, SOON));
    assert_seen(&read_back, "hello");
    dispatch_io_close(child, 0);
    assert_true(latch_wait(&wrote.cleanups, 1, SOON));
    assert_true(latch_wait(&child_seen.cleanups, 1, SOON));
    dispatch_release(channel);
    dispatch_release(child);
    dispatch_release(tail);
    dispatch_release(front);
    unlink(path);
}

static void test_large_file_in_one_read(void **state) {
    (void)state;
    enum { SIZE = 3000000 };
    char path[128];
    make_path(path, sizeof(path));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct seen seen;
    init(&seen);
    char *bytes = calloc(1, SIZE);
    dispatch_data_t data =
        dispatch_data_create_f(bytes, SIZE, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_FREE_F);
    dispatch_write_f(fd, data, NULL, &seen, on_transfer);
    dispatch_release(data);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    init(&seen);
    dispatch_read_f(fd, SIZE_MAX, NULL, &seen, on_transfer);
    assert_true(latch_wait(&seen.calls, 1, SOON));
    assert_int_equal(seen.size, SIZE);
    close(fd);
    unlink(path);
}

static void test_path_that_does_not_open(void **state) {
    (void)state;
    struct seen seen;
    init(&seen);
    assert_null(dispatch_io_create_with_path_f(DISPATCH_IO_STREAM, "relative", O_RDONLY, 0, NULL,
                                               NULL, NULL));
    assert_null(dispatch_io_create_f(7, 0, NULL, NULL, NULL));
    dispatch_io_t channel = dispatch_io_create_with_path_f(DISPATCH_IO_STREAM, "/nonexistent/file",
                                                           O_RDONLY, 0, NULL, &seen, on_cleanup);
    dispatch_io_read_f(channel, 0, 10, NULL, &seen, on_io);
    assert_true(latch_wait_marked(&seen.calls, 1, SOON));
    assert_int_equal(seen.error, ENOENT);
    dispatch_release(channel);
    assert_true(latch_wait(&seen.cleanups, 1, SOON));
    /* A pipe has no offsets. */
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    init(&seen);
    channel = dispatch_io_create_f(DISPATCH_IO_RANDOM, ends[0], NULL, &seen, on_cleanup);
    assert_true(latch_wait(&seen.cleanups, 1, SOON));
    assert_int_equal(seen.cleanup_error, ESPIPE);
    dispatch_release(channel);
    close(ends[0]);
    close(ends[1]);
    dispatch_io_close(NULL, 0);
    assert_int_equal(dispatch_io_get_descriptor(NULL), -1);
    dispatch_io_read_f(NULL, 0, 1, NULL, NULL, on_io);
}

static void test_channel_released_early(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        int ends[2];
        struct seen seen;
        init(&seen);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        dispatch_io_t channel =
            dispatch_io_create_f(DISPATCH_IO_STREAM, ends[0], NULL, &seen, on_cleanup);
        dispatch_io_read_f(channel, 0, SIZE_MAX, NULL, &seen, on_io);
        dispatch_io_close(channel, i % 2 != 0 ? DISPATCH_IO_STOP : 0);
        dispatch_release(channel);
        close(ends[1]);
        assert_true(latch_wait_marked(&seen.calls, 1, SOON));
        assert_true(latch_wait(&seen.cleanups, 1, SOON));
        close(ends[0]);
    }
}

/* Each allocation of making a channel fails in turn: NULL, and the cleanup handler is not called.
 */
static void test_no_memory_for_a_channel(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (unsigned long n = 1;; n++) {
        struct seen seen;
        init(&seen);
        nwi_alloc_fail_at(n);
        dispatch_io_t channel =
            dispatch_io_create_f(DISPATCH_IO_STREAM, ends[0], NULL, &seen, on_cleanup);
        nwi_alloc_fail_at(0);
        if (channel != NULL) {
            assert_true(n > 2);
            dispatch_release(channel);
            assert_true(latch_wait(&seen.cleanups, 1, SOON));
            break;
        }
        assert_int_equal(latch_count(&seen.cleanups), 0);
        assert_true(n < 20);
    }
    close(ends[0]);
    close(ends[1]);
}

/* A handler is owed its call: a transfer that cannot be allocated at once is made a little later.
 */
static void test_no_memory_for_a_transfer(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (unsigned long n = 1; n < 8; n++) {
        struct seen seen;
        init(&seen);
        assert_int_equal(write(ends[1], "octets", 6), 6);
        nwi_alloc_fail_at(n);
        dispatch_read_f(ends[0], 6, NULL, &seen, on_transfer);
        assert_true(latch_wait(&seen.calls, 1, SOON));
        nwi_alloc_fail_at(0);
        assert_true(seen.error == 0 || seen.error == ENOMEM);
        if (seen.error == 0)
            assert_seen(&seen, "octets");
        else
            assert_int_equal(read(ends[0], seen.text, 6), 6); /* nothing was lost */
    }
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_takes_what_is_there),
        cmocka_unit_test(test_reads_keep_their_order_and_length),
        cmocka_unit_test(test_terminal_line),
        cmocka_unit_test(test_write_waits_for_room),
        cmocka_unit_test(test_broken_pipe_is_an_error_not_a_signal),
        cmocka_unit_test(test_bad_descriptor),
        cmocka_unit_test(test_read_beside_a_source),
        cmocka_unit_test(test_channel_reads_until_the_end),
        cmocka_unit_test(test_high_water_and_length),
        cmocka_unit_test(test_stop_cancels_what_is_under_way),
        cmocka_unit_test(test_close_lets_work_end),
        cmocka_unit_test(test_interval_delivers_what_has_come),
        cmocka_unit_test(test_random_file_with_barrier),
        cmocka_unit_test(test_large_file_in_one_read),
        cmocka_unit_test(test_path_that_does_not_open),
        cmocka_unit_test(test_channel_released_early),
        cmocka_unit_test(test_no_memory_for_a_channel),
        cmocka_unit_test(test_no_memory_for_a_transfer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
