/*
 * ethernet_wire.h - an Ethernet channel on the loopback interface, and what its handlers were told.
 * What:   frames sent there come back to their sender; so one channel is both ends of a wire.
 * Runs:   handlers on a queue of the wire's own; what they note and the test reads is under `lock`.
 */
#ifndef NWI_FAKE_ETHERNET_WIRE_H
#define NWI_FAKE_ETHERNET_WIRE_H

#include "fake/await.h"
#include <Network/Network.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>

enum { WIRE_TYPE = 0x88b6, WIRE_STATES = 64, WIRE_FRAME = 2048 }; /* 0x88b6: local experimental */

struct wire {
    nw_ethernet_channel_t channel;
    dispatch_queue_t queue;
    sem_t event;          /* posted once for each callback */
    pthread_mutex_t lock; /* over all below */
    struct {
        nw_ethernet_channel_state_t state;
        int code;
    } told[WIRE_STATES];
    unsigned states, completions, refused, frames; /* refused: completions with an error */
    int completion;                                /* code of the last one */
    bool after_end;                                /* a callback came behind the last state */
    unsigned char octets[WIRE_FRAME], local[6], remote[6];
    size_t size; /* of the last frame */
    uint16_t vlan_tag;
};

/* Whether this process may open packet sockets. */
static inline bool wire_allowed(void) {
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static inline void wire_note(struct wire *wire) {
    if (wire->states > 0 &&
        wire->told[wire->states - 1].state == nw_ethernet_channel_state_cancelled)
        wire->after_end = true;
}

static inline void wire_on_state(void *context, nw_ethernet_channel_state_t state,
                                 nw_error_t error) {
    struct wire *wire = context;
    pthread_mutex_lock(&wire->lock);
    wire_note(wire);
    if (wire->states < WIRE_STATES) {
        wire->told[wire->states].state = state;
        wire->told[wire->states++].code = error != NULL ? nw_error_get_error_code(error) : 0;
    }
    pthread_mutex_unlock(&wire->lock);
    sem_post(&wire->event);
}

static inline bool wire_copy(void *context, dispatch_data_t region, size_t offset,
                             const void *bytes, size_t size) {
    struct wire *wire = context;
    (void)region;
    if (offset + size <= WIRE_FRAME)
        memcpy(wire->octets + offset, bytes, size);
    return true;
}

static inline void wire_on_frame(void *context, dispatch_data_t content, uint16_t vlan_tag,
                                 nw_ethernet_address_t local, nw_ethernet_address_t remote) {
    struct wire *wire = context;
    pthread_mutex_lock(&wire->lock);
    wire_note(wire);
    wire->frames++;
    wire->size = dispatch_data_get_size(content);
    wire->vlan_tag = vlan_tag;
    dispatch_data_apply_f(content, wire, wire_copy);
    memcpy(wire->local, local, sizeof wire->local);
    memcpy(wire->remote, remote, sizeof wire->remote);
    pthread_mutex_unlock(&wire->lock);
    sem_post(&wire->event);
}

static inline void wire_on_sent(void *context, nw_error_t error) {
    struct wire *wire = context;
    pthread_mutex_lock(&wire->lock);
    wire_note(wire);
    wire->completions++;
    wire->refused += error != NULL;
    wire->completion = error != NULL ? nw_error_get_error_code(error) : 0;
    pthread_mutex_unlock(&wire->lock);
    sem_post(&wire->event);
}

/* Takes the interface (lent). False: no memory. */
static inline bool wire_open(struct wire *wire, nw_interface_t interface) {
    memset(wire, 0, sizeof *wire);
    event_init(&wire->event);
    pthread_mutex_init(&wire->lock, NULL);
    wire->queue = dispatch_queue_create("wire", NULL);
    wire->channel = nw_ethernet_channel_create(WIRE_TYPE, interface);
    if (wire->queue == NULL || wire->channel == NULL) {
        nw_release(wire->channel);
        wire->channel = NULL;
        return false;
    }
    nw_ethernet_channel_set_queue(wire->channel, wire->queue);
    nw_ethernet_channel_set_state_changed_handler_f(wire->channel, wire, wire_on_state);
    nw_ethernet_channel_set_receive_handler_f(wire->channel, wire, wire_on_frame);
    return true;
}

/* Waits until a condition over the wire's notes holds, which is looked at after each callback. */
#define wire_await(wire, condition)                                                                \
    do {                                                                                           \
        pthread_mutex_lock(&(wire)->lock);                                                         \
        while (!(condition)) {                                                                     \
            pthread_mutex_unlock(&(wire)->lock);                                                   \
            await(&(wire)->event);                                                                 \
            pthread_mutex_lock(&(wire)->lock);                                                     \
        }                                                                                          \
        pthread_mutex_unlock(&(wire)->lock);                                                       \
    } while (0)

static inline nw_ethernet_channel_state_t wire_state(const struct wire *wire) {
    return wire->states > 0 ? wire->told[wire->states - 1].state
                            : nw_ethernet_channel_state_invalid;
}
static inline int wire_code(const struct wire *wire) {
    return wire->states > 0 ? wire->told[wire->states - 1].code : 0;
}

static inline void wire_send(struct wire *wire, const void *octets, size_t size, uint16_t tag,
                             unsigned char *to) {
    dispatch_data_t data = dispatch_data_create_f(octets, size, NULL, NULL, NULL);
    nw_ethernet_channel_send_f(wire->channel, data, tag, to, wire, wire_on_sent);
    dispatch_release(data);
}

static inline void wire_close(struct wire *wire) {
    if (wire->channel != NULL) {
        nw_ethernet_channel_cancel(wire->channel);
        wire_await(wire, wire_state(wire) == nw_ethernet_channel_state_cancelled);
        nw_release(wire->channel);
        assert_false(wire->after_end);
    }
    if (wire->queue != NULL)
        dispatch_release(wire->queue);
    sem_destroy(&wire->event);
}

/* --- the loopback interface, by the path of a connection --- */

struct wire_question {
    nw_connection_t connection;
    nw_interface_t interface;
    sem_t answered;
};

static inline bool wire_take_interface(void *context, nw_interface_t interface) {
    ((struct wire_question *)context)->interface = nw_retain(interface);
    return false;
}

static inline void wire_on_question(void *context, nw_connection_state_t state, nw_error_t error) {
    struct wire_question *question = context;
    (void)error;
    if (state == nw_connection_state_ready) {
        nw_path_t path = nw_connection_copy_current_path(question->connection);
        nw_path_enumerate_interfaces_f(path, question, wire_take_interface);
        nw_release(path);
        nw_connection_cancel(question->connection);
    } else if (state == nw_connection_state_cancelled) {
        sem_post(&question->answered);
    }
}

/* +1 */
static inline nw_interface_t wire_loopback(void) {
    struct wire_question question = {0};
    event_init(&question.answered);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t udp = nw_parameters_create_secure_udp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    dispatch_queue_t queue = dispatch_queue_create("question", NULL);
    question.connection = nw_connection_create(endpoint, udp);
    nw_connection_set_queue(question.connection, queue);
    nw_connection_set_state_changed_handler_f(question.connection, &question, wire_on_question);
    nw_connection_start(question.connection);
    await(&question.answered);
    nw_release(question.connection);
    nw_release(endpoint);
    nw_release(udp);
    dispatch_release(queue);
    sem_destroy(&question.answered);
    assert_non_null(question.interface);
    return question.interface;
}

#endif
