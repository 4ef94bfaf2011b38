/*
 * test_syscalls.c - what a round trip, and a batch of datagrams, cost in system calls.
 * What:   a client asks for each answer by its exact length, as protocols with a length field do;
 *         the calls it makes are counted.
 */
#include "fake/await.h"
#include "fake/fake_sys.h"
#include <Network/Network.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>

enum { ROUNDS = 200, SIZE = 64, START = 8 /* calls that setting up may cost */ };

struct client {
    nw_connection_t connection;
    dispatch_data_t message;
    int rounds;
    sem_t finished, cancelled;
};

/* Gives back what comes, with the plain system calls, until the other side closes. */
static void *echo(void *listening) {
    char bytes[4096];
    ssize_t got;
    int fd = accept(*(int *)listening, NULL, NULL);
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0)
        if (send(fd, bytes, (size_t)got, MSG_NOSIGNAL) != got)
            break;
    close(fd);
    return NULL;
}

static void ask(struct client *client);

static void answered(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error) {
    struct client *client = context;
    (void)content_context;
    bool good =
        content != NULL && dispatch_data_get_size(content) == SIZE && !complete && error == NULL;
    if (!good || ++client->rounds == ROUNDS)
        sem_post(&client->finished);
    else
        ask(client);
}

static void sent(void *context, nw_error_t error) {
    (void)context;
    (void)error;
}

static void ask(struct client *client) {
    nw_connection_send_f(client->connection, client->message, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, client, sent);
    nw_connection_receive_f(client->connection, SIZE, SIZE, client, answered);
}

static void changed(void *context, nw_connection_state_t state, nw_error_t error) {
    struct client *client = context;
    (void)error;
    if (state == nw_connection_state_ready)
        ask(client);
    else if (state == nw_connection_state_cancelled)
        sem_post(&client->cancelled);
}

static void one_send_and_one_receive_a_round(void **state) {
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char port[8], zeros[SIZE] = {0};
    pthread_t thread;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&thread, NULL, echo, &listening), 0);

    fake_sys_install();
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port);
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    struct client client = {
        .connection = nw_connection_create(endpoint, parameters),
        .message = dispatch_data_create_f(zeros, SIZE, NULL, NULL, NULL),
    };
    event_init(&client.finished);
    event_init(&client.cancelled);
    dispatch_queue_t queue = dispatch_queue_create("client", DISPATCH_QUEUE_SERIAL);
    nw_connection_set_queue(client.connection, queue);
    nw_connection_set_state_changed_handler_f(client.connection, &client, changed);
    nw_connection_start(client.connection);
    await(&client.finished);
    assert_int_equal(client.rounds, ROUNDS);
    assert_in_range(fake_sys_calls(FAKE_SENDMSG), ROUNDS, ROUNDS + START);
    assert_in_range(fake_sys_calls(FAKE_RECVMSG), ROUNDS, ROUNDS + START);

    nw_connection_cancel(client.connection);
    await(&client.cancelled);
    pthread_join(thread, NULL);
    nw_release(client.connection);
    nw_release(endpoint);
    nw_release(parameters);
    dispatch_release(client.message);
    dispatch_release(queue);
    close(listening);
    fake_sys_remove();
}

/* --- datagrams --- */

enum { DATAGRAMS = 32, BATCH = 16 /* datagrams that one call moves */ };

static void send_all(void *connection) {
    for (unsigned char i = 0; i < DATAGRAMS; i++) {
        dispatch_data_t content = dispatch_data_create_f(&i, 1, NULL, NULL, NULL);
        nw_connection_send_f(connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL,
                             sent);
        dispatch_release(content);
    }
}

static void report(void *context, nw_connection_state_t state, nw_error_t error) {
    struct client *client = context;
    (void)error;
    if (state == nw_connection_state_ready)
        sem_post(&client->finished);
    else if (state == nw_connection_state_cancelled)
        sem_post(&client->cancelled);
}

static void datagrams_sent_together_share_calls(void **state) {
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = AWAIT_SECONDS};
    socklen_t length = sizeof address;
    char port[8];
    unsigned char got;
    int peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(peer, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(peer, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));

    fake_sys_install();
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port);
    nw_parameters_t parameters = nw_parameters_create_secure_udp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    struct client client = {.connection = nw_connection_create(endpoint, parameters)};
    event_init(&client.finished);
    event_init(&client.cancelled);
    dispatch_queue_t queue = dispatch_queue_create("client", DISPATCH_QUEUE_SERIAL);
    nw_connection_set_queue(client.connection, queue);
    nw_connection_set_state_changed_handler_f(client.connection, &client, report);
    nw_connection_start(client.connection);
    await(&client.finished);
    nw_connection_batch_f(client.connection, client.connection, send_all);
    for (int i = 0; i < DATAGRAMS; i++) {
        assert_int_equal(recv(peer, &got, 1, 0), 1);
        assert_int_equal(got, i);
    }
    assert_int_equal(fake_sys_calls(FAKE_SENDMMSG), DATAGRAMS / BATCH);
    assert_int_equal(fake_sys_calls(FAKE_SENDMSG), 0);

    nw_connection_cancel(client.connection);
    await(&client.cancelled);
    nw_release(client.connection);
    nw_release(endpoint);
    nw_release(parameters);
    dispatch_release(queue);
    close(peer);
    fake_sys_remove();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_send_and_one_receive_a_round),
        cmocka_unit_test(datagrams_sent_together_share_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
