/*
 * secure.c - see secure.h.
 */
#include "secure.h"
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* --- certificates --- */

const struct papers *papers(void) {
    static struct papers made;
    static bool done;
    if (!done) {
        made_identity_create(&made.ca, GNUTLS_PK_ECDSA, "Test CA", NULL, true);
        made_identity_create(&made.server, GNUTLS_PK_ECDSA, "server", &made.ca, false);
        made_identity_create(&made.client, GNUTLS_PK_ECDSA, "client", &made.ca, false);
        made_identity_create(&made.stranger, GNUTLS_PK_ECDSA, "stranger", NULL, false);
        done = true;
    }
    return &made;
}

sec_identity_t identity_of(const struct made_identity *made) {
    sec_identity_t identity = sec_identity_create_with_bytes(
        made->pem.data, made->pem.size, made->key_pem.data, made->key_pem.size, NULL, NULL);
    assert_non_null(identity);
    return identity;
}

sec_certificate_t certificate_of(const struct made_identity *made) {
    sec_certificate_t certificate =
        sec_certificate_create_with_bytes(made->der.data, made->der.size);
    assert_non_null(certificate);
    return certificate;
}

/* --- parameters --- */

enum role { CLIENT, SERVER, PLAIN };

struct wish {
    enum role role;
    secure_configure configure;
    void *context;
};

static void configure_tls(void *context, nw_protocol_options_t options) {
    const struct wish *wish = context;
    sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(options);
    if (wish->role == CLIENT) {
        sec_certificate_t ca = certificate_of(&papers()->ca);
        sec_protocol_options_add_trust_anchor(sec, ca);
        sec_protocol_options_set_system_anchors_enabled(sec, false);
        sec_release(ca);
    } else if (wish->role == SERVER) {
        sec_identity_t identity = identity_of(&papers()->server);
        sec_protocol_options_set_local_identity(sec, identity);
        sec_release(identity);
    }
    if (wish->configure != NULL)
        wish->configure(wish->context, sec);
    sec_release(sec);
}

static nw_parameters_t secure(enum role role, bool over_udp, secure_configure configure,
                              void *context) {
    struct wish wish = {role, configure, context};
    nw_parameters_t parameters =
        (over_udp ? nw_parameters_create_secure_udp_f : nw_parameters_create_secure_tcp_f)(
            &wish, configure_tls, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    assert_non_null(parameters);
    return parameters;
}

nw_parameters_t secure_client(secure_configure configure, void *context) {
    return secure(CLIENT, false, configure, context);
}

nw_parameters_t secure_server(secure_configure configure, void *context) {
    return secure(SERVER, false, configure, context);
}

nw_parameters_t secure_plain(secure_configure configure, void *context) {
    return secure(PLAIN, false, configure, context);
}

nw_parameters_t datagram_client(secure_configure configure, void *context) {
    return secure(CLIENT, true, configure, context);
}

nw_parameters_t datagram_server(secure_configure configure, void *context) {
    return secure(SERVER, true, configure, context);
}

nw_parameters_t datagram_plain(secure_configure configure, void *context) {
    return secure(PLAIN, true, configure, context);
}

void add_key(void *context, sec_protocol_options_t options) {
    (void)context;
    dispatch_data_t key = dispatch_data_create_f("sixteen octets!!", 16, NULL, NULL, NULL);
    dispatch_data_t name = dispatch_data_create_f("us", 2, NULL, NULL, NULL);
    sec_protocol_options_add_pre_shared_key(options, key, name);
    dispatch_release(key);
    dispatch_release(name);
}

/* --- ends --- */

struct recorder *record_secure_with(uint16_t port, nw_parameters_t parameters) {
    char text[8];
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port_text(port, text));
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_start(recorder->connection);
    return recorder;
}

struct recorder *record_secure(uint16_t port) {
    return record_secure_with(port, secure_client(NULL, NULL));
}

struct hearing *hear_secure(nw_parameters_t parameters) {
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.1", "0");
    nw_parameters_set_local_endpoint(parameters, local);
    struct hearing *hearing = hear(nw_listener_create(parameters));
    nw_release(local);
    nw_release(parameters);
    hearing->keep = true;
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    return hearing;
}

struct pair pair_with(nw_parameters_t server, nw_parameters_t client) {
    struct pair pair = {.hearing = hear_secure(server)};
    pair.client = record_secure_with(hearing_port(pair.hearing), client);
    await_state(pair.client, nw_connection_state_ready);
    pair.server = hearing_await(pair.hearing, 0);
    await_state(pair.server, nw_connection_state_ready);
    return pair;
}

void end_pair(struct pair *pair) {
    finish(pair->client);
    hearing_finish(pair->hearing);
}

sec_protocol_metadata_t secured_by(nw_connection_t connection) {
    nw_protocol_definition_t tls = nw_protocol_copy_tls_definition();
    nw_protocol_metadata_t metadata = nw_connection_copy_protocol_metadata(connection, tls);
    nw_release(tls);
    assert_non_null(metadata);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    nw_release(metadata);
    assert_non_null(sec);
    return sec;
}

/* --- GnuTLS over a socket --- */

struct tls_peer *tls_peer(int fd, unsigned role, const struct made_identity *shows,
                          const char *priority) {
    struct tls_peer *peer = calloc(1, sizeof *peer);
    struct timeval patience = {.tv_sec = WAIT_SECONDS};
    assert_non_null(peer);
    peer->fd = fd;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&peer->credentials), 0);
    if (shows != NULL)
        assert_int_equal(gnutls_certificate_set_x509_key(
                             peer->credentials, (gnutls_x509_crt_t *)&shows->crt, 1, shows->key),
                         0);
    assert_int_equal(gnutls_init(&peer->session, role | GNUTLS_NO_SIGNAL), 0);
    assert_int_equal(
        gnutls_credentials_set(peer->session, GNUTLS_CRD_CERTIFICATE, peer->credentials), 0);
    assert_int_equal(priority != NULL ? gnutls_priority_set_direct(peer->session, priority, NULL)
                                      : gnutls_set_default_priority(peer->session),
                     0);
    gnutls_transport_set_int(peer->session, fd);
    return peer;
}

int tls_peer_shake(struct tls_peer *peer) {
    int code;
    do
        code = gnutls_handshake(peer->session);
    while (code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED);
    return code;
}

void tls_peer_write(struct tls_peer *peer, const char *text) {
    size_t size = strlen(text);
    assert_int_equal(gnutls_record_send(peer->session, text, size), (ssize_t)size);
}

void tls_peer_read(struct tls_peer *peer, char *text, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = gnutls_record_recv(peer->session, text + done, size - done);
        if (count == GNUTLS_E_INTERRUPTED)
            continue;
        if (count <= 0)
            fail_msg("the peer cannot read: %s", gnutls_strerror((int)count));
        done += (size_t)count;
    }
    text[size] = '\0';
}

int tls_peer_end(struct tls_peer *peer) {
    char bytes[4096];
    ssize_t count;
    do
        count = gnutls_record_recv(peer->session, bytes, sizeof bytes);
    while (count > 0 || count == GNUTLS_E_INTERRUPTED);
    return (int)count;
}

void tls_peer_free(struct tls_peer *peer) {
    gnutls_deinit(peer->session);
    gnutls_certificate_free_credentials(peer->credentials);
    if (peer->fd >= 0)
        close(peer->fd);
    free(peer);
}

struct recorder *record_tls_pair(struct tls_peer **ret_peer) {
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_secure(port);
    *ret_peer = tls_peer(peer_accept(listening), GNUTLS_SERVER, &papers()->server, NULL);
    close(listening);
    assert_int_equal(tls_peer_shake(*ret_peer), 0);
    await_state(recorder, nw_connection_state_ready);
    return recorder;
}
