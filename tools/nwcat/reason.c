/*
 * reason.c - an error of the library, for people and for scripts.
 * Runs:   anywhere; pure.
 */
#include "reason.h"

#include <errno.h>
#include <string.h>

/* Short words for what a resolver says; the numbers are in <Network/dns_sd_errors.h>. */
static const char *dns_text(int code) {
    switch (code) {
    case kDNSServiceErr_NoSuchName:
    case kDNSServiceErr_NoSuchRecord:
        return "No such name";
    case kDNSServiceErr_Timeout:
        return "The name could not be looked up in time";
    case kDNSServiceErr_ServiceNotRunning:
        return "No name server answers";
    default:
        return NULL;
    }
}

struct nwcat_reason nwcat_reason_posix(int code) {
    struct nwcat_reason reason = {.domain = nw_error_domain_posix, .code = code, .name = "posix"};
    char buffer[96];
    snprintf(reason.text, sizeof reason.text, "%s", strerror_r(code, buffer, sizeof buffer));
    return reason;
}

/* Words of a failure of TLS: of "tls/errSSLPeerUnknownCA (-9831): The peer ...", what people read,
 * and then the name that others search for. */
static void tls_text(struct nwcat_reason *reason, const char *text) {
    const char *name = text != NULL ? strchr(text, '/') : NULL;
    const char *words = name != NULL ? strstr(name, "): ") : NULL;
    if (words == NULL)
        snprintf(reason->text, sizeof reason->text, "%s", text != NULL ? text : "no reason given");
    else
        snprintf(reason->text, sizeof reason->text, "%s (%.*s)", words + strlen("): "),
                 (int)strcspn(name + 1, " "), name + 1);
}

struct nwcat_reason nwcat_reason_of(nw_error_t error) {
    struct nwcat_reason reason = {.domain = nw_error_get_error_domain(error),
                                  .code = nw_error_get_error_code(error)};
    if (reason.domain == nw_error_domain_posix)
        return nwcat_reason_posix(reason.code);
    const char *known = NULL;
    if (reason.domain == nw_error_domain_dns) {
        snprintf(reason.name, sizeof reason.name, "dns");
        known = dns_text(reason.code);
    } else {
        snprintf(reason.name, sizeof reason.name, "%s",
                 reason.domain == nw_error_domain_tls ? "tls" : "other");
    }
    char *text = known == NULL ? nw_error_copy_description(error) : NULL;
    if (reason.domain == nw_error_domain_tls)
        tls_text(&reason, text);
    else
        snprintf(reason.text, sizeof reason.text, "%s",
                 known != NULL  ? known
                 : text != NULL ? text
                                : "no reason given");
    free(text);
    return reason;
}

enum nwcat_status nwcat_reason_status(const struct nwcat_reason *reason) {
    if (reason->domain == nw_error_domain_dns)
        return NWCAT_NO_NAME;
    if (reason->domain == nw_error_domain_tls)
        return NWCAT_TLS;
    if (reason->domain == nw_error_domain_posix && reason->code == ETIMEDOUT)
        return NWCAT_TIMEOUT;
    return NWCAT_FAILED;
}
