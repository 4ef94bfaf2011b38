/*
 * test_memory.c - what an idle TCP connection takes of the heap (the bound of docs/performance.md).
 * What:   counted at the allocation seam, the allocator's own words included, so that neither time
 *         nor other programs matter. The other end of each connection is a bare socket: only one
 *         side is counted. A sanitizer's allocator has no words of its own, the bound holds there
 *         all the more.
 */
#include "base/alloc.h"
#include "fake/await.h"
#include <Network/Network.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

enum { IDLE_OCTETS_MAX = 1536, CONNECTIONS = 200, SETTLE_SECONDS = 10 };

struct scene {
    dispatch_queue_t queue;
    sem_t ready, cancelled, came_in, received;
    nw_connection_t last_in;
};

static void told(void *context, nw_connection_state_t state, nw_error_t error) {
    struct scene *scene = context;
    (void)error;
    if (state == nw_connection_state_ready)
        sem_post(&scene->ready);
    else if (state == nw_connection_state_cancelled)
        sem_post(&scene->cancelled);
}

static void received(void *context, dispatch_data_t content, nw_content_context_t message,
                     bool complete, nw_error_t error) {
    struct scene *scene = context;
    (void)content, (void)message, (void)complete, (void)error;
    sem_post(&scene->received);
}

static void start(struct scene *scene, nw_connection_t connection) {
    nw_connection_set_queue(connection, scene->queue);
    nw_connection_set_state_changed_handler_f(connection, scene, told);
    nw_connection_start(connection);
    await(&scene->ready);
}

/* Idle as connections are in real programs: a receive pending, after an octet each way. */
static void make_idle(struct scene *scene, nw_connection_t connection, int fd) {
    char octet = 'x';
    dispatch_data_t content = dispatch_data_create_f(&octet, 1, NULL, NULL, NULL);
    nw_connection_receive_f(connection, 1, 65536, scene, received);
    assert_int_equal(write(fd, &octet, 1), 1);
    await(&scene->received);
    nw_connection_send_f(connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL,
                         NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
    dispatch_release(content);
    assert_int_equal(read(fd, &octet, 1), 1);
    nw_connection_receive_f(connection, 1, 65536, scene, received);
}

static nw_parameters_t create_parameters(void) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    assert_non_null(parameters);
    return parameters;
}

/* A bare listening socket. */
static int listen_bare(struct sockaddr_in *ret_address) {
    socklen_t length = sizeof *ret_address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *ret_address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)ret_address, length), 0);
    assert_int_equal(listen(fd, 2 * CONNECTIONS), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &length), 0);
    return fd;
}

/* How one more connection comes to be ready; *ret_fd is the other end. */
typedef nw_connection_t (*make_fn)(void *context, int *ret_fd);

/* What is let go of on other threads may still be counted: the bound is waited for. */
static void assert_at_most(long start, const char *what) {
    for (int i = 0; i < SETTLE_SECONDS * 1000; i++) {
        if (nwi_alloc_live_octets() - start <= (long)IDLE_OCTETS_MAX * CONNECTIONS)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    long each = (nwi_alloc_live_octets() - start) / CONNECTIONS;
    print_message("%s: %ld octets\n", what, each);
    if (each > IDLE_OCTETS_MAX)
        fail_msg("%s: %ld octets, %d are allowed", what, each, IDLE_OCTETS_MAX);
    assert_true(each > 400); /* else nothing was counted */
}

static void measure(struct scene *scene, make_fn make, void *context, const char *what) {
    static nw_connection_t connections[CONNECTIONS + 1];
    static int fds[CONNECTIONS + 1];
    long start = 0;
    nwi_alloc_count(true);
    for (int i = 0; i <= CONNECTIONS; i++) {
        connections[i] = make(context, &fds[i]);
        make_idle(scene, connections[i], fds[i]);
        if (i == 0) /* the first brings with it what all share */
            start = nwi_alloc_live_octets();
    }
    assert_at_most(start, what);
    nwi_alloc_count(false);
    for (int i = 0; i <= CONNECTIONS; i++) {
        nw_connection_force_cancel(connections[i]);
        await(&scene->cancelled);
        nw_release(connections[i]);
        close(fds[i]);
    }
}

static struct scene *create_scene(void) {
    static struct scene scene;
    scene = (struct scene){.queue = dispatch_queue_create("memory", NULL)};
    event_init(&scene.ready);
    event_init(&scene.cancelled);
    event_init(&scene.came_in);
    event_init(&scene.received);
    return &scene;
}

static void destroy_scene(struct scene *scene) {
    dispatch_release(scene->queue);
}

/* --- connected by us --- */

struct client {
    struct scene *scene;
    int fd; /* listens */
    nw_endpoint_t endpoint;
    nw_parameters_t parameters; /* NULL: new ones for each connection */
};

static nw_connection_t connect_one(void *context, int *ret_fd) {
    struct client *client = context;
    nw_parameters_t parameters =
        client->parameters != NULL ? nw_retain(client->parameters) : create_parameters();
    nw_connection_t connection = nw_connection_create(client->endpoint, parameters);
    assert_non_null(connection);
    nw_release(parameters);
    start(client->scene, connection);
    *ret_fd = accept4(client->fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*ret_fd >= 0);
    return connection;
}

static void measure_client(const char *host, bool share, const char *what) {
    struct scene *scene = create_scene();
    struct sockaddr_in address;
    int fd = listen_bare(&address);
    char port[16];
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
    struct client client = {.scene = scene,
                            .fd = fd,
                            .endpoint = nw_endpoint_create_host(host, port),
                            .parameters = share ? create_parameters() : NULL};
    measure(scene, connect_one, &client, what);
    close(fd);
    nw_release(client.endpoint);
    nw_release(client.parameters);
    destroy_scene(scene);
}

static void to_an_address(void **state) {
    (void)state;
    measure_client("127.0.0.1", true, "to an address");
}

static void to_a_name(void **state) {
    (void)state;
    measure_client("localhost", true, "to a name");
}

static void with_parameters_of_its_own(void **state) {
    (void)state;
    measure_client("127.0.0.1", false, "with parameters of its own");
}

/* --- accepted --- */

static void came_in(void *context, nw_connection_t connection) {
    struct scene *scene = context;
    scene->last_in = nw_retain(connection); /* the semaphore orders it */
    sem_post(&scene->came_in);
}

struct server {
    struct scene *scene;
    nw_listener_t listener;
};

static nw_connection_t accept_one(void *context, int *ret_fd) {
    struct server *server = context;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(nw_listener_get_port(server->listener))};
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*ret_fd, (struct sockaddr *)&address, sizeof address), 0);
    await(&server->scene->came_in);
    start(server->scene, server->scene->last_in);
    return server->scene->last_in;
}

static void listener_told(void *context, nw_listener_state_t state, nw_error_t error) {
    struct scene *scene = context;
    (void)error;
    if (state == nw_listener_state_ready)
        sem_post(&scene->ready);
    else if (state == nw_listener_state_cancelled)
        sem_post(&scene->cancelled);
}

static void accepted(void **state) {
    (void)state;
    struct scene *scene = create_scene();
    nw_parameters_t parameters = create_parameters();
    struct server server = {scene, nw_listener_create(parameters)};
    nw_listener_set_queue(server.listener, scene->queue);
    nw_listener_set_state_changed_handler_f(server.listener, scene, listener_told);
    nw_listener_set_new_connection_handler_f(server.listener, scene, came_in);
    nw_listener_start(server.listener);
    await(&scene->ready);
    measure(scene, accept_one, &server, "accepted");
    nw_listener_cancel(server.listener);
    await(&scene->cancelled);
    nw_release(server.listener);
    nw_release(parameters);
    destroy_scene(scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_an_address),
        cmocka_unit_test(to_a_name),
        cmocka_unit_test(with_parameters_of_its_own),
        cmocka_unit_test(accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
