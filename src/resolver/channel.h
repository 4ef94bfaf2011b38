/*
 * channel.h - one c-ares channel on our loop.
 * What:   asks DNS servers for the A or AAAA records of exactly one name; no search list, no cache.
 * Runs:   every function in the context given at creation; the functions called back too.
 */
#ifndef NWI_RESOLVER_CHANNEL_H
#define NWI_RESOLVER_CHANNEL_H

#include "base/err.h"
#include "resolver/resolver.h"
#include <stddef.h>
#include <stdint.h>

struct nwi_channel;
struct nwi_loop;
struct nwi_serial;

struct nwi_channel_settings { /* zero = default; see nwi_resolver_config */
    const char *resolv_conf;  /* borrowed for the call; required */
    uint16_t server_port;
    unsigned timeout_ms;
    unsigned tries;
};

/* `status` is c-ares's (ARES_SUCCESS and the like); the message, where there is one, is borrowed
 * for the call. May be called inside nwi_channel_query. ARES_EDESTRUCTION: the channel was closed.
 */
typedef void (*nwi_channel_fn)(void *handler_context, int status, const unsigned char *message,
                               size_t size);

/* Reads resolv.conf. `owner` (an object) keeps the context alive and is retained. Errors:
 * dns/NoMemory, dns/ServiceNotRunning (the file makes no sense). */
nwi_err nwi_channel_open(const struct nwi_channel_settings *settings, struct nwi_serial *context,
                         struct nwi_loop *loop, void *owner, struct nwi_channel **ret_channel);
/* Ends all questions (their functions are called, with ARES_EDESTRUCTION) and closes the sockets.
 * Not to be called inside a function called back. NULL is fine. Returns NULL. */
void *nwi_channel_close(struct nwi_channel *channel);
/* family: AF_INET asks for A, AF_INET6 for AAAA. */
void nwi_channel_query(struct nwi_channel *channel, const char *name, int family,
                       nwi_channel_fn handler, void *handler_context);
/* How the message came, inside the function that gets it: c-ares calls that while it reads the
 * socket of the answer. */
enum nwi_resolve_protocol nwi_channel_protocol(const struct nwi_channel *channel);
/* The search list of resolv.conf. */
size_t nwi_channel_domain_count(const struct nwi_channel *channel);
const char *nwi_channel_domain(const struct nwi_channel *channel, size_t index);
/* A name with at least this many dots is asked as it stands before the search list is tried. */
unsigned nwi_channel_ndots(const struct nwi_channel *channel);

#endif
