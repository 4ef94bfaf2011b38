/*
 * resolver.h - from a host name to addresses: the face of src/resolver.
 * What:   A and AAAA are asked together and answered separately, each once, in the caller's serial
 *         context. IP literals and localhost are answered without asking, then /etc/hosts, the
 *         cache, and DNS.
 * Source: RFC 1035, RFC 6724 (order), RFC 6761 (localhost, invalid), RFC 7686 (onion),
 *         resolv.conf(5), hosts(5).
 * Runs:   every function on any thread, except where it says "in the caller's context".
 * Owns:   see each function. docs/how/resolver.md has the picture.
 */
#ifndef NWI_RESOLVER_RESOLVER_H
#define NWI_RESOLVER_RESOLVER_H

#include "base/clock.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct nwi_serial;
struct nwi_resolver;
struct nwi_resolution;

enum nwi_resolve_source {
    NWI_RESOLVED_QUERY,   /* a DNS server was asked */
    NWI_RESOLVED_CACHE,   /* an earlier answer, still within its time to live */
    NWI_RESOLVED_HOSTS,   /* the hosts file */
    NWI_RESOLVED_LITERAL, /* an IP address as text, or a name whose meaning is fixed (localhost) */
};

/* How the server that answered was asked; the values of nw_report_resolution_protocol_t. */
enum nwi_resolve_protocol {
    NWI_RESOLVED_BY_UNKNOWN, /* nobody was asked now, or nobody answered */
    NWI_RESOLVED_BY_UDP,
    NWI_RESOLVED_BY_TCP,
};

struct nwi_resolved {
    struct sockaddr_storage address; /* port filled in; scope set for link-local */
    socklen_t length;
    uint32_t rank; /* place in RFC 6724 order, comparable over both families: lower goes first */
};

/* What the handler gets, once per family asked for. Borrowed for the call. */
struct nwi_resolve_answer {
    int family;  /* AF_INET6 or AF_INET */
    nwi_err err; /* 0: at least one address. dns/NoSuchRecord: the name has none of this family */
    const struct nwi_resolved *addresses; /* sorted by rank */
    size_t count;
    enum nwi_resolve_source source;
    enum nwi_resolve_protocol protocol;
    uint32_t
        ttl; /* seconds that the answer stays good; 0 = not to be kept, UINT32_MAX = for ever */
    nwi_ns duration; /* from nwi_resolve_start to the answer */
    bool last;       /* no other family will follow */
};
typedef void (*nwi_resolve_fn)(void *handler_context, const struct nwi_resolve_answer *answer);

/* Zero = default. Copied. */
struct nwi_resolve_options {
    int family;               /* 0: both; 4 or 6: that one only */
    uint16_t port;            /* host byte order; goes into the addresses */
    unsigned interface_index; /* scope of link-local addresses, and whose source addresses count; 0
                                 = any */
    struct nwi_resolver *resolver; /* borrowed, retained inside; NULL: the process's own */
};

/* Starts. The handler runs in `context`, never inside this call. A context that has an owner keeps
 * it alive through this; one without must outlive the resolution's last task. The caller owns the
 * result and gives it back with nwi_resolve_cancel, before or after the last answer. NULL when
 * memory ran out or `host` is NULL. */
struct nwi_resolution *nwi_resolve_start(const char *host,
                                         const struct nwi_resolve_options *options,
                                         struct nwi_serial *context, nwi_resolve_fn handler,
                                         void *handler_context);
/* In the caller's context (also inside the handler). The handler does not run afterwards. Never
 * blocks. NULL is fine. */
void *nwi_resolve_cancel(struct nwi_resolution *resolution); /* returns NULL */

/* The network changed (links, addresses, routes): cached answers are dropped, and questions under
 * way are asked anew. */
void nwi_resolver_network_changed(void);

/* --- a resolver of one's own (tests; later privacy contexts) --- */
struct nwi_resolver_config { /* zero = default; strings copied */
    const char *resolv_conf; /* path; NULL: /etc/resolv.conf */
    const char *hosts;       /* path; NULL: /etc/hosts */
    const char *gai_conf;    /* path, read at creation; NULL: /etc/gai.conf */
    uint16_t server_port;    /* 0: 53 */
    unsigned timeout_ms;     /* of the first try; 0: resolv.conf's, else 2500 */
    unsigned tries;          /* per server; 0: resolv.conf's, else 3 */
    unsigned max_lookups;    /* names asked at once; 0: 128. Further ones wait in line */
};
/* One reference (base/object.h), or NULL when memory ran out. */
struct nwi_resolver *nwi_resolver_create(const struct nwi_resolver_config *config);
/* Ends every lookup (pending handlers get posix/ECANCELED) and releases the caller's reference.
 * Returns NULL. */
void *nwi_resolver_close(struct nwi_resolver *resolver);
/* The same as nwi_resolver_network_changed, for one resolver. */
void nwi_resolver_flush(struct nwi_resolver *resolver);

#endif
