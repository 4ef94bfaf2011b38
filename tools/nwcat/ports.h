/*
 * ports.h - "80", "http", "20-30,80,8000-8010" as lists of ports.
 * What:   numbers and ranges for -z, one number or service name elsewhere.
 * Owns:   nothing; a list is a caller's struct.
 */
#ifndef NWCAT_PORTS_H
#define NWCAT_PORTS_H

#include <stdbool.h>
#include <stdint.h>

enum { NWCAT_PORT_MAX = 65535, NWCAT_PORT_WORDS = (NWCAT_PORT_MAX + 1) / 64 };

/* A set of ports: a range given twice is probed once, and always in rising order. */
struct nwcat_ports {
    uint64_t bits[NWCAT_PORT_WORDS];
    unsigned count;
};

/* Reads `text` into `ports` (cleared first). Accepts numbers 1..65535, service names known to the
 * system for `udp` or TCP, ranges "low-high" and lists of these with commas.
 * On failure returns false with the faulty piece (up to piece_size - 1 octets) in `piece`. */
bool nwcat_ports_parse(struct nwcat_ports *ports, const char *text, bool udp, char *piece,
                       unsigned piece_size);

/* The lowest port of the set that is greater than `after`; 0 when there is none. */
uint16_t nwcat_ports_next(const struct nwcat_ports *ports, uint16_t after);

/* True for a decimal number 0..65535 or a service name known to the system. */
bool nwcat_port_is_valid(const char *text, bool udp);

#endif
