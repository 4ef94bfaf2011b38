/*
 * test_radio.c - src/sys/nl80211.c and src/path/radio.c against a kernel written here: its answers
 * are put together octet by octet, and cut short and damaged.
 */
#include "base/log.h"
#include "path/radio.h"
#include "sys/nl80211.h"
#include <errno.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Numbers of the interface to the kernel, from its headers, written out. */
enum { CONTROL = 0x10, FAMILY = 0x1c, GET_FAMILY = 3, GET_INTERFACE = 5, GET_STATION = 17 };
enum { PATIENCE = 10 /* s */, DESCRIPTORS = 1024 };

/* --- messages --- */
struct bytes {
    uint8_t at[2048];
    size_t size;
};
static void put(struct bytes *b, const void *from, size_t size) {
    memcpy(b->at + b->size, from, size);
    b->size += size;
}
static void put16(struct bytes *b, unsigned n) {
    uint16_t value = (uint16_t)n;
    put(b, &value, sizeof value);
}
static void put32(struct bytes *b, uint32_t value) {
    put(b, &value, sizeof value);
}
static void attribute(struct bytes *b, unsigned type, const void *from, size_t size) {
    put16(b, (unsigned)size + 4);
    put16(b, type);
    put(b, from, size);
    while (b->size % 4 != 0)
        b->at[b->size++] = 0;
}
static void attribute32(struct bytes *b, unsigned type, uint32_t value) {
    attribute(b, type, &value, sizeof value);
}
/* Header, then the generic header. */
static size_t begin(struct bytes *b, unsigned type, unsigned flags, unsigned command) {
    size_t start = b->size;
    put32(b, 0);
    put16(b, type);
    put16(b, flags);
    put32(b, 1);
    put32(b, 0);
    put32(b, command | 1u << 8);
    return start;
}
static void end(struct bytes *b, size_t start) {
    uint32_t size = (uint32_t)(b->size - start);
    memcpy(b->at + start, &size, sizeof size);
}
static void finish(struct bytes *b, unsigned type, int error) {
    static const uint8_t request[16]; /* an error repeats the header that it answers */
    put32(b, type == NLMSG_ERROR ? 36 : 20);
    put16(b, type);
    put16(b, NLM_F_MULTI);
    put32(b, 1);
    put32(b, 0);
    put32(b, (uint32_t)error);
    if (type == NLMSG_ERROR)
        put(b, request, sizeof request);
}

/* --- the kernel --- */
static struct {
    _Atomic int other[DESCRIPTORS]; /* of each socket: where answers are put in; 0: none */
    bool has_wifi;
    uint32_t interface_type; /* 2: a client, 3: an access point */
    int interface_error;
    _Atomic int dbm; /* 0: no station */
    bool average;    /* told, too, 10 better than the last */
    size_t cut;      /* octets that each answer is cut by */
    int damage;      /* place of an octet that is turned over; -1: none */
    _Atomic int subscriber;
    _Atomic unsigned groups; /* joined */
} kernel;

static void answer_family(struct bytes *b) {
    struct bytes group = {.size = 0}, groups = {.size = 0};
    uint16_t family = FAMILY;
    size_t start = begin(b, CONTROL, 0, 1);
    attribute(b, 2, "nl80211", 8);
    attribute(b, 1, &family, sizeof family);
    static const struct {
        const char *name;
        uint32_t number;
    } rows[] = {{"config", 5}, {"scan", 6}, {"mlme", 8}};
    for (size_t i = 0; i < 3; i++) {
        group.size = 0;
        attribute32(&group, 2, rows[i].number);
        attribute(&group, 1, rows[i].name, strlen(rows[i].name) + 1);
        attribute(&groups, (unsigned)i + 1, group.at, group.size);
    }
    attribute(b, 7, groups.at, groups.size);
    end(b, start);
}

static void answer_station(struct bytes *b) {
    struct bytes info = {.size = 0};
    static const uint8_t address[6] = {2, 0, 0, 0, 0, 1};
    int8_t last = (int8_t)kernel.dbm, average = (int8_t)(kernel.dbm + 10);
    if (kernel.dbm != 0) {
        size_t start = begin(b, FAMILY, NLM_F_MULTI, 19);
        attribute32(b, 3, 7);
        attribute(b, 6, address, sizeof address);
        attribute32(&info, 1, 40); /* inactive time */
        attribute(&info, 7, &last, 1);
        if (kernel.average)
            attribute(&info, 13, &average, 1);
        attribute(b, 21, info.at, info.size);
        end(b, start);
    }
    finish(b, NLMSG_DONE, 0);
}

static ssize_t kernel_send(int fd, const void *octets, size_t size_sent, int flags) {
    const uint8_t *request = octets;
    uint16_t type;
    struct bytes b = {.size = 0};
    (void)flags;
    memcpy(&type, request + 4, sizeof type);
    if (type == CONTROL && request[16] == GET_FAMILY && kernel.has_wifi)
        answer_family(&b);
    else if (type == CONTROL)
        finish(&b, NLMSG_ERROR, -ENOENT);
    else if (request[16] == GET_INTERFACE && kernel.interface_error != 0)
        finish(&b, NLMSG_ERROR, -kernel.interface_error);
    else if (request[16] == GET_INTERFACE) {
        size_t start = begin(&b, FAMILY, 0, 7);
        attribute(&b, 4, "wlan0", 6);
        attribute32(&b, 5, kernel.interface_type);
        end(&b, start);
    } else if (request[16] == GET_STATION) {
        answer_station(&b);
    }
    if (kernel.damage >= 0 && (size_t)kernel.damage < b.size)
        b.at[kernel.damage] ^= 0xff;
    size_t size = kernel.cut < b.size ? b.size - kernel.cut : 0;
    if (write(kernel.other[fd], b.at, size) < 0)
        fail_msg("no answer: %s", strerror(errno));
    return (ssize_t)size_sent;
}
static int kernel_socket(int family, int type, int protocol) {
    int pair[2];
    assert_int_equal(family, AF_NETLINK);
    assert_int_equal(protocol, NETLINK_GENERIC);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | (type & ~0xf), 0, pair) != 0)
        return -1;
    assert_true(pair[0] < DESCRIPTORS);
    kernel.other[pair[0]] = pair[1];
    return pair[0];
}
static int kernel_bind(int fd, const struct sockaddr *address, socklen_t length) {
    (void)fd, (void)address, (void)length;
    return 0;
}
static int kernel_setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
    int group;
    (void)level;
    assert_int_equal(name, NETLINK_ADD_MEMBERSHIP);
    assert_int_equal(length, sizeof group);
    memcpy(&group, value, sizeof group);
    kernel.groups |= 1u << group;
    kernel.subscriber = fd;
    return 0;
}
static int kernel_close(int fd) {
    if (fd < DESCRIPTORS && kernel.other[fd] != 0) {
        close(kernel.other[fd]);
        kernel.other[fd] = 0;
    }
    return close(fd);
}
static struct nwi_sys_table table;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news;
static unsigned changes, logged;
static void sink(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    (void)name, (void)event, (void)message;
    logged += level < NWI_LOG_DEBUG;
}
static int set_up(void **state) {
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    kernel.has_wifi = true;
    kernel.interface_type = 2;
    kernel.dbm = -60;
    kernel.damage = -1;
    changes = logged = 0;
    table = nwi_sys_kernel;
    table.socket = kernel_socket;
    table.bind = kernel_bind;
    table.send = kernel_send;
    table.setsockopt = kernel_setsockopt;
    table.close = kernel_close;
    nwi_sys_swap(&table);
    nwi_log_set_sink(sink);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    nwi_log_set_sink(NULL);
    nwi_sys_swap(NULL);
    return 0;
}

/* --- questions --- */
static void finds_the_family(void **state) {
    (void)state;
    struct nwi_nl80211 wifi;
    assert_int_equal(nwi_nl80211_find(&wifi), 0);
    assert_int_equal(wifi.family, FAMILY);
    assert_int_equal(wifi.groups[0], 8);
    assert_int_equal(wifi.groups[1], 6);
    kernel.has_wifi = false;
    assert_int_equal(nwi_nl80211_find(&wifi), nwi_posix(ENOENT));
}

static void reads_the_signal(void **state) {
    (void)state;
    static const struct nwi_nl80211 wifi = {FAMILY, {8, 6}};
    int dbm = 1;
    assert_int_equal(nwi_nl80211_signal(&wifi, 7, &dbm), 0);
    assert_int_equal(dbm, -60);
    kernel.average = true;
    assert_int_equal(nwi_nl80211_signal(&wifi, 7, &dbm), 0);
    assert_int_equal(dbm, -50);
    kernel.dbm = 0;
    assert_int_equal(nwi_nl80211_signal(&wifi, 7, &dbm), nwi_posix(ENODATA));
    kernel.dbm = -60;
    kernel.interface_type = 3;
    assert_int_equal(nwi_nl80211_signal(&wifi, 7, &dbm), nwi_posix(ENODATA));
    kernel.interface_error = ENODEV;
    assert_int_equal(nwi_nl80211_signal(&wifi, 7, &dbm), nwi_posix(ENODEV));
    assert_int_equal(dbm, -50);
}

/* Answers that end early, and answers with one octet wrong: an error or a value, and no more is
 * read than was sent (the sanitizers look). */
static void damaged_answers(void **state) {
    (void)state;
    static const struct nwi_nl80211 wifi = {FAMILY, {8, 6}};
    struct nwi_nl80211 found;
    int dbm = 0;
    for (kernel.cut = 1; kernel.cut < 200; kernel.cut++) {
        (void)nwi_nl80211_find(&found);
        assert_int_not_equal(nwi_nl80211_signal(&wifi, 7, &dbm), 0);
    }
    kernel.cut = 0;
    for (kernel.damage = 0; kernel.damage < 200; kernel.damage++) {
        (void)nwi_nl80211_find(&found);
        (void)nwi_nl80211_signal(&wifi, 7, &dbm);
        assert_true(dbm >= -128 && dbm <= 127);
    }
}

/* --- while it runs --- */
static void changed(void) {
    pthread_mutex_lock(&lock);
    changes++;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}
static void wait_for(nw_link_quality_t wanted) {
    struct timespec limit;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE;
    pthread_mutex_lock(&lock);
    while (changes == 0 || nwi_radio_of(7) != wanted) {
        if (pthread_cond_timedwait(&news, &lock, &limit) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("the quality never became %d", wanted);
        }
    }
    changes = 0;
    pthread_mutex_unlock(&lock);
}
static void event(void) {
    struct bytes b = {.size = 0};
    end(&b, begin(&b, FAMILY, 0, 64));
    assert_int_equal(write(kernel.other[kernel.subscriber], b.at, b.size), (ssize_t)b.size);
}

static void follows_the_signal(void **state) {
    (void)state;
    assert_int_equal(nwi_radio_of(7), nw_link_quality_unknown); /* nobody watches: not asked */
    assert_int_equal(kernel.subscriber, 0);
    nwi_radio_watch_begin(changed);
    assert_int_equal(nwi_radio_of(7), nw_link_quality_unknown);
    wait_for(nw_link_quality_good);
    assert_int_equal(kernel.groups, 1u << 8 | 1u << 6);
    kernel.dbm = -90;
    event();
    wait_for(nw_link_quality_minimal);
    kernel.dbm = -75;
    event();
    wait_for(nw_link_quality_moderate);
    kernel.dbm = 0; /* not connected any more */
    event();
    wait_for(nw_link_quality_unknown);
    assert_int_equal(logged, 0);
    nwi_radio_watch_end();
    struct timespec limit, now; /* the descriptor goes in a while */
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE;
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec < limit.tv_sec);
    } while (kernel.other[kernel.subscriber] != 0);
    assert_int_equal(nwi_radio_of(7), nw_link_quality_unknown);
}

int main(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&news, &attributes);
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(finds_the_family),
        T(reads_the_signal),
        T(damaged_answers),
        T(follows_the_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
