/*
 * keylog.c - the secrets of sessions, a line each, in the file that SSLKEYLOGFILE names.
 * What:   GnuTLS 3.7 honours the variable by itself: it opens whatever file that is, with the
 *         process's umask, once. Whoever reads the file reads the traffic, so we take this over:
 *         the file is made with mode 0600; one that is there must be a regular file of this user
 *         that nobody else can read or write, and no link. A program with set-user-id or
 *         capabilities ignores the variable. The log warns, once, naming the file.
 * Source: draft-ietf-tls-keylogfile section 2 (labels and form); GnuTLS 3.7.9, lib/kx.c.
 * Runs:   any thread; each line is one write, which the kernel appends whole.
 * Owns:   the file, for the life of the process.
 */
#include "protocol/tls/keylog.h"
#include "base/log.h"
#include "sys/table.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_SIZE = 32, SECRET_MOST = 64, LABEL_MOST = 64 }; /* octets; SHA-512 is the longest */

static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int file = -1; /* set by open_file() alone */

/* Why the open file will not do; NULL: it will. */
static const char *objection(int fd) {
    struct stat status;
    if (nwi_sys()->fstat(fd, &status) != 0)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return "it is not a regular file";
    if (status.st_uid != geteuid())
        return "it belongs to another user";
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return "others than its owner can use it; chmod 600 it first";
    return NULL;
}

static void open_file(void) {
    const char *path = secure_getenv("SSLKEYLOGFILE");
    if (path == NULL || path[0] == '\0')
        return;
    /* O_NONBLOCK: a pipe without a reader must not stop us here. */
    int fd = nwi_sys()->open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    const char *why =
        fd < 0 ? (errno == ELOOP ? "it is a symbolic link" : strerror(errno)) : objection(fd);
    if (why != NULL) {
        nwi_log(NWI_LOG_ERROR, "tls", "keylog", "SSLKEYLOGFILE=%s is not used: %s", path, why);
        if (fd >= 0)
            nwi_sys()->close(fd);
        return;
    }
    nwi_log(NWI_LOG_ERROR, "tls", "keylog",
            "SSLKEYLOGFILE is set: the secrets of every TLS session go to %s; whoever reads it can "
            "read the traffic",
            path);
    file = fd;
}

static char *write_hex(char *to, const unsigned char *octets, size_t count) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *to++ = digits[octets[i] >> 4];
        *to++ = digits[octets[i] & 15];
    }
    return to;
}

/* Called by GnuTLS whenever a secret has been derived. The answer 0 lets the handshake go on: that
 * a disk is full is no reason to end a connection. */
static int write_line(gnutls_session_t session, const char *label, const gnutls_datum_t *secret) {
    char line[LABEL_MOST + 2 * RANDOM_SIZE + 2 * SECRET_MOST + 4];
    gnutls_datum_t client = {0}, server = {0};
    size_t length = strlen(label);
    gnutls_session_get_random(session, &client, &server);
    if (length > LABEL_MOST || client.size != RANDOM_SIZE || secret->size > SECRET_MOST)
        return 0;
    memcpy(line, label, length);
    char *end = line + length;
    *end++ = ' ';
    end = write_hex(end, client.data, client.size);
    *end++ = ' ';
    end = write_hex(end, secret->data, secret->size);
    *end++ = '\n';
    if (nwi_sys()->write(file, line, (size_t)(end - line)) < 0)
        nwi_log(NWI_LOG_NOTICE, "tls", "keylog", "a secret could not be written: %s",
                strerror(errno));
    gnutls_memset(line, 0, sizeof line);
    return 0;
}

void nwi_tls_keylog_attach(gnutls_session_t session) {
    pthread_once(&opened, open_file);
    gnutls_session_set_keylog_function(session, file >= 0 ? write_line : NULL);
}
