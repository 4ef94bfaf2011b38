/*
 * help.c - the text of nwlink --help and --version.
 * What:   man/nwlink.1 says the same at length.
 */
#include "options.h"

static const char usage[] =
    "Usage: nwlink between [OPTION]... NS1 NS2      a wire between two network namespaces\n"
    "       nwlink tun [OPTION]... [NS:]DEV [NS:]DEV  a wire between two new TUN interfaces\n"
    "       nwlink join [OPTION]... [NS:]DEV [NS:]DEV  a wire between interfaces that are there\n"
    "       nwlink run [OPTION]... -- COMMAND...    COMMAND, with such a wire to this machine\n"
    "       nwlink profiles [--profiles FILE] [--json]  the profiles and their numbers\n"
    "\n"
    "NS is a name of \"ip netns\", a path, a process id, or \".\" for here. \"Up\" is from the\n"
    "first end to the second, \"down\" the way back. Without conditions the wire is perfect.\n";

static const char options_text[] =
    "\n"
    "Conditions (later ones change earlier ones)\n"
    "  -p, --profile NAME    as Apple's Network Link Conditioner: 3G, DSL, Edge, LTE, Wi-Fi, ...\n"
    "      --profiles FILE   more profiles; comes before the -p that names one\n"
    "  -u, --up LIST         conditions of one direction, such as\n"
    "  -d, --down LIST         rate=2Mbit,delay=50ms,jitter=10ms,loss=1%\n"
    "  -b, --both LIST       the same for both\n"
    "        rate=RATE       780kbit, 50Mbit, unlimited\n"
    "        delay=TIME      50ms, 1.5s; jitter=TIME: even between delay - and delay + TIME\n"
    "        queue=N         packets (50) or octets (64kB) that wait for their turn; else dropped\n"
    "        loss=SHARE      1.5%; burst=ENTER/LEAVE[/BAD[/GOOD]]: Gilbert-Elliott, 1%/25%\n"
    "        duplicate=SHARE, corrupt=SHARE (one bit flips), reorder=SHARE[/TIME] (that much "
    "later)\n"
    "        mtu=N           larger packets vanish; with mtu-signal=yes their sender is told\n"
    "        dns-delay=TIME  on top, for port 53\n"
    "      --seed N          the same packets in the same order meet the same fate\n"
    "\n"
    "Ends\n"
    "      --device-a NAME, --device-b NAME    interfaces (default nwlink0)\n"
    "      --address-a ADDRESS/PREFIX, --address-b ADDRESS/PREFIX    may be repeated (default\n"
    "                        10.99.0.1/24 and fd00:99::1/64, 10.99.0.2/24 and fd00:99::2/64)\n"
    "      --no-addresses    none\n"
    "      --route-a, --route-b  default routes by the other end\n"
    "      --tap             Ethernet interfaces (TAP) instead of IP ones (TUN)\n"
    "      --device-mtu N    their MTU (default 1500)\n"
    "      --memory SIZE     what may be under way in each direction (default 64MB)\n"
    "      --realtime        run before all ordinary processes: delays hold on a busy machine\n"
    "\n"
    "While it stands\n"
    "  -c, --control PATH    take commands at a Unix socket; \"-\": from standard input, whose "
    "end\n"
    "                        ends the wire. Say \"help\" there\n"
    "      --stats SECONDS   show statistics this often (default 1 on a terminal, else never)\n"
    "      --json            events and statistics as JSON, one a line\n"
    "  -q, --quiet           say nothing but errors\n"
    "  -h, --help            this text\n"
    "      --version         the version\n"
    "\n"
    "Exit status: 0 fine, 1 the wire could not be made or its interfaces went away, 2 wrong "
    "usage,\n"
    "128+N ended by signal N; with run: that of COMMAND, 126 or 127 when it could not be started.\n"
    "\n"
    "Examples\n"
    "  nwlink between client server -p 3G\n"
    "  nwlink between client server -d rate=10Mbit,delay=40ms,burst=0.5%/20% --control /run/wire\n"
    "  unshare -rn nwlink run -p \"Very Bad Network\" -- ping -c 5 10.99.0.2\n";

void nwlink_print_help(FILE *out) {
    fputs(usage, out);
    fputs(options_text, out);
}

void nwlink_print_version(FILE *out) {
    fprintf(out, "nwlink (libnw) %s\n", NWLINK_VERSION);
}
