/*
 * transfer_report.h - what has been transferred over a connection, as plain values.
 * What:   a transfer is what is measured, shared by the connection, which fills it in once at the
 *         end, and the program's report, which the public calls read.
 * Runs:   any thread; a transfer under its lock.
 */
#ifndef NWI_MODEL_TRANSFER_REPORT_H
#define NWI_MODEL_TRANSFER_REPORT_H

#include "base/clock.h"
#include "base/object.h"
#include <Network/connection_report.h>
#include <pthread.h>

struct nwi_transfer_path {
    uint64_t packets_in, packets_out;
    uint64_t octets_in, octets_out; /* of the transport */
    uint64_t octets_out_of_order;   /* received */
    uint64_t octets_out_again;
    uint64_t content_in, content_out; /* octets of the program's */
    nwi_ns rtt, rtt_min, rtt_deviation;
    nw_interface_t interface; /* owned; may be NULL */
    nw_interface_radio_type_t radio;
};

struct nwi_transfer {
    struct nwi_object base;
    pthread_mutex_t lock;
    bool collected; /* then nothing below changes any more */
    uint32_t path_count;
    nwi_ns duration;
    struct nwi_transfer_path path; /* the only one so far: counts when path_count is not 0 */
};

struct nw_data_transfer_report {
    struct nwi_object base;
    struct nwi_transfer *transfer; /* owned */
    void *connection;              /* owned: who measures */
    /* The program gives the report up. Called by its destructor. */
    void (*abandoned)(void *connection, struct nwi_transfer *transfer);
};

/* +1, collecting; NULL: no memory. */
struct nwi_transfer *nwi_transfer_create(void);
/* Ends it. `path` NULL: nothing has been measured. Its interface is consumed. */
void nwi_transfer_collect(struct nwi_transfer *transfer, nwi_ns duration,
                          const struct nwi_transfer_path *path);
bool nwi_transfer_is_collected(struct nwi_transfer *transfer);
/* +1; retains both. NULL: no memory. */
nw_data_transfer_report_t
nwi_transfer_report_create(struct nwi_transfer *transfer, void *connection,
                           void (*abandoned)(void *connection, struct nwi_transfer *transfer));

#endif
