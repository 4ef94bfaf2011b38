/* ethernet_hello.c - says hello to everybody on an Ethernet and prints who answers: INTERFACE
 * [SECONDS]. Two of them on one wire greet each other. Needs the capability CAP_NET_RAW. */
#include <Network/Network.h>

enum { ETHER_TYPE = 0x88b5 }; /* kept free for experiments by IEEE 802 */

static struct {
    const char *name;
    long seconds;
    nw_path_monitor_t monitor;
    nw_ethernet_channel_t channel;
    int status;
} hello = {.status = EXIT_FAILURE};

static void greet(const char *word, unsigned char *to) {
    dispatch_data_t data = dispatch_data_create_f(word, strlen(word), NULL, NULL, NULL);
    nw_ethernet_channel_send_f(hello.channel, data, 0, to, NULL, NULL);
    dispatch_release(data);
}

static void stop(void *unused) {
    (void)unused;
    nw_ethernet_channel_cancel(hello.channel);
}

static void state_changed(void *unused, nw_ethernet_channel_state_t state, nw_error_t why) {
    (void)unused;
    if (why != NULL)
        fprintf(stderr, "%s: %s\n", hello.name, strerror(nw_error_get_error_code(why)));
    if (state == nw_ethernet_channel_state_ready) {
        nw_ethernet_address_t everybody = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        greet("hello", everybody);
    } else if (state == nw_ethernet_channel_state_failed) {
        nw_ethernet_channel_cancel(hello.channel);
    } else if (state == nw_ethernet_channel_state_cancelled) {
        exit(hello.status);
    }
}

static bool is_hello(void *answer_it, dispatch_data_t part, size_t at, const void *p, size_t n) {
    (void)part, (void)at;
    *(bool *)answer_it = n >= 5 && memcmp(p, "hello", 5) == 0;
    return false;
}

static void received(void *unused, dispatch_data_t content, uint16_t vlan_tag,
                     nw_ethernet_address_t local, nw_ethernet_address_t remote) {
    (void)unused, (void)vlan_tag, (void)local;
    bool answer_it = false;
    dispatch_data_apply_f(content, &answer_it, is_hello);
    printf("%s from %02x:%02x:%02x:%02x:%02x:%02x\n", answer_it ? "hello" : "answer", remote[0],
           remote[1], remote[2], remote[3], remote[4], remote[5]);
    fflush(stdout);
    hello.status = EXIT_SUCCESS;
    if (answer_it)
        greet("yes?", remote);
}

static bool open_channel(void *unused, nw_interface_t interface) {
    (void)unused;
    if (strcmp(nw_interface_get_name(interface), hello.name) != 0)
        return true; /* the next one */
    hello.channel = nw_ethernet_channel_create(ETHER_TYPE, interface);
    nw_ethernet_channel_set_queue(hello.channel, dispatch_get_main_queue());
    nw_ethernet_channel_set_state_changed_handler_f(hello.channel, NULL, state_changed);
    nw_ethernet_channel_set_receive_handler_f(hello.channel, NULL, received);
    nw_ethernet_channel_start(hello.channel);
    dispatch_after_f(dispatch_time(DISPATCH_TIME_NOW, hello.seconds * (int64_t)NSEC_PER_SEC),
                     dispatch_get_main_queue(), NULL, stop);
    return false;
}

/* Interfaces that a channel can use; when ours is not up yet, a later path has it. */
static void look(void *unused, nw_path_t path) {
    (void)unused;
    if (hello.channel == NULL)
        nw_path_enumerate_interfaces_f(path, NULL, open_channel);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: ethernet_hello INTERFACE [SECONDS]\n");
        return 2;
    }
    hello.name = argv[1];
    hello.seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 10;
    hello.monitor = nw_path_monitor_create_for_ethernet_channel();
    nw_path_monitor_set_queue(hello.monitor, dispatch_get_main_queue());
    nw_path_monitor_set_update_handler_f(hello.monitor, NULL, look);
    nw_path_monitor_start(hello.monitor);
    dispatch_main();
}
