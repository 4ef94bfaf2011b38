/*
 * costs_peer.c - says what the path costs, a line for each change, until its input ends.
 * Use:    costs_peer INTERFACE
 * Prints: expensive=0 constrained=0 ultra=0 quality=0 type=wired denied=0
 */
#include "dispatch/serial.h"
#include "path/monitor.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *interface;

static void print(void) {
    static const char *const types[] = {"other", "wifi", "cellular", "wired", "loopback"};
    static char before[128];
    char line[128] = "none\n";
    struct nwi_path_table *table = nwi_path_copy_table();
    for (size_t i = 0; table != NULL && i < table->interface_count; i++) {
        const struct nwi_path_interface *found = &table->interfaces[i];
        unsigned type = found->type <= nw_interface_type_wired ? (unsigned)found->type : 4;
        if (strcmp(found->link.name, interface) == 0)
            snprintf(line, sizeof line,
                     "expensive=%d constrained=%d ultra=%d quality=%d type=%s denied=%d\n",
                     found->expensive, found->constrained, found->ultra_constrained,
                     (int)found->quality, types[type], table->local_network_denied);
    }
    nwi_release(table);
    if (strcmp(line, before) == 0)
        return;
    strcpy(before, line);
    fputs(line, stdout);
    fflush(stdout);
}

static void changed(void *context) {
    (void)context;
    print();
}

static void first_run(struct nwi_task *task) {
    (void)task;
    print();
}

int main(int argc, char **argv) {
    static struct nwi_serial context;
    static struct nwi_task first = {.run = first_run};
    struct nwi_path_subscription *subscription;
    char rest[64];
    if (argc != 2)
        return 2;
    interface = argv[1];
    nwi_serial_init(&context, NULL, NULL);
    nwi_err err = nwi_path_subscribe(&context, NULL, changed, NULL, &subscription);
    if (err != 0) {
        fprintf(stderr, "costs_peer: %s\n", nwi_err_text(err));
        return 1;
    }
    nwi_serial_push(&context, &first);
    while (read(STDIN_FILENO, rest, sizeof rest) > 0)
        continue;
    return 0;
}
