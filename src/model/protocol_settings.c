/*
 * protocol_settings.c - settings of TLS that are libnw's own.
 * Source: <Security/protocol_settings.h>.
 * Runs:   unsynchronised, as the public calls say.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "model/sec_options.h"
#include <Security/protocol_settings.h>

SEC_EXPORT void sec_protocol_options_set_exact_tls_ciphersuites(
    sec_protocol_options_t options, const tls_ciphersuite_t *ciphersuites, size_t count) {
    tls_ciphersuite_t *fresh = NULL;
    size_t fresh_count = 0;
    if (options == NULL || (ciphersuites == NULL && count > 0) || count > UINT16_MAX) {
        nwi_log_misuse(__func__, options == NULL ? "options are NULL"
                                 : ciphersuites == NULL
                                     ? "the list is NULL"
                                     : "the list is longer than there are suites");
        return;
    }
    if (count > 0) {
        fresh = nwi_alloc_raw(count * sizeof fresh[0]);
        if (fresh == NULL) {
            nwi_log_misuse(__func__, "out of memory: the list was not set");
            return;
        }
        for (size_t i = 0; i < count; i++)
            if (!nwi_sec_suites_hold(fresh, fresh_count, ciphersuites[i]))
                fresh[fresh_count++] = ciphersuites[i];
    }
    nwi_free(options->exact_ciphersuites);
    options->exact_ciphersuites = fresh;
    options->exact_ciphersuite_count = fresh_count;
}
