/*
 * events_tls.c - what nwcat says of TLS: the certificates of a peer with a verdict each, and
 * warnings.
 * Runs:   on the main queue.
 */
#include "events.h"

#include "common/certificate.h"
#include "events_private.h"
#include "meter.h"

#include <Security/trust_evaluation.h>
#include <stdlib.h>
#include <string.h>

/* --- for people --- */

/* Values from a certificate may hold anything, also what a terminal obeys. */
static void print_line(const char *word, const char *value) {
    fprintf(stderr, "     %-10s ", word);
    for (const char *c = value; *c != '\0'; c++)
        fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, stderr);
    fputc('\n', stderr);
}

static void print_name(void *context, const char *name) {
    print_line(context, name);
}

static void print_certificate(size_t index, gnutls_x509_crt_t certificate,
                              const struct tool_certificate *facts, const char *verdict) {
    char text[160];
    fprintf(stderr, "  %zu.\n", index + 1);
    print_line("subject", facts->subject);
    print_line("issuer", strcmp(facts->subject, facts->issuer) == 0 ? "itself" : facts->issuer);
    tool_certificate_each_name(certificate, "name", print_name);
    snprintf(text, sizeof text, "%s to %s", facts->from, facts->until);
    print_line("valid", text);
    snprintf(text, sizeof text, "%s%s; signed with %s", facts->key, facts->is_ca ? ", a CA's" : "",
             facts->signature != NULL ? facts->signature : "an unknown algorithm");
    print_line("key", text);
    print_line("sha256", facts->fingerprint);
    print_line("pin", facts->pin);
    print_line("verdict", verdict);
}

/* --- for programs --- */

static void json_item(void *context, const char *name) {
    tool_json_text(context, NULL, name);
}

static void put_certificate(struct tool_json *json, gnutls_x509_crt_t certificate,
                            const struct tool_certificate *facts, const char *verdict) {
    tool_json_open(json, NULL, '{');
    tool_json_text(json, "subject", facts->subject);
    tool_json_text(json, "issuer", facts->issuer);
    tool_json_text(json, "serial", facts->serial);
    tool_json_open(json, "names", '[');
    tool_certificate_each_name(certificate, json, json_item);
    tool_json_close(json, ']');
    tool_json_text(json, "from", facts->from);
    tool_json_text(json, "until", facts->until);
    tool_json_text(json, "key", gnutls_pk_get_name((gnutls_pk_algorithm_t)facts->key_kind));
    tool_json_integer(json, "bits", facts->bits);
    tool_json_text(json, "signature", facts->signature);
    tool_json_bool(json, "ca", facts->is_ca);
    tool_json_text(json, "sha256", facts->fingerprint);
    tool_json_text(json, "pin", facts->pin);
    tool_json_text(json, "verdict", verdict);
    tool_json_close(json, '}');
}

/* --- both --- */

/* Reads one certificate of the chain and shows it; `json` NULL: to people. */
static void show_certificate(sec_trust_t peer, size_t index, struct tool_json *json) {
    struct tool_certificate facts;
    gnutls_x509_crt_t certificate = NULL;
    sec_certificate_t one = sec_trust_copy_chain_certificate(peer, index);
    dispatch_data_t data = sec_certificate_copy_data(one);
    const void *bytes = NULL;
    size_t size = 0;
    dispatch_data_t map = data != NULL ? dispatch_data_create_map(data, &bytes, &size) : NULL;
    char *verdict = sec_trust_copy_certificate_verdict(peer, index);
    const gnutls_datum_t der = {.data = (unsigned char *)bytes, .size = (unsigned)size};
    if (map != NULL && gnutls_x509_crt_init(&certificate) == 0 &&
        gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == 0) {
        const char *found = verdict != NULL ? verdict : "";
        tool_certificate_read(certificate, &facts);
        if (json != NULL)
            put_certificate(json, certificate, &facts, found);
        else
            print_certificate(index, certificate, &facts, found);
    }
    if (certificate != NULL)
        gnutls_x509_crt_deinit(certificate);
    free(verdict);
    if (map != NULL)
        dispatch_release(map);
    if (data != NULL)
        dispatch_release(data);
    sec_release(one);
}

void nwcat_event_certificates(const struct nwcat_app *app, sec_trust_t peer, int32_t status,
                              const char *reason) {
    size_t count = sec_trust_get_chain_count(peer);
    if (!app->options.json) {
        nwcat_event_say(app, 0, "the peer sent %zu certificate%s: %s%s", count,
                        count == 1 ? "" : "s", status != 0 ? "not trusted: " : "", reason);
        for (size_t i = 0; i < count; i++)
            show_certificate(peer, i, NULL);
        return;
    }
    struct tool_json json;
    nwcat_event_begin(&json, app, "certificates");
    tool_json_bool(&json, "trusted", status == 0);
    tool_json_integer(&json, "status", status);
    tool_json_text(&json, "reason", reason);
    tool_json_open(&json, "chain", '[');
    for (size_t i = 0; i < count; i++)
        show_certificate(peer, i, &json);
    tool_json_close(&json, ']');
    tool_json_end(&json, nwcat_event_stream(app));
}

void nwcat_event_tls_text(const struct nwcat_tls_facts *facts, char *text, size_t size) {
    snprintf(text, size, "%s, %s%s%s%s%s", facts->version, facts->suite,
             facts->alpn[0] != '\0' ? ", protocol " : "", facts->alpn,
             facts->resumed ? ", resumed" : "", facts->early_data ? ", early data accepted" : "");
}

void nwcat_event_put_tls(struct tool_json *json, const struct nwcat_tls_facts *facts) {
    tool_json_text(json, "version", facts->version);
    tool_json_text(json, "suite", facts->suite);
    tool_json_text(json, "alpn", facts->alpn[0] != '\0' ? facts->alpn : NULL);
    tool_json_text(json, "server_name", facts->server_name[0] != '\0' ? facts->server_name : NULL);
    tool_json_bool(json, "resumed", facts->resumed);
    tool_json_bool(json, "early_data", facts->early_data);
}

void nwcat_event_tls(const struct nwcat_app *app, unsigned number,
                     const struct nwcat_tls_facts *facts) {
    if (!app->options.json) {
        char text[400];
        nwcat_event_tls_text(facts, text, sizeof text);
        nwcat_event_say(app, 1, "%s", text);
        return;
    }
    struct tool_json json;
    nwcat_event_begin(&json, app, "tls");
    tool_json_integer(&json, "connection", number);
    nwcat_event_put_tls(&json, facts);
    tool_json_end(&json, nwcat_event_stream(app));
}

void nwcat_event_warning(const struct nwcat_app *app, const char *text) {
    if (!app->options.json) {
        nwcat_event_say(app, 0, "WARNING: %s", text);
        return;
    }
    struct tool_json json;
    nwcat_event_begin(&json, app, "warning");
    tool_json_text(&json, "message", text);
    tool_json_end(&json, nwcat_event_stream(app));
}
