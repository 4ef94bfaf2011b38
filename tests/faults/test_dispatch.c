/*
 * test_dispatch.c - dispatch_read, dispatch_write and wall-clock timers with each of their system
 * calls failing in turn.
 * What:   over a pipe and a pair of sockets. The handler is called once, with the errno or
 *         with all that was asked for; EINTR and "not now" are nobody's errors; no octet is lost
 * and no descriptor left.
 */
#include "descriptors.h"
#include "dispatch/data.h"
#include "fake/fake_sys.h"
#include <dispatch/dispatch.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

static const char text[] = "hello, dispatch";

static const struct {
    enum fake_sys_call call;
    const char *name;
    bool told; /* else the call is of use, and goes on without */
    int codes[10];
} calls[] = {
    {FAKE_FD_READ, "read", true, {EAGAIN, EINTR, EBADF, EFAULT, EINVAL, EIO, EISDIR, ENOMEM}},
    {FAKE_FD_WRITE,
     "write",
     true,
     {EAGAIN, EINTR, EBADF, EDQUOT, EFAULT, EFBIG, EINVAL, EIO, ENOSPC, EPIPE}},
    {FAKE_FSTAT, "fstat", true, {EBADF, EFAULT, ENOMEM, EOVERFLOW}},
    {FAKE_EPOLL_CTL, "epoll_ctl", true, {ENOMEM, ENOSPC, EBADF, EINVAL, ELOOP, ENOENT}},
    {FAKE_EPOLL_DEL, "epoll_ctl (deletion)", false, {EBADF, ENOENT, EINVAL}},
    {FAKE_FCNTL, "fcntl", false, {EBADF, EINVAL, EMFILE}},
    {FAKE_FD_IOCTL, "ioctl", false, {EBADF, EFAULT, EINVAL, ENOTTY}},
};
enum { CALLS = sizeof calls / sizeof calls[0], N_MAX = 50 };

struct transfer {
    sem_t done;
    _Atomic unsigned fired;
    int error;
    size_t size;
    char octets[sizeof text];
};

static void finished(struct transfer *transfer, dispatch_data_t data, int error) {
    transfer->error = error;
    transfer->size = data != NULL ? dispatch_data_get_size(data) : 0;
    if (data != NULL)
        nwi_data_copy_out(data, 0, transfer->octets, sizeof transfer->octets);
    transfer->fired++;
    sem_post(&transfer->done);
}
static void was_read(void *context, dispatch_data_t data, int error) {
    finished(context, data, error);
}
/* What is left over: NULL when all has been written. */
static void was_written(void *context, dispatch_data_t data, int error) {
    finished(context, data, error);
}

static void make_pipe(int *ends) {
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
}
static void make_sockets(int *ends) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}
static void (*const makers[])(int *ends) = {make_pipe, make_sockets};
static const char *const kinds[] = {"pipe", "sockets"};

/* A read that has to wait, then a write; the write's fault leaves the read to the end of file. */
static void play(unsigned kind, struct transfer *in, struct transfer *out) {
    int ends[2];
    makers[kind](ends);
    *in = *out = (struct transfer){0};
    event_init(&in->done);
    event_init(&out->done);
    dispatch_queue_t queue = dispatch_queue_create("transfers", NULL);
    dispatch_data_t data = dispatch_data_create_f(text, sizeof text, NULL, NULL, NULL);
    dispatch_read_f(ends[0], sizeof text, queue, in, was_read);
    dispatch_write_f(ends[1], data, queue, out, was_written);
    await(&out->done);
    close(ends[1]);
    await(&in->done);
    close(ends[0]);
    dispatch_release(data);
    dispatch_release(queue);
    sem_destroy(&in->done);
    sem_destroy(&out->done);
}

static bool is_whole(const struct transfer *in) {
    return in->error == 0 && in->size == sizeof text && memcmp(in->octets, text, sizeof text) == 0;
}

static bool try_one(unsigned kind, unsigned which, unsigned n, int code, unsigned descriptors) {
    struct transfer in, out;
    char what[96];
    snprintf(what, sizeof what, "%s: %s %u %s", kinds[kind], calls[which].name, n,
             strerrorname_np(code));
    fake_sys_install();
    fake_sys_fail(calls[which].call, n, 1, code);
    play(kind, &in, &out);
    bool hit = fake_sys_faults(calls[which].call) != 0;
    fake_sys_remove();
    assert_descriptors(descriptors, what);
    bool told = in.error == code || out.error == code;
    bool may_be_told = calls[which].told && code != EAGAIN && code != EINTR;
    bool on = is_whole(&in) && out.error == 0 && out.size == 0;
    bool end = out.error != 0 && in.error == 0 && in.size == 0; /* nothing was written */
    if (in.fired != 1 || out.fired != 1 || !(on || (may_be_told && told)) ||
        (in.error == 0 && !is_whole(&in) && !end))
        fail_msg("%s: read %d (%zu octets, %u times), write %d (%u times)", what, in.error, in.size,
                 in.fired, out.error, out.fired);
    return hit;
}

/* After an event that told of octets or of the end, the kernel does not answer "not now", and were
 * it to, no second event would come: edge triggered as they are. Only a read without one may. */
static bool can_happen(enum fake_sys_call call, int code, unsigned n) {
    return call != FAKE_FD_READ || code != EAGAIN || n == 1;
}

static void test_transfers(void **state) {
    (void)state;
    struct transfer in, out;
    unsigned hits = 0;
    for (unsigned kind = 0; kind < 2; kind++)
        for (int i = 0; i < 4; i++) { /* each loop has been started */
            play(kind, &in, &out);
            assert_true(is_whole(&in) && out.error == 0);
        }
    unsigned descriptors = open_descriptors();
    for (unsigned kind = 0; kind < 2; kind++)
        for (unsigned i = 0; i < CALLS; i++)
            for (unsigned c = 0; c < 10 && calls[i].codes[c] != 0; c++)
                for (unsigned n = 1; n < N_MAX && can_happen(calls[i].call, calls[i].codes[c], n) &&
                                     try_one(kind, i, n, calls[i].codes[c], descriptors);
                     n++)
                    hits++;
    assert_true(hits > 80);
}

/* --- timers of the wall clock --- */

static void nothing(void *context) {
    (void)context;
}

static void timer_fired(void *fired) {
    sem_post(fired);
}

/* Whatever fails, the timer fires: by its distance, when the kernel does not keep it. */
static void wall_timer_with(enum fake_sys_call call, unsigned n, int code) {
    sem_t fired;
    event_init(&fired);
    fake_sys_install();
    dispatch_queue_t queue = dispatch_queue_create("timer", NULL);
    dispatch_source_t timer = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, queue);
    dispatch_set_context(timer, &fired);
    dispatch_source_set_event_handler_f(timer, timer_fired);
    dispatch_source_set_timer(timer, dispatch_walltime(NULL, NSEC_PER_MSEC), NSEC_PER_MSEC, 0);
    fake_sys_fail(call, n, 1, code);
    dispatch_activate(timer);
    for (int i = 0; i < 3; i++)
        await(&fired);
    assert_int_equal(fake_sys_faults(call), 1);
    dispatch_source_cancel(timer);
    dispatch_release(timer);
    dispatch_sync_f(queue, NULL, nothing);
    dispatch_release(queue);
    fake_sys_remove();
}

static void test_wall_timers(void **state) {
    (void)state;
    static const int create[] = {EMFILE, ENFILE, ENODEV, ENOMEM, EPERM, EINVAL};
    static const int set[] = {EBADF, EFAULT, EINVAL, ECANCELED};
    static const int watch[] = {ENOMEM, ENOSPC};
    for (size_t i = 0; i < sizeof create / sizeof create[0]; i++)
        wall_timer_with(FAKE_TIMERFD_CREATE, 1, create[i]);
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++)
        for (unsigned n = 1; n <= 2; n++)
            wall_timer_with(FAKE_TIMERFD_SETTIME, n, set[i]);
    for (size_t i = 0; i < sizeof watch / sizeof watch[0]; i++)
        wall_timer_with(FAKE_EPOLL_CTL, 1, watch[i]);
}

int main(void) {
    setenv("NW_LOG", "off", 0);
    alarm(120);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_transfers),
                                       cmocka_unit_test(test_wall_timers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
