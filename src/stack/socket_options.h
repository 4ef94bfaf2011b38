/*
 * socket_options.h - what IP options and parameters ask of any socket, whichever transport is above
 * it.
 * Source: ip(7), ipv6(7), socket(7); RFC 5014 (address preferences); RFC 4594 and RFC 8622 (service
 *         classes).
 */
#ifndef NWI_STACK_SOCKET_OPTIONS_H
#define NWI_STACK_SOCKET_OPTIONS_H

#include "base/err.h"
#include "model/parameters.h"

enum { NWI_IPV6_MINIMUM_MTU = 1280 }; /* octets; RFC 8200 section 5 */

/* Sets hop limit, fragmentation, address preference, service class. What the kernel does not know
 * is logged and passed over: these tune a connection, they do not decide whether it may exist. On
 * an AF_INET6 socket they hold for its IPv4 traffic too. */
void nwi_socket_apply_ip_options(int fd, int family, nw_parameters_t parameters);
/* The differentiated services code point of a service class (six bits). */
uint8_t nwi_service_class_dscp(nw_service_class_t service_class);
/* Its priority in the machine's own queues (SO_PRIORITY, 0 to 6). */
int nwi_service_class_priority(nw_service_class_t service_class);
/* Whether a listener on `local` serves IPv4 on its IPv6 socket too: any address, and no version
 * asked for. */
bool nwi_is_dual_stack(nw_parameters_t parameters, const struct sockaddr *local);
/* One option; a refusal is logged with its name. */
void nwi_socket_tune(int fd, int level, int name, int value, const char *what);

#endif
