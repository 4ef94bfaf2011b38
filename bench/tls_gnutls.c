/*
 * tls_gnutls.c - GnuTLS alone: both ends in one thread, with memory between them.
 * What:   what the library underneath costs, without sockets, loops or queues; the client verifies.
 */
#include "tls.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIRE = 1 << 17, TEXT_MAX = 1 << 14 };

struct wire {
    unsigned char octets[WIRE];
    size_t start, end;
};

struct end {
    gnutls_session_t session;
    struct wire *in, *out;
};

static struct {
    gnutls_certificate_credentials_t server, client;
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key, session;
    bool resume;
} all;

static void check(long code, const char *what) {
    if (code >= 0)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, gnutls_strerror((int)code));
    exit(EXIT_FAILURE);
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *octets, size_t size) {
    struct wire *wire = ((struct end *)pointer)->out;
    if (wire->end + size > sizeof wire->octets)
        bench_die("wire", ENOBUFS);
    memcpy(wire->octets + wire->end, octets, size);
    wire->end += size;
    return (ssize_t)size;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *octets, size_t size) {
    struct end *end = pointer;
    struct wire *wire = end->in;
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

static void set_up(void) {
    char key[TLS_PATH_MAX];
    check(gnutls_priority_init2(&all.priority,
                                "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+ECDHE-ECDSA:+GROUP-X25519"
                                ":+GROUP-SECP256R1:+SIGN-ECDSA-SECP256R1-SHA256:+CTYPE-ALL",
                                NULL, 0),
          "priority");
    gnutls_certificate_allocate_credentials(&all.server);
    gnutls_certificate_allocate_credentials(&all.client);
    snprintf(key, sizeof key, "%s", tls_file("server-key.pem"));
    check(gnutls_certificate_set_x509_key_file(all.server, tls_file("server.pem"), key,
                                               GNUTLS_X509_FMT_PEM),
          "identity");
    check(
        gnutls_certificate_set_x509_trust_file(all.client, tls_file("ca.pem"), GNUTLS_X509_FMT_PEM),
        "CA");
    check(gnutls_session_ticket_key_generate(&all.ticket_key), "ticket key");
}

static void open_end(struct end *end, struct wire *in, struct wire *out, bool server) {
    end->in = in;
    end->out = out;
    check(gnutls_init(&end->session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                                         (all.resume ? 0 : GNUTLS_NO_TICKETS)),
          "session");
    gnutls_priority_set(end->session, all.priority);
    gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE, server ? all.server : all.client);
    gnutls_transport_set_ptr(end->session, end);
    gnutls_transport_set_push_function(end->session, push);
    gnutls_transport_set_pull_function(end->session, pull);
    if (server && all.resume)
        gnutls_session_ticket_enable_server(end->session, &all.ticket_key);
    if (server)
        return;
    gnutls_server_name_set(end->session, GNUTLS_NAME_DNS, TLS_HOST, strlen(TLS_HOST));
    gnutls_session_set_verify_cert(end->session, TLS_HOST, 0);
    if (all.session.data != NULL)
        gnutls_session_set_data(end->session, all.session.data, all.session.size);
}

static void open_pair(struct end *client, struct end *server) {
    static struct wire up, down;
    int one = GNUTLS_E_AGAIN, other = GNUTLS_E_AGAIN;
    up.start = up.end = down.start = down.end = 0;
    open_end(client, &down, &up, false);
    open_end(server, &up, &down, true);
    while (one != 0 || other != 0) {
        if (one != 0 && (one = gnutls_handshake(client->session)) < 0 && gnutls_error_is_fatal(one))
            check(one, "client");
        if (other != 0 && (other = gnutls_handshake(server->session)) < 0 &&
            gnutls_error_is_fatal(other))
            check(other, "server");
    }
}

static void run_handshakes(struct tls_count *count) {
    struct end client, server;
    char octet = 'x';
    do {
        bool resumed = all.session.data != NULL;
        open_pair(&client, &server);
        check(gnutls_record_send(server.session, &octet, 1), "send");
        long got;
        do /* "again" after each ticket */
            got = gnutls_record_recv(client.session, &octet, 1);
        while (got == GNUTLS_E_AGAIN);
        check(got, "receive");
        if (resumed && !gnutls_session_is_resumed(client.session))
            bench_die("not resumed", EPROTO);
        if (all.resume) {
            gnutls_free(all.session.data);
            check(gnutls_session_get_data2(client.session, &all.session), "session");
        }
        gnutls_bye(client.session, GNUTLS_SHUT_WR);
        gnutls_bye(server.session, GNUTLS_SHUT_WR);
        gnutls_deinit(client.session);
        gnutls_deinit(server.session);
    } while (tls_counted(count, 1));
}

static void run_bulk(struct tls_count *count, unsigned size) {
    static char text[TEXT_MAX];
    struct end client, server;
    open_pair(&client, &server);
    do {
        check(gnutls_record_send(client.session, text, size), "send");
        for (size_t got = 0; got < size;) {
            ssize_t length = gnutls_record_recv(server.session, text, sizeof text);
            check(length, "receive");
            got += (size_t)length;
        }
    } while (tls_counted(count, size / 1e6));
}

void tls_run_gnutls(const struct run_order *order, double ret_values[]) {
    struct tls_count count = {.seconds = order->seconds};
    all.resume = tls_is(order->name, "resumed");
    set_up();
    if (tls_is(order->name, "bulk"))
        run_bulk(&count, tls_number(order->name));
    else
        run_handshakes(&count);
    tls_fill(&count, ret_values);
}
