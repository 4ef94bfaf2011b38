/*
 * identity.h - certificates and private keys from files, octets and tokens. It is libnw's own:
 * where the original takes and gives CoreFoundation objects, these calls take and give octets,
 * names of files and PKCS #11 URLs. <Security/Security.h> does not include this header.
 *
 * What is read: certificates in PEM or DER; private keys in PEM or DER, as PKCS #8 (plain or
 * encrypted), PKCS #1 or SEC 1; both together in a PKCS #12 store; and keys that stay in a token
 * (PKCS #11). The certificates of a chain may come in any order: the one that the key belongs to
 * becomes the first, its issuers follow; what is no part of the chain is left out, and named in the
 * log.
 *
 * Every call that reads takes `ret_reason`: where a call fails, *ret_reason becomes one line that
 * says which file, which part of it and what is wrong, and the caller frees it. It is left alone
 * where the call succeeds, and may be NULL: then the line goes to the log as an error.
 *
 * Passwords are UTF-8; NULL: none. Files and octets are at most 1 MiB, a chain at most 16
 * certificates, and a password may cost at most 10,000,000 rounds of its key derivation: more is
 * refused, since whoever made the file would keep the caller busy for minutes. The calls block
 * meanwhile, for some seconds at that limit. Copies that they make of secrets are wiped. A private key
 * in a file that everybody may read is used, with a warning in the log.
 */
#ifndef SECURITY_IDENTITY_H
#define SECURITY_IDENTITY_H

#include <Security/SecProtocolTypes.h>
#include <dispatch/data.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SEC_EXTERN_C_BEGIN

/* --- identities --- */

/**
 * An identity from certificates and a key, each PEM or DER. key NULL: it stands among the PEM
 * blocks of the certificates. password: that of the key. Returns a reference or NULL.
 */
SEC_EXPORT sec_identity_t sec_identity_create_with_bytes(const void *certificates,
                                                         size_t certificates_size, const void *key,
                                                         size_t key_size, const char *password,
                                                         char **ret_reason);

/**
 * The same from files. key NULL: it stands in the file of the certificates, which may be a PKCS #12
 * store too. Either may be a PKCS #11 URL ("pkcs11:..."); the password is then the token's PIN.
 * Returns a reference or NULL.
 */
SEC_EXPORT sec_identity_t sec_identity_create_with_files(const char *certificates, const char *key,
                                                         const char *password, char **ret_reason);

/** An identity from a PKCS #12 store with one private key. Returns a reference or NULL. */
SEC_EXPORT sec_identity_t sec_identity_create_with_pkcs12(const void *bytes, size_t size,
                                                          const char *password, char **ret_reason);

/**
 * An identity whose key stays in a token: url is a PKCS #11 URL (RFC 7512) that fits one private
 * key. The certificates are those given, PEM or DER; certificates NULL: the certificate with the
 * key's id in the same token, and its issuers there. pin NULL: the URL's pin-value or pin-source.
 * Returns a reference or NULL.
 */
SEC_EXPORT sec_identity_t sec_identity_create_with_url(const char *url, const char *pin,
                                                       const void *certificates,
                                                       size_t certificates_size, char **ret_reason);

/**
 * The key and the certificate of an identity with other intermediates: any order, retained.
 * Returns a reference or NULL.
 */
SEC_EXPORT sec_identity_t sec_identity_create_with_chain(sec_identity_t identity,
                                                         const sec_certificate_t *intermediates,
                                                         size_t count, char **ret_reason);

/** How many certificates it shows to a peer: 1 or more; 0 for NULL. */
SEC_EXPORT size_t sec_identity_get_certificate_count(sec_identity_t identity);

/** One of them, its own at 0. Returns a reference, or NULL past the end. */
SEC_EXPORT sec_certificate_t sec_identity_copy_certificate(sec_identity_t identity, size_t index);

/**
 * All of them in DER, one behind the other, its own first. Returns a reference, or NULL for NULL
 * and when memory ran out.
 */
SEC_EXPORT dispatch_data_t sec_identity_copy_certificates_data(sec_identity_t identity);

/* --- certificates --- */

/**
 * Every certificate of PEM text (other blocks are passed over), or DER certificates one behind the
 * other; at most 1,024. Returns an array for sec_certificates_free(), never an empty one, or NULL.
 */
SEC_EXPORT sec_certificate_t *sec_certificates_create_with_bytes(const void *bytes, size_t size,
                                                                 size_t *ret_count,
                                                                 char **ret_reason);

/** The same from a file, or the certificates that a PKCS #11 URL fits. */
SEC_EXPORT sec_certificate_t *sec_certificates_create_with_file(const char *path, size_t *ret_count,
                                                                char **ret_reason);

/** Releases the certificates and frees the array; NULL is fine. */
SEC_EXPORT void sec_certificates_free(sec_certificate_t *certificates, size_t count);

SEC_EXTERN_C_END

#endif
