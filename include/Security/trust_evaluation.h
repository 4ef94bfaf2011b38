/*
 * trust_evaluation.h - certificates from bytes, and whether a chain of them is to be trusted, and
 * why not. It is libnw's own: where the original takes and gives CoreFoundation objects, these
 * calls take and give octets. <Security/Security.h> does not include this header.
 *
 * The rules are those of docs/trust.md, the same for every protocol: a path to a root of the system
 * or to an anchor of yours; dates; the name in the Subject Alternative Name, never in the Common
 * Name; purposes, path lengths, name constraints; no SHA-1, no RSA under 2048 bits; and for roots
 * of the system the longest life that public CAs may give.
 */
#ifndef SECURITY_TRUST_EVALUATION_H
#define SECURITY_TRUST_EVALUATION_H

#include <Security/SecProtocolTypes.h>
#include <Security/SecureTransport.h>
#include <dispatch/data.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SEC_EXTERN_C_BEGIN

/**
 * A certificate from DER, or from the first CERTIFICATE block of a PEM text; at most 1 MiB, copied.
 * Returns a reference, or NULL when it is no certificate or memory ran out.
 */
SEC_EXPORT sec_certificate_t sec_certificate_create_with_bytes(const void *bytes, size_t size);

/** The certificate as DER. Returns a reference, or NULL for NULL and when memory ran out. */
SEC_EXPORT dispatch_data_t sec_certificate_copy_data(sec_certificate_t certificate);

/** Whether both are the same certificate, octet by octet. False when one of them is NULL. */
SEC_EXPORT bool sec_certificate_are_equal(sec_certificate_t a, sec_certificate_t b);

/** Its subject as one line for people. The caller frees it; NULL for NULL. */
SEC_EXPORT char *sec_certificate_copy_subject(sec_certificate_t certificate);

/** What the peer wants to be. */
typedef enum sec_trust_purpose_t {
    sec_trust_purpose_server = 0,
    sec_trust_purpose_client = 1,
} sec_trust_purpose_t;

/**
 * An evaluation of a chain: the peer's own certificate first, then those that it sent with it, in
 * any order, which are retained. host: the name or address (as text) that the peer must hold in its
 * Subject Alternative Name; copied; NULL: none is asked for. Returns a reference, or NULL for an
 * empty chain and when memory ran out.
 *
 * A trust object is used by one thread at a time.
 */
SEC_EXPORT sec_trust_t sec_trust_create_with_chain(const sec_certificate_t *chain, size_t count,
                                                   const char *host);

/** Default: sec_trust_purpose_server. */
SEC_EXPORT void sec_trust_set_purpose(sec_trust_t trust, sec_trust_purpose_t purpose);

/**
 * Trusts one certificate more: a CA, or the peer's own. It is retained. It is taken as its owner
 * made it: of the rules, dates, key, name constraints, path length and being a CA count.
 */
SEC_EXPORT void sec_trust_add_anchor(sec_trust_t trust, sec_certificate_t anchor);

/**
 * Accepts the peer's own certificate if it is this very one, octet by octet, whoever issued it and
 * whatever host it names; its dates, the strength of its key and pins still count. It is retained.
 */
SEC_EXPORT void sec_trust_add_accepted_certificate(sec_trust_t trust, sec_certificate_t accepted);

/**
 * Whether the roots of the system count. Default: for servers they do, for clients they do not:
 * whoever has a certificate from a public CA is not for that a client of yours.
 */
SEC_EXPORT void sec_trust_set_system_anchors_enabled(sec_trust_t trust, bool enabled);

/**
 * An OCSP response that came with the peer's own certificate (RFC 6066 section 8), in DER: the peer
 * is trusted only if it says "good", was signed by the issuer or in its name, and holds now. It is
 * retained; NULL: none came. What is trusted without an issuer is trusted without a status, too.
 */
SEC_EXPORT void sec_trust_set_stapled_status(sec_trust_t trust, dispatch_data_t response);

/** Whether a server's response must have come. Default false. */
SEC_EXPORT void sec_trust_set_stapled_status_required(sec_trust_t trust, bool required);

/** The time to judge by, in seconds since 1970 UTC; default: the time of the evaluation. */
SEC_EXPORT void sec_trust_set_verify_time(sec_trust_t trust, int64_t seconds);

/**
 * Tightens: besides all else, some certificate of the path must have a public key whose
 * SubjectPublicKeyInfo has this SHA-256 digest, 32 octets, copied. Several pins of both kinds: one
 * must fit.
 */
SEC_EXPORT void sec_trust_add_pin(sec_trust_t trust, const uint8_t *sha256);

/** Tightens: this certificate, the peer's own or a CA's, must be in the path. It is retained. */
SEC_EXPORT void sec_trust_add_pinned_certificate(sec_trust_t trust, sec_certificate_t pinned);

/**
 * Evaluates, on the calling thread: some milliseconds, and the roots of the system are read from
 * files once per process. Returns 0 when the chain is trusted; otherwise the errSSL code of the
 * rule that is broken.
 */
SEC_EXPORT int32_t sec_trust_evaluate(sec_trust_t trust);

/**
 * Why the last evaluation ended as it did: one line that names the certificate, the rule and the
 * value. The caller frees it. NULL before an evaluation.
 */
SEC_EXPORT char *sec_trust_copy_reason(sec_trust_t trust);

/** How many certificates the peer sent, its own included. */
SEC_EXPORT size_t sec_trust_get_chain_count(sec_trust_t trust);

/** One of those, the peer's own at 0. Returns a reference, or NULL past the end. */
SEC_EXPORT sec_certificate_t sec_trust_copy_chain_certificate(sec_trust_t trust, size_t index);

/**
 * What the last evaluation found of one certificate that the peer sent: "trusted" and as what, that
 * it was not needed, the rule that it breaks with the value, or that nothing is wrong with it by
 * itself. The caller frees it. NULL before an evaluation and past the end.
 */
SEC_EXPORT char *sec_trust_copy_certificate_verdict(sec_trust_t trust, size_t index);

/** How many certificates the path that was found has; 0 when none was. */
SEC_EXPORT size_t sec_trust_get_path_count(sec_trust_t trust);

/**
 * One certificate of that path, the peer's own at 0, what is trusted last. Returns a reference, or
 * NULL past the end.
 */
SEC_EXPORT sec_certificate_t sec_trust_copy_path_certificate(sec_trust_t trust, size_t index);

SEC_EXTERN_C_END

#endif
