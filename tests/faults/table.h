/*
 * table.h - what each system call may answer, and what must then be seen.
 * What:   one row per call and group of errno values with the same consequence; for each party the
 *         outcome. The values are those of the man pages: section 2, and ip(7), tcp(7), udp(7),
 *         netlink(7) for the calls on such sockets.
 */
#ifndef NWI_FAULTS_TABLE_H
#define NWI_FAULTS_TABLE_H

#include "fake/fake_sys.h"

enum fault_class {
    FAULT_TRANSIENT, /* the same call may succeed at once or after an event */
    FAULT_SHORTAGE,  /* descriptors, memory, buffers: may succeed later, and no event tells when */
    FAULT_NETWORK,   /* the peer's or the network's answer */
    FAULT_REFUSED,   /* by the system's rules: permissions, no such family, address in use */
    FAULT_MISUSE, /* only a wrong call could get it: told like any other, never retried blindly */
};

enum outcome {
    ANY = 0, /* this party does not make the call; nobody may be told another errno */
    ON,      /* goes on: the whole echo, and nobody is told of an error */
    WAIT,    /* waiting with errno */
    FAIL,    /* failed with errno */
    TOLD,    /* a completion gets the errno; the rest goes on */
    ON_WAIT, /* depends on which of several calls it was */
    ON_FAIL,
};

enum { FAULT_CODES = 24 };

struct fault {
    enum fake_sys_call call;
    const char *name;
    enum fault_class class;
    struct {
        enum outcome listener, client, peer;
    } tcp, udp;
    int codes[FAULT_CODES]; /* 0 ends */
};

extern const struct fault fault_table[];
extern const size_t fault_count;

#endif
