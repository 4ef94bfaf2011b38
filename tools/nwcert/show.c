/*
 * show.c - see show.h.
 * What:   what is wrong with a certificate in the eyes of a strict client stands beside the value:
 *         expired, no SAN, SHA-1, a short RSA key, too long a life.
 * Source: RFC 5280; the pin is the digest of the SubjectPublicKeyInfo as RFC 7469 section 2.4 has
 *         it; Apple's requirements for trusted certificates (398 days, RSA of 2048 bits, SHA-2).
 */
#include "show.h"
#include "common/json.h"
#include "request.h"
#include <stdio.h>
#include <string.h>

enum { DAY = 24 * 60 * 60, LIFE_MAX_DAYS = 398, RSA_MIN_BITS = 2048, TEXT = 512 };

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

struct facts {
    char subject[TEXT], issuer[TEXT], serial[64], from[32], until[32], fingerprint[80], pin[64];
    char key[64];
    const char *signature;
    unsigned bits;
    int key_kind, is_ca, path_length;
    time_t begin, end;
    bool has_san, short_digest;
};

static void read_facts(gnutls_x509_crt_t certificate, struct facts *facts) {
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

/* Calls `put` with each name of the SAN as kind:value; returns how many there are. */
static unsigned each_name(gnutls_x509_crt_t certificate, void *context,
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
            nwcert_address_text(value, size, address, sizeof address);
            snprintf(text, sizeof text, "ip:%s", address);
            break;
        default:
            snprintf(text, sizeof text, "another kind of name");
        }
        put(context, text);
    }
}

static void each_purpose(gnutls_x509_crt_t certificate, void *context,
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

/* --- for people --- */

/* Values from a certificate may hold anything, also what a terminal obeys. */
static void print_line(const char *word, const char *value, const char *remark) {
    printf("  %-12s ", word);
    for (const char *c = value; *c != '\0'; c++)
        putchar((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c);
    printf("%s%s\n", remark[0] != '\0' ? "   <- " : "", remark);
}

static void print_name(void *context, const char *name) {
    print_line(context, name, "");
}

static void print_people(const char *file, gnutls_x509_crt_t certificate,
                         const struct facts *facts) {
    time_t now = time(NULL);
    char remark[64] = "";
    printf("%s\n", file);
    print_line("subject", facts->subject, "");
    print_line("issuer", facts->issuer, strcmp(facts->subject, facts->issuer) == 0 ? "itself" : "");
    print_line("serial", facts->serial, "");
    print_line("from", facts->from, facts->begin > now ? "not yet valid" : "");
    if (facts->end < now)
        snprintf(remark, sizeof remark, "expired");
    else if (!facts->is_ca && (facts->end - facts->begin) / DAY > LIFE_MAX_DAYS)
        snprintf(remark, sizeof remark, "%ld days; Apple's clients take 398 from public CAs",
                 (long)((facts->end - facts->begin) / DAY));
    print_line("until", facts->until, remark);
    print_line("key", facts->key,
               facts->key_kind == GNUTLS_PK_RSA && facts->bits < RSA_MIN_BITS
                   ? "too short: 2048 bits are the least"
                   : "");
    print_line("signature", facts->signature != NULL ? facts->signature : "unknown",
               facts->short_digest ? "refused everywhere" : "");
    if (facts->is_ca) {
        snprintf(remark, sizeof remark, "yes, any number of CAs below");
        if (facts->path_length >= 0)
            snprintf(remark, sizeof remark, "yes, %d CAs below at most", facts->path_length);
        print_line("CA", remark, "");
    }
    unsigned names = each_name(certificate, "name", print_name);
    if (names == 0 && !facts->is_ca)
        print_line("name", "none", "no client accepts it: the Common Name does not count");
    each_purpose(certificate, "use", print_name);
    print_line("sha256", facts->fingerprint, "");
    print_line("pin", facts->pin, "");
}

/* --- for programs --- */

static void json_item(void *context, const char *name) {
    tool_json_text(context, NULL, name);
}

static void print_json(const char *file, gnutls_x509_crt_t certificate, const struct facts *facts) {
    struct tool_json json;
    tool_json_begin(&json);
    tool_json_text(&json, "file", file);
    tool_json_text(&json, "subject", facts->subject);
    tool_json_text(&json, "issuer", facts->issuer);
    tool_json_text(&json, "serial", facts->serial);
    tool_json_text(&json, "from", facts->from);
    tool_json_text(&json, "until", facts->until);
    tool_json_text(&json, "key", gnutls_pk_get_name((gnutls_pk_algorithm_t)facts->key_kind));
    tool_json_integer(&json, "bits", facts->bits);
    tool_json_text(&json, "signature", facts->signature);
    tool_json_bool(&json, "ca", facts->is_ca);
    if (facts->path_length >= 0)
        tool_json_integer(&json, "path_length", facts->path_length);
    tool_json_open(&json, "names", '[');
    each_name(certificate, &json, json_item);
    tool_json_close(&json, ']');
    tool_json_open(&json, "purposes", '[');
    each_purpose(certificate, &json, json_item);
    tool_json_close(&json, ']');
    tool_json_text(&json, "sha256", facts->fingerprint);
    tool_json_text(&json, "pin", facts->pin);
    tool_json_end(&json, stdout);
}

void nwcert_show(const char *file, gnutls_x509_crt_t certificate, bool json) {
    struct facts facts;
    read_facts(certificate, &facts);
    if (json)
        print_json(file, certificate, &facts);
    else
        print_people(file, certificate, &facts);
}
