/*
 * policy.c - see policy.h.
 * Runs:   any thread.
 */
#include "trust/policy.h"
#include "trust/anchors.h"
#include "trust/trust.h"
#include <Security/SecureTransport.h>
#include <Security/trust_evaluation.h>

bool nwi_trust_asks_staple(sec_protocol_options_t options) {
    return options->ocsp_enabled || (options->trust != NULL && options->trust->staple_required);
}

sec_trust_t nwi_trust_create_for_peer(sec_protocol_options_t options,
                                      const sec_certificate_t *chain, size_t count,
                                      const char *host, enum nwi_trust_purpose purpose,
                                      dispatch_data_t staple) {
    sec_trust_t trust = sec_trust_create_with_chain(chain, count, host);
    if (trust == NULL)
        return NULL;
    trust->purpose = purpose;
    trust->settings = nwi_retain(options->trust);
    trust->staple = nwi_retain(staple);
    /* GnuTLS's servers ask no client for one (RFC 8446 section 4.4.2.1), so it is missed in servers
     * alone. */
    trust->staple_asked = purpose == NWI_TRUST_SERVER && nwi_trust_asks_staple(options);
    return trust;
}

bool nwi_trust_is_prompt(sec_trust_t trust) {
    return !nwi_trust_asks_system(trust) || nwi_trust_system_is_read();
}

int nwi_trust_status(sec_trust_t trust) {
    return trust->evaluated ? trust->verdict.status : errSSLBadCert;
}
