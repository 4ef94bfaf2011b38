/*
 * test_identity.c - identities from PEM, DER, encrypted keys and stores; what is refused, and why.
 */
#include "fake/made_identity.h"
#include "model/sec_options.h"
#include "trust/identity.h"
#include "trust/reading.h"
#include <Security/SecProtocolOptions.h>
#include <Security/identity.h>
#include <Security/trust_evaluation.h>
#include <dispatch/dispatch.h>
#include <gnutls/pkcs12.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KINDS = 3 };
static const gnutls_pk_algorithm_t kinds[KINDS] = {GNUTLS_PK_ECDSA, GNUTLS_PK_EDDSA_ED25519,
                                                   GNUTLS_PK_RSA};
static struct made_identity root, middle, leaves[KINDS], stranger;

static int make_all(void **state) {
    (void)state;
    made_identity_create(&root, GNUTLS_PK_ECDSA, "root", NULL, true);
    made_identity_create(&middle, GNUTLS_PK_ECDSA, "middle", &root, true);
    for (int i = 0; i < KINDS; i++)
        made_identity_create(&leaves[i], kinds[i], "leaf", &middle, false);
    made_identity_create(&stranger, GNUTLS_PK_ECDSA, "stranger", NULL, false);
    return 0;
}

static int free_all(void **state) {
    (void)state;
    made_identity_free(&root);
    made_identity_free(&middle);
    for (int i = 0; i < KINDS; i++)
        made_identity_free(&leaves[i]);
    made_identity_free(&stranger);
    return 0;
}

/* --- texts --- */

struct text {
    char *bytes;
    size_t size;
};

static void add(struct text *text, const gnutls_datum_t *part) {
    text->bytes = realloc(text->bytes, text->size + part->size);
    assert_non_null(text->bytes);
    memcpy(text->bytes + text->size, part->data, part->size);
    text->size += part->size;
}

static gnutls_datum_t words(const char *text) {
    return (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)strlen(text)};
}

static struct text join(const gnutls_datum_t *a, const gnutls_datum_t *b, const gnutls_datum_t *c) {
    struct text text = {0};
    const gnutls_datum_t *parts[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        if (parts[i] != NULL)
            add(&text, parts[i]);
    return text;
}

/* --- checks --- */

static void assert_certificate(sec_identity_t identity, size_t index,
                               const struct made_identity *made) {
    sec_certificate_t certificate = sec_identity_copy_certificate(identity, index);
    assert_non_null(certificate);
    assert_int_equal(certificate->der.size, made->der.size);
    assert_memory_equal(certificate->der.data, made->der.data, made->der.size);
    sec_release(certificate);
}

/* The key signs what the leaf verifies, and credentials take both. */
static void assert_works(sec_identity_t identity) {
    gnutls_certificate_credentials_t credentials;
    assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
    assert_int_equal(nwi_identity_attach(identity, credentials), 0);
    gnutls_certificate_free_credentials(credentials);
}

static void assert_refused(sec_identity_t identity, char *reason, const char *expected) {
    assert_null(identity);
    assert_non_null(reason);
    if (strstr(reason, expected) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", reason, expected);
    assert_null(strchr(reason, '\n'));
    free(reason);
}

/* --- what is read --- */

static void test_pem_in_any_order(void **state) {
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        char *reason = NULL;
        struct text text = join(&root.pem, &leaves[i].pem, &middle.pem);
        sec_identity_t identity = sec_identity_create_with_bytes(
            text.bytes, text.size, leaves[i].key_pem.data, leaves[i].key_pem.size, NULL, &reason);
        assert_null(reason);
        assert_non_null(identity);
        assert_int_equal(sec_identity_get_certificate_count(identity), 3);
        assert_certificate(identity, 0, &leaves[i]);
        assert_certificate(identity, 1, &middle);
        assert_certificate(identity, 2, &root);
        assert_null(sec_identity_copy_certificate(identity, 3));
        assert_works(identity);
        sec_release(identity);
        free(text.bytes);
    }
}

static void test_one_text_of_all(void **state) {
    (void)state;
    char *reason = NULL;
    const gnutls_datum_t prose = words("Certificates of the house\n-----BEGIN nothing\n");
    struct text text = join(&prose, &middle.pem, &leaves[0].key_pem);
    add(&text, &leaves[0].pem);
    sec_identity_t identity =
        sec_identity_create_with_bytes(text.bytes, text.size, NULL, 0, "not needed", &reason);
    assert_non_null(identity);
    assert_int_equal(sec_identity_get_certificate_count(identity), 2);
    assert_certificate(identity, 0, &leaves[0]);
    sec_release(identity);
    free(text.bytes);
}

static void test_der(void **state) {
    (void)state;
    struct text text = join(&middle.der, &leaves[1].der, NULL);
    sec_identity_t identity = sec_identity_create_with_bytes(
        text.bytes, text.size, leaves[1].key_der.data, leaves[1].key_der.size, NULL, NULL);
    assert_non_null(identity);
    assert_int_equal(sec_identity_get_certificate_count(identity), 2);
    dispatch_data_t data = sec_identity_copy_certificates_data(identity);
    assert_int_equal(dispatch_data_get_size(data), text.size);
    size_t count = 0;
    const void *bytes;
    size_t size;
    dispatch_data_t map = dispatch_data_create_map(data, &bytes, &size);
    sec_certificate_t *list = sec_certificates_create_with_bytes(bytes, size, &count, NULL);
    assert_non_null(list);
    assert_int_equal(count, 2);
    assert_true(nwi_certificate_equal(list[0], identity->chain[0]));
    sec_certificates_free(list, count);
    dispatch_release(map);
    dispatch_release(data);
    sec_release(identity);
    free(text.bytes);
}

/* PKCS #1 and SEC 1, as OpenSSL writes them. */
static void test_older_wrappings(void **state) {
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        gnutls_datum_t key;
        if (kinds[i] == GNUTLS_PK_EDDSA_ED25519)
            continue;
        assert_int_equal(gnutls_x509_privkey_export2(leaves[i].key, GNUTLS_X509_FMT_PEM, &key), 0);
        assert_non_null(strstr((char *)key.data, i == 0 ? "BEGIN EC PRIV" : "BEGIN RSA PRIV"));
        sec_identity_t identity = sec_identity_create_with_bytes(
            leaves[i].pem.data, leaves[i].pem.size, key.data, key.size, NULL, NULL);
        assert_non_null(identity);
        sec_release(identity);
        gnutls_free(key.data);
    }
}

/* --- keys under a password --- */

static gnutls_datum_t encrypted_key(const struct made_identity *made, unsigned cipher) {
    gnutls_datum_t key = {0};
    assert_int_equal(
        gnutls_x509_privkey_export2_pkcs8(made->key, GNUTLS_X509_FMT_PEM, "open", cipher, &key), 0);
    return key;
}

static void test_encrypted(void **state) {
    (void)state;
    static const unsigned ciphers[] = {GNUTLS_PKCS_PBES2_AES_256, GNUTLS_PKCS_PKCS12_3DES};
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        gnutls_datum_t key = encrypted_key(&leaves[0], ciphers[i]);
        const gnutls_datum_t *pem = &leaves[0].pem;
        char *reason = NULL;
        sec_identity_t identity = sec_identity_create_with_bytes(pem->data, pem->size, key.data,
                                                                 key.size, "open", &reason);
        assert_non_null(identity);
        assert_works(identity);
        sec_release(identity);
        identity = sec_identity_create_with_bytes(pem->data, pem->size, key.data, key.size, "shut",
                                                  &reason);
        assert_refused(identity, reason,
                       "the key, block 1 (ENCRYPTED PRIVATE KEY): wrong password, or damaged");
        identity =
            sec_identity_create_with_bytes(pem->data, pem->size, key.data, key.size, NULL, &reason);
        assert_refused(identity, reason, "encrypted, and no password is given");
        gnutls_free(key.data);
    }
}

/* What the password would cost is known, and refused, before it is paid. */
static void test_costly_password(void **state) {
    (void)state;
    gnutls_datum_t key = encrypted_key(&leaves[0], GNUTLS_PKCS_PBES2_AES_256);
    struct nwi_reading reading;
    char *reason = NULL;
    nwi_reading_begin(&reading, "x", "x", "open");
    reading.rounds = 100;
    assert_false(nwi_reading_take(&reading, "x", key.data, key.size, NWI_READ_KEY));
    nwi_reading_tell(&reading, "test", &reason);
    assert_refused(NULL, reason, "more than the 100 allowed");
    nwi_reading_end(&reading);
    gnutls_free(key.data);
}

/* --- stores --- */

static void put(gnutls_pkcs12_t store, gnutls_pkcs12_bag_type_t kind, const gnutls_datum_t *content,
                const char *password) {
    gnutls_pkcs12_bag_t bag;
    assert_int_equal(gnutls_pkcs12_bag_init(&bag), 0);
    assert_true(gnutls_pkcs12_bag_set_data(bag, kind, content) >= 0);
    if (password != NULL)
        assert_int_equal(gnutls_pkcs12_bag_encrypt(bag, password, GNUTLS_PKCS_PBES2_AES_256), 0);
    assert_int_equal(gnutls_pkcs12_set_bag(store, bag), 0);
    gnutls_pkcs12_bag_deinit(bag);
}

/* GnuTLS makes every derivation cost much: where it does not matter, only the seal takes one. */
static gnutls_datum_t make_store(const char *password, bool encrypted, bool with_key) {
    gnutls_pkcs12_t store;
    gnutls_datum_t key = {0}, content = {0};
    assert_int_equal(gnutls_pkcs12_init(&store), 0);
    put(store, GNUTLS_BAG_CERTIFICATE, &middle.der, NULL);
    put(store, GNUTLS_BAG_CERTIFICATE, &leaves[0].der, encrypted ? password : NULL);
    if (with_key && !encrypted) {
        put(store, GNUTLS_BAG_PKCS8_KEY, &leaves[0].key_der, NULL);
    } else if (with_key) {
        assert_int_equal(gnutls_x509_privkey_export2_pkcs8(leaves[0].key, GNUTLS_X509_FMT_DER,
                                                           password, GNUTLS_PKCS_PBES2_AES_256,
                                                           &key),
                         0);
        put(store, GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, &key, NULL);
    }
    assert_int_equal(gnutls_pkcs12_generate_mac2(store, GNUTLS_MAC_SHA256, password), 0);
    assert_int_equal(gnutls_pkcs12_export2(store, GNUTLS_X509_FMT_DER, &content), 0);
    gnutls_free(key.data);
    gnutls_pkcs12_deinit(store);
    return content;
}

static void test_store(void **state) {
    (void)state;
    char *reason = NULL;
    gnutls_datum_t store = make_store("open", true, true);
    sec_identity_t identity =
        sec_identity_create_with_pkcs12(store.data, store.size, "open", &reason);
    assert_non_null(identity);
    assert_int_equal(sec_identity_get_certificate_count(identity), 2);
    assert_certificate(identity, 0, &leaves[0]);
    assert_certificate(identity, 1, &middle);
    assert_works(identity);
    sec_release(identity);
    identity = sec_identity_create_with_pkcs12(store.data, store.size, "shut", &reason);
    assert_refused(identity, reason, "the PKCS #12 store (PKCS #12): wrong password, or damaged");
    identity = sec_identity_create_with_pkcs12(store.data, store.size, NULL, &reason);
    assert_refused(identity, reason, "sealed with a password, and none is given");
    identity = sec_identity_create_with_pkcs12(store.data, store.size - 9, "open", &reason);
    assert_refused(identity, reason, "the PKCS #12 store");
    gnutls_free(store.data);
    store = make_store("open", false, false);
    identity = sec_identity_create_with_pkcs12(store.data, store.size, "open", &reason);
    assert_refused(identity, reason, "holds no private key");
    gnutls_free(store.data);
}

/* What is left of the rounds, or -1: refused. */
static long left_over(const gnutls_datum_t *store, unsigned rounds) {
    struct nwi_reading reading;
    nwi_reading_begin(&reading, "x", "x", "open");
    reading.rounds = rounds;
    bool taken = nwi_reading_take(&reading, "x", store->data, store->size, NWI_READ_BOTH);
    long left = taken ? (long)reading.rounds : -1;
    nwi_reading_end(&reading);
    return left;
}

/* Seal, bag and key are each paid for. */
static void test_costly_store(void **state) {
    (void)state;
    gnutls_datum_t store = make_store("open", true, true);
    const long left = left_over(&store, NWI_READING_ROUNDS_MAX);
    const unsigned spent = NWI_READING_ROUNDS_MAX - (unsigned)left;
    assert_true(left > 0 && spent > 1000);
    assert_int_equal(left_over(&store, spent - 1), -1);
    gnutls_free(store.data);
    store = make_store("open", false, true); /* only the seal */
    assert_true(left_over(&store, NWI_READING_ROUNDS_MAX) > left);
    assert_int_equal(left_over(&store, 1), -1);
    gnutls_free(store.data);
}

/* An empty password is one, written in two ways. */
static void test_empty_password(void **state) {
    (void)state;
    static const char *const passwords[] = {"", NULL};
    gnutls_datum_t store = make_store("", false, true);
    for (int i = 0; i < 2; i++) {
        sec_identity_t identity =
            sec_identity_create_with_pkcs12(store.data, store.size, passwords[i], NULL);
        assert_non_null(identity);
        sec_release(identity);
    }
    gnutls_free(store.data);
}

/* --- what an identity is --- */

struct walk {
    size_t count;
    sec_identity_t identity;
};

static void count_certificate(void *context, sec_certificate_t certificate) {
    struct walk *walk = context;
    assert_non_null(certificate);
    if (walk->count++ == 0)
        sec_release(walk->identity);
}

static void test_access(void **state) {
    (void)state;
    struct text text = join(&leaves[0].pem, &middle.pem, NULL);
    struct walk walk = {0};
    walk.identity = sec_identity_create_with_bytes(text.bytes, text.size, leaves[0].key_pem.data,
                                                   leaves[0].key_pem.size, NULL, NULL);
    assert_non_null(walk.identity);
    assert_false(sec_identity_access_certificates_f(walk.identity, &walk, NULL));
    assert_false(sec_identity_access_certificates_f(NULL, &walk, count_certificate));
    assert_int_equal(walk.count, 0);
    assert_true(sec_identity_access_certificates_f(walk.identity, &walk, count_certificate));
    assert_int_equal(walk.count, 2);
    free(text.bytes);
}

static sec_identity_t make(int leaf, const gnutls_datum_t *issuer) {
    struct text text = join(&leaves[leaf].pem, issuer, NULL);
    sec_identity_t identity = sec_identity_create_with_bytes(
        text.bytes, text.size, leaves[leaf].key_pem.data, leaves[leaf].key_pem.size, NULL, NULL);
    free(text.bytes);
    assert_non_null(identity);
    return identity;
}

static void test_equal_options(void **state) {
    (void)state;
    sec_protocol_options_t a = nwi_sec_options_create(), b = nwi_sec_options_create();
    sec_identity_t one = make(0, NULL), same = make(0, NULL), longer = make(0, &middle.pem),
                   other = make(1, NULL);
    sec_protocol_options_set_local_identity(a, one);
    assert_false(sec_protocol_options_are_equal(a, b));
    sec_protocol_options_set_local_identity(b, same);
    assert_true(sec_protocol_options_are_equal(a, b));
    sec_protocol_options_set_local_identity(b, longer);
    assert_false(sec_protocol_options_are_equal(a, b));
    sec_protocol_options_set_local_identity(b, other);
    assert_false(sec_protocol_options_are_equal(a, b));
    sec_protocol_options_set_local_identity(b, one);
    assert_true(sec_protocol_options_are_equal(a, b));
    sec_release(one), sec_release(same), sec_release(longer), sec_release(other);
    sec_release(a), sec_release(b); /* they hold the last references */
}

static void test_other_chain(void **state) {
    (void)state;
    char *reason = NULL;
    sec_identity_t alone = make(0, NULL);
    sec_certificate_t list[] = {
        sec_certificate_create_with_bytes(root.pem.data, root.pem.size),
        sec_certificate_create_with_bytes(stranger.pem.data, stranger.pem.size),
        sec_certificate_create_with_bytes(middle.pem.data, middle.pem.size)};
    sec_identity_t whole = sec_identity_create_with_chain(alone, list, 3, &reason);
    assert_non_null(whole);
    assert_int_equal(sec_identity_get_certificate_count(whole), 3);
    assert_certificate(whole, 1, &middle);
    assert_works(whole);
    for (int i = 0; i < 3; i++)
        sec_release(list[i]);
    sec_release(alone);
    sec_release(whole);
    list[0] = NULL;
    whole = sec_identity_create_with_chain(NULL, NULL, 0, &reason);
    assert_refused(whole, reason, "no identity");
}

/* --- what is refused --- */

static void refuse(const gnutls_datum_t *certificates, const gnutls_datum_t *key,
                   const char *expected) {
    char *reason = NULL;
    sec_identity_t identity = sec_identity_create_with_bytes(
        certificates->data, certificates->size, key != NULL ? key->data : NULL,
        key != NULL ? key->size : 0, NULL, &reason);
    assert_refused(identity, reason, expected);
}

static void test_refusals(void **state) {
    (void)state;
    const gnutls_datum_t nothing = {0}, prose = words("once upon a time"),
                         cut = {.data = leaves[0].pem.data, .size = leaves[0].pem.size - 20},
                         der_cut = {.data = leaves[0].der.data, .size = leaves[0].der.size - 1},
                         bad = words("-----BEGIN CERTIFICATE-----\nMIIB!!\n"
                                     "-----END CERTIFICATE-----\n"),
                         empty = words("-----BEGIN CERTIFICATE-----\nMAA=\n"
                                       "-----END CERTIFICATE-----\n");
    struct text twice = join(&leaves[0].key_pem, &leaves[0].key_pem, &leaves[0].pem);
    struct text pair = join(&leaves[0].pem, &middle.pem, NULL);
    const gnutls_datum_t keys = {.data = (unsigned char *)twice.bytes,
                                 .size = (unsigned)twice.size},
                         both = {.data = (unsigned char *)pair.bytes, .size = (unsigned)pair.size};
    refuse(&nothing, NULL, "the certificates: empty");
    refuse(&prose, NULL, "the certificates: neither PEM nor DER");
    refuse(&leaves[0].pem, NULL, "the certificates: holds no private key");
    refuse(&leaves[0].key_pem, NULL, "the certificates: holds no certificate");
    refuse(&leaves[0].pem, &leaves[0].pem, "the key: holds no private key");
    refuse(&cut, &leaves[0].key_pem, "block 1 (CERTIFICATE): its END line is missing");
    refuse(&der_cut, &leaves[0].key_pem, "the certificates: cut off");
    refuse(&bad, &leaves[0].key_pem, "the certificates, block 1 (CERTIFICATE): Base64");
    refuse(&empty, &leaves[0].key_pem, "block 1 (CERTIFICATE): no certificate (ASN1 parser");
    refuse(&keys, NULL,
           "block 2 (PRIVATE KEY): a second private key; the first is the certificates, "
           "block 1");
    refuse(&leaves[0].pem, &stranger.key_pem,
           "the key, block 1 (PRIVATE KEY): the key (EC/ECDSA, 256 bits) does not belong to "
           "certificate \"CN=leaf\"");
    refuse(&both, &stranger.key_pem,
           "belongs neither to certificate \"CN=leaf\" nor to the 1 other");
    free(twice.bytes);
    free(pair.bytes);
}

/* Keys under a password that nobody should wait for, or in wrappings that are not read. */
static void test_wrappings_not_read(void **state) {
    (void)state;
    const gnutls_datum_t ssh = words("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
                                     "-----END OPENSSH PRIVATE KEY-----\n"),
                         trusted = words("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n"
                                         "-----END TRUSTED CERTIFICATE-----\n"),
                         other = words("-----BEGIN EC PRIVATE KEY-----\nMAMCAQE=\n"
                                       "-----END EC PRIVATE KEY-----\n");
    static const unsigned char scrypt[] = {/* PBES2 with id-scrypt and nothing more */
                                           0x30, 0x20, 0x30, 0x1c, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                           0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d, 0x30, 0x0f, 0x30,
                                           0x0d, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda,
                                           0x47, 0x04, 0x0b, 0x30, 0x00, 0x04, 0x00};
    char *reason = NULL;
    refuse(&leaves[0].pem, &ssh, "block 1 (OPENSSH PRIVATE KEY): OpenSSH's own form");
    refuse(&trusted, &leaves[0].key_pem, "block 1 (TRUSTED CERTIFICATE): OpenSSL's own form");
    refuse(&leaves[0].pem, &other, "damaged, or of a kind that is not supported");
    sec_identity_t identity = sec_identity_create_with_bytes(
        leaves[0].pem.data, leaves[0].pem.size, scrypt, sizeof scrypt, "open", &reason);
    assert_refused(identity, reason,
                   "the key: damaged, or encrypted in a way that is not supported");
}

static void test_too_much(void **state) {
    (void)state;
    char *reason = NULL;
    struct text text = {0};
    unsigned char *octets = calloc(1, NWI_READING_OCTETS_MAX + 1);
    assert_non_null(octets);
    sec_identity_t identity =
        sec_identity_create_with_bytes(octets, NWI_READING_OCTETS_MAX + 1, NULL, 0, NULL, &reason);
    assert_refused(identity, reason, "more than 1 MiB");
    free(octets);
    for (int i = 0; i <= NWI_READING_CERTIFICATES_MAX; i++)
        add(&text, &root.der);
    size_t count = 0;
    assert_null(sec_certificates_create_with_bytes(text.bytes, text.size, &count, &reason));
    assert_int_equal(count, 0);
    assert_refused(NULL, reason, "more than 1024 certificates");
    free(text.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pem_in_any_order),
        cmocka_unit_test(test_one_text_of_all),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_older_wrappings),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_costly_password),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_costly_store),
        cmocka_unit_test(test_empty_password),
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_equal_options),
        cmocka_unit_test(test_other_chain),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_wrappings_not_read),
        cmocka_unit_test(test_too_much),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
