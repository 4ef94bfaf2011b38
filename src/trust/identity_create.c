/*
 * identity_create.c - the public calls that read identities and certificates.
 * What:   each says what is to be read from where; reading.c and its neighbours read.
 * Runs:   any thread; the caller's.
 */
#include "base/alloc.h"
#include "trust/reading.h"
#include <Security/identity.h>
#include <string.h>

static const char certificates_place[] = "the certificates", key_place[] = "the key",
                  store_place[] = "the PKCS #12 store";

/* --- identities --- */

SEC_EXPORT sec_identity_t sec_identity_create_with_bytes(const void *certificates,
                                                         size_t certificates_size, const void *key,
                                                         size_t key_size, const char *password,
                                                         char **ret_reason) {
    struct nwi_reading reading;
    bool apart = key != NULL;
    nwi_reading_begin(&reading, certificates_place, apart ? key_place : certificates_place,
                      password);
    if (nwi_reading_take(&reading, certificates_place, certificates, certificates_size,
                         apart ? NWI_READ_CERTIFICATES : NWI_READ_BOTH) &&
        apart)
        nwi_reading_take(&reading, key_place, key, key_size, NWI_READ_KEY);
    return nwi_reading_finish(&reading, __func__, ret_reason);
}

SEC_EXPORT sec_identity_t sec_identity_create_with_files(const char *certificates, const char *key,
                                                         const char *password, char **ret_reason) {
    struct nwi_reading reading;
    nwi_reading_begin(&reading, certificates, key != NULL ? key : certificates, password);
    if (certificates == NULL)
        nwi_reading_fail(&reading, "no file of certificates is named");
    else if (nwi_reading_take_file(&reading, certificates,
                                   key != NULL ? NWI_READ_CERTIFICATES : NWI_READ_BOTH) &&
             key != NULL)
        nwi_reading_take_file(&reading, key, NWI_READ_KEY);
    return nwi_reading_finish(&reading, __func__, ret_reason);
}

SEC_EXPORT sec_identity_t sec_identity_create_with_pkcs12(const void *bytes, size_t size,
                                                          const char *password, char **ret_reason) {
    struct nwi_reading reading;
    nwi_reading_begin(&reading, store_place, store_place, password);
    nwi_reading_take(&reading, store_place, bytes, size, NWI_READ_BOTH);
    return nwi_reading_finish(&reading, __func__, ret_reason);
}

SEC_EXPORT sec_identity_t sec_identity_create_with_url(const char *url, const char *pin,
                                                       const void *certificates,
                                                       size_t certificates_size,
                                                       char **ret_reason) {
    struct nwi_reading reading;
    nwi_reading_begin(&reading, certificates != NULL ? certificates_place : "the token",
                      "the token", pin);
    if (url == NULL || !nwi_reading_is_url(url))
        nwi_reading_fail(&reading, "%s: not a PKCS #11 URL", url != NULL ? url : "no URL");
    else if (nwi_reading_take_token_key(&reading, url) && certificates != NULL)
        nwi_reading_take(&reading, certificates_place, certificates, certificates_size,
                         NWI_READ_CERTIFICATES);
    else
        nwi_reading_take_token_certificates(&reading, url, true);
    return nwi_reading_finish(&reading, __func__, ret_reason);
}

/* The chain is read again, as if it came in DER, since an identity never changes. */
SEC_EXPORT sec_identity_t sec_identity_create_with_chain(sec_identity_t identity,
                                                         const sec_certificate_t *intermediates,
                                                         size_t count, char **ret_reason) {
    struct nwi_reading reading;
    nwi_reading_begin(&reading, certificates_place, key_place, NULL);
    if (identity == NULL || (intermediates == NULL && count > 0)) {
        nwi_reading_fail(&reading, "no identity or no certificates are given");
        return nwi_reading_finish(&reading, __func__, ret_reason);
    }
    strcpy(reading.key_place, key_place);
    reading.key.url = nwi_strdup(identity->url);
    reading.key.pin = nwi_strdup(identity->pin);
    bool sound =
        nwi_reading_add_certificate(&reading, certificates_place, &identity->chain[0]->der);
    for (size_t i = 0; sound && i < count; i++)
        sound = intermediates[i] != NULL ? nwi_reading_add_certificate(&reading, certificates_place,
                                                                       &intermediates[i]->der)
                                         : nwi_reading_fail(&reading, "certificate %zu is NULL", i);
    int result = sound ? nwi_identity_copy_key(identity, &reading.key.key) : 0;
    if (result < 0)
        nwi_reading_fault(&reading, key_place, result);
    return nwi_reading_finish(&reading, __func__, ret_reason);
}

/* --- certificates --- */

static sec_certificate_t *finish_certificates(struct nwi_reading *reading, size_t *ret_count,
                                              const char *function, char **ret_reason) {
    sec_certificate_t *certificates = NULL;
    if (!reading->failed && ret_count == NULL)
        nwi_reading_fail(reading, "there is no place for the number of certificates");
    if (!reading->failed && reading->count == 0)
        nwi_reading_fail(reading, "%s: holds no certificate", reading->source);
    if (!reading->failed) {
        *ret_count = reading->count;
        certificates = nwi_take(&reading->certificates);
        reading->count = 0;
    }
    nwi_reading_tell(reading, function, ret_reason);
    nwi_reading_end(reading);
    return certificates;
}

SEC_EXPORT sec_certificate_t *sec_certificates_create_with_bytes(const void *bytes, size_t size,
                                                                 size_t *ret_count,
                                                                 char **ret_reason) {
    struct nwi_reading reading;
    nwi_reading_begin(&reading, certificates_place, NULL, NULL);
    nwi_reading_take(&reading, certificates_place, bytes, size, NWI_READ_CERTIFICATES);
    return finish_certificates(&reading, ret_count, __func__, ret_reason);
}

SEC_EXPORT sec_certificate_t *sec_certificates_create_with_file(const char *path, size_t *ret_count,
                                                                char **ret_reason) {
    struct nwi_reading reading;
    nwi_reading_begin(&reading, path, NULL, NULL);
    if (path == NULL)
        nwi_reading_fail(&reading, "no file of certificates is named");
    else
        nwi_reading_take_file(&reading, path, NWI_READ_CERTIFICATES);
    return finish_certificates(&reading, ret_count, __func__, ret_reason);
}

SEC_EXPORT void sec_certificates_free(sec_certificate_t *certificates, size_t count) {
    for (size_t i = 0; certificates != NULL && i < count; i++)
        nwi_release(certificates[i]);
    nwi_free(certificates);
}
