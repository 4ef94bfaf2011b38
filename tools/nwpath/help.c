/*
 * help.c - the text of nwpath --help and --version.
 * What:   man/nwpath.1 says the same at length.
 */
#include "options.h"

static const char text[] =
    "Usage: nwpath [OPTION]...                what a path monitor says, live\n"
    "       nwpath [OPTION]... HOST [PORT]    which way a connection would take, and why\n"
    "\n"
    "On a terminal the view is redrawn as the network changes; else each change is one line.\n"
    "\n"
    "Path rules (of connections that this is asked for)\n"
    "      --require-type TYPE    only interfaces of this type: wired, wifi, cellular, loopback\n"
    "      --prohibit-type TYPE   none of this type; may be repeated\n"
    "      --interface NAME       only this interface\n"
    "      --prohibit-interface NAME  not this interface; may be repeated\n"
    "      --no-expensive         none that costs money by volume\n"
    "      --no-constrained       none on which data is to be saved\n"
    "      --ultra-constrained    also those with very little capacity\n"
    "  -4, --ipv4                 IPv4 only\n"
    "  -6, --ipv6                 IPv6 only\n"
    "\n"
    "Output and end\n"
    "      --once                 one answer, then end\n"
    "      --changes N            end after N answers, the first path included\n"
    "      --for SECONDS          end after this long\n"
    "      --json                 JSON, one object a line\n"
    "      --color[=WHEN]         auto (default: on a terminal), always or never\n"
    "  -h, --help                 this text\n"
    "      --version              the version\n"
    "\n"
    "Exit status: 0 satisfied (HOST: there is a way), 1 not, 2 wrong usage, 4 no such name,\n"
    "5 output failed, 128+N ended by signal N.\n"
    "\n"
    "Examples\n"
    "  nwpath                                   watch the network\n"
    "  nwpath --once --no-expensive && backup   only where data costs nothing\n"
    "  nwpath www.example.org 443               interface, source address, route, and the order\n"
    "  nwpath --json | jq -r .status\n";

void nwpath_print_help(FILE *out) {
    fputs(text, out);
}

void nwpath_print_version(FILE *out) {
    fprintf(out, "nwpath (libnw) %s\n", NWPATH_VERSION);
}
