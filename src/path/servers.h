/*
 * servers.h - whether this machine knows a name server, and when that may have changed.
 * What:   /etc/resolv.conf, read when asked; watched while the network is.
 * Source: resolv.conf(5).
 * Runs:   as each function says.
 */
#ifndef NWI_PATH_SERVERS_H
#define NWI_PATH_SERVERS_H

#include "dispatch/serial.h"

/* Any thread: a line of the file begins with "nameserver". */
bool nwi_servers_named(void);

/* In `context`, in pairs; it never ends. `changed` runs in it after each change of the file. What
 * cannot be watched (no inotify left) is logged. */
void nwi_servers_watch_begin(struct nwi_serial *context, void (*changed)(void));
void nwi_servers_watch_end(void);

/* Tests: another file; NULL restores. Not while watched. */
void nwi_servers_set_file(const char *path);

#endif
