/*
 * tls_uv.c - a server with libuv's loop and OpenSSL, octets handed over in memory.
 * What:   sends back what comes; for the works with handshakes alone, an octet at the end of each.
 * Runs:   one loop.
 */
#include "tls.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { READ_MAX = 65536, IDLE_LIMIT_S = 20 };

struct peer {
    uv_tcp_t tcp;
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    bool ready;
};

struct output {
    uv_write_t request;
    char octets[];
};

static SSL_CTX *context;
static bool greets;
static unsigned expected;
static double heap;
static _Atomic unsigned accepted; /* relaxed: a count that is polled */
static char buffer[READ_MAX];     /* shared: used within one callback */

static void closed(uv_handle_t *handle) {
    struct peer *peer = handle->data;
    SSL_free(peer->ssl);
    free(peer);
}

static void end(struct peer *peer) {
    if (!uv_is_closing((uv_handle_t *)&peer->tcp))
        uv_close((uv_handle_t *)&peer->tcp, closed);
}

static void written(uv_write_t *request, int status) {
    (void)status;
    free(request);
}

/* What OpenSSL has to say to the peer: at once if the socket takes it, else queued. */
static void flush(struct peer *peer) {
    char *octets;
    long size = BIO_get_mem_data(peer->out, &octets);
    if (size <= 0)
        return;
    uv_buf_t piece = uv_buf_init(octets, (unsigned)size);
    int sent = uv_try_write((uv_stream_t *)&peer->tcp, &piece, 1);
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done < (size_t)size) {
        struct output *output = malloc(sizeof *output + (size_t)size - done);
        if (output == NULL)
            bench_die("libuv", ENOMEM);
        memcpy(output->octets, octets + done, (size_t)size - done);
        piece = uv_buf_init(output->octets, (unsigned)((size_t)size - done));
        if (uv_write(&output->request, (uv_stream_t *)&peer->tcp, &piece, 1, written) != 0) {
            free(output);
            end(peer);
        }
    }
    (void)BIO_reset(peer->out);
}

static void progress(struct peer *peer) {
    int length;
    if (!peer->ready && SSL_accept(peer->ssl) == 1) {
        peer->ready = true;
        atomic_fetch_add_explicit(&accepted, 1, memory_order_relaxed);
        if (greets)
            SSL_write(peer->ssl, "x", 1);
    }
    while (peer->ready && (length = SSL_read(peer->ssl, buffer, sizeof buffer)) > 0)
        SSL_write(peer->ssl, buffer, length);
    flush(peer);
    if (SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN)
        end(peer);
    ERR_clear_error();
}

static void give_buffer(uv_handle_t *handle, size_t wish, uv_buf_t *ret) {
    static char shared[READ_MAX];
    (void)handle, (void)wish;
    *ret = uv_buf_init(shared, sizeof shared);
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *octets) {
    struct peer *peer = stream->data;
    if (size < 0) {
        end(peer);
        return;
    }
    BIO_write(peer->in, octets->base, (int)size);
    progress(peer);
}

static void connected(uv_stream_t *listener, int status) {
    struct peer *peer = calloc(1, sizeof *peer);
    if (status != 0 || peer == NULL)
        bench_die("libuv", ENOMEM);
    uv_tcp_init(listener->loop, &peer->tcp);
    peer->tcp.data = peer;
    peer->ssl = SSL_new(context);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_accept_state(peer->ssl);
    if (uv_accept(listener, (uv_stream_t *)&peer->tcp) != 0)
        bench_die("accept", EIO);
    uv_tcp_nodelay(&peer->tcp, 1);
    uv_read_start((uv_stream_t *)&peer->tcp, give_buffer, received);
}

static void note_heap(void) {
    heap = tls_heap();
}

static void fill_idle(double ret_values[]) {
    double limit = bench_now() + IDLE_LIMIT_S;
    if (expected == 0)
        return;
    while (atomic_load_explicit(&accepted, memory_order_relaxed) < expected) {
        if (bench_now() > limit)
            bench_die("connections are missing", ETIMEDOUT);
        bench_pause(1e-3);
    }
    bench_pause(0.1);
    ret_values[0] = (tls_heap() - heap) / expected;
}

void tls_serve_uv(const char *name) {
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in address;
    int length = sizeof address;
    greets = tls_is(name, "full") || tls_is(name, "resumed");
    expected = tls_is(name, "idle") ? tls_number(name) : 0;
    context = SSL_CTX_new(TLS_server_method());
    if (context == NULL ||
        SSL_CTX_use_certificate_chain_file(context, tls_file("server.pem")) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, tls_file("server-key.pem"), SSL_FILETYPE_PEM) != 1)
        bench_die("OpenSSL's context", EINVAL);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* as for many idle connections */
    signal(SIGPIPE, SIG_IGN);                            /* libuv leaves that to its users */
    uv_tcp_init(loop, &listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, SOMAXCONN, connected) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length) != 0)
        bench_die("listen", EIO);
    run_serving(ntohs(address.sin_port), note_heap, fill_idle);
    uv_run(loop, UV_RUN_DEFAULT);
}
