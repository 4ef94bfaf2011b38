/*
 * path_watcher.c - a path monitor that writes each path it is told as one line.
 * What:   path_watcher [-c] [-e] [-t TYPE] [-p TYPE]
 *         -e: of an Ethernet channel. -t, -p: the required or prohibited type of interface (other,
 *         wifi, cellular, wired, loopback). -c: each path's line ends with what it costs.
 * Input:  "usage" (processor time of this process until now), "cancel" (then it ends).
 * Output: "path STATUS INTERFACES FAMILIES DNS GATEWAYS" ("-" for none), "usage MICROSECONDS",
 *         "cancelled". What it costs: "free" or "expensive".
 * Runs:   on the main queue; the input is read as it comes.
 */
#include "lab_input.h"
#include <Network/Network.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static nw_path_monitor_t monitor;
static bool costs_told;

static const char *const types[] = {"other", "wifi", "cellular", "wired", "loopback"};
static nw_interface_type_t type_named(const char *name) {
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i], name) == 0)
            return (nw_interface_type_t)i;
    fprintf(stderr, "path_watcher: no such type: %s\n", name);
    exit(2);
}

/* --- output --- */
static bool add_interface(void *context, nw_interface_t interface) {
    bool *first = context;
    printf("%s%s", *first ? "" : ",", nw_interface_get_name(interface));
    *first = false;
    return true;
}

static bool add_gateway(void *context, nw_endpoint_t gateway) {
    bool *first = context;
    printf("%s%s", *first ? "" : ",", nw_endpoint_get_hostname(gateway));
    *first = false;
    return true;
}

static void on_path(void *context, nw_path_t path) {
    static const char *const states[] = {"invalid", "satisfied", "unsatisfied", "satisfiable"};
    bool first = true;
    (void)context;
    printf("path %s ", states[nw_path_get_status(path)]);
    nw_path_enumerate_interfaces_f(path, &first, add_interface);
    bool v4 = nw_path_has_ipv4(path), v6 = nw_path_has_ipv6(path);
    printf("%s %s%s%s %s ", first ? "-" : "", v4 ? "4" : "", v6 ? "6" : "", v4 || v6 ? "" : "-",
           nw_path_has_dns(path) ? "dns" : "-");
    first = true;
    nw_path_enumerate_gateways_f(path, &first, add_gateway);
    if (first)
        putchar('-');
    if (costs_told)
        printf(" %s", nw_path_is_expensive(path) ? "expensive" : "free");
    putchar('\n');
}

static void on_cancelled(void *context) {
    (void)context;
    puts("cancelled");
    exit(0);
}

/* --- input --- */
static void obey(char *line) {
    struct rusage usage;
    if (strcmp(line, "cancel") == 0)
        nw_path_monitor_cancel(monitor);
    if (strcmp(line, "usage") != 0)
        return;
    getrusage(RUSAGE_SELF, &usage);
    printf("usage %lld\n", (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                               usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void gone(void) {
    exit(0);
}

int main(int argc, char **argv) {
    int option;
    unsigned prohibited = 0; /* bit n: type n */
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt(argc, argv, "cet:p:")) != -1) {
        if (option == 'c')
            costs_told = true;
        else if (option == 'e')
            monitor = nw_path_monitor_create_for_ethernet_channel();
        else if (option == 't')
            monitor = nw_path_monitor_create_with_type(type_named(optarg));
        else if (option == 'p')
            prohibited |= 1u << type_named(optarg);
        else
            return 2;
    }
    if (monitor == NULL)
        monitor = nw_path_monitor_create();
    for (unsigned type = 0; type < sizeof types / sizeof types[0]; type++)
        if (prohibited & 1u << type)
            nw_path_monitor_prohibit_interface_type(monitor, (nw_interface_type_t)type);
    nw_path_monitor_set_queue(monitor, dispatch_get_main_queue());
    nw_path_monitor_set_update_handler_f(monitor, NULL, on_path);
    nw_path_monitor_set_cancel_handler_f(monitor, NULL, on_cancelled);
    nw_path_monitor_start(monitor);
    lab_input_begin(obey, gone);
    dispatch_main();
}
