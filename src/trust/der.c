/*
 * der.c - see der.h.
 */
#include "trust/der.h"

bool nwi_der_take(gnutls_datum_t *rest, struct nwi_der *ret_element) {
    enum { LENGTH_OCTETS_MAX = 3, LONG_FORM = 0x80 };
    size_t header = 2, length;
    if (rest->size < header || (rest->data[0] & 0x1f) == 0x1f) /* a tag of several octets */
        return false;
    length = rest->data[1];
    if (length & LONG_FORM) {
        size_t octets = length & 0x7f;
        if (octets == 0 || octets > LENGTH_OCTETS_MAX || header + octets > rest->size)
            return false;
        length = 0;
        for (size_t i = 0; i < octets; i++)
            length = length << 8 | rest->data[header + i];
        header += octets;
    }
    if (length > rest->size - header)
        return false;
    size_t size = header + length;
    *ret_element =
        (struct nwi_der){.tag = rest->data[0],
                         .whole = {.data = rest->data, .size = (unsigned)size},
                         .content = {.data = rest->data + header, .size = (unsigned)length}};
    *rest = (gnutls_datum_t){.data = rest->data + size, .size = rest->size - (unsigned)size};
    return true;
}
