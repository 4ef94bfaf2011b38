/*
 * air.c - see air.h.
 */
#include "air.h"
#include "model/content_context.h"
#include "sys/address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DELAY = 20, LATE = 45 }; /* milliseconds */

struct air_layer {
    struct nwi_layer base;
    struct end *end;
};

/* --- chance --- */

static unsigned chance(const struct air *air, unsigned kind) { /* 0 .. 99 */
    uint64_t z = air->seed * UINT64_C(0x9e3779b97f4a7c15) + air->sent * 8 + kind;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) % 100);
}

/* --- the way --- */

static void put(struct air *air, bool to_server, const unsigned char *octets, size_t size,
                unsigned delay) {
    assert_true(air->count < AIR_ROOM);
    struct flying *flying = &air->flying[air->count++];
    *flying = (struct flying){nwi_now() + delay * NWI_MS, malloc(size + 1), size, to_server};
    memcpy(flying->octets, octets, size);
}

void air_inject(struct air *air, bool to_server, const void *octets, size_t size) {
    put(air, to_server, octets, size, 1);
}

static void carry(struct air *air, bool to_server, unsigned char *octets, size_t size) {
    bool lost = air->cut || chance(air, 0) < air->loss || (air->mtu != 0 && size > air->mtu);
    if (chance(air, 5) < air->damaged)
        octets[(chance(air, 6) * 100 + chance(air, 7)) % size] ^=
            (unsigned char)(1 + chance(air, 5));
    air->sent++;
    air->sent_by_client += to_server;
    air->largest = size > air->largest ? (unsigned)size : air->largest;
    if (!to_server && air->lose_from_server > 0) {
        air->lose_from_server--;
        lost = true;
    }
    for (int copies = chance(air, 1) < air->twice ? 2 : 1; !lost && copies > 0; copies--)
        put(air, to_server, octets, size,
            chance(air, 2 + (unsigned)copies) < air->late ? LATE : DELAY);
}

/* --- the layer below --- */

static nwi_err below_connect(struct nwi_layer *layer) {
    nwi_layer_connected(layer);
    return 0;
}

static void below_output(struct nwi_layer *layer, struct nwi_send *send) {
    struct end *end = ((struct air_layer *)layer)->end;
    struct air *air = end->air;
    unsigned char octets[AIR_DATAGRAM];
    assert_true(send->complete); /* whole datagrams */
    assert_non_null(send->content);
    assert_non_null(send->context);
    size_t size = nwi_data_copy_out(send->content, 0, octets, sizeof octets);
    assert_int_equal(size, dispatch_data_get_size(send->content));
    nwi_err err = end == &air->client ? air->send_error : 0;
    if (air->refused_above != 0 && size > air->refused_above)
        err = nwi_posix(EMSGSIZE);
    if (err == 0)
        carry(air, end == &air->client, octets, size);
    send->done(send, err);
}

/* One message for each grant. */
static void deliver(struct end *end) {
    while (end->count > 0 && end->window > 0 && end->layer != NULL && !end->failed) {
        struct flying flying = end->inbox[end->first++ % AIR_ROOM];
        struct nwi_input input = {.complete = true};
        end->count--;
        end->window = 0;
        input.content = flying.size > 0 ? nwi_data_create_copy(flying.octets, flying.size) : NULL;
        input.context = nwi_content_context_create_received(false);
        free(flying.octets);
        assert_int_equal(nwi_layer_deliver(end->layer, &input), 0);
    }
}

static void below_window(struct nwi_layer *layer, size_t octets) {
    ((struct air_layer *)layer)->end->window = octets;
}

static void below_facts(struct nwi_layer *layer, struct nwi_layer_facts *facts) {
    facts->maximum_datagram = (uint32_t)((struct air_layer *)layer)->end->air->maximum;
}

static void below_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    (void)how, (void)why;
    ((struct air_layer *)layer)->end->layer = NULL;
}

static const struct nwi_layer_ops below_ops = {
    .name = "air",
    .size = sizeof(struct air_layer),
    .connect = below_connect,
    .output = below_output,
    .window = below_window,
    .facts = below_facts,
    .disconnect = below_disconnect,
};

/* --- the owner --- */

static void on_connected(void *owner) {
    struct end *end = owner;
    end->connected++;
    if (end->reads)
        nwi_chain_window(end->chain, 1);
}
static void on_failed(void *owner, nwi_err err) {
    struct end *end = owner;
    end->failed++;
    end->error = err;
}
static void on_soft_error(void *owner, nwi_err err) {
    struct end *end = owner;
    end->soft_errors++;
    end->error = err;
    if (end->reads)
        nwi_chain_window(end->chain, 1);
}
static bool on_asking(void *owner, bool begins) {
    ((struct end *)owner)->asking += begins ? 1 : -1;
    return true;
}
static nwi_err on_input(void *owner, struct nwi_input *input) {
    struct end *end = owner;
    size_t size = input->content != NULL ? dispatch_data_get_size(input->content) : 0;
    assert_true(input->complete);
    assert_false(end->ended);
    if (input->final) {
        end->ended = true;
    } else {
        assert_true(end->messages < AIR_MESSAGES);
        end->sizes[end->messages++] = size;
        nwi_data_copy_out(input->content, 0, &end->last_number, sizeof end->last_number);
    }
    end->context_missing |= input->context == NULL;
    nwi_input_drop(input);
    if (end->reads)
        nwi_chain_window(end->chain, 1);
    return 0;
}
static const struct nwi_chain_events events = {
    .connected = on_connected,
    .failed = on_failed,
    .soft_error = on_soft_error,
    .asking = on_asking,
    .input = on_input,
};

/* --- both --- */

void air_init(struct air *air, uint64_t seed) {
    memset(air, 0, sizeof *air);
    pair_init(&air->pair);
    air->seed = seed;
    air->maximum = 1472;
    air->client.air = air->server.air = air;
    air->client.reads = air->server.reads = true;
}

static void make(struct end *end, struct side *side) {
    end->chain = nwi_chain_create(NULL, NULL, NULL);
    assert_non_null(end->chain);
    end->layer = nwi_layer_create(&below_ops);
    assert_non_null(end->layer);
    ((struct air_layer *)end->layer)->end = end;
    nwi_chain_push(end->chain, end->layer);
    struct nwi_tls_request request = {.options = side->options,
                                      .host = side->host,
                                      .is_server = side->is_server,
                                      .is_datagram = true};
    struct nwi_layer *tls = nwi_tls_create(&request, &side->create_error);
    if (tls != NULL)
        nwi_chain_push(end->chain, tls);
    assert_int_equal(side->create_error, 0);
    nwi_chain_set_owner(end->chain, &events, end);
}

void air_start(struct air *air) {
    make(&air->client, &air->pair.client);
    make(&air->server, &air->pair.server);
    assert_int_equal(nwi_chain_connect(air->client.chain), 0);
    assert_int_equal(nwi_chain_connect(air->server.chain), 0);
}

/* Whether the listener's door lets it through; its answer goes back. */
static bool is_admitted(struct air *air, const struct flying *flying) {
    struct sockaddr_storage peer;
    unsigned char answer[64];
    size_t length = sizeof answer;
    nwi_address_loopback(AF_INET, 4433, &peer);
    if (air->cookies == NULL || air->admitted)
        return true;
    air->admitted = nwi_dtls_cookies_check(air->cookies, nwi_now(), (struct sockaddr *)&peer,
                                           flying->octets, flying->size, answer, &length);
    if (length > 0)
        carry(air, false, answer, length);
    return air->admitted;
}

static void arrive(struct air *air, size_t place) {
    struct flying flying = air->flying[place];
    memmove(&air->flying[place], &air->flying[place + 1],
            (--air->count - place) * sizeof air->flying[0]);
    struct end *end = flying.to_server ? &air->server : &air->client;
    if (end->layer == NULL || end->count == AIR_ROOM ||
        (flying.to_server && !is_admitted(air, &flying))) {
        free(flying.octets);
        return;
    }
    end->inbox[(end->first + end->count++) % AIR_ROOM] = flying;
}

/* The next that arrives; air->count: none. */
static size_t next_arrival(const struct air *air) {
    size_t first = 0;
    for (size_t i = 1; i < air->count; i++)
        if (air->flying[i].at < air->flying[first].at)
            first = i;
    return first;
}

/* What comes next, at most at `until`. False: nothing. */
static bool step(struct air *air, nwi_ns until) {
    size_t next = next_arrival(air);
    nwi_ns arrival = next < air->count ? air->flying[next].at : NWI_NEVER;
    nwi_ns when = fake_time_next() < arrival ? fake_time_next() : arrival;
    if (when > until)
        return false;
    fake_time_pass(when);
    if (next < air->count && air->flying[next].at <= when)
        arrive(air, next);
    deliver(&air->server);
    deliver(&air->client);
    return true;
}

void air_pass(struct air *air, nwi_ns time) {
    nwi_ns until = nwi_now() + time;
    deliver(&air->server);
    deliver(&air->client);
    while (step(air, until)) {
    }
    fake_time_pass(until);
}

nwi_ns air_shake(struct air *air, nwi_ns patience) {
    nwi_ns start = nwi_now();
    air_start(air);
    while (!(air->client.connected && air->server.connected) && !air->client.failed &&
           !air->server.failed && step(air, start + patience)) {
    }
    return nwi_now() - start;
}

static void end_end(struct end *end) {
    if (end->chain != NULL)
        nwi_chain_stop(end->chain, NWI_DISCONNECT_ABORT, NWI_ERR_CANCELED);
    end->chain = nwi_release(end->chain);
    while (end->count > 0) {
        free(end->inbox[end->first++ % AIR_ROOM].octets);
        end->count--;
    }
}

void air_end(struct air *air) {
    end_end(&air->client);
    end_end(&air->server);
    while (air->count > 0)
        free(air->flying[--air->count].octets);
    air->cookies = nwi_dtls_cookies_free(air->cookies);
    assert_int_equal(fake_time_next(), NWI_NEVER);
    pair_end(&air->pair);
}

/* --- sending --- */

struct sending {
    struct nwi_send send;
    struct sent *sent;
};

static void send_done(struct nwi_send *send, nwi_err err) {
    struct sending *sending = (struct sending *)send;
    if (sending->sent != NULL) {
        sending->sent->done++;
        sending->sent->error = err;
    }
    if (send->content != NULL)
        dispatch_release(send->content);
    free(sending);
}

void end_send(struct end *end, const void *octets, size_t size, bool final, struct sent *sent) {
    struct sending *sending = calloc(1, sizeof *sending);
    assert_non_null(sending);
    if (octets != NULL)
        sending->send.content = nwi_data_create_copy(octets, size);
    sending->send.context = &nwi_default_message_context;
    sending->send.final = final;
    sending->send.complete = true;
    sending->send.done = send_done;
    sending->sent = sent;
    nwi_chain_send(end->chain, &sending->send);
}
