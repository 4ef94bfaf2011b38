/*
 * scene.c - see scene.h.
 * What:   the client's steps follow from what it is told; whatever ends them (the whole echo, an
 *         end, an error, waiting) leads to the same close, in which everybody is cancelled and
 *         every completion must have fired once. A datagram that got lost is sent again.
 * Runs:   see scene.h.
 * Owns:   one scene at a time.
 */
#include "scene.h"

#include "dispatch/data.h"
#include "fake/fake_sys.h"
#include "fake/made_identity.h"
#include <Security/identity.h>
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HANG_SECONDS = 6,
    RESEND_MS = 50,
    RESENDS = 5,
    ASKED_MAX = 30,
    PEERS = 16,
    PORTION = 4096, /* octets of one receive */
};

struct scene_party {
    struct scene *scene;
    nw_connection_t connection; /* owned */
    nw_connection_state_t state;
    unsigned asked, answered; /* sends and receives */
    struct scene_told *told;
};

struct scene {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dispatch_queue_t queue;
    const struct scene_script *script;
    size_t octets; /* to be echoed */
    nw_listener_t listener;
    nw_listener_state_t listener_state;
    struct scene_party client;
    struct scene_party peers[PEERS];
    unsigned peer_count;
    size_t received;
    bool client_done; /* nothing more to wait for */
    struct scene_result result;
};

/* One send or receive; freed by the scene's close, so that a second call is seen. */
struct asked {
    struct scene_party *party;
    unsigned fired;
    struct asked *next;
};
static struct asked *all_asked; /* under the scene's lock; one scene at a time */

static void complain(struct scene *scene, const char *format, ...) {
    if (scene->result.complaint[0] != '\0')
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(scene->result.complaint, SCENE_TEXT, format, args);
    va_end(args);
}

static void enter(struct scene *scene) {
    pthread_mutex_lock(&scene->lock);
}
static void leave(struct scene *scene) {
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static struct asked *ask(struct scene_party *party) {
    struct asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL)
        abort();
    enter(party->scene);
    asked->party = party;
    asked->next = all_asked;
    all_asked = asked;
    party->asked++;
    leave(party->scene);
    return asked;
}

/* Inside the lock. */
static void answer(struct asked *asked, const char *what, nw_error_t error) {
    struct scene_party *party = asked->party;
    asked->fired++;
    party->answered++;
    if (asked->fired != 1)
        complain(party->scene, "a %s completed %u times", what, asked->fired);
    if (party->state == nw_connection_state_cancelled)
        complain(party->scene, "a %s completed after cancelled", what);
    if (error != NULL && nw_error_get_error_code(error) != ECANCELED)
        party->told->completion = nw_error_get_error_code(error);
}

/* What stands at a place of the stream, so that an octet lost, doubled or moved is seen. */
static unsigned char octet_at(size_t place) {
    return (unsigned char)(place * 31 + place / 251);
}

/* Inside the lock: the octets that came are those sent from `place` on. Allocates nothing of the
 * library's, which may be out of memory. */
static void compare(struct scene *scene, dispatch_data_t content, size_t place) {
    size_t size = dispatch_data_get_size(content);
    unsigned char *octets = malloc(size + 1);
    if (octets == NULL)
        abort();
    nwi_data_copy_out(content, 0, (char *)octets, size);
    for (size_t i = 0; i < size; i++)
        if (octets[i] != octet_at(place + i))
            complain(scene, "octet %zu is not what was sent", place + i);
    free(octets);
}

static void sent(void *context, nw_error_t error) {
    struct asked *asked = context;
    struct scene *scene = asked->party->scene;
    enter(scene);
    answer(asked, "send", error);
    if (asked->party == &scene->client && error != NULL && !scene->script->datagrams)
        scene->client_done = true;
    leave(scene);
}

static void send_to(struct scene_party *party, dispatch_data_t content, bool final) {
    nw_connection_send_f(party->connection, content,
                         final ? NW_CONNECTION_FINAL_MESSAGE_CONTEXT
                               : NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, ask(party), sent);
}

/* --- the server's side --- */

static void peer_receive(struct scene_party *peer);

static void peer_received(void *context, dispatch_data_t content, nw_content_context_t message,
                          bool complete, nw_error_t error) {
    struct asked *asked = context;
    struct scene_party *peer = asked->party;
    enter(peer->scene);
    answer(asked, "receive", error);
    leave(peer->scene);
    bool final = complete && message != NULL && nw_content_context_get_is_final(message);
    /* An error of one datagram is told to one receive; the next may go well. */
    bool lasting = error != NULL && (!peer->scene->script->datagrams || peer->asked > ASKED_MAX ||
                                     nw_error_get_error_code(error) == ECANCELED);
    bool end = final || lasting;
    if (content != NULL)
        send_to(peer, content, false);
    if (!end)
        peer_receive(peer);
    else if (error == NULL)
        send_to(peer, NULL, true);
}

static void peer_receive(struct scene_party *peer) {
    if (peer->scene->script->datagrams)
        nw_connection_receive_message_f(peer->connection, ask(peer), peer_received);
    else
        nw_connection_receive_f(peer->connection, 1, PORTION, ask(peer), peer_received);
}

static void party_state(void *context, nw_connection_state_t state, nw_error_t error) {
    struct scene_party *party = context;
    struct scene *scene = party->scene;
    enter(scene);
    nw_connection_state_t from = party->state;
    bool told = state == nw_connection_state_waiting || state == nw_connection_state_failed;
    if (from == nw_connection_state_cancelled)
        complain(scene, "state %d after cancelled", state);
    if (from == nw_connection_state_failed && state != nw_connection_state_cancelled)
        complain(scene, "state %d after failed", state);
    if (from == nw_connection_state_ready && state != nw_connection_state_failed &&
        state != nw_connection_state_cancelled)
        complain(scene, "state %d after ready", state);
    if (told != (error != NULL))
        complain(scene, "state %d with%s error", state, error != NULL ? "" : "out");
    party->state = state;
    if (told && error != NULL)
        *(state == nw_connection_state_waiting ? &party->told->waiting : &party->told->failed) =
            nw_error_get_error_code(error);
    if (party == &scene->client) {
        scene->result.client_ready |= state == nw_connection_state_ready;
        scene->client_done |= told;
    }
    leave(scene);
}

static void new_peer(void *context, nw_connection_t connection) {
    struct scene *scene = context;
    enter(scene);
    struct scene_party *peer = NULL;
    if (scene->peer_count < PEERS) {
        peer = &scene->peers[scene->peer_count++];
        *peer = (struct scene_party){
            .scene = scene, .connection = nw_retain(connection), .told = &scene->result.peer};
    } else {
        complain(scene, "more than %d peers", PEERS);
    }
    leave(scene);
    if (peer == NULL)
        return;
    nw_connection_set_queue(connection, scene->queue);
    nw_connection_set_state_changed_handler_f(connection, peer, party_state);
    nw_connection_start(connection);
    peer_receive(peer);
}

static void listener_state(void *context, nw_listener_state_t state, nw_error_t error) {
    struct scene *scene = context;
    enter(scene);
    bool told = state == nw_listener_state_waiting || state == nw_listener_state_failed;
    if (scene->listener_state == nw_listener_state_cancelled)
        complain(scene, "listener: state %d after cancelled", state);
    if (told != (error != NULL))
        complain(scene, "listener: state %d with%s error", state, error != NULL ? "" : "out");
    if (told && error != NULL)
        *(state == nw_listener_state_waiting ? &scene->result.listener.waiting
                                             : &scene->result.listener.failed) =
            nw_error_get_error_code(error);
    scene->listener_state = state;
    scene->result.listener_ready |= state == nw_listener_state_ready;
    leave(scene);
}

/* --- the client's side --- */

static void client_received(void *context, dispatch_data_t content, nw_content_context_t message,
                            bool complete, nw_error_t error);

static void client_receive(struct scene *scene, size_t received) {
    struct scene_party *client = &scene->client;
    size_t left = scene->octets > received ? scene->octets - received : 1;
    if (scene->script->datagrams)
        nw_connection_receive_message_f(client->connection, ask(client), client_received);
    else
        nw_connection_receive_f(client->connection, left < PORTION ? (uint32_t)left : PORTION,
                                PORTION, ask(client), client_received);
}

static void client_received(void *context, dispatch_data_t content, nw_content_context_t message,
                            bool complete, nw_error_t error) {
    struct asked *asked = context;
    struct scene_party *client = asked->party;
    struct scene *scene = client->scene;
    enter(scene);
    answer(asked, "receive", error);
    bool datagrams = scene->script->datagrams;
    bool end = complete && message != NULL && nw_content_context_get_is_final(message);
    if (content != NULL) {
        compare(scene, content, scene->received);
        scene->received += dispatch_data_get_size(content);
    }
    bool was_whole = scene->result.echoed, whole = scene->received >= scene->octets;
    if (scene->received > scene->octets)
        complain(scene, "%zu octets came back for %zu", scene->received, scene->octets);
    scene->result.echoed = whole;
    scene->result.ended = end && error == NULL;
    bool lasting = error != NULL && (!datagrams || client->asked > ASKED_MAX ||
                                     nw_error_get_error_code(error) == ECANCELED);
    if (lasting || end || (whole && datagrams))
        scene->client_done = true;
    bool again = !lasting && !end && !(whole && datagrams);
    size_t received = scene->received;
    leave(scene);
    if (again)
        client_receive(scene, received);
    if (again && whole && !was_whole)
        send_to(client, NULL, true);
}

static void greet(struct scene *scene) {
    unsigned char *octets = malloc(scene->octets);
    if (octets == NULL)
        abort();
    for (size_t i = 0; i < scene->octets; i++)
        octets[i] = octet_at(i);
    dispatch_data_t content = dispatch_data_create_f(octets, scene->octets, NULL, NULL, NULL);
    free(octets);
    if (content != NULL) {
        send_to(&scene->client, content, false);
        dispatch_release(content);
        return;
    }
    enter(scene);
    scene->client_done = true; /* memory ran out before the library was asked */
    leave(scene);
}

/* --- the scene --- */

static bool is_listening_or_not(const struct scene *scene) {
    return scene->listener_state != nw_listener_state_invalid;
}
static bool is_client_done(const struct scene *scene) {
    return scene->client_done;
}
static bool is_over(const struct scene *scene) {
    if (scene->listener != NULL && scene->listener_state != nw_listener_state_cancelled)
        return false;
    if (scene->client.connection != NULL && scene->client.state != nw_connection_state_cancelled)
        return false;
    for (unsigned i = 0; i < scene->peer_count; i++)
        if (scene->peers[i].state != nw_connection_state_cancelled)
            return false;
    return true;
}

static bool wait_ms(struct scene *scene, bool (*happened)(const struct scene *), long ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&scene->lock);
    int result = 0;
    while (!happened(scene) && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&scene->changed, &scene->lock, &until);
    bool yes = happened(scene);
    pthread_mutex_unlock(&scene->lock);
    return yes;
}

static bool must(struct scene *scene, bool (*happened)(const struct scene *), const char *what) {
    unsigned patience = scene->script->patience_s;
    bool yes = wait_ms(scene, happened, (patience != 0 ? patience : HANG_SECONDS) * 1000L);
    if (!yes) {
        enter(scene);
        complain(
            scene,
            "hang: %s (listener %d, client %d, asked %u, answered %u, peers %u: state %d, asked "
            "%u, answered %u)",
            what, scene->listener_state, scene->client.state, scene->client.asked,
            scene->client.answered, scene->peer_count, scene->peers[0].state, scene->peers[0].asked,
            scene->peers[0].answered);
        leave(scene);
    }
    return yes;
}

/* One that signs itself, and is its own authority; made once, when nothing fails yet. */
static struct {
    sec_identity_t identity;
    sec_certificate_t certificate;
} server;

void scene_make_certificate(void) {
    struct made_identity made;
    made_identity_create(&made, GNUTLS_PK_ECDSA, "scene", NULL, false);
    server.identity = sec_identity_create_with_bytes(
        made.pem.data, made.pem.size, made.key_pem.data, made.key_pem.size, NULL, NULL);
    server.certificate = sec_certificate_create_with_bytes(made.der.data, made.der.size);
    made_identity_free(&made);
    if (server.identity == NULL || server.certificate == NULL)
        abort();
}

static void secure_it(void *context, nw_protocol_options_t options) {
    const struct scene *scene = context;
    sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(options);
    if (scene->listener_state != nw_listener_state_invalid) {
        sec_protocol_options_add_accepted_certificate(sec, server.certificate);
        sec_protocol_options_set_system_anchors_enabled(sec, false);
    } else {
        sec_protocol_options_set_local_identity(sec, server.identity);
    }
    sec_release(sec);
}

/* The listener's as long as it has told no state, then the client's. */
static nw_parameters_t make_parameters(struct scene *scene) {
    nw_parameters_configure_protocol_f tls =
        scene->script->secure ? secure_it : NW_PARAMETERS_DISABLE_PROTOCOL_F;
    return scene->script->datagrams
               ? nw_parameters_create_secure_udp_f(scene, tls, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F)
               : nw_parameters_create_secure_tcp_f(scene, tls, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
}

static bool open_listener(struct scene *scene) {
    fake_sys_phase(FAKE_LISTENER);
    nw_parameters_t parameters = make_parameters(scene);
    scene->listener = parameters != NULL ? nw_listener_create_with_port("0", parameters) : NULL;
    nw_release(parameters);
    if (scene->listener == NULL)
        return false;
    nw_listener_set_queue(scene->listener, scene->queue);
    nw_listener_set_state_changed_handler_f(scene->listener, scene, listener_state);
    nw_listener_set_new_connection_handler_f(scene->listener, scene, new_peer);
    nw_listener_start(scene->listener);
    return must(scene, is_listening_or_not, "the listener's first state") &&
           scene->result.listener_ready;
}

static void converse(struct scene *scene) {
    char port[8];
    fake_sys_phase(FAKE_CLIENT);
    snprintf(port, sizeof port, "%u", nw_listener_get_port(scene->listener));
    nw_parameters_t parameters = make_parameters(scene);
    nw_endpoint_t endpoint = nw_endpoint_create_host(scene->script->host, port);
    struct scene_party *client = &scene->client;
    if (parameters != NULL && endpoint != NULL)
        client->connection = nw_connection_create(endpoint, parameters);
    nw_release(parameters);
    nw_release(endpoint);
    if (client->connection == NULL)
        return;
    nw_connection_set_queue(client->connection, scene->queue);
    nw_connection_set_state_changed_handler_f(client->connection, client, party_state);
    nw_connection_start(client->connection);
    client_receive(scene, 0);
    greet(scene);
    if (!scene->script->datagrams) {
        must(scene, is_client_done, "the client's echo or error");
        return;
    }
    /* A datagram may get lost, and with the last of them the echo. */
    for (int i = 0; i < RESENDS && !wait_ms(scene, is_client_done, RESEND_MS); i++)
        greet(scene);
    wait_ms(scene, is_client_done, RESEND_MS);
}

static void cancel_peers(void *context) {
    struct scene *scene = context;
    for (unsigned i = 0; i < scene->peer_count; i++)
        nw_connection_cancel(scene->peers[i].connection);
}

/* Cancels everybody and waits for the last callback. Peers that come while the listener is being
 * cancelled are cancelled, too: the listener's last state comes behind them. */
static bool end(struct scene *scene) {
    if (scene->client.connection != NULL)
        nw_connection_cancel(scene->client.connection);
    if (scene->listener != NULL)
        nw_listener_cancel(scene->listener);
    for (int round = 0; round < HANG_SECONDS * 20; round++) {
        dispatch_sync_f(scene->queue, scene, cancel_peers);
        if (wait_ms(scene, is_over, 50))
            return true;
    }
    enter(scene);
    complain(scene, "hang: the end (listener %d, client %d, peers %u)", scene->listener_state,
             scene->client.state, scene->peer_count);
    leave(scene);
    return false;
}

static void let_go(struct scene *scene) {
    for (struct asked *asked = all_asked, *next; asked != NULL; asked = next) {
        next = asked->next;
        if (asked->fired != 1)
            complain(scene, "a completion of %s fired %u times",
                     asked->party == &scene->client ? "the client" : "a peer", asked->fired);
        free(asked);
    }
    all_asked = NULL;
    nw_release(scene->listener);
    nw_release(scene->client.connection);
    for (unsigned i = 0; i < scene->peer_count; i++)
        nw_release(scene->peers[i].connection);
}

static void nothing(void *context) {
    (void)context;
}

struct scene_result scene_play(const struct scene_script *script) {
    struct scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL)
        abort();
    pthread_mutex_init(&scene->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&scene->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    scene->script = script;
    scene->octets = script->octets != 0 ? script->octets : SCENE_GREETING;
    scene->client.scene = scene;
    scene->client.told = &scene->result.client;
    scene->queue = dispatch_queue_create("scene", NULL);
    if (scene->queue != NULL) {
        if (open_listener(scene))
            converse(scene);
        if (!end(scene))
            return scene->result; /* what hangs may still call: nothing is freed, the test fails */
        dispatch_sync_f(scene->queue, scene, nothing); /* the last handlers have returned */
        let_go(scene);
        dispatch_release(scene->queue);
    }
    struct scene_result result = scene->result;
    pthread_cond_destroy(&scene->changed);
    pthread_mutex_destroy(&scene->lock);
    free(scene);
    return result;
}
