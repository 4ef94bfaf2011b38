/*
 * main.c - nwcert: the certificates that testing TLS takes, made in one line.
 * What:   what Apple's technical note on test certificates describes by hand: a CA, and identities
 *         that it issues to servers and clients.
 */
#include "common/terminal.h"
#include "make.h"
#include "show.h"
#include "store.h"
#include "verify.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void report(const struct nwcert_request *request, const char *base,
                   const struct nwcert_identity *identity) {
    char path[NWCERT_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.pem", request->folder, base);
    nwcert_show(path, identity->chain[0], request->json);
}

/* Makes one identity, writes it, tells it. `issuer` NULL: it signs itself. */
static bool issue(const struct nwcert_request *request, enum nwcert_command command,
                  const char *base, const struct nwcert_identity *issuer,
                  struct nwcert_identity *ret_identity) {
    const char *why = nwcert_make(request, command, issuer, ret_identity);
    if (why != NULL) {
        fprintf(stderr, "nwcert: %s: %s\n", base, why);
        return false;
    }
    if (issuer != NULL && gnutls_x509_crt_get_expiration_time(ret_identity->chain[0]) >
                              gnutls_x509_crt_get_expiration_time(issuer->chain[0]))
        fprintf(stderr, "nwcert: %s: valid for longer than its CA, which ends first\n", base);
    if (!nwcert_write_identity(request, base, ret_identity)) {
        nwcert_identity_clear(ret_identity);
        return false;
    }
    report(request, base, ret_identity);
    return true;
}

static bool make_one(const struct nwcert_request *request) {
    static const char *const bases[] = {
        [NWCERT_CA] = "ca", [NWCERT_SERVER] = "server", [NWCERT_CLIENT] = "client"};
    struct nwcert_identity issuer = {0}, made;
    bool signs_itself = request->command == NWCERT_CA && !request->signed_ca;
    const char *base = request->base != NULL ? request->base
                       : request->signed_ca  ? "intermediate"
                                             : bases[request->command];
    if (!signs_itself && !nwcert_read_ca(request, &issuer))
        return false;
    bool good = issue(request, request->command, base, signs_itself ? NULL : &issuer, &made);
    if (good)
        nwcert_identity_clear(&made);
    nwcert_identity_clear(&issuer);
    return good;
}

/* The options are for the server; the CA and the client get the defaults, and the same keys. */
static bool make_set(const struct nwcert_request *request) {
    struct nwcert_identity ca, made;
    struct nwcert_request plain = {.folder = request->folder,
                                   .from = -1,
                                   .until = -1,
                                   .path_length = -1,
                                   .key = request->key,
                                   .key_bits = request->key_bits,
                                   .password_file = request->password_file,
                                   .force = request->force,
                                   .json = request->json};
    struct nwcert_request for_ca = plain;
    for_ca.password_file = NULL; /* what others trust needs no key beside it */
    if (nwcert_name_read("email:client@test.invalid", &plain.names[0]) != NULL)
        return false;
    plain.name_count = 1;
    plain.common_name = "Test client";
    if (!issue(&for_ca, NWCERT_CA, "ca", NULL, &ca))
        return false;
    bool good = issue(request, NWCERT_SERVER, "server", &ca, &made);
    if (good) {
        nwcert_identity_clear(&made);
        good = issue(&plain, NWCERT_CLIENT, "client", &ca, &made);
    }
    if (good)
        nwcert_identity_clear(&made);
    nwcert_identity_clear(&ca);
    return good;
}

static bool show_file(const char *path, bool json) {
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    if (!nwcert_read_certificates(path, &list, &count))
        return false;
    for (unsigned i = 0; i < count; i++) {
        nwcert_show(path, list[i], json);
        gnutls_x509_crt_deinit(list[i]);
    }
    gnutls_free(list);
    return true;
}

static bool show_all(const struct nwcert_request *request) {
    bool good = true;
    for (size_t i = 0; i < request->file_count; i++)
        good = show_file(request->files[i], request->json) && good;
    return good;
}

static enum nwcert_status run(const struct nwcert_request *request) {
    switch (request->command) {
    case NWCERT_VERIFY:
        return nwcert_verify(request);
    case NWCERT_SHOW:
        return show_all(request) ? NWCERT_OK : NWCERT_FAILED;
    case NWCERT_SET:
        return make_set(request) ? NWCERT_OK : NWCERT_FAILED;
    default:
        return make_one(request) ? NWCERT_OK : NWCERT_FAILED;
    }
}

int main(int argc, char **argv) {
    static struct nwcert_request request; /* large */
    bool answered;
    tool_fill_standard_descriptors();
    enum nwcert_status status = nwcert_request_read(argc, argv, &request, &answered);
    if (status == NWCERT_OK && !answered)
        status = run(&request);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "nwcert: standard output: %s\n", strerror(errno));
        return NWCERT_FAILED;
    }
    return status;
}
