/*
 * channel.c - c-ares driven by the loop.
 * What:   c-ares calls our socket functions, tells which sockets it watches, and says when its next
 *         timeout is; we turn these into watches and one alarm.
 * Source: c-ares 1.18: ares_init_options(3), ares_process_fd(3), ares_set_socket_functions(3),
 *         ares_timeout(3).
 * Runs:   in the resolver's context, every function.
 * Owns:   the c-ares channel; one `socket` object per descriptor. While it lives, a reference on
 *         the resolver.
 *
 * c-ares expects level-triggered readiness and may stop reading early (on an answer from a
 * stranger, or after one piece of a TCP answer), while our watches are edge-triggered. So our
 * receive function notes when the kernel had no more, and reading goes on until it did. The same
 * for writing, in `writable`.
 */
#include "resolver/channel.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/object.h"
#include "dispatch/alarm.h"
#include "dispatch/watch.h"
#include "resolver/patience.h"
#include "resolver/refusal.h"
#include "sys/sockets.h"
#define CARES_NO_DEPRECATED /* later c-ares (1.28 on) renames what 1.18 has; both work */
#include <ares.h>
#include <arpa/nameser.h>
#include <pthread.h>
#include <string.h>
#include <sys/queue.h>

enum {
    CARES_TIMEOUT = 5000, /* ms: what c-ares takes when resolv.conf says nothing */
    CARES_TRIES = 4,
    OUR_TIMEOUT = 2500, /* ms: with three tries and doubling, a dead server is given up after 17.5
                           s, not 75 */
    OUR_TRIES = 3,
};

struct socket {
    struct nwi_object base;
    struct nwi_watch watch;
    struct nwi_channel *channel; /* borrowed: not used once closed */
    void *owner;                 /* retained: keeps the context until the loop has let go */
    LIST_ENTRY(socket) entry;
    int fd;
    bool closed;      /* c-ares has closed it or is about to */
    bool drained;     /* the last receive found nothing more */
    bool received;    /* a receive was tried since this was last cleared */
    bool writable;    /* the kernel reported room since the last send that found none */
    bool wants_write; /* c-ares waits for room */
    bool refused;     /* a send learnt that nobody took an earlier datagram: receive tells */
    bool kicked;      /* to be looked at by kick() */
};

struct nwi_channel {
    struct nwi_object base;
    ares_channel ares;
    struct ares_options search; /* domains and ndots, from resolv.conf */
    bool have_search;
    bool closing;
    void *owner; /* retained */
    struct nwi_serial *context;
    struct nwi_loop *loop;
    struct nwi_alarm alarm;
    struct nwi_task kick;
    bool kick_waiting;
    enum nwi_resolve_protocol reading; /* of the socket that c-ares reads just now */
    LIST_HEAD(, socket) sockets;
    LIST_HEAD(, question) questions; /* under way */
};

/* c-ares takes a function of its own signature, and hides refusals (refusal.h). */
struct question {
    LIST_ENTRY(question) entry;
    nwi_channel_fn handler;
    void *context;
    int type;
    int refusal; /* c-ares status of the last refusal by a server, or ARES_SUCCESS */
    char name[];
};

static void socket_destroy(void *object) {
    nwi_release(((struct socket *)object)->owner);
}
static const struct nwi_type socket_type = {
    .name = "dns socket", .size = sizeof(struct socket), .destroy = socket_destroy};

static void channel_destroy(void *object) {
    struct nwi_channel *channel = object;
    if (channel->have_search)
        ares_destroy_options(&channel->search);
    nwi_release(channel->owner);
}
static const struct nwi_type channel_type = {
    .name = "dns channel", .size = sizeof(struct nwi_channel), .destroy = channel_destroy};

static struct socket *find_socket(struct nwi_channel *channel, int fd) {
    struct socket *s;
    LIST_FOREACH (s, &channel->sockets, entry) {
        if (s->fd == fd)
            return s;
    }
    return NULL;
}

/* --- the timeout --- */
static void schedule(struct nwi_channel *channel) {
    struct timeval left;
    if (channel->closing)
        return;
    if (ares_timeout(channel->ares, NULL, &left) == NULL) {
        nwi_alarm_stop(&channel->alarm);
        return;
    }
    nwi_ns wait = (nwi_ns)left.tv_sec * NWI_SEC + (nwi_ns)left.tv_usec * 1000;
    /* c-ares counts in microseconds and wants its time to have passed, not merely been reached. */
    if (nwi_alarm_set(&channel->alarm, nwi_now() + wait + NWI_MS) != 0)
        nwi_log(NWI_LOG_ERROR, "resolver", "timer", "no memory for the timeout of a DNS question");
}

static void alarm_fired(struct nwi_alarm *alarm) {
    struct nwi_channel *channel = nwi_container_of(alarm, struct nwi_channel, alarm);
    if (channel->closing)
        return;
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    schedule(channel);
}

/* --- sockets --- */
static void read_all(struct nwi_channel *channel, struct socket *s) {
    int type = 0;
    (void)nwi_socket_get_int(s->fd, SOL_SOCKET, SO_TYPE, &type);
    channel->reading = type == SOCK_DGRAM    ? NWI_RESOLVED_BY_UDP
                       : type == SOCK_STREAM ? NWI_RESOLVED_BY_TCP
                                             : NWI_RESOLVED_BY_UNKNOWN;
    do {
        s->drained = s->received = false;
        ares_process_fd(channel->ares, s->fd, ARES_SOCKET_BAD);
    } while (!s->closed && !s->drained && s->received);
    channel->reading = NWI_RESOLVED_BY_UNKNOWN;
}

static void on_ready(struct nwi_watch *watch, unsigned events) {
    struct socket *s = nwi_container_of(watch, struct socket, watch);
    struct nwi_channel *channel = s->channel;
    if (s->closed || channel->closing)
        return;
    nwi_retain(s); /* c-ares may close the socket meanwhile */
    if (events & (NWI_IO_WRITE | NWI_IO_ERROR | NWI_IO_HANGUP)) {
        s->writable = true;
        if (s->wants_write)
            ares_process_fd(channel->ares, ARES_SOCKET_BAD, s->fd);
    }
    if (!s->closed && (events & (NWI_IO_READ | NWI_IO_ERROR | NWI_IO_HANGUP)))
        read_all(channel, s);
    schedule(channel);
    nwi_release(s);
}

/* In a turn of its own, since c-ares is still inside the call that made it want to write. */
static void kick(struct nwi_task *task) {
    struct nwi_channel *channel = nwi_container_of(task, struct nwi_channel, kick);
    channel->kick_waiting = false;
    struct socket *s = channel->closing ? NULL : LIST_FIRST(&channel->sockets);
    while (s != NULL) {
        if (!s->kicked) {
            s = LIST_NEXT(s, entry);
            continue;
        }
        s->kicked = false;
        bool write = s->wants_write && s->writable;
        if (s->refused || write)
            ares_process_fd(channel->ares, s->refused ? s->fd : ARES_SOCKET_BAD,
                            write ? s->fd : ARES_SOCKET_BAD);
        s = LIST_FIRST(&channel->sockets); /* the list may have changed; `kicked` ends this */
    }
    if (!channel->closing)
        schedule(channel);
    nwi_release(channel);
}

static void kick_later(struct nwi_channel *channel, struct socket *s) {
    s->kicked = true;
    if (channel->kick_waiting)
        return;
    channel->kick_waiting = true;
    nwi_retain(channel); /* until kick() ran */
    nwi_serial_push(channel->context, &channel->kick);
}

static struct socket *watch_socket(struct nwi_channel *channel, int fd) {
    struct socket *s = nwi_object_create(&socket_type, 0);
    nwi_err err = NWI_ERR_NOMEM;
    if (s != NULL) {
        s->channel = channel;
        s->owner = nwi_retain(channel->owner);
        s->fd = fd;
        err = nwi_watch_start(&s->watch, channel->context, channel->loop, fd, s, on_ready);
    }
    if (err != 0) { /* its questions end by their timeout */
        nwi_log(NWI_LOG_ERROR, "resolver", "watch", "cannot watch a DNS socket: %s",
                nwi_err_text(err));
        return nwi_release(s);
    }
    LIST_INSERT_HEAD(&channel->sockets, s, entry);
    return s;
}

static void on_socket_state(void *context, ares_socket_t fd, int readable, int writable) {
    struct nwi_channel *channel = context;
    struct socket *s = find_socket(channel, fd);
    if (!readable && !writable) { /* about to be closed */
        if (s == NULL)
            return;
        LIST_REMOVE(s, entry);
        s->closed = true;
        nwi_watch_stop(&s->watch);
        nwi_release(s);
        return;
    }
    if (s == NULL && (s = watch_socket(channel, fd)) == NULL)
        return;
    s->wants_write = writable;
    if (writable && s->writable)
        kick_later(channel, s);
}

static ares_socket_t do_open(int family, int type, int protocol, void *context) {
    (void)context;
    int fd;
    nwi_err err = nwi_socket_open(family, type, protocol, &fd);
    if (err == 0)
        return fd;
    errno = nwi_err_code(err);
    return ARES_SOCKET_BAD;
}

static int do_close(ares_socket_t fd, void *context) {
    (void)context;
    nwi_socket_close(fd);
    return 0;
}

static int do_connect(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t length,
                      void *context) {
    (void)context;
    return nwi_sys()->connect(fd, address, length);
}

static void note_refusal(struct nwi_channel *channel, const unsigned char *message, size_t size) {
    struct nwi_refusal refusal;
    struct question *question;
    if (!nwi_refusal_read(message, size, &refusal))
        return;
    LIST_FOREACH (question, &channel->questions, entry) {
        if (question->type == refusal.type && strcasecmp(question->name, refusal.name) == 0)
            question->refusal = refusal.status;
    }
}

static ares_ssize_t do_receive(ares_socket_t fd, void *data, size_t size, int flags,
                               struct sockaddr *from, ares_socklen_t *from_length, void *context) {
    struct iovec piece = {data, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (from != NULL && from_length != NULL) {
        message.msg_name = from;
        message.msg_namelen = *from_length;
    }
    struct socket *s = find_socket(context, fd);
    ssize_t received;
    if (s != NULL && s->refused) {
        s->refused = false;
        s->received = s->drained = true;
        errno = ECONNREFUSED;
        return -1;
    }
    do
        received = nwi_sys()->recvmsg(fd, &message, flags);
    while (received < 0 && errno == EINTR);
    if (s != NULL) {
        s->received = true;
        s->drained = received <= 0;
    }
    if (received >= 0 && from_length != NULL) {
        *from_length = message.msg_namelen;
        note_refusal(context, data, (size_t)received);
    }
    return received;
}

static ssize_t send_once(int fd, const struct msghdr *message) {
    ssize_t sent;
    do
        sent = nwi_sys()->sendmsg(fd, message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* The kernel reports an ICMP refusal of one datagram to whichever call comes next. Told to c-ares
 * by a send, it would fail the wrong question, and the refused one would wait for its timeout. So
 * we send again, and let the next receive report it: that fails all questions of this server. */
static ares_ssize_t do_send(ares_socket_t fd, const struct iovec *pieces, int count,
                            void *context) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
    struct socket *s = find_socket(context, fd);
    ssize_t sent = send_once(fd, &message);
    if (sent < 0 && errno == ECONNREFUSED && s != NULL) {
        sent = send_once(fd, &message);
        if (sent >= 0) { /* a datagram socket, then */
            s->refused = true;
            kick_later(context, s);
        }
    }
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && s != NULL)
        s->writable = false;
    return sent;
}

static const struct ares_socket_functions socket_functions = {
    .asocket = do_open,
    .aclose = do_close,
    .aconnect = do_connect,
    .arecvfrom = do_receive,
    .asendv = do_send,
};

/* --- life --- */
static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static void start_library(void) {
    ares_library_init(ARES_LIB_INIT_ALL);
}

static int init_ares(struct nwi_channel *channel, const struct nwi_channel_settings *settings) {
    char lookups[] = "b"; /* DNS only: the hosts file is ours */
    struct ares_options options = {
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = channel,
        .lookups = lookups,
        .resolvconf_path = (char *)settings->resolv_conf,
        .udp_port = settings->server_port,
        .tcp_port = settings->server_port,
        .timeout = (int)settings->timeout_ms,
        .tries = (int)settings->tries,
    };
    int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF;
    if (settings->server_port != 0)
        mask |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
    if (settings->timeout_ms != 0)
        mask |= ARES_OPT_TIMEOUTMS;
    if (settings->tries != 0)
        mask |= ARES_OPT_TRIES;
    int status = ares_init_options(&channel->ares, &options, mask);
    if (status != ARES_SUCCESS)
        channel->ares = NULL;
    return status;
}

/* What c-ares has taken from its own words of resolv.conf (retry, retrans) or the environment,
 * within the bounds of patience.c; `ours` in place of its default and of what overflowed. */
static unsigned bounded(int taken, int by_default, unsigned ours, unsigned max) {
    if (taken == by_default || taken <= 0)
        return ours;
    return (unsigned)taken < max ? (unsigned)taken : max;
}

/* Reads back what resolv.conf said. Where it said nothing about time, c-ares's patience is replaced
 * by ours, which takes a second init: options given in advance would override the file. */
static int init_from_file(struct nwi_channel *channel, const struct nwi_channel_settings *given) {
    struct nwi_channel_settings settings = *given;
    unsigned timeout_ms = 0, tries = 0;
    nwi_patience_read(given->resolv_conf, &timeout_ms, &tries);
    if (given->timeout_ms == 0)
        settings.timeout_ms = timeout_ms;
    if (given->tries == 0)
        settings.tries = tries;
    int mask = 0, status = init_ares(channel, &settings);
    if (status == ARES_SUCCESS)
        status = ares_save_options(channel->ares, &channel->search, &mask);
    if (status != ARES_SUCCESS)
        return status;
    channel->have_search = true;
    struct nwi_channel_settings again = settings;
    if (settings.timeout_ms == 0)
        again.timeout_ms = bounded(channel->search.timeout, CARES_TIMEOUT, OUR_TIMEOUT,
                                   NWI_PATIENCE_TIMEOUT_MAX * 1000);
    if (settings.tries == 0)
        again.tries =
            bounded(channel->search.tries, CARES_TRIES, OUR_TRIES, NWI_PATIENCE_TRIES_MAX);
    if ((int)again.timeout_ms == channel->search.timeout &&
        (int)again.tries == channel->search.tries)
        return ARES_SUCCESS;
    ares_destroy(channel->ares);
    channel->ares = NULL;
    return init_ares(channel, &again);
}

nwi_err nwi_channel_open(const struct nwi_channel_settings *settings, struct nwi_serial *context,
                         struct nwi_loop *loop, void *owner, struct nwi_channel **ret_channel) {
    pthread_once(&library_once, start_library);
    struct nwi_channel *channel = nwi_object_create(&channel_type, 0);
    if (channel == NULL)
        return nwi_dns(NWI_DNS_NO_MEMORY);
    channel->owner = nwi_retain(owner);
    channel->context = context;
    channel->loop = loop;
    channel->kick.run = kick;
    LIST_INIT(&channel->sockets);
    LIST_INIT(&channel->questions);
    nwi_alarm_init(&channel->alarm, context, loop, channel, alarm_fired);
    int status = init_from_file(channel, settings);
    if (status != ARES_SUCCESS) {
        nwi_log(NWI_LOG_ERROR, "resolver", "channel", "cannot start DNS: %s",
                ares_strerror(status));
        nwi_channel_close(channel);
        return nwi_dns(status == ARES_ENOMEM ? NWI_DNS_NO_MEMORY : NWI_DNS_SERVICE_NOT_RUNNING);
    }
    ares_set_socket_functions(channel->ares, &socket_functions, channel);
    *ret_channel = channel;
    return 0;
}

void *nwi_channel_close(struct nwi_channel *channel) {
    if (channel == NULL)
        return NULL;
    channel->closing = true;
    if (channel->ares != NULL)
        ares_destroy(channel->ares); /* calls back for every question, and closes every socket */
    channel->ares = NULL;
    nwi_alarm_stop(&channel->alarm);
    return nwi_release(channel);
}

static void on_answer(void *argument, int status, int timeouts, unsigned char *message, int size) {
    struct question *question = argument;
    (void)timeouts;
    LIST_REMOVE(question, entry);
    if (status == ARES_ECONNREFUSED && question->refusal != ARES_SUCCESS)
        status = question->refusal;
    question->handler(question->context, status, message, size > 0 ? (size_t)size : 0);
    nwi_free(question);
}

void nwi_channel_query(struct nwi_channel *channel, const char *name, int family,
                       nwi_channel_fn handler, void *handler_context) {
    if (channel->closing) {
        handler(handler_context, ARES_EDESTRUCTION, NULL, 0);
        return;
    }
    size_t length = strlen(name);
    struct question *question = nwi_alloc(sizeof *question + length + 1);
    if (question == NULL) {
        handler(handler_context, ARES_ENOMEM, NULL, 0);
        return;
    }
    question->handler = handler;
    question->context = handler_context;
    question->type = family == AF_INET ? ns_t_a : ns_t_aaaa;
    memcpy(question->name, name, length + 1);
    if (length > 0 &&
        name[length - 1] == '.') /* a search domain may end in a dot: refusals do not */
        question->name[length - 1] = '\0';
    LIST_INSERT_HEAD(&channel->questions, question, entry);
    ares_query(channel->ares, name, ns_c_in, question->type, on_answer, question);
    schedule(channel);
}

enum nwi_resolve_protocol nwi_channel_protocol(const struct nwi_channel *channel) {
    return channel->reading;
}

size_t nwi_channel_domain_count(const struct nwi_channel *channel) {
    return channel->search.ndomains > 0 ? (size_t)channel->search.ndomains : 0;
}
const char *nwi_channel_domain(const struct nwi_channel *channel, size_t index) {
    return channel->search.domains[index];
}
unsigned nwi_channel_ndots(const struct nwi_channel *channel) {
    return channel->search.ndots > 0 ? (unsigned)channel->search.ndots : 0;
}
