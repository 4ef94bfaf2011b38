/*
 * test_blocks.c - every call of <Network/connection.h> and <Network/listener.h> that takes a block,
 * used once.
 * Runs:   loopback only; one listener and its clients over TCP. Built by clang, whatever builds the library.
 */
#include <Network/Network.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h> /* after the headers that it needs */

static void await(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    if (sem_timedwait(semaphore, &until) != 0)
        fail_msg("it did not come");
}

/* Blocks copy plain variables: what they change lives here, by reference. */
struct exchange {
    sem_t listening, arrived, ready, viable, path, sent, received, message, client_gone,
        server_gone, listener_gone;
    nw_connection_t server;
    char text[16];
    bool complete, final, better;
};

static void init(struct exchange *x) {
    memset(x, 0, sizeof *x);
    sem_t *all[] = {&x->listening,   &x->arrived,     &x->ready,        &x->viable,
                    &x->path,        &x->sent,        &x->received,     &x->message,
                    &x->client_gone, &x->server_gone, &x->listener_gone};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sem_init(all[i], 0, 0);
}

static nw_parameters_t tcp_parameters(void) {
    return nw_parameters_create_secure_tcp(NW_PARAMETERS_DISABLE_PROTOCOL,
                                           NW_PARAMETERS_DEFAULT_CONFIGURATION);
}

static nw_listener_t listen_for(struct exchange *x, dispatch_queue_t queue) {
    nw_parameters_t parameters = tcp_parameters();
    nw_listener_t listener = nw_listener_create(parameters);
    assert_non_null(listener);
    nw_release(parameters);
    nw_listener_set_queue(listener, queue);
    nw_listener_set_state_changed_handler(listener, ^(nw_listener_state_t state, nw_error_t error) {
        if (state == nw_listener_state_ready && error == NULL)
            sem_post(&x->listening);
        if (state == nw_listener_state_cancelled)
            sem_post(&x->listener_gone);
    });
    nw_listener_set_advertised_endpoint_changed_handler(listener,
                                                        ^(nw_endpoint_t endpoint, bool added) {
                                                            (void)endpoint, (void)added;
                                                            abort(); /* nothing is advertised */
                                                        });
    nw_listener_set_new_connection_handler(listener, ^(nw_connection_t connection) {
        x->server = nw_retain(connection);
        nw_connection_set_queue(connection, queue);
        nw_connection_set_state_changed_handler(connection,
                                                ^(nw_connection_state_t state, nw_error_t error) {
                                                    (void)error;
                                                    if (state == nw_connection_state_cancelled)
                                                        sem_post(&x->server_gone);
                                                });
        nw_connection_start(connection);
        sem_post(&x->arrived);
    });
    nw_listener_start(listener);
    await(&x->listening);
    return listener;
}

static nw_connection_t connect_to(struct exchange *x, uint16_t port, dispatch_queue_t queue) {
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    nw_parameters_t parameters = tcp_parameters();
    nw_endpoint_t endpoint = nw_endpoint_create_host("localhost", text);
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_set_queue(connection, queue);
    nw_connection_set_state_changed_handler(
        connection, ^(nw_connection_state_t state, nw_error_t error) {
            if (state == nw_connection_state_ready && error == NULL)
                sem_post(&x->ready);
            if (state == nw_connection_state_cancelled)
                sem_post(&x->client_gone);
        });
    nw_connection_set_viability_changed_handler(connection, ^(bool viable) {
        if (viable)
            sem_post(&x->viable);
    });
    nw_connection_set_better_path_available_handler(connection, ^(bool available) {
        (void)available;
        x->better = true;
    });
    nw_connection_set_path_changed_handler(connection, ^(nw_path_t path) {
        if (nw_path_get_status(path) == nw_path_status_satisfied)
            sem_post(&x->path);
    });
    nw_connection_start(connection);
    return connection;
}

static dispatch_data_t text_data(const char *text) {
    return dispatch_data_create(text, strlen(text), NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
}

static void copy_text(struct exchange *x, dispatch_data_t content) {
    __block size_t done = 0;
    if (content != NULL)
        dispatch_data_apply(
            content, ^bool(dispatch_data_t region, size_t offset, const void *bytes, size_t size) {
                (void)region;
                if (offset + size < sizeof x->text)
                    memcpy(x->text + offset, bytes, size);
                done += size;
                return true;
            });
    x->text[done < sizeof x->text ? done : 0] = '\0';
}

static void test_an_exchange(void **state) {
    (void)state;
    struct exchange *x = malloc(sizeof *x);
    init(x);
    dispatch_queue_t queue = dispatch_queue_create("blocks", NULL);
    nw_listener_t listener = listen_for(x, queue);
    nw_connection_t client = connect_to(x, nw_listener_get_port(listener), queue);
    await(&x->ready);
    await(&x->path);
    await(&x->viable);
    await(&x->arrived);

    /* Client to server: a batch with a send that nobody is told of and one that is. */
    nw_connection_receive(x->server, 8, 15,
                          ^(dispatch_data_t content, nw_content_context_t context, bool is_complete,
                            nw_error_t error) {
                              if (error == NULL && !is_complete &&
                                  nw_content_context_get_is_final(context))
                                  copy_text(x, content);
                              sem_post(&x->received);
                          });
    __block bool ran = false;
    nw_connection_batch(client, ^{
        dispatch_data_t one = text_data("one "), two = text_data("two ");
        nw_connection_send(client, one, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                           NW_CONNECTION_SEND_IDEMPOTENT_CONTENT);
        nw_connection_send(client, two, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                           ^(nw_error_t error) {
                               if (error == NULL)
                                   sem_post(&x->sent);
                           });
        dispatch_release(one);
        dispatch_release(two);
        ran = true;
    });
    assert_true(ran);
    await(&x->sent);
    await(&x->received);
    assert_string_equal(x->text, "one two ");

    /* Server to client: one message that is the whole stream. */
    nw_connection_receive_message(client, ^(dispatch_data_t content, nw_content_context_t context,
                                            bool is_complete, nw_error_t error) {
        copy_text(x, content);
        x->complete = is_complete && error == NULL;
        x->final = nw_content_context_get_is_final(context);
        sem_post(&x->message);
    });
    dispatch_data_t three = text_data("three");
    nw_connection_send(x->server, three, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true,
                       ^(nw_error_t error) {
                           if (error == NULL)
                               sem_post(&x->sent);
                       });
    dispatch_release(three);
    await(&x->sent);
    await(&x->message);
    assert_string_equal(x->text, "three");
    assert_true(x->complete);
    assert_true(x->final);

    nw_connection_cancel(client);
    nw_connection_force_cancel(x->server);
    nw_listener_cancel(listener);
    await(&x->client_gone);
    await(&x->server_gone);
    await(&x->listener_gone);
    assert_false(x->better);
    dispatch_sync(queue, ^{
                      /* the handlers have returned */
                  });
    nw_release(client);
    nw_release(x->server);
    nw_release(listener);
    dispatch_release(queue);
    free(x);
}

/* NULL removes a handler, and NULL objects are refused: none of the blocks runs, all are let go. */
static void test_removed_and_refused(void **state) {
    (void)state;
    __block int count = 0;
    nw_connection_state_changed_handler_t told =
        ^(nw_connection_state_t connection_state, nw_error_t error) {
            (void)connection_state, (void)error;
            count++;
        };
    nw_connection_boolean_event_handler_t boolean = ^(bool value) {
        (void)value;
        count++;
    };
    nw_connection_receive_completion_t received = ^(
        dispatch_data_t content, nw_content_context_t context, bool is_complete, nw_error_t error) {
        (void)content, (void)context, (void)is_complete, (void)error;
        count++;
    };
    nw_connection_set_state_changed_handler(NULL, told);
    nw_connection_set_viability_changed_handler(NULL, boolean);
    nw_connection_set_better_path_available_handler(NULL, boolean);
    nw_connection_set_path_changed_handler(NULL, NULL);
    nw_connection_receive(NULL, 1, 1, received);
    nw_connection_receive_message(NULL, received);
    nw_connection_send(NULL, NULL, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                       ^(nw_error_t error) {
                           (void)error;
                           count++;
                       });
    nw_connection_batch(NULL, ^{
        count++;
    });
    nw_listener_set_state_changed_handler(NULL, NULL);
    nw_listener_set_new_connection_handler(NULL, NULL);
    nw_listener_set_advertised_endpoint_changed_handler(NULL, NULL);

    nw_parameters_t parameters = tcp_parameters();
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    dispatch_queue_t queue = dispatch_queue_create("blocks", NULL);
    nw_connection_set_queue(connection, queue);
    nw_connection_set_state_changed_handler(connection, told);
    nw_connection_set_state_changed_handler(connection, NULL);
    sem_t answered, *answer = &answered;
    sem_init(answer, 0, 0);
    nw_connection_receive(connection, 1, 1,
                          ^(dispatch_data_t content, nw_content_context_t context, bool is_complete,
                            nw_error_t error) {
                              (void)content, (void)context, (void)is_complete;
                              if (nw_error_get_error_code(error) == ECANCELED)
                                  sem_post(answer);
                          });
    nw_connection_cancel(connection);
    await(answer);
    dispatch_sync(queue, ^{
                  });
    assert_int_equal(count, 0);
    nw_release(connection);
    nw_release(endpoint);
    nw_release(parameters);
    dispatch_release(queue);
    sem_destroy(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_exchange),
        cmocka_unit_test(test_removed_and_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
