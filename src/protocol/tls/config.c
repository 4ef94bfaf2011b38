/*
 * config.c - see config.h.
 * Source: RFC 6066 section 3 (SNI), RFC 7301 (ALPN).
 */
#include "protocol/tls/config.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/data.h"
#include "protocol/tls/ask.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/keylog.h"
#include "protocol/tls/sessions.h"
#include "trust/identity.h"
#include <Security/SecureTransport.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

static void destroy(void *object) {
    struct nwi_tls_config *config = object;
    if (config->certificates != NULL && config->is_server)
        gnutls_certificate_free_credentials(config->certificates);
    if (config->client_keys != NULL)
        gnutls_psk_free_client_credentials(config->client_keys);
    if (config->server_keys != NULL)
        gnutls_psk_free_server_credentials(config->server_keys);
    if (config->dh != NULL)
        gnutls_dh_params_deinit(config->dh);
    nwi_release(config->priority);
    nwi_release(config->tickets);
    nwi_free(config->protocols);
    nwi_release(config->sec);
}

static const struct nwi_type config_type = {
    .name = "nwi_tls_config",
    .size = sizeof(struct nwi_tls_config),
    .destroy = destroy,
};

static bool make_protocols(struct nwi_tls_config *config) {
    size_t count = config->sec->application_protocol_count;
    if (count == 0)
        return true;
    config->protocols = nwi_alloc(count * sizeof config->protocols[0]);
    if (config->protocols == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        char *name = config->sec->application_protocols[i];
        config->protocols[i] =
            (gnutls_datum_t){.data = (unsigned char *)name, .size = (unsigned)strlen(name)};
    }
    config->protocol_count = (unsigned)count;
    return true;
}

/* A text for GnuTLS: a hint ends at its first zero octet. GnuTLS's code. */
static int set_hint(struct nwi_tls_config *config) {
    char hint[256] = "";
    if (config->sec->psk_identity_hint == NULL)
        return 0;
    nwi_data_copy_out(config->sec->psk_identity_hint, 0, hint, sizeof hint - 1);
    return gnutls_psk_set_server_credentials_hint(config->server_keys, hint);
}

/* GnuTLS's code. The keys themselves are looked up by ask.c when a handshake comes to them. */
static int make_keys(struct nwi_tls_config *config) {
    if (config->sec->psk_count == 0)
        return 0;
    int code;
    if (!config->is_server) {
        code = gnutls_psk_allocate_client_credentials(&config->client_keys);
        if (code == 0)
            gnutls_psk_set_client_credentials_function2(config->client_keys, nwi_tls_choose_key);
        return code;
    }
    code = gnutls_psk_allocate_server_credentials(&config->server_keys);
    if (code < 0)
        return code;
    gnutls_psk_set_server_credentials_function2(config->server_keys, nwi_tls_find_key);
    if (config->dh != NULL)
        gnutls_psk_set_server_dh_params(config->server_keys, config->dh);
    return set_hint(config);
}

/* The CAs whose clients a server takes are named in its request (RFC 8446 section 4.2.4). GnuTLS's
 * code. */
static int name_authorities(struct nwi_tls_config *config) {
    const struct nwi_trust_settings *trust = config->sec->trust;
    if (config->asks == GNUTLS_CERT_IGNORE || trust == NULL)
        return 0;
    for (size_t i = 0; i < trust->anchors.count; i++) {
        gnutls_x509_crt_t crt = trust->anchors.items[i]->crt;
        int code = gnutls_certificate_set_x509_trust(config->certificates, &crt, 1);
        if (code < 0)
            return code;
    }
    return 0;
}

/* What clients show and whom they trust is asked of their session, so that all of them have the
 * same credentials: GnuTLS takes 6.5 KiB for each, and a client has a config of its own. NULL:
 * memory ran out. They live with the process. */
static gnutls_certificate_credentials_t client_certificates(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static gnutls_certificate_credentials_t
        shared; /* under lock; what it points to never changes */
    pthread_mutex_lock(&lock);
    gnutls_certificate_credentials_t made = shared;
    if (made == NULL && gnutls_certificate_allocate_credentials(&made) == 0) {
        gnutls_certificate_set_verify_function(made, nwi_tls_verify);
        gnutls_certificate_set_retrieve_function3(made, nwi_tls_show);
        shared = made;
    }
    pthread_mutex_unlock(&lock);
    return made;
}

/* What a server staples; GnuTLS reads it, and wants it to be about the certificate. */
static int add_status(struct nwi_tls_config *config) {
    const void *octets;
    size_t size;
    if (config->sec->local_status == NULL || config->sec->local_identity == NULL)
        return 0;
    dispatch_data_t whole = dispatch_data_create_map(config->sec->local_status, &octets, &size);
    if (whole == NULL)
        return GNUTLS_E_MEMORY_ERROR;
    const gnutls_datum_t response = {.data = (unsigned char *)octets, .size = (unsigned)size};
    int code = gnutls_certificate_set_ocsp_status_request_mem(config->certificates, &response, 0,
                                                              GNUTLS_X509_FMT_DER);
    dispatch_release(whole);
    return code;
}

/* Of TLS 1.2, for clients that name none of the groups of RFC 7919. GnuTLS's code. */
static int take_dh_parameters(struct nwi_tls_config *config) {
    const void *der;
    size_t size;
    if (config->sec->dh_parameters == NULL)
        return 0;
    dispatch_data_t map = dispatch_data_create_map(config->sec->dh_parameters, &der, &size);
    int code = map != NULL ? gnutls_dh_params_init(&config->dh) : GNUTLS_E_MEMORY_ERROR;
    const gnutls_datum_t datum = {.data = (unsigned char *)der, .size = (unsigned)size};
    if (code == 0)
        code = gnutls_dh_params_import_pkcs3(config->dh, &datum, GNUTLS_X509_FMT_DER);
    nwi_release(map);
    if (code == 0)
        gnutls_certificate_set_dh_params(config->certificates, config->dh);
    return code;
}

/* GnuTLS's code. */
static int make_server_certificates(struct nwi_tls_config *config) {
    int code = gnutls_certificate_allocate_credentials(&config->certificates);
    if (code == 0)
        code = take_dh_parameters(config);
    if (code < 0)
        return code;
    gnutls_certificate_set_verify_function(config->certificates, nwi_tls_verify);
    if (config->sec->local_identity != NULL)
        code = nwi_identity_attach(config->sec->local_identity, config->certificates);
    if (code >= 0)
        code = add_status(config);
    return code < 0 ? code : name_authorities(config);
}

/* GnuTLS's code. */
static int make_credentials(struct nwi_tls_config *config) {
    int code = 0;
    if (config->is_server)
        code = make_server_certificates(config);
    else if ((config->certificates = client_certificates()) == NULL)
        code = GNUTLS_E_MEMORY_ERROR;
    return code < 0 ? code : make_keys(config);
}

static bool speaks_13(gnutls_priority_t priority) {
    const unsigned *versions;
    int count = gnutls_priority_protocol_list(priority, &versions);
    for (int i = 0; i < count; i++)
        if (versions[i] == GNUTLS_TLS1_3)
            return true;
    return false;
}

static nwi_err choose_suites(struct nwi_tls_config *config) {
    char *priority = NULL;
    nwi_err err =
        nwi_tls_suites_priority(config->sec, config->is_server, config->is_datagram, &priority);
    if (err == 0)
        config->priority = nwi_tls_priority_get(priority, &err);
    nwi_free(priority);
    config->has_13 = err == 0 && speaks_13(config->priority->value);
    return err;
}

static gnutls_certificate_request_t what_it_asks(const struct nwi_tls_config *config) {
    if (!config->is_server)
        return GNUTLS_CERT_IGNORE;
    if (config->sec->peer_authentication_optional)
        return GNUTLS_CERT_REQUEST;
    return config->sec->peer_authentication_required == NWI_SEC_YES ? GNUTLS_CERT_REQUIRE
                                                                    : GNUTLS_CERT_IGNORE;
}

static nwi_err create(struct nwi_tls_options *options, bool is_server, bool is_datagram,
                      struct nwi_tls_config **ret_config) {
    NWI_AUTO_RELEASE
    struct nwi_tls_config *config = nwi_object_create(&config_type, 0);
    if (config == NULL)
        return NWI_ERR_NOMEM;
    config->sec = nwi_retain(options->sec);
    config->is_server = is_server;
    config->is_datagram = is_datagram;
    config->asks = what_it_asks(config);
    config->chooses_key =
        !is_server && config->sec->psk_count > 0 && config->sec->psk_selection != NULL;
    int code = make_protocols(config) ? make_credentials(config) : GNUTLS_E_MEMORY_ERROR;
    if (code == GNUTLS_E_MEMORY_ERROR)
        return NWI_ERR_NOMEM;
    if (code < 0) {
        nwi_log(NWI_LOG_ERROR, "tls", "options", "%s", gnutls_strerror(code));
        return nwi_tls(errSSLBadConfiguration);
    }
    if (is_server && config->sec->tickets_enabled && config->sec->resumption_enabled &&
        (config->tickets = nwi_tls_tickets_create(nwi_now())) == NULL)
        return NWI_ERR_NOMEM;
    nwi_err err = choose_suites(config);
    if (err == 0)
        *ret_config = nwi_take(&config);
    return err;
}

nwi_err nwi_tls_config_get(struct nwi_tls_options *options, bool is_server, bool is_datagram,
                           struct nwi_tls_config **ret_config) {
    /* Acquire pairs with the release below: a config is seen whole. */
    struct nwi_tls_config *shared =
        (struct nwi_tls_config *)atomic_load_explicit(&options->shared, memory_order_acquire);
    if (shared != NULL && shared->is_server == is_server && shared->is_datagram == is_datagram) {
        *ret_config = nwi_retain(shared);
        return 0;
    }
    struct nwi_tls_config *config = NULL;
    nwi_err err = create(options, is_server, is_datagram, &config);
    if (err != 0)
        return err;
    struct nwi_object *none = NULL;
    /* Release publishes it; whoever comes second (or in another role) keeps one of his own. */
    if (atomic_compare_exchange_strong_explicit(&options->shared, &none, &config->base,
                                                memory_order_release, memory_order_relaxed))
        nwi_retain(config);
    *ret_config = config;
    return 0;
}

/* --- sessions --- */

bool nwi_tls_is_address(const char *host) {
    unsigned char address[16];
    return strchr(host, ':') != NULL || inet_pton(AF_INET, host, address) == 1;
}

/* Without the dot that ends an absolute name (RFC 6066 section 3). */
static size_t name_length(const char *host) {
    size_t length = strlen(host);
    return length > 1 && host[length - 1] == '.' ? length - 1 : length;
}

static int set_up(struct nwi_tls_config *config, const char *host, gnutls_session_t session) {
    int code = gnutls_priority_set(session, config->priority->value);
    if (code == 0)
        code = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, config->certificates);
    if (code == 0 && config->client_keys != NULL && !(config->chooses_key && config->has_13))
        code = gnutls_credentials_set(session, GNUTLS_CRD_PSK, config->client_keys);
    if (code == 0 && config->server_keys != NULL)
        code = gnutls_credentials_set(session, GNUTLS_CRD_PSK, config->server_keys);
    if (code == 0 && config->protocol_count > 0)
        code = gnutls_alpn_set_protocols(session, config->protocols, config->protocol_count,
                                         config->is_server ? GNUTLS_ALPN_SERVER_PRECEDENCE : 0);
    if (code == 0 && host != NULL && !nwi_tls_is_address(host))
        code = gnutls_server_name_set(session, GNUTLS_NAME_DNS, host, name_length(host));
    gnutls_certificate_server_set_request(session, config->asks);
    return code;
}

nwi_err nwi_tls_config_session(struct nwi_tls_config *config, const char *host, void *user,
                               unsigned flags, gnutls_session_t *ret_session) {
    flags |= (config->is_server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
             GNUTLS_NO_SIGNAL | (config->is_datagram ? GNUTLS_DATAGRAM : 0);
    gnutls_session_t session;
    int code = gnutls_init(&session, flags);
    if (code < 0)
        return NWI_ERR_NOMEM;
    code = set_up(config, host, session);
    if (code < 0) {
        gnutls_deinit(session);
        nwi_log(NWI_LOG_ERROR, "tls", "session", "%s", gnutls_strerror(code));
        return code == GNUTLS_E_MEMORY_ERROR ? NWI_ERR_NOMEM : nwi_tls(errSSLBadConfiguration);
    }
    gnutls_session_set_ptr(session, user);
    nwi_tls_keylog_attach(session);
    *ret_session = session;
    return 0;
}
