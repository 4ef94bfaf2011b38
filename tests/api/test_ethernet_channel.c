/*
 * test_ethernet_channel.c - what Ethernet channels take and refuse, their states, frames on the
 * loopback interface.
 * What:   tests that need frames skip themselves where packet sockets are not allowed; the one of
 *         the refusal runs there, and in tests/lab everywhere.
 */
#include "fake/ethernet_wire.h"

static nw_interface_t loopback;
static unsigned char nobody[6] = {0}, broadcast[6] = {255, 255, 255, 255, 255, 255};

static int make_loopback(void **state) {
    (void)state;
    loopback = wire_loopback();
    return 0;
}
static int drop_loopback(void **state) {
    (void)state;
    nw_release(loopback);
    return 0;
}

static void test_refused(void **state) {
    (void)state;
    static const uint16_t refused[] = {0,      1500,   0x05ff, 0x0800, 0x0806, 0x8035,
                                       0x86dd, 0x8100, 0x88a8, 0x9100, 0x888e, 0x8863,
                                       0x8864, 0x8847, 0x8848, 0x8809, 0x88e5};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_null(nw_ethernet_channel_create(refused[i], loopback));
    assert_null(nw_ethernet_channel_create(WIRE_TYPE, NULL));
    assert_null(nw_ethernet_channel_create_with_parameters(WIRE_TYPE, loopback, NULL));
    nw_parameters_t parameters = nw_parameters_create();
    nw_ethernet_channel_t channel =
        nw_ethernet_channel_create_with_parameters(WIRE_TYPE, loopback, parameters);
    assert_non_null(channel);
    nw_release(channel);
    nw_parameters_prohibit_interface(parameters, loopback);
    assert_null(nw_ethernet_channel_create_with_parameters(WIRE_TYPE, loopback, parameters));
    nw_release(parameters);
}

static void test_null(void **state) {
    (void)state;
    nw_ethernet_channel_set_queue(NULL, NULL);
    nw_ethernet_channel_set_state_changed_handler_f(NULL, NULL, wire_on_state);
    nw_ethernet_channel_set_receive_handler_f(NULL, NULL, wire_on_frame);
    nw_ethernet_channel_start(NULL);
    nw_ethernet_channel_cancel(NULL);
    nw_ethernet_channel_send_f(NULL, NULL, 0, nobody, NULL, wire_on_sent);
    assert_int_equal(nw_ethernet_channel_get_maximum_payload_size(NULL), 0);
    nw_ethernet_channel_t channel = nw_ethernet_channel_create(WIRE_TYPE, loopback);
    nw_ethernet_channel_start(channel); /* no queue: not started */
    nw_ethernet_channel_set_queue(channel, NULL);
    assert_int_equal(nw_ethernet_channel_get_maximum_payload_size(channel), 0);
    nw_release(channel);
}

/* Each send completes once, with the reason of the state that it met. */
static void test_sends_of_no_use(void **state) {
    (void)state;
    struct wire wire;
    assert_true(wire_open(&wire, loopback));
    wire_send(&wire, "x", 1, 0, nobody);
    wire_await(&wire, wire.completions == 1);
    assert_int_equal(wire.completion, ENOTCONN);
    nw_ethernet_channel_cancel(wire.channel); /* before it was started */
    wire_await(&wire, wire.states == 1);
    assert_int_equal(wire_state(&wire), nw_ethernet_channel_state_cancelled);
    nw_ethernet_channel_start(wire.channel);
    nw_ethernet_channel_cancel(wire.channel);
    wire_send(&wire, "x", 1, 0, nobody);
    wire_await(&wire, wire.completions == 2);
    assert_int_equal(wire.completion, ECANCELED);
    assert_int_equal(wire.states, 1);
    wire.after_end = false; /* that last completion was asked for afterwards */
    wire_close(&wire);
}

static void test_no_queue(void **state) {
    (void)state;
    struct wire wire = {0};
    event_init(&wire.event);
    wire.queue = dispatch_queue_create("unused", NULL);
    wire.channel = nw_ethernet_channel_create(WIRE_TYPE, loopback);
    wire_send(&wire, "x", 1, 0, nobody);
    nw_release(wire.channel);
    wire_await(&wire, wire.completions == 1); /* on a global queue */
    assert_int_equal(wire.completion, ENOTCONN);
    dispatch_release(wire.queue);
}

static void test_not_allowed(void **state) {
    (void)state;
    struct wire wire;
    if (wire_allowed())
        skip();
    assert_true(wire_open(&wire, loopback));
    nw_ethernet_channel_start(wire.channel);
    wire_await(&wire, wire.states == 2);
    assert_int_equal(wire.told[0].state, nw_ethernet_channel_state_preparing);
    assert_int_equal(wire_state(&wire), nw_ethernet_channel_state_failed);
    assert_int_equal(wire_code(&wire), EPERM);
    wire_close(&wire);
}

static bool open_ready(struct wire *wire) {
    if (!wire_allowed())
        return false;
    assert_true(wire_open(wire, loopback));
    nw_ethernet_channel_start(wire->channel);
    nw_ethernet_channel_start(wire->channel); /* ignored */
    wire_await(wire, wire->states == 2);
    assert_int_equal(wire->told[0].state, nw_ethernet_channel_state_preparing);
    assert_int_equal(wire_state(wire), nw_ethernet_channel_state_ready);
    return true;
}

static void test_frames(void **state) {
    (void)state;
    struct wire wire;
    if (!open_ready(&wire))
        skip();
    assert_true(nw_ethernet_channel_get_maximum_payload_size(wire.channel) >= 1500);
    wire_send(&wire, "hello", 5, 0, nobody);
    wire_await(&wire, wire.frames == 1 && wire.completions == 1);
    assert_int_equal(wire.completion, 0);
    assert_int_equal(wire.size, 5);
    assert_memory_equal(wire.octets, "hello", 5);
    assert_memory_equal(wire.remote, nobody, 6); /* loopback's own address */
    assert_memory_equal(wire.local, nobody, 6);
    assert_int_equal(wire.vlan_tag, 0);
    wire_send(&wire, "all", 3, 0x600a, broadcast); /* priority 3, VLAN 10 */
    wire_await(&wire, wire.frames == 2 && wire.completions == 2);
    assert_memory_equal(wire.local, broadcast, 6);
    assert_int_equal(wire.vlan_tag, 0x600a);
    assert_memory_equal(wire.octets, "all", 3);
    wire_send(&wire, "", 0, 0, nobody);
    wire_await(&wire, wire.frames == 3);
    assert_int_equal(wire.size, 0);
    wire_close(&wire);
}

/* A frame in many pieces, and frames that cannot be. */
static void test_contents(void **state) {
    (void)state;
    struct wire wire;
    if (!open_ready(&wire))
        skip();
    dispatch_data_t whole = dispatch_data_empty;
    for (int i = 0; i < 100; i++) {
        dispatch_data_t piece = dispatch_data_create_f("0123456789", 10, NULL, NULL, NULL);
        dispatch_data_t longer = dispatch_data_create_concat(whole, piece);
        dispatch_release(whole);
        dispatch_release(piece);
        whole = longer;
    }
    nw_ethernet_channel_send_f(wire.channel, whole, 0, nobody, &wire, wire_on_sent);
    dispatch_release(whole);
    wire_await(&wire, wire.frames == 1 && wire.completions == 1);
    assert_int_equal(wire.size, 1000);
    assert_memory_equal(wire.octets + 990, "0123456789", 10);
    nw_ethernet_channel_send_f(wire.channel, NULL, 0, nobody, &wire, wire_on_sent);
    wire_await(&wire, wire.completions == 2);
    assert_int_equal(wire.completion, EINVAL);
    wire_send(&wire, "x", 1, 0, NULL);
    wire_await(&wire, wire.completions == 3);
    assert_int_equal(wire.completion, EINVAL);
    static const char large[100000];
    size_t most = nw_ethernet_channel_get_maximum_payload_size(wire.channel);
    for (unsigned i = 0; i < 2; i++) {
        wire_send(&wire, large, i == 0 ? most + 1 : sizeof large, 0, nobody);
        wire_await(&wire, wire.completions == 4 + i);
        assert_int_equal(wire.completion, EMSGSIZE);
    }
    dispatch_data_t quiet = dispatch_data_create_f("quiet", 5, NULL, NULL, NULL);
    nw_ethernet_channel_send_f(wire.channel, quiet, 0, nobody, NULL, NULL); /* nobody asks */
    dispatch_release(quiet);
    wire_await(&wire, wire.frames == 2);
    wire_close(&wire);
}

/* Frames keep their order, none is lost while the client keeps up, all sends complete before
 * cancelled. */
static void test_many(void **state) {
    (void)state;
    enum { MANY = 100 };
    struct wire wire;
    if (!open_ready(&wire))
        skip();
    for (unsigned i = 0; i < MANY; i++)
        wire_send(&wire, &i, sizeof i, 0, nobody);
    wire_await(&wire, wire.frames == MANY && wire.completions == MANY);
    unsigned last;
    memcpy(&last, wire.octets, sizeof last);
    assert_int_equal(last, MANY - 1);
    for (unsigned i = 0; i < MANY; i++)
        wire_send(&wire, &i, sizeof i, 0, nobody);
    wire_close(&wire);
    assert_int_equal(wire.completions, 2 * MANY);
}

/* Another EtherType on the same interface is another world. */
static void test_other_type(void **state) {
    (void)state;
    struct wire wire, other;
    if (!open_ready(&wire))
        skip();
    assert_true(wire_open(&other, loopback));
    nw_release(other.channel);
    other.channel = nw_ethernet_channel_create(WIRE_TYPE - 1, loopback);
    nw_ethernet_channel_set_queue(other.channel, other.queue);
    nw_ethernet_channel_set_state_changed_handler_f(other.channel, &other, wire_on_state);
    nw_ethernet_channel_set_receive_handler_f(other.channel, &other, wire_on_frame);
    nw_ethernet_channel_start(other.channel);
    wire_await(&other, wire_state(&other) == nw_ethernet_channel_state_ready);
    wire_send(&wire, "mine", 4, 0, broadcast);
    wire_await(&wire, wire.frames == 1);
    wire_send(&other, "yours", 5, 0, broadcast);
    wire_await(&other, other.frames == 1);
    assert_memory_equal(other.octets, "yours", 5);
    wire_close(&other);
    assert_int_equal(wire.frames, 1);
    wire_close(&wire);
}

/* Released inside its own handler, and never cancelled: it goes on, and is cancelled at last. */
static void cancel_inside(void *context, nw_ethernet_channel_state_t state, nw_error_t error) {
    struct wire *wire = context;
    if (state == nw_ethernet_channel_state_ready) {
        nw_ethernet_channel_cancel(wire->channel);
        nw_release(wire->channel);
        wire->channel = NULL;
    }
    wire_on_state(context, state, error);
}

static void test_release_inside(void **state) {
    (void)state;
    struct wire wire;
    if (!wire_allowed())
        skip();
    assert_true(wire_open(&wire, loopback));
    nw_ethernet_channel_set_state_changed_handler_f(wire.channel, &wire, cancel_inside);
    nw_ethernet_channel_start(wire.channel);
    wire_await(&wire, wire_state(&wire) == nw_ethernet_channel_state_cancelled);
    wire_close(&wire);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_null),
        cmocka_unit_test(test_no_queue),    cmocka_unit_test(test_sends_of_no_use),
        cmocka_unit_test(test_not_allowed), cmocka_unit_test(test_frames),
        cmocka_unit_test(test_contents),    cmocka_unit_test(test_many),
        cmocka_unit_test(test_other_type),  cmocka_unit_test(test_release_inside),
    };
    return cmocka_run_group_tests(tests, make_loopback, drop_loopback);
}
