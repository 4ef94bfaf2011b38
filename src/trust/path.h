/*
 * path.h - from a peer's certificate to one that is trusted.
 * What:   a search among what the peer sent and what is trusted, bounded in depth and in public key
 *         operations, so that no set of certificates can keep a handshake busy.
 * Source: RFC 5280 section 6.1; RFC 4158 (building paths).
 * Runs:   any thread; costs milliseconds.
 */
#ifndef NWI_TRUST_PATH_H
#define NWI_TRUST_PATH_H

#include "model/trust_settings.h"
#include "trust/rules.h"

enum { NWI_TRUST_DEPTH_MAX = 10, NWI_TRUST_SIGNATURES_MAX = 64 };

struct nwi_trust_request {
    sec_certificate_t const *chain; /* as the peer sent it, its own first; borrowed */
    size_t chain_count;
    const struct nwi_trust_settings *settings; /* borrowed; NULL: nothing was said */
    /* A root of the system that may have issued it: +1 or NULL. NULL: the system is not asked. */
    sec_certificate_t (*system_issuer)(sec_certificate_t certificate);
    struct nwi_trust_policy policy;
};

struct nwi_trust_path {
    sec_certificate_t certificates[NWI_TRUST_DEPTH_MAX]; /* retained; the peer's own first */
    size_t count;
    bool system;   /* the last one is a root of the system */
    bool accepted; /* the peer's own, the only one, was taken as it is */
    /* When none was found: the certificate that the verdict is about; retained, may be NULL. */
    sec_certificate_t blamed;
};

/* 0 and the path; or the errSSL code, with the reason in the verdict: of the attempt that came
 * farthest. The path has no certificates then. */
int nwi_trust_build(const struct nwi_trust_request *request, struct nwi_trust_path *ret_path,
                    struct nwi_trust_verdict *ret_verdict);
/* Whether the certificate is one of the list. */
bool nwi_trust_is_listed(const struct nwi_trust_list *list, sec_certificate_t certificate);
void nwi_trust_path_clear(struct nwi_trust_path *path);

#endif
