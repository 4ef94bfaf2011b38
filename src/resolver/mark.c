/*
 * mark.c - see mark.h.
 * Source: stat(2): ctime changes with the content and with a rename over the file.
 * Runs:   in the context of its owner.
 * Owns:   nothing.
 */
#include "resolver/mark.h"
#include "sys/table.h"

bool nwi_mark_changed(struct nwi_mark *mark, const char *path) {
    struct stat status;
    struct nwi_mark now = {.known = true};
    if (nwi_sys()->stat(path, &status) == 0) {
        now.exists = true;
        now.device = status.st_dev;
        now.inode = status.st_ino;
        now.size = status.st_size;
        now.changed = status.st_ctim;
    }
    bool same = mark->known && mark->exists == now.exists && mark->device == now.device &&
                mark->inode == now.inode && mark->size == now.size &&
                mark->changed.tv_sec == now.changed.tv_sec &&
                mark->changed.tv_nsec == now.changed.tv_nsec;
    *mark = now;
    return !same;
}
