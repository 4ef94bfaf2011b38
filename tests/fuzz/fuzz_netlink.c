/*
 * fuzz_netlink.c - rtnetlink messages into the reader of links, addresses and routes, and what the
 * table and a monitor's path make of them.
 * What:   the input is a row of datagrams, each with its length in two octets (little endian) before
 *         it. Each socket gives them in turn and then says that the list is done. Whatever they
 *         hold: a table comes or an error, its parts agree, and the path lists what is in it.
 */
#include "fuzz.h"
#include "model/interface.h"
#include "model/path.h"
#include "path/monitor.h"
#include "path/table.h"
#include "path/view.h"
#include "sys/netlink.h"
#include "sys/table.h"
#include <errno.h>
#include <linux/netlink.h>

static const uint8_t *input;
static size_t input_size, position;

/* --- the kernel --- */
static int given_socket(int family, int type, int protocol) {
    (void)type;
    CHECK(family == AF_NETLINK && protocol == NETLINK_ROUTE);
    position = 0;
    return 1000; /* never touched by a real call */
}
static int given_bind(int fd, const struct sockaddr *address, socklen_t length) {
    (void)fd, (void)address, (void)length;
    return 0;
}
static ssize_t given_sendmsg(int fd, const struct msghdr *message, int flags) {
    (void)fd, (void)flags;
    return (ssize_t)message->msg_iov[0].iov_len;
}
static ssize_t given_recvmsg(int fd, struct msghdr *message, int flags) {
    static bool told_done;
    struct iovec *piece = &message->msg_iov[0];
    (void)fd, (void)flags;
    message->msg_flags = 0;
    if (position + 2 <= input_size) {
        size_t size = input[position] | (size_t)input[position + 1] << 8;
        position += 2;
        if (size > input_size - position)
            size = input_size - position;
        size_t taken = size < piece->iov_len ? size : piece->iov_len;
        if (taken < size)
            message->msg_flags = MSG_TRUNC;
        memcpy(piece->iov_base, input + position, taken);
        position += size;
        told_done = false;
        return (ssize_t)taken;
    }
    if (told_done) { /* for who reads until there is nothing more */
        told_done = false;
        errno = EAGAIN;
        return -1;
    }
    struct nlmsghdr done = {.nlmsg_len = sizeof done, .nlmsg_type = NLMSG_DONE};
    memcpy(piece->iov_base, &done, sizeof done);
    told_done = true;
    return sizeof done;
}
static int given_close(int fd) {
    CHECK(fd == 1000);
    return 0;
}
static int given_open(const char *path, int flags, int mode) {
    (void)path, (void)flags, (void)mode;
    errno = ENOENT;
    return -1;
}
static int given_stat(const char *path, struct stat *status) {
    (void)path, (void)status;
    errno = ENOENT;
    return -1;
}

/* --- what has to hold --- */
static void check_table(const struct nwi_path_table *table) {
    for (size_t i = 0; i < table->interface_count; i++) {
        const struct nwi_path_interface *interface = &table->interfaces[i];
        CHECK(memchr(interface->link.name, '\0', sizeof interface->link.name) != NULL);
        CHECK(memchr(interface->link.kind, '\0', sizeof interface->link.kind) != NULL);
        CHECK(interface->type <= nw_interface_type_loopback);
        CHECK(interface->routed == (interface->routed_v4 || interface->routed_v6));
        CHECK(interface->routed || interface->metric == UINT32_MAX);
        CHECK(i == 0 || table->interfaces[i - 1].usable || !interface->usable);
        CHECK(nwi_path_table_find(table, interface->link.index) != NULL);
    }
    for (size_t i = 0; i < table->address_count; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&table->addresses[i].address;
        CHECK(address->sa_family == AF_INET || address->sa_family == AF_INET6);
        nwi_path_table_find_address(table, address);
    }
    for (size_t i = 1; i < table->route_count; i++)
        CHECK(table->routes[i - 1].metric <= table->routes[i].metric);
    CHECK(nwi_path_table_equal(table, table));
}

static void check_path(const struct nwi_path_table *table, const struct nwi_path_view *view) {
    nw_path_t path = nwi_path_view_path(view, table);
    CHECK(path != NULL);
    const struct nwi_path_facts *facts = &path->facts;
    CHECK((facts->status == nw_path_status_satisfied) == (facts->interface_count > 0));
    CHECK(facts->interface_count > 0 || (facts->gateway_count == 0 && !facts->has_ipv4));
    for (size_t i = 0; i < facts->interface_count; i++)
        CHECK(nwi_path_table_find(table, facts->interfaces[i]->index) != NULL);
    CHECK(nw_path_is_equal(path, path));
    CHECK(!nwi_path_is_setback(path, path, table));
    nwi_release(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct nwi_sys_table given;
    if (given.socket == NULL) {
        fuzz_log_nothing();
        given = nwi_sys_kernel;
        given.socket = given_socket;
        given.bind = given_bind;
        given.sendmsg = given_sendmsg;
        given.recvmsg = given_recvmsg;
        given.close = given_close;
        given.open = given_open;
        given.stat = given_stat;
        nwi_sys_swap(&given);
    }
    input = data;
    input_size = size;
    struct nwi_path_table *table = NULL;
    if (nwi_path_table_read(&table) == 0) {
        check_table(table);
        check_path(table, &(struct nwi_path_view){0});
        check_path(table, &(struct nwi_path_view){.ethernet = true});
        check_path(table, &(struct nwi_path_view){.typed = true, .type = nw_interface_type_wired});
    } else {
        CHECK(table == NULL);
    }
    nwi_release(table);
    bool changed, ways;
    position = 0;
    nwi_netlink_drain(1000, &changed, &ways);
    return 0;
}
