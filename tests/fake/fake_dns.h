/*
 * fake_dns.h - a DNS server in the test process, on loopback, that answers by a script.
 * What:   UDP and TCP on one port of 127.0.0.1; each question is looked up in a table of rules.
 * Runs:   a thread of its own.
 */
#ifndef FAKE_DNS_H
#define FAKE_DNS_H

#include <stdbool.h>
#include <stdint.h>

enum fake_dns_kind {
    FAKE_DNS_ANSWER,   /* `records` (none: NOERROR without data), after `cnames` */
    FAKE_DNS_SILENT,   /* nothing */
    FAKE_DNS_RCODE,    /* `rcode` */
    FAKE_DNS_TRUNCATE, /* UDP: TC set, no records; TCP: the records */
    FAKE_DNS_GARBAGE,  /* the right header and question, then octets that are no record */
    FAKE_DNS_STRANGER, /* first an answer from another port, then the right one */
};

struct fake_dns_rule {
    const char *name; /* lower case; NULL: any */
    int type;         /* 1 A, 28 AAAA, 0 any */
    enum fake_dns_kind kind;
    int rcode;
    unsigned delay_ms;
    uint32_t ttl;
    const char *cnames[3];  /* chain from the name on */
    const char *records[8]; /* addresses of the type asked for; others are left out */
    unsigned many;          /* more A records, 10.0.x.y, up to this many in all */
};

struct fake_dns;
/* The rules (ended by one with kind ANSWER and name "") are borrowed. Names without a rule get
 * NXDOMAIN. NULL: no socket. */
struct fake_dns *fake_dns_start(const struct fake_dns_rule *rules);
void fake_dns_stop(struct fake_dns *server);
uint16_t fake_dns_port(const struct fake_dns *server);
/* Questions seen so far for a name (NULL: any) and type (0: any). */
unsigned fake_dns_questions(struct fake_dns *server, const char *name, int type);
/* Questions seen over TCP. */
unsigned fake_dns_tcp_questions(struct fake_dns *server);

#endif
