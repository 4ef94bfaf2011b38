/* test_metadata.c - src/model/metadata.c. */
#include "misuse.h"

#include "model/metadata.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct socket {
    uint32_t unread, unacknowledged;
    uint64_t rate;
    unsigned asked;
};
static uint32_t available(void *owner, enum nwi_direction direction) {
    struct socket *socket = owner;
    socket->asked++;
    return direction == NWI_RECEIVE ? socket->unread : socket->unacknowledged;
}
static int set_rate(void *owner, uint64_t rate) {
    ((struct socket *)owner)->rate = rate;
    return rate == 77777 ? EPERM : 0;
}
static const struct nwi_tcp_metadata_ops ops = {available, set_rate};

static void tcp_asks_the_socket(void **state) {
    (void)state;
    struct socket socket = {.unread = 11, .unacknowledged = 22};
    nw_protocol_metadata_t metadata = nwi_tcp_metadata_create(&ops, &socket);
    assert_true(nw_protocol_metadata_is_tcp(metadata));
    assert_false(nw_protocol_metadata_is_udp(metadata));
    assert_int_equal(nw_tcp_get_available_receive_buffer(metadata), 11);
    assert_int_equal(nw_tcp_get_available_send_buffer(metadata), 22);
    nwi_tcp_metadata_detach(metadata);
    nwi_tcp_metadata_detach(metadata);
    nwi_tcp_metadata_detach(NULL);
    socket.asked = 0;
    assert_int_equal(nw_tcp_get_available_receive_buffer(metadata), 0);
    assert_int_equal(nw_tcp_get_available_send_buffer(metadata), 0);
    assert_int_equal(socket.asked, 0); /* the socket is gone: never called */
    nw_release(metadata);
}

/* Another thread asks all the time; after detaching, the socket's memory may go at once. */
static void *ask_until_zero(void *metadata) {
    while (nw_tcp_get_available_send_buffer(metadata) != 0)
        continue;
    return NULL;
}

static void detach_while_asked(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct socket *socket = malloc(sizeof *socket);
        assert_non_null(socket);
        *socket = (struct socket){.unacknowledged = 1};
        nw_protocol_metadata_t metadata = nwi_tcp_metadata_create(&ops, socket);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, ask_until_zero, metadata), 0);
        nwi_tcp_metadata_detach(metadata);
        free(socket);
        assert_int_equal(pthread_join(thread, NULL), 0);
        nw_release(metadata);
    }
}

static void pacing(void **state) {
    (void)state;
    struct socket socket = {0};
    nw_protocol_metadata_t metadata = nwi_tcp_metadata_create(&ops, &socket);
    static const struct {
        uint64_t asked, set;
    } cases[] = {{0, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}, {1, 12500},        {12499, 12500},
                 {12500, 12500},  {12501, 12501},           {1000000, 1000000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(nw_tcp_set_max_pacing_rate(metadata, cases[i].asked), 0);
        assert_true(socket.rate == cases[i].set);
    }
    assert_int_equal(nw_tcp_set_max_pacing_rate(metadata, 77777), EPERM);
    nwi_tcp_metadata_detach(metadata);
    assert_int_equal(nw_tcp_set_max_pacing_rate(metadata, 0), ENOTCONN);
    nw_protocol_metadata_t ip = nw_ip_create_metadata();
    assert_misuse(assert_int_equal(nw_tcp_set_max_pacing_rate(ip, 0), EINVAL));
    assert_misuse(assert_int_equal(nw_tcp_set_max_pacing_rate(NULL, 0), EINVAL));
    assert_misuse(assert_int_equal(nw_tcp_get_available_send_buffer(ip), 0));
    assert_misuse(assert_int_equal(nw_tcp_get_available_receive_buffer(NULL), 0));
    nw_release(metadata), nw_release(ip);
}

static void ip(void **state) {
    (void)state;
    nw_protocol_metadata_t metadata = nw_ip_create_metadata();
    assert_true(nw_protocol_metadata_is_ip(metadata));
    assert_int_equal(nw_ip_metadata_get_ecn_flag(metadata), nw_ip_ecn_flag_non_ect);
    assert_int_equal(nw_ip_metadata_get_service_class(metadata), nw_service_class_best_effort);
    assert_false(nwi_ip_metadata(metadata)->service_class_set);
    assert_true(nw_ip_metadata_get_receive_time(metadata) == 0);
    for (int flag = 0; flag < 4; flag++) {
        nw_ip_metadata_set_ecn_flag(metadata, (nw_ip_ecn_flag_t)flag);
        assert_int_equal(nw_ip_metadata_get_ecn_flag(metadata), flag);
    }
    nw_ip_metadata_set_service_class(metadata, nw_service_class_signaling);
    assert_int_equal(nw_ip_metadata_get_service_class(metadata), nw_service_class_signaling);
    assert_true(nwi_ip_metadata(metadata)->service_class_set);
    assert_misuse(nw_ip_metadata_set_ecn_flag(metadata, (nw_ip_ecn_flag_t)4));
    assert_misuse(nw_ip_metadata_set_service_class(metadata, (nw_service_class_t)6));
    assert_int_equal(nw_ip_metadata_get_ecn_flag(metadata), 3);
    nw_release(metadata);
}

static void other_kinds(void **state) {
    (void)state;
    nw_protocol_metadata_t udp = nw_udp_create_metadata();
    assert_true(nw_protocol_metadata_is_udp(udp));
    assert_false(nw_protocol_metadata_is_ip(udp) || nw_protocol_metadata_is_tcp(udp));
    assert_false(nw_protocol_metadata_is_udp(NULL) || nw_protocol_metadata_is_ip(NULL) ||
                 nw_protocol_metadata_is_tcp(NULL));
    assert_misuse(nw_ip_metadata_set_ecn_flag(udp, nw_ip_ecn_flag_ce));
    assert_misuse(nw_ip_metadata_set_service_class(NULL, nw_service_class_background));
    assert_misuse(assert_int_equal(nw_ip_metadata_get_ecn_flag(udp), 0));
    assert_misuse(assert_int_equal(nw_ip_metadata_get_service_class(udp), 0));
    assert_misuse(assert_true(nw_ip_metadata_get_receive_time(NULL) == 0));
    nw_release(udp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_asks_the_socket),
        cmocka_unit_test(detach_while_asked),
        cmocka_unit_test(pacing),
        cmocka_unit_test(ip),
        cmocka_unit_test(other_kinds),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
