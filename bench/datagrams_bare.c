/*
 * datagrams_bare.c - UDP with system calls alone: epoll, then recvfrom and sendto, or recvmmsg and
 * sendmmsg.
 * Runs:   one thread. The drivers' sockets block.
 */
#include "datagrams.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOST_MS = 200 }; /* an answer that takes longer is not waited for */

/* What one system call can move. */
struct batch {
    struct mmsghdr messages[DATAGRAMS_TOGETHER_MAX];
    struct iovec parts[DATAGRAMS_TOGETHER_MAX];
    struct sockaddr_in from[DATAGRAMS_TOGETHER_MAX];
    char octets[DATAGRAMS_TOGETHER_MAX][DATAGRAM_SIZE];
};

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void prepare_batch(struct batch *batch, bool with_address) {
    for (unsigned i = 0; i < DATAGRAMS_TOGETHER_MAX; i++) {
        struct msghdr *header = &batch->messages[i].msg_hdr;
        batch->parts[i] = (struct iovec){batch->octets[i], DATAGRAM_SIZE};
        *header = (struct msghdr){.msg_iov = &batch->parts[i], .msg_iovlen = 1};
        if (with_address) {
            header->msg_name = &batch->from[i];
            header->msg_namelen = sizeof batch->from[i];
        }
    }
}

/* --- servers --- */

static void serve_one(int fd, bool echo) {
    struct sockaddr_in from;
    socklen_t from_size = sizeof from;
    char octets[DATAGRAM_SIZE];
    ssize_t size = recvfrom(fd, octets, sizeof octets, 0, (struct sockaddr *)&from, &from_size);
    if (size < 0)
        return;
    if (echo)
        sendto(fd, octets, (size_t)size, 0, (struct sockaddr *)&from, from_size);
    else
        datagrams_came(1);
}

static void serve_many(int fd, bool echo, struct batch *batch) {
    int count = recvmmsg(fd, batch->messages, DATAGRAMS_TOGETHER_MAX, 0, NULL);
    if (count <= 0)
        return;
    if (echo)
        sendmmsg(fd, batch->messages, (unsigned)count, 0);
    else
        datagrams_came((unsigned)count);
}

static void serve(const char *name, bool together) {
    static struct batch batch;
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (fd < 0 || poller < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
        bench_die("server", errno);
    bool echo = datagrams_is(name, "echo");
    prepare_batch(&batch, true);
    run_serving(ntohs(address.sin_port), datagrams_begin, datagrams_fill);
    while (datagrams_is(name, "send"))
        pause(); /* what comes is dropped by the kernel once its buffer is full */
    for (;;) {
        if (epoll_wait(poller, &event, 1, -1) == 1) {
            if (together)
                serve_many(fd, echo, &batch);
            else
                serve_one(fd, echo);
        }
    }
}

void datagrams_serve_bare(const char *name) {
    serve(name, false);
}

void datagrams_serve_batch(const char *name) {
    serve(name, true);
}

/* --- drivers --- */

static int connect_to(uint16_t port) {
    struct sockaddr_in address = loopback(port);
    struct timeval patience = {.tv_usec = LOST_MS * 1000};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
        bench_die("driver", errno);
    return fd;
}

/* Returns how many were sent. Those that find no listener or no room count: the work is done. */
static unsigned send_some(int fd, struct batch *batch, unsigned count, bool together) {
    if (together) {
        sendmmsg(fd, batch->messages, count, 0);
        return count;
    }
    for (unsigned i = 0; i < count; i++)
        send(fd, batch->octets[i], DATAGRAM_SIZE, 0);
    return count;
}

static unsigned receive_some(int fd, struct batch *batch, unsigned wanted, bool together) {
    unsigned got = 0;
    while (got < wanted) {
        int more = together ? recvmmsg(fd, batch->messages, wanted - got, MSG_WAITFORONE, NULL)
                            : (recv(fd, batch->octets[0], DATAGRAM_SIZE, 0) >= 0 ? 1 : -1);
        if (more <= 0)
            break;
        got += (unsigned)more;
    }
    return got;
}

static void run(const struct run_order *order, bool together, double ret_values[]) {
    static struct batch batch;
    unsigned count = datagrams_together(order->name);
    bool echo = datagrams_is(order->name, "echo");
    int fd = connect_to(order->port);
    double done = 0, start = bench_now(), now = start;
    prepare_batch(&batch, false);
    while (now < start + order->seconds) {
        unsigned sent = send_some(fd, &batch, count, together);
        done += echo ? receive_some(fd, &batch, count, together) : sent;
        now = bench_now();
    }
    ret_values[0] = done / (now - start);
}

void datagrams_run_bare(const struct run_order *order, double ret_values[]) {
    run(order, false, ret_values);
}

void datagrams_run_batch(const struct run_order *order, double ret_values[]) {
    run(order, true, ret_values);
}
