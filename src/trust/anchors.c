/*
 * anchors.c - see anchors.h.
 * What:   read once, by GnuTLS, which knows where this system keeps them (p11-kit's store, or the
 *         file of ca-certificates). A system without any trusts nobody, and says so in the log.
 * Source: gnutls_x509_trust_list_add_system_trust(3).
 * Runs:   any thread; what was read never changes.
 */
#include "trust/anchors.h"
#include "base/log.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static gnutls_x509_trust_list_t roots; /* NULL: none could be read */
/* Says only that nobody waits any more: `once` orders the roots themselves, so relaxed. */
static atomic_bool is_read;

static void read_system(void) {
    if (gnutls_x509_trust_list_init(&roots, 0) < 0) {
        roots = NULL;
        return;
    }
    int count = gnutls_x509_trust_list_add_system_trust(roots, 0, 0);
    if (count <= 0)
        nwi_log(NWI_LOG_NOTICE, "trust", "roots",
                "the system has no trusted roots (%s); package ca-certificates brings them",
                count < 0 ? gnutls_strerror(count) : "none found");
}

static void read_roots(void) {
    read_system();
    atomic_store_explicit(&is_read, true, memory_order_relaxed); /* see there */
}

bool nwi_trust_system_is_read(void) {
    return atomic_load_explicit(&is_read, memory_order_relaxed); /* see there */
}

sec_certificate_t nwi_trust_system_issuer(sec_certificate_t certificate) {
    gnutls_x509_crt_t issuer = NULL;
    gnutls_datum_t der = {0};
    sec_certificate_t found = NULL;
    pthread_once(&once, read_roots);
    if (roots == NULL ||
        gnutls_x509_trust_list_get_issuer(roots, certificate->crt, &issuer, GNUTLS_TL_GET_COPY) < 0)
        return NULL;
    if (gnutls_x509_crt_export2(issuer, GNUTLS_X509_FMT_DER, &der) >= 0)
        found = nwi_certificate_create(der.data, der.size);
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(issuer);
    return found;
}
