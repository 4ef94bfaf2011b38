/*
 * sct.c - see sct.h.
 * Source: RFC 6962 section 3.3 (SignedCertificateTimestampList), RFC 6960 section 4.2.1.
 * Runs:   any thread.
 */
#include "trust/sct.h"
#include "trust/der.h"
#include <string.h>

enum { OCTET_STRING = 0x04, OID = 0x06, EXPLICIT_0 = 0xa0, EXPLICIT_1 = 0xa1 };

/* --- the list --- */

/* Takes a vector with two octets of length off `rest`; not an empty one. */
static bool take_vector(gnutls_datum_t *rest, gnutls_datum_t *ret_vector) {
    enum { LENGTH_SIZE = 2 };
    if (rest->size < LENGTH_SIZE)
        return false;
    unsigned length = (unsigned)(rest->data[0] << 8 | rest->data[1]);
    if (length == 0 || length > rest->size - LENGTH_SIZE)
        return false;
    *ret_vector = (gnutls_datum_t){.data = rest->data + LENGTH_SIZE, .size = length};
    *rest = (gnutls_datum_t){.data = ret_vector->data + length,
                             .size = rest->size - LENGTH_SIZE - length};
    return true;
}

bool nwi_scts_of_list(const gnutls_datum_t *list, void *context, nwi_sct_visit *visit) {
    gnutls_datum_t rest = *list, all, timestamp;
    if (!take_vector(&rest, &all) || rest.size != 0)
        return false;
    for (rest = all; rest.size > 0;)
        if (!take_vector(&rest, &timestamp))
            return false;
    while (take_vector(&all, &timestamp))
        if (!visit(context, timestamp.data, timestamp.size))
            return false;
    return true;
}

/* The extension's value is an OCTET STRING again, which holds the list. */
static bool visit_value(const gnutls_datum_t *value, void *context, nwi_sct_visit *visit) {
    gnutls_datum_t rest = *value;
    struct nwi_der string;
    return nwi_der_take(&rest, &string) && string.tag == OCTET_STRING && rest.size == 0 &&
           nwi_scts_of_list(&string.content, context, visit);
}

bool nwi_certificate_scts(sec_certificate_t certificate, void *context, nwi_sct_visit *visit) {
    gnutls_datum_t value = {0};
    if (gnutls_x509_crt_get_extension_by_oid2(certificate->crt, "1.3.6.1.4.1.11129.2.4.2", 0,
                                              &value, NULL) < 0)
        return true;
    bool good = visit_value(&value, context, visit);
    gnutls_free(value.data);
    return good;
}

/* --- the stapled response --- */

/* Takes the next element if it has this tag. */
static bool take_tag(gnutls_datum_t *rest, unsigned char tag, struct nwi_der *ret_element) {
    return rest->size > 0 && rest->data[0] == tag && nwi_der_take(rest, ret_element);
}

static bool skip(gnutls_datum_t *rest) {
    struct nwi_der skipped;
    return nwi_der_take(rest, &skipped);
}

/* Goes into the next element, which must have this tag; what stands behind it is let be. */
static bool enter(gnutls_datum_t *at, unsigned char tag) {
    struct nwi_der element;
    if (!take_tag(at, tag, &element))
        return false;
    *at = element.content;
    return true;
}

/* From an OCSPResponse down to the SingleResponses of its tbsResponseData. */
static bool find_singles(const gnutls_datum_t *response, gnutls_datum_t *ret_singles) {
    gnutls_datum_t at = *response;
    struct nwi_der version;
    if (!enter(&at, NWI_DER_SEQUENCE) || !skip(&at) || !enter(&at, EXPLICIT_0) ||
        !enter(&at, NWI_DER_SEQUENCE) || !skip(&at) || !enter(&at, OCTET_STRING) ||
        !enter(&at, NWI_DER_SEQUENCE) || !enter(&at, NWI_DER_SEQUENCE))
        return false;
    take_tag(&at, EXPLICIT_0, &version); /* when it is not the first */
    *ret_singles = at;
    /* responderID, producedAt */
    return skip(ret_singles) && skip(ret_singles) && enter(ret_singles, NWI_DER_SEQUENCE);
}

/* The singleExtensions of one status, empty when there are none. */
static bool find_extensions(gnutls_datum_t single, gnutls_datum_t *ret_extensions) {
    struct nwi_der until;
    *ret_extensions = (gnutls_datum_t){0};
    if (!skip(&single) || !skip(&single) || !skip(&single))
        return false; /* certID, certStatus, thisUpdate */
    take_tag(&single, EXPLICIT_0, &until);
    if (single.size == 0)
        return true;
    *ret_extensions = single;
    return enter(ret_extensions, EXPLICIT_1) && enter(ret_extensions, NWI_DER_SEQUENCE);
}

static bool visit_extensions(gnutls_datum_t extensions, void *context, nwi_sct_visit *visit) {
    /* 1.3.6.1.4.1.11129.2.4.5 */
    static const unsigned char oid[] = {0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 5};
    struct nwi_der extension, at;
    while (extensions.size > 0) {
        if (!take_tag(&extensions, NWI_DER_SEQUENCE, &extension) ||
            !take_tag(&extension.content, OID, &at))
            return false;
        bool ours = at.content.size == sizeof oid && memcmp(at.content.data, oid, sizeof oid) == 0;
        while (extension.content.size > 0 && extension.content.data[0] != OCTET_STRING)
            if (!skip(&extension.content)) /* whether it is critical */
                return false;
        if (!take_tag(&extension.content, OCTET_STRING, &at) ||
            (ours && !visit_value(&at.content, context, visit)))
            return false;
    }
    return true;
}

bool nwi_scts_of_staple(const gnutls_datum_t *response, void *context, nwi_sct_visit *visit) {
    gnutls_datum_t singles, extensions;
    struct nwi_der single;
    if (!find_singles(response, &singles))
        return false;
    while (singles.size > 0)
        if (!take_tag(&singles, NWI_DER_SEQUENCE, &single) ||
            !find_extensions(single.content, &extensions) ||
            !visit_extensions(extensions, context, visit))
            return false;
    return true;
}
