/*
 * identity.c - see identity.h: the object, what it shows, and how a handshake gets it.
 * Runs:   any thread.
 */
#include "trust/identity.h"
#include "base/alloc.h"
#include "base/callback.h"
#include "base/log.h"
#include "dispatch/data.h"
#include <Security/identity.h>
#include <string.h>

/* --- the object --- */

static void wipe(char *secret) {
    if (secret != NULL)
        gnutls_memset(secret, 0, strlen(secret));
    nwi_free(secret);
}

void nwi_identity_key_clear(struct nwi_identity_key *key) {
    if (key->key != NULL)
        gnutls_privkey_deinit(key->key);
    wipe(key->url); /* it may hold a pin-value */
    wipe(key->pin);
    *key = (struct nwi_identity_key){0};
}

static void destroy(void *object) {
    sec_identity_t identity = object;
    struct nwi_identity_key key = {
        .key = identity->key, .url = identity->url, .pin = identity->pin};
    for (size_t i = 0; i < identity->count; i++) {
        gnutls_pcert_deinit(&identity->shown[i]);
        nwi_release(identity->chain[i]);
    }
    nwi_free(identity->shown);
    nwi_free(identity->chain);
    nwi_identity_key_clear(&key);
}

/* The same certificates and so the same key, whether or not they were read from the same place. */
static bool equal(const void *one, const void *other) {
    const struct sec_identity *a = one, *b = other;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!nwi_certificate_equal(a->chain[i], b->chain[i]))
            return false;
    return true;
}

static const struct nwi_type identity_type = {
    .name = "sec_identity",
    .size = sizeof(struct sec_identity),
    .destroy = destroy,
    .equal = equal,
};

sec_identity_t nwi_identity_create(const sec_certificate_t *chain, size_t count,
                                   struct nwi_identity_key *key) {
    sec_identity_t identity = nwi_object_create(&identity_type, 0);
    if (identity == NULL) {
        nwi_identity_key_clear(key);
        return NULL;
    }
    identity->key = nwi_take(&key->key);
    identity->url = nwi_take(&key->url);
    identity->pin = nwi_take(&key->pin);
    identity->chain = nwi_alloc(count * sizeof identity->chain[0]);
    identity->shown = nwi_alloc(count * sizeof identity->shown[0]);
    if (identity->chain == NULL || identity->shown == NULL)
        return nwi_release(identity);
    for (; identity->count < count; identity->count++) {
        sec_certificate_t certificate = chain[identity->count];
        if (gnutls_pcert_import_x509(&identity->shown[identity->count], certificate->crt, 0) < 0)
            return nwi_release(identity);
        identity->chain[identity->count] = nwi_retain(certificate);
    }
    return identity;
}

/* --- keys --- */

int nwi_identity_give_pin(void *userdata, int attempt, const char *token_url,
                          const char *token_label, unsigned flags, char *pin, size_t pin_max) {
    (void)token_url, (void)token_label;
    /* A wrong one is not tried again: tokens lock themselves after a few. */
    if (userdata == NULL || attempt > 0 || (flags & GNUTLS_PIN_WRONG) != 0 ||
        strlen(userdata) >= pin_max)
        return GNUTLS_E_PKCS11_PIN_ERROR;
    strcpy(pin, userdata);
    return 0;
}

int nwi_identity_copy_key(sec_identity_t identity, gnutls_privkey_t *ret_key) {
    gnutls_privkey_t copy;
    gnutls_x509_privkey_t inner = NULL;
    int result = gnutls_privkey_init(&copy);
    if (result < 0)
        return result;
    if (identity->url != NULL) {
        gnutls_privkey_set_pin_function(copy, nwi_identity_give_pin, identity->pin);
        result = gnutls_privkey_import_url(copy, identity->url, 0);
    } else {
        result = gnutls_privkey_export_x509(identity->key, &inner);
        if (result >= 0)
            result = gnutls_privkey_import_x509(copy, inner, GNUTLS_PRIVKEY_IMPORT_COPY);
        if (inner != NULL)
            gnutls_x509_privkey_deinit(inner);
    }
    if (result < 0)
        gnutls_privkey_deinit(copy);
    else
        *ret_key = copy;
    return result < 0 ? result : 0;
}

/* What the credentials take of the list becomes theirs; the array itself does not. */
int nwi_identity_attach(sec_identity_t identity, gnutls_certificate_credentials_t credentials) {
    gnutls_pcert_st list[NWI_IDENTITY_CHAIN_MAX];
    gnutls_privkey_t key;
    unsigned count = 0;
    int result = nwi_identity_copy_key(identity, &key);
    if (result < 0)
        return result;
    while (result >= 0 && count < identity->count)
        if ((result = gnutls_pcert_import_x509(&list[count], identity->chain[count]->crt, 0)) >= 0)
            count++;
    if (result >= 0)
        result = gnutls_certificate_set_key(credentials, NULL, 0, list, (int)count, key);
    if (result >= 0)
        return 0;
    while (count > 0)
        gnutls_pcert_deinit(&list[--count]);
    gnutls_privkey_deinit(key);
    return result;
}

/* --- public --- */

SEC_EXPORT size_t sec_identity_get_certificate_count(sec_identity_t identity) {
    return identity != NULL ? identity->count : 0;
}

SEC_EXPORT sec_certificate_t sec_identity_copy_certificate(sec_identity_t identity, size_t index) {
    if (identity == NULL || index >= identity->count)
        return NULL;
    return nwi_retain(identity->chain[index]);
}

SEC_EXPORT dispatch_data_t sec_identity_copy_certificates_data(sec_identity_t identity) {
    unsigned char *end;
    void *bytes;
    size_t size = 0;
    if (identity == NULL)
        return NULL;
    for (size_t i = 0; i < identity->count; i++)
        size += identity->chain[i]->der.size;
    dispatch_data_t data = nwi_data_create_buffer(size, &bytes);
    if (data == NULL)
        return NULL;
    end = bytes;
    for (size_t i = 0; i < identity->count; i++) {
        memcpy(end, identity->chain[i]->der.data, identity->chain[i]->der.size);
        end += identity->chain[i]->der.size;
    }
    return nwi_data_trim(data, size);
}

static bool access_certificates(sec_identity_t identity, struct nwi_callback callback,
                                const char *function) {
    if (!nwi_callback_can_walk(identity, callback, function))
        return false;
    sec_identity_t held = nwi_retain(identity); /* the handler may give up the last reference */
    for (size_t i = 0; i < held->count; i++)
        NWI_CALL(callback, void, (sec_certificate_t), held->chain[i]);
    nwi_release(held);
    return true;
}

SEC_EXPORT bool sec_identity_access_certificates_f(sec_identity_t identity, void *context,
                                                   sec_identity_certificate_f handler) {
    return access_certificates(identity, nwi_callback_f(context, (nwi_fn)handler), __func__);
}

SEC_EXPORT bool sec_identity_access_certificates(sec_identity_t identity, const void *handler) {
    return access_certificates(identity, nwi_callback_block_noescape(handler), __func__);
}
