/*
 * file_watch.c - see file_watch.h.
 * What:   which folder to watch for which name, and which events count.
 * Source: inotify(7).
 * Runs:   any thread.
 * Owns:   the inotify descriptor of each watch.
 */
#include "sys/file_watch.h"
#include "sys/sockets.h"
#include <string.h>
#include <sys/inotify.h>

enum {
    IN_FOLDER = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB |
                IN_DELETE_SELF | IN_MOVE_SELF,
    /* Not IN_MODIFY: a file that is still being written says half of what it means. */
    IN_FILE = IN_CLOSE_WRITE | IN_ATTRIB,
    ALWAYS = IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF,
    ROUNDS = 8 /* of looking again whether a folder appeared meanwhile */
};

/* Watches the deepest folder above `path` that is there; its length in *ret_length (without the
 * slash). */
static nwi_err watch_folder(int fd, const char *path, int *ret_descriptor, size_t *ret_length) {
    char folder[PATH_MAX];
    size_t length = strlen(path);
    memcpy(folder, path, length + 1);
    for (;;) {
        while (length > 0 && folder[length] != '/')
            length--;
        folder[length] = '\0';
        int descriptor =
            nwi_sys()->inotify_add_watch(fd, length > 0 ? folder : "/", IN_FOLDER | IN_ONLYDIR);
        if (descriptor >= 0) {
            *ret_descriptor = descriptor;
            *ret_length = length;
            return 0;
        }
        if (length == 0 || (errno != ENOENT && errno != ENOTDIR && errno != EACCES))
            return nwi_posix(errno);
        length--; /* past the slash: on to the folder above */
    }
}

static nwi_err add_spot(struct nwi_file_watch *watch, const char *path) {
    size_t length = 0, before = SIZE_MAX, spot = watch->count;
    if (*path != '/' || strlen(path) >= PATH_MAX)
        return nwi_posix(EINVAL);
    /* A folder made just before the one above it was watched has told nobody: look once more. */
    for (int round = 0; round < ROUNDS && length != before; round++) {
        before = length;
        nwi_err err = watch_folder(watch->fd, path, &watch->spots[spot].folder, &length);
        if (err != 0)
            return err;
    }
    const char *name = path + length + 1;
    size_t size = strcspn(name, "/");
    if (size > NAME_MAX)
        return nwi_posix(ENAMETOOLONG);
    memcpy(watch->spots[spot].name, name, size);
    watch->spots[spot].name[size] = '\0';
    watch->spots[spot].file =
        name[size] == '\0' ? nwi_sys()->inotify_add_watch(watch->fd, path, IN_FILE) : -1;
    watch->count++;
    return 0;
}

nwi_err nwi_file_watch_open(const char *const *paths, size_t count, struct nwi_file_watch *ret) {
    struct nwi_file_watch watch = {.fd = -1};
    if (count > NWI_FILE_WATCH_MAX)
        return nwi_posix(EINVAL);
    watch.fd = nwi_sys()->inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch.fd < 0)
        return nwi_posix(errno);
    for (size_t i = 0; i < count; i++) {
        nwi_err err = add_spot(&watch, paths[i]);
        if (err != 0) {
            nwi_file_watch_close(&watch);
            return err;
        }
    }
    *ret = watch;
    return 0;
}

static bool concerns(const struct nwi_file_watch *watch, const struct inotify_event *event) {
    if (event->mask & ALWAYS)
        return true;
    for (size_t i = 0; i < watch->count; i++) {
        if (event->wd == watch->spots[i].file)
            return true;
        if (event->wd == watch->spots[i].folder && event->len > 0 &&
            strcmp(event->name, watch->spots[i].name) == 0)
            return true;
    }
    return false;
}

nwi_err nwi_file_watch_drain(struct nwi_file_watch *watch, bool *ret_changed) {
    union {
        struct inotify_event event;
        char room[4096];
    } buffer;
    bool changed = false;
    for (;;) {
        ssize_t got = nwi_sys()->read(watch->fd, &buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EAGAIN)
            return nwi_posix(errno);
        if (got <= 0)
            break;
        for (size_t at = 0; at + sizeof buffer.event <= (size_t)got;) {
            const struct inotify_event *event =
                (const struct inotify_event *)(const void *)(buffer.room + at);
            changed = changed || concerns(watch, event);
            at += sizeof *event + event->len;
        }
    }
    *ret_changed = changed;
    return 0;
}

void nwi_file_watch_close(struct nwi_file_watch *watch) {
    nwi_socket_close(watch->fd);
    watch->fd = -1;
}
