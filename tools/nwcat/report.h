/*
 * report.h - both reports on a connection, as plain values and as text.
 * What:   report_collect.c fills it from the public API; report_text.c words it, events.c makes
 *         JSON of it. Times are milliseconds, rounded down as the library tells them.
 */
#ifndef NWCAT_REPORT_H
#define NWCAT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { NWCAT_REPORT_MOST = 4, NWCAT_REPORT_TEXT = 128 }; /* of each list; octets of an endpoint */

struct nwcat_resolution {
    const char *source;   /* "query", "cache", "expired-cache" */
    const char *protocol; /* "udp", "tcp", "tls", "https"; NULL: nobody was asked, or not known */
    uint64_t ms;
    unsigned endpoints;
    char preferred[NWCAT_REPORT_TEXT], successful[NWCAT_REPORT_TEXT];
};

struct nwcat_handshake {
    const char *protocol; /* "tcp" */
    uint64_t ms, rtt_ms;
};

struct nwcat_carried { /* over one path */
    char interface_name[32];
    const char *interface_type; /* "wired" */
    const char *radio;          /* "wifi-ac"; NULL: none, or not known */
    uint64_t content_in, content_out, transport_in, transport_out; /* octets */
    uint64_t packets_in, packets_out;
    uint64_t again_in, again_out, disordered; /* octets: received twice, sent again, out of order */
    uint64_t rtt_ms, rtt_min_ms, rtt_variance_ms;
};

struct nwcat_report {
    unsigned number;  /* of the connection */
    bool accepted;    /* by a listener: nothing was established from here */
    bool untimed;     /* UDP, Unix: nothing is sent again, no round trips are known */
    bool established; /* else only the transfer report, without paths */
    uint64_t took_ms, started_after_ms;
    unsigned previous_attempts;
    bool proxy_used, proxy_configured;
    char proxy[NWCAT_REPORT_TEXT];
    unsigned resolution_count, handshake_count, path_count;
    struct nwcat_resolution resolutions[NWCAT_REPORT_MOST];
    struct nwcat_handshake handshakes[NWCAT_REPORT_MOST];
    uint64_t measured_ms;
    struct nwcat_carried paths[NWCAT_REPORT_MOST];
};

void nwcat_report_print(const struct nwcat_report *report, FILE *out);

#endif
