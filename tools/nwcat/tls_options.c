/*
 * tls_options.c - reads what the command line says of TLS.
 * What:   each option by itself, then what goes with what. Every complaint names the value it is
 *         about.
 * Runs:   before anything else; touches no network and no file.
 */
#include "tls_options.h"

#include "common/usage.h"
#include "options.h"
#include "status.h"
#include "suites.h"

#include <string.h>

#define complain(err, ...) (tool_complain(err, "nwcat", __VA_ARGS__), NWCAT_USAGE)

static const char *const names[NWCAT_TLS_OPTION_COUNT] = {
    [NWCAT_TLS_CA] = "--ca",
    [NWCAT_TLS_CERT] = "--cert",
    [NWCAT_TLS_KEY] = "--key",
    [NWCAT_TLS_PASSWORD_FILE] = "--password-file",
    [NWCAT_TLS_ALPN] = "--alpn",
    [NWCAT_TLS_MIN] = "--tls-min",
    [NWCAT_TLS_MAX] = "--tls-max",
    [NWCAT_TLS_CIPHERS] = "--ciphers",
    [NWCAT_TLS_INSECURE] = "--insecure",
    [NWCAT_TLS_SHOW_CERTS] = "--show-certs",
    [NWCAT_TLS_SERVER_NAME] = "--server-name",
};

uint16_t nwcat_tls_version(const char *text, bool datagram) {
    static const struct {
        const char *text;
        uint16_t tls, dtls;
    } versions[] = {
        {"1.0", 0x0301, 0xFEFF}, {"1.1", 0x0302, 0}, {"1.2", 0x0303, 0xFEFD}, {"1.3", 0x0304, 0}};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (strcmp(text, versions[i].text) == 0)
            return datagram ? versions[i].dtls : versions[i].tls;
    return 0;
}

const char *nwcat_tls_next(const char **list, size_t *ret_length) {
    const char *begin = *list;
    if (begin == NULL)
        return NULL;
    *ret_length = strcspn(begin, ",");
    *list = begin[*ret_length] == ',' ? begin + *ret_length + 1 : NULL;
    return begin;
}

static int set_alpn(struct nwcat_tls_options *tls, const char *value, FILE *err) {
    size_t length;
    for (const char *rest = value, *name; (name = nwcat_tls_next(&rest, &length)) != NULL;)
        if (length == 0 || length > UINT8_MAX) /* its length has one octet on the wire */
            return complain(err, "'%.*s' in --alpn '%s' is not a protocol (1 to 255 octets)",
                            (int)length, name, value);
    tls->alpn = value;
    return NWCAT_RUN;
}

static int set_ciphers(struct nwcat_tls_options *tls, const char *value, FILE *err) {
    size_t length;
    tls->suite_count = 0;
    for (const char *rest = value, *name; (name = nwcat_tls_next(&rest, &length)) != NULL;) {
        if (tls->suite_count == NWCAT_SUITES_MAX)
            return complain(err, "--ciphers takes %d suites at most", NWCAT_SUITES_MAX);
        if (!nwcat_suite_read(name, length, &tls->suites[tls->suite_count++]))
            return complain(err,
                            "'%.*s' in --ciphers is not a cipher suite (a name such as "
                            "TLS_AES_128_GCM_SHA256, or a number such as 0x1301)",
                            (int)length, name);
    }
    return NWCAT_RUN;
}

int nwcat_tls_option(struct nwcat_tls_options *tls, enum nwcat_tls_option option, const char *value,
                     FILE *err) {
    if (tls->first == NULL)
        tls->first = names[option];
    if (value != NULL && value[0] == '\0')
        return complain(err, "%s needs a value: '' is none", names[option]);
    switch (option) {
    case NWCAT_TLS_CA:
        tls->ca = value;
        break;
    case NWCAT_TLS_CERT:
        tls->cert = value;
        break;
    case NWCAT_TLS_KEY:
        tls->key = value;
        break;
    case NWCAT_TLS_PASSWORD_FILE:
        tls->password_file = value;
        break;
    case NWCAT_TLS_ALPN:
        return set_alpn(tls, value, err);
    case NWCAT_TLS_MIN:
        tls->least = value;
        break;
    case NWCAT_TLS_MAX:
        tls->most = value;
        break;
    case NWCAT_TLS_CIPHERS:
        return set_ciphers(tls, value, err);
    case NWCAT_TLS_INSECURE:
        tls->insecure = true;
        break;
    case NWCAT_TLS_SHOW_CERTS:
        tls->show_certs = true;
        break;
    case NWCAT_TLS_SERVER_NAME:
        tls->server_name = value;
        break;
    case NWCAT_TLS_OPTION_COUNT:
        break;
    }
    return NWCAT_RUN;
}

int nwcat_tls_psk(struct nwcat_tls_options *tls, const char *key, FILE *err) {
    if (key[0] == '\0')
        return complain(err, "-k needs a key: '' is none");
    tls->psk = key;
    tls->on = true;
    return NWCAT_RUN;
}

static int check_versions(const struct nwcat_options *o, FILE *err) {
    const char *const given[] = {o->tls.least, o->tls.most};
    for (size_t i = 0; i < 2; i++)
        if (given[i] != NULL && nwcat_tls_version(given[i], o->udp) == 0)
            return complain(err, "'%s' is not a version of %s", given[i],
                            o->udp ? "DTLS (1.0 or 1.2)" : "TLS (1.0, 1.1, 1.2 or 1.3)");
    if (given[0] != NULL && given[1] != NULL && strcmp(given[0], given[1]) > 0)
        return complain(err, "--tls-min '%s' is above --tls-max '%s'", given[0], given[1]);
    return NWCAT_RUN;
}

/* A key shared beforehand says who both ends are: nobody shows a certificate. */
static int check_psk(const struct nwcat_tls_options *tls, FILE *err) {
    const char *extra = tls->ca != NULL            ? "--ca"
                        : tls->cert != NULL        ? "--cert"
                        : tls->insecure            ? "--insecure"
                        : tls->show_certs          ? "--show-certs"
                        : tls->server_name != NULL ? "--server-name"
                                                   : NULL;
    if (extra != NULL)
        return complain(err, "-k works without certificates: leave out %s", extra);
    return NWCAT_RUN;
}

static int check_certificates(const struct nwcat_options *o, FILE *err) {
    const struct nwcat_tls_options *tls = &o->tls;
    if (tls->cert == NULL && tls->key != NULL)
        return complain(err, "--key '%s' needs its certificate: --cert FILE", tls->key);
    if (tls->cert == NULL && tls->password_file != NULL)
        return complain(err, "--password-file '%s' opens no file: give --cert FILE",
                        tls->password_file);
    if (tls->insecure && tls->ca != NULL)
        return complain(err, "--insecure trusts anybody: leave out it or --ca '%s'", tls->ca);
    if (o->listen && tls->cert == NULL)
        return complain(err, "a listener with -t needs a certificate: --cert FILE, --key FILE "
                             "('nwcert set localhost' makes server.pem and server-key.pem)");
    if (o->listen && tls->show_certs && tls->ca == NULL)
        return complain(err, "--show-certs with -l needs --ca: a listener asks for no certificate "
                             "without");
    if (o->listen && tls->insecure)
        return complain(err, "--insecure is for clients: a listener asks for no certificate "
                             "without --ca");
    if (o->listen && tls->server_name != NULL)
        return complain(err, "--server-name '%s' is for clients: leave it out with -l",
                        tls->server_name);
    if (o->unix_socket && !o->listen && tls->server_name == NULL && !tls->insecure)
        return complain(err, "a socket's path is no name to look for in a certificate: "
                             "--server-name NAME");
    return NWCAT_RUN;
}

int nwcat_tls_check(const struct nwcat_options *o, FILE *err) {
    const struct nwcat_tls_options *tls = &o->tls;
    if (!tls->on)
        return tls->first != NULL ? complain(err, "%s goes with -t or -k", tls->first) : NWCAT_RUN;
    int status = check_versions(o, err);
    if (status != NWCAT_RUN)
        return status;
    return tls->psk != NULL ? check_psk(tls, err) : check_certificates(o, err);
}
