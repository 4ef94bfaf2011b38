/*
 * fragments.c - see fragments.h. What it cannot read it leaves to GnuTLS, which drops it.
 */
#include "protocol/tls/fragments.h"
#include "protocol/tls/octets.h"
#include <string.h>

enum {
    HANDSHAKE = 22,
    SERVER_HELLO = 2,
    HELLO_VERIFY_REQUEST = 3,
    RECORD_HEADER = 13,
    MESSAGE_HEADER = 12, /* type, length, number, offset, length of this piece */
    SHORT_HEADER = 4,    /* type, length */
};

/* One piece of a message. */
struct piece {
    const unsigned char *header;
    size_t length, offset; /* of the whole message; where this piece begins */
    uint16_t number;
    struct octets body;
};

static size_t number_24(const unsigned char *at) {
    return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
}

static bool take_piece(struct octets *record, struct piece *ret_piece) {
    const unsigned char *header = record->at;
    if (!octets_skip(record, MESSAGE_HEADER))
        return false;
    *ret_piece = (struct piece){.header = header,
                                .length = number_24(header + 1),
                                .number = (uint16_t)(header[4] << 8 | header[5]),
                                .offset = number_24(header + 6),
                                .body = {record->at, number_24(header + 9)}};
    return octets_skip(record, ret_piece->body.size) &&
           ret_piece->offset + ret_piece->body.size <= ret_piece->length;
}

static void append(unsigned char **at, const void *octets, size_t size) {
    memcpy(*at, octets, size);
    *at += size;
}

/* False: it is ahead of its turn. */
static bool feed(struct nwi_dtls_fragments *fragments, const struct piece *piece,
                 unsigned char **at) {
    if (piece->header[0] == HELLO_VERIFY_REQUEST)
        return true; /* no part of the flight */
    if (!fragments->begun && piece->header[0] != SERVER_HELLO)
        return false;
    if (!fragments->begun)
        fragments->next = piece->number;
    fragments->begun = true;
    int16_t ahead = (int16_t)(piece->number - fragments->next); /* numbers turn over */
    if (ahead < 0)
        return true;
    if (ahead > 0 || piece->offset > fragments->fed)
        return false;
    if (fragments->headed && piece->length != fragments->length)
        return true; /* no piece of this message */
    if (!fragments->headed)
        append(at, piece->header, SHORT_HEADER);
    fragments->headed = true;
    fragments->length = piece->length;
    size_t end = piece->offset + piece->body.size;
    if (end > fragments->fed) {
        append(at, piece->body.at + (fragments->fed - piece->offset), end - fragments->fed);
        fragments->fed = end;
    }
    if (fragments->fed == piece->length) {
        fragments->next++;
        fragments->fed = 0;
        fragments->headed = false;
    }
    return true;
}

bool nwi_dtls_fragments_order(struct nwi_dtls_fragments *fragments, const unsigned char *datagram,
                              size_t size, unsigned char *record, size_t *ret_size) {
    struct octets rest = {datagram, size};
    unsigned char *at = record + NWI_DTLS_FRAGMENTS_MORE;
    bool in_order = true;
    while (in_order && rest.size > RECORD_HEADER) {
        const unsigned char *header = rest.at;
        struct octets body = {header + RECORD_HEADER, (size_t)header[11] << 8 | header[12]};
        if (!octets_skip(&rest, RECORD_HEADER) || !octets_skip(&rest, body.size))
            break;
        struct piece piece;
        bool encrypted = header[3] != 0 || header[4] != 0; /* a later epoch */
        while (in_order && header[0] == HANDSHAKE && !encrypted && take_piece(&body, &piece))
            in_order = feed(fragments, &piece, &at);
    }
    size_t fed = (size_t)(at - record) - NWI_DTLS_FRAGMENTS_MORE;
    memcpy(record,
           (unsigned char[]){HANDSHAKE, 3, 3, (unsigned char)(fed >> 8), (unsigned char)fed},
           NWI_DTLS_FRAGMENTS_MORE);
    *ret_size = fed > 0 ? fed + NWI_DTLS_FRAGMENTS_MORE : 0;
    return in_order;
}
