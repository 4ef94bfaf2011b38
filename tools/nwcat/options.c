/*
 * options.c - reads nwcat's command line.
 * What:   getopt_long over one table, then the checks of what goes with what. Every complaint names
 *         the value it is about.
 * Source: the letters of Apple's nwcat sample (-46bdhk:lp:s:tuv); -w, -z, -N, -q, -U as in nc.
 * Runs:   before anything else; touches no network.
 */
#include "options.h"

#include "common/usage.h"
#include "status.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <sys/un.h>

enum long_only { /* beyond every letter */
                 OPT_KEEP_OPEN = TOOL_LONG_OPTIONS,
                 OPT_NO_SHUTDOWN,
                 OPT_LINGER,
                 OPT_TIMELINE,
                 OPT_TIMELINE_SVG,
                 OPT_REPORT,
                 OPT_PROGRESS,
                 OPT_NO_PROGRESS,
                 OPT_JSON,
                 OPT_WAIT,
                 OPT_VERSION,
                 OPT_TLS /* and the others of enum nwcat_tls_option behind it */
};

static const char short_options[] = ":46bdhi:k:lNo:p:q:s:tuUvw:z";

static const struct option long_options[] = {
    {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},
    {"bonjour", no_argument, NULL, 'b'},
    {"detach", no_argument, NULL, 'd'},
    {"help", no_argument, NULL, 'h'},
    {"input", required_argument, NULL, 'i'},
    {"psk", required_argument, NULL, 'k'},
    {"listen", no_argument, NULL, 'l'},
    {"shutdown", no_argument, NULL, 'N'},
    {"output", required_argument, NULL, 'o'},
    {"source-port", required_argument, NULL, 'p'},
    {"quit", required_argument, NULL, 'q'},
    {"source", required_argument, NULL, 's'},
    {"tls", no_argument, NULL, 't'},
    {"udp", no_argument, NULL, 'u'},
    {"unix", no_argument, NULL, 'U'},
    {"verbose", no_argument, NULL, 'v'},
    {"timeout", required_argument, NULL, 'w'},
    {"probe", no_argument, NULL, 'z'},
    {"keep-open", no_argument, NULL, OPT_KEEP_OPEN},
    {"no-shutdown", no_argument, NULL, OPT_NO_SHUTDOWN},
    {"linger", required_argument, NULL, OPT_LINGER},
    {"timeline", no_argument, NULL, OPT_TIMELINE},
    {"timeline-svg", required_argument, NULL, OPT_TIMELINE_SVG},
    {"report", no_argument, NULL, OPT_REPORT},
    {"progress", no_argument, NULL, OPT_PROGRESS},
    {"no-progress", no_argument, NULL, OPT_NO_PROGRESS},
    {"json", no_argument, NULL, OPT_JSON},
    {"wait", no_argument, NULL, OPT_WAIT},
    {"version", no_argument, NULL, OPT_VERSION},
    {"ca", required_argument, NULL, OPT_TLS + NWCAT_TLS_CA},
    {"cert", required_argument, NULL, OPT_TLS + NWCAT_TLS_CERT},
    {"key", required_argument, NULL, OPT_TLS + NWCAT_TLS_KEY},
    {"password-file", required_argument, NULL, OPT_TLS + NWCAT_TLS_PASSWORD_FILE},
    {"alpn", required_argument, NULL, OPT_TLS + NWCAT_TLS_ALPN},
    {"tls-min", required_argument, NULL, OPT_TLS + NWCAT_TLS_MIN},
    {"tls-max", required_argument, NULL, OPT_TLS + NWCAT_TLS_MAX},
    {"ciphers", required_argument, NULL, OPT_TLS + NWCAT_TLS_CIPHERS},
    {"insecure", no_argument, NULL, OPT_TLS + NWCAT_TLS_INSECURE},
    {"show-certs", no_argument, NULL, OPT_TLS + NWCAT_TLS_SHOW_CERTS},
    {"server-name", required_argument, NULL, OPT_TLS + NWCAT_TLS_SERVER_NAME},
    {NULL, 0, NULL, 0},
};

__attribute__((format(printf, 2, 3))) static int complain(FILE *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tool_vcomplain(err, "nwcat", format, args);
    va_end(args);
    return NWCAT_USAGE;
}

static int set_seconds(double *field, bool zero_is_fine, const char *what, FILE *err) {
    if (!tool_read_seconds(optarg, field) || (!zero_is_fine && *field == 0))
        return complain(err, "'%s' is not a number of seconds for %s", optarg, what);
    return NWCAT_RUN;
}

static int set_family(struct nwcat_options *o, int family, FILE *err) {
    if (o->family != 0 && o->family != family)
        return complain(err, "-4 and -6 exclude each other");
    o->family = family;
    return NWCAT_RUN;
}

static int set_linger(struct nwcat_options *o, FILE *err) {
    if (strcmp(optarg, "forever") == 0) {
        o->linger = -1;
        return NWCAT_RUN;
    }
    return set_seconds(&o->linger, true, "--linger", err);
}

static int not_yet(const char *option, const char *needs, FILE *err) {
    return complain(err, "%s is not yet available: it needs %s support", option, needs);
}

/* Takes one option; NWCAT_RUN to go on. */
static int take_option(struct nwcat_options *o, int c, char **argv, FILE *out, FILE *err) {
    if (c >= OPT_TLS)
        return nwcat_tls_option(&o->tls, (enum nwcat_tls_option)(c - OPT_TLS), optarg, err);
    switch (c) {
    case '4':
        return set_family(o, 4, err);
    case '6':
        return set_family(o, 6, err);
    case 'b':
        return not_yet("-b", "Bonjour", err);
    case 'k':
        return nwcat_tls_psk(&o->tls, optarg, err);
    case 't':
        o->tls.on = true;
        break;
    case 'd':
        o->detach = true;
        break;
    case 'h':
        nwcat_print_help(out);
        return NWCAT_OK;
    case 'i':
        o->input = optarg;
        break;
    case 'l':
        o->listen = true;
        break;
    case 'N':
        o->shutdown = true;
        break;
    case 'o':
        o->output = optarg;
        break;
    case 'p':
        o->source_port = optarg;
        break;
    case 'q':
        return set_seconds(&o->quit_after, true, "-q", err);
    case 's':
        o->source_host = optarg;
        break;
    case 'u':
        o->udp = true;
        break;
    case 'U':
        o->unix_socket = true;
        break;
    case 'v':
        o->verbose++;
        break;
    case 'w':
        return set_seconds(&o->timeout, false, "-w", err);
    case 'z':
        o->probe = true;
        break;
    case OPT_KEEP_OPEN:
        o->keep_open = true;
        break;
    case OPT_NO_SHUTDOWN:
        o->no_shutdown = true;
        break;
    case OPT_LINGER:
        return set_linger(o, err);
    case OPT_TIMELINE:
        o->timeline = true;
        break;
    case OPT_TIMELINE_SVG:
        o->timeline_svg = optarg;
        break;
    case OPT_REPORT:
        o->report = true;
        break;
    case OPT_PROGRESS:
        o->progress = true;
        break;
    case OPT_NO_PROGRESS:
        o->no_progress = true;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case OPT_WAIT:
        o->wait = true;
        break;
    case OPT_VERSION:
        nwcat_print_version(out);
        return NWCAT_OK;
    default:
        return tool_complain_option(err, "nwcat", c, argv);
    }
    return NWCAT_RUN;
}

static int take_unix_path(struct nwcat_options *o, int count, char **words, FILE *err) {
    if (o->udp || o->family != 0 || o->source_host != NULL || o->source_port != NULL)
        return complain(err, "-U goes with none of -u, -4, -6, -s, -p");
    if (count == 0)
        return complain(err, "-U needs the path of a socket");
    if (count > 1)
        return complain(err, "'%s' is one word too many: -U takes a path alone", words[1]);
    if (words[0][0] == '\0' || strlen(words[0]) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return complain(err, "'%s' cannot be the path of a Unix socket (1 to %zu octets)", words[0],
                        sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    o->host = words[0];
    return NWCAT_RUN;
}

/* HOST PORT, or with -l: nothing, PORT, or ADDRESS PORT. */
static int take_words(struct nwcat_options *o, int count, char **words, FILE *err) {
    if (o->unix_socket)
        return take_unix_path(o, count, words, err);
    if (count > 2)
        return complain(err, "'%s' is one word too many", words[2]);
    if (o->listen) {
        o->host = count == 2 ? words[0] : NULL;
        o->port = count == 0 ? o->source_port : words[count - 1];
        if (o->source_port != NULL && count > 0)
            return complain(err, "-l listens on one port: '%s' or '%s'?", words[count - 1],
                            o->source_port);
        if (o->host != NULL && o->source_host != NULL)
            return complain(err, "-l listens on one address: '%s' or '%s'?", o->host,
                            o->source_host);
        if (o->host == NULL)
            o->host = o->source_host;
        o->source_host = o->source_port = NULL;
    } else if (count < 2) {
        return count == 0 ? complain(err, "tell a host and a port")
                          : complain(err, "no port given for host '%s'", words[0]);
    } else {
        o->host = words[0];
        o->port = words[1];
        if (o->host[0] == '\0')
            return complain(err, "'' is not a host");
    }
    return NWCAT_RUN;
}

static int check_ports(struct nwcat_options *o, FILE *err) {
    if (o->probe && !o->unix_socket) {
        char piece[64];
        if (!nwcat_ports_parse(&o->ports, o->port, o->udp, piece, sizeof piece))
            return complain(err, "'%s' is not a port or a range of ports", piece);
    } else if (o->port != NULL && !nwcat_port_is_valid(o->port, o->udp)) {
        return complain(err, "'%s' is not a port (0 to 65535, or a service name)", o->port);
    } else if (o->port != NULL && !o->listen && strspn(o->port, "0") == strlen(o->port)) {
        return complain(err, "'%s' is not a port to connect to", o->port);
    }
    if (o->source_port != NULL && !nwcat_port_is_valid(o->source_port, o->udp))
        return complain(err, "'%s' is not a source port (0 to 65535, or a service name)",
                        o->source_port);
    return NWCAT_RUN;
}

/* What excludes what. */
static int check_together(const struct nwcat_options *o, FILE *err) {
    if (o->listen && o->probe)
        return complain(err, "-l and -z exclude each other");
    if (o->keep_open && !o->listen)
        return complain(err, "--keep-open goes with -l only");
    if (o->probe && (o->input != NULL || o->output != NULL))
        return complain(err, "-z copies nothing: leave out '%s'",
                        o->input != NULL ? o->input : o->output);
    if (o->probe && o->report)
        return complain(err, "-z carries nothing to report on: leave out --report");
    if (o->detach && o->input != NULL)
        return complain(err, "-d reads no input: leave out '%s'", o->input);
    if (o->shutdown && o->no_shutdown)
        return complain(err, "-N and --no-shutdown exclude each other");
    if (o->progress && o->no_progress)
        return complain(err, "--progress and --no-progress exclude each other");
    if ((o->timeline || o->timeline_svg != NULL) && o->listen)
        return complain(err, "a listener has no race to draw: leave out --timeline%s",
                        o->timeline ? "" : "-svg");
    if (o->timeline_svg != NULL && o->ports.count > 1)
        return complain(err, "--timeline-svg '%s' holds one race, and there are %u ports",
                        o->timeline_svg, o->ports.count);
    return NWCAT_RUN;
}

int nwcat_options_parse(struct nwcat_options *options, int argc, char **argv, FILE *out,
                        FILE *err) {
    memset(options, 0, sizeof *options);
    options->linger = 0.5;
    options->quit_after = -1;
    optind = 0; /* glibc: start afresh, so that tests may call again */
    opterr = 0;
    int c;
    while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        int status = take_option(options, c, argv, out, err);
        if (status != NWCAT_RUN)
            return status;
    }
    int status = take_words(options, argc - optind, argv + optind, err);
    if (status == NWCAT_RUN)
        status = check_ports(options, err);
    if (status == NWCAT_RUN)
        status = check_together(options, err);
    return status == NWCAT_RUN ? nwcat_tls_check(options, err) : status;
}
