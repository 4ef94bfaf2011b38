/*
 * reason.h - an error of the library, for people and for scripts.
 */
#ifndef NWCAT_REASON_H
#define NWCAT_REASON_H

#include "status.h"

#include <Network/Network.h>

struct nwcat_reason {
    nw_error_domain_t domain;
    int code;
    char name[16];  /* "posix", "dns", "tls" */
    char text[512]; /* "Connection refused" */
};

/* `error` may be NULL: then the domain is invalid and the text says that no reason was given. */
struct nwcat_reason nwcat_reason_of(nw_error_t error);
/* The same for an errno value of our own. */
struct nwcat_reason nwcat_reason_posix(int code);
/* Which exit status the reason asks for when it keeps a connection from coming about. */
enum nwcat_status nwcat_reason_status(const struct nwcat_reason *reason);

#endif
