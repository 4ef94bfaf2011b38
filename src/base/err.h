/*
 * err.h - the one error value used inside libnw.
 * What:   an nwi_err holds an error domain and a code in one integer; 0 is success. The lowest
 *         layer that fails makes it, every layer above returns it unchanged, src/model/error.c
 *         turns it into nw_error_t.
 * Source: domains and codes as nw_error_t documents them (posix errno, DNSServiceErrorType,
 *         OSStatus).
 */
#ifndef NWI_BASE_ERR_H
#define NWI_BASE_ERR_H

#include <errno.h>
#include <stdint.h>

typedef int64_t nwi_err;

enum nwi_err_domain { /* the values of nw_error_domain_t */
                      NWI_DOMAIN_INVALID = 0,
                      NWI_DOMAIN_POSIX = 1,
                      NWI_DOMAIN_DNS = 2,
                      NWI_DOMAIN_TLS = 3,
                      NWI_DOMAIN_WIFI_AWARE = 4,
};

/* DNS codes (DNSServiceErrorType) that libnw itself produces; err.def lists all with names and
 * texts. */
enum nwi_dns_code {
    NWI_DNS_UNKNOWN = -65537,
    NWI_DNS_NO_MEMORY = -65539,
    NWI_DNS_BAD_PARAM = -65540,
    NWI_DNS_REFUSED = -65553,
    NWI_DNS_NO_SUCH_RECORD = -65554,
    NWI_DNS_SERVICE_NOT_RUNNING = -65563,
    NWI_DNS_TIMEOUT = -65568,
    NWI_DNS_POLICY_DENIED = -65570,
};

static inline nwi_err nwi_err_make(enum nwi_err_domain domain, int code) {
    return code == 0 ? 0 : (nwi_err)((uint64_t)domain << 32 | (uint32_t)code);
}
static inline enum nwi_err_domain nwi_err_domain(nwi_err err) {
    return (enum nwi_err_domain)((uint64_t)err >> 32);
}
static inline int nwi_err_code(nwi_err err) {
    return (int)(uint32_t)(uint64_t)err;
}
static inline nwi_err nwi_posix(int code) {
    return nwi_err_make(NWI_DOMAIN_POSIX, code);
}
static inline nwi_err nwi_dns(int code) {
    return nwi_err_make(NWI_DOMAIN_DNS, code);
}

#define NWI_ERR_NOMEM nwi_posix(ENOMEM)
#define NWI_ERR_INVAL nwi_posix(EINVAL)
#define NWI_ERR_CANCELED nwi_posix(ECANCELED)

/* Symbolic name ("ECONNREFUSED", "NoSuchRecord") or NULL when the code has none. Static storage. */
const char *nwi_err_name(nwi_err err);
/* Static English sentence for a person ("Connection refused"); never NULL. */
const char *nwi_err_text(nwi_err err);
/* Writes "domain/NAME (code): text" and returns `buffer`, always terminated. */
const char *nwi_err_format(nwi_err err, char *buffer, unsigned size);

#endif
