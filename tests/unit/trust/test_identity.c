/*
 * test_identity.c - identities from PEM, DER, encrypted keys and stores; what is refused, and why.
 */
#include "fake/made_identity.h"
#include "trust/identity.h"
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

/* --- what is refused --- */

static void test_stranger(void **state) {
    (void)state;
    char *reason = NULL;
    sec_identity_t identity =
        sec_identity_create_with_bytes(leaves[0].pem.data, leaves[0].pem.size,
                                       stranger.key_pem.data, stranger.key_pem.size, NULL, &reason);
    assert_refused(
        identity, reason,
        "the key, block 1 (PRIVATE KEY): the key (EC/ECDSA, 256 bits) does not belong to "
        "certificate \"CN=leaf\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pem_in_any_order),
        cmocka_unit_test(test_one_text_of_all),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_older_wrappings),
        cmocka_unit_test(test_stranger),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
