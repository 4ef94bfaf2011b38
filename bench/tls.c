/*
 * tls.c - TLS: handshakes, bulk, the first octet, memory; against GnuTLS alone, OpenSSL's tools,
 * and libuv with OpenSSL.
 * What:   the rows, the certificates, the counting; the makes are in tls_*.c.
 *         Goals: 0.9 of GnuTLS over memory, which has no socket, no loop and no queue; over 1.0 of
 *         the others for handshakes and memory; 12 KiB a connection.
 */
#include "tls.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GOAL_BARE 0.9
#define GOAL_PEER 1.0
enum { IDLE_MOST = 12 * 1024, DAY_S = 24 * 3600 };

/* --- words --- */

bool tls_is(const char *name, const char *word) {
    size_t length = strlen(word);
    return strncmp(name, word, length) == 0 && (name[length] == ' ' || name[length] == '\0');
}

unsigned tls_number(const char *name) {
    const char *number = strchr(name, ' ');
    return number != NULL ? (unsigned)strtoul(number, NULL, 10) : 0;
}

/* --- certificates --- */

static const char *const files[] = {"ca.pem", "ca-key.pem", "server.pem", "server-key.pem"};
static char folder[] = "/tmp/nw-bench-tls-XXXXXX";

const char *tls_file(const char *name) {
    static char path[TLS_PATH_MAX];
    const char *where = getenv("BENCH_TLS_FILES");
    snprintf(path, sizeof path, "%s/%s", where != NULL ? where : ".", name);
    return path;
}

static void remove_files(void) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(tls_file(files[i]));
    rmdir(folder);
}

static void check(int code, const char *what) {
    if (code >= 0)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, gnutls_strerror(code));
    exit(EXIT_FAILURE);
}

static void write_file(const char *name, const gnutls_datum_t *text) {
    FILE *file = fopen(tls_file(name), "wxe");
    if (file == NULL || fwrite(text->data, text->size, 1, file) != 1 || fclose(file) != 0)
        bench_die(name, errno);
}

struct identity {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

static void make(struct identity *who, const struct identity *issuer, const char *name) {
    time_t now = time(NULL);
    gnutls_x509_crt_init(&who->crt);
    gnutls_x509_privkey_init(&who->key);
    check(gnutls_x509_privkey_generate(who->key, GNUTLS_PK_ECDSA,
                                       GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
          "key");
    gnutls_x509_crt_set_version(who->crt, 3);
    gnutls_x509_crt_set_serial(who->crt, issuer == who ? "\1" : "\2", 1);
    gnutls_x509_crt_set_activation_time(who->crt, now - DAY_S);
    gnutls_x509_crt_set_expiration_time(who->crt, now + DAY_S);
    gnutls_x509_crt_set_dn_by_oid(who->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                  (unsigned)strlen(name));
    gnutls_x509_crt_set_key(who->crt, who->key);
    if (issuer == who) {
        gnutls_x509_crt_set_basic_constraints(who->crt, 1, -1);
        gnutls_x509_crt_set_key_usage(who->crt, GNUTLS_KEY_KEY_CERT_SIGN);
    } else {
        gnutls_x509_crt_set_basic_constraints(who->crt, 0, -1);
        gnutls_x509_crt_set_key_usage(who->crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
        gnutls_x509_crt_set_key_purpose_oid(who->crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
        gnutls_x509_crt_set_subject_alt_name(who->crt, GNUTLS_SAN_DNSNAME, name,
                                             (unsigned)strlen(name), GNUTLS_FSAN_SET);
    }
    check(gnutls_x509_crt_sign2(who->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0),
          "signature");
}

static void save(const struct identity *who, const char *certificate, const char *key) {
    gnutls_datum_t text;
    check(gnutls_x509_crt_export2(who->crt, GNUTLS_X509_FMT_PEM, &text), "certificate");
    write_file(certificate, &text);
    gnutls_free(text.data);
    check(gnutls_x509_privkey_export2_pkcs8(who->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                            &text),
          "key");
    write_file(key, &text);
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(who->crt);
    gnutls_x509_privkey_deinit(who->key);
}

void tls_make_files(void) {
    struct identity ca, server;
    umask(077);
    if (mkdtemp(folder) == NULL || setenv("BENCH_TLS_FILES", folder, 1) != 0)
        bench_die("folder", errno);
    atexit(remove_files);
    make(&ca, &ca, "Bench CA");
    make(&server, &ca, TLS_HOST);
    save(&server, "server.pem", "server-key.pem");
    save(&ca, "ca.pem", "ca-key.pem");
}

/* --- counting --- */

double tls_heap(void) {
    struct mallinfo2 info = mallinfo2(); /* every arena */
    return (double)info.uordblks + (double)info.hblkhd;
}

static double user_time(void) {
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) != 0)
        bench_die("getrusage", errno);
    return (double)use.ru_utime.tv_sec + (double)use.ru_utime.tv_usec / 1e6;
}

bool tls_counted(struct tls_count *count, double amount) {
    count->done += amount;
    if (!count->warm) {
        if (++count->begun < TLS_WARM_UP)
            return true;
        count->warm = true;
        count->done = 0;
        count->cpu = bench_cpu();
        count->user = user_time();
        count->wall = bench_now();
        count->end = count->wall + count->seconds;
        return true;
    }
    return bench_now() < count->end;
}

void tls_fill(const struct tls_count *count, double ret_values[]) {
    double done = count->done > 0 ? count->done : 1;
    ret_values[0] = done / (bench_cpu() - count->cpu);
    ret_values[1] = done / (user_time() - count->user);
    ret_values[2] = done / (bench_now() - count->wall);
}

/* --- the rows --- */

#define BOTH_ENDS(text, work, figure)                                                              \
    {                                                                                              \
        .name = text, .measure = run_measure,                                                      \
        .figures = {{.name = "all", .unit = figure},                                               \
                    {.name = "outside the kernel", .unit = figure}},                               \
        .sides = {{"libnw", RUN("nw", work), {0}},                                                 \
                  {"GnuTLS over memory", RUN("gnutls", work), {GOAL_BARE, GOAL_BARE}}},            \
    }
#define SERVER(text, work, driver, figure)                                                         \
    {                                                                                              \
        .name = text, .measure = run_measure, .figures = {{.unit = figure}},                       \
        .sides = {{"libnw", RUN_BESIDE(driver, work, "nw"), {0}},                                  \
                  {"openssl s_server", RUN_BESIDE(driver, work, "s_server"), {GOAL_PEER}},         \
                  {"libuv, OpenSSL", RUN_BESIDE(driver, work, "uv"), {GOAL_PEER}}},                \
    }
#define ECHO(text, work)                                                                           \
    {                                                                                              \
        .name = text, .measure = run_measure, .figures = {{.unit = "round trips/s"}},              \
        .sides = {{"libnw", RUN_BESIDE("ssl", work, "nw"), {0}},                                   \
                  {"libuv, OpenSSL", RUN_BESIDE("ssl", work, "uv"), {0}}},                         \
    }
#define PER_CPU "handshakes/s of processor"

int main(int argc, char **argv) {
    const struct run_make makes[] = {
        {"nw", tls_run_nw, tls_serve_nw},
        {"gnutls", tls_run_gnutls, NULL},
#ifdef BENCH_SSL
        {"ssl", tls_run_ssl, NULL},
        {"s_time", tls_run_s_time, NULL},
        {"s_server", NULL, tls_serve_s_server},
        {"uv", NULL, RUN_UV(tls_serve_uv)},
#endif
        {0},
    };
    const struct bench_row rows[] = {
        BOTH_ENDS("full handshakes, both ends", "full", PER_CPU),
        BOTH_ENDS("resumed handshakes, both ends", "resumed", PER_CPU),
        BOTH_ENDS("bulk, 1 KiB a call, both ends", "bulk 1024", "MB/s of processor"),
        BOTH_ENDS("bulk, 16 KiB a call, both ends", "bulk 16384", "MB/s of processor"),
        SERVER("full handshakes, server, openssl s_time", "full", "s_time", "handshakes/s"),
        SERVER("resumed handshakes, server, openssl s_time", "resumed", "s_time", "handshakes/s"),
        ECHO("echo server, 1 KiB", "echo 1024"),
        ECHO("echo server, 16 KiB", "echo 16384"),
        {.name = "to the first octet of an answer, server",
         .measure = run_measure,
         .figures = {{.name = "p50", .unit = "us", .less = true},
                     {.name = "p99", .unit = "us", .less = true, .full = true}},
         .sides = {{"libnw", RUN_BESIDE("ssl", "first 1", "nw"), {0}},
                   {"libuv, OpenSSL", RUN_BESIDE("ssl", "first 1", "uv"), {0}}}},
        {.name = "to the first octet of an answer, client",
         .measure = run_measure,
         .figures = {{.name = "p50", .unit = "us", .less = true},
                     {.name = "p99", .unit = "us", .less = true, .full = true}},
         .sides = {{"libnw", RUN_BESIDE("nw", "first 1", "nw"), {0}},
                   {"blocking OpenSSL", RUN_BESIDE("ssl", "first 1", "nw"), {0}}}},
        {.name = "an idle connection, server",
         .measure = run_measure,
         .figures = {{.unit = "octets of heap", .less = true}},
         .sides = {{"libnw", RUN_SERVER("nw", "idle 200", "ssl"), {0}},
                   {"libuv, OpenSSL", RUN_SERVER("uv", "idle 200", "ssl"), {GOAL_PEER}}}},
        {.name = "an idle connection, client",
         .measure = run_measure,
         .figures = {{.unit = "octets of heap", .less = true}},
         .sides = {{"libnw", RUN_BESIDE("nw", "idle 200", "nw"), {0}},
                   {"blocking OpenSSL", RUN_BESIDE("ssl", "idle 200", "nw"), {GOAL_PEER}}}},
        {.name = "an idle connection of libnw, server",
         .measure = run_measure,
         .figures = {{.unit = "octets of heap", .less = true}},
         .sides = {{"libnw", RUN_SERVER("nw", "idle 200", "nw"), {IDLE_MOST}}}},
        {.name = "an idle connection of libnw, client",
         .measure = run_measure,
         .figures = {{.unit = "octets of heap", .less = true}},
         .sides = {{"libnw", RUN_BESIDE("nw", "idle 200", "nw"), {IDLE_MOST}}}},
    };
    const struct bench_program program = {
        .name = "tls",
        .title = "TLS 1.3, ECDSA P-256 with verification, AES-128-GCM, 127.0.0.1",
        .notes = run_notes,
        .rows = rows,
        .count = sizeof rows / sizeof *rows};
    if (argc < 2 || (strcmp(argv[1], "--run") != 0 && strcmp(argv[1], "--serve") != 0))
        tls_make_files();
    return run_main(argc, argv, &program, makes);
}
