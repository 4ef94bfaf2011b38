/*
 * reading.c - see reading.h: octets are told apart, and what was read becomes an identity.
 * Source: RFC 7468 section 5 and 10 (labels), RFC 5246 section 7.4.2 and RFC 8446 section 4.4.2
 *         (the sender's own certificate first, each followed by its issuer).
 * Runs:   the thread of the public call.
 */
#include "trust/reading.h"
#include "base/alloc.h"
#include "base/log.h"
#include "trust/der.h"
#include "trust/pem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- beginning, failing, ending --- */

void nwi_reading_begin(struct nwi_reading *reading, const char *source, const char *key_source,
                       const char *password) {
    *reading = (struct nwi_reading){.password = password,
                                    .source = source,
                                    .key_source = key_source,
                                    .rounds = NWI_READING_ROUNDS_MAX};
}

bool nwi_reading_fail(struct nwi_reading *reading, const char *format, ...) {
    char line[1024];
    va_list arguments;
    if (reading->failed)
        return false;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *c = line; *c != '\0'; c++) /* a file's name may hold anything */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    reading->failed = true;
    reading->reason = nwi_strdup(line);
    return false;
}

bool nwi_reading_fault(struct nwi_reading *reading, const char *place, int gnutls_code) {
    return nwi_reading_fail(reading, "%s: %s", place,
                            gnutls_code == GNUTLS_E_MEMORY_ERROR ? "out of memory"
                                                                 : gnutls_strerror(gnutls_code));
}

void nwi_reading_tell(struct nwi_reading *reading, const char *function, char **ret_reason) {
    if (!reading->failed)
        return;
    if (ret_reason != NULL)
        *ret_reason = nwi_take(&reading->reason);
    else
        nwi_log(NWI_LOG_ERROR, "identity", "refused", "%s: %s", function,
                reading->reason != NULL ? reading->reason : "out of memory");
}

void nwi_reading_end(struct nwi_reading *reading) {
    for (size_t i = 0; i < reading->count; i++)
        nwi_release(reading->certificates[i]);
    nwi_free(reading->certificates);
    nwi_identity_key_clear(&reading->key);
    nwi_free(reading->reason);
    *reading = (struct nwi_reading){0};
}

/* --- certificates --- */

/* What is wrong with what nwi_certificate_create did not take. */
static bool refuse_certificate(struct nwi_reading *reading, const char *place,
                               const gnutls_datum_t *der) {
    gnutls_x509_crt_t crt;
    int result = gnutls_x509_crt_init(&crt);
    if (result >= 0) {
        result = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
        gnutls_x509_crt_deinit(crt);
    }
    if (result >= 0)
        return nwi_reading_fail(reading, "%s: its names cannot be read, or memory ran out", place);
    return nwi_reading_fail(reading, "%s: no certificate (%s)", place, gnutls_strerror(result));
}

bool nwi_reading_add_certificate(struct nwi_reading *reading, const char *place,
                                 const gnutls_datum_t *der) {
    sec_certificate_t *grown;
    if (reading->count == NWI_READING_CERTIFICATES_MAX)
        return nwi_reading_fail(reading, "%s: more than %d certificates", place,
                                NWI_READING_CERTIFICATES_MAX);
    sec_certificate_t certificate = nwi_certificate_create(der->data, der->size);
    if (certificate == NULL)
        return refuse_certificate(reading, place, der);
    grown = nwi_realloc(reading->certificates, (reading->count + 1) * sizeof grown[0]);
    if (grown == NULL) {
        nwi_release(certificate);
        return nwi_reading_fault(reading, place, GNUTLS_E_MEMORY_ERROR);
    }
    grown[reading->count++] = certificate;
    reading->certificates = grown;
    return true;
}

/* --- telling octets apart --- */

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool take_pem_certificate(struct nwi_reading *reading, const char *place,
                                 const struct nwi_pem *block) {
    gnutls_datum_t der = {0};
    int result = gnutls_pem_base64_decode2(block->label, &block->whole, &der);
    bool sound = result >= 0 ? nwi_reading_add_certificate(reading, place, &der)
                             : nwi_reading_fault(reading, place, result);
    gnutls_free(der.data);
    return sound;
}

static bool take_block(struct nwi_reading *reading, const char *text_place,
                       const struct nwi_pem *block, enum nwi_reading_wish wish) {
    char place[NWI_READING_PLACE_MAX];
    bool is_trusted = strcmp(block->label, "TRUSTED CERTIFICATE") == 0; /* OpenSSL's trust in it */
    bool is_certificate = is_trusted || strcmp(block->label, "CERTIFICATE") == 0 ||
                          strcmp(block->label, "X509 CERTIFICATE") == 0;
    bool is_key = ends_with(block->label, "PRIVATE KEY");
    if ((!is_certificate || !(wish & NWI_READ_CERTIFICATES)) && (!is_key || !(wish & NWI_READ_KEY)))
        return true;
    snprintf(place, sizeof place, "%.200s, block %u (%s)", text_place, block->number, block->label);
    if (is_trusted)
        return nwi_reading_fail(reading, "%s: OpenSSL's own form; openssl x509 changes it", place);
    if (block->cut_off)
        return nwi_reading_fail(reading, "%s: its END line is missing", place);
    return is_key ? nwi_reading_add_key(reading, place, &block->whole, block->label)
                  : take_pem_certificate(reading, place, block);
}

static bool take_pem(struct nwi_reading *reading, const char *place, gnutls_datum_t text,
                     enum nwi_reading_wish wish) {
    struct nwi_pem block = {.number = 0};
    while (nwi_pem_take(&text, &block))
        if (!take_block(reading, place, &block, wish))
            return false;
    return block.number > 0 ||
           nwi_reading_fail(reading, "%s: neither PEM nor DER: it has no BEGIN line", place);
}

/* Certificates in DER, one behind the other. */
static bool take_der_certificates(struct nwi_reading *reading, const char *place,
                                  gnutls_datum_t rest) {
    struct nwi_der element;
    while (rest.size > 0) {
        if (!nwi_der_take(&rest, &element))
            return nwi_reading_fail(reading, "%s: cut off, or followed by something else", place);
        if (!nwi_reading_add_certificate(reading, place, &element.whole))
            return false;
    }
    return true;
}

enum kind { KIND_CERTIFICATE, KIND_KEY, KIND_PKCS12 };

/* By what stands first inside: a number is the version of a key (0 or 1) or of a store (3: RFC 7292
 * section 4); a sequence that begins with an object identifier says how a key is encrypted. */
static enum kind kind_of(const gnutls_datum_t *der) {
    enum { INTEGER = 0x02, OBJECT_IDENTIFIER = 0x06, STORE_VERSION = 3 };
    static const unsigned char endless_store[] = {0x30, 0x80, INTEGER, 1, STORE_VERSION};
    gnutls_datum_t rest = *der;
    struct nwi_der whole, first;
    if (der->size >= sizeof endless_store &&
        memcmp(der->data, endless_store, sizeof endless_store) == 0)
        return KIND_PKCS12; /* BER: its length is not known beforehand */
    if (!nwi_der_take(&rest, &whole) || !nwi_der_take(&whole.content, &first))
        return KIND_CERTIFICATE;
    if (first.tag == INTEGER)
        return first.content.size == 1 && first.content.data[0] == STORE_VERSION ? KIND_PKCS12
                                                                                 : KIND_KEY;
    return first.content.size > 0 && first.content.data[0] == OBJECT_IDENTIFIER ? KIND_KEY
                                                                                : KIND_CERTIFICATE;
}

static bool take_der(struct nwi_reading *reading, const char *place, const gnutls_datum_t *der,
                     enum nwi_reading_wish wish) {
    switch (kind_of(der)) {
    case KIND_PKCS12:
        return nwi_reading_take_pkcs12(reading, place, der, wish);
    case KIND_KEY:
        return !(wish & NWI_READ_KEY) || nwi_reading_add_key(reading, place, der, NULL);
    case KIND_CERTIFICATE:
        break;
    }
    return !(wish & NWI_READ_CERTIFICATES) || take_der_certificates(reading, place, *der);
}

bool nwi_reading_take(struct nwi_reading *reading, const char *place, const void *octets,
                      size_t size, enum nwi_reading_wish wish) {
    if (octets == NULL || size == 0)
        return nwi_reading_fail(reading, "%s: empty", place);
    if (size > NWI_READING_OCTETS_MAX)
        return nwi_reading_fail(reading, "%s: more than 1 MiB", place);
    const gnutls_datum_t data = {.data = (unsigned char *)octets, .size = (unsigned)size};
    return data.data[0] == NWI_DER_SEQUENCE ? take_der(reading, place, &data, wish)
                                            : take_pem(reading, place, data, wish);
}
