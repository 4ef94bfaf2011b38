/*
 * file_watch.h - a descriptor that becomes readable when one of a few files may have changed.
 * What:   inotify on the folder that holds each file, or on the nearest one above it that exists,
 *         so that files and folders that come later are seen. After a change the caller opens a new
 *         watch, then reads the files, and closes this one: nothing slips between.
 * Source: inotify(7).
 * Runs:   any thread; nothing waits.
 */
#ifndef NWI_SYS_FILE_WATCH_H
#define NWI_SYS_FILE_WATCH_H

#include "base/err.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { NWI_FILE_WATCH_MAX = 4 };

struct nwi_file_watch {
    int fd; /* non-blocking; -1: none */
    size_t count;
    struct {
        int folder;              /* its watch descriptor */
        int file;                /* of the file itself, or what it is a link to; -1: not there */
        char name[NAME_MAX + 1]; /* in the folder: the file, or the next folder towards it */
    } spots[NWI_FILE_WATCH_MAX];
};

/* `paths`: absolute, borrowed. Errors: posix EMFILE, ENOMEM, ENOSPC (limits of inotify), ... */
nwi_err nwi_file_watch_open(const char *const *paths, size_t count, struct nwi_file_watch *ret);
/* Reads all that waits; *ret_changed: one of the files, or a folder on the way to it, came, went or
 * changed. Errors: those of read, not would-block. */
nwi_err nwi_file_watch_drain(struct nwi_file_watch *watch, bool *ret_changed);
/* -1 afterwards; a watch without a descriptor is fine. */
void nwi_file_watch_close(struct nwi_file_watch *watch);

#endif
