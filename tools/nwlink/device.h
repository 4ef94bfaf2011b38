/*
 * device.h - network interfaces in the namespace that this thread is in: made, set up, opened.
 * What:   every function says in `why` (NWLINK_WHY octets) what is wrong, naming the interface.
 */
#ifndef NWLINK_DEVICE_H
#define NWLINK_DEVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* What to do about it when the kernel refused with EPERM or EACCES; else "". */
const char *nwlink_rights_hint(int error);

/* A TUN interface, or with `tap` a TAP; it lives as long as the descriptor returned, which does not
 * block. Below 0: `why`. `name` (IFNAMSIZ octets) may be a pattern such as nw%d: it becomes the
 * name. */
int nwlink_device_make(char *name, bool tap, char *why);
/* Sets the MTU and, where the kernel permits, the length of the interface's own queue (0: leaves
 * it), and brings it up. */
bool nwlink_device_up(const char *name, unsigned mtu, unsigned queue, char *why);
/* The MTU; 0: `why`. */
unsigned nwlink_device_mtu(const char *name, char *why);
/* Gives the TUN or TAP interface of that descriptor a carrier or takes it away, as a plug does.
 * Returns 0 or the error. The descriptor knows its namespace: this needs not be there. */
int nwlink_device_carrier(int fd, bool carrier);
/* A packet socket that reads all that comes in by the interface, whomever it is for, a
 * virtio_net_hdr before each frame; or one that writes frames. They do not block. Below 0: `why`.
 */
int nwlink_device_listen(const char *name, char *why);
int nwlink_device_send(const char *name, char *why);
/* Adds an address "ADDRESS/PREFIX", usable at once (no duplicate address detection). */
bool nwlink_device_address(const char *name, const char *address, char *why);
/* Whether the text is such an address. */
bool nwlink_address_is_valid(const char *address);
/* A default route for the family of `gateway`, which is an ADDRESS with or without a /PREFIX. */
bool nwlink_device_route(const char *name, const char *gateway, char *why);

#endif
