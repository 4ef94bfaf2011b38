/*
 * received.h - the context of one received packet.
 * Runs:   as content_context.h says.
 */
#ifndef NWI_MODEL_RECEIVED_H
#define NWI_MODEL_RECEIVED_H

#include "model/content_context.h"
#include "model/metadata.h"

/* With IP and UDP metadata; +1 or NULL. `receive_time`: as in nwi_ip_metadata. */
nw_content_context_t nwi_received_datagram(nw_ip_ecn_flag_t ecn, uint64_t receive_time);

#endif
