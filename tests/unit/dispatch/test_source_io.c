/* test_source_io.c - READ, WRITE and PROC sources over pipes, sockets, files and children. */
#include "latch.h"
#include <dispatch/dispatch.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h> /* needed by cmocka, like stdarg, stddef and stdint */

#include <cmocka.h>

struct seen {
    dispatch_source_t source;
    int fd;
    size_t take; /* octets read a call; 0: none */
    struct latch events, cancels, done;
    _Atomic uintptr_t data, total;
};

static void on_event(void *context) {
    struct seen *seen = context;
    char buffer[4096];
    atomic_store(&seen->data, dispatch_source_get_data(seen->source));
    if (seen->take > 0) {
        ssize_t got = read(seen->fd, buffer, seen->take);
        if (got > 0)
            atomic_fetch_add(&seen->total, (uintptr_t)got);
        if (got == 0) {
            dispatch_source_cancel(seen->source);
            latch_hit(&seen->done);
        }
    } else {
        dispatch_suspend(seen->source); /* a WRITE source is ready again at once */
    }
    latch_hit(&seen->events);
}

static void on_cancel(void *context) {
    struct seen *seen = context;
    if (seen->fd >= 0)
        close(seen->fd);
    latch_hit(&seen->cancels);
}

static dispatch_source_t make(struct seen *seen, dispatch_source_type_t type, int fd, size_t take) {
    *seen = (struct seen){
        .fd = fd, .take = take, .events = LATCH_INIT, .cancels = LATCH_INIT, .done = LATCH_INIT};
    seen->source = dispatch_source_create(type, (uintptr_t)fd, 0, NULL);
    assert_non_null(seen->source);
    dispatch_set_context(seen->source, seen);
    dispatch_source_set_event_handler_f(seen->source, on_event);
    dispatch_source_set_cancel_handler_f(seen->source, on_cancel);
    return seen->source;
}

static void test_read_pipe_until_the_end(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_READ, ends[0], 4);
    assert_int_equal(dispatch_source_get_handle(source), ends[0]);
    assert_int_equal(write(ends[1], "0123456789", 10), 10);
    dispatch_activate(source);
    assert_true(latch_wait(&seen.events, 3, SOON)); /* what is left makes it ready again */
    assert_int_equal(atomic_load(&seen.total), 10);
    assert_int_equal(atomic_load(&seen.data), 2);
    close(ends[1]);
    assert_true(latch_wait(&seen.done, 1, SOON));
    assert_true(latch_wait(&seen.cancels, 1, SOON));
    assert_int_equal(fcntl(ends[0], F_GETFD), -1); /* closed by the cancel handler */
    dispatch_release(source);
}

static void test_write_is_ready_when_there_is_room(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    char block[4096] = {0};
    while (write(pair[0], block, sizeof(block)) > 0) {
    }
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_WRITE, pair[0], 0);
    dispatch_activate(source);
    assert_false(latch_wait(&seen.events, 1, 20));
    while (read(pair[1], block, sizeof(block)) > 0) {
    }
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_true(atomic_load(&seen.data) > 0);
    dispatch_source_cancel(source);
    assert_int_equal(latch_count(&seen.cancels), 0); /* suspended: later */
    dispatch_resume(source);
    assert_true(latch_wait(&seen.cancels, 1, SOON));
    dispatch_release(source);
    close(pair[1]);
}

static void test_one_socket_read_and_written(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct seen reader[3], writer;
    for (int i = 0; i < 3; i++) { /* more than there are loops, perhaps: duplicates */
        make(&reader[i], DISPATCH_SOURCE_TYPE_READ, pair[0], 0);
        reader[i].fd = -1;
        dispatch_activate(reader[i].source);
    }
    dispatch_activate(make(&writer, DISPATCH_SOURCE_TYPE_WRITE, pair[0], 0));
    writer.fd = -1;
    assert_true(latch_wait(&writer.events, 1, SOON));
    assert_int_equal(write(pair[1], "x", 1), 1);
    for (int i = 0; i < 3; i++) {
        assert_true(latch_wait(&reader[i].events, 1, SOON));
        assert_int_equal(atomic_load(&reader[i].data), 1);
        dispatch_source_cancel(reader[i].source); /* first: it would be ready again */
        dispatch_resume(reader[i].source);
        assert_true(latch_wait(&reader[i].cancels, 1, SOON));
        dispatch_release(reader[i].source);
    }
    dispatch_source_cancel(writer.source);
    dispatch_resume(writer.source);
    assert_true(latch_wait(&writer.cancels, 1, SOON));
    dispatch_release(writer.source);
    close(pair[0]);
    close(pair[1]);
}

static void test_regular_file_is_always_ready(void **state) {
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
    fclose(file);
    assert_int_equal(write(fd, "abcdefghij", 10), 10);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_READ, fd, 4);
    dispatch_activate(source);
    assert_true(latch_wait(&seen.cancels, 1, SOON)); /* 4, 4, 2, end */
    assert_int_equal(atomic_load(&seen.total), 10);
    assert_int_equal(latch_count(&seen.events), 4);
    dispatch_release(source);
}

static void test_release_while_ready(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        struct seen seen;
        dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_READ, ends[0], 1);
        dispatch_activate(source);
        assert_int_equal(write(ends[1], "abc", 3), 3);
        dispatch_source_cancel(source);
        dispatch_release(source);
        assert_true(latch_wait(&seen.cancels, 1, SOON));
        close(ends[1]);
    }
}

static void test_bad_descriptor_stays_silent(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_READ, 987654, 1);
    seen.fd = -1;
    dispatch_activate(source);
    dispatch_source_cancel(source);
    assert_true(latch_wait(&seen.cancels, 1, SOON));
    assert_int_equal(latch_count(&seen.events), 0);
    dispatch_release(source);
}

static void test_process_exit(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        char octet;
        close(ends[1]);
        ssize_t got = read(ends[0], &octet, 1);
        _exit(got == 1 ? 0 : 1);
    }
    assert_true(child > 0);
    struct seen seen = {.fd = -1, .events = LATCH_INIT, .cancels = LATCH_INIT, .done = LATCH_INIT};
    dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_PROC, (uintptr_t)child,
                                                      DISPATCH_PROC_EXIT, NULL);
    assert_non_null(source);
    seen.source = source;
    dispatch_set_context(source, &seen);
    dispatch_source_set_event_handler_f(source, on_event);
    dispatch_source_set_cancel_handler_f(source, on_cancel);
    dispatch_activate(source);
    assert_false(latch_wait(&seen.events, 1, 20));
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_int_equal(atomic_load(&seen.data), DISPATCH_PROC_EXIT);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    dispatch_source_cancel(source);
    dispatch_resume(source);
    assert_true(latch_wait(&seen.cancels, 1, SOON));
    dispatch_release(source);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_pipe_until_the_end),
        cmocka_unit_test(test_write_is_ready_when_there_is_room),
        cmocka_unit_test(test_one_socket_read_and_written),
        cmocka_unit_test(test_regular_file_is_always_ready),
        cmocka_unit_test(test_release_while_ready),
        cmocka_unit_test(test_bad_descriptor_stays_silent),
        cmocka_unit_test(test_process_exit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
