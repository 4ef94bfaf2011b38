/*
 * store.c - see store.h.
 * What:   each file is written beside its place and then moved there, so that a reader never finds
 *         half of one, and an old file is not lost to a failure.
 * Source: open(2): O_EXCL with the mode makes the file private before it holds anything;
 *         link(2): fails when the name is taken, which rename(2) does not.
 */
#include "store.h"
#include "pkcs12.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(const char *path, const char *why) {
    fprintf(stderr, "nwcert: %s: %s\n", path, why);
    return false;
}

/* --- reading --- */

static bool read_file(const char *path, gnutls_datum_t *ret_content) {
    int result = gnutls_load_file(path, ret_content);
    if (result == 0)
        return true;
    return failed(path, result == GNUTLS_E_FILE_ERROR ? strerror(errno) : gnutls_strerror(result));
}

/* Secrets do not stay behind in memory that is given back. */
static void forget(gnutls_datum_t *secret) {
    if (secret->data != NULL)
        gnutls_memset(secret->data, 0, secret->size);
    gnutls_free(secret->data);
    *secret = (gnutls_datum_t){0};
}

bool nwcert_read_certificates(const char *path, gnutls_x509_crt_t **ret_list, unsigned *ret_count) {
    gnutls_datum_t content;
    if (!read_file(path, &content))
        return false;
    int result =
        gnutls_x509_crt_list_import2(ret_list, ret_count, &content, GNUTLS_X509_FMT_PEM, 0);
    if (result < 0 && content.size > 0 && content.data[0] == 0x30) /* a DER SEQUENCE */
        result =
            gnutls_x509_crt_list_import2(ret_list, ret_count, &content, GNUTLS_X509_FMT_DER, 0);
    forget(&content);
    if (result == GNUTLS_E_NO_CERTIFICATE_FOUND || (result >= 0 && *ret_count == 0))
        return failed(path, "holds no certificate");
    return result >= 0 || failed(path, gnutls_strerror(result));
}

static bool read_key(const char *path, gnutls_x509_privkey_t *ret_key) {
    gnutls_datum_t content;
    if (!read_file(path, &content))
        return false;
    int result = gnutls_x509_privkey_init(ret_key);
    if (result == 0)
        result = gnutls_x509_privkey_import2(*ret_key, &content, GNUTLS_X509_FMT_PEM, NULL, 0);
    forget(&content);
    return result == 0 || failed(path, gnutls_strerror(result));
}

static bool belongs(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key) {
    unsigned char of_certificate[64], of_key[64];
    size_t size = sizeof of_certificate, key_size = sizeof of_key;
    return gnutls_x509_crt_get_key_id(certificate, 0, of_certificate, &size) == 0 &&
           gnutls_x509_privkey_get_key_id(key, 0, of_key, &key_size) == 0 && size == key_size &&
           memcmp(of_certificate, of_key, size) == 0;
}

/* ca.pem has its key in ca-key.pem. */
static bool key_path_of(const char *certificate, char *path, size_t size) {
    size_t stem = strlen(certificate);
    if (stem > 4 && strcmp(certificate + stem - 4, ".pem") == 0)
        stem -= 4;
    return snprintf(path, size, "%.*s-key.pem", (int)stem, certificate) < (int)size;
}

bool nwcert_read_ca(const struct nwcert_request *request, struct nwcert_identity *ret_identity) {
    char path[NWCERT_PATH_MAX], key_path[NWCERT_PATH_MAX];
    gnutls_x509_crt_t *list = NULL;
    *ret_identity = (struct nwcert_identity){0};
    if (request->ca != NULL)
        snprintf(path, sizeof path, "%s", request->ca);
    else
        snprintf(path, sizeof path, "%s/ca.pem", request->folder);
    if (access(path, R_OK) != 0 && request->ca == NULL)
        return failed(path, "there is no CA yet: make one with 'nwcert ca', or name it with --ca");
    if (request->ca_key != NULL)
        snprintf(key_path, sizeof key_path, "%s", request->ca_key);
    else if (!key_path_of(path, key_path, sizeof key_path))
        return failed(path, strerror(ENAMETOOLONG));
    unsigned count = 0;
    if (!nwcert_read_certificates(path, &list, &count))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (i < NWCERT_CHAIN_MAX)
            ret_identity->chain[ret_identity->count++] = list[i];
        else
            gnutls_x509_crt_deinit(list[i]);
    }
    gnutls_free(list);
    bool usable = read_key(key_path, &ret_identity->key);
    if (usable && !belongs(ret_identity->chain[0], ret_identity->key))
        usable = failed(key_path, "is not the key of the CA");
    if (usable && gnutls_x509_crt_get_ca_status(ret_identity->chain[0], NULL) != 1)
        usable = failed(path, "is not the certificate of a CA");
    if (!usable)
        nwcert_identity_clear(ret_identity);
    return usable;
}

/* --- writing --- */

static bool write_all(int fd, const gnutls_datum_t *content) {
    for (size_t done = 0; done < content->size;) {
        ssize_t written = write(fd, content->data + done, content->size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        done += (size_t)written;
    }
    return fsync(fd) == 0;
}

/* Some file systems give every file the same mode, whatever is asked. */
static bool is_private(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 && (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static bool put_file(const char *path, const gnutls_datum_t *content, bool secret, bool replace) {
    char beside[NWCERT_PATH_MAX];
    struct stat there;
    if (!replace && lstat(path, &there) == 0)
        return failed(path, "is there already; --force replaces it");
    if (snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid()) >= (int)sizeof beside)
        return failed(path, strerror(ENAMETOOLONG));
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  secret ? S_IRUSR | S_IWUSR : S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    if (fd < 0)
        return failed(beside, strerror(errno));
    bool refused = secret && !is_private(fd);
    bool good = !refused && write_all(fd, content);
    if (close(fd) != 0)
        good = false;
    if (good)
        good = replace ? rename(beside, path) == 0 : link(beside, path) == 0;
    int why = errno;
    if (!good || !replace)
        unlink(beside);
    if (refused)
        return failed(path, "others could read the key here: not written");
    if (!good && why == EEXIST)
        return failed(path, "is there already; --force replaces it");
    return good || failed(path, strerror(why));
}

static bool append(gnutls_datum_t *whole, const gnutls_datum_t *piece) {
    unsigned char *grown = gnutls_realloc(whole->data, whole->size + piece->size);
    if (grown == NULL)
        return false;
    memcpy(grown + whole->size, piece->data, piece->size);
    whole->data = grown;
    whole->size += piece->size;
    return true;
}

static bool write_chain(const char *path, const struct nwcert_identity *identity, bool replace) {
    gnutls_datum_t whole = {0};
    bool good = true;
    for (unsigned i = 0; i < identity->count && good; i++) {
        gnutls_datum_t piece = {0};
        int result = gnutls_x509_crt_export2(identity->chain[i], GNUTLS_X509_FMT_PEM, &piece);
        if (result < 0)
            good = failed(path, gnutls_strerror(result));
        else if (!append(&whole, &piece))
            good = failed(path, strerror(ENOMEM));
        gnutls_free(piece.data);
    }
    good = good && put_file(path, &whole, false, replace);
    gnutls_free(whole.data);
    return good;
}

static bool write_key(const char *path, const struct nwcert_identity *identity, bool replace) {
    gnutls_datum_t content = {0};
    int result = gnutls_x509_privkey_export2_pkcs8(identity->key, GNUTLS_X509_FMT_PEM, NULL,
                                                   GNUTLS_PKCS_PLAIN, &content);
    bool good = result == 0 ? put_file(path, &content, true, replace)
                            : failed(path, gnutls_strerror(result));
    forget(&content);
    return good;
}

static bool write_pkcs12(const char *path, const struct nwcert_request *request, const char *base,
                         const struct nwcert_identity *identity) {
    gnutls_datum_t content = {0};
    bool good = nwcert_pkcs12(request->password_file, base, identity, &content) &&
                put_file(path, &content, true, request->force);
    forget(&content);
    return good;
}

bool nwcert_write_identity(const struct nwcert_request *request, const char *base,
                           const struct nwcert_identity *identity) {
    static const char *const endings[] = {".pem", "-key.pem", ".p12"};
    char path[3][NWCERT_PATH_MAX];
    struct stat there;
    if (mkdir(request->folder, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) != 0 &&
        errno != EEXIST)
        return failed(request->folder, strerror(errno));
    for (int i = 0; i < 3; i++) {
        if (snprintf(path[i], sizeof path[i], "%s/%s%s", request->folder, base, endings[i]) >=
            (int)sizeof path[i])
            return failed(request->folder, strerror(ENAMETOOLONG));
        /* All or none: a new certificate beside an old key would be worse than an error. */
        if (!request->force && (i < 2 || request->password_file != NULL) &&
            lstat(path[i], &there) == 0)
            return failed(path[i], "is there already; --force replaces it");
    }
    return write_key(path[1], identity, request->force) &&
           write_chain(path[0], identity, request->force) &&
           (request->password_file == NULL || write_pkcs12(path[2], request, base, identity));
}
