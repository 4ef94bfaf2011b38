/*
 * test_identity_files.c - identities from files, and from a token (SoftHSM in a folder of its own).
 */
#include "base/alloc.h"
#include "base/log.h"
#include "fake/made_identity.h"
#include "sys/table.h"
#include "trust/identity.h"
#include <Security/identity.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/pkcs11.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/nw-identity-XXXXXX";
static struct made_identity root, leaf;
static int warnings;

static void count_warning(enum nwi_log_level level, const char *name, const char *event,
                          const char *message) {
    (void)level, (void)name;
    warnings += strcmp(event, "readable") == 0 && strstr(message, folder) != NULL;
}

static char *path_of(const char *name) {
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *write_file(const char *name, const void *bytes, size_t size, mode_t mode) {
    const char *path = path_of(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static int begin(void **state) {
    char config[256];
    (void)state;
    if (mkdtemp(folder) == NULL || mkdir(path_of("tokens"), 0700) != 0)
        return -1;
    int size = snprintf(config, sizeof config,
                        "directories.tokendir = %s/tokens\nlog.level = ERROR\n", folder);
    setenv("SOFTHSM2_CONF", write_file("softhsm2.conf", config, (size_t)size, 0600), 1);
    made_identity_create(&root, GNUTLS_PK_ECDSA, "root", NULL, true);
    made_identity_create(&leaf, GNUTLS_PK_ECDSA, "leaf", &root, false);
    nwi_log_set_sink(count_warning);
    return 0;
}

static void remove_tree(const char *path) {
    DIR *entries = opendir(path);
    if (entries != NULL) {
        for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
            char inner[512];
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
            remove_tree(inner);
        }
        closedir(entries);
    }
    remove(path);
}

static int end(void **state) {
    (void)state;
    nwi_log_set_sink(NULL);
    gnutls_pkcs11_deinit();
    made_identity_free(&root);
    made_identity_free(&leaf);
    remove_tree(folder);
    return 0;
}

static void assert_refused(sec_identity_t identity, char **reason, const char *expected) {
    assert_null(identity);
    assert_non_null(*reason);
    if (strstr(*reason, expected) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", *reason, expected);
    free(*reason);
    *reason = NULL;
}

/* A handshake's signature by the key fits the certificate. */
static void assert_signs(sec_identity_t identity) {
    static unsigned char words[] = "to be signed";
    const gnutls_datum_t message = {.data = words, .size = sizeof words};
    gnutls_datum_t signature = {0};
    gnutls_certificate_credentials_t credentials;
    gnutls_pubkey_t own;
    gnutls_privkey_t copy;
    assert_int_equal(gnutls_pubkey_init(&own), 0);
    assert_int_equal(gnutls_pubkey_import_x509(own, leaf.crt, 0), 0);
    assert_int_equal(nwi_identity_copy_key(identity, &copy), 0);
    assert_int_equal(
        gnutls_privkey_sign_data2(copy, GNUTLS_SIGN_ECDSA_SHA256, 0, &message, &signature), 0);
    assert_true(
        gnutls_pubkey_verify_data2(own, GNUTLS_SIGN_ECDSA_SHA256, 0, &message, &signature) >= 0);
    gnutls_free(signature.data);
    gnutls_privkey_deinit(copy);
    gnutls_pubkey_deinit(own);
    assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
    assert_int_equal(nwi_identity_attach(identity, credentials), 0);
    gnutls_certificate_free_credentials(credentials);
}

/* --- files --- */

static void test_two_files(void **state) {
    (void)state;
    char *reason = NULL;
    const char *certificate = write_file("leaf.pem", leaf.pem.data, leaf.pem.size, 0644);
    const char *key = write_file("leaf-key.pem", leaf.key_pem.data, leaf.key_pem.size, 0600);
    warnings = 0;
    sec_identity_t identity = sec_identity_create_with_files(certificate, key, NULL, &reason);
    assert_non_null(identity);
    assert_signs(identity);
    sec_release(identity);
    assert_int_equal(warnings, 0);
    assert_int_equal(chmod(key, 0604), 0);
    identity = sec_identity_create_with_files(certificate, key, NULL, &reason);
    assert_non_null(identity);
    assert_int_equal(warnings, 1);
    sec_release(identity);
}

/* Certificates, a key and many others in one file, longer than what is read at first. */
static void test_one_file(void **state) {
    (void)state;
    enum { COPIES = 60 };
    size_t size = leaf.pem.size + leaf.key_pem.size + COPIES * root.pem.size, at = 0, count = 0;
    char *text = malloc(size);
    assert_non_null(text);
    for (int i = 0; i < COPIES; i++, at += root.pem.size)
        memcpy(text + at, root.pem.data, root.pem.size);
    memcpy(text + at, leaf.key_pem.data, leaf.key_pem.size);
    memcpy(text + at + leaf.key_pem.size, leaf.pem.data, leaf.pem.size);
    const char *path = write_file("all.pem", text, size, 0600);
    free(text);
    sec_identity_t identity = sec_identity_create_with_files(path, NULL, NULL, NULL);
    assert_non_null(identity);
    assert_int_equal(sec_identity_get_certificate_count(identity), 2);
    sec_release(identity);
    sec_certificate_t *list = sec_certificates_create_with_file(path, &count, NULL);
    assert_non_null(list);
    assert_int_equal(count, COPIES + 1);
    sec_certificates_free(list, count);
    sec_certificates_free(NULL, 1);
}

/* A file's name may be longer than any reason about it. */
static void test_long_name(void **state) {
    (void)state;
    enum { LEVELS = 3, LEVEL_SIZE = 200 };
    char path[sizeof folder + LEVELS * (LEVEL_SIZE + 1) + sizeof "/key.der"];
    size_t at = (size_t)sprintf(path, "%s", folder);
    for (int i = 0; i < LEVELS; i++) {
        path[at++] = '/';
        memset(path + at, 'd', LEVEL_SIZE);
        at += LEVEL_SIZE;
        path[at] = '\0';
        assert_int_equal(mkdir(path, 0700), 0);
    }
    strcpy(path + at, "/key.der");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, leaf.key_der.data, leaf.key_der.size), leaf.key_der.size);
    close(fd);
    const char *certificate = write_file("leaf.pem", leaf.pem.data, leaf.pem.size, 0644);
    sec_identity_t identity = sec_identity_create_with_files(certificate, path, NULL, NULL);
    assert_non_null(identity);
    assert_signs(identity);
    sec_release(identity);
    for (int i = 0; i <= LEVELS; i++) {
        assert_int_equal(remove(path), 0);
        *strrchr(path, '/') = '\0';
    }
}

static void test_bad_files(void **state) {
    (void)state;
    char *reason = NULL;
    size_t count = 7;
    const char *certificate = write_file("leaf.pem", leaf.pem.data, leaf.pem.size, 0644);
    const char *empty = write_file("empty.pem", "", 0, 0644);
    sec_identity_t identity =
        sec_identity_create_with_files(certificate, path_of("absent.pem"), NULL, &reason);
    assert_refused(identity, &reason, "/absent.pem: No such file or directory");
    identity = sec_identity_create_with_files(folder, NULL, NULL, &reason);
    assert_refused(identity, &reason, ": Is a directory");
    identity = sec_identity_create_with_files(empty, NULL, NULL, &reason);
    assert_refused(identity, &reason, "/empty.pem: empty");
    identity = sec_identity_create_with_files("/dev/zero", NULL, NULL, &reason);
    assert_refused(identity, &reason, "/dev/zero: more than 1 MiB");
    identity = sec_identity_create_with_files(NULL, NULL, NULL, &reason);
    assert_refused(identity, &reason, "no file of certificates is named");
    identity = sec_identity_create_with_files(certificate, NULL, NULL, &reason);
    assert_refused(identity, &reason, "/leaf.pem: holds no private key");
    assert_null(sec_certificates_create_with_file(empty, &count, &reason));
    assert_refused(NULL, &reason, "/empty.pem: empty");
    assert_null(sec_certificates_create_with_file(NULL, &count, NULL)); /* goes to the log */
    assert_null(sec_certificates_create_with_file(certificate, NULL, &reason));
    assert_refused(NULL, &reason, "no place");
    assert_int_equal(count, 7);
}

static int no_open(const char *path, int flags, int mode) {
    (void)path, (void)flags, (void)mode;
    errno = EMFILE;
    return -1;
}

static int reads; /* before the one that fails */
static ssize_t bad_read(int fd, void *buffer, size_t size) {
    if (reads-- > 0)
        return nwi_sys_kernel.read(fd, buffer, size > 100 ? 100 : size); /* in pieces */
    errno = reads == -1 ? EINTR : EIO; /* the first is tried again */
    return -1;
}

static void test_system_calls_fail(void **state) {
    (void)state;
    char *reason = NULL;
    const char *certificate = write_file("leaf.pem", leaf.pem.data, leaf.pem.size, 0644);
    struct nwi_sys_table table = nwi_sys_kernel;
    table.open = no_open;
    nwi_sys_swap(&table);
    sec_identity_t identity = sec_identity_create_with_files(certificate, NULL, NULL, &reason);
    nwi_sys_swap(NULL);
    assert_refused(identity, &reason, "/leaf.pem: Too many open files");
    table = nwi_sys_kernel;
    table.read = bad_read;
    reads = 2;
    nwi_sys_swap(&table);
    identity = sec_identity_create_with_files(certificate, NULL, NULL, &reason);
    nwi_sys_swap(NULL);
    assert_refused(identity, &reason, "/leaf.pem: Input/output error");
}

/* Whatever runs out: no crash, no leak, no half of an identity. */
static void test_each_allocation_fails(void **state) {
    (void)state;
    char *reason = NULL;
    const char *certificate = write_file("leaf.pem", leaf.pem.data, leaf.pem.size, 0644);
    const char *key = write_file("leaf-key.pem", leaf.key_pem.data, leaf.key_pem.size, 0600);
    nwi_alloc_count(true);
    const long before = nwi_alloc_live();
    bool hit = true;
    unsigned n = 0;
    while (hit && n < 100) {
        nwi_alloc_fail_at(++n);
        sec_identity_t identity = sec_identity_create_with_files(certificate, key, NULL, &reason);
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_true((identity != NULL) == !hit);
        sec_release(identity);
        nwi_free(nwi_take(&reason)); /* NULL where no memory was left for it */
        assert_int_equal(nwi_alloc_live(), before);
    }
    assert_true(n > 5);
    assert_false(hit);
    nwi_alloc_count(false);
}

/* --- a token --- */

static const char token[] = "pkcs11:token=nw", pin[] = "4321";

static void fill_token(void) {
    static const unsigned char name[] = {1, 2, 3};
    const gnutls_datum_t id = {.data = (unsigned char *)name, .size = sizeof name};
    /* GnuTLS does not show tokens that are not initialised. */
    assert_int_equal(system("softhsm2-util --init-token --free --label nw --so-pin 1234 "
                            "--pin 4321 >/dev/null"),
                     0);
    assert_int_equal(gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_AUTO, NULL), 0);
    gnutls_pkcs11_set_pin_function(nwi_identity_give_pin, (void *)pin);
    assert_int_equal(gnutls_pkcs11_copy_x509_privkey2(
                         token, leaf.key, "leaf", &id, GNUTLS_KEY_DIGITAL_SIGNATURE,
                         GNUTLS_PKCS11_OBJ_FLAG_MARK_SENSITIVE | GNUTLS_PKCS11_OBJ_FLAG_LOGIN),
                     0);
    assert_int_equal(
        gnutls_pkcs11_copy_x509_crt2(token, leaf.crt, "leaf", &id, GNUTLS_PKCS11_OBJ_FLAG_LOGIN),
        0);
    assert_int_equal(
        gnutls_pkcs11_copy_x509_crt2(token, root.crt, "root", NULL, GNUTLS_PKCS11_OBJ_FLAG_LOGIN),
        0);
    gnutls_pkcs11_set_pin_function(NULL, NULL);
}

static void test_token(void **state) {
    (void)state;
    static const char url[] = "pkcs11:token=nw;object=leaf;type=private";
    char *reason = NULL;
    fill_token();
    sec_identity_t identity = sec_identity_create_with_url(url, pin, NULL, 0, &reason);
    if (identity == NULL)
        fail_msg("%s", reason);
    assert_int_equal(sec_identity_get_certificate_count(identity), 2);
    assert_int_equal(gnutls_privkey_get_type(identity->key), GNUTLS_PRIVKEY_PKCS11);
    assert_signs(identity);
    sec_release(identity);
    const char *certificate = write_file("leaf.pem", leaf.pem.data, leaf.pem.size, 0644);
    identity = sec_identity_create_with_files(
        certificate, "pkcs11:token=nw;object=leaf;type=private?pin-value=4321", NULL, &reason);
    assert_non_null(identity);
    assert_int_equal(sec_identity_get_certificate_count(identity), 1);
    assert_signs(identity);
    sec_release(identity);
    size_t count = 0;
    sec_certificate_t *list = sec_certificates_create_with_file(token, &count, NULL);
    assert_int_equal(count, 2);
    sec_certificates_free(list, count);
}

static void test_bad_token(void **state) {
    (void)state;
    char *reason = NULL;
    sec_identity_t identity = sec_identity_create_with_url(
        "pkcs11:token=nw;object=leaf;type=private", "9999", NULL, 0, &reason);
    assert_refused(identity, &reason, "object=leaf;type=private: wrong PIN");
    identity = sec_identity_create_with_url("pkcs11:token=nw;object=leaf;type=private?x=secret",
                                            NULL, NULL, 0, &reason);
    assert_refused(identity, &reason, "type=private: no PIN is given");
    identity = sec_identity_create_with_url("pkcs11:token=nw;object=other;type=private", pin, NULL,
                                            0, &reason);
    assert_refused(identity, &reason, "no such object in any token");
    identity = sec_identity_create_with_url("pkcs11:token=nw;object=leaf;type=private", pin,
                                            root.pem.data, root.pem.size, &reason);
    assert_refused(identity, &reason, "does not belong to certificate \"CN=root\"");
    identity = sec_identity_create_with_url("/a/file", NULL, NULL, 0, &reason);
    assert_refused(identity, &reason, "/a/file: not a PKCS #11 URL");
    identity = sec_identity_create_with_url(NULL, NULL, NULL, 0, &reason);
    assert_refused(identity, &reason, "not a PKCS #11 URL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_files),
        cmocka_unit_test(test_one_file),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_system_calls_fail),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_bad_token),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
