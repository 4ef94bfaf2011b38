/*
 * help.c - the text of nwcat --help and --version.
 * What:   one table of lines; man/nwcat.1 says the same at length.
 */
#include "options.h"

static const char usage[] =
    "Usage: nwcat [OPTION]... HOST PORT            connect, and copy both ways\n"
    "       nwcat -l [OPTION]... [ADDRESS] PORT    wait for a connection, and copy both ways\n"
    "       nwcat -z [OPTION]... HOST PORTS        see which ports answer\n"
    "       nwcat -U [-l] [OPTION]... PATH         the same over a Unix socket\n"
    "\n"
    "HOST is a name or an address (2001:db8::1, 192.0.2.1, fe80::1%eth0). All addresses of a name "
    "are\n"
    "raced, and the first to answer wins. PORT is a number or a service name; PORTS also a list "
    "of\n"
    "ranges, such as 20-30,80.\n";

static const char options_text[] =
    "\n"
    "Connection\n"
    "  -4, --ipv4            use IPv4 only\n"
    "  -6, --ipv6            use IPv6 only\n"
    "  -u, --udp             UDP instead of TCP; each read of the input is one datagram\n"
    "  -U, --unix            HOST is the path of a Unix stream socket, and there is no PORT\n"
    "  -s, --source ADDRESS  send from this address (with -l: listen on it)\n"
    "  -p, --source-port PORT  send from this port\n"
    "  -w, --timeout SECONDS give up after this long: while connecting, and when nothing moves "
    "later\n"
    "      --wait            when nobody answers, keep trying instead of ending with status 1\n"
    "  -b, --bonjour         not yet: needs Bonjour support\n"
    "  -t, --tls             not yet: needs TLS support\n"
    "  -k, --psk KEY         not yet: needs TLS support\n"
    "\n"
    "Listening and probing\n"
    "  -l, --listen          wait for one connection (any free port when PORT is 0 or left out)\n"
    "      --keep-open       with -l: serve one client after the other until interrupted\n"
    "  -z, --probe           connect, send nothing, tell which ports are open\n"
    "\n"
    "Data\n"
    "  -i, --input FILE      send FILE instead of standard input\n"
    "  -o, --output FILE     write what arrives to FILE instead of standard output\n"
    "  -d, --detach          do not read any input, and keep the sending side open\n"
    "  -N, --shutdown        at end of input, close the sending side (TCP does so anyway);\n"
    "                        with -u: end\n"
    "      --no-shutdown     at end of input, keep the sending side open\n"
    "  -q, --quit SECONDS    end this long after end of input\n"
    "      --linger SECONDS  after the peer has finished, go on sending while the input pauses "
    "for\n"
    "                        less than this (default 0.5; \"forever\" waits for its end)\n"
    "\n"
    "Seeing what happens\n"
    "  -v, --verbose         tell what happens, with the race of addresses as it runs; twice: "
    "more\n"
    "      --timeline        draw the race on standard error once it is decided\n"
    "      --timeline-svg FILE  draw it as an SVG picture\n"
    "      --report          at the end of a connection, tell how it was established and what it "
    "has\n"
    "                        carried\n"
    "      --progress        show octets and rate (default: when output is a file and standard\n"
    "                        error is a terminal); --no-progress: never\n"
    "      --json            tell events as JSON, one a line, on standard error (with -z: output)\n"
    "  -h, --help            this text\n"
    "      --version         the version\n"
    "\n"
    "Exit status: 0 fine, 1 could not connect or the connection broke, 2 wrong usage, 3 timeout,\n"
    "4 no such name, 5 local input or output failed, 128+N ended by signal N.\n"
    "\n"
    "Examples\n"
    "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nwcat www.example.org http\n"
    "  nwcat -l 9000 > copy.tar        and on the other machine:  nwcat host 9000 < files.tar\n"
    "  nwcat -z -v -w 2 host 20-30,80,443\n"
    "  nwcat --timeline -d -w 5 www.example.org 443\n";

void nwcat_print_help(FILE *out) {
    fputs(usage, out);
    fputs(options_text, out);
}

void nwcat_print_version(FILE *out) {
    fprintf(out, "nwcat (libnw) %s\n", NWCAT_VERSION);
}
