/*
 * rules.h - what a certificate must be, at its place in a path.
 * What:   one verdict each: 0 or an errSSL code, and a phrase that names the rule and the value.
 * Source: docs/trust.md has each rule with where it comes from.
 * Runs:   any thread; pure, the time is an argument.
 */
#ifndef NWI_TRUST_RULES_H
#define NWI_TRUST_RULES_H

#include "trust/certificate.h"

enum nwi_trust_purpose { NWI_TRUST_SERVER, NWI_TRUST_CLIENT };

struct nwi_trust_policy {
    enum nwi_trust_purpose purpose;
    time_t now;
    const char *host; /* borrowed; NULL: no name is asked for */
};

struct nwi_trust_verdict {
    int status; /* errSSL*, 0: nothing is wrong */
    char reason[320];
    size_t phrase; /* where in it the rule stands, behind the name of the certificate */
};

/* A certificate of the peer itself. `system`: the path ends at a root of the system, so the rules
 * for public CAs hold as well. `anchor`: it is itself what is trusted. True: nothing is wrong. */
bool nwi_trust_check_leaf(sec_certificate_t certificate, const struct nwi_trust_policy *policy,
                          bool anchor, struct nwi_trust_verdict *verdict);
/* A certificate that the program took as it is. */
bool nwi_trust_check_accepted(sec_certificate_t certificate, const struct nwi_trust_policy *policy,
                              struct nwi_trust_verdict *verdict);
/* A key that is strong enough, and of a kind whose signatures do not take long to look at. */
bool nwi_trust_check_key(sec_certificate_t certificate, struct nwi_trust_verdict *verdict);
/* Of these the second alone, for who looks at a signature before anybody judged the certificate. */
bool nwi_trust_check_effort(sec_certificate_t certificate, struct nwi_trust_verdict *verdict);
/* One whose key may sign OCSP responses. */
bool nwi_trust_check_responder(sec_certificate_t certificate, const struct nwi_trust_policy *policy,
                               struct nwi_trust_verdict *verdict);
bool nwi_trust_check_public_leaf(sec_certificate_t certificate,
                                 const struct nwi_trust_policy *policy,
                                 struct nwi_trust_verdict *verdict);
/* One that issued another, with so many intermediates, not issued by themselves, between it and the
 * leaf. */
bool nwi_trust_check_issuer(sec_certificate_t certificate, unsigned below, bool anchor,
                            const struct nwi_trust_policy *policy,
                            struct nwi_trust_verdict *verdict);
/* Whether the name constraints of an issuer allow the names of a certificate below it, and, when it
 * is the peer's own, the host for which it stands: a wildcard may cover one that is excluded.
 * `host` NULL: none. */
bool nwi_trust_check_constraints(sec_certificate_t issuer, sec_certificate_t certificate,
                                 const char *host, struct nwi_trust_verdict *verdict);

#endif
