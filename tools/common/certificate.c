/*
 * certificate.c - see certificate.h.
 * Source: RFC 5280; the pin is the digest of the SubjectPublicKeyInfo as RFC 7469 section 2.4 has
 *         it.
 */
#include "common/certificate.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void time_text(time_t when, char text[32]) {
    struct tm date;
    if (when == (time_t)-1 || gmtime_r(&when, &date) == NULL ||
        strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &date) == 0)
        strcpy(text, "unknown");
}

static void hex(const unsigned char *octets, size_t size, char *text, size_t text_size) {
    text[0] = '\0';
    for (size_t i = 0; i < size && 2 * i + 3 <= text_size; i++)
        snprintf(text + 2 * i, 3, "%02x", octets[i]);
}

static void read_pin(gnutls_x509_crt_t certificate, char text[64]) {
    unsigned char digest[64];
    size_t size = sizeof digest;
    gnutls_datum_t base64 = {0};
    text[0] = '\0';
    if (gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, digest, &size) != 0)
        return;
    const gnutls_datum_t octets = {.data = digest, .size = (unsigned)size};
    if (gnutls_base64_encode2(&octets, &base64) == 0)
        snprintf(text, 64, "%.*s", (int)base64.size, (const char *)base64.data);
    gnutls_free(base64.data);
}

void tool_certificate_read(gnutls_x509_crt_t certificate, struct tool_certificate *facts) {
    unsigned char octets[64];
    unsigned critical;
    size_t size = sizeof facts->subject;
    memset(facts, 0, sizeof *facts);
    if (gnutls_x509_crt_get_dn(certificate, facts->subject, &size) < 0)
        facts->subject[0] = '\0';
    size = sizeof facts->issuer;
    if (gnutls_x509_crt_get_issuer_dn(certificate, facts->issuer, &size) < 0)
        facts->issuer[0] = '\0';
    size = sizeof octets;
    if (gnutls_x509_crt_get_serial(certificate, octets, &size) == 0)
        hex(octets, size, facts->serial, sizeof facts->serial);
    size = sizeof octets;
    if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, octets, &size) == 0)
        hex(octets, size, facts->fingerprint, sizeof facts->fingerprint);
    read_pin(certificate, facts->pin);
    facts->begin = gnutls_x509_crt_get_activation_time(certificate);
    facts->end = gnutls_x509_crt_get_expiration_time(certificate);
    time_text(facts->begin, facts->from);
    time_text(facts->end, facts->until);
    facts->key_kind = gnutls_x509_crt_get_pk_algorithm(certificate, &facts->bits);
    const char *kind = gnutls_pk_get_name((gnutls_pk_algorithm_t)facts->key_kind);
    snprintf(facts->key, sizeof facts->key, "%s, %u bits", kind != NULL ? kind : "unknown",
             facts->bits);
    int signature = gnutls_x509_crt_get_signature_algorithm(certificate);
    facts->signature =
        signature >= 0 ? gnutls_sign_get_name((gnutls_sign_algorithm_t)signature) : NULL;
    gnutls_digest_algorithm_t digest =
        signature >= 0 ? gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)signature)
                       : GNUTLS_DIG_UNKNOWN;
    facts->short_digest = digest == GNUTLS_DIG_SHA1 || digest == GNUTLS_DIG_MD5;
    facts->path_length = -1;
    unsigned is_ca = 0;
    if (gnutls_x509_crt_get_basic_constraints(certificate, &critical, &is_ca,
                                              &facts->path_length) >= 0)
        facts->is_ca = is_ca != 0;
}

void tool_address_text(const void *octets, size_t size, char *text, size_t text_size) {
    int family = size == 4 ? AF_INET : size == 16 ? AF_INET6 : AF_UNSPEC;
    if (family == AF_UNSPEC || inet_ntop(family, octets, text, (socklen_t)text_size) == NULL)
        snprintf(text, text_size, "an address of %zu octets", size);
}

unsigned tool_certificate_each_name(gnutls_x509_crt_t certificate, void *context,
                                    void (*put)(void *context, const char *name)) {
    unsigned count = 0;
    for (;; count++) {
        char value[1024], text[1100], address[64];
        size_t size = sizeof value - 1;
        int result = gnutls_x509_crt_get_subject_alt_name(certificate, count, value, &size, NULL);
        if (result == GNUTLS_E_SHORT_MEMORY_BUFFER) {
            put(context, "a name of over 1,000 octets");
            continue;
        }
        if (result < 0)
            return count;
        value[size] = '\0';
        switch (result) {
        case GNUTLS_SAN_DNSNAME:
            snprintf(text, sizeof text, "dns:%s", value);
            break;
        case GNUTLS_SAN_RFC822NAME:
            snprintf(text, sizeof text, "email:%s", value);
            break;
        case GNUTLS_SAN_URI:
            snprintf(text, sizeof text, "uri:%s", value);
            break;
        case GNUTLS_SAN_IPADDRESS:
            tool_address_text(value, size, address, sizeof address);
            snprintf(text, sizeof text, "ip:%s", address);
            break;
        default:
            snprintf(text, sizeof text, "another kind of name");
        }
        put(context, text);
    }
}

void tool_certificate_each_purpose(gnutls_x509_crt_t certificate, void *context,
                                   void (*put)(void *context, const char *name)) {
    for (unsigned i = 0;; i++) {
        char oid[128];
        size_t size = sizeof oid;
        if (gnutls_x509_crt_get_key_purpose_oid(certificate, i, oid, &size, NULL) < 0)
            return;
        if (strcmp(oid, GNUTLS_KP_TLS_WWW_SERVER) == 0)
            put(context, "serverAuth");
        else if (strcmp(oid, GNUTLS_KP_TLS_WWW_CLIENT) == 0)
            put(context, "clientAuth");
        else
            put(context, oid);
    }
}
