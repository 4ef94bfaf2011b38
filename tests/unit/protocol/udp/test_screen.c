/*
 * test_screen.c - what a port's owner says of strangers before there is anything of them
 * (src/protocol/udp/port.c), on loopback.
 */
#include "base/alloc.h"
#include "fake/await.h"
#include "model/parameters.h"
#include "protocol/udp/udp.h"
#include "sys/address.h"
#include <poll.h>
#include <stdatomic.h>

#define OK(call) assert_int_equal((call), 0)
enum { PATIENCE = 10000, STRANGERS = 200 };

/* An owner: "in" may come in, "ask" is answered by "no", everything else is dropped. */
struct owner {
    struct nwi_object base;
    sem_t seen;
    atomic_uint peers, screened;
    atomic_size_t room; /* for an answer, of the last one */
};

static bool screen(void *owner_object, const struct nwi_datagram *first, struct iovec *answer) {
    struct owner *owner = owner_object;
    bool ask = first->length >= 3 && memcmp(first->data.iov_base, "ask", 3) == 0;
    bool passed = first->length == 2 && memcmp(first->data.iov_base, "in", 2) == 0;
    owner->room = answer->iov_len;
    if (ask)
        memcpy(answer->iov_base, "no", 2);
    answer->iov_len = ask ? 2 : 0;
    owner->screened++;
    if (!passed)
        sem_post(&owner->seen);
    return passed;
}

static bool new_peer(void *owner_object, struct nwi_udp_port *port,
                     const struct nwi_datagram *first) {
    struct owner *owner = owner_object;
    (void)port, (void)first;
    owner->peers++;
    sem_post(&owner->seen);
    return true;
}

static const struct nwi_udp_port_events events = {.screen = screen, .new_peer = new_peer};
static const struct nwi_udp_port_events plain_events = {.new_peer = new_peer};
static const struct nwi_type owner_type = {.name = "owner", .size = sizeof(struct owner)};

struct scene {
    struct owner *owner;
    struct nwi_udp_port *port;
    struct sockaddr_storage address;
    socklen_t length;
};

static struct scene open_scene(const struct nwi_udp_port_events *port_events) {
    struct scene scene = {.owner = nwi_object_create(&owner_type, 0)};
    uint16_t number;
    nw_parameters_t parameters = nw_parameters_create_secure_udp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    event_init(&scene.owner->seen);
    scene.length = nwi_address_loopback(AF_INET, 0, &scene.address);
    OK(nwi_udp_port_open((struct sockaddr *)&scene.address, scene.length, parameters, port_events,
                         scene.owner, &scene.port));
    OK(nwi_udp_port_number(scene.port, &number));
    nwi_address_set_port((struct sockaddr *)&scene.address, number);
    nwi_release(parameters);
    return scene;
}

static void close_scene(struct scene *scene) {
    nwi_udp_port_detach(scene->port);
    nwi_release(scene->port);
    nwi_release(scene->owner);
}

static int open_client(const struct scene *scene) {
    int fd;
    bool pending;
    OK(nwi_socket_open(AF_INET, SOCK_DGRAM, 0, &fd));
    OK(nwi_socket_connect(fd, (const struct sockaddr *)&scene->address, scene->length, &pending));
    return fd;
}

static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

static void answered_dropped_admitted(void **state) {
    (void)state;
    struct scene scene = open_scene(&events);
    int fd = open_client(&scene);
    char answer[8];
    say(fd, "ask me");
    await(&scene.owner->seen);
    assert_int_equal(scene.owner->room, 6); /* not more than was asked with */
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&readable, 1, PATIENCE), 1);
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 2);
    assert_memory_equal(answer, "no", 2);
    say(fd, "what");
    await(&scene.owner->seen);
    assert_int_equal(scene.owner->peers, 0);
    say(fd, "in");
    await(&scene.owner->seen);
    assert_int_equal(scene.owner->peers, 1);
    assert_int_equal(recv(fd, answer, sizeof answer, MSG_DONTWAIT), -1); /* no other answer */
    nwi_socket_close(fd);
    close_scene(&scene);
}

static void nothing_is_kept(void **state) {
    (void)state;
    struct scene scene = open_scene(&events);
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    for (int i = 0; i < STRANGERS; i++) {
        int fd = open_client(&scene);
        say(fd, i % 2 == 0 ? "ask" : "what");
        await(&scene.owner->seen);
        nwi_socket_close(fd);
    }
    assert_int_equal(scene.owner->screened, STRANGERS);
    assert_int_equal(scene.owner->peers, 0);
    assert_true(nwi_alloc_live() - before < STRANGERS / 4); /* the port before goes meanwhile */
    nwi_alloc_count(false);
    close_scene(&scene);
}

static void without_a_screen_all_come_in(void **state) {
    (void)state;
    struct scene scene = open_scene(&plain_events);
    int fd = open_client(&scene);
    say(fd, "what");
    await(&scene.owner->seen);
    assert_int_equal(scene.owner->peers, 1);
    nwi_socket_close(fd);
    close_scene(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answered_dropped_admitted),
        cmocka_unit_test(nothing_is_kept),
        cmocka_unit_test(without_a_screen_all_come_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
