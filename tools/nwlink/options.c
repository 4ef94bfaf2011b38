/*
 * options.c - reads nwlink's command line.
 * What:   getopt_long over one table, then the words of each command. Every complaint names the
 *         value it is about.
 * Runs:   before anything else; touches nothing but the profile files.
 */
#include "options.h"

#include "device.h"
#include "units.h"

#include "common/usage.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MTU_MIN = 68, MTU_MAX = 65521 /* TAP counts the Ethernet header too */ };

enum long_only { /* beyond every letter */
                 OPT_PROFILES = TOOL_LONG_OPTIONS,
                 OPT_SEED,
                 OPT_DEVICE_A,
                 OPT_DEVICE_B,
                 OPT_ADDRESS_A,
                 OPT_ADDRESS_B,
                 OPT_NO_ADDRESSES,
                 OPT_ROUTE_A,
                 OPT_ROUTE_B,
                 OPT_TAP,
                 OPT_DEVICE_MTU,
                 OPT_MEMORY,
                 OPT_REALTIME,
                 OPT_STATS,
                 OPT_JSON,
                 OPT_VERSION
};

static const char short_options[] = "+:b:c:d:hp:qu:";

static const struct option long_options[] = {
    {"profile", required_argument, NULL, 'p'},
    {"profiles", required_argument, NULL, OPT_PROFILES},
    {"up", required_argument, NULL, 'u'},
    {"down", required_argument, NULL, 'd'},
    {"both", required_argument, NULL, 'b'},
    {"seed", required_argument, NULL, OPT_SEED},
    {"device-a", required_argument, NULL, OPT_DEVICE_A},
    {"device-b", required_argument, NULL, OPT_DEVICE_B},
    {"address-a", required_argument, NULL, OPT_ADDRESS_A},
    {"address-b", required_argument, NULL, OPT_ADDRESS_B},
    {"no-addresses", no_argument, NULL, OPT_NO_ADDRESSES},
    {"route-a", no_argument, NULL, OPT_ROUTE_A},
    {"route-b", no_argument, NULL, OPT_ROUTE_B},
    {"tap", no_argument, NULL, OPT_TAP},
    {"device-mtu", required_argument, NULL, OPT_DEVICE_MTU},
    {"memory", required_argument, NULL, OPT_MEMORY},
    {"realtime", no_argument, NULL, OPT_REALTIME},
    {"control", required_argument, NULL, 'c'},
    {"stats", required_argument, NULL, OPT_STATS},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};

/* What is known only when all options have been read. */
struct reading {
    struct nwlink_options *o;
    FILE *out, *err;
    bool no_addresses, route[2];
};

__attribute__((format(printf, 2, 3))) static int complain(FILE *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int status = tool_vcomplain(err, "nwlink", format, args);
    va_end(args);
    return status;
}

static int take_profile(struct nwlink_options *o, const char *name, FILE *err) {
    const struct nwlink_profile *profile = nwlink_profile_find(&o->profiles, name);
    if (profile == NULL)
        return complain(err, "there is no profile '%s' (nwlink profiles lists them)", name);
    memcpy(o->conditions, profile->conditions, sizeof o->conditions);
    return NWLINK_GO;
}

static int take_conditions(struct nwlink_options *o, int c, const char *list, FILE *err) {
    char why[NWLINK_WHY];
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
        if (c == 'b' || (c == 'u') == (d == NWLINK_UP))
            if (!nwlink_conditions_read(&o->conditions[d], list, why))
                return complain(err, "--%s: %s", c == 'b' ? "both" : c == 'u' ? "up" : "down", why);
    return NWLINK_GO;
}

static int take_address(struct nwlink_end_wish *end, const char *address, FILE *err) {
    if (!nwlink_address_is_valid(address) || strchr(address, '/') == NULL)
        return complain(err, "'%s' is not ADDRESS/PREFIX", address);
    if (end->address_count == NWLINK_ADDRESSES_MAX)
        return complain(err, "'%s' is one address too many: %d are the most", address,
                        NWLINK_ADDRESSES_MAX);
    end->addresses[end->address_count++] = address;
    return NWLINK_GO;
}

static int take_device(struct nwlink_end_wish *end, const char *name, FILE *err) {
    if (*name == '\0' || strlen(name) >= IFNAMSIZ || strchr(name, '/') != NULL)
        return complain(err, "'%s' is not the name of an interface (1 to %d octets)", name,
                        IFNAMSIZ - 1);
    end->device = name;
    return NWLINK_GO;
}

static int take_number(struct nwlink_options *o, int c, const char *text, FILE *err) {
    uint64_t number;
    switch (c) {
    case OPT_SEED:
        if (!nwlink_read_count(text, 0, UINT64_MAX, &o->seed))
            return complain(err, "--seed: '%s' is not a whole number", text);
        o->seeded = true;
        return NWLINK_GO;
    case OPT_DEVICE_MTU:
        if (!nwlink_read_count(text, MTU_MIN, MTU_MAX, &number))
            return complain(err, "--device-mtu: '%s' is not a size of %d to %d octets", text,
                            MTU_MIN, MTU_MAX);
        o->ends[0].mtu = o->ends[1].mtu = (unsigned)number;
        return NWLINK_GO;
    case OPT_MEMORY:
        if (!nwlink_read_octets(text, &o->memory) || o->memory < 100000)
            return complain(err, "--memory: '%s' is not a size of 100kB or more", text);
        return NWLINK_GO;
    default:
        if (!tool_read_seconds(text, &o->stats) || o->stats < 0.01)
            return complain(err, "--stats: '%s' is not a time of 0.01 seconds or more", text);
        return NWLINK_GO;
    }
}

static int take_option(struct reading *r, int c, char **argv) {
    struct nwlink_options *o = r->o;
    char why[NWLINK_WHY];
    switch (c) {
    case 'p':
        return take_profile(o, optarg, r->err);
    case OPT_PROFILES:
        return nwlink_profiles_load(&o->profiles, optarg, why) ? NWLINK_GO
                                                               : complain(r->err, "%s", why);
    case 'u':
    case 'd':
    case 'b':
        return take_conditions(o, c, optarg, r->err);
    case OPT_SEED:
    case OPT_DEVICE_MTU:
    case OPT_MEMORY:
    case OPT_STATS:
        return take_number(o, c, optarg, r->err);
    case OPT_DEVICE_A:
    case OPT_DEVICE_B:
        return take_device(&o->ends[c - OPT_DEVICE_A], optarg, r->err);
    case OPT_ADDRESS_A:
    case OPT_ADDRESS_B:
        return take_address(&o->ends[c - OPT_ADDRESS_A], optarg, r->err);
    case OPT_NO_ADDRESSES:
        r->no_addresses = true;
        return NWLINK_GO;
    case OPT_ROUTE_A:
    case OPT_ROUTE_B:
        r->route[c - OPT_ROUTE_A] = true;
        return NWLINK_GO;
    case OPT_TAP:
        o->ends[0].tap = o->ends[1].tap = true;
        return NWLINK_GO;
    case OPT_REALTIME:
        o->realtime = true;
        return NWLINK_GO;
    case OPT_JSON:
        o->json = true;
        return NWLINK_GO;
    case 'c':
        o->control = optarg;
        return NWLINK_GO;
    case 'q':
        o->quiet = true;
        return NWLINK_GO;
    case 'h':
        nwlink_print_help(r->out);
        return 0;
    case OPT_VERSION:
        nwlink_print_version(r->out);
        return 0;
    default:
        return tool_complain_option(r->err, "nwlink", c, argv);
    }
}

static int take_command(struct nwlink_options *o, const char *word, FILE *err) {
    static const char *const commands[] = {[NWLINK_BETWEEN] = "between",
                                           [NWLINK_TUN] = "tun",
                                           [NWLINK_JOIN] = "join",
                                           [NWLINK_RUN] = "run",
                                           [NWLINK_LIST] = "profiles"};
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(word, commands[i]) == 0) {
            o->command = (enum nwlink_command)i;
            return NWLINK_GO;
        }
    return complain(err, "'%s' is not a command: between, tun, join, run or profiles", word);
}

/* [NS:]DEVICE. The namespace is cut off in place. */
static int take_place(struct nwlink_end_wish *end, char *word, FILE *err) {
    char *colon = strrchr(word, ':');
    end->place = ".";
    if (colon == NULL)
        return take_device(end, word, err);
    *colon = '\0';
    end->place = word;
    return take_device(end, colon + 1, err);
}

static int take_words(struct nwlink_options *o, int count, char **words, FILE *err) {
    switch (o->command) {
    case NWLINK_RUN:
        if (count == 0)
            return complain(err, "tell a command to run");
        o->child = words;
        return NWLINK_GO;
    case NWLINK_LIST:
        return count == 0 ? NWLINK_GO : complain(err, "'%s' is one word too many", words[0]);
    default:
        break;
    }
    if (count < 2)
        return complain(err, "tell both ends of the wire");
    if (count > 2)
        return complain(err, "'%s' is one word too many", words[2]);
    for (unsigned i = 0; i < 2; i++) {
        o->ends[i].place = words[i];
        int status = o->command == NWLINK_TUN || o->command == NWLINK_JOIN
                         ? take_place(&o->ends[i], words[i], err)
                         : NWLINK_GO;
        o->ends[i].existing = o->command == NWLINK_JOIN;
        if (status != NWLINK_GO)
            return status;
    }
    return NWLINK_GO;
}

/* Addresses that nobody gave, and the routes, which lead to the other end's. */
static int complete_ends(struct nwlink_options *o, const struct reading *r) {
    static const char *const usual[2][2] = {{"10.99.0.1/24", "fd00:99::1/64"},
                                            {"10.99.0.2/24", "fd00:99::2/64"}};
    unsigned given = o->ends[0].address_count + o->ends[1].address_count;
    if (r->no_addresses && given > 0)
        return complain(r->err, "--no-addresses, and yet '%s'",
                        o->ends[o->ends[0].address_count == 0].addresses[0]);
    if (o->command == NWLINK_JOIN) {
        if (given > 0 || r->route[0] || r->route[1] || o->ends[0].tap || o->ends[0].mtu != 0)
            return complain(r->err, "join takes '%s' as it is: no address, route, MTU or --tap",
                            o->ends[0].device);
        return NWLINK_GO;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct nwlink_end_wish *end = &o->ends[i];
        if (end->device == NULL)
            end->device = "nwlink0";
        end->up = o->command != NWLINK_TUN || given > 0;
        end->usual = given == 0 && !r->no_addresses && o->command != NWLINK_TUN;
        if (end->usual)
            for (unsigned k = 0; k < 2; k++)
                end->addresses[end->address_count++] = usual[i][k];
        end->route = r->route[i] || (o->command == NWLINK_RUN && i == 0);
    }
    return NWLINK_GO;
}

int nwlink_options_parse(struct nwlink_options *options, int argc, char **argv, FILE *out,
                         FILE *err) {
    memset(options, 0, sizeof *options);
    options->stats = -1;
    options->memory = 64000000;
    struct reading reading = {.o = options, .out = out, .err = err};
    char *words[4], **rest = NULL;
    int count = 0, rest_count = 0;
    optind = 0; /* glibc: start afresh, so that tests may call again */
    opterr = 0;
    /* Options may come between the words; what follows run's "--" or first word is the command's.
     */
    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);
        int status = NWLINK_GO;
        if (c != -1) {
            status = take_option(&reading, c, argv);
        } else if (optind >= argc) {
            break;
        } else if (count == 0) {
            words[count++] = argv[optind++];
            status = take_command(options, words[0], err);
        } else if (options->command == NWLINK_RUN) {
            rest = argv + optind;
            rest_count = argc - optind;
            break;
        } else if (count < 4) {
            words[count++] = argv[optind++];
        } else {
            break; /* too many anyway */
        }
        if (status != NWLINK_GO)
            return status;
    }
    if (count == 0)
        return complain(err, "tell a command: between, tun, join, run or profiles");
    int status = rest != NULL ? take_words(options, rest_count, rest, err)
                              : take_words(options, count - 1, words + 1, err);
    return status == NWLINK_GO ? complete_ends(options, &reading) : status;
}

void nwlink_options_free(struct nwlink_options *options) {
    nwlink_profiles_free(&options->profiles);
}
