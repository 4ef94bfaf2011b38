/*
 * nl80211.h - the signal of Wi-Fi interfaces, as the kernel tells it.
 * What:   one question and its answer inside the call, and a descriptor that becomes readable when
 *         the answer may be another one: connected, roamed, a scan has ended, a threshold crossed.
 * Source: generic netlink (Documentation/userspace-api/netlink/intro.rst), linux/nl80211.h.
 * Runs:   any thread; nothing waits, but a driver may take milliseconds to answer.
 */
#ifndef NWI_SYS_NL80211_H
#define NWI_SYS_NL80211_H

#include "base/err.h"
#include "sys/table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NWI_NL80211_GROUPS = 2 };

/* Of the running kernel: numbers are given out as modules are loaded. */
struct nwi_nl80211 {
    uint16_t family;
    uint32_t groups[NWI_NL80211_GROUPS]; /* "mlme" and "scan"; 0: not there */
};

/* Errors: posix ENOENT: the kernel has no Wi-Fi; those of the socket calls. */
nwi_err nwi_nl80211_find(struct nwi_nl80211 *ret);
/* A non-blocking descriptor of the caller's. Errors: those of the socket calls. */
nwi_err nwi_nl80211_subscribe(const struct nwi_nl80211 *wifi, int *ret_fd);
/* Reads all that waits; what it says is not looked at: any event is a reason to ask. Errors: those
 * of recvmsg, not would-block. */
nwi_err nwi_nl80211_drain(int fd);
/* The strength, in dBm, at which the interface hears its access point. Errors: posix ENODATA: it
 * has none (not connected, or an access point itself); ENODEV: no Wi-Fi interface; those of the
 * socket calls. */
nwi_err nwi_nl80211_signal(const struct nwi_nl80211 *wifi, unsigned index, int *ret_dbm);

#endif
