/*
 * token.c - keys that stay in a token, and the certificates beside them.
 * What:   what a PKCS #11 URL fits, through GnuTLS and the modules that p11-kit knows.
 * Source: RFC 7512: path attributes name the token and the object, "object", "id" and "type" the
 *         latter.
 * Runs:   the thread of the public call; a module may block.
 */
#include "base/alloc.h"
#include "trust/reading.h"
#include <gnutls/pkcs11.h>
#include <stdio.h>
#include <string.h>

static const char scheme[] = "pkcs11:";

bool nwi_reading_is_url(const char *path) {
    return strncmp(path, scheme, sizeof scheme - 1) == 0;
}

/* The URL for reasons: what follows "?" may hold the PIN. */
static void name_url(const char *url, char place[NWI_READING_PLACE_MAX]) {
    snprintf(place, NWI_READING_PLACE_MAX, "%.*s", (int)strcspn(url, "?"), url);
}

static bool refuse(struct nwi_reading *reading, const char *place, int result) {
    if (result == GNUTLS_E_PKCS11_PIN_ERROR || result == GNUTLS_E_PKCS11_USER_ERROR)
        return nwi_reading_fail(reading, "%s: %s", place,
                                reading->password == NULL ? "no PIN is given" : "wrong PIN");
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
        result == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE)
        return nwi_reading_fail(reading, "%s: no such object in any token", place);
    return nwi_reading_fault(reading, place, result);
}

bool nwi_reading_take_token_key(struct nwi_reading *reading, const char *url) {
    struct nwi_identity_key *key = &reading->key;
    name_url(url, reading->key_place);
    key->url = nwi_strdup(url);
    key->pin = nwi_strdup(reading->password);
    if (key->url == NULL || (reading->password != NULL && key->pin == NULL))
        return nwi_reading_fault(reading, reading->key_place, GNUTLS_E_MEMORY_ERROR);
    int result = gnutls_privkey_init(&key->key);
    if (result < 0)
        return nwi_reading_fault(reading, reading->key_place, result);
    gnutls_privkey_set_pin_function(key->key, nwi_identity_give_pin, key->pin);
    result = gnutls_privkey_import_url(key->key, url, 0);
    return result >= 0 || refuse(reading, reading->key_place, result);
}

/* --- certificates --- */

static bool names_object(const char *attribute, size_t length) {
    static const char *const names[] = {"object=", "id=", "type=", "object-type="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (length >= strlen(names[i]) && strncmp(attribute, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* The URL of all certificates of the token that `url` names. The caller frees it; NULL: memory. */
static char *widen(const char *url) {
    static const char certificates[] = "type=cert";
    const char *at = url + sizeof scheme - 1, *query = url + strcspn(url, "?");
    char *wide = nwi_alloc(strlen(url) + sizeof certificates + 1), *end = wide;
    if (wide == NULL)
        return NULL;
    end = stpcpy(end, scheme);
    while (at < query) {
        size_t length = strcspn(at, ";?");
        if (length > 0 && !names_object(at, length)) {
            end = mempcpy(end, at, length);
            *end++ = ';';
        }
        at += length + (at[length] == ';');
    }
    end = stpcpy(end, certificates);
    strcpy(end, query);
    return wide;
}

static bool take_objects(struct nwi_reading *reading, const char *place,
                         gnutls_pkcs11_obj_t *objects, unsigned count) {
    bool taken = true;
    for (unsigned i = 0; i < count; i++) {
        gnutls_datum_t der = {0};
        if (taken && gnutls_pkcs11_obj_get_type(objects[i]) == GNUTLS_PKCS11_OBJ_X509_CRT) {
            int result = gnutls_pkcs11_obj_export2(objects[i], &der);
            taken = result >= 0 ? nwi_reading_add_certificate(reading, place, &der)
                                : nwi_reading_fault(reading, place, result);
        }
        gnutls_free(der.data);
        gnutls_pkcs11_obj_deinit(objects[i]);
    }
    return taken;
}

bool nwi_reading_take_token_certificates(struct nwi_reading *reading, const char *url,
                                         bool whole_token) {
    char place[NWI_READING_PLACE_MAX];
    gnutls_pkcs11_obj_t *objects = NULL;
    unsigned count = 0;
    name_url(url, place);
    char *wide = whole_token ? widen(url) : nwi_strdup(url);
    if (wide == NULL)
        return nwi_reading_fault(reading, place, GNUTLS_E_MEMORY_ERROR);
    int result =
        gnutls_pkcs11_obj_list_import_url4(&objects, &count, wide, GNUTLS_PKCS11_OBJ_FLAG_CRT);
    gnutls_memset(wide, 0, strlen(wide));
    nwi_free(wide);
    if (result < 0)
        return refuse(reading, place, result);
    reading->quiet = reading->quiet || whole_token;
    bool taken = take_objects(reading, place, objects, count);
    gnutls_free(objects);
    return taken;
}
