/*
 * test_monitor.c - src/path/monitor.c in a network namespace that this test makes: links come and
 * go, addresses are added and removed, a burst is told once, an end is an end. Exits 77 (skipped)
 * where namespaces may not be made.
 */
#include "dispatch/serial.h"
#include "fake/fake_sys.h"
#include "faults/table.h"
#include "path/costs.h"
#include "path/evaluate.h"
#include "path/monitor.h"
#include "path/rules.h"
#include "path/servers.h"
#include "sys/address.h"
#include <Network/Network.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE = 10 /* s */, SKIPPED = 77 };

static void run(const char *command) {
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* --- a listener --- */
struct listener {
    struct nwi_path_subscription *subscription;
    struct nwi_task task;
    unsigned notices, after_end;
    bool ended, done, end_inside;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news;
static struct nwi_serial context;

static void changed(void *handler_context) {
    struct listener *listener = handler_context;
    pthread_mutex_lock(&lock);
    listener->notices++;
    listener->after_end += listener->ended;
    if (listener->end_inside) {
        listener->ended = true;
        listener->subscription = nwi_path_unsubscribe(listener->subscription);
    }
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

static void end_run(struct nwi_task *task) {
    struct listener *listener = nwi_container_of(task, struct listener, task);
    pthread_mutex_lock(&lock);
    listener->ended = true;
    listener->subscription = nwi_path_unsubscribe(listener->subscription);
    listener->done = true;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

static struct timespec deadline(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += PATIENCE;
    return t;
}

static void end(struct listener *listener) {
    struct timespec limit = deadline();
    listener->task.run = end_run;
    nwi_serial_push(&context, &listener->task);
    pthread_mutex_lock(&lock);
    while (!listener->done)
        assert_int_equal(pthread_cond_timedwait(&news, &lock, &limit), 0);
    pthread_mutex_unlock(&lock);
    assert_int_equal(listener->after_end, 0);
}

/* Notices go on until the table says what is expected: some changes come in two steps (IPv6
 * addresses are tentative first). */
static void wait_for(struct listener *listener, const char *what,
                     bool (*holds)(const struct nwi_path_table *)) {
    struct timespec limit = deadline();
    pthread_mutex_lock(&lock);
    for (;;) {
        struct nwi_path_table *table = nwi_path_copy_table();
        bool done = holds(table) && listener->notices > 0;
        nwi_release(table);
        if (done)
            break;
        if (pthread_cond_timedwait(&news, &lock, &limit) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("never came: %s", what);
        }
    }
    listener->notices = 0;
    pthread_mutex_unlock(&lock);
}

static const struct nwi_path_interface *find(const struct nwi_path_table *table, const char *name) {
    for (size_t i = 0; i < table->interface_count; i++) {
        if (strcmp(table->interfaces[i].link.name, name) == 0)
            return &table->interfaces[i];
    }
    return NULL;
}
static bool veth_usable(const struct nwi_path_table *table) {
    const struct nwi_path_interface *v = find(table, "va");
    return v != NULL && v->usable && v->has_v4;
}
static bool veth_down(const struct nwi_path_table *table) {
    const struct nwi_path_interface *v = find(table, "va");
    return v != NULL && !v->usable;
}
static bool veth_gone(const struct nwi_path_table *table) {
    return find(table, "va") == NULL;
}
static bool second_address(const struct nwi_path_table *table) {
    struct sockaddr_storage a;
    socklen_t length;
    return nwi_address_parse("10.77.0.9", 0, &a, &length) &&
           nwi_path_table_find_address(table, (struct sockaddr *)&a) != NULL;
}
static bool no_second_address(const struct nwi_path_table *table) {
    return !second_address(table);
}
static bool routed(const struct nwi_path_table *table) {
    const struct nwi_path_interface *v = find(table, "va");
    return v != NULL && v->routed && v->metric == 50;
}
static bool v6_ready(const struct nwi_path_table *table) {
    const struct nwi_path_interface *v = find(table, "va");
    return v != NULL && v->has_v6;
}

static struct listener subscribed(void) {
    return (struct listener){0};
}
static void start(struct listener *listener) {
    assert_int_equal(nwi_path_subscribe(&context, NULL, changed, listener, &listener->subscription),
                     0);
}

static int make_link(void **state) {
    (void)state;
    run("ip link add va type veth peer name vb && ip link set vb up && ip link set va up && ip "
        "addr add 10.77.0.1/24 dev va");
    return 0;
}
static int remove_link(void **state) {
    (void)state;
    return system("ip link del va 2>/dev/null") >= 0 ? 0 : -1;
}

/* --- tests --- */
static void links_and_addresses(void **state) {
    (void)state;
    struct listener listener = subscribed();
    start(&listener);
    run("ip link add va type veth peer name vb && ip link set vb up && ip link set va up && ip "
        "addr add 10.77.0.1/24 dev va");
    wait_for(&listener, "link with address", veth_usable);
    struct nwi_path_table *table = nwi_path_copy_table();
    assert_int_equal(find(table, "va")->type, nw_interface_type_wired);
    assert_string_equal(find(table, "va")->link.kind, "veth");
    nwi_release(table);
    run("ip addr add 10.77.0.9/24 dev va");
    wait_for(&listener, "second address", second_address);
    run("ip addr del 10.77.0.9/24 dev va");
    wait_for(&listener, "second address gone", no_second_address);
    run("ip route add default via 10.77.0.2 metric 50");
    wait_for(&listener, "default route", routed);
    run("ip -6 addr add 2001:db8:77::1/64 dev va nodad");
    wait_for(&listener, "IPv6 address", v6_ready);
    nw_parameters_t rules = nw_parameters_create();
    nw_parameters_set_required_interface_type(rules, nw_interface_type_wired);
    struct nwi_path_choice choice;
    assert_int_equal(nwi_path_choose(rules, &choice), 0);
    assert_int_equal(choice.count, 1);
    assert_int_equal(choice.interfaces[0], if_nametoindex("va"));
    nw_path_t path = nwi_path_evaluate(rules, NULL, NULL);
    assert_int_equal(nw_path_get_status(path), nw_path_status_satisfied);
    nwi_release(path);
    run("ip link set va down");
    wait_for(&listener, "link down", veth_down);
    assert_int_equal(nwi_path_choose(rules, &choice), nwi_posix(ENETDOWN));
    path = nwi_path_evaluate(rules, NULL, NULL);
    assert_int_equal(nw_path_get_status(path), nw_path_status_unsatisfied);
    nwi_release(path);
    nwi_release(rules);
    run("ip link set va up");
    wait_for(&listener, "link up again", veth_usable);
    run("ip link del va");
    wait_for(&listener, "link gone", veth_gone);
    end(&listener);
}

/* A connection's view: its address taken away makes the path unsatisfied, giving it back mends it.
 */
static void viability(void **state) {
    (void)state;
    nw_endpoint_t local = nw_endpoint_create_host("10.77.0.1", "1000");
    nw_endpoint_t remote = nw_endpoint_create_host("10.77.0.2", "80");
    nw_endpoint_t far = nw_endpoint_create_host("192.0.2.1", "80");
    nw_path_t path = nwi_path_evaluate(NULL, local, remote);
    assert_int_equal(nw_path_get_status(path), nw_path_status_satisfied);
    nwi_release(path);
    path = nwi_path_evaluate(NULL, local, far); /* no route leads there */
    assert_int_equal(nw_path_get_status(path), nw_path_status_unsatisfied);
    nwi_release(path);
    run("ip route add default via 10.77.0.2");
    path = nwi_path_evaluate(NULL, local, far);
    assert_int_equal(nw_path_get_status(path), nw_path_status_satisfied);
    nwi_release(path);
    run("ip addr del 10.77.0.1/24 dev va");
    path = nwi_path_evaluate(NULL, local, remote);
    assert_int_equal(nw_path_get_status(path), nw_path_status_unsatisfied);
    nwi_release(path);
    nwi_release(local);
    nwi_release(remote);
    nwi_release(far);
}

/* 1000 addresses added at once, and one last: the table is read (three netlink sockets) at most
 * every 20 ms. */
static void bursts_are_told_once(void **state) {
    (void)state;
    char name[] = "/tmp/nw-batch-XXXXXX", command[128];
    int fd = mkstemp(name);
    for (int i = 0; i < 1000; i++)
        dprintf(fd, "addr add 10.77.%d.%d/32 dev va\n", 1 + i / 250, i % 250);
    dprintf(fd, "addr add 10.77.0.9/24 dev va\n");
    close(fd);
    struct listener listener = subscribed();
    start(&listener);
    fake_sys_install();
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    snprintf(command, sizeof command, "ip -batch %s", name);
    run(command);
    struct timespec limit = deadline();
    pthread_mutex_lock(&lock);
    for (;;) {
        struct nwi_path_table *table = nwi_path_copy_table();
        bool done = second_address(table);
        nwi_release(table);
        if (done)
            break;
        assert_int_equal(pthread_cond_timedwait(&news, &lock, &limit), 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    unsigned notices = listener.notices;
    pthread_mutex_unlock(&lock);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    unsigned reads = fake_sys_calls(FAKE_SOCKET) / 3;
    unlink(name);
    end(&listener);
    fake_sys_remove();
    assert_true(notices >= 1);
    assert_true(notices <= reads);
    assert_true(reads <= (unsigned)ms / 20 + 2);
}

static void several_listeners_and_their_ends(void **state) {
    (void)state;
    struct listener a = subscribed(), b = {.end_inside = true}, c = subscribed();
    start(&a);
    start(&b);
    start(&c);
    end(&c);
    run("ip addr add 10.77.0.9/24 dev va");
    wait_for(&a, "second address", second_address);
    struct timespec limit = deadline();
    pthread_mutex_lock(&lock);
    while (!b.ended)
        assert_int_equal(pthread_cond_timedwait(&news, &lock, &limit), 0);
    pthread_mutex_unlock(&lock);
    run("ip addr del 10.77.0.9/24 dev va");
    wait_for(&a, "second address gone", no_second_address);
    end(&a);
    assert_int_equal(b.notices, 1);
    assert_int_equal(c.notices, 0);
    /* stopped with the last, started anew with the next */
    struct listener again = subscribed();
    start(&again);
    run("ip addr add 10.77.0.9/24 dev va");
    wait_for(&again, "second address", second_address);
    end(&again);
}

static _Atomic bool va_is_dear;
static _Atomic int watches;
static void fill(const struct nwi_link *link, struct nwi_path_costs *costs) {
    if (strcmp(link->name, "va") == 0)
        costs->expensive = va_is_dear;
}
static void watch_begin(void) {
    watches++;
}
static void watch_end(void) {
    watches--;
}
static bool dear(const struct nwi_path_table *table) {
    return find(table, "va")->expensive;
}

/* For the tests that count descriptors and changes: nobody is asked over D-Bus meanwhile. */
static const struct nwi_path_costs_source quiet = {.fill = fill};

/* Other costs are a change like any other; what tells of them is watched as long as the network. */
static void costs(void **state) {
    (void)state;
    static const struct nwi_path_costs_source source = {
        .fill = fill, .watch_begin = watch_begin, .watch_end = watch_end};
    nwi_path_set_costs(&source);
    va_is_dear = false;
    nwi_path_costs_changed(); /* nobody watches */
    struct listener listener = subscribed();
    start(&listener);
    va_is_dear = true;
    nwi_path_costs_changed();
    nwi_path_costs_changed();
    wait_for(&listener, "costs", dear);
    assert_int_equal(watches, 1);
    end(&listener);
    struct timespec limit = deadline(), now; /* the watch's end goes on by itself */
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec < limit.tv_sec);
    } while (watches != 0);
    nwi_path_set_costs(&quiet);
}

/* Sockets and watches of files that this process has open. */
static unsigned open_ends(void) {
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char target[64];
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        count += atoi(entry->d_name) > STDERR_FILENO &&
                 (strncmp(target, "socket:", 7) == 0 || strstr(target, "inotify") != NULL);
    }
    closedir(folder);
    return count;
}

/* A subscription's end goes on by itself. */
static void await_no_open_ends(void) {
    struct timespec limit = deadline(), now;
    while (open_ends() > 0) {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec < limit.tv_sec);
    }
}

static bool any(const struct nwi_path_table *table) {
    return table != NULL;
}

/* Who read the state itself between two looks is told of the next one, also when the looks show the
 * same: what was read may have been something that neither shows. */
static void peeked(void **state) {
    (void)state;
    struct listener listener = subscribed();
    start(&listener);
    nwi_release(nwi_path_read_table());
    nwi_path_costs_changed(); /* a look that finds nothing new */
    wait_for(&listener, "a notice", any);
    struct nwi_path_table *latest = nwi_path_copy_latest(), *now = nwi_path_read_table();
    assert_true(nwi_path_table_equal(latest, now));
    assert_true(latest->read_at < now->read_at);
    nwi_release(latest);
    nwi_release(now);
    end(&listener);
    assert_null(nwi_path_copy_latest());
}

static char resolv[] = "/tmp/nw-resolv-XXXXXX";
static void write_resolv(const char *text) {
    FILE *file = fopen(resolv, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}
static bool named(const struct nwi_path_table *table) {
    return table->has_dns;
}
static bool unnamed(const struct nwi_path_table *table) {
    return !table->has_dns;
}

/* A name server that comes after the addresses is news, in a file written anew or replaced. */
static void name_servers(void **state) {
    (void)state;
    char other[sizeof resolv + 4];
    close(mkstemp(resolv));
    nwi_servers_set_file(resolv);
    struct listener listener = subscribed();
    start(&listener);
    write_resolv("nameserver 192.0.2.53\n");
    wait_for(&listener, "a name server", named);
    snprintf(other, sizeof other, "%s.new", resolv);
    write_resolv("search example\n");
    wait_for(&listener, "no name server", unnamed);
    FILE *file = fopen(other, "w");
    fputs("search example\nnameserver 192.0.2.53\n", file);
    fclose(file);
    assert_int_equal(rename(other, resolv), 0);
    wait_for(&listener, "a name server again", named);
    end(&listener);
    await_no_open_ends();
    nwi_servers_set_file(NULL);
    unlink(resolv);
}

static _Atomic unsigned hook_calls;
static void on_hook(void) {
    pthread_mutex_lock(&lock);
    hook_calls++;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

/* The hook runs before the listeners hear of it. */
static void hook(void **state) {
    (void)state;
    struct listener listener = subscribed();
    nwi_path_set_hook(on_hook);
    start(&listener);
    run("ip addr add 10.77.0.9/24 dev va");
    wait_for(&listener, "second address", second_address);
    assert_true(hook_calls >= 1);
    nwi_path_set_hook(NULL);
    end(&listener);
}

/* Subscribing with the n-th call failing. False: it succeeded. */
static bool subscribing_fails(const struct fault *fault, unsigned n, int code) {
    struct listener listener = subscribed();
    await_no_open_ends();
    fake_sys_install();
    fake_sys_fail(fault->call, n, 1, code);
    nwi_err err = nwi_path_subscribe(&context, NULL, changed, &listener, &listener.subscription);
    fake_sys_fail(fault->call, 0, 0, 0);
    if (err != 0) {
        assert_int_equal(err, nwi_posix(code));
        assert_null(listener.subscription);
        assert_int_equal(open_ends(), 0);
    } else {
        end(&listener);
    }
    await_no_open_ends();
    fake_sys_remove();
    return err != 0;
}

/* Each call that subscribing makes, with each errno of the table: it arrives unchanged. */
static void failing_system_calls(void **state) {
    (void)state;
    unsigned failures = 0;
    for (size_t f = 0; f < fault_count; f++) {
        const struct fault *fault = &fault_table[f];
        if (fault->call != FAKE_SOCKET && fault->call != FAKE_BIND && fault->call != FAKE_SENDMSG &&
            fault->call != FAKE_RECVMSG)
            continue;
        for (size_t c = 0; c < FAULT_CODES && fault->codes[c] != 0; c++)
            if (fault->codes[c] == EINTR)
                assert_false(subscribing_fails(fault, 1, EINTR)); /* made again */
            else
                for (unsigned n = 1; subscribing_fails(fault, n, fault->codes[c]); n++)
                    failures++;
    }
    assert_true(failures > 100);
    assert_null(nwi_path_unsubscribe(NULL));
}

/* A change that could not be looked at, since there was no descriptor, is not forgotten. On the
 * loopback, which has no address that makes a second change when it has been checked. */
static void a_change_during_a_shortage(void **state) {
    (void)state;
    struct listener listener = subscribed();
    start(&listener);
    fake_sys_install();
    fake_sys_fail(FAKE_SOCKET, 1, 1, EMFILE);
    run("ip addr add 127.0.0.9/8 dev lo");
    struct timespec limit = deadline(); /* asking for the table would take the fault away */
    pthread_mutex_lock(&lock);
    while (listener.notices == 0 || fake_sys_faults(FAKE_SOCKET) == 0)
        assert_int_equal(pthread_cond_timedwait(&news, &lock, &limit), 0);
    pthread_mutex_unlock(&lock);
    fake_sys_remove();
    end(&listener);
    run("ip addr del 127.0.0.9/8 dev lo");
}

/* Waits for the hook to be called, and then for the count to follow. */
static void await_change(unsigned before) {
    struct timespec limit = deadline(), now;
    pthread_mutex_lock(&lock);
    while (hook_calls == 0)
        assert_int_equal(pthread_cond_timedwait(&news, &lock, &limit), 0);
    hook_calls = 0;
    pthread_mutex_unlock(&lock);
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec < limit.tv_sec);
    } while (nwi_path_changes() == before);
}

/* Kept, it goes on with nobody subscribed. The last test: there is no way back. */
static void kept(void **state) {
    (void)state;
    unsigned before = nwi_path_changes();
    fake_sys_install();
    fake_sys_fail(FAKE_SOCKET, 1, 1, EMFILE);
    assert_int_equal(nwi_path_keep_watching(), nwi_posix(EMFILE));
    fake_sys_remove();
    hook_calls = 0;
    nwi_path_set_hook(on_hook);
    assert_int_equal(nwi_path_keep_watching(), 0);
    assert_int_equal(nwi_path_keep_watching(), 0);
    run("ip addr add 10.77.0.9/24 dev va");
    await_change(before);
    struct listener listener = subscribed();
    start(&listener);
    end(&listener);
    before = nwi_path_changes();
    run("ip addr del 10.77.0.9/24 dev va");
    await_change(before);
    struct nwi_path_table *table = nwi_path_copy_table();
    assert_true(no_second_address(table));
    nwi_release(table);
    nwi_path_set_hook(NULL);
}

int main(void) {
    if (unshare(CLONE_NEWNET) != 0) {
        fprintf(stderr, "no network namespaces here: %s\n", strerror(errno));
        return SKIPPED;
    }
    run("ip link set lo up");
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&news, &attributes);
    nwi_serial_init(&context, NULL, NULL);
    nwi_path_set_costs(&quiet);
#define T(f) cmocka_unit_test_setup_teardown(f, make_link, remove_link)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(links_and_addresses, remove_link),
        T(viability),
        T(bursts_are_told_once),
        T(several_listeners_and_their_ends),
        T(costs),
        T(name_servers),
        T(peeked),
        T(hook),
        cmocka_unit_test(a_change_during_a_shortage),
        cmocka_unit_test(failing_system_calls),
        T(kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
