/*
 * establishment_options.h - how a connection's addresses are raced. It is libnw's own: the original
 * has no such calls, and <Network/Network.h> does not include this header. Source: RFC 8305
 * sections 3, 5 and 8.
 */
#ifndef NETWORK_ESTABLISHMENT_OPTIONS_H
#define NETWORK_ESTABLISHMENT_OPTIONS_H

#include <Network/parameters.h>

NW_EXTERN_C_BEGIN

/**
 * Sets how long the next address waits after an attempt was started: milliseconds, at least 10 and
 * at most 2000 (other values are brought into that range). Default 250, or computed from the
 * round-trip time where one has been measured to the address.
 */
NW_EXPORT void nw_parameters_set_attempt_delay_milliseconds(nw_parameters_t parameters,
                                                            uint32_t milliseconds);
/** The attempt delay set; 250 when none was, 0 for NULL. */
NW_EXPORT uint32_t nw_parameters_get_attempt_delay_milliseconds(nw_parameters_t parameters);

/**
 * Sets how long addresses of the other family wait for the answer of the preferred one (IPv6):
 * milliseconds, 0 = they do not wait. Default 25.
 */
NW_EXPORT void nw_parameters_set_resolution_delay_milliseconds(nw_parameters_t parameters,
                                                               uint32_t milliseconds);
/** The resolution delay set; 25 when none was, 0 for NULL. */
NW_EXPORT uint32_t nw_parameters_get_resolution_delay_milliseconds(nw_parameters_t parameters);

NW_EXTERN_C_END

#endif
