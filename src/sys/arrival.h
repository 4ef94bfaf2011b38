/*
 * arrival.h - by which interface a TCP connection came in.
 * What:   asks the kernel what it kept of the first packet.
 * Source: ip(7), IP_PKTINFO; IP_PKTOPTIONS and IPV6_2292PKTOPTIONS, which Linux answers for TCP.
 * Runs:   any thread; nothing here blocks.
 */
#ifndef NWI_SYS_ARRIVAL_H
#define NWI_SYS_ARRIVAL_H

#include "base/err.h"

/* For a listening socket of that family: connections accepted from here on can be asked. */
nwi_err nwi_arrival_enable(int fd, int family);
/* Of an accepted socket; `family` is that of the listening one. Errors: ENOPROTOOPT, EOPNOTSUPP
 * (Multipath TCP), ENODATA: not known. */
nwi_err nwi_arrival_interface(int fd, int family, unsigned *ret_index);

#endif
