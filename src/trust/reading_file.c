/*
 * reading_file.c - what a file holds of an identity.
 * What:   the whole file, up to a limit, into memory that is wiped before it is given back.
 * Source: open(2), read(2).
 * Runs:   the thread of the public call; blocks as long as the file does.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "sys/sockets.h"
#include "sys/table.h"
#include "trust/reading.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct content {
    unsigned char *octets;
    size_t size, room;
};

static void forget(struct content *content) {
    if (content->octets != NULL)
        gnutls_memset(content->octets, 0, content->room);
    nwi_free(content->octets);
    *content = (struct content){0};
}

/* realloc would leave a copy behind. */
static bool grow(struct content *content) {
    enum { FIRST_ROOM = 16384 };
    struct content larger = {.size = content->size,
                             .room = content->room > 0 ? content->room * 2 : FIRST_ROOM};
    larger.octets = nwi_alloc_raw(larger.room);
    if (larger.octets == NULL)
        return false;
    if (content->size > 0)
        memcpy(larger.octets, content->octets, content->size);
    forget(content);
    *content = larger;
    return true;
}

static bool read_all(struct nwi_reading *reading, int fd, const char *path,
                     struct content *content) {
    while (content->size <= NWI_READING_OCTETS_MAX) {
        if (content->size == content->room && !grow(content))
            return nwi_reading_fault(reading, path, GNUTLS_E_MEMORY_ERROR);
        ssize_t got =
            nwi_sys()->read(fd, content->octets + content->size, content->room - content->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return nwi_reading_fail(reading, "%s: %s", path, nwi_err_text(nwi_posix(errno)));
        if (got == 0)
            return true;
        content->size += (size_t)got;
    }
    return nwi_reading_fail(reading, "%s: more than 1 MiB", path);
}

static void warn_of_readers(int fd, const char *path) {
    struct stat status;
    if (nwi_sys()->fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & S_IRWXO) != 0)
        nwi_log(NWI_LOG_ERROR, "identity", "readable",
                "%s holds a private key and everybody may read or write it (mode %04o): chmod 600",
                path, (unsigned)(status.st_mode & 07777));
}

bool nwi_reading_take_file(struct nwi_reading *reading, const char *path,
                           enum nwi_reading_wish wish) {
    struct content content = {0};
    bool had_key = reading->key.key != NULL;
    if (nwi_reading_is_url(path))
        return (!(wish & NWI_READ_KEY) || nwi_reading_take_token_key(reading, path)) &&
               (!(wish & NWI_READ_CERTIFICATES) ||
                nwi_reading_take_token_certificates(reading, path, (wish & NWI_READ_KEY) != 0));
    int fd = nwi_sys()->open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0)
        return nwi_reading_fail(reading, "%s: %s", path, nwi_err_text(nwi_posix(errno)));
    bool taken = read_all(reading, fd, path, &content) &&
                 nwi_reading_take(reading, path, content.octets, content.size, wish);
    if (taken && !had_key && reading->key.key != NULL)
        warn_of_readers(fd, path);
    nwi_socket_close(fd);
    forget(&content);
    return taken;
}
