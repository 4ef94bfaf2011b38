/*
 * sct.h - signed certificate timestamps, as they came: nobody's word is taken for them here.
 * What:   the three places where a server may put them: its certificate, the stapled OCSP
 *         response, and an extension of TLS, whose content is the list itself.
 * Source: RFC 6962 section 3.3.
 * Runs:   any thread; pure.
 */
#ifndef NWI_TRUST_SCT_H
#define NWI_TRUST_SCT_H

#include "trust/certificate.h"

/* Is shown one SerializedSCT, borrowed for the call. False: no more are wanted. */
typedef bool nwi_sct_visit(void *context, const void *octets, size_t size);

/* Each shows what it finds, in order; a list is shown whole or, when it is malformed, not at all.
 * False: the visitor had enough, or the list is malformed. None at all is true. */
bool nwi_scts_of_list(const gnutls_datum_t *list, void *context, nwi_sct_visit *visit);
bool nwi_certificate_scts(sec_certificate_t certificate, void *context, nwi_sct_visit *visit);
bool nwi_scts_of_staple(const gnutls_datum_t *response, void *context, nwi_sct_visit *visit);

#endif
