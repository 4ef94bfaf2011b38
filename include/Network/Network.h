/*
 * Network.h - the whole Network framework, and what programs expect to come with it: the queues of
 * <dispatch/dispatch.h>, the TLS settings of <Security/Security.h>, the C library's stdio, stdlib,
 * string, errno and sockets, Block_copy() where the compiler knows blocks, and the name `nil`.
 */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __BLOCKS__
#include <Block.h>
#endif
#if defined(__has_include)
#if __has_include(<uuid/uuid.h>)
#include <uuid/uuid.h>
#endif
#endif

#include <Security/Security.h>
#include <dispatch/dispatch.h>

#include <Network/advertise_descriptor.h>
#include <Network/connection.h>
#include <Network/connection_report.h>
#include <Network/content_context.h>
#include <Network/endpoint.h>
#include <Network/error.h>
#include <Network/ethernet_channel.h>
#include <Network/interface.h>
#include <Network/ip_options.h>
#include <Network/listener.h>
#include <Network/nw_object.h>
#include <Network/parameters.h>
#include <Network/path.h>
#include <Network/path_monitor.h>
#include <Network/protocol_options.h>
#include <Network/tcp_options.h>
#include <Network/tls_options.h>
#include <Network/txt_record.h>
#include <Network/udp_options.h>

#include <Network/compat.h>

#endif
