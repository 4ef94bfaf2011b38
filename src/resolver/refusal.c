/*
 * refusal.c - see refusal.h.
 * Source: RFC 1035 sections 4.1.1 (RCODE) and 4.1.2 (question).
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "resolver/refusal.h"
#define CARES_NO_DEPRECATED /* later c-ares (1.28 on) renames what 1.18 has; both work */
#include <ares.h>
#include <stdint.h>
#include <string.h>

enum { HEADER_SIZE = 12, QR = 0x80 /* in octet 2: a response */, TYPE_AND_CLASS = 4 };

static int status_of(unsigned rcode) {
    switch (rcode) {
    case 2:
        return ARES_ESERVFAIL;
    case 4:
        return ARES_ENOTIMP;
    case 5:
        return ARES_EREFUSED;
    default:
        return ARES_SUCCESS;
    }
}

bool nwi_refusal_read(const unsigned char *message, size_t size, struct nwi_refusal *ret_refusal) {
    if (size < HEADER_SIZE || size > UINT16_MAX || !(message[2] & QR) ||
        (message[4] << 8 | message[5]) != 1)
        return false;
    int status = status_of(message[3] & 0x0f);
    char *name;
    long length;
    if (status == ARES_SUCCESS ||
        ares_expand_name(message + HEADER_SIZE, message, (int)size, &name, &length) != ARES_SUCCESS)
        return false;
    size_t end = HEADER_SIZE + (size_t)length, text = strlen(name);
    bool fits = end + TYPE_AND_CLASS <= size && text < sizeof ret_refusal->name;
    if (fits) {
        memcpy(ret_refusal->name, name, text + 1);
        ret_refusal->type = message[end] << 8 | message[end + 1];
        ret_refusal->status = status;
    }
    ares_free_string(name);
    return fits;
}
