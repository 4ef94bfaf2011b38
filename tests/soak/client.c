/*
 * client.c - the asking side of the soak.
 * What:   slots, each with one connection after another. A third of them cycle: they connect and
 *         cancel, at a moment and in a way of chance. The others echo: pieces of any size, checked
 *         octet by octet, and after some of them an end of some kind, by us or by the server.
 * Runs:   everything of a slot on its queue, but for the cancels that race with it.
 * Owns:   a `client` for each connection, until `cancelled` was told.
 */
#include "soak.h"
#include <string.h>

enum { SLOTS_MAX = 1024, ECHOES_MEAN = 400, LONG_PIECE = 16384, DATAGRAM_MAX = 1200 };
#define PATIENCE UINT64_C(500000000) /* ns until a datagram counts as lost */

enum moment { AT_ONCE, PREPARING, READY, SENDING, RECEIVING, RACING, MOMENTS };
enum way { CANCEL, FORCE, FINAL, SERVER_CLOSES, SERVER_RESETS, WAYS };

struct slot;
struct client {
    struct slot *slot;
    nw_connection_t connection; /* ours until `released` */
    enum transport transport;
    enum moment moment; /* of a cycle */
    enum way way;
    unsigned left; /* echoes to do; 0 for a cycle */
    bool cycle, early_release, ending, released;
    uint64_t sent, received; /* octets of the stream; of datagrams the number of the last one */
    size_t awaited;          /* octets not yet back */
    uint64_t asked;          /* when; 0: nothing is awaited */
};

struct slot {
    dispatch_queue_t queue;
    struct client *client; /* NULL: nothing more to do */
    uint64_t random;       /* state of splitmix64 */
    bool cycles;
};

static struct slot slots[SLOTS_MAX];
static unsigned slot_count;
static uint64_t round_seed;
static _Atomic int64_t cycles_left, echoes_left;
static _Atomic unsigned active;

static uint64_t next_random(struct slot *slot) {
    uint64_t z = (slot->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static unsigned below(struct slot *slot, unsigned bound) {
    return (unsigned)(next_random(slot) % bound);
}

/* --- ends --- */

static void cancel(struct client *client) {
    if (client->ending)
        return;
    client->ending = true;
    if (client->way == FORCE)
        nw_connection_force_cancel(client->connection);
    else
        nw_connection_cancel(client->connection);
    if (client->early_release) { /* it holds itself until its end was told */
        client->released = true;
        nw_release(client->connection);
    }
}

static void begin_next(void *context);

static void ended(struct client *client) {
    struct slot *slot = client->slot;
    if (!client->released)
        nw_release(client->connection);
    if (client->cycle)
        atomic_fetch_add(&soak_counts.cycles, 1);
    slot->client = NULL;
    free(client);
    begin_next(slot);
}

static void on_any_completion(void *context, nw_error_t error) {
    (void)context, (void)error;
}

/* --- echoes --- */

static void ask(struct client *client);
static void await_echo(struct client *client);

static void on_order_sent(void *context, nw_error_t error) {
    if (error != NULL)
        cancel(context);
}

/* The last word of this connection: ours or the server's. */
static void close_by(struct client *client) {
    uint8_t order = client->way == SERVER_CLOSES ? ORDER_CLOSE : ORDER_RESET;
    if (client->way == CANCEL || client->way == FORCE || client->transport == OVER_UDP) {
        cancel(client);
        return;
    }
    dispatch_data_t content =
        client->way == FINAL ? NULL : dispatch_data_create_f(&order, 1, NULL, NULL, NULL);
    nw_connection_send_f(client->connection, content,
                         client->way == FINAL ? NW_CONNECTION_FINAL_MESSAGE_CONTEXT
                                              : NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, client, on_order_sent);
    if (content != NULL)
        dispatch_release(content);
    await_echo(client); /* of nothing: the end */
}

static void echoed(struct client *client) {
    atomic_fetch_add(&soak_counts.echoes, 1);
    client->asked = 0;
    if (--client->left > 0)
        ask(client);
    else
        close_by(client);
}

struct check {
    uint64_t at; /* in the stream */
    bool same;
};

static bool check_region(void *context, dispatch_data_t region, size_t offset, const void *octets,
                         size_t size) {
    struct check *check = context;
    (void)region, (void)offset;
    for (size_t done = 0; done < size && check->same;) {
        size_t piece = size - done < PIECE_MAX ? size - done : PIECE_MAX;
        check->same =
            memcmp((const uint8_t *)octets + done, soak_pattern + check->at % PERIOD, piece) == 0;
        check->at += piece;
        done += piece;
    }
    return check->same;
}

static bool is_next(struct client *client, dispatch_data_t content) {
    struct check check = {client->received, true};
    dispatch_data_apply_f(content, &check, check_region);
    client->received = check.at;
    return check.same;
}

/* A datagram begins with its number: an older one comes late, or again. */
static bool is_old_datagram(struct client *client, dispatch_data_t content) {
    const void *octets;
    size_t size;
    uint64_t number = 0;
    dispatch_data_t map = dispatch_data_create_map(content, &octets, &size);
    if (size >= sizeof number)
        memcpy(&number, octets, sizeof number);
    bool old = number < client->sent;
    if (number > client->sent || (!old && size != client->awaited))
        soak_unexpected("another datagram came back", (int)size);
    dispatch_release(map);
    return old;
}

static void on_datagram(struct client *client, dispatch_data_t content) {
    if (is_old_datagram(client, content))
        await_echo(client);
    else
        echoed(client);
}

static void on_stream(struct client *client, dispatch_data_t content) {
    size_t size = dispatch_data_get_size(content);
    if (size > client->awaited || !is_next(client, content)) {
        soak_unexpected("other octets came back", (int)size);
        cancel(client);
        return;
    }
    client->awaited -= size;
    if (client->awaited > 0)
        await_echo(client);
    else
        echoed(client);
}

/* In a cycle anything may come, even nothing. */
static void on_received(void *context, dispatch_data_t content, nw_content_context_t received,
                        bool complete, nw_error_t error) {
    struct client *client = context;
    (void)received;
    if (client->ending)
        return;
    if (client->cycle || content == NULL || (error != NULL && client->left == 0)) {
        if (client->left > 0 && !complete)
            soak_unexpected("an echo failed", nw_error_get_error_code(error));
        else if (client->left > 0)
            soak_unexpected("the stream ended early", (int)client->left);
        cancel(client);
    } else if (client->transport == OVER_UDP) {
        on_datagram(client, content);
    } else {
        on_stream(client, content);
    }
}

static void await_echo(struct client *client) {
    client->asked = soak_now();
    if (client->transport == OVER_UDP)
        nw_connection_receive_message_f(client->connection, client, on_received);
    else
        nw_connection_receive_f(client->connection, 1, PIECE_MAX, client, on_received);
}

static void on_sent(void *context, nw_error_t error) {
    struct client *client = context;
    if (error != NULL && !client->ending && !client->cycle)
        soak_unexpected("a send failed", nw_error_get_error_code(error));
}

static dispatch_data_t datagram_of(struct client *client) {
    uint8_t octets[DATAGRAM_MAX];
    memcpy(octets, soak_pattern, client->awaited);
    memcpy(octets, &client->sent, sizeof client->sent);
    octets[client->awaited - 1] = 0; /* no order */
    return dispatch_data_create_f(octets, client->awaited, NULL, NULL, NULL);
}

static void send_awaited(struct client *client) {
    dispatch_data_t content = client->transport == OVER_UDP
                                  ? datagram_of(client)
                                  : dispatch_data_create_f(soak_pattern + client->sent % PERIOD,
                                                           client->awaited, NULL, NULL, NULL);
    nw_connection_send_f(client->connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                         client, on_sent);
    dispatch_release(content);
}

static void ask(struct client *client) {
    struct slot *slot = client->slot;
    size_t most = below(slot, 16) == 0 ? LONG_PIECE : 512;
    if (client->transport == OVER_UDP) {
        client->sent++;
        client->awaited = sizeof client->sent + 1 + below(slot, DATAGRAM_MAX - 16);
        send_awaited(client);
    } else {
        client->awaited = 1 + below(slot, (unsigned)most);
        send_awaited(client);
        client->sent += client->awaited;
    }
    await_echo(client);
}

/* --- cycles --- */

static void cancel_racing(void *context) {
    struct client *client = context;
    nw_connection_cancel(client->connection);
}

static void count_moment(enum moment moment) {
    static _Atomic uint64_t *const counts[MOMENTS] = {
        [AT_ONCE] = &soak_counts.before_ready, [PREPARING] = &soak_counts.before_ready,
        [READY] = &soak_counts.ready,          [SENDING] = &soak_counts.sending,
        [RECEIVING] = &soak_counts.receiving,  [RACING] = &soak_counts.racing,
    };
    atomic_fetch_add(counts[moment], 1);
}

/* Ready, in the midst of a send that the server does not take, or of a receive. */
static void cycle_at_ready(struct client *client) {
    if (client->moment == SENDING) {
        size_t size = client->transport == OVER_UDP ? 1000 : sizeof soak_pattern;
        dispatch_data_t content = dispatch_data_create_f(soak_pattern, size, NULL, NULL, NULL);
        for (int i = 0; i < 4; i++)
            nw_connection_send_f(client->connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                                 true, NULL, on_any_completion);
        dispatch_release(content);
    } else if (client->moment == RECEIVING) {
        client->awaited = 100;
        send_awaited(client);
        await_echo(client); /* on_received cancels */
        return;
    }
    if (client->moment != RACING)
        cancel(client);
}

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    struct client *client = context;
    switch (state) {
    case nw_connection_state_preparing:
        if (client->cycle && client->moment == PREPARING)
            cancel(client);
        break;
    case nw_connection_state_ready:
        atomic_fetch_add(&soak_counts.connects, 1);
        if (client->cycle)
            cycle_at_ready(client);
        else if (!client->ending)
            ask(client);
        break;
    case nw_connection_state_cancelled:
        ended(client);
        break;
    default:
        /* A server told to reset may have done so; nothing else stops a connection here. */
        if (!client->cycle && (client->left > 0 || state == nw_connection_state_waiting))
            soak_unexpected("a connection was lost", nw_error_get_error_code(error));
        else if (client->cycle && state == nw_connection_state_waiting)
            soak_unexpected("could not connect", nw_error_get_error_code(error));
        if (!client->cycle || client->moment != RACING)
            cancel(client);
        break;
    }
}

/* --- slots --- */

static enum transport choose_transport(struct slot *slot) {
    unsigned chance = below(slot, 16);
    return chance < 11 ? OVER_TCP : chance < 14 ? OVER_UDP : OVER_PATH;
}

/* What the slot does next; false when all has been begun. */
static bool choose_work(struct slot *slot, struct client *client) {
    client->cycle = slot->cycles;
    client->transport = choose_transport(slot);
    client->way = (enum way)below(slot, slot->cycles ? FINAL : WAYS);
    client->early_release = below(slot, 2) == 0;
    if (slot->cycles) {
        client->moment = (enum moment)below(slot, MOMENTS);
        client->early_release = client->early_release && client->moment != RACING;
        return atomic_fetch_sub(&cycles_left, 1) > 0;
    }
    int64_t wanted = 1 + below(slot, 2 * ECHOES_MEAN);
    int64_t left = atomic_fetch_sub(&echoes_left, wanted);
    client->left = (unsigned)(left < wanted ? left : wanted);
    return left > 0;
}

static void start(struct client *client) {
    struct slot *slot = client->slot;
    nw_endpoint_t endpoint = server_endpoint(client->transport, below(slot, ADDRESSES));
    client->connection = nw_connection_create(endpoint, server_parameters(client->transport));
    nw_release(endpoint);
    nw_connection_set_queue(client->connection, slot->queue);
    nw_connection_set_state_changed_handler_f(client->connection, client, on_state);
    if (client->cycle)
        count_moment(client->moment);
    nw_connection_start(client->connection);
    if (client->cycle && client->moment == AT_ONCE)
        cancel(client);
    else if (client->cycle && client->moment == RACING)
        dispatch_async_f(dispatch_get_global_queue(0, 0), client, cancel_racing);
}

static void begin_next(void *context) {
    struct slot *slot = context;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        abort();
    client->slot = slot;
    if (!choose_work(slot, client)) {
        free(client);
        if (atomic_fetch_sub(&active, 1) == 1)
            soak_nothing_left();
        return;
    }
    slot->client = client;
    start(client);
}

/* On the queue, where client_look() may still have a task of the round before. */
static void begin_slot(void *context) {
    struct slot *slot = context;
    unsigned number = (unsigned)(slot - slots);
    slot->random = round_seed * SLOTS_MAX + number;
    slot->cycles = number % 3 == 0;
    begin_next(slot);
}

/* Lost: asked again. Its receive is still waiting. */
static void look(void *context) {
    struct client *client = ((struct slot *)context)->client;
    if (client == NULL || client->ending || client->transport != OVER_UDP || client->asked == 0 ||
        soak_now() - client->asked < PATIENCE)
        return;
    atomic_fetch_add(&soak_counts.lost, 1);
    client->asked = soak_now();
    send_awaited(client);
}

void client_look(void) {
    for (unsigned i = 0; i < slot_count; i++)
        dispatch_async_f(slots[i].queue, &slots[i], look);
}

unsigned client_count(void) {
    return atomic_load(&active);
}

void client_begin(unsigned count, uint64_t cycles, uint64_t echoes, uint64_t seed) {
    slot_count = count < SLOTS_MAX ? count : SLOTS_MAX; /* the same in each round, as the queues */
    atomic_store(&cycles_left, (int64_t)cycles);
    atomic_store(&echoes_left, (int64_t)echoes);
    atomic_store(&active, slot_count);
    round_seed = seed;
    for (unsigned i = 0; i < slot_count; i++) {
        slots[i].queue = soak_queues[i % QUEUES];
        dispatch_async_f(slots[i].queue, &slots[i], begin_slot);
    }
}

static void report(void *context) {
    static const char *const transports[] = {"tcp", "udp", "path"};
    struct slot *slot = context;
    struct client *client = slot->client;
    if (client == NULL)
        return;
    char *description = nw_connection_copy_description(client->connection);
    fprintf(stderr, "slot %zu: %s, %s, moment %d, way %d, %u left, %zu awaited%s: %s\n",
            (size_t)(slot - slots), client->cycle ? "cycle" : "echo", transports[client->transport],
            client->moment, client->way, client->left, client->awaited,
            client->ending ? ", ending" : "", description);
    free(description);
}

void client_report(void) {
    for (unsigned i = 0; i < slot_count; i++)
        dispatch_sync_f(slots[i].queue, &slots[i], report);
}
