/*
 * request.c - from the command line to a request.
 * Source: getopt_long(3); man/nwcert.1 says what each word means.
 */
#include "request.h"
#include "common/usage.h"
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    enum nwcert_command command;
} commands[] = {
    {"ca", NWCERT_CA},   {"server", NWCERT_SERVER}, {"client", NWCERT_CLIENT},
    {"set", NWCERT_SET}, {"show", NWCERT_SHOW},     {"verify", NWCERT_VERIFY},
};

static const struct {
    const char *word;
    gnutls_pk_algorithm_t key;
    unsigned bits;
} keys[] = {
    {"p256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
    {"p384", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
    {"p521", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)},
    {"ed25519", GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519)},
    {"rsa2048", GNUTLS_PK_RSA, 2048},
    {"rsa3072", GNUTLS_PK_RSA, 3072},
    {"rsa4096", GNUTLS_PK_RSA, 4096},
};

__attribute__((format(printf, 1, 2))) static enum nwcert_status wrong(const char *format, ...) {
    va_list args;
    va_start(args, format);
    tool_vcomplain(stderr, "nwcert", format, args);
    va_end(args);
    return NWCERT_USAGE;
}

static enum nwcert_status add_name(struct nwcert_request *request, const char *text) {
    if (request->name_count == NWCERT_NAMES_MAX)
        return wrong("'%s': more than %d names", text, NWCERT_NAMES_MAX);
    const char *why = nwcert_name_read(text, &request->names[request->name_count]);
    if (why != NULL)
        return wrong("name '%s': %s", text, why);
    request->name_count++;
    return NWCERT_OK;
}

static enum nwcert_status set_key(struct nwcert_request *request, const char *text) {
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(text, keys[i].word) == 0) {
            request->key = keys[i].key;
            request->key_bits = keys[i].bits;
            return NWCERT_OK;
        }
    }
    return wrong("--key '%s': p256, p384, p521, ed25519, rsa2048, rsa3072 or rsa4096", text);
}

static enum nwcert_status set_number(const char *option, const char *text, long min, long max,
                                     int *ret_number) {
    char *end;
    long number = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number < min || number > max)
        return wrong("%s '%s': a number from %ld to %ld", option, text, min, max);
    *ret_number = (int)number;
    return NWCERT_OK;
}

static enum nwcert_status set_date(const char *option, const char *text, time_t *ret_time) {
    if (!nwcert_date_read(text, ret_time))
        return wrong("%s '%s': a day as 2026-11-25, or 2026-11-25T08:00:00Z", option, text);
    return NWCERT_OK;
}

enum {
    OPTION_CA = TOOL_LONG_OPTIONS,
    OPTION_CA_KEY,
    OPTION_DAYS,
    OPTION_FROM,
    OPTION_UNTIL,
    OPTION_EXPIRED,
    OPTION_SAN,
    OPTION_NO_SAN,
    OPTION_CN,
    OPTION_PATH_LENGTH,
    OPTION_P12,
    OPTION_JSON,
    OPTION_HOST,
    OPTION_AT,
    OPTION_CLIENT,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"dir", required_argument, NULL, 'd'},
    {"out", required_argument, NULL, 'o'},
    {"key", required_argument, NULL, 'k'},
    {"force", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {"ca", required_argument, NULL, OPTION_CA},
    {"ca-key", required_argument, NULL, OPTION_CA_KEY},
    {"days", required_argument, NULL, OPTION_DAYS},
    {"from", required_argument, NULL, OPTION_FROM},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"expired", no_argument, NULL, OPTION_EXPIRED},
    {"san", required_argument, NULL, OPTION_SAN},
    {"no-san", no_argument, NULL, OPTION_NO_SAN},
    {"cn", required_argument, NULL, OPTION_CN},
    {"path-length", required_argument, NULL, OPTION_PATH_LENGTH},
    {"p12", required_argument, NULL, OPTION_P12},
    {"json", no_argument, NULL, OPTION_JSON},
    {"host", required_argument, NULL, OPTION_HOST},
    {"at", required_argument, NULL, OPTION_AT},
    {"client", no_argument, NULL, OPTION_CLIENT},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static enum nwcert_status take(struct nwcert_request *request, int option, char *const argv[],
                               bool *ret_answered) {
    switch (option) {
    case 'd':
        request->folder = optarg;
        return NWCERT_OK;
    case 'o':
        request->base = optarg;
        return strchr(optarg, '/') == NULL && optarg[0] != '\0'
                   ? NWCERT_OK
                   : wrong("--out '%s': a name of files; the folder goes into --dir", optarg);
    case 'k':
        return set_key(request, optarg);
    case 'f':
        request->force = true;
        return NWCERT_OK;
    case OPTION_CA:
        request->ca = optarg;
        return NWCERT_OK;
    case OPTION_CA_KEY:
        request->ca_key = optarg;
        return NWCERT_OK;
    case OPTION_DAYS:
        return set_number("--days", optarg, 1, 36500, &request->days);
    case OPTION_FROM:
        return set_date("--from", optarg, &request->from);
    case OPTION_UNTIL:
        return set_date("--until", optarg, &request->until);
    case OPTION_EXPIRED:
        request->expired = true;
        return NWCERT_OK;
    case OPTION_SAN:
        if (request->extra_count == NWCERT_NAMES_MAX)
            return wrong("--san '%s': more than %d names", optarg, NWCERT_NAMES_MAX);
        request->extra[request->extra_count++] = optarg;
        return NWCERT_OK;
    case OPTION_NO_SAN:
        request->no_san = true;
        return NWCERT_OK;
    case OPTION_CN:
        request->common_name = optarg;
        return NWCERT_OK;
    case OPTION_PATH_LENGTH:
        return set_number("--path-length", optarg, 0, 32, &request->path_length);
    case OPTION_P12:
        request->password_file = optarg;
        return NWCERT_OK;
    case OPTION_JSON:
        request->json = true;
        return NWCERT_OK;
    case OPTION_HOST:
        request->host = optarg;
        return NWCERT_OK;
    case OPTION_AT:
        return set_date("--at", optarg, &request->at);
    case OPTION_CLIENT:
        request->as_client = true;
        return NWCERT_OK;
    case 'h':
        nwcert_print_help();
        *ret_answered = true;
        return NWCERT_OK;
    case OPTION_VERSION:
        puts("nwcert (libnw) " NWCERT_VERSION);
        *ret_answered = true;
        return NWCERT_OK;
    default:
        tool_complain_option(stderr, "nwcert", option, (char **)argv);
        return NWCERT_USAGE;
    }
}

/* What makes no sense together. */
static enum nwcert_status check(struct nwcert_request *request) {
    enum nwcert_command command = request->command;
    bool leaf = command == NWCERT_SERVER || command == NWCERT_CLIENT || command == NWCERT_SET;
    if (command == NWCERT_SHOW)
        return request->file_count > 0 ? NWCERT_OK : wrong("show: no file is named");
    if (command == NWCERT_VERIFY)
        return request->file_count == 1 ? NWCERT_OK : wrong("verify: one file is to be named");
    if (request->host != NULL || request->at != -1 || request->as_client)
        return wrong("--host, --at and --client are for verify");
    if (leaf && request->name_count == 0)
        return wrong("%s: no name is given", commands[command].word);
    if (command == NWCERT_CA && request->name_count > 0)
        return wrong("ca: a CA has no host name; its own goes into --cn");
    if (request->path_length >= 0 && command != NWCERT_CA)
        return wrong("--path-length is for a CA");
    if (command == NWCERT_SET && (request->ca != NULL || request->ca_key != NULL))
        return wrong("set makes a CA of its own: --ca has no place there");
    if (command == NWCERT_SET && request->base != NULL)
        return wrong("set names its files ca, server and client: --out has no place there");
    if (request->expired && (request->until != -1 || request->from != -1 || request->days != 0))
        return wrong("--expired says how long already: not with --days, --from or --until");
    if (request->days != 0 && request->until != -1)
        return wrong("--days and --until say the same twice");
    if (request->from != -1 && request->until != -1 && request->from >= request->until)
        return wrong("--until is not after --from");
    request->signed_ca = command == NWCERT_CA && request->ca != NULL;
    return NWCERT_OK;
}

enum nwcert_status nwcert_request_read(int argc, char *const argv[], struct nwcert_request *request,
                                       bool *ret_answered) {
    int option;
    enum nwcert_status status;
    *ret_answered = false;
    *request = (struct nwcert_request){.folder = ".",
                                       .from = -1,
                                       .until = -1,
                                       .path_length = -1,
                                       .at = -1,
                                       .key = keys[0].key,
                                       .key_bits = keys[0].bits};
    while ((option = getopt_long(argc, argv, ":d:o:k:fh", long_options, NULL)) != -1) {
        status = take(request, option, argv, ret_answered);
        if (status != NWCERT_OK || *ret_answered)
            return status;
    }
    if (optind == argc)
        return wrong("say what to make: ca, server, client or set; or show or verify");
    const char *word = argv[optind++];
    size_t i = 0, known = sizeof commands / sizeof commands[0];
    while (i < known && strcmp(word, commands[i].word) != 0)
        i++;
    if (i == known)
        return wrong("'%s' is no command: ca, server, client, set, show or verify", word);
    request->command = commands[i].command;
    request->files = argv + optind;
    request->file_count = (size_t)(argc - optind);
    while (request->command < NWCERT_SHOW && optind < argc)
        if ((status = add_name(request, argv[optind++])) != NWCERT_OK)
            return status;
    for (i = 0; i < request->extra_count; i++)
        if ((status = add_name(request, request->extra[i])) != NWCERT_OK)
            return status;
    return check(request);
}
