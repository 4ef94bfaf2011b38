/*
 * support.h - what the tests of connections and listeners share: a recorder of everything that a
 * connection tells, a listener with recorders for its connections, and plain sockets as peers.
 * Runs:   the recorder's handlers on its own queue; everything else on the test's thread. Every wait has a deadline
 *         and ends the test when it passes; nothing waits for time to pass.
 */
#ifndef TESTS_API_CONNECTION_SUPPORT_H
#define TESTS_API_CONNECTION_SUPPORT_H

#include <Network/Network.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h> /* after the headers that it needs */

enum { WAIT_SECONDS = 20 };

enum event_kind { EVENT_STATE, EVENT_RECEIVE, EVENT_SEND };

/* One callback, as it came. */
struct event {
    enum event_kind kind;
    int index; /* among all of the recorder's */
    int tag;   /* of sends and receives: what record_send and record_receive returned */
    nw_connection_state_t state;
    nw_error_domain_t domain; /* nw_error_domain_invalid: no error */
    int code;
    bool has_content, has_context, complete, final;
    size_t size;
    char *bytes; /* owned by the recorder */
    uint64_t at; /* nanoseconds, monotonic */
};

struct recorder {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct event **events; /* owned, as each of them */
    int count, room, tags, inside, overlaps;
    nw_connection_t connection; /* owned; NULL once given up */
    dispatch_queue_t queue;
    void (*on_event)(struct recorder *recorder,
                     const struct event *event); /* in the handler itself */
    void *user;
};

uint64_t now_ns(void);

/* Takes over one reference. The queue is a serial one unless given. Not started. */
struct recorder *record(nw_connection_t connection);
struct recorder *record_on(nw_connection_t connection, dispatch_queue_t queue);
/* A started recorder of a new connection. Stream sockets unless udp. */
struct recorder *record_to(const char *host, const char *port, bool udp);
struct recorder *record_to_port(uint16_t port, bool udp);
/* A ready TCP connection over loopback, and the plain socket at its other end. */
struct recorder *record_pair(int family, int *ret_fd);
/* Cancels, waits for `cancelled`, frees. */
void finish(struct recorder *recorder);
/* Frees without cancelling; for recorders whose connection has told its end, or never had a queue.
 */
void discard(struct recorder *recorder);

nw_parameters_t tcp_parameters(void);
nw_parameters_t udp_parameters(void);
nw_endpoint_t endpoint_at_path(const char *path);

/* Events are stable once recorded: pointers stay good until finish(). */
const struct event *await_state(struct recorder *recorder, nw_connection_state_t state);
const struct event *await_tag(struct recorder *recorder, int tag);
const struct event *await_count(struct recorder *recorder, int count);
int count_states(struct recorder *recorder, nw_connection_state_t state);
int event_count(struct recorder *recorder);
const struct event *event_at(struct recorder *recorder, int index); /* one that has come */
void assert_error(const struct event *event, nw_error_domain_t domain, int code);
void assert_no_error(const struct event *event);
/* Runs everything that is on its way to the client: returns when the queue has turned. */
void settle(struct recorder *recorder);

int record_receive(struct recorder *recorder, uint32_t min, uint32_t max);
int record_receive_message(struct recorder *recorder);
int record_send(struct recorder *recorder, const void *bytes, size_t size,
                nw_content_context_t context, bool complete);
int record_send_text(struct recorder *recorder, const char *text);
const struct event *receive_now(struct recorder *recorder, uint32_t min, uint32_t max);
/* Reads until the end or an error; the size of all, checked against the pattern of fill_pattern. */
size_t receive_pattern(struct recorder *recorder, uint32_t max, const struct event **ret_last);
void fill_pattern(char *bytes, size_t size, size_t offset);

/* --- plain sockets --- */
int peer_listen(int family, uint16_t *ret_port); /* a TCP socket that listens on loopback */
int peer_bound(int family, int type, uint16_t *ret_port); /* bound only: connections are refused */
int peer_accept(int listening);
int peer_connect(uint16_t port);                         /* TCP, 127.0.0.1 */
int peer_udp(uint16_t *ret_port);                        /* bound to 127.0.0.1 */
void peer_write(int fd, const void *bytes, size_t size); /* all of it */
void peer_drained(int fd); /* waits until the other side has acknowledged all */
size_t peer_read(int fd, void *bytes, size_t size); /* up to size, until the end */
int peer_read_end(int fd);                          /* 0: end of stream; an errno: how it broke */
void peer_reset(int fd);                            /* closes with RST */
void peer_send_to(int fd, uint16_t port, const void *bytes, size_t size);
char *port_text(uint16_t port, char text[8]);

/* --- this program again, in a process of its own --- */
enum { CANNOT = 77 }; /* its exit status where the system does not allow what it needs */
/* Runs it with one argument, in new namespaces of these kinds (CLONE_NEW...; 0: none); its exit
 * status. */
int run_self(const char *what, int namespaces);

/* --- a listener --- */
struct hearing {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    nw_listener_t listener;
    dispatch_queue_t queue;
    bool keep;   /* retain, record and start what arrives */
    int arrived; /* connections delivered */
    int states[5];
    int code;                /* of the last state with an error */
    struct recorder **heard; /* of those kept, in order */
};
struct hearing *hear(nw_listener_t listener);          /* takes over the reference; not started */
struct hearing *hear_on_any_port(bool udp, bool keep); /* started and ready */
void hearing_start(struct hearing *hearing);
void hearing_await_state(struct hearing *hearing, nw_listener_state_t state);
struct recorder *hearing_await(struct hearing *hearing, int index); /* kept connections, from 0 */
void hearing_await_arrivals(struct hearing *hearing, int count);
uint16_t hearing_port(struct hearing *hearing);
void hearing_finish(
    struct hearing *hearing); /* cancels the listener and finishes the connections */

#endif
