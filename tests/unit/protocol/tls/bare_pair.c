/* bare_pair.c - a GnuTLS client and server over memory. */
#include "bare_pair.h"
#include "trust/identity.h"
#include <errno.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static ssize_t push(gnutls_transport_ptr_t pointer, const void *octets, size_t size) {
    struct bare_wire *wire = ((struct bare_end *)pointer)->out;
    assert_true(wire->end + size <= sizeof wire->octets);
    memcpy(wire->octets + wire->end, octets, size);
    wire->end += size;
    return (ssize_t)size;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *octets, size_t size) {
    struct bare_end *end = pointer;
    struct bare_wire *wire = end->in;
    size_t there = wire->end - wire->start;
    if (there == 0) {
        gnutls_transport_set_errno(end->session, EAGAIN);
        return -1;
    }
    size = size < there ? size : there;
    memcpy(octets, wire->octets + wire->start, size);
    wire->start += size;
    if (wire->start == wire->end)
        wire->start = wire->end = 0;
    return (ssize_t)size;
}

struct proof {
    gnutls_certificate_credentials_t credentials;
    sec_identity_t identity;
};

static void make_certificate(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, bool rsa) {
    time_t now = time(NULL);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
                         rsa ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, now - 3600);
    gnutls_x509_crt_set_expiration_time(crt, now + 3600);
    assert_int_equal(gnutls_x509_crt_set_dn(crt, "CN=one.example", NULL), 0);
    gnutls_x509_crt_set_key(crt, key);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
}

static void make_identity(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, struct proof *ret) {
    gnutls_datum_t der;
    struct nwi_identity_key owned = {.key = NULL};
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    sec_certificate_t certificate = nwi_certificate_create(der.data, der.size);
    assert_non_null(certificate);
    gnutls_privkey_init(&owned.key);
    assert_int_equal(gnutls_privkey_import_x509(owned.key, key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
    ret->identity = nwi_identity_create(&certificate, 1, &owned);
    assert_non_null(ret->identity);
    nwi_release(certificate);
    gnutls_free(der.data);
}

static struct proof *proof_of(bool rsa) {
    static struct proof proofs[2];
    struct proof *proof = &proofs[rsa];
    if (proof->credentials == NULL) {
        gnutls_x509_crt_t crt;
        gnutls_x509_privkey_t key;
        gnutls_x509_crt_init(&crt);
        gnutls_x509_privkey_init(&key);
        make_certificate(crt, key, rsa);
        make_identity(crt, key, proof);
        gnutls_certificate_allocate_credentials(&proof->credentials);
        assert_int_equal(gnutls_certificate_set_x509_key(proof->credentials, &crt, 1, key), 0);
        gnutls_x509_crt_deinit(crt);
        gnutls_x509_privkey_deinit(key);
    }
    return proof;
}

gnutls_certificate_credentials_t bare_server_credentials(void) {
    return proof_of(false)->credentials;
}

gnutls_certificate_credentials_t bare_server_rsa_credentials(void) {
    return proof_of(true)->credentials;
}

sec_identity_t bare_identity(bool rsa) {
    return nwi_retain(proof_of(rsa)->identity);
}

static void open_end(struct bare_end *end, struct bare_wire *in, struct bare_wire *out,
                     unsigned flags, const char *priority) {
    static gnutls_certificate_credentials_t client_credentials;
    if (client_credentials == NULL)
        gnutls_certificate_allocate_credentials(&client_credentials);
    end->in = in;
    end->out = out;
    assert_int_equal(gnutls_init(&end->session, flags | GNUTLS_NONBLOCK), 0);
    if (priority == NULL)
        assert_int_equal(gnutls_set_default_priority(end->session), 0);
    else
        assert_int_equal(gnutls_priority_set_direct(end->session, priority, NULL), 0);
    gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE,
                           flags & GNUTLS_SERVER ? bare_server_credentials() : client_credentials);
    gnutls_transport_set_ptr(end->session, end);
    gnutls_transport_set_push_function(end->session, push);
    gnutls_transport_set_pull_function(end->session, pull);
}

void bare_pair_open(struct bare_pair *pair, const char *client_priority,
                    const char *server_priority, unsigned client_flags, unsigned server_flags) {
    memset(pair, 0, sizeof *pair);
    open_end(&pair->client, &pair->to_client, &pair->to_server, GNUTLS_CLIENT | client_flags,
             client_priority);
    open_end(&pair->server, &pair->to_server, &pair->to_client, GNUTLS_SERVER | server_flags,
             server_priority);
}

int bare_pair_shake(struct bare_pair *pair, gnutls_session_t *ret_whose) {
    int client = GNUTLS_E_AGAIN, server = GNUTLS_E_AGAIN;
    for (int turns = 0; turns < 100 && (client != 0 || server != 0); turns++) {
        if (client != 0)
            client = gnutls_handshake(pair->client.session);
        if (client < 0 && gnutls_error_is_fatal(client)) {
            *ret_whose = pair->client.session;
            return client;
        }
        if (server != 0)
            server = gnutls_handshake(pair->server.session);
        if (server < 0 && gnutls_error_is_fatal(server)) {
            *ret_whose = pair->server.session;
            return server;
        }
    }
    *ret_whose = NULL;
    return client != 0 ? client : server;
}

void bare_pair_close(struct bare_pair *pair) {
    gnutls_deinit(pair->client.session);
    gnutls_deinit(pair->server.session);
}
