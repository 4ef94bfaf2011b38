/*
 * advertise_descriptor.h - how a listener makes itself known by Bonjour.
 * A listener copies what the descriptor says when nw_listener_set_advertise_descriptor() is called;
 * changes made afterwards need that call again.
 */
#ifndef NETWORK_ADVERTISE_DESCRIPTOR_H
#define NETWORK_ADVERTISE_DESCRIPTOR_H

#include <Network/nw_object.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_advertise_descriptor);

/**
 * Describes a service: name (NULL = the name of this machine), type ("_http._tcp") and domain (NULL
 * = the default domains). Returns a reference, or NULL when the type is NULL or empty, or memory
 * ran out.
 */
NW_EXPORT nw_advertise_descriptor_t nw_advertise_descriptor_create_bonjour_service(
    const char *name, const char *type, const char *domain);

/** Sets the TXT record to these octets, which are copied; NULL or length 0 takes it away. */
NW_EXPORT void
nw_advertise_descriptor_set_txt_record(nw_advertise_descriptor_t advertise_descriptor,
                                       const void *txt_record, size_t txt_length);

/** When another service has the name already, fails instead of choosing another name. Default
 * false. */
NW_EXPORT void
nw_advertise_descriptor_set_no_auto_rename(nw_advertise_descriptor_t advertise_descriptor,
                                           bool no_auto_rename);
NW_EXPORT bool
nw_advertise_descriptor_get_no_auto_rename(nw_advertise_descriptor_t advertise_descriptor);

NW_EXTERN_C_END

#endif
