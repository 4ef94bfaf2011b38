/*
 * air.h - two chains with DTLS on top, joined by a wire that loses, doubles and disorders; time is
 *         the test's.
 * What:   every choice is of a hash of the seed and the number of the datagram, so a run can be had
 *         again.
 */
#ifndef NWI_TESTS_TLS_AIR_H
#define NWI_TESTS_TLS_AIR_H

#include "fake/fake_time.h"
#include "pair.h"
#include "protocol/tls/cookie.h"

enum { AIR_ROOM = 4096, AIR_DATAGRAM = 20000, AIR_MESSAGES = 512 };

struct flying {
    nwi_ns at;
    unsigned char *octets; /* owned */
    size_t size;
    bool to_server;
};

struct end {
    struct air *air;
    struct nwi_chain *chain;
    struct nwi_layer *layer; /* the air below; NULL once disconnected */
    size_t window;
    bool reads; /* the owner asks for the next message at once */
    struct flying inbox[AIR_ROOM];
    size_t first, count;
    /* what the owner saw */
    int connected, failed, soft_errors, asking;
    nwi_err error;
    size_t sizes[AIR_MESSAGES], messages;
    unsigned last_number; /* in the first four octets of the last message */
    bool ended, context_missing;
};

struct air {
    struct pair pair; /* for the options and keys of both */
    struct end client, server;
    struct flying flying[AIR_ROOM];
    size_t count;
    struct nwi_dtls_cookies *cookies; /* NULL: the server hears everybody */
    bool admitted;
    /* conditions */
    uint64_t seed;
    unsigned loss, twice, late; /* in a hundred */
    unsigned damaged;           /* the same: one octet of them is another */
    size_t mtu;                 /* more is lost; 0: no limit */
    size_t refused_above;       /* EMSGSIZE; 0: no limit */
    size_t maximum;             /* what the layer below says */
    bool cut;                   /* all is lost */
    nwi_err send_error;         /* of each datagram of the client */
    unsigned lose_from_server;  /* the next so many */
    /* counters */
    unsigned sent, sent_by_client, largest;
};

void air_init(struct air *air, uint64_t seed);
/* Makes the chains and connects them. */
void air_start(struct air *air);
/* All that happens in so long a time. */
void air_pass(struct air *air, nwi_ns time);
/* Until both are connected or one has failed, at most so long. Returns how long it took. */
nwi_ns air_shake(struct air *air, nwi_ns patience);
void air_end(struct air *air);
/* A datagram from nowhere. */
void air_inject(struct air *air, bool to_server, const void *octets, size_t size);
void end_send(struct end *end, const void *octets, size_t size, bool final, struct sent *sent);

#endif
