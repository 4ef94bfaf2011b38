/*
 * support.c - recorder and listener of the connection tests.
 * Runs:   see support.h.
 */
#include "support.h"
#include <stdio.h>
#include <sys/un.h>
#include <time.h>

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void init_monotonic(pthread_mutex_t *lock, pthread_cond_t *changed) {
    pthread_condattr_t attributes;
    pthread_mutex_init(lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct timespec deadline(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += WAIT_SECONDS;
    return at;
}

/* --- the recorder --- */

static void enter_handler(struct recorder *recorder) {
    pthread_mutex_lock(&recorder->lock);
    if (recorder->inside++ > 0)
        recorder->overlaps++;
    pthread_mutex_unlock(&recorder->lock);
}

static void add(struct recorder *recorder, struct event event) {
    event.at = now_ns();
    if (recorder->on_event != NULL)
        recorder->on_event(recorder, &event);
    pthread_mutex_lock(&recorder->lock);
    recorder->inside--;
    if (recorder->count == recorder->room) {
        recorder->room = recorder->room * 2 + 8;
        recorder->events =
            realloc(recorder->events, (size_t)recorder->room * sizeof recorder->events[0]);
    }
    event.index = recorder->count;
    struct event *kept = malloc(sizeof *kept);
    if (recorder->events == NULL || kept == NULL)
        abort(); /* a test without memory tests nothing */
    *kept = event;
    recorder->events[recorder->count++] = kept;
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->lock);
}

static void note_error(struct event *event, nw_error_t error) {
    event->domain = nw_error_get_error_domain(error);
    event->code = nw_error_get_error_code(error);
}

static void state_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    struct recorder *recorder = context;
    struct event event = {.kind = EVENT_STATE, .state = state, .tag = -1};
    enter_handler(recorder);
    note_error(&event, error);
    add(recorder, event);
}

struct request { /* of one send or receive */
    struct recorder *recorder;
    int tag;
};

static struct request *request(struct recorder *recorder) {
    struct request *request = malloc(sizeof *request);
    assert_non_null(request);
    request->recorder = recorder;
    pthread_mutex_lock(&recorder->lock);
    request->tag = recorder->tags++;
    pthread_mutex_unlock(&recorder->lock);
    return request;
}

static void received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error) {
    struct request *request = context;
    struct event event = {.kind = EVENT_RECEIVE,
                          .tag = request->tag,
                          .complete = complete,
                          .has_content = content != NULL,
                          .has_context = content_context != NULL,
                          .final = nw_content_context_get_is_final(content_context)};
    enter_handler(request->recorder);
    note_error(&event, error);
    if (content != NULL) {
        const void *bytes;
        dispatch_data_t map;
        do /* a test that lets an allocation fail may meet this one */
            map = dispatch_data_create_map(content, &bytes, &event.size);
        while (map == NULL);
        event.bytes = malloc(event.size + 1);
        if (event.bytes != NULL) {
            memcpy(event.bytes, bytes, event.size);
            event.bytes[event.size] = '\0';
        }
        dispatch_release(map);
    }
    add(request->recorder, event);
    free(request);
}

static void sent(void *context, nw_error_t error) {
    struct request *request = context;
    struct event event = {.kind = EVENT_SEND, .tag = request->tag};
    enter_handler(request->recorder);
    note_error(&event, error);
    add(request->recorder, event);
    free(request);
}

struct recorder *record_on(nw_connection_t connection, dispatch_queue_t queue) {
    assert_non_null(connection);
    struct recorder *recorder = calloc(1, sizeof *recorder);
    assert_non_null(recorder);
    init_monotonic(&recorder->lock, &recorder->changed);
    recorder->connection = connection;
    recorder->queue = queue;
    dispatch_retain(queue);
    nw_connection_set_queue(connection, queue);
    nw_connection_set_state_changed_handler_f(connection, recorder, state_changed);
    return recorder;
}

struct recorder *record(nw_connection_t connection) {
    dispatch_queue_t queue = dispatch_queue_create("recorder", NULL);
    struct recorder *recorder = record_on(connection, queue);
    dispatch_release(queue);
    return recorder;
}

static void nothing(void *context) {
    (void)context;
}

void settle(struct recorder *recorder) {
    dispatch_barrier_sync_f(recorder->queue, NULL, nothing);
}

void discard(struct recorder *recorder) {
    settle(recorder); /* the handler that woke us has returned */
    nw_release(recorder->connection);
    for (int i = 0; i < recorder->count; i++) {
        free(recorder->events[i]->bytes);
        free(recorder->events[i]);
    }
    free(recorder->events);
    dispatch_release(recorder->queue);
    pthread_mutex_destroy(&recorder->lock);
    pthread_cond_destroy(&recorder->changed);
    free(recorder);
}

void finish(struct recorder *recorder) {
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    discard(recorder);
}

nw_parameters_t tcp_parameters(void) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    assert_non_null(parameters);
    return parameters;
}

nw_parameters_t udp_parameters(void) {
    nw_parameters_t parameters = nw_parameters_create_secure_udp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    assert_non_null(parameters);
    return parameters;
}

nw_endpoint_t endpoint_at_path(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    nw_endpoint_t endpoint = nw_endpoint_create_address((const struct sockaddr *)&address);
    assert_non_null(endpoint);
    return endpoint;
}

struct recorder *record_to(const char *host, const char *port, bool udp) {
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port);
    nw_parameters_t parameters = udp ? udp_parameters() : tcp_parameters();
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_start(recorder->connection);
    return recorder;
}

struct recorder *record_to_port(uint16_t port, bool udp) {
    char text[8];
    return record_to("127.0.0.1", port_text(port, text), udp);
}

struct recorder *record_pair(int family, int *ret_fd) {
    uint16_t port;
    char text[8];
    int listening = peer_listen(family, &port);
    struct recorder *recorder =
        record_to(family == AF_INET ? "127.0.0.1" : "::1", port_text(port, text), false);
    *ret_fd = peer_accept(listening);
    close(listening);
    await_state(recorder, nw_connection_state_ready);
    return recorder;
}

/* Waits under the lock for an event that `fits`; NULL when the deadline passed. */
static const struct event *
await_event(struct recorder *recorder,
            bool (*fits)(const struct event *event, int index, int wanted), int wanted) {
    struct timespec until = deadline();
    const struct event *found = NULL;
    int looked_at = 0, err = 0;
    pthread_mutex_lock(&recorder->lock);
    for (;;) {
        for (; looked_at < recorder->count && found == NULL; looked_at++)
            if (fits(recorder->events[looked_at], looked_at, wanted))
                found = recorder->events[looked_at];
        if (found != NULL || err != 0)
            break;
        err = pthread_cond_timedwait(&recorder->changed, &recorder->lock, &until);
    }
    pthread_mutex_unlock(&recorder->lock);
    return found;
}

static bool fits_state(const struct event *event, int index, int wanted) {
    (void)index;
    return event->kind == EVENT_STATE && (int)event->state == wanted;
}
static bool fits_tag(const struct event *event, int index, int wanted) {
    (void)index;
    return event->kind != EVENT_STATE && event->tag == wanted;
}
static bool fits_count(const struct event *event, int index, int wanted) {
    (void)event;
    return index + 1 >= wanted;
}

const struct event *await_state(struct recorder *recorder, nw_connection_state_t state) {
    const struct event *event = await_event(recorder, fits_state, (int)state);
    if (event == NULL)
        fail_msg("state %d did not come", (int)state);
    return event;
}
const struct event *await_tag(struct recorder *recorder, int tag) {
    const struct event *event = await_event(recorder, fits_tag, tag);
    if (event == NULL)
        fail_msg("completion %d did not come", tag);
    return event;
}
const struct event *await_count(struct recorder *recorder, int count) {
    const struct event *event = await_event(recorder, fits_count, count);
    if (event == NULL)
        fail_msg("event %d did not come", count);
    return event;
}

int event_count(struct recorder *recorder) {
    pthread_mutex_lock(&recorder->lock);
    int count = recorder->count;
    pthread_mutex_unlock(&recorder->lock);
    return count;
}

const struct event *event_at(struct recorder *recorder, int index) {
    pthread_mutex_lock(&recorder->lock);
    const struct event *event =
        index >= 0 && index < recorder->count ? recorder->events[index] : NULL;
    pthread_mutex_unlock(&recorder->lock);
    if (event == NULL)
        fail_msg("there is no event %d", index);
    return event;
}

int count_states(struct recorder *recorder, nw_connection_state_t state) {
    int count = 0;
    pthread_mutex_lock(&recorder->lock);
    for (int i = 0; i < recorder->count; i++)
        count += fits_state(recorder->events[i], i, (int)state);
    pthread_mutex_unlock(&recorder->lock);
    return count;
}

void assert_error(const struct event *event, nw_error_domain_t domain, int code) {
    assert_int_equal(event->domain, domain);
    assert_int_equal(event->code, code);
}

void assert_no_error(const struct event *event) {
    assert_error(event, nw_error_domain_invalid, 0);
}

int record_receive(struct recorder *recorder, uint32_t min, uint32_t max) {
    struct request *asked = request(recorder);
    int tag = asked->tag;
    nw_connection_receive_f(recorder->connection, min, max, asked, received);
    return tag;
}

int record_receive_message(struct recorder *recorder) {
    struct request *asked = request(recorder);
    int tag = asked->tag;
    nw_connection_receive_message_f(recorder->connection, asked, received);
    return tag;
}

int record_send(struct recorder *recorder, const void *bytes, size_t size,
                nw_content_context_t context, bool complete) {
    struct request *asked = request(recorder);
    int tag = asked->tag;
    dispatch_data_t content =
        bytes != NULL
            ? dispatch_data_create_f(bytes, size, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT)
            : NULL;
    nw_connection_send_f(recorder->connection, content, context, complete, asked, sent);
    if (content != NULL)
        dispatch_release(content);
    return tag;
}

int record_send_text(struct recorder *recorder, const char *text) {
    return record_send(recorder, text, strlen(text), NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
}

const struct event *receive_now(struct recorder *recorder, uint32_t min, uint32_t max) {
    return await_tag(recorder, record_receive(recorder, min, max));
}

void fill_pattern(char *bytes, size_t size, size_t offset) {
    for (size_t i = 0; i < size; i++) /* 251 is prime: no piece looks like its neighbour */
        bytes[i] = (char)((offset + i) % 251);
}

size_t receive_pattern(struct recorder *recorder, uint32_t max, const struct event **ret_last) {
    size_t total = 0;
    for (;;) {
        const struct event *event = receive_now(recorder, 1, max);
        assert_true(event->size <= max);
        for (size_t i = 0; i < event->size; i++)
            if (event->bytes[i] != (char)((total + i) % 251))
                fail_msg("octet %zu is not the one that was sent", total + i);
        total += event->size;
        if (event->complete || event->domain != nw_error_domain_invalid) {
            *ret_last = event;
            return total;
        }
    }
}

/* --- the listener --- */

enum { HEARD_MAX = 16384 };

static void listener_state_changed(void *context, nw_listener_state_t state, nw_error_t error) {
    struct hearing *hearing = context;
    pthread_mutex_lock(&hearing->lock);
    hearing->states[state]++;
    if (error != NULL)
        hearing->code = nw_error_get_error_code(error);
    pthread_cond_broadcast(&hearing->changed);
    pthread_mutex_unlock(&hearing->lock);
}

static void heard(void *context, nw_connection_t connection) {
    struct hearing *hearing = context;
    struct recorder *recorder = NULL;
    if (hearing->keep) {
        recorder = record(nw_retain(connection));
        nw_connection_start(connection);
    }
    pthread_mutex_lock(&hearing->lock);
    if (hearing->arrived < HEARD_MAX)
        hearing->heard[hearing->arrived++] = recorder;
    pthread_cond_broadcast(&hearing->changed);
    pthread_mutex_unlock(&hearing->lock);
}

struct hearing *hear(nw_listener_t listener) {
    assert_non_null(listener);
    struct hearing *hearing = calloc(1, sizeof *hearing);
    assert_non_null(hearing);
    hearing->heard = calloc(HEARD_MAX, sizeof hearing->heard[0]);
    assert_non_null(hearing->heard);
    init_monotonic(&hearing->lock, &hearing->changed);
    hearing->listener = listener;
    hearing->queue = dispatch_queue_create("listener", NULL);
    nw_listener_set_queue(listener, hearing->queue);
    nw_listener_set_state_changed_handler_f(listener, hearing, listener_state_changed);
    nw_listener_set_new_connection_handler_f(listener, hearing, heard);
    return hearing;
}

void hearing_start(struct hearing *hearing) {
    nw_listener_start(hearing->listener);
}

struct hearing *hear_on_any_port(bool udp, bool keep) {
    nw_parameters_t parameters = udp ? udp_parameters() : tcp_parameters();
    struct hearing *hearing = hear(nw_listener_create_with_port("0", parameters));
    nw_release(parameters);
    hearing->keep = keep;
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    return hearing;
}

void hearing_await_state(struct hearing *hearing, nw_listener_state_t state) {
    struct timespec until = deadline();
    int err = 0;
    pthread_mutex_lock(&hearing->lock);
    while (hearing->states[state] == 0 && err == 0)
        err = pthread_cond_timedwait(&hearing->changed, &hearing->lock, &until);
    pthread_mutex_unlock(&hearing->lock);
    if (err != 0)
        fail_msg("the listener did not reach state %d", (int)state);
}

void hearing_await_arrivals(struct hearing *hearing, int count) {
    struct timespec until = deadline();
    int err = 0;
    pthread_mutex_lock(&hearing->lock);
    while (hearing->arrived < count && err == 0)
        err = pthread_cond_timedwait(&hearing->changed, &hearing->lock, &until);
    int arrived = hearing->arrived;
    pthread_mutex_unlock(&hearing->lock);
    if (err != 0)
        fail_msg("%d of %d connections arrived", arrived, count);
}

struct recorder *hearing_await(struct hearing *hearing, int index) {
    hearing_await_arrivals(hearing, index + 1);
    return hearing->heard[index];
}

uint16_t hearing_port(struct hearing *hearing) {
    return nw_listener_get_port(hearing->listener);
}

void hearing_finish(struct hearing *hearing) {
    nw_listener_cancel(hearing->listener);
    hearing_await_state(hearing, nw_listener_state_cancelled);
    dispatch_sync_f(hearing->queue, NULL, nothing);
    for (int i = 0; i < hearing->arrived; i++)
        if (hearing->heard[i] != NULL)
            finish(hearing->heard[i]);
    nw_release(hearing->listener);
    dispatch_release(hearing->queue);
    pthread_mutex_destroy(&hearing->lock);
    pthread_cond_destroy(&hearing->changed);
    free(hearing->heard);
    free(hearing);
}
