/*
 * monitor.h - being told when the network changed.
 * What:   one watch on netlink for the whole process, running while anybody listens, and for good
 *         once nwi_path_keep_watching was called. Bursts of kernel messages become one notice, at
 *         most every 20 ms, and only when the table of path/table.h really differs, or its costs
 *         have settled; or when a route to some place, which that table does not show, came or
 *         went.
 * Runs:   as each function says.
 */
#ifndef NWI_PATH_MONITOR_H
#define NWI_PATH_MONITOR_H

#include "base/clock.h"
#include "path/table.h"

struct nwi_serial;
struct nwi_path_subscription;

#define NWI_PATH_COALESCE (20 * NWI_MS)

/* Any thread. `changed` runs in `context` after each change until nwi_path_unsubscribe. `owner` is
 * the object that embeds the context (as given to nwi_serial_init); borrowed: it unsubscribes
 * before it goes. Errors: those of netlink, NWI_ERR_NOMEM. */
nwi_err nwi_path_subscribe(struct nwi_serial *context, void *owner,
                           void (*changed)(void *handler_context), void *handler_context,
                           struct nwi_path_subscription **ret_subscription);
/* In the context. `changed` does not run afterwards. NULL is fine. Returns NULL. */
struct nwi_path_subscription *nwi_path_unsubscribe(struct nwi_path_subscription *subscription);

/* Any thread: the network is watched from now on until the process ends, whoever listens: the count
 * below goes on, and the hook is called. Errors: as nwi_path_subscribe; then tried again by the
 * next call. */
nwi_err nwi_path_keep_watching(void);
/* Any thread: counts the changes seen while the network was watched, so that who has no
 * subscription can tell whether one came in between. */
unsigned nwi_path_changes(void);

/* Any thread: the latest table, +1. While the network is watched, and no change is known that has
 * not been read, it is at hand; otherwise the kernel is asked. NULL: it could not be read. */
struct nwi_path_table *nwi_path_copy_table(void);
/* Any thread, for who is subscribed: the table that the last notice was about, +1, though a change
 * may be known that it does not show; a notice follows then. NULL: nobody watches. */
struct nwi_path_table *nwi_path_copy_latest(void);
/* Any thread: asks the kernel in any case. As above. */
struct nwi_path_table *nwi_path_read_table(void);

/* Any thread: a function called once per change, before the subscribers are told, from a context of
 * the monitor's own. It is how the resolver, a sibling of this folder, learns that its cached
 * answers are stale. Setting it again to the same is fine; NULL: none. */
void nwi_path_set_hook(void (*changed)(void));

#endif
