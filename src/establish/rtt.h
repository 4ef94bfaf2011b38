/*
 * rtt.h - round-trip times measured to addresses, kept for the next race to them.
 * What:   a small table over the whole process; old entries give way.
 * Source: RFC 8305 section 5: the attempt delay may be shortened and lengthened by what is known of
 *         a server.
 * Runs:   any thread.
 */
#ifndef NWI_ESTABLISH_RTT_H
#define NWI_ESTABLISH_RTT_H

#include "base/clock.h"
#include "stack/chain.h"

/* Takes the kernel's estimate of a fresh connection, else the time it took to connect. Returns that
 * estimate; 0: the kernel has none. */
nwi_ns nwi_rtt_learn(nw_endpoint_t remote, const struct nwi_chain *chain, nwi_ns took);
/* That estimate alone, of any chain. */
nwi_ns nwi_rtt_estimate(const struct nwi_chain *chain);
/* 0 = unknown. The port does not count. */
nwi_ns nwi_rtt_known(const struct sockaddr *address);

#endif
