/*
 * bus_messages.h - messages of D-Bus without a bus, for decoders.
 * What:   an sd_bus on a socket pair that nobody reads: messages are made, sealed and read again.
 */
#ifndef FAKE_BUS_MESSAGES_H
#define FAKE_BUS_MESSAGES_H

#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

static inline sd_bus *bus_for_messages(void) {
    int pair[2];
    sd_bus *bus = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0 ||
        sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, pair[0], pair[0]) < 0 || sd_bus_start(bus) < 0)
        abort();
    return bus; /* pair[1] stays open: the other side that never answers */
}

/* Ends a message, so that it can be read from its start. NULL when it cannot be (containers left
 * open). */
static inline sd_bus_message *bus_sealed(sd_bus_message *message) {
    if (sd_bus_message_seal(message, 1, 0) < 0 || sd_bus_message_rewind(message, 1) < 0)
        return sd_bus_message_unref(message);
    return message;
}

#endif
