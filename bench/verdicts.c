/*
 * verdicts.c - latency of an unrelated connection while 1,000 TLS handshakes at once wait for
 * verdicts from a slow queue, all on one loop.
 * What:   the driver may use one processor when its loops are counted, so there is one. It sends an
 *         octet over plain TCP each PERIOD_MS to a thread that sends it back, and measures from
 *         when it was due to the handler of the answer; a late answer makes those behind it late.
 *         Meanwhile each of the handshakes is judged for VERDICT_MS on one serial queue. In the
 *         last row they are not judged by the program at all: that is what the handshakes cost.
 * Runs:   the driver; the TLS server is a process of its own.
 */
#include "identity_nw.h"
#include "listen_nw.h"
#include "parameters_nw.h"
#include "run.h"
#include "tcp.h"
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HANDSHAKES = 1000, PERIOD_MS = 1, VERDICT_MS = 1, SAMPLES_MAX = 100000, WARM_UP = 100 };

static void allow_descriptors(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* --- the server: handshakes, and holds what it has --- */

static dispatch_queue_t server_queue;

static void show_identity(void *context, nw_protocol_options_t tls) {
    (void)context;
    sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
    sec_identity_t identity = bench_identity();
    sec_protocol_options_set_local_identity(options, identity);
    sec_release(identity);
    sec_release(options);
}

static void accepted(void *context, nw_connection_t connection) {
    (void)context;
    nw_retain(connection); /* until the process ends */
    nw_connection_set_queue(connection, server_queue);
    nw_connection_start(connection);
}

static void listening(uint16_t port) {
    run_serving(port, NULL, NULL);
}

static void serve(const char *name) {
    (void)name;
    allow_descriptors();
    server_queue = dispatch_queue_create("server", DISPATCH_QUEUE_SERIAL);
    bench_listen_nw(nw_parameters_create_secure_tcp_f(NULL, show_identity, NULL,
                                                      NW_PARAMETERS_DEFAULT_CONFIGURATION_F),
                    server_queue, listening, NULL, accepted);
    dispatch_main();
}

/* --- the storm --- */

static atomic_uint ready; /* relaxed: a count, read after the measurement */

static void judge_slowly(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                         sec_protocol_verify_complete_f complete, void *complete_context) {
    (void)context, (void)metadata, (void)trust;
    bench_pause(VERDICT_MS / 1e3);
    complete(complete_context, true);
}

static void judge_at_once(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                          sec_protocol_verify_complete_f complete, void *complete_context) {
    (void)context, (void)metadata, (void)trust;
    complete(complete_context, true);
}

static void configure(void *context, nw_protocol_options_t tls) {
    sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
    dispatch_queue_t queue = dispatch_queue_create("verdicts", DISPATCH_QUEUE_SERIAL);
    sec_protocol_options_set_verify_block_f(options, NULL,
                                            context != NULL ? judge_slowly : judge_at_once, queue);
    dispatch_release(queue);
    sec_release(options);
}

static void changed(void *context, nw_connection_state_t state, nw_error_t error) {
    (void)context;
    if (state == nw_connection_state_ready)
        atomic_fetch_add_explicit(&ready, 1, memory_order_relaxed);
    else if (state == nw_connection_state_waiting || state == nw_connection_state_failed)
        bench_die("handshake", error != NULL ? nw_error_get_error_code(error) : EIO);
}

static void break_loose(uint16_t port, bool slowly) {
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    dispatch_queue_t queue = dispatch_queue_create("clients", DISPATCH_QUEUE_SERIAL);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", text);
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        slowly ? "slowly" : NULL, configure, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    for (unsigned i = 0; i < HANDSHAKES; i++) {
        nw_connection_t connection = nw_connection_create(endpoint, parameters); /* kept */
        if (connection == NULL)
            bench_die("connection", ENOMEM);
        nw_connection_set_queue(connection, queue);
        nw_connection_set_state_changed_handler_f(connection, NULL, changed);
        nw_connection_start(connection);
    }
    nw_release(endpoint);
    nw_release(parameters);
}

/* --- the unrelated connection --- */

static nw_connection_t unrelated;
static dispatch_semaphore_t answered;

static void *echo(void *context) {
    char octet;
    int listening_fd = *(const int *)context, fd;
    while ((fd = accept(listening_fd, NULL, NULL)) < 0 && errno == EAGAIN)
        bench_pause(0.001);
    bench_tcp_set_nodelay(fd);
    while (read(fd, &octet, 1) == 1 && write(fd, &octet, 1) == 1)
        ;
    return NULL;
}

static void on_sent(void *context, nw_error_t error) {
    (void)context;
    if (error != NULL)
        bench_die("send", nw_error_get_error_code(error));
}

static void on_answer(void *context, dispatch_data_t content, nw_content_context_t message,
                      bool complete, nw_error_t error) {
    (void)context, (void)message, (void)complete;
    if (content == NULL)
        bench_die("receive", error != NULL ? nw_error_get_error_code(error) : EIO);
    dispatch_semaphore_signal(answered);
}

static void round_trip(void) {
    dispatch_data_t octet = dispatch_data_create_f(".", 1, NULL, NULL, NULL);
    nw_connection_receive_f(unrelated, 1, 1, NULL, on_answer);
    nw_connection_send_f(unrelated, octet, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL,
                         on_sent);
    dispatch_release(octet);
    dispatch_semaphore_wait(answered, DISPATCH_TIME_FOREVER);
}

/* Its loop is the only one: this process may use one processor until loops have been counted, and
 * all of them from then on. */
static void free_threads(const cpu_set_t *all) {
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL)
        bench_die("/proc/self/task", errno);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;)
        if (atoi(task->d_name) > 0)
            sched_setaffinity(atoi(task->d_name), sizeof *all, all);
    closedir(tasks);
}

static void open_unrelated(void) {
    static int fd;
    uint16_t port;
    char text[8];
    pthread_t thread;
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    sched_setaffinity(0, sizeof one, &one);
    fd = bench_tcp_listen(&port);
    snprintf(text, sizeof text, "%u", port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", text);
    nw_parameters_t parameters = bench_tcp_parameters();
    unrelated = nw_connection_create(endpoint, parameters);
    nw_release(endpoint);
    nw_release(parameters);
    answered = dispatch_semaphore_create(0);
    nw_connection_set_queue(unrelated, dispatch_queue_create("unrelated", DISPATCH_QUEUE_SERIAL));
    nw_connection_start(unrelated);
    if (pthread_create(&thread, NULL, echo, &fd) != 0)
        bench_die("pthread_create", EAGAIN);
    round_trip(); /* the loop runs */
    free_threads(&all);
}

static void run(const struct run_order *order, double ret_values[]) {
    static double micros[SAMPLES_MAX];
    unsigned count = 0;
    allow_descriptors();
    open_unrelated();
    for (unsigned i = 0; i < WARM_UP; i++)
        round_trip();
    bool quiet = strcmp(order->name, "quiet") == 0;
    if (!quiet)
        break_loose(order->port, strcmp(order->name, "slow") == 0);
    double due = bench_now(), begun = due;
    while (count < SAMPLES_MAX &&
           (quiet ? due < begun + order->seconds
                  : atomic_load_explicit(&ready, memory_order_relaxed) < HANDSHAKES)) {
        double now = bench_now();
        if (now < due)
            bench_pause(due - now);
        now = bench_now();
        round_trip();
        micros[count++] = (bench_now() - now) * 1e6;
        due = bench_now() + PERIOD_MS / 1e3;
    }
    ret_values[0] = run_part(micros, count, 0.5);
    ret_values[1] = run_part(micros, count, 0.99);
    ret_values[2] = micros[count - 1]; /* sorted by now */
    ret_values[3] = (bench_now() - begun) * 1e3;
}

#define ROW(text, work)                                                                            \
    {                                                                                              \
        .name = text, .measure = run_measure,                                                      \
        .figures = {{.name = "p50", .unit = "us", .less = true},                                   \
                    {.name = "p99", .unit = "us", .less = true},                                   \
                    {.name = "max", .unit = "us", .less = true},                                   \
                    {.name = "took", .unit = "ms", .less = true}},                                 \
        .sides = {{"libnw", RUN_BESIDE("driver", work, "nw"), {0}}},                               \
    }

int main(int argc, char **argv) {
    const struct run_make makes[] = {
        {"driver", run, NULL},
        {"nw", NULL, serve},
        {0},
    };
    const struct bench_row rows[] = {
        ROW("no handshakes", "quiet"),
        ROW("1,000 handshakes, verdicts of 1 ms on a queue", "slow"),
        ROW("1,000 handshakes, verdicts at once", "prompt"),
    };
    const struct bench_program program = {
        .name = "verdicts",
        .title = "Latency of an unrelated octet, 1,000 TLS handshakes on the same loop",
        .rows = rows,
        .seconds = 1,
        .count = sizeof rows / sizeof *rows};
    return run_main(argc, argv, &program, makes);
}
