/*
 * show.c - see show.h.
 * What:   what is wrong with a certificate in the eyes of a strict client stands beside the value:
 *         expired, no SAN, SHA-1, a short RSA key, too long a life.
 * Source: RFC 5280; the pin is the digest of the SubjectPublicKeyInfo as RFC 7469 section 2.4 has
 *         it; Apple's requirements for trusted certificates (398 days, RSA of 2048 bits, SHA-2).
 */
#include "show.h"
#include "common/certificate.h"
#include "common/json.h"
#include "request.h"
#include <stdio.h>
#include <string.h>

enum { DAY = 24 * 60 * 60, LIFE_MAX_DAYS = 398, RSA_MIN_BITS = 2048 };

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
                         const struct tool_certificate *facts) {
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
    unsigned names = tool_certificate_each_name(certificate, "name", print_name);
    if (names == 0 && !facts->is_ca)
        print_line("name", "none", "no client accepts it: the Common Name does not count");
    tool_certificate_each_purpose(certificate, "use", print_name);
    print_line("sha256", facts->fingerprint, "");
    print_line("pin", facts->pin, "");
}

/* --- for programs --- */

static void json_item(void *context, const char *name) {
    tool_json_text(context, NULL, name);
}

static void print_json(const char *file, gnutls_x509_crt_t certificate,
                       const struct tool_certificate *facts) {
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
    tool_certificate_each_name(certificate, &json, json_item);
    tool_json_close(&json, ']');
    tool_json_open(&json, "purposes", '[');
    tool_certificate_each_purpose(certificate, &json, json_item);
    tool_json_close(&json, ']');
    tool_json_text(&json, "sha256", facts->fingerprint);
    tool_json_text(&json, "pin", facts->pin);
    tool_json_end(&json, stdout);
}

void nwcert_show(const char *file, gnutls_x509_crt_t certificate, bool json) {
    struct tool_certificate facts;
    tool_certificate_read(certificate, &facts);
    if (json)
        print_json(file, certificate, &facts);
    else
        print_people(file, certificate, &facts);
}
