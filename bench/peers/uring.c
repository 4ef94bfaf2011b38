/*
 * uring.c - a second bare limit: a loop of nothing but io_uring.
 * What:   one thread, one io_uring_submit_and_wait a turn; accept and receive are multishot, into buffers
 *         that the kernel picks from a ring; a message goes back from the buffer it came in.
 * Source: io_uring(7), io_uring_setup(2), io_uring_enter(2); multishot receive is Linux 6.0.
 * Runs:   on the thread that calls serve or drive.
 */
#include "peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENTRIES = 2048, BUFFERS_MIN = 64, BUFFERS_MAX = 2048, BUFFER_SIZE_MIN = 4096, GROUP = 0 };
enum { NONE = -1, ENDED = -2 }; /* instead of a buffer */

/* What a completion belongs to; stands in the low bits of its user data. */
enum operation { ACCEPT, RECEIVE, SEND, CONNECT, IGNORE, OPERATION_MASK = 7 };

struct connection {
    int fd;
    bool ended;      /* echo server: closes when nothing is on its way */
    int first, last; /* echo server: buffers on their way back, the first one being sent; or NONE */
    size_t got;      /* echo driver: octets of the current answer */
    struct bench_counter *counter;
};

struct buffer {
    int next;
    unsigned length;
};

struct ring {
    struct io_uring uring;
    const struct bench_load *load;
    struct io_uring_buf_ring *free_buffers;
    struct buffer *buffers; /* what is in them */
    char *memory;
    unsigned count, size; /* of buffers; octets of one */
    unsigned returned;    /* buffers given back in this turn */
};

typedef void (*handler)(struct ring *ring, struct connection *connection, enum operation operation,
                        const struct io_uring_cqe *cqe);

/* --- the ring --- */
/* Deferred task work is the fastest way for one thread; kernels before 6.1 do not know it. */
static int open_uring(struct io_uring *uring, unsigned entries) {
    struct io_uring_params params = {.flags =
                                         IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    int err = io_uring_queue_init_params(entries, uring, &params);
    return err != -EINVAL ? err : io_uring_queue_init(entries, uring, 0);
}

static const char *find_refusal(void) {
    static char text[96];
    struct io_uring uring;
    int err = open_uring(&uring, 2);
    if (err != 0) {
        snprintf(text, sizeof text, "bare io_uring: not permitted here (%s)", strerror(-err));
        return text;
    }
    /* Sending without a copy came with the same kernel as multishot receive, which has no probe. */
    struct io_uring_probe *probe = io_uring_get_probe_ring(&uring);
    bool able = probe != NULL && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);
    io_uring_free_probe(probe);
    io_uring_queue_exit(&uring);
    return able ? NULL : "bare io_uring: this kernel is too old (multishot receive is Linux 6.0)";
}

static const char *refused(void) {
    static const char *reason;
    static bool asked;
    if (!asked)
        reason = find_refusal();
    asked = true;
    return reason;
}

static struct io_uring_sqe *next_entry(struct ring *ring) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);
    if (entry == NULL) { /* a full queue goes in early */
        io_uring_submit(&ring->uring);
        entry = io_uring_get_sqe(&ring->uring);
    }
    if (entry == NULL)
        bench_die("io_uring: no entry", 0);
    return entry;
}

/* After the entry is prepared, which clears this. */
static void mark(struct io_uring_sqe *entry, struct connection *connection,
                 enum operation operation) {
    io_uring_sqe_set_data64(entry, (uint64_t)(uintptr_t)connection | (uint64_t)operation);
}

static void *map_pages(size_t length) {
    void *pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        bench_die("mmap", errno);
    return pages;
}

static void return_buffer(struct ring *ring, int buffer) {
    io_uring_buf_ring_add(ring->free_buffers, ring->memory + (size_t)buffer * ring->size,
                          ring->size, (unsigned short)buffer, io_uring_buf_ring_mask(ring->count),
                          (int)ring->returned++);
}

/* Two buffers a connection, each for a whole message; few buffers stay in the cache. */
static void open_buffers(struct ring *ring) {
    ring->count = BUFFERS_MIN;
    while (ring->count < 2 * ring->load->connections && ring->count < BUFFERS_MAX)
        ring->count *= 2;
    ring->size = ring->load->size > BUFFER_SIZE_MIN ? (unsigned)ring->load->size : BUFFER_SIZE_MIN;
    ring->memory = map_pages((size_t)ring->count * ring->size);
    ring->buffers = calloc(ring->count, sizeof *ring->buffers);
    ring->free_buffers = map_pages(ring->count * sizeof(struct io_uring_buf));
    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)ring->free_buffers, .ring_entries = ring->count, .bgid = GROUP};
    int err = io_uring_register_buf_ring(&ring->uring, &registration, 0);
    if (err != 0 || ring->buffers == NULL)
        bench_die("io_uring: buffers", -err);
    io_uring_buf_ring_init(ring->free_buffers);
    for (unsigned i = 0; i < ring->count; i++)
        return_buffer(ring, (int)i);
}

static void open_ring(struct ring *ring, const struct bench_load *load) {
    *ring = (struct ring){.load = load};
    int err = open_uring(&ring->uring, ENTRIES);
    if (err != 0)
        bench_die("io_uring", -err);
    io_uring_register_ring_fd(&ring->uring); /* saves a look-up a turn; older kernels do without */
    open_buffers(ring);
}

static void run(struct ring *ring, handler handle) {
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        if (ring->returned > 0)
            io_uring_buf_ring_advance(ring->free_buffers, (int)ring->returned);
        ring->returned = 0;
        int err = io_uring_submit_and_wait(&ring->uring, 1);
        if (err < 0 && err != -EINTR)
            bench_die("io_uring_submit_and_wait", -err);
        io_uring_for_each_cqe(&ring->uring, head, cqe) {
            enum operation operation = (enum operation)(cqe->user_data & OPERATION_MASK);
            uintptr_t pointer = (uintptr_t)(cqe->user_data & ~(uint64_t)OPERATION_MASK);
            handle(ring, (struct connection *)pointer, operation, cqe);
            seen++;
        }
        io_uring_cq_advance(&ring->uring, seen);
    }
}

static struct connection *add(int fd, struct bench_counter *counter) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        bench_die("calloc", errno);
    *connection = (struct connection){.fd = fd, .first = NONE, .last = NONE, .counter = counter};
    return connection;
}

static void close_soon(struct ring *ring, int fd) {
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_close(entry, fd);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    mark(entry, NULL, IGNORE);
}

static void drop(struct ring *ring, struct connection *connection) {
    close_soon(ring, connection->fd);
    free(connection);
}

static void receive(struct ring *ring, struct connection *connection) {
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_recv_multishot(entry, connection->fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    mark(entry, connection, RECEIVE);
}

/* The buffer of a receive completion; NONE, or ENDED when no more will come. A multishot receive
 * that has stopped, as it does when no buffer was free, is begun again. */
static int received(struct ring *ring, struct connection *connection,
                    const struct io_uring_cqe *cqe) {
    if (cqe->res <= 0 && cqe->res != -ENOBUFS)
        return ENDED;
    if ((cqe->flags & IORING_CQE_F_MORE) == 0)
        receive(ring, connection);
    return cqe->res > 0 ? (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT) : NONE;
}

/* Whole, even when the socket takes it in parts. */
static void send_whole(struct ring *ring, struct connection *connection, const char *data,
                       size_t length) {
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_send(entry, connection->fd, data, length, MSG_WAITALL | MSG_NOSIGNAL);
    mark(entry, connection, SEND);
}

/* --- servers --- */
static void accept_more(struct ring *ring, int listener) {
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_CLOEXEC);
    mark(entry, NULL, ACCEPT);
}

/* Connections inherit TCP_NODELAY from the listener. */
static void accepted(struct ring *ring, const struct io_uring_cqe *cqe) {
    if (cqe->res < 0 || (cqe->flags & IORING_CQE_F_MORE) == 0)
        bench_die("io_uring: accept", cqe->res < 0 ? -cqe->res : 0);
    if (ring->load->work == BENCH_CONNECT) {
        bench_count(ring->load->counters, 1);
        close_soon(ring, cqe->res);
    } else {
        receive(ring, add(cqe->res, ring->load->counters));
    }
}

static void send_first(struct ring *ring, struct connection *connection) {
    int buffer = connection->first;
    send_whole(ring, connection, ring->memory + (size_t)buffer * ring->size,
               ring->buffers[buffer].length);
}

/* Messages go back one after the other, since two sends under way could change places. */
static void send_back(struct ring *ring, struct connection *connection, int buffer, int length) {
    ring->buffers[buffer] = (struct buffer){.next = NONE, .length = (unsigned)length};
    if (connection->first != NONE) {
        ring->buffers[connection->last].next = buffer;
        connection->last = buffer;
    } else {
        connection->first = connection->last = buffer;
        send_first(ring, connection);
    }
}

static void sent_back(struct ring *ring, struct connection *connection) {
    int buffer = connection->first;
    connection->first = ring->buffers[buffer].next;
    return_buffer(ring, buffer);
    if (connection->first != NONE)
        send_first(ring, connection);
    else if (connection->ended)
        drop(ring, connection);
}

static void echo(struct ring *ring, struct connection *connection, enum operation operation,
                 const struct io_uring_cqe *cqe) {
    if (operation == ACCEPT) {
        accepted(ring, cqe);
    } else if (operation == SEND) {
        sent_back(ring, connection);
    } else if (operation == RECEIVE) {
        int buffer = received(ring, connection, cqe);
        if (buffer >= 0)
            send_back(ring, connection, buffer, cqe->res);
        connection->ended = buffer == ENDED;
        if (connection->ended && connection->first == NONE)
            drop(ring, connection);
    }
}

static void discard(struct ring *ring, struct connection *connection, enum operation operation,
                    const struct io_uring_cqe *cqe) {
    if (operation == ACCEPT) {
        accepted(ring, cqe);
    } else if (operation == RECEIVE) {
        int buffer = received(ring, connection, cqe);
        if (buffer >= 0) {
            return_buffer(ring, buffer);
            bench_count(connection->counter, (uint64_t)cqe->res);
        }
        if (buffer == ENDED)
            drop(ring, connection);
    }
}

static void serve(const struct bench_load *load) {
    struct ring ring;
    open_ring(&ring, load);
    int listener = bench_listen();
    bench_tcp_set_nodelay(listener);
    accept_more(&ring, listener);
    run(&ring, load->work == BENCH_ECHO ? echo : discard);
}

/* --- drivers --- */
static const char message[BENCH_READ_MAX]; /* what drivers send; all zero */

static void answered(struct ring *ring, struct connection *connection, enum operation operation,
                     const struct io_uring_cqe *cqe) {
    if (operation == SEND && cqe->res != (int)ring->load->size)
        bench_die("io_uring: send", cqe->res < 0 ? -cqe->res : 0);
    if (operation != RECEIVE)
        return;
    int buffer = received(ring, connection, cqe);
    if (buffer == ENDED)
        bench_die("io_uring: receive", cqe->res < 0 ? -cqe->res : 0);
    if (buffer == NONE)
        return;
    return_buffer(ring, buffer);
    connection->got += (size_t)cqe->res;
    if (connection->got < ring->load->size)
        return;
    connection->got = 0;
    bench_count(connection->counter, 1);
    send_whole(ring, connection, message, ring->load->size);
}

static void poured(struct ring *ring, struct connection *connection, enum operation operation,
                   const struct io_uring_cqe *cqe) {
    (void)operation;
    if (cqe->res < 0)
        bench_die("io_uring: send", -cqe->res);
    bench_count(connection->counter, (uint64_t)cqe->res);
    send_whole(ring, connection, message, ring->load->size);
}

/* Connect and read to the end as one chain of two entries. */
static void begin_connect(struct ring *ring, struct bench_counter *counter) {
    static struct sockaddr_in address;
    static char octet;
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(ring->load->port)};
    struct connection *connection = add(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), counter);
    if (connection->fd < 0)
        bench_die("socket", errno);
    bench_tcp_set_nodelay(connection->fd);
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_connect(entry, connection->fd, (struct sockaddr *)&address, sizeof address);
    entry->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    mark(entry, connection, CONNECT);
    entry = next_entry(ring);
    io_uring_prep_recv(entry, connection->fd, &octet, 1, 0);
    mark(entry, connection, RECEIVE);
}

/* A connect that fails cancels the receive, which then says so. */
static void connected(struct ring *ring, struct connection *connection, enum operation operation,
                      const struct io_uring_cqe *cqe) {
    if (cqe->res != 0)
        bench_die("io_uring: connect", cqe->res < 0 ? -cqe->res : 0);
    if (operation != RECEIVE)
        return;
    bench_count(connection->counter, 1);
    begin_connect(ring, connection->counter);
    drop(ring, connection);
}

static void drive(const struct bench_load *load) {
    static const handler handlers[BENCH_WORK_COUNT] = {
        [BENCH_ECHO] = answered, [BENCH_STREAM] = poured, [BENCH_CONNECT] = connected};
    struct ring ring;
    open_ring(&ring, load);
    for (unsigned i = 0; i < load->connections; i++) {
        if (load->work == BENCH_CONNECT) {
            begin_connect(&ring, &load->counters[i]);
            continue;
        }
        struct connection *connection = add(bench_tcp_connect(1, load->port), &load->counters[i]);
        if (load->work == BENCH_ECHO)
            receive(&ring, connection);
        send_whole(&ring, connection, message, load->size);
    }
    run(&ring, handlers[load->work]);
}

const struct bench_peer bench_peer_uring = {
    .name = "bare io_uring", .refused = refused, .serve = serve, .drive = drive};
