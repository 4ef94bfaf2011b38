/*
 * lab_ethernet.c - an Ethernet channel told by its standard input what to do; it writes each event
 * as one line.
 * What:   lab_ethernet INTERFACE ETHERTYPE, which has to be up at first.
 * Input:  "start", "cancel", "size", "send ADDRESS TAG TEXT", "fill ADDRESS TAG OCTETS" (a frame of
 * so many), "flood ADDRESS COUNT OCTETS", "hold" (the next frame's handler waits), "release",
 *         "lateness" (since asked last, of a timer on another queue).
 * Output: "interface NAME", "state NAME DOMAIN CODE", "size OCTETS", "sent DOMAIN CODE",
 *         "frame TAG LOCAL REMOTE OCTETS TEXT", "flooded DONE FAILED", "frames COUNT" (after
 * release), "late MILLISECONDS", "refused". The process ends behind the state cancelled.
 * Runs:   the channel on a queue of its own, the timer on another; the input is read on the main
 *         queue.
 */
#include "lab_input.h"
#include <Network/Network.h>
#include <time.h>

enum { TICK_MS = 5, LINE = 4096 };

static struct {
    nw_ethernet_channel_t channel;
    const char *name; /* of the interface */
    uint16_t ether_type;
    nw_path_monitor_t monitor; /* until the interface has been found */
    dispatch_queue_t queue;
    dispatch_semaphore_t held;
    _Atomic bool hold;
    _Atomic unsigned frames, done, failed, flood;
    _Atomic uint64_t last_tick, late; /* ns */
} lab;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static void quit(const char *why) {
    fprintf(stderr, "lab_ethernet: %s\n", why);
    exit(1);
}

static int code_of(nw_error_t error) {
    return error != NULL ? nw_error_get_error_code(error) : 0;
}
static int domain_of(nw_error_t error) {
    return error != NULL ? (int)nw_error_get_error_domain(error) : 0;
}

static void on_state(void *context, nw_ethernet_channel_state_t state, nw_error_t error) {
    static const char *const names[] = {"invalid", "waiting", "preparing",
                                        "ready",   "failed",  "cancelled"};
    (void)context;
    printf("state %s %d %d\n", names[state], domain_of(error), code_of(error));
    if (state == nw_ethernet_channel_state_cancelled) {
        fflush(stdout);
        _exit(0); /* sources and queues of this program live as long as it does: no leaks */
    }
}

static bool copy_text(void *context, dispatch_data_t region, size_t offset, const void *bytes,
                      size_t size) {
    char *text = context;
    (void)region;
    for (size_t i = 0; i < size && offset + i < 40; i++) {
        char c = ((const char *)bytes)[i];
        text[offset + i] = '\0';
        if (c == '\0')
            return false;
        text[offset + i] = c;
        text[offset + i + 1] = '\0';
    }
    return true;
}

static void print_address(const unsigned char *a) {
    printf(" %02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void on_frame(void *context, dispatch_data_t content, uint16_t vlan_tag,
                     nw_ethernet_address_t local, nw_ethernet_address_t remote) {
    (void)context;
    char text[48] = "";
    lab.frames++;
    if (lab.hold) {
        dispatch_semaphore_wait(lab.held, DISPATCH_TIME_FOREVER);
        lab.hold = false;
        lab.flood = 1; /* from here on frames are counted and not printed */
    }
    if (lab.flood)
        return;
    dispatch_data_apply_f(content, text, copy_text);
    flockfile(stdout);
    printf("frame %u", vlan_tag);
    print_address(local);
    print_address(remote);
    printf(" %zu %s\n", dispatch_data_get_size(content), text);
    funlockfile(stdout);
}

static void on_sent(void *context, nw_error_t error) {
    (void)context;
    printf("sent %d %d\n", domain_of(error), code_of(error));
}

static void on_flooded(void *context, nw_error_t error) {
    unsigned count = (unsigned)(uintptr_t)context;
    if (error != NULL)
        lab.failed++;
    if (++lab.done == count)
        printf("flooded %u %u\n", lab.done, lab.failed);
}

static void read_address(const char *text, unsigned char *a) {
    if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]) !=
        6)
        quit("no such address");
}

static void send_octets(const char *octets, size_t size, unsigned tag, unsigned char *to) {
    dispatch_data_t data = dispatch_data_create_f(octets, size, NULL, NULL, NULL);
    nw_ethernet_channel_send_f(lab.channel, data, (uint16_t)tag, to, NULL, on_sent);
    dispatch_release(data);
}

static void fill(unsigned char *to, unsigned tag, size_t size) {
    char *octets = calloc(1, size + 1);
    memset(octets, 'x', size);
    send_octets(octets, size, tag, to);
    free(octets);
}

static void flood(unsigned char *to, unsigned count, size_t size) {
    char *octets = calloc(1, size + 1);
    dispatch_data_t data = dispatch_data_create_f(octets, size, NULL, NULL, NULL);
    for (unsigned i = 0; i < count; i++)
        nw_ethernet_channel_send_f(lab.channel, data, 0, to, (void *)(uintptr_t)count, on_flooded);
    dispatch_release(data);
    free(octets);
}

static void count_frames(void *context) {
    (void)context;
    printf("frames %u\n", lab.frames);
}

static void on_tick(void *context) {
    (void)context;
    uint64_t t = now(), gap = t - lab.last_tick;
    lab.last_tick = t;
    if (gap > lab.late)
        lab.late = gap;
}

static void obey(char *line) {
    char address[32], text[64];
    unsigned char to[6];
    unsigned a = 0, b = 0;
    if (strcmp(line, "start") == 0) {
        nw_ethernet_channel_start(lab.channel);
    } else if (strcmp(line, "cancel") == 0) {
        nw_ethernet_channel_cancel(lab.channel);
    } else if (strcmp(line, "size") == 0) {
        printf("size %u\n", nw_ethernet_channel_get_maximum_payload_size(lab.channel));
    } else if (sscanf(line, "send %31s %u %63s", address, &a, text) == 3) {
        read_address(address, to);
        send_octets(text, strlen(text), a, to);
    } else if (sscanf(line, "fill %31s %u %u", address, &a, &b) == 3) {
        read_address(address, to);
        fill(to, a, b);
    } else if (sscanf(line, "flood %31s %u %u", address, &a, &b) == 3) {
        read_address(address, to);
        flood(to, a, b);
    } else if (strcmp(line, "hold") == 0) {
        lab.hold = true;
    } else if (strcmp(line, "release") == 0) {
        dispatch_semaphore_signal(lab.held);
        dispatch_async_f(lab.queue, NULL, count_frames);
    } else if (strcmp(line, "lateness") == 0) {
        printf("late %llu\n", (unsigned long long)(lab.late / NSEC_PER_MSEC));
        lab.late = 0;
    } else {
        quit("no such command");
    }
}

static void gone(void) {
    quit("the test has gone");
}

static bool open_channel(nw_interface_t interface) {
    printf("interface %s\n", nw_interface_get_name(interface));
    lab.channel = nw_ethernet_channel_create(lab.ether_type, interface);
    if (lab.channel == NULL) {
        printf("refused\n");
        exit(0);
    }
    nw_ethernet_channel_set_queue(lab.channel, lab.queue);
    nw_ethernet_channel_set_state_changed_handler_f(lab.channel, NULL, on_state);
    nw_ethernet_channel_set_receive_handler_f(lab.channel, NULL, on_frame);
    lab_input_begin(obey, gone);
    return false; /* found */
}

static bool look_at(void *context, nw_interface_t interface) {
    (void)context;
    return strcmp(nw_interface_get_name(interface), lab.name) != 0 || open_channel(interface);
}

static void on_path(void *context, nw_path_t path) {
    (void)context;
    if (lab.channel == NULL)
        nw_path_enumerate_interfaces_f(path, NULL, look_at);
    if (lab.channel != NULL)
        nw_path_monitor_cancel(lab.monitor);
}

static void find_interface(void) {
    lab.monitor = nw_path_monitor_create_for_ethernet_channel();
    nw_path_monitor_set_queue(lab.monitor, dispatch_get_main_queue());
    nw_path_monitor_set_update_handler_f(lab.monitor, NULL, on_path);
    nw_path_monitor_start(lab.monitor);
}

int main(int argc, char **argv) {
    if (argc != 3)
        quit("INTERFACE ETHERTYPE");
    setvbuf(stdout, NULL, _IOLBF, 0);
    lab.name = argv[1];
    lab.ether_type = (uint16_t)strtoul(argv[2], NULL, 0);
    lab.queue = dispatch_queue_create("ethernet", NULL);
    lab.held = dispatch_semaphore_create(0);
    lab.last_tick = now();
    dispatch_source_t tick = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0,
                                                    dispatch_queue_create("timer", NULL));
    dispatch_source_set_timer(tick, DISPATCH_TIME_NOW, TICK_MS * NSEC_PER_MSEC, 0);
    dispatch_source_set_event_handler_f(tick, on_tick);
    dispatch_resume(tick);
    find_interface();
    dispatch_main();
}
