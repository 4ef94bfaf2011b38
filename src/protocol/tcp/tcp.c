/*
 * tcp.c - see tcp.h.
 * Runs:   in the protocol context of the chain, every function.
 * Owns:   the descriptor; sends until they are written; the metadata link, which outlives the
 *         layer.
 * Rules:  a peer that closes or resets loses nothing of what it sent before: an error is reported
 *         upwards only when the kernel has no more octets for us (drained()), however late the
 *         reader asks.
 */
#include "protocol/tcp/tcp.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/alarm.h"
#include "dispatch/data.h"
#include "dispatch/watch.h"
#include "model/endpoint.h"
#include "model/metadata.h"
#include "model/parameters.h"
#include "stack/chain.h"
#include "sys/address.h"
#include "sys/sockets.h"
#include <sys/uio.h>

enum {
    WRITE_PIECES = 64, /* iovecs of one write */
    /* What one read takes beyond the window, at most. Without it a read that fills the window to
     * the octet, as every message of known length does, would have to be followed by one that finds
     * nothing. */
    READ_AHEAD = 2 * 1024,
    /* Buffers of one read, each also a size of the pool. What comes in a small one is copied off
     * the stack, so that no buffer is held for it. */
    READ_SMALL = 2 * 1024,
    READ_MIDDLE = 16 * 1024 + READ_AHEAD,
    READ_LARGE = 64 * 1024 + READ_AHEAD,
    READS_A_TURN = 16, /* then others get their turn */
    WRITES_A_TURN = 16,
};

/* What a layer has to know until it is connected, and no longer. */
struct errand {
    struct nwi_tcp_request request; /* points to the addresses below; owns the parameters */
    struct sockaddr_storage remote, local;
};

struct tcp {
    struct nwi_layer base;
    struct errand *errand;    /* owned; NULL once connected, or when adopted */
    void *context_owner_held; /* owned: the context outlives the watch */
    struct nwi_watch watch;
    struct nwi_alarm *alarm; /* owned; made when needed: the end of an attempt's patience, later of
                                a shortage */
    nw_protocol_metadata_t
        metadata;               /* owned; made when asked for, by the connection under its lock */
    struct nwi_send_list queue; /* not yet fully written */
    size_t window;              /* octets the reader above still takes */
    int fd;
    uint16_t last_read; /* KiB of the last read, rounded up: chooses the next buffer */
    bool connecting : 1;
    bool writable : 1;    /* the last write did not end in would-block */
    bool readable : 1;    /* the kernel may have octets */
    bool hangup : 1;      /* FIN or reset seen: a short read is not the end of what is there */
    bool read_ended : 1;  /* told above */
    bool write_ended : 1; /* FIN sent */
    bool turn_queued : 1; /* `turn` is on its way */
    struct nwi_task turn; /* continues reading or writing after others had their turn */
    nwi_err failure;      /* to be told when drained */
};

/* --- ends --- */

static size_t unread(const struct tcp *tcp) {
    size_t octets = 0;
    return nwi_socket_unread(tcp->fd, &octets) == 0 ? octets : 0;
}

/* The stream is broken. Sends fail now; the reader is told once nothing is left to read. */
static void broken(struct tcp *tcp, nwi_err err) {
    if (tcp->failure == 0)
        tcp->failure = err;
    tcp->write_ended = true;
    tcp->hangup = true;
    tcp->readable = !tcp->read_ended; /* whatever came before the break is still there to be read */
    struct nwi_send_list failed = STAILQ_HEAD_INITIALIZER(failed);
    STAILQ_CONCAT(&failed, &tcp->queue); /* out of reach first: completions may come back here */
    nwi_send_list_fail(&failed, err);
    if (!nwi_layer_stopped(&tcp->base) && (tcp->read_ended || unread(tcp) == 0))
        nwi_layer_failed(&tcp->base, tcp->failure);
}

static void end_of_stream(struct tcp *tcp) {
    tcp->read_ended = true;
    tcp->readable = false;
    if (tcp->failure != 0) { /* all that came before the break has been read */
        nwi_layer_failed(&tcp->base, tcp->failure);
        return;
    }
    struct nwi_input input = {.complete = true, .final = true};
    nwi_err err = nwi_layer_deliver(&tcp->base, &input);
    if (err != 0)
        nwi_layer_failed(&tcp->base, err);
}

/* --- reading --- */

/* Reads once into a buffer fit for what came last time. Success with NULL content: end of the
 * stream. *ret_room 0: no octets have been taken from the kernel. */
static nwi_err read_once(struct tcp *tcp, size_t max, dispatch_data_t *ret_content,
                         size_t *ret_room) {
    char small[READ_SMALL];
    bool copy = tcp->last_read <= READ_SMALL / 1024;
    size_t room = copy                                  ? sizeof small
                  : tcp->last_read < READ_MIDDLE / 1024 ? READ_MIDDLE
                                                        : READ_LARGE;
    void *bytes = small;
    dispatch_data_t buffer = NULL;
    if (!copy && (buffer = nwi_data_create_buffer(room, &bytes)) == NULL)
        return NWI_ERR_NOMEM;
    if (room - READ_AHEAD > max)
        room = max + READ_AHEAD;
    size_t got = 0;
    nwi_err err = nwi_socket_recv(tcp->fd, &(struct iovec){bytes, room}, 1, 0, &got);
    nwi_loop_charge(got);
    *ret_room = got > 0 ? room : 0;
    if (err != 0 || got == 0) {
        if (buffer != NULL)
            dispatch_release(buffer);
        *ret_content = NULL;
        return err;
    }
    tcp->last_read = (uint16_t)(got == room && room == sizeof small ? READ_MIDDLE / 1024 - 1
                                : got == room                       ? READ_LARGE / 1024
                                                                    : (got + 1023) / 1024);
    *ret_content = copy ? nwi_data_create_copy(small, got) : nwi_data_trim(buffer, got);
    return *ret_content != NULL ? 0 : NWI_ERR_NOMEM; /* the octets are lost: the stream must end */
}

static void queue_turn(struct tcp *tcp) {
    if (tcp->turn_queued)
        return;
    tcp->turn_queued = true;
    nwi_retain(tcp);
    nwi_serial_push(tcp->base.chain->context, &tcp->turn);
}

static void alarm_fired(struct nwi_alarm *alarm);

static nwi_err set_alarm(struct tcp *tcp, nwi_ns patience) {
    if (tcp->alarm == NULL) {
        tcp->alarm = nwi_alloc(sizeof *tcp->alarm);
        if (tcp->alarm == NULL)
            return NWI_ERR_NOMEM;
        nwi_alarm_init(tcp->alarm, tcp->base.chain->context, tcp->base.chain->loop, tcp,
                       alarm_fired);
    }
    return nwi_alarm_set(tcp->alarm, nwi_now() + patience);
}

/* Whether a call failed for want of memory that may come back, and the alarm will try it again. */
static bool waits_out(struct tcp *tcp, nwi_err err) {
    return nwi_err_is_shortage(err) && set_alarm(tcp, NWI_SHORTAGE_PAUSE) == 0;
}

static void read_granted(struct tcp *tcp) {
    for (int reads = 0; tcp->window > 0 && tcp->readable && !tcp->read_ended; reads++) {
        if (reads == READS_A_TURN || (reads > 0 && nwi_loop_turn_is_over())) {
            queue_turn(tcp);
            return;
        }
        struct nwi_input input = {0};
        size_t room = 0;
        nwi_err err = read_once(tcp, tcp->window, &input.content, &room);
        if (nwi_err_would_block(err)) {
            tcp->readable = false;
            if (tcp->failure != 0)
                end_of_stream(tcp);
            return;
        }
        if (room == 0 && waits_out(tcp, err))
            return;
        if (err != 0) { /* recv gives an error only when no octets are left */
            tcp->read_ended = true;
            broken(tcp, err);
            return;
        }
        if (input.content == NULL) {
            end_of_stream(tcp);
            return;
        }
        size_t got = dispatch_data_get_size(input.content);
        if (got < room && !tcp->hangup)
            tcp->readable =
                false; /* the kernel had no more: the next octets come with an event of their own */
        tcp->window -= got < tcp->window ? got : tcp->window;
        err = nwi_layer_deliver(&tcp->base, &input);
        if (nwi_layer_stopped(&tcp->base))
            return;
        if (err != 0) {
            nwi_layer_failed(&tcp->base, err);
            return;
        }
    }
}

static void tcp_window(struct nwi_layer *layer, size_t octets) {
    struct tcp *tcp = (struct tcp *)layer;
    tcp->window = octets;
    if (layer->connected)
        read_granted(tcp);
}

/* --- writing --- */

/* Gathers the octets that may go in one write: up to a FIN. */
static size_t gather(const struct tcp *tcp, struct iovec *pieces, size_t *ret_octets) {
    size_t count = 0, octets = 0;
    const struct nwi_send *send;
    STAILQ_FOREACH (send, &tcp->queue, link) {
        if (send->content != NULL && count < WRITE_PIECES) {
            size_t added =
                nwi_data_iovec(send->content, send->offset, pieces + count, WRITE_PIECES - count);
            for (size_t i = 0; i < added; i++)
                octets += pieces[count + i].iov_len;
            count += added;
        }
        if (send->final || count == WRITE_PIECES)
            break;
    }
    *ret_octets = octets;
    return count;
}

/* Takes `octets` off the queue. What is wholly written is completed at the end: a completion may
 * come back here with more, when all that was written must be accounted for. */
static void account(struct tcp *tcp, size_t octets) {
    struct nwi_send_list written = STAILQ_HEAD_INITIALIZER(written);
    nwi_err err = 0;
    struct nwi_send *send;
    while (err == 0 && (send = STAILQ_FIRST(&tcp->queue)) != NULL) {
        size_t left = nwi_send_left(send);
        if (left > octets) {
            send->offset += octets;
            break;
        }
        octets -= left;
        send->offset += left;
        if (send->final && !tcp->write_ended) {
            tcp->write_ended = true;
            err = nwi_socket_shutdown(tcp->fd, SHUT_WR);
            if (err == nwi_posix(ENOTCONN))
                err = 0;
            if (err != 0) /* fails with the rest */
                break;
        }
        STAILQ_REMOVE_HEAD(&tcp->queue, link);
        STAILQ_INSERT_TAIL(&written, send, link);
    }
    nwi_send_list_fail(&written, 0);
    if (err != 0)
        broken(tcp, err);
}

static void write_queue(struct tcp *tcp) {
    for (int writes = 0; tcp->writable && !STAILQ_EMPTY(&tcp->queue); writes++) {
        if (writes == WRITES_A_TURN || (writes > 0 && nwi_loop_turn_is_over())) {
            queue_turn(tcp);
            return;
        }
        struct iovec pieces[WRITE_PIECES];
        size_t octets = 0, sent = 0, count = gather(tcp, pieces, &octets);
        if (count > 0) {
            nwi_err err = nwi_socket_send(tcp->fd, pieces, count, 0, &sent);
            nwi_loop_charge(sent);
            if (nwi_err_would_block(err) ||
                err == nwi_posix(EINPROGRESS)) { /* in the SYN: it goes */
                tcp->writable = false;
                return;
            }
            if (waits_out(tcp, err)) {
                tcp->writable = false; /* what comes meanwhile waits as well */
                return;
            }
            if (err != 0) {
                broken(tcp, err);
                return;
            }
            if (sent < octets)
                tcp->writable =
                    false; /* the socket's buffer is full: an event tells when it drains */
        }
        account(tcp, sent);
        if (nwi_layer_stopped(&tcp->base))
            return;
    }
}

static void tcp_output(struct nwi_layer *layer, struct nwi_send *send) {
    struct tcp *tcp = (struct tcp *)layer;
    if (tcp->failure != 0 || tcp->write_ended) {
        send->done(send, tcp->failure != 0 ? tcp->failure : nwi_posix(EPIPE));
        return;
    }
    STAILQ_INSERT_TAIL(&tcp->queue, send, link);
    if (layer->connected && !send->more)
        write_queue(tcp);
}

static bool tcp_congested(struct nwi_layer *layer) {
    struct tcp *tcp = (struct tcp *)layer;
    return !tcp->writable && !STAILQ_EMPTY(&tcp->queue);
}

/* --- events --- */

static void take_turn(struct nwi_task *task) {
    struct tcp *tcp = nwi_container_of(task, struct tcp, turn);
    tcp->turn_queued = false;
    if (!nwi_layer_stopped(&tcp->base))
        write_queue(tcp);
    if (!nwi_layer_stopped(&tcp->base))
        read_granted(tcp);
    nwi_release(tcp);
}

static void write_again(struct tcp *tcp) {
    bool was_congested = tcp_congested(&tcp->base);
    tcp->writable = true;
    write_queue(tcp);
    if (was_congested && !nwi_layer_stopped(&tcp->base) && !tcp_congested(&tcp->base))
        nwi_layer_writable(&tcp->base);
}

static void handle_events(struct tcp *tcp, unsigned events) {
    if (events & NWI_IO_ERROR) {
        nwi_err err = nwi_socket_take_error(tcp->fd);
        if (err != 0)
            broken(tcp, err);
    }
    if (events & NWI_IO_HANGUP)
        tcp->hangup = true;
    if (events & (NWI_IO_READ | NWI_IO_HANGUP))
        tcp->readable = true;
    if (events & NWI_IO_WRITE && !nwi_layer_stopped(&tcp->base))
        write_again(tcp);
    if (!nwi_layer_stopped(&tcp->base))
        read_granted(tcp);
}

static void alarm_fired(struct nwi_alarm *alarm) {
    struct tcp *tcp = alarm->owner;
    if (nwi_layer_stopped(&tcp->base))
        return;
    if (tcp->connecting) {
        nwi_layer_failed(&tcp->base, nwi_posix(ETIMEDOUT));
        return;
    }
    write_again(tcp);
    if (!nwi_layer_stopped(&tcp->base))
        read_granted(tcp);
}

/* --- connecting --- */

static void stop_alarm(struct tcp *tcp) {
    if (tcp->alarm != NULL)
        nwi_alarm_stop(tcp->alarm);
}

static void free_errand(struct tcp *tcp) {
    struct errand *errand = nwi_take(&tcp->errand);
    if (errand != NULL)
        nwi_release(errand->request.parameters);
    nwi_free(errand);
}

static void established(struct tcp *tcp) {
    tcp->connecting = false;
    tcp->writable = true;
    stop_alarm(tcp);
    if (tcp->errand != NULL)
        nwi_tcp_report_multipath(tcp->fd, tcp->errand->request.parameters);
    free_errand(tcp);
    nwi_layer_connected(&tcp->base);
}

/* Writable, or in error, while connecting: SO_ERROR is the result (connect(2)). */
static void connect_ended(struct tcp *tcp, unsigned events) {
    if ((events & (NWI_IO_WRITE | NWI_IO_ERROR | NWI_IO_HANGUP)) == 0)
        return;
    nwi_err err = nwi_socket_take_error(tcp->fd);
    struct sockaddr_storage peer;
    socklen_t length;
    if (err == 0 && nwi_socket_peer(tcp->fd, &peer, &length) == nwi_posix(ENOTCONN))
        return; /* the socket is not connected yet: epoll reports a fresh one as hung up */
    if (err != 0) {
        nwi_layer_failed(&tcp->base, err);
        return;
    }
    established(tcp);
}

static void watch_ready(struct nwi_watch *watch, unsigned events) {
    struct tcp *tcp = nwi_container_of(watch, struct tcp, watch);
    if (nwi_layer_stopped(&tcp->base))
        return;
    if (tcp->connecting)
        connect_ended(tcp, events);
    if (!tcp->connecting && !nwi_layer_stopped(&tcp->base))
        handle_events(tcp, events);
}

static nwi_err start_timeout(struct tcp *tcp) {
    const struct nwi_tcp_options *options =
        nwi_tcp_options(tcp->errand->request.parameters->stack->transport);
    uint32_t seconds = options != NULL ? options->connection_timeout : 0;
    if (seconds == 0)
        return 0;
    return set_alarm(tcp, seconds * NWI_SEC);
}

static nwi_err start_watch(struct tcp *tcp) {
    return nwi_watch_start(&tcp->watch, tcp->base.chain->context, tcp->base.chain->loop, tcp->fd,
                           tcp, watch_ready);
}

static nwi_err tcp_connect(struct nwi_layer *layer) {
    struct tcp *tcp = (struct tcp *)layer;
    tcp->context_owner_held = nwi_retain(layer->chain->context_owner);
    nwi_err err;
    if (tcp->fd >= 0) { /* adopted: connected by the kernel before we saw it */
        if ((err = start_watch(tcp)) != 0)
            return err;
        tcp->readable = true;
        established(tcp);
        return 0;
    }
    bool pending = false;
    const struct nwi_tcp_request *request = &tcp->errand->request;
    if ((err = nwi_tcp_open(request, &tcp->fd)) != 0)
        return err;
    if ((err = nwi_tcp_begin(tcp->fd, request, &pending)) != 0)
        return err;
    tcp->connecting = true;
    if ((err = start_watch(tcp)) != 0 || (pending && (err = start_timeout(tcp)) != 0))
        return err;
    if (!pending)
        established(tcp);
    return 0;
}

/* --- ends of the layer --- */

/* Unread octets in the socket at close() would make the kernel send a reset, which may destroy
 * octets of ours that the peer has not read yet: take them out first. */
static void discard_unread(int fd) {
    enum { ROUNDS = 256 };
    char sink[READ_MIDDLE];
    size_t got = 1;
    for (int i = 0; i < ROUNDS && got > 0; i++)
        if (nwi_socket_recv(fd, &(struct iovec){sink, sizeof sink}, 1, 0, &got) != 0)
            return;
}

static void tcp_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    struct tcp *tcp = (struct tcp *)layer;
    nwi_tcp_metadata_detach(tcp->metadata); /* first: it asks the socket from other threads */
    int fd = tcp->fd;
    tcp->fd = -1;
    stop_alarm(tcp);
    nwi_watch_stop(&tcp->watch);
    bool open = tcp->errand == NULL; /* connected by us, or accepted, started or not */
    if (open && how == NWI_DISCONNECT_ABORT) {
        nwi_socket_abort(fd);
    } else {
        if (open && !tcp->write_ended)
            (void)nwi_socket_shutdown(fd,
                                      SHUT_WR); /* the close does what this may have failed to */
        if (open)
            discard_unread(fd);
        nwi_socket_close(fd);
    }
    nwi_send_list_fail(&tcp->queue, why);
}

static void tcp_free(struct nwi_layer *layer) {
    struct tcp *tcp = (struct tcp *)layer;
    nwi_socket_close(tcp->fd);
    nwi_release(tcp->metadata);
    nwi_free(tcp->alarm);
    free_errand(tcp);
    nwi_release(tcp->context_owner_held);
}

static void tcp_facts(struct nwi_layer *layer, struct nwi_layer_facts *facts) {
    struct tcp *tcp = (struct tcp *)layer;
    struct sockaddr_storage address;
    socklen_t length;
    facts->fd = tcp->fd;
    if (facts->fd_only)
        return;
    if (nwi_socket_local(tcp->fd, &address, &length) == 0)
        facts->local = nwi_endpoint_from_sockaddr((struct sockaddr *)&address, length);
    if (nwi_socket_peer(tcp->fd, &address, &length) == 0)
        facts->remote = nwi_endpoint_from_sockaddr((struct sockaddr *)&address, length);
}

/* On any thread, under the metadata's lock. */
static uint32_t available(void *owner, enum nwi_direction direction) {
    struct tcp *tcp = owner;
    size_t octets = 0;
    nwi_err err = direction == NWI_RECEIVE ? nwi_socket_unread(tcp->fd, &octets)
                                           : nwi_socket_unsent(tcp->fd, &octets);
    return err != 0 ? 0 : octets < UINT32_MAX ? (uint32_t)octets : UINT32_MAX;
}

static int set_max_pacing_rate(void *owner, uint64_t octets_per_second) {
    struct tcp *tcp = owner;
    return nwi_err_code(nwi_socket_set(tcp->fd, SOL_SOCKET, SO_MAX_PACING_RATE, &octets_per_second,
                                       sizeof octets_per_second));
}

static const struct nwi_tcp_metadata_ops metadata_ops = {
    .available = available,
    .set_max_pacing_rate = set_max_pacing_rate,
};

static nw_protocol_metadata_t tcp_copy_metadata(struct nwi_layer *layer,
                                                nw_protocol_definition_t definition) {
    struct tcp *tcp = (struct tcp *)layer;
    if (definition != &nwi_tcp_definition)
        return NULL;
    if (tcp->metadata == NULL)
        tcp->metadata = nwi_tcp_metadata_create(&metadata_ops, tcp);
    return nwi_retain(tcp->metadata);
}

static const struct nwi_layer_ops tcp_ops = {
    .name = "tcp",
    .traits = NWI_TRAIT_STREAM,
    .size = sizeof(struct tcp),
    .connect = tcp_connect,
    .disconnect = tcp_disconnect,
    .output = tcp_output,
    .congested = tcp_congested,
    .window = tcp_window,
    .facts = tcp_facts,
    .copy_metadata = tcp_copy_metadata,
    .free = tcp_free,
};

static struct tcp *create(void) {
    struct tcp *tcp = (struct tcp *)nwi_layer_create(&tcp_ops);
    if (tcp == NULL)
        return NULL;
    tcp->fd = -1;
    STAILQ_INIT(&tcp->queue);
    tcp->turn.run = take_turn;
    return tcp;
}

struct nwi_layer *nwi_tcp_create(const struct nwi_tcp_request *request) {
    struct tcp *tcp = create();
    if (tcp == NULL)
        return NULL;
    struct errand *errand = tcp->errand = nwi_alloc(sizeof *errand);
    if (errand == NULL)
        return nwi_release(tcp);
    errand->request = *request;
    nwi_retain(request->parameters);
    memcpy(&errand->remote, request->remote, request->remote_length);
    errand->request.remote = (struct sockaddr *)&errand->remote;
    if (request->local != NULL) {
        memcpy(&errand->local, request->local, request->local_length);
        errand->request.local = (struct sockaddr *)&errand->local;
    }
    return &tcp->base;
}

struct nwi_layer *nwi_tcp_adopt(int fd) {
    struct tcp *tcp = create();
    if (tcp == NULL) {
        nwi_socket_close(fd);
        return NULL;
    }
    tcp->fd = fd;
    return &tcp->base;
}
