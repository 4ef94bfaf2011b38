/*
 * test_ethernet_channel_blocks.c - every call of <Network/ethernet_channel.h> that takes a block,
 * used once, on the loopback interface.
 * What:   where packet sockets are not allowed the channel fails, and that is what is seen then.
 */
#include <Network/Network.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h> /* after the headers that it needs */

static void await(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    if (sem_timedwait(semaphore, &until) != 0)
        fail_msg("it did not come");
}

/* Blocks copy plain variables: what they change lives here, by reference. */
struct story {
    sem_t asked, settled, sent, received, gone;
    nw_interface_t interface;
    bool allowed;
    int code;
    size_t size;
    uint16_t tag;
};

static void ask_interface(struct story *s, dispatch_queue_t queue) {
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t udp = nw_parameters_create_secure_udp(NW_PARAMETERS_DISABLE_PROTOCOL,
                                                          NW_PARAMETERS_DEFAULT_CONFIGURATION);
    nw_connection_t connection = nw_connection_create(endpoint, udp);
    nw_connection_set_queue(connection, queue);
    nw_connection_set_state_changed_handler(
        connection, ^(nw_connection_state_t state, nw_error_t error) {
            (void)error;
            if (state == nw_connection_state_ready) {
                nw_path_t path = nw_connection_copy_current_path(connection);
                nw_path_enumerate_interfaces(path, ^bool(nw_interface_t interface) {
                    nw_retain(interface);
                    s->interface = interface;
                    return false;
                });
                nw_release(path);
                nw_connection_cancel(connection);
            } else if (state == nw_connection_state_cancelled) {
                sem_post(&s->asked);
            }
        });
    nw_connection_start(connection);
    await(&s->asked);
    nw_release(connection);
    nw_release(udp);
    nw_release(endpoint);
}

static nw_ethernet_channel_t open_channel(struct story *s, dispatch_queue_t queue) {
    nw_ethernet_channel_t channel = nw_ethernet_channel_create(0x88b5, s->interface);
    assert_non_null(channel);
    nw_ethernet_channel_set_queue(channel, queue);
    nw_ethernet_channel_set_state_changed_handler(
        channel, ^(nw_ethernet_channel_state_t state, nw_error_t error) {
            s->code = error != NULL ? nw_error_get_error_code(error) : 0;
            s->allowed = state == nw_ethernet_channel_state_ready;
            if (state == nw_ethernet_channel_state_cancelled)
                sem_post(&s->gone);
            else if (state != nw_ethernet_channel_state_preparing)
                sem_post(&s->settled);
        });
    nw_ethernet_channel_set_receive_handler(channel, ^(dispatch_data_t content, uint16_t vlan_tag,
                                                       nw_ethernet_address_t local_address,
                                                       nw_ethernet_address_t remote_address) {
        s->size = dispatch_data_get_size(content);
        s->tag = vlan_tag;
        if (local_address[5] == 0xff && remote_address[5] == 0)
            sem_post(&s->received);
    });
    nw_ethernet_channel_start(channel);
    return channel;
}

static void test_all(void **state) {
    (void)state;
    struct story story = {0}, *s = &story;
    sem_t *all[] = {&s->asked, &s->settled, &s->sent, &s->received, &s->gone};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sem_init(all[i], 0, 0);
    dispatch_queue_t queue = dispatch_queue_create("blocks", NULL);
    ask_interface(s, queue);
    nw_ethernet_channel_t channel = open_channel(s, queue);
    await(&s->settled);
    bool allowed = s->allowed;
    if (!allowed)
        assert_int_equal(s->code, EPERM);
    nw_ethernet_address_t everyone = {255, 255, 255, 255, 255, 255};
    dispatch_data_t data = dispatch_data_create("frame", 5, NULL, NULL);
    nw_ethernet_channel_send(channel, data, 12, everyone, ^(nw_error_t error) {
        s->code = error != NULL ? nw_error_get_error_code(error) : 0;
        sem_post(&s->sent);
    });
    dispatch_release(data);
    await(&s->sent);
    assert_int_equal(s->code, allowed ? 0 : EPERM);
    if (allowed) {
        await(&s->received);
        assert_int_equal(s->size, 5);
        assert_int_equal(s->tag, 12);
    }
    nw_ethernet_channel_cancel(channel);
    await(&s->gone);
    nw_release(channel);
    nw_release(s->interface);
    dispatch_release(queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
