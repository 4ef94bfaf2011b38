/*
 * pkcs12.c - see pkcs12.h.
 * Source: RFC 7292. Key and certificates are encrypted by PBES2 with AES-256, the whole is
 *         authenticated by SHA-256: what OpenSSL 3 and GnuTLS take without their legacy parts.
 */
#include "pkcs12.h"
#include <errno.h>
#include <gnutls/pkcs12.h>
#include <stdio.h>
#include <string.h>

enum { PASSWORD_MAX = 256 };

static bool read_password(const char *path, char password[PASSWORD_MAX]) {
    bool input = strcmp(path, "-") == 0;
    FILE *file = input ? stdin : fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "nwcert: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool read = fgets(password, PASSWORD_MAX, file) != NULL;
    bool whole = read && (strchr(password, '\n') != NULL || feof(file));
    if (!input)
        fclose(file);
    if (read)
        password[strcspn(password, "\r\n")] = '\0';
    if (!read || !whole || password[0] == '\0') {
        fprintf(stderr, "nwcert: %s: the first line is no password of 1 to %d octets\n", path,
                PASSWORD_MAX - 2);
        return false;
    }
    return true;
}

/* A bag takes what was put into it as it is: names and ids come after. */
static int add_bag(gnutls_pkcs12_t store, gnutls_pkcs12_bag_t bag, int index, const char *name,
                   const gnutls_datum_t *id, const char *password) {
    int result = index;
    if (result >= 0 && name != NULL)
        result = gnutls_pkcs12_bag_set_friendly_name(bag, index, name);
    if (result >= 0 && id != NULL)
        result = gnutls_pkcs12_bag_set_key_id(bag, index, id);
    if (result >= 0 && password != NULL)
        result = gnutls_pkcs12_bag_encrypt(bag, password, GNUTLS_PKCS_PBES2_AES_256);
    return result >= 0 ? gnutls_pkcs12_set_bag(store, bag) : result;
}

static int add_certificates(gnutls_pkcs12_t store, const struct nwcert_identity *identity,
                            const char *name, const gnutls_datum_t *id, const char *password) {
    gnutls_pkcs12_bag_t bag;
    int result = gnutls_pkcs12_bag_init(&bag);
    if (result < 0)
        return result;
    int first = gnutls_pkcs12_bag_set_crt(bag, identity->chain[0]);
    for (unsigned i = 1; i < identity->count && first >= 0; i++)
        if ((result = gnutls_pkcs12_bag_set_crt(bag, identity->chain[i])) < 0)
            first = result;
    result = add_bag(store, bag, first, name, id, password);
    gnutls_pkcs12_bag_deinit(bag);
    return result;
}

static int add_key(gnutls_pkcs12_t store, const struct nwcert_identity *identity, const char *name,
                   const gnutls_datum_t *id, const char *password) {
    gnutls_pkcs12_bag_t bag;
    gnutls_datum_t key = {0};
    int result = gnutls_pkcs12_bag_init(&bag);
    if (result < 0)
        return result;
    result = gnutls_x509_privkey_export2_pkcs8(identity->key, GNUTLS_X509_FMT_DER, password,
                                               GNUTLS_PKCS_PBES2_AES_256, &key);
    if (result >= 0)
        result = gnutls_pkcs12_bag_set_data(bag, GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, &key);
    result = add_bag(store, bag, result, name, id, NULL); /* the key is encrypted itself */
    gnutls_free(key.data);
    gnutls_pkcs12_bag_deinit(bag);
    return result;
}

static int fill(gnutls_pkcs12_t store, const char *name, const char *password,
                const struct nwcert_identity *identity, gnutls_datum_t *ret_content) {
    unsigned char id_octets[64];
    size_t size = sizeof id_octets;
    int result = gnutls_x509_crt_get_key_id(identity->chain[0], 0, id_octets, &size);
    gnutls_datum_t id = {.data = id_octets, .size = (unsigned)size};
    if (result >= 0)
        result = add_certificates(store, identity, name, &id, password);
    if (result >= 0)
        result = add_key(store, identity, name, &id, password);
    if (result >= 0)
        result = gnutls_pkcs12_generate_mac2(store, GNUTLS_MAC_SHA256, password);
    return result >= 0 ? gnutls_pkcs12_export2(store, GNUTLS_X509_FMT_DER, ret_content) : result;
}

bool nwcert_pkcs12(const char *password_file, const char *friendly_name,
                   const struct nwcert_identity *identity, gnutls_datum_t *ret_content) {
    char password[PASSWORD_MAX];
    gnutls_pkcs12_t store = NULL;
    if (!read_password(password_file, password))
        return false;
    int result = gnutls_pkcs12_init(&store);
    if (result >= 0)
        result = fill(store, friendly_name, password, identity, ret_content);
    if (store != NULL)
        gnutls_pkcs12_deinit(store);
    gnutls_memset(password, 0, sizeof password);
    if (result < 0)
        fprintf(stderr, "nwcert: PKCS#12: %s\n", gnutls_strerror(result));
    return result >= 0;
}
