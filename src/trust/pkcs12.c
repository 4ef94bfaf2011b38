/*
 * pkcs12.c - the key and the certificates of a PKCS #12 store.
 * What:   every bag is opened here, one by one, instead of by GnuTLS's one call, so that what its
 *         password costs is known before it is paid.
 * Source: RFC 7292 sections 4 and 5. An empty password is written in two ways (appendix B.1 and
 *         what programs do), so both are tried.
 * Runs:   the thread of the public call.
 */
#include "trust/reading.h"
#include <gnutls/pkcs12.h>
#include <stdio.h>
#include <string.h>

struct opening {
    struct nwi_reading *reading;
    const char *place;
    const char *password; /* what the store turned out to take */
    enum nwi_reading_wish wish;
};

/* --- the seal over the whole --- */

static bool is_empty(const char *password) {
    return password == NULL || password[0] == '\0';
}

static bool check_seal(struct opening *o, gnutls_pkcs12_t store) {
    unsigned kind, salt_size = 0, rounds = 0;
    char *oid = NULL;
    o->password = o->reading->password;
    int result = gnutls_pkcs12_mac_info(store, &kind, NULL, &salt_size, &rounds, &oid);
    bool sealed = result >= 0 || oid != NULL;
    gnutls_free(oid);
    if (!sealed)
        return true; /* the bags will show whether the password is right */
    if (result < 0)
        return nwi_reading_fail(o->reading, "%s: sealed in a way that is not supported", o->place);
    if (!nwi_reading_spend(o->reading, o->place, rounds))
        return false;
    result = gnutls_pkcs12_verify_mac(store, o->password);
    if (result < 0 && is_empty(o->password)) {
        const char *other = o->password == NULL ? "" : NULL;
        if (!nwi_reading_spend(o->reading, o->place, rounds))
            return false;
        if (gnutls_pkcs12_verify_mac(store, other) >= 0) {
            o->password = other;
            return true;
        }
    }
    if (result >= 0)
        return true;
    if (result != GNUTLS_E_MAC_VERIFY_FAILED)
        return nwi_reading_fault(o->reading, o->place, result);
    return nwi_reading_fail(o->reading,
                            is_empty(o->password) ? "%s: sealed with a password, and none is given"
                                                  : "%s: wrong password, or damaged",
                            o->place);
}

/* --- bags --- */

static bool decrypt(struct opening *o, gnutls_pkcs12_bag_t bag) {
    unsigned scheme, cipher, salt_size = 0, rounds = 0;
    char *oid = NULL;
    int result = gnutls_pkcs12_bag_enc_info(bag, &scheme, &cipher, NULL, &salt_size, &rounds, &oid);
    bool sound = result >= 0 ? nwi_reading_spend(o->reading, o->place, rounds)
                             : nwi_reading_fail(o->reading,
                                                "%s: encrypted in a way that is not supported (%s)",
                                                o->place, oid != NULL ? oid : "no name");
    gnutls_free(oid);
    if (!sound)
        return false;
    result = gnutls_pkcs12_bag_decrypt(bag, o->password);
    if (result >= 0)
        return true;
    return result == GNUTLS_E_MEMORY_ERROR
               ? nwi_reading_fault(o->reading, o->place, result)
               : nwi_reading_fail(o->reading, "%s: wrong password, or damaged", o->place);
}

/* A key in a store may have the store's password once more around it. */
static bool take_key(struct opening *o, const gnutls_datum_t *data) {
    const char *given = o->reading->password;
    o->reading->password = o->password != NULL ? o->password : "";
    bool taken = nwi_reading_add_key(o->reading, o->place, data, NULL);
    o->reading->password = given;
    return taken;
}

static bool take_element(struct opening *o, gnutls_pkcs12_bag_t bag, unsigned index) {
    gnutls_datum_t data = {0}; /* lent by the bag */
    int kind = gnutls_pkcs12_bag_get_type(bag, index);
    bool is_key = kind == GNUTLS_BAG_PKCS8_KEY || kind == GNUTLS_BAG_PKCS8_ENCRYPTED_KEY;
    bool taken = true;
    if (gnutls_pkcs12_bag_get_data(bag, index, &data) < 0)
        return true;
    if (is_key && (o->wish & NWI_READ_KEY))
        taken = take_key(o, &data);
    else if (kind == GNUTLS_BAG_CERTIFICATE && (o->wish & NWI_READ_CERTIFICATES))
        taken = nwi_reading_add_certificate(o->reading, o->place, &data);
    if (is_key)
        gnutls_memset(data.data, 0, data.size);
    return taken;
}

static bool take_bag(struct opening *o, gnutls_pkcs12_bag_t bag) {
    if (gnutls_pkcs12_bag_get_type(bag, 0) == GNUTLS_BAG_ENCRYPTED && !decrypt(o, bag))
        return false;
    int count = gnutls_pkcs12_bag_get_count(bag);
    for (int i = 0; i < count; i++)
        if (!take_element(o, bag, (unsigned)i))
            return false;
    return true;
}

static bool take_store(struct opening *o, gnutls_pkcs12_t store) {
    if (!check_seal(o, store))
        return false;
    for (int i = 0;; i++) {
        gnutls_pkcs12_bag_t bag;
        int result = gnutls_pkcs12_bag_init(&bag);
        if (result < 0)
            return nwi_reading_fault(o->reading, o->place, result);
        result = gnutls_pkcs12_get_bag(store, i, bag);
        bool taken = result >= 0 && take_bag(o, bag);
        gnutls_pkcs12_bag_deinit(bag);
        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return true; /* that was the last */
        if (result < 0)
            return nwi_reading_fault(o->reading, o->place, result);
        if (!taken)
            return false;
    }
}

bool nwi_reading_take_pkcs12(struct nwi_reading *reading, const char *place,
                             const gnutls_datum_t *data, enum nwi_reading_wish wish) {
    char inside[NWI_READING_PLACE_MAX];
    struct opening o = {.reading = reading, .place = inside, .wish = wish};
    gnutls_pkcs12_t store;
    snprintf(inside, sizeof inside, "%.200s (PKCS #12)", place);
    int result = gnutls_pkcs12_init(&store);
    if (result < 0)
        return nwi_reading_fault(reading, inside, result);
    result = gnutls_pkcs12_import(store, data, GNUTLS_X509_FMT_DER, 0);
    bool taken = result >= 0 ? take_store(&o, store) : nwi_reading_fault(reading, inside, result);
    gnutls_pkcs12_deinit(store);
    return taken;
}
