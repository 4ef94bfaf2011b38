/*
 * hello.h - a ClientHello as GnuTLS really sends it, taken apart.
 */
#ifndef TEST_TLS_HELLO_H
#define TEST_TLS_HELLO_H

#include "model/sec_options.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HELLO_MOST = 128 };

struct hello {
    uint16_t suites[HELLO_MOST], groups[HELLO_MOST], signatures[HELLO_MOST], versions[HELLO_MOST];
    size_t suite_count, group_count, signature_count, version_count;
    bool has_ticket, has_renegotiation_info, has_psk, has_dhe_psk_mode, has_cookie;
    uint16_t legacy_version;
};

/* What a client with this priority string and credentials for certificates and, if `psk`, for a
 * pre-shared key sends first. */
void hello_of(const char *priority, bool is_datagram, bool psk, struct hello *ret);
/* The same for a set of options, on a processor with or without AES; 0 or the error. */
int64_t hello_for(sec_protocol_options_t options, bool is_datagram, bool aes, struct hello *ret);

bool hello_offers(const struct hello *hello, uint16_t suite);
/* Where the suite stands; suite_count when it is not there. */
size_t hello_place(const struct hello *hello, uint16_t suite);
bool hello_lists(const uint16_t *list, size_t count, uint16_t value);

#endif
