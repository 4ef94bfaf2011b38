/*
 * options.c - reads nwpath's command line.
 * What:   getopt_long over one table; every complaint names the value it is about.
 * Runs:   before anything else; touches no network.
 */
#include "options.h"

#include "common/usage.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum long_only {
    OPT_REQUIRE_TYPE = TOOL_LONG_OPTIONS,
    OPT_PROHIBIT_TYPE,
    OPT_INTERFACE,
    OPT_PROHIBIT_INTERFACE,
    OPT_NO_EXPENSIVE,
    OPT_NO_CONSTRAINED,
    OPT_ULTRA_CONSTRAINED,
    OPT_ONCE,
    OPT_CHANGES,
    OPT_FOR,
    OPT_JSON,
    OPT_COLOR,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},
    {"help", no_argument, NULL, 'h'},
    {"require-type", required_argument, NULL, OPT_REQUIRE_TYPE},
    {"prohibit-type", required_argument, NULL, OPT_PROHIBIT_TYPE},
    {"interface", required_argument, NULL, OPT_INTERFACE},
    {"prohibit-interface", required_argument, NULL, OPT_PROHIBIT_INTERFACE},
    {"no-expensive", no_argument, NULL, OPT_NO_EXPENSIVE},
    {"no-constrained", no_argument, NULL, OPT_NO_CONSTRAINED},
    {"ultra-constrained", no_argument, NULL, OPT_ULTRA_CONSTRAINED},
    {"once", no_argument, NULL, OPT_ONCE},
    {"changes", required_argument, NULL, OPT_CHANGES},
    {"for", required_argument, NULL, OPT_FOR},
    {"json", no_argument, NULL, OPT_JSON},
    {"color", optional_argument, NULL, OPT_COLOR},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static const char *const type_names[] = {"other", "wifi", "cellular", "wired", "loopback"};
enum { TYPES = sizeof type_names / sizeof type_names[0] };

const char *nwpath_type_name(unsigned type) {
    return type < TYPES ? type_names[type] : "other";
}

int nwpath_type_parse(const char *text) {
    for (int type = 0; type < TYPES; type++) {
        if (strcmp(text, type_names[type]) == 0)
            return type;
    }
    return -1;
}

#define complain(err, ...) tool_complain(err, "nwpath", __VA_ARGS__)

static int take_type(struct nwpath_options *o, bool require, FILE *err) {
    int type = nwpath_type_parse(optarg);
    if (type < 0)
        return complain(err, "'%s' is not a type (wired, wifi, cellular, loopback, other)", optarg);
    if (require && type == 0) /* the framework takes it for "no rule" */
        return complain(err, "type '%s' can be prohibited, not required", optarg);
    if (require && o->required_type != 0 && o->required_type != (unsigned)type)
        return complain(err, "two types are required: '%s' and '%s'", type_names[o->required_type],
                        optarg);
    if (require)
        o->required_type = (unsigned)type;
    else
        o->prohibited_types |= 1u << type;
    return NWPATH_RUN;
}

static int take_prohibited(struct nwpath_options *o, FILE *err) {
    if (o->prohibited_count == NWPATH_NAMES_MAX)
        return complain(err, "'%s' is one interface too many: at most %d can be prohibited", optarg,
                        NWPATH_NAMES_MAX);
    o->prohibited[o->prohibited_count++] = optarg;
    return NWPATH_RUN;
}

static int take_family(struct nwpath_options *o, int family, FILE *err) {
    if (o->family != 0 && o->family != family)
        return complain(err, "-4 and -6 exclude each other");
    o->family = family;
    return NWPATH_RUN;
}

static int take_changes(struct nwpath_options *o, FILE *err) {
    char *end;
    errno = 0;
    unsigned long count = strtoul(optarg, &end, 10);
    if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || errno != 0 || count == 0)
        return complain(err, "'%s' is not a number of changes for --changes", optarg);
    o->count = count;
    return NWPATH_RUN;
}

static int take_seconds(struct nwpath_options *o, FILE *err) {
    if (!tool_read_seconds(optarg, &o->seconds) || o->seconds == 0)
        return complain(err, "'%s' is not a number of seconds for --for", optarg);
    return NWPATH_RUN;
}

static int take_colour(struct nwpath_options *o, FILE *err) {
    static const char *const words[] = {
        [TOOL_AUTO] = "auto", [TOOL_ALWAYS] = "always", [TOOL_NEVER] = "never"};
    for (unsigned i = 0; optarg != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(optarg, words[i]) == 0) {
            o->colour = (enum tool_when)i;
            return NWPATH_RUN;
        }
    }
    if (optarg != NULL)
        return complain(err, "'%s' is not auto, always or never for --color", optarg);
    o->colour = TOOL_ALWAYS;
    return NWPATH_RUN;
}

/* Takes one option; NWPATH_RUN to go on. */
static int take_option(struct nwpath_options *o, int c, char **argv, FILE *out, FILE *err) {
    switch (c) {
    case '4':
    case '6':
        return take_family(o, c - '0', err);
    case OPT_REQUIRE_TYPE:
        return take_type(o, true, err);
    case OPT_PROHIBIT_TYPE:
        return take_type(o, false, err);
    case OPT_INTERFACE:
        o->interface = optarg;
        return NWPATH_RUN;
    case OPT_PROHIBIT_INTERFACE:
        return take_prohibited(o, err);
    case OPT_NO_EXPENSIVE:
        o->no_expensive = true;
        return NWPATH_RUN;
    case OPT_NO_CONSTRAINED:
        o->no_constrained = true;
        return NWPATH_RUN;
    case OPT_ULTRA_CONSTRAINED:
        o->ultra_constrained = true;
        return NWPATH_RUN;
    case OPT_ONCE:
        o->count = 1;
        return NWPATH_RUN;
    case OPT_CHANGES:
        return take_changes(o, err);
    case OPT_FOR:
        return take_seconds(o, err);
    case OPT_JSON:
        o->json = true;
        return NWPATH_RUN;
    case OPT_COLOR:
        return take_colour(o, err);
    case 'h':
        nwpath_print_help(out);
        return NWPATH_OK;
    case OPT_VERSION:
        nwpath_print_version(out);
        return NWPATH_OK;
    default:
        return tool_complain_option(err, "nwpath", c, argv);
    }
}

static bool is_port(const char *text) {
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9')
        return *end == '\0' && port > 0 && port <= 65535;
    return text[0] != '\0'; /* a service name: the framework knows them */
}

static int take_words(struct nwpath_options *o, int count, char **words, FILE *err) {
    if (count > 2)
        return complain(err, "'%s' is one word too many", words[2]);
    if (count > 0 && words[0][0] == '\0')
        return complain(err, "'' is not a host");
    if (count == 2 && !is_port(words[1]))
        return complain(err, "'%s' is not a port (1 to 65535, or a service name)", words[1]);
    o->host = count > 0 ? words[0] : NULL;
    o->port = count > 1 ? words[1] : NULL;
    if (o->host != NULL && (o->count > 1 || o->seconds > 0))
        return complain(err, "'%s' is explained once: leave out --for and --changes", o->host);
    return NWPATH_RUN;
}

int nwpath_options_parse(struct nwpath_options *options, int argc, char **argv, FILE *out,
                         FILE *err) {
    memset(options, 0, sizeof *options);
    optind = 0; /* glibc: start afresh, so that tests may call again */
    opterr = 0;
    int c;
    while ((c = getopt_long(argc, argv, ":46h", long_options, NULL)) != -1) {
        int status = take_option(options, c, argv, out, err);
        if (status != NWPATH_RUN)
            return status;
    }
    return take_words(options, argc - optind, argv + optind, err);
}
