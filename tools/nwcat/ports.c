/*
 * ports.c - "80", "http", "20-30,80" as a set of ports.
 * What:   the reader of port lists and ranges for -z.
 * Source: RFC 6335 section 5.1 (service names have a letter; letters, digits and inner hyphens).
 * Runs:   while the command line is read; no I/O but the services database.
 */
#include "ports.h"

#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 64 };

/* All of `text` as a decimal number in [low, high]; -1 when it is not. */
static long read_number(const char *text, long low, long high) {
    if (*text == '\0')
        return -1;
    long value = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (!isdigit((unsigned char)*p))
            return -1;
        value = value * 10 + (*p - '0');
        if (value > high)
            return -1;
    }
    return value >= low ? value : -1;
}

static long read_service(const char *text, bool udp) {
    struct servent entry, *found = NULL;
    char buffer[1024];
    if (getservbyname_r(text, udp ? "udp" : "tcp", &entry, buffer, sizeof buffer, &found) != 0 ||
        found == NULL)
        return -1;
    return ntohs((uint16_t)found->s_port);
}

bool nwcat_port_is_valid(const char *text, bool udp) {
    return read_number(text, 0, NWCAT_PORT_MAX) >= 0 || read_service(text, udp) >= 0;
}

static void add_range(struct nwcat_ports *ports, long low, long high) {
    for (long port = low; port <= high; port++) {
        uint64_t bit = 1ull << (port % 64);
        if ((ports->bits[port / 64] & bit) == 0)
            ports->count++;
        ports->bits[port / 64] |= bit;
    }
}

/* One piece between commas. A name may hold hyphens ("iso-tsap"), so the name is tried whole first.
 */
static bool add_piece(struct nwcat_ports *ports, char *piece, bool udp) {
    long port = read_number(piece, 1, NWCAT_PORT_MAX);
    if (port < 0 && isalpha((unsigned char)piece[0]))
        port = read_service(piece, udp);
    if (port >= 0) {
        add_range(ports, port, port);
        return true;
    }
    char *dash = strchr(piece, '-');
    if (dash == NULL)
        return false;
    *dash = '\0';
    long low = read_number(piece, 1, NWCAT_PORT_MAX);
    long high = read_number(dash + 1, 1, NWCAT_PORT_MAX);
    *dash = '-';
    if (low < 0 || high < low)
        return false;
    add_range(ports, low, high);
    return true;
}

bool nwcat_ports_parse(struct nwcat_ports *ports, const char *text, bool udp, char *piece,
                       unsigned piece_size) {
    memset(ports, 0, sizeof *ports);
    const char *start = text;
    for (;;) {
        size_t length = strcspn(start, ",");
        char part[PIECE_MAX];
        snprintf(part, sizeof part, "%.*s", (int)(length < sizeof part ? length : sizeof part - 1),
                 start);
        if (length >= sizeof part || !add_piece(ports, part, udp)) {
            snprintf(piece, piece_size, "%s", part);
            return false;
        }
        if (start[length] == '\0')
            return true;
        start += length + 1;
    }
}

uint16_t nwcat_ports_next(const struct nwcat_ports *ports, uint16_t after) {
    for (unsigned port = (unsigned)after + 1; port <= NWCAT_PORT_MAX; port++)
        if (ports->bits[port / 64] >> (port % 64) & 1)
            return (uint16_t)port;
    return 0;
}
