/*
 * hosts.h - the hosts file: names with addresses that need no server.
 * What:   a sorted table read from the bytes of the file, and reading the file itself.
 * Source: hosts(5).
 * Runs:   any thread; a table never changes.
 */
#ifndef NWI_RESOLVER_HOSTS_H
#define NWI_RESOLVER_HOSTS_H

#include "resolver/answer.h"
#include <stddef.h>

struct nwi_hosts;

enum {
    NWI_NAME_SIZE = 256,           /* a host name as text with its end: RFC 1035 section 2.3.4 */
    NWI_HOSTS_FILE_MAX = 16 << 20, /* octets; the rest of a longer file is not read */
};

/* Lower case, no dot at the end, into `ret` (NWI_NAME_SIZE octets). False when it is empty, too
 * long, or has a control character or space in it. */
bool nwi_name_normalize(const char *name, size_t length, char *ret);

/* Reads the text; lines that make no sense are skipped. NULL when memory ran out. */
struct nwi_hosts *nwi_hosts_parse(const char *text, size_t size);
/* An absent or unreadable file gives an empty table. NULL when memory ran out. */
struct nwi_hosts *nwi_hosts_load(const char *path);
void *nwi_hosts_free(struct nwi_hosts *hosts); /* returns NULL */
/* Copies the addresses of a normalized name, in the order of the file, both families mixed; returns
 * how many (at most `room`). */
size_t nwi_hosts_find(const struct nwi_hosts *hosts, const char *name,
                      union nwi_inet *ret_addresses, size_t room);

#endif
