/*
 * tls_ssl.c - OpenSSL: a blocking client that drives servers, and its own tools s_time and
 * s_server.
 * Runs:   one thread.
 */
#include "tls.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 14, LISTEN_LIMIT_S = 10 };

static char text[TEXT_MAX];

static int connect_to(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static SSL_CTX *make_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_load_verify_file(context, tls_file("ca.pem")) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
        bench_die("OpenSSL's context", EINVAL);
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

static SSL *open_one(SSL_CTX *context, uint16_t port) {
    int fd = connect_to(port);
    if (fd < 0)
        bench_die("connect", errno);
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || SSL_set1_host(ssl, TLS_HOST) != 1 ||
        SSL_set_tlsext_host_name(ssl, TLS_HOST) != 1 || SSL_set_fd(ssl, fd) != 1 ||
        SSL_connect(ssl) != 1)
        bench_die("handshake", EPROTO);
    return ssl;
}

static void close_one(SSL *ssl) {
    int fd = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

static void round_trip(SSL *ssl, unsigned size) {
    if (SSL_write(ssl, text, (int)size) != (int)size)
        bench_die("write", EPIPE);
    for (unsigned got = 0; got < size;) {
        int length = SSL_read(ssl, text, sizeof text);
        if (length <= 0)
            bench_die("read", EPIPE);
        got += (unsigned)length;
    }
}

static void run_first(SSL_CTX *context, const struct run_order *order, double ret_values[]) {
    static double micros[TLS_SAMPLES_MAX];
    unsigned samples = 0;
    struct tls_count count = {.seconds = order->seconds};
    double begun;
    do {
        begun = bench_now();
        SSL *ssl = open_one(context, order->port);
        round_trip(ssl, 1);
        if (samples < TLS_SAMPLES_MAX)
            micros[samples++] = (bench_now() - begun) * 1e6;
        close_one(ssl);
    } while (tls_counted(&count, 1));
    ret_values[0] = run_part(micros, samples, 0.5);
    ret_values[1] = run_part(micros, samples, 0.99);
}

static void run_echo(SSL_CTX *context, const struct run_order *order, double ret_values[]) {
    struct tls_count count = {.seconds = order->seconds};
    unsigned size = tls_number(order->name);
    SSL *ssl = open_one(context, order->port);
    do
        round_trip(ssl, size);
    while (tls_counted(&count, 1));
    tls_fill(&count, ret_values);
    ret_values[0] = ret_values[2]; /* by the clock: the server is what is measured */
}

/* They stay open until the process ends. */
static void run_idle(SSL_CTX *context, const struct run_order *order, double ret_values[]) {
    unsigned number = tls_number(order->name);
    double heap = tls_heap();
    for (unsigned i = 0; i < number; i++)
        open_one(context, order->port);
    ret_values[0] = (tls_heap() - heap) / number;
}

void tls_run_ssl(const struct run_order *order, double ret_values[]) {
    SSL_CTX *context = make_context();
    if (tls_is(order->name, "echo"))
        run_echo(context, order, ret_values);
    else if (tls_is(order->name, "idle"))
        run_idle(context, order, ret_values);
    else
        run_first(context, order, ret_values);
}

/* --- the tools --- */

/* s_time counts whole seconds; it is asked for one, and the clock is ours. Resumption with TLS 1.2:
 * s_time does not wait for the tickets of TLS 1.3. */
void tls_run_s_time(const struct run_order *order, double ret_values[]) {
    char command[256], line[256];
    double connections = 0;
    snprintf(command, sizeof command,
             "openssl s_time -connect 127.0.0.1:%u -%s -time %d 2>/dev/null", order->port,
             tls_is(order->name, "resumed") ? "tls1_2 -reuse" : "tls1_3 -new",
             order->seconds < 1 ? 1 : (int)order->seconds);
    double begun = bench_now();
    FILE *output = popen(command, "r");
    while (output != NULL && fgets(line, sizeof line, output) != NULL) {
        unsigned number, seconds;
        if (sscanf(line, "%u connections in %u real seconds", &number, &seconds) == 2)
            connections = number;
    }
    if (output == NULL || pclose(output) != 0 || connections == 0)
        bench_die("openssl s_time", EIO);
    ret_values[0] = connections / (bench_now() - begun);
}

static uint16_t free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        bench_die("port", errno);
    close(fd);
    return ntohs(address.sin_port);
}

void tls_serve_s_server(const char *name) {
    char accept_at[32], key[TLS_PATH_MAX];
    uint16_t port = free_port();
    (void)name;
    snprintf(accept_at, sizeof accept_at, "127.0.0.1:%u", port);
    snprintf(key, sizeof key, "%s", tls_file("server-key.pem"));
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC); /* s_time leaves without a word */
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execlp("openssl", "openssl", "s_server", "-quiet", "-accept", accept_at, "-cert",
               tls_file("server.pem"), "-key", key, (char *)NULL);
        _exit(127);
    }
    double limit = bench_now() + LISTEN_LIMIT_S;
    int fd;
    while ((fd = connect_to(port)) < 0) {
        if (pid < 0 || bench_now() > limit)
            bench_die("openssl s_server", ETIMEDOUT);
        bench_pause(0.01);
    }
    close(fd);
    run_serving(port, NULL, NULL);
    for (;;)
        pause();
}
