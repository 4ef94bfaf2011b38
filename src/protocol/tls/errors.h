/*
 * errors.h - what GnuTLS says, as errSSL codes; what we refuse, as alerts.
 * Runs:   any thread.
 */
#ifndef NWI_PROTOCOL_TLS_ERRORS_H
#define NWI_PROTOCOL_TLS_ERRORS_H

#include "base/err.h"

/* The error of a negative GnuTLS code; 0 for 0 and above. alert: the description of the alert that
 * came from the peer when the code is GNUTLS_E_FATAL_ALERT_RECEIVED or
 * GNUTLS_E_WARNING_ALERT_RECEIVED, else -1. Domain TLS, but for lack of memory (ENOMEM). */
nwi_err nwi_tls_error(int gnutls_code, int alert);

/* The alert that tells the peer of a refusal of ours, given its errSSL code: a verdict of trust, a
 * suite that is not wanted, an unknown key. Never -1. */
int nwi_tls_alert_for(int errssl);

static inline nwi_err nwi_tls(int errssl) {
    return nwi_err_make(NWI_DOMAIN_TLS, errssl);
}

#endif
