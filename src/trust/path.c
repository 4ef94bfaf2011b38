/*
 * path.c - see path.h.
 * What:   depth first: anchors before what the peer sent, so that the shortest path to something
 *         trusted comes first. The rules are applied as a certificate joins the path, the signature
 *         last, because it costs most.
 * Source: RFC 5280 section 6.1; RFC 4158 section 3.
 * Runs:   any thread.
 */
#include "trust/path.h"
#include <Security/SecureTransport.h>
#include <stdio.h>
#include <string.h>

struct search {
    const struct nwi_trust_request *request;
    sec_certificate_t path[NWI_TRUST_DEPTH_MAX]; /* borrowed, but for `root` */
    size_t count;
    sec_certificate_t root;         /* owned: the system's, when it ends the path */
    unsigned signatures;            /* left */
    struct nwi_trust_verdict worst; /* of the attempt that came farthest */
    sec_certificate_t blamed;       /* retained: what it is about */
    size_t worst_at;
};

/* Names the certificate that a rule objects to. What was found farthest up counts: it is nearest to
 * what would have been a success. */
static void remember(struct search *search, size_t at, sec_certificate_t certificate,
                     const struct nwi_trust_verdict *verdict) {
    char name[100];
    if (search->worst.status != 0 && at < search->worst_at)
        return;
    nwi_certificate_name(certificate, name, sizeof name);
    search->worst_at = at;
    search->worst.status = verdict->status;
    int before = snprintf(search->worst.reason, sizeof search->worst.reason,
                          "certificate %zu (%s): ", at + 1, name);
    search->worst.phrase = (size_t)before;
    snprintf(search->worst.reason + before, sizeof search->worst.reason - (size_t)before, "%.140s",
             verdict->reason);
    nwi_release(search->blamed);
    search->blamed = nwi_retain(certificate);
}

static void remember_phrase(struct search *search, size_t at, int status, const char *phrase) {
    struct nwi_trust_verdict verdict = {.status = status};
    snprintf(verdict.reason, sizeof verdict.reason, "%s", phrase);
    remember(search, at, search->path[at < search->count ? at : search->count - 1], &verdict);
}

static bool is_in_path(const struct search *search, sec_certificate_t certificate) {
    return nwi_certificate_is_among(search->path, search->count, certificate);
}

/* CAs that are issued by themselves (a new key for an old name) are no step of a path's length. */
static unsigned steps_below(const struct search *search) {
    unsigned steps = 0;
    for (size_t i = 1; i < search->count; i++)
        steps += !search->path[i]->self_issued;
    return steps;
}

/* The constraints of an issuer hold for all below it, but for CAs issued by themselves that are not
 * the last (RFC 5280 section 6.1.3). */
static bool check_names_below(const struct search *search, sec_certificate_t issuer,
                              struct nwi_trust_verdict *verdict) {
    for (size_t i = 0; i < search->count; i++)
        if ((i == 0 || !search->path[i]->self_issued) &&
            !nwi_trust_check_constraints(issuer, search->path[i],
                                         i == 0 ? search->request->policy.host : NULL, verdict))
            return false;
    return true;
}

static bool climb(struct search *search);

static bool accept_root(struct search *search, bool system) {
    struct nwi_trust_verdict verdict = {0};
    if (system &&
        !nwi_trust_check_public_leaf(search->path[0], &search->request->policy, &verdict)) {
        remember(search, 0, search->path[0], &verdict);
        search->worst_at = search->count; /* the path itself was good */
        return false;
    }
    return true;
}

/* Tries to go on by this issuer. True: the path has reached what is trusted. */
static bool step(struct search *search, sec_certificate_t issuer, bool anchor, bool system) {
    struct nwi_trust_verdict verdict = {0};
    sec_certificate_t last = search->path[search->count - 1];
    if (search->count == NWI_TRUST_DEPTH_MAX) {
        remember_phrase(search, search->count - 1, errSSLXCertChainInvalid, "the path is too long");
        return false;
    }
    if (!nwi_certificate_names(last, issuer) || is_in_path(search, issuer))
        return false;
    if (!nwi_trust_check_issuer(issuer, steps_below(search), anchor, &search->request->policy,
                                &verdict) ||
        !check_names_below(search, issuer, &verdict)) {
        remember(search, search->count, issuer, &verdict);
        return false;
    }
    if (search->signatures == 0) {
        remember_phrase(search, search->count - 1, errSSLXCertChainInvalid,
                        "too many signatures to try");
        return false;
    }
    search->signatures--;
    if (!nwi_certificate_signed_by(last, issuer)) {
        remember_phrase(search, search->count - 1, errSSLXCertChainInvalid,
                        "the key of its issuer did not make its signature");
        return false;
    }
    search->path[search->count++] = issuer;
    if (anchor ? accept_root(search, system) : climb(search))
        return true;
    search->count--;
    return false;
}

static bool climb_to_system(struct search *search) {
    if (search->request->system_issuer == NULL)
        return false;
    sec_certificate_t root = search->request->system_issuer(search->path[search->count - 1]);
    if (root != NULL && step(search, root, true, true)) {
        search->root = root;
        return true;
    }
    nwi_release(root);
    return false;
}

/* The last certificate of the path needs an issuer. */
static bool climb(struct search *search) {
    const struct nwi_trust_request *request = search->request;
    size_t here = search->count - 1;
    sec_certificate_t last = search->path[here];
    for (size_t i = 0; request->settings != NULL && i < request->settings->anchors.count; i++)
        if (step(search, request->settings->anchors.items[i], true, false))
            return true;
    if (climb_to_system(search))
        return true;
    for (size_t i = 1; i < request->chain_count; i++)
        if (step(search, request->chain[i], false, false))
            return true;
    if (last->self_issued && nwi_certificate_signed_by(last, last))
        remember_phrase(search, here, errSSLUnknownRootCert,
                        "it signed itself, and is not among what is trusted");
    else if (search->worst.status == 0 || search->worst_at < here)
        remember_phrase(search, here, errSSLNoRootCert,
                        "its issuer was not sent, and is not among what is trusted");
    return false;
}

bool nwi_trust_is_listed(const struct nwi_trust_list *list, sec_certificate_t certificate) {
    return nwi_certificate_is_among(list->items, list->count, certificate);
}

/* From the peer's own certificate to what is trusted; an anchor may be that certificate itself. */
static bool find(struct search *search, bool *ret_accepted) {
    const struct nwi_trust_request *request = search->request;
    const struct nwi_trust_settings *settings = request->settings;
    sec_certificate_t own = request->chain[0];
    struct nwi_trust_verdict verdict = {0};
    search->path[search->count++] = own;
    *ret_accepted = settings != NULL && nwi_trust_is_listed(&settings->accepted, own);
    bool anchor = settings != NULL && nwi_trust_is_listed(&settings->anchors, own);
    bool good = *ret_accepted ? nwi_trust_check_accepted(own, &request->policy, &verdict)
                              : nwi_trust_check_leaf(own, &request->policy, anchor, &verdict);
    if (!good)
        remember(search, 0, own, &verdict);
    return good && (*ret_accepted || anchor || climb(search));
}

int nwi_trust_build(const struct nwi_trust_request *request, struct nwi_trust_path *ret_path,
                    struct nwi_trust_verdict *ret_verdict) {
    struct search search = {.request = request, .signatures = NWI_TRUST_SIGNATURES_MAX};
    bool accepted;
    *ret_path = (struct nwi_trust_path){0};
    *ret_verdict = (struct nwi_trust_verdict){0};
    if (request->chain_count == 0) {
        ret_verdict->status = errSSLPeerCertUnknown;
        snprintf(ret_verdict->reason, sizeof ret_verdict->reason, "the peer sent no certificate");
        return ret_verdict->status;
    }
    if (!find(&search, &accepted)) {
        ret_path->blamed = search.blamed;
        *ret_verdict = search.worst;
        return search.worst.status;
    }
    nwi_release(search.blamed);
    for (size_t i = 0; i < search.count; i++)
        ret_path->certificates[i] = nwi_retain(search.path[i]);
    ret_path->count = search.count;
    ret_path->system = search.root != NULL;
    ret_path->accepted = accepted;
    nwi_release(search.root);
    return 0;
}

void nwi_trust_path_clear(struct nwi_trust_path *path) {
    for (size_t i = 0; i < path->count; i++)
        nwi_release(path->certificates[i]);
    nwi_release(path->blamed);
    *path = (struct nwi_trust_path){0};
}
