/*
 * endpoint.h - where to connect to, or what to listen on.
 * An endpoint never changes after creation and may be used from any thread. Strings and addresses
 * that a `get` function returns live as long as the endpoint.
 */
#ifndef NETWORK_ENDPOINT_H
#define NETWORK_ENDPOINT_H

#include <Network/nw_object.h>
#include <Network/txt_record.h>
#include <netinet/in.h>
#include <sys/socket.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_endpoint);

/** What an endpoint is made of. Other values may come later: treat them as unknown. */
typedef enum {
    nw_endpoint_type_invalid = 0, /* not an endpoint (NULL) */
    nw_endpoint_type_address = 1, /* an IP address and port, or the path of a local socket */
    nw_endpoint_type_host = 2,    /* a host name and port, to be resolved */
    nw_endpoint_type_bonjour_service = 3, /* a service found by Bonjour */
    nw_endpoint_type_url = 4,             /* a URL */
} nw_endpoint_type_t;

/** The endpoint's type; nw_endpoint_type_invalid for NULL. */
NW_EXPORT nw_endpoint_type_t nw_endpoint_get_type(nw_endpoint_t endpoint);

/**
 * Creates an endpoint from a host name and a port.
 * hostname: a name, or an IP literal ("192.0.2.1", "2001:db8::1", "fe80::1%eth0", the scope by name
 * or number), which gives an endpoint of type address. port: a decimal number or the name of a
 * service
 * ("https"); "0" means any port. Returns a reference, or NULL when an argument is NULL or empty,
 * the host name is longer than 253 octets, the port is unknown or out of range, the scope names no
 * interface, or memory ran out.
 */
NW_EXPORT nw_endpoint_t nw_endpoint_create_host(const char *hostname, const char *port);

/**
 * The host name of a host or URL endpoint. For an address endpoint its text form, for a local
 * socket its path; else NULL. The text is lent.
 */
NW_EXPORT const char *nw_endpoint_get_hostname(nw_endpoint_t endpoint);

/** The port in decimal of a host or address endpoint, else NULL. The caller frees it. */
NW_EXPORT char *nw_endpoint_copy_port_string(nw_endpoint_t endpoint);

/** The port, in host byte order, of a host, address or URL endpoint; else 0. */
NW_EXPORT uint16_t nw_endpoint_get_port(nw_endpoint_t endpoint);

/**
 * Creates an endpoint from a socket address, which is copied. Families: AF_INET, AF_INET6 (scope
 * kept) and AF_UNIX (a path, ended by a zero octet or by the end of sun_path). Returns a reference,
 * or NULL for another family, an empty path, or when memory ran out.
 */
NW_EXPORT nw_endpoint_t nw_endpoint_create_address(const struct sockaddr *address);

/** The address of an address endpoint as text, without the port; else NULL. The caller frees it. */
NW_EXPORT char *nw_endpoint_copy_address_string(nw_endpoint_t endpoint);

/** The socket address of an address endpoint; else NULL. Lent. */
NW_EXPORT const struct sockaddr *nw_endpoint_get_address(nw_endpoint_t endpoint);

/**
 * Creates an endpoint for a Bonjour service: its instance name, its type ("_http._tcp") and its
 * domain
 * ("local"). Returns a reference, or NULL when an argument is NULL or the name or type is empty. An
 * empty domain stands for the default one.
 */
NW_EXPORT nw_endpoint_t nw_endpoint_create_bonjour_service(const char *name, const char *type,
                                                           const char *domain);

/** The service's instance name; NULL unless the endpoint is a Bonjour service. Lent. */
NW_EXPORT const char *nw_endpoint_get_bonjour_service_name(nw_endpoint_t endpoint);
/** The service's type; NULL unless the endpoint is a Bonjour service. Lent. */
NW_EXPORT const char *nw_endpoint_get_bonjour_service_type(nw_endpoint_t endpoint);
/** The service's domain; NULL unless the endpoint is a Bonjour service. Lent. */
NW_EXPORT const char *nw_endpoint_get_bonjour_service_domain(nw_endpoint_t endpoint);

/**
 * Creates an endpoint from a URL with a host ("scheme://[user@]host[:port][/...]", RFC 3986). Its
 * host name and port come from the URL; without a port the scheme's own is used (http and ws 80,
 * https and wss 443, ftp 21), else 0. Returns a reference, or NULL when it cannot be parsed.
 */
NW_EXPORT nw_endpoint_t nw_endpoint_create_url(const char *url);

/** The URL as it was given; NULL unless the endpoint is a URL. Lent. */
NW_EXPORT const char *nw_endpoint_get_url(nw_endpoint_t endpoint);

/** A reference to the TXT record that browsing or resolution found for the service, or NULL. */
NW_EXPORT nw_txt_record_t nw_endpoint_copy_txt_record(nw_endpoint_t endpoint);

/**
 * The public key that the endpoint is signed with, or NULL when it is not signed.
 * out_signature_length: receives the octets of the result, 0 for NULL; may itself be NULL. Lent.
 */
NW_EXPORT const uint8_t *nw_endpoint_get_signature(nw_endpoint_t endpoint,
                                                   size_t *out_signature_length);

NW_EXTERN_C_END

#endif
