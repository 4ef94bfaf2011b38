/*
 * help.c - the text of nwcert --help.
 * What:   one text; man/nwcert.1 says the same at length.
 */
#include "request.h"
#include <stdio.h>

static const char text[] =
    "Usage: nwcert ca [OPTION]...               make a certificate authority for tests\n"
    "       nwcert server [OPTION]... NAME...   make the identity of a server\n"
    "       nwcert client [OPTION]... NAME...   make the identity of a client (mutual TLS)\n"
    "       nwcert set [OPTION]... NAME...      make all three; the names are the server's\n"
    "       nwcert show [--json] FILE...        say what certificates hold\n"
    "       nwcert verify [OPTION]... FILE      say whether a client of libnw would trust a chain\n"
    "\n"
    "NAME is a host name (also *.example.org), an address, or dns:, ip:, email:, uri: and a "
    "value.\n"
    "Written are NAME.pem (the certificate, then the intermediates) and NAME-key.pem, which only\n"
    "its owner may read. Nothing is replaced unless --force is given.\n"
    "\n"
    "Files\n"
    "  -d, --dir FOLDER      write into this folder (default: the current one)\n"
    "  -o, --out NAME        name of the files (default: ca, server or client)\n"
    "      --ca FILE         issue from this CA (default: ca.pem in the folder)\n"
    "      --ca-key FILE     its key (default: as --ca, ending in -key.pem)\n"
    "      --p12 FILE        also a NAME.p12; its password is the first line of FILE, - is input\n"
    "  -f, --force           replace files that are there\n"
    "\n"
    "The certificate\n"
    "  -k, --key KIND        p256 (default), p384, p521, ed25519, rsa2048, rsa3072, rsa4096\n"
    "      --days N          valid from now for N days (default: 397; a CA 3650)\n"
    "      --from DATE, --until DATE   2026-11-25 or 2026-11-25T08:00:00Z\n"
    "      --expired         valid until a day ago\n"
    "      --san NAME        one name more in the Subject Alternative Name\n"
    "      --no-san          none at all: what a client must refuse\n"
    "      --cn TEXT         the Common Name (default: the first name)\n"
    "      --path-length N   of a CA: how many CAs may stand below it\n"
    "\n"
    "Verify\n"
    "      --ca FILE         trust these CAs instead of the system's\n"
    "      --host NAME       the name that the peer must hold\n"
    "      --client          the peer is a client\n"
    "      --at DATE         judge by this time\n"
    "\n"
    "      --json            tell as one JSON object a certificate\n"
    "  -h, --help; --version\n"
    "\n"
    "Exit status: 0 done or trusted, 1 not trusted, or a file could not be made, read or written,\n"
    "2 wrong use.\n"
    "\n"
    "Try: nwcert set --dir certs localhost 127.0.0.1 ::1\n";

void nwcert_print_help(void) {
    fputs(text, stdout);
}
