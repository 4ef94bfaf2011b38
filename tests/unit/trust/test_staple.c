/*
 * test_staple.c - certificates that demand a stapled status, and timestamps of transparency logs in
 * certificates and responses. src/trust/policy.c, ocsp.c, sct.c; responses as such are judged by
 * tests/trust/test_ocsp.py.
 */
#include "base/alloc.h"
#include "trust/ocsp.h"
#include "trust/policy.h"
#include "trust/sct.h"
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <dispatch/dispatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char transparency[] = "1.3.6.1.4.1.11129.2.4.2";
enum { STATUS_REQUEST = 5, DAY = 24 * 60 * 60 };

static gnutls_x509_privkey_t key;
static gnutls_x509_crt_t root;

static gnutls_x509_crt_t begin(const char *name, unsigned char serial) {
    gnutls_x509_crt_t crt;
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(crt, &serial, 1), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(crt, time(NULL) - DAY), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + DAY), 0);
    assert_int_equal(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                   (unsigned)strlen(name)),
                     0);
    assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
    return crt;
}

static sec_certificate_t finish(gnutls_x509_crt_t crt) {
    gnutls_datum_t der;
    assert_int_equal(
        gnutls_x509_crt_sign2(crt, root != NULL ? root : crt, key, GNUTLS_DIG_UNKNOWN, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    sec_certificate_t certificate = sec_certificate_create_with_bytes(der.data, der.size);
    assert_non_null(certificate);
    gnutls_free(der.data);
    return certificate;
}

static sec_certificate_t anchor;

static int make_root(void **state) {
    (void)state;
    if (gnutls_x509_privkey_init(&key) < 0 ||
        gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 256, 0) < 0)
        return -1;
    gnutls_x509_crt_t crt = begin("root", 1);
    assert_int_equal(gnutls_x509_crt_set_basic_constraints(crt, 1, -1), 0);
    anchor = finish(crt);
    root = crt;
    return 0;
}

static int forget_root(void **state) {
    (void)state;
    sec_release(anchor);
    gnutls_x509_crt_deinit(root);
    gnutls_x509_privkey_deinit(key);
    return 0;
}

static sec_certificate_t make_leaf(unsigned feature) {
    gnutls_x509_crt_t crt = begin("leaf", 2);
    gnutls_x509_tlsfeatures_t features;
    assert_int_equal(
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "a.example", 9, 0), 0);
    if (feature != 0) {
        assert_int_equal(gnutls_x509_tlsfeatures_init(&features), 0);
        assert_int_equal(gnutls_x509_tlsfeatures_add(features, feature), 0);
        assert_int_equal(gnutls_x509_crt_set_tlsfeatures(crt, features), 0);
        gnutls_x509_tlsfeatures_deinit(features);
    }
    sec_certificate_t leaf = finish(crt);
    gnutls_x509_crt_deinit(crt);
    return leaf;
}

static int judge(sec_protocol_options_t options, sec_certificate_t leaf, const char *staple) {
    dispatch_data_t data =
        staple != NULL ? dispatch_data_create_f(staple, strlen(staple), NULL, NULL, NULL) : NULL;
    sec_trust_t trust =
        nwi_trust_create_for_peer(options, &leaf, 1, "a.example", NWI_TRUST_SERVER, data);
    int status = sec_trust_evaluate(trust);
    sec_release(trust);
    sec_release(data);
    return status;
}

/* RFC 7633 section 4: only whoever asked for a status can miss it. */
static void a_certificate_may_demand_a_status(void **state) {
    (void)state;
    sec_certificate_t demanding = make_leaf(STATUS_REQUEST), other = make_leaf(17),
                      plain = make_leaf(0);
    sec_protocol_options_t options = nwi_sec_options_create();
    sec_protocol_options_add_trust_anchor(options, anchor);
    assert_int_equal(judge(options, demanding, NULL), 0);
    sec_protocol_options_set_tls_ocsp_enabled(options, true);
    assert_int_equal(judge(options, demanding, NULL), errSSLBadCertificateStatusResponse);
    assert_int_equal(judge(options, other, NULL), 0);
    assert_int_equal(judge(options, plain, NULL), 0);
    assert_int_equal(judge(options, plain, "no response"), errSSLBadCertificateStatusResponse);
    sec_protocol_options_set_stapled_status_required(options, true);
    assert_int_equal(judge(options, plain, NULL), errSSLBadCertificateStatusResponse);
    sec_protocol_options_add_accepted_certificate(options, plain); /* the program's own word */
    assert_int_equal(judge(options, plain, NULL), 0);
    sec_release(options);
    sec_release(demanding);
    sec_release(other);
    sec_release(plain);
}

/* --- timestamps --- */

struct seen {
    unsigned count, stop_at;
    char text[64];
};

static bool see(void *context, const void *octets, size_t size) {
    struct seen *seen = context;
    size_t length = strlen(seen->text);
    assert_true(length + size + 2 < sizeof seen->text);
    memcpy(seen->text + length, octets, size);
    strcpy(seen->text + length + size, ";");
    return ++seen->count != seen->stop_at;
}

#define LIST "\0\x09\0\x03one\0\x02no" /* 2 + 5 + 4 octets */
enum { LIST_SIZE = sizeof LIST - 1 };

static void lists(void **state) {
    unsigned char octets[] = LIST;
    (void)state;
    gnutls_datum_t list = {.data = octets, .size = LIST_SIZE};
    struct seen seen = {0};
    assert_true(nwi_scts_of_list(&list, &seen, see));
    assert_string_equal(seen.text, "one;no;");
    seen = (struct seen){.stop_at = 1};
    assert_false(nwi_scts_of_list(&list, &seen, see));
    assert_string_equal(seen.text, "one;");
    seen = (struct seen){0};
    for (list.size = 0; list.size < LIST_SIZE; list.size++) /* cut off: nothing is shown */
        assert_false(nwi_scts_of_list(&list, &seen, see));
    octets[8] = 0; /* a timestamp without octets */
    assert_false(nwi_scts_of_list(&list, &seen, see));
    assert_int_equal(seen.count, 0);
}

static void of_a_certificate(void **state) {
    struct seen seen = {0};
    static const char value[] = "\x04\x0b" LIST;
    (void)state;
    for (int kind = 0; kind < 3; kind++) { /* none, good, not a list */
        gnutls_x509_crt_t crt = begin("leaf", 3);
        if (kind > 0)
            assert_int_equal(
                gnutls_x509_crt_set_extension_by_oid(crt, transparency, value + (kind == 2 ? 2 : 0),
                                                     sizeof value - (kind == 2 ? 3 : 1), 0),
                0);
        sec_certificate_t leaf = finish(crt);
        assert_int_equal(nwi_certificate_scts(leaf, &seen, see), kind != 2);
        assert_string_equal(seen.text, kind == 0 ? "" : "one;no;");
        sec_release(leaf);
        gnutls_x509_crt_deinit(crt);
    }
}

/* Wraps the `size` octets in `text` into one element, in place; returns the new size. */
static size_t wrap(unsigned char *text, size_t size, unsigned char tag) {
    assert_true(size < 0x80);
    memmove(text + 2, text, size);
    text[0] = tag;
    text[1] = (unsigned char)size;
    return size + 2;
}

static size_t prepend(unsigned char *text, size_t size, const char *octets, size_t count) {
    memmove(text + count, text, size);
    memcpy(text, octets, count);
    return size + count;
}
#define PREPEND(text, size, octets) prepend(text, size, octets, sizeof octets - 1)

static size_t make_response(unsigned char *text, bool critical) {
    memcpy(text, LIST, LIST_SIZE);
    size_t size = wrap(text, LIST_SIZE, 0x04);
    size = wrap(text, size, 0x04);
    if (critical)
        size = PREPEND(text, size, "\x01\x01\xff");
    size = PREPEND(text, size, "\x06\x0a\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x05");
    size = wrap(text, size, 0x30);                                  /* Extension */
    size = PREPEND(text, size, "\x30\x06\x06\x01\x2a\x04\x01\x00"); /* another */
    size = wrap(text, size, 0x30);
    size = wrap(text, size, 0xa1);
    size = PREPEND(text, size, "\x30\0\x80\0\x18\x01Z\xa0\x03\x18\x01Z");
    size = wrap(text, size, 0x30);                               /* SingleResponse */
    size = PREPEND(text, size, "\x30\x07\x30\0\x80\0\x18\x01Z"); /* one without extensions */
    size = wrap(text, size, 0x30);
    size = PREPEND(text, size, "\xa2\0\x18\x01Z");
    size = wrap(text, size, 0x30); /* ResponseData */
    size = wrap(text, size, 0x30); /* BasicOCSPResponse */
    size = wrap(text, size, 0x04);
    size = PREPEND(text, size, "\x06\x01\x2a");
    size = wrap(text, size, 0x30);
    size = wrap(text, size, 0xa0);
    size = PREPEND(text, size, "\x0a\x01\0");
    return wrap(text, size, 0x30);
}

static void of_a_response(void **state) {
    unsigned char text[256];
    (void)state;
    for (int critical = 0; critical < 2; critical++) {
        struct seen seen = {0};
        gnutls_datum_t response = {.data = text, .size = (unsigned)make_response(text, critical)};
        assert_true(nwi_scts_of_staple(&response, &seen, see));
        assert_string_equal(seen.text, "one;no;");
        for (response.size--; response.size > 0; response.size--)
            assert_false(nwi_scts_of_staple(&response, &seen, see));
        assert_int_equal(seen.count, 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_may_demand_a_status),
        cmocka_unit_test(lists),
        cmocka_unit_test(of_a_certificate),
        cmocka_unit_test(of_a_response),
    };
    return cmocka_run_group_tests(tests, make_root, forget_root);
}
