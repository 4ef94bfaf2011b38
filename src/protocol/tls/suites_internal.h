/*
 * suites_internal.h - the lists that the files of suites share.
 * Runs:   any thread.
 */
#ifndef NWI_PROTOCOL_TLS_SUITES_INTERNAL_H
#define NWI_PROTOCOL_TLS_SUITES_INTERNAL_H

#include "protocol/tls/suites.h"
#include <stddef.h>

enum { NWI_TLS_WISHES_MOST = 128 };

enum nwi_tls_level { /* of a version, the same for TLS and DTLS */
                     NWI_TLS_LEVEL_10,
                     NWI_TLS_LEVEL_11,
                     NWI_TLS_LEVEL_12,
                     NWI_TLS_LEVEL_13,
};

/* Suites in order of preference, each once. */
struct nwi_tls_wishes {
    struct {
        tls_ciphersuite_t suite;
        bool named; /* by the program: if it cannot be offered, the log says so */
    } wish[NWI_TLS_WISHES_MOST];
    size_t count;
    bool weak; /* holds more than what anybody would choose today */
};

/* What the options ask for. aes: whether the processor has instructions for AES. */
void nwi_tls_wishes_collect(struct nwi_tls_wishes *wishes, sec_protocol_options_t options,
                            enum nwi_tls_level min, bool aes);
bool nwi_tls_processor_has_aes(void);

/* A suite, taken apart. */
struct nwi_tls_suite {
    gnutls_kx_algorithm_t kx; /* GNUTLS_KX_UNKNOWN in TLS 1.3 */
    gnutls_cipher_algorithm_t cipher;
    gnutls_mac_algorithm_t mac;
    bool is_13;
};
bool nwi_tls_suite_take_apart(tls_ciphersuite_t suite, struct nwi_tls_suite *ret);
/* Whether a server with these options can use it: its versions and keys allow it. */
bool nwi_tls_suite_is_usable(sec_protocol_options_t options, bool is_datagram,
                             const struct nwi_tls_suite *suite);

/* As nwi_tls_suites_priority(), for a given processor. */
nwi_err nwi_tls_suites_priority_on(sec_protocol_options_t options, bool is_server, bool is_datagram,
                                   bool aes, char **ret_priority);

#endif
