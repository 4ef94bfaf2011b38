/*
 * test_bus.c - src/sys/bus.c against a bus written here: a thread that plays the daemon and the
 * service on a socket pair. Losses, refusals, errors, messages in another's name, and a handler
 * that stops the bus.
 */
#include "base/object.h"
#include "dispatch/serial.h"
#include "sys/bus.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE = 10 /* s */ };
#define SERVICE "org.example.Service"
#define OWNER ":1.5"

/* --- what is seen --- */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news;
static struct {
    unsigned opened, appeared, vanished, absences, signals, answers, refusals, after_stop;
    bool stopped;
} seen; /* under lock */
static struct nwi_serial context;
static struct nwi_bus *bus;

#define NOTE(field)                                                                                \
    do {                                                                                           \
        pthread_mutex_lock(&lock);                                                                 \
        seen.field++;                                                                              \
        seen.after_stop += seen.stopped;                                                           \
        pthread_cond_broadcast(&news);                                                             \
        pthread_mutex_unlock(&lock);                                                               \
    } while (0)
static void wait_until(const unsigned *field, unsigned wanted, const char *what) {
    struct timespec limit;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE;
    pthread_mutex_lock(&lock);
    while (*field < wanted) {
        if (pthread_cond_timedwait(&news, &lock, &limit) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("never %u times: %s", wanted, what);
        }
    }
    pthread_mutex_unlock(&lock);
}
#define WAIT(field, wanted) wait_until(&seen.field, wanted, #field)

/* --- the daemon and the service --- */
static struct {
    sd_bus *server; /* its thread's, under `lock` from outside */
    pthread_t thread;
    _Atomic bool end, has_service, refuse, close;
    _Atomic int open_error;
    _Atomic(const char *) emit_from;  /* a signal of the service with this sender is to be sent */
    _Atomic(const char *) owner_from; /* the same: NameOwnerChanged, nobody any more */
} daemon_;

static int serve(sd_bus_message *m, void *user, sd_bus_error *error) {
    (void)user, (void)error;
    if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
        return sd_bus_reply_method_return(m, "s", ":1.1");
    if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "GetNameOwner"))
        return daemon_.has_service
                   ? sd_bus_reply_method_return(m, "s", OWNER)
                   : sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "nobody");
    if (sd_bus_message_is_method_call(m, "org.example", "Ask"))
        return daemon_.refuse ? sd_bus_reply_method_errorf(m, SD_BUS_ERROR_FAILED, "no")
                              : sd_bus_reply_method_return(m, "u", 7);
    if (sd_bus_message_is_method_call(m, NULL, NULL))
        return sd_bus_reply_method_return(m, "");
    return 0;
}

static void emit(const char *sender, const char *path, const char *interface, const char *member,
                 bool with_names) {
    sd_bus_message *m = NULL;
    if (sd_bus_message_new_signal(daemon_.server, &m, path, interface, member) < 0 ||
        sd_bus_message_set_sender(m, sender) < 0 ||
        (with_names && sd_bus_message_append(m, "sss", SERVICE, OWNER, "") < 0) ||
        sd_bus_send(daemon_.server, m, NULL) < 0)
        fail_msg("no signal");
    sd_bus_message_unref(m);
}

static void *daemon_main(void *argument) {
    (void)argument;
    while (!daemon_.end && !daemon_.close) {
        int result = sd_bus_process(daemon_.server, NULL);
        const char *sender = atomic_exchange(&daemon_.emit_from, NULL);
        if (sender != NULL)
            emit(sender, "/org/example", "org.example", "Happened", false);
        sender = atomic_exchange(&daemon_.owner_from, NULL);
        if (sender != NULL)
            emit(sender, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", true);
        if (result < 0)
            break;
        if (result == 0)
            (void)sd_bus_wait(daemon_.server, 2000);
    }
    sd_bus_close_unref(daemon_.server);
    return NULL;
}
static void join(void) {
    if (daemon_.server != NULL)
        pthread_join(daemon_.thread, NULL);
    daemon_.server = NULL;
}

/* In the place of the system's bus: 0 or a negative errno. */
static int open_pair(sd_bus **ret_bus) {
    int pair[2], error = daemon_.open_error;
    sd_id128_t id = {.bytes = {1}};
    sd_bus *sd = NULL;
    NOTE(opened);
    if (error != 0)
        return -error;
    join(); /* the one before has closed */
    daemon_.close = false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0 ||
        sd_bus_new(&daemon_.server) < 0 || sd_bus_set_fd(daemon_.server, pair[1], pair[1]) < 0 ||
        sd_bus_set_server(daemon_.server, 1, id) < 0 ||
        sd_bus_add_filter(daemon_.server, NULL, serve, NULL) < 0 ||
        sd_bus_start(daemon_.server) < 0 ||
        pthread_create(&daemon_.thread, NULL, daemon_main, NULL) != 0)
        fail_msg("no daemon");
    if (sd_bus_new(&sd) < 0 || sd_bus_set_fd(sd, pair[0], pair[0]) < 0 ||
        sd_bus_set_bus_client(sd, 1) < 0 || sd_bus_start(sd) < 0)
        fail_msg("no client");
    *ret_bus = sd;
    return 0;
}

/* --- the user --- */
static bool stop_inside; /* context only */

static void mark_stopped(void) {
    pthread_mutex_lock(&lock);
    seen.stopped = true;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}
static void appeared(void *user, unsigned service) {
    assert_ptr_equal(user, &seen);
    assert_int_equal(service, 0);
    NOTE(appeared);
    assert_int_equal(nwi_bus_call(bus, 0, "/org/example", "org.example", "Ask"), 0);
    if (stop_inside) {
        nwi_bus_stop(bus);
        bus = nwi_release(bus);
        mark_stopped();
    }
}
static void vanished(void *user, unsigned service) {
    (void)user, (void)service;
    NOTE(vanished);
}
static void absent(void *user, unsigned service) {
    (void)user, (void)service;
    NOTE(absences);
}
static void on_signal(void *user, unsigned service, sd_bus_message *message) {
    (void)user, (void)service;
    assert_string_equal(sd_bus_message_get_member(message), "Happened");
    NOTE(signals);
}
static void on_answer(void *user, unsigned service, sd_bus_message *message) {
    uint32_t number = 0;
    (void)user, (void)service;
    if (message == NULL) {
        NOTE(refusals);
        return;
    }
    assert_true(sd_bus_message_read(message, "u", &number) > 0);
    assert_int_equal(number, 7);
    NOTE(answers);
}
static const struct nwi_bus_handler handler = {.appeared = appeared,
                                               .vanished = vanished,
                                               .absent = absent,
                                               .signal = on_signal,
                                               .answer = on_answer};
static const char *const matches[] = {"interface='org.example',member='Happened'", NULL};
static const struct nwi_bus_service services[] = {{SERVICE, matches}};

static void start_run(struct nwi_task *task) {
    (void)task;
    bus = nwi_bus_create(&context, services, 1, &handler, &seen);
    assert_non_null(bus);
    assert_int_equal(nwi_bus_call(bus, 0, "/x", "org.example", "Ask"), nwi_posix(ENOTCONN));
    nwi_bus_start(bus);
}
static void stop_run(struct nwi_task *task) {
    (void)task;
    nwi_bus_stop(bus);
    bus = nwi_release(bus);
    nwi_bus_stop(NULL);
    mark_stopped();
}
static struct nwi_task start_task = {.run = start_run}, stop_task = {.run = stop_run};

static int set_up(void **state) {
    (void)state;
    memset(&seen, 0, sizeof seen);
    memset(&daemon_, 0, sizeof daemon_);
    daemon_.has_service = true;
    stop_inside = false;
    nwi_bus_set_opener(open_pair);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    pthread_mutex_lock(&lock);
    seen.stopped = false; /* it may be the second stop */
    nwi_serial_push(&context, &stop_task);
    while (!seen.stopped)
        pthread_cond_wait(&news, &lock);
    pthread_mutex_unlock(&lock);
    daemon_.end = true;
    join();
    nwi_bus_set_opener(NULL);
    return seen.after_stop == 0 ? 0 : -1;
}
static void start(void) {
    nwi_serial_push(&context, &start_task);
}

/* --- tests --- */
static void asks_and_is_answered(void **state) {
    (void)state;
    start();
    WAIT(appeared, 1);
    WAIT(answers, 1);
    assert_int_equal(seen.refusals, 0);
}

static void an_error_is_an_answer(void **state) {
    (void)state;
    daemon_.refuse = true;
    start();
    WAIT(refusals, 1);
    assert_int_equal(seen.answers, 0);
}

/* Only the owner of the name is heard, and only the bus says who that is. */
static void messages_in_anothers_name(void **state) {
    (void)state;
    start();
    WAIT(answers, 1);
    daemon_.emit_from = ":1.9";
    while (daemon_.emit_from != NULL)
        sched_yield();
    daemon_.owner_from = ":1.9";
    while (daemon_.owner_from != NULL)
        sched_yield();
    daemon_.emit_from = OWNER; /* comes after the other two */
    WAIT(signals, 1);
    assert_int_equal(seen.signals, 1);
    assert_int_equal(seen.vanished, 0);
    daemon_.owner_from = "org.freedesktop.DBus";
    WAIT(vanished, 1);
}

/* The connection goes, and the service with it; both come again. */
static void loss(void **state) {
    (void)state;
    start();
    WAIT(answers, 1);
    daemon_.close = true;
    WAIT(vanished, 1);
    WAIT(answers, 2);
    assert_int_equal(seen.opened, 2);
    assert_int_equal(seen.appeared, 2);
}

/* No bus at first: tried again. */
static void refused(void **state) {
    (void)state;
    daemon_.open_error = ENOMEM;
    start();
    WAIT(opened, 1);
    daemon_.open_error = 0;
    WAIT(answers, 1);
    assert_int_equal(seen.vanished, 0);
}

static void no_service(void **state) {
    (void)state;
    daemon_.has_service = false;
    start();
    WAIT(absences, 1);
    assert_int_equal(seen.appeared, 0);
}

/* No socket: known without asking. One where nobody listens any more: known at once. */
static void no_bus(void **state) {
    (void)state;
    char address[64] = "unix:path=/tmp/nw-test-bus-XXXXXX";
    char *path = address + strlen("unix:path=");
    assert_non_null(mkdtemp(path));
    size_t length = strlen(address);
    snprintf(address + length, sizeof address - length, "/bus,guid=00");
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    nwi_bus_set_opener(NULL);
    assert_false(nwi_bus_exists());
    *strchr(address, ',') = '\0';
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
    assert_true(nwi_bus_exists());
    start();
    WAIT(absences, 1);
    assert_int_equal(unlink(path), 0);
    address[length] = '\0';
    assert_int_equal(rmdir(path), 0);
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

/* Nothing runs after the stop, whose answer was on its way. */
static void stopped_inside_a_handler(void **state) {
    (void)state;
    stop_inside = true;
    start();
    WAIT(appeared, 1);
    pthread_mutex_lock(&lock);
    while (!seen.stopped)
        pthread_cond_wait(&news, &lock);
    pthread_mutex_unlock(&lock);
    assert_int_equal(seen.answers, 0);
}

int main(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&news, &attributes);
    nwi_serial_init(&context, NULL, NULL);
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(asks_and_is_answered),
        T(an_error_is_an_answer),
        T(messages_in_anothers_name),
        T(loss),
        T(refused),
        T(no_service),
        T(no_bus),
        T(stopped_inside_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
