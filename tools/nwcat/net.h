/*
 * net.h - small calls to the Network framework that several modes need.
 */
#ifndef NWCAT_NET_H
#define NWCAT_NET_H

#include "app.h"
#include "tls.h"

#include <Network/Network.h>

/* Parameters as the options ask: TCP or UDP, TLS, IP version, local address. With TLS, `trust` is
 * told of the peer's certificate. NULL after a complaint on standard error; `status` then says how
 * to exit. */
nw_parameters_t nwcat_parameters_create(const struct nwcat_app *app, struct nwcat_trust *trust,
                                        enum nwcat_status *status);
/* Where to connect: a host, or with -U the path. NULL when it cannot be one. */
nw_endpoint_t nwcat_remote_endpoint(const struct nwcat_app *app, const char *port);

/* "[2001:db8::1]:80", "192.0.2.1:80", "/run/x.sock", "host:80" into `text`. NULL gives "". */
void nwcat_endpoint_text(char *text, size_t size, nw_endpoint_t endpoint);
/* The ends of the connection as it stands, "" where unknown. */
void nwcat_connection_ends(nw_connection_t connection, char *remote, char *local, size_t size);
/* The name of the interface that carries it, "" when unknown. */
void nwcat_connection_interface(nw_connection_t connection, char *text, size_t size);

#endif
