/*
 * verify.c - see verify.h.
 * What:   the evaluation is the library's; the files are read here.
 */
#include "verify.h"
#include "common/json.h"
#include "store.h"
#include <Security/trust_evaluation.h>
#include <stdio.h>
#include <stdlib.h>

/* The certificates of a file as the library's. False: said why. The caller releases and frees. */
static bool read_all(const char *path, sec_certificate_t **ret_list, size_t *ret_count) {
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    if (!nwcert_read_certificates(path, &list, &count))
        return false;
    sec_certificate_t *taken = calloc(count, sizeof *taken);
    *ret_count = 0;
    for (unsigned i = 0; i < count; i++) {
        gnutls_datum_t der = {0};
        if (taken != NULL && gnutls_x509_crt_export2(list[i], GNUTLS_X509_FMT_DER, &der) >= 0)
            taken[*ret_count] = sec_certificate_create_with_bytes(der.data, der.size);
        if (taken != NULL && taken[*ret_count] != NULL)
            (*ret_count)++;
        else
            fprintf(stderr, "nwcert: %s: certificate %u cannot be read\n", path, i + 1);
        gnutls_free(der.data);
        gnutls_x509_crt_deinit(list[i]);
    }
    gnutls_free(list);
    *ret_list = taken;
    return *ret_count == count;
}

static void let_go(sec_certificate_t *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        sec_release(list[i]);
    free(list);
}

static bool add_anchors(sec_trust_t trust, const char *path) {
    sec_certificate_t *list = NULL;
    size_t count = 0;
    bool good = read_all(path, &list, &count);
    for (size_t i = 0; i < count; i++)
        sec_trust_add_anchor(trust, list[i]);
    let_go(list, count);
    return good;
}

/* Each certificate of the file with what was found of it. */
static void print_chain(sec_trust_t trust, struct tool_json *json) {
    for (size_t i = 0; i < sec_trust_get_chain_count(trust); i++) {
        sec_certificate_t certificate = sec_trust_copy_chain_certificate(trust, i);
        char *subject = sec_certificate_copy_subject(certificate);
        char *verdict = sec_trust_copy_certificate_verdict(trust, i);
        if (json != NULL) {
            tool_json_open(json, NULL, '{');
            tool_json_text(json, "subject", subject);
            tool_json_text(json, "verdict", verdict);
            tool_json_close(json, '}');
        } else {
            printf("  certificate %zu (%s): %s\n", i + 1, subject != NULL ? subject : "",
                   verdict != NULL ? verdict : "out of memory");
        }
        free(verdict);
        free(subject);
        sec_release(certificate);
    }
}

static void print_verdict(const struct nwcert_request *request, sec_trust_t trust, int status) {
    char *reason = sec_trust_copy_reason(trust);
    if (request->json) {
        struct tool_json json;
        tool_json_begin(&json);
        tool_json_text(&json, "file", request->files[0]);
        tool_json_text(&json, "host", request->host);
        tool_json_bool(&json, "trusted", status == 0);
        tool_json_integer(&json, "status", status);
        tool_json_text(&json, "reason", reason);
        tool_json_open(&json, "path", '[');
        for (size_t i = 0; i < sec_trust_get_path_count(trust); i++) {
            sec_certificate_t certificate = sec_trust_copy_path_certificate(trust, i);
            char *subject = sec_certificate_copy_subject(certificate);
            tool_json_text(&json, NULL, subject);
            free(subject);
            sec_release(certificate);
        }
        tool_json_close(&json, ']');
        tool_json_open(&json, "chain", '[');
        print_chain(trust, &json);
        tool_json_close(&json, ']');
        tool_json_end(&json, stdout);
    } else if (status == 0) {
        printf("%s: %s\n", request->files[0], reason != NULL ? reason : "trusted");
    } else {
        printf("%s: not trusted (%d): %s\n", request->files[0], status,
               reason != NULL ? reason : "out of memory");
    }
    if (!request->json)
        print_chain(trust, NULL);
    free(reason);
}

static enum nwcert_status evaluate(const struct nwcert_request *request, sec_trust_t trust) {
    if (request->command == NWCERT_VERIFY && request->as_client)
        sec_trust_set_purpose(trust, sec_trust_purpose_client);
    if (request->ca != NULL) {
        sec_trust_set_system_anchors_enabled(trust, false);
        if (!add_anchors(trust, request->ca))
            return NWCERT_FAILED;
    } else {
        sec_trust_set_system_anchors_enabled(trust, true); /* of clients too: it was asked for */
    }
    if (request->at != -1)
        sec_trust_set_verify_time(trust, request->at);
    int status = sec_trust_evaluate(trust);
    print_verdict(request, trust, status);
    return status == 0 ? NWCERT_OK : NWCERT_FAILED;
}

enum nwcert_status nwcert_verify(const struct nwcert_request *request) {
    sec_certificate_t *chain = NULL;
    size_t count = 0;
    enum nwcert_status status = NWCERT_FAILED;
    if (read_all(request->files[0], &chain, &count)) {
        sec_trust_t trust = sec_trust_create_with_chain(chain, count, request->host);
        if (trust != NULL)
            status = evaluate(request, trust);
        else
            fputs("nwcert: out of memory\n", stderr);
        sec_release(trust);
    }
    let_go(chain, count);
    return status;
}
