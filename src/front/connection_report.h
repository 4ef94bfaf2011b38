/*
 * connection_report.h - what a connection counts and measures while somebody wants a report.
 * What:   counters that exist only while a data transfer report is collecting.
 * Runs:   in the protocol context.
 */
#ifndef NWI_FRONT_CONNECTION_REPORT_H
#define NWI_FRONT_CONNECTION_REPORT_H

#include "front/connection.h"

/* The chain delivered `size` octets, a datagram where it has messages. Only while
 * protocol.transfers is set, as the next one. */
void nwi_connection_count_in(nw_connection_t connection, size_t size);
/* The chain has taken a piece of content; `message`: the last one of a datagram. */
void nwi_connection_count_out(nw_connection_t connection, size_t size, bool message);
/* The connection has become ready: reports that wait for it begin. */
void nwi_connection_begin_transfers(nw_connection_t connection);
/* The connection ends: reports are collected, while its chain can still be asked. */
void nwi_connection_end_transfers(nw_connection_t connection);

#endif
