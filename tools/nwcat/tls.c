/*
 * tls.c - see tls.h.
 * What:   every certificate of a peer is judged by the library's own evaluation, asked for here so
 *         that it can say why; --insecure takes the answer no for a yes, and says so.
 * Source: Apple's nwcat sample for -k: TLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256, and the key itself
 *         as its identity.
 * Runs:   on the main queue.
 * Owns:   identity and anchors, as long as the process lives.
 */
#include "tls.h"

#include "events.h"

#include <Security/identity.h>
#include <Security/protocol_settings.h>
#include <Security/session_metadata.h>
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct nwcat_tls {
    sec_identity_t identity; /* NULL: none */
    sec_certificate_t *anchors;
    size_t anchor_count;
};

/* --- files --- */

/* The first line of a file; NULL with errno. The caller wipes and frees it. */
static char *read_password(const char *path) {
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    if (file == NULL)
        return NULL;
    errno = ENODATA; /* an empty file */
    if (getline(&line, &size, file) < 0) {
        int error = errno;
        free(line);
        fclose(file);
        errno = error;
        return NULL;
    }
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/* nwcert writes NAME.pem and NAME-key.pem. The caller frees it; NULL: there is no such file. */
static char *find_key(const char *certificate) {
    static const char ending[] = ".pem", key_ending[] = "-key.pem";
    size_t length = strlen(certificate);
    if (length < strlen(ending) || strcmp(certificate + length - strlen(ending), ending) != 0)
        return NULL;
    char *path = malloc(length + sizeof key_ending);
    if (path == NULL)
        return NULL;
    sprintf(path, "%.*s%s", (int)(length - strlen(ending)), certificate, key_ending);
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static void complain(const struct nwcat_app *app, const char *what, char *why) {
    char line[640];
    snprintf(line, sizeof line, "%s: %s", what, why != NULL ? why : "out of memory");
    nwcat_event_error(app, line, NULL);
    free(why);
}

static bool read_identity(const struct nwcat_app *app, struct nwcat_tls *tls) {
    const struct nwcat_tls_options *o = &app->options.tls;
    char *password = NULL, *why = NULL;
    if (o->password_file != NULL && (password = read_password(o->password_file)) == NULL) {
        struct nwcat_reason reason = nwcat_reason_posix(errno);
        char what[320];
        snprintf(what, sizeof what, "cannot read a password from '%s'", o->password_file);
        nwcat_event_error(app, what, &reason);
        return false;
    }
    char *found = o->key == NULL ? find_key(o->cert) : NULL;
    tls->identity =
        sec_identity_create_with_files(o->cert, o->key != NULL ? o->key : found, password, &why);
    if (password != NULL)
        explicit_bzero(password, strlen(password));
    free(password);
    free(found);
    if (tls->identity == NULL)
        complain(app, "cannot use the certificate", why);
    return tls->identity != NULL;
}

static bool read_anchors(const struct nwcat_app *app, struct nwcat_tls *tls) {
    char *why = NULL;
    tls->anchors = sec_certificates_create_with_file(app->options.tls.ca, &tls->anchor_count, &why);
    if (tls->anchors == NULL)
        complain(app, "cannot trust --ca", why);
    return tls->anchors != NULL;
}

struct nwcat_tls *nwcat_tls_create(const struct nwcat_app *app, enum nwcat_status *status) {
    const struct nwcat_tls_options *o = &app->options.tls;
    struct nwcat_tls *tls = calloc(1, sizeof *tls);
    *status = NWCAT_LOCAL_IO;
    if (tls == NULL || (o->cert != NULL && !read_identity(app, tls)) ||
        (o->ca != NULL && !read_anchors(app, tls))) {
        free(tls); /* nwcat ends: the rest goes with the process */
        return NULL;
    }
    if (o->insecure)
        nwcat_event_warning(app, "--insecure: whoever answers is believed to be the right one, and "
                                 "anybody on the way can read and change everything");
    return tls;
}

/* --- settings --- */

/* Judges the peer as the library would. */
static void on_verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t peer,
                      sec_protocol_verify_complete_f complete, void *complete_context) {
    struct nwcat_trust *trust = context;
    const struct nwcat_tls_options *o = &trust->app->options.tls;
    (void)metadata;
    trust->status = sec_trust_evaluate(peer);
    char *why = sec_trust_copy_reason(peer);
    snprintf(trust->text, sizeof trust->text, "%s", why != NULL ? why : "no reason given");
    free(why);
    if (o->show_certs)
        nwcat_event_certificates(trust->app, peer, trust->status, trust->text);
    trust->refused = trust->status != 0 && !o->insecure;
    if (trust->status != 0 && o->insecure) {
        char what[480];
        snprintf(what, sizeof what, "accepted in spite of this: %s", trust->text);
        nwcat_event_warning(trust->app, what);
    }
    complete(complete_context, !trust->refused);
}

static void set_psk(const struct nwcat_options *o, sec_protocol_options_t settings) {
    static const tls_ciphersuite_t suite = TLS_PSK_WITH_AES_128_GCM_SHA256;
    dispatch_data_t key = dispatch_data_create_f(o->tls.psk, strlen(o->tls.psk), NULL, NULL, NULL);
    if (key == NULL)
        return;
    sec_protocol_options_add_pre_shared_key(settings, key, key);
    dispatch_release(key);
    if (o->tls.suite_count > 0 || (o->tls.least != NULL && strcmp(o->tls.least, "1.3") == 0))
        return;
    sec_protocol_options_set_exact_tls_ciphersuites(settings, &suite, 1);
    if (!o->udp && o->tls.most == NULL)
        sec_protocol_options_set_max_tls_protocol_version(settings, tls_protocol_version_TLSv12);
}

static void set_names(const struct nwcat_options *o, sec_protocol_options_t settings) {
    size_t length;
    if (o->tls.server_name != NULL)
        sec_protocol_options_set_tls_server_name(settings, o->tls.server_name);
    for (const char *rest = o->tls.alpn, *name; (name = nwcat_tls_next(&rest, &length)) != NULL;) {
        char protocol[UINT8_MAX + 1];
        snprintf(protocol, sizeof protocol, "%.*s", (int)length, name);
        sec_protocol_options_add_tls_application_protocol(settings, protocol);
    }
}

static void set_versions(const struct nwcat_options *o, sec_protocol_options_t settings) {
    if (o->tls.least != NULL)
        sec_protocol_options_set_min_tls_protocol_version(settings,
                                                          nwcat_tls_version(o->tls.least, o->udp));
    if (o->tls.most != NULL)
        sec_protocol_options_set_max_tls_protocol_version(settings,
                                                          nwcat_tls_version(o->tls.most, o->udp));
    if (o->tls.suite_count > 0)
        sec_protocol_options_set_exact_tls_ciphersuites(settings, o->tls.suites,
                                                        o->tls.suite_count);
}

/* With --ca the roots of the system count for nothing, and a listener asks its clients for
 * certificates. */
static void set_trust(const struct nwcat_app *app, sec_protocol_options_t settings,
                      struct nwcat_trust *trust) {
    const struct nwcat_tls *tls = app->tls;
    if (tls->identity != NULL)
        sec_protocol_options_set_local_identity(settings, tls->identity);
    for (size_t i = 0; i < tls->anchor_count; i++)
        sec_protocol_options_add_trust_anchor(settings, tls->anchors[i]);
    if (tls->anchor_count > 0)
        sec_protocol_options_set_system_anchors_enabled(settings, false);
    if (app->options.listen && tls->anchor_count > 0)
        sec_protocol_options_set_peer_authentication_required(settings, true);
    sec_protocol_options_set_verify_block_f(settings, trust, on_verify, dispatch_get_main_queue());
}

void nwcat_tls_configure(const struct nwcat_app *app, nw_protocol_options_t options,
                         struct nwcat_trust *trust) {
    const struct nwcat_options *o = &app->options;
    sec_protocol_options_t settings = nw_tls_copy_sec_protocol_options(options);
    trust->app = app;
    set_names(o, settings);
    set_versions(o, settings);
    if (o->tls.psk != NULL)
        set_psk(o, settings);
    else
        set_trust(app, settings, trust);
    sec_release(settings);
}

/* --- what came of it --- */

struct nwcat_reason nwcat_tls_reason(nw_error_t error, const struct nwcat_trust *trust) {
    struct nwcat_reason reason = nwcat_reason_of(error);
    if (reason.domain != nw_error_domain_tls || trust == NULL || !trust->refused)
        return reason;
    reason.code = trust->status;
    snprintf(reason.text, sizeof reason.text, "certificate not trusted: %s", trust->text);
    return reason;
}

static const char *version_name(tls_protocol_version_t version) {
    switch (version) {
    case tls_protocol_version_TLSv10:
        return "TLS 1.0";
    case tls_protocol_version_TLSv11:
        return "TLS 1.1";
    case tls_protocol_version_TLSv12:
        return "TLS 1.2";
    case tls_protocol_version_TLSv13:
        return "TLS 1.3";
    case tls_protocol_version_DTLSv10:
        return "DTLS 1.0";
    case tls_protocol_version_DTLSv12:
        return "DTLS 1.2";
    default:
        return "unknown";
    }
}

static void copy_text(char *to, size_t size, const char *from) {
    snprintf(to, size, "%s", from != NULL ? from : "");
}

bool nwcat_tls_facts_read(nw_connection_t connection, struct nwcat_tls_facts *facts) {
    nw_protocol_definition_t definition = nw_protocol_copy_tls_definition();
    nw_protocol_metadata_t metadata = nw_connection_copy_protocol_metadata(connection, definition);
    sec_protocol_metadata_t tls =
        metadata != NULL ? nw_tls_copy_sec_protocol_metadata(metadata) : NULL;
    memset(facts, 0, sizeof *facts);
    if (tls != NULL) {
        facts->version =
            version_name(sec_protocol_metadata_get_negotiated_tls_protocol_version(tls));
        facts->suite = nwcat_suite_name(sec_protocol_metadata_get_negotiated_tls_ciphersuite(tls),
                                        facts->suite_text);
        copy_text(facts->alpn, sizeof facts->alpn,
                  sec_protocol_metadata_get_negotiated_protocol(tls));
        copy_text(facts->server_name, sizeof facts->server_name,
                  sec_protocol_metadata_get_server_name(tls));
        facts->resumed = sec_protocol_metadata_get_session_resumed(tls);
        facts->early_data = sec_protocol_metadata_get_early_data_accepted(tls);
    }
    bool found = tls != NULL;
    sec_release(tls);
    nw_release(metadata);
    nw_release(definition);
    return found;
}
