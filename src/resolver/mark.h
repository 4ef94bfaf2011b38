/*
 * mark.h - has a file changed since it was last looked at?
 * What:   remembers identity, size and time of change. One stat per question: cheaper than a watch
 *         that must also follow replaced files and symbolic links (as /etc/resolv.conf often is).
 * Runs:   in the context of its owner.
 */
#ifndef NWI_RESOLVER_MARK_H
#define NWI_RESOLVER_MARK_H

#include <stdbool.h>
#include <sys/stat.h>

struct nwi_mark { /* zero = never looked: the first question says "changed" */
    bool known, exists;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};
bool nwi_mark_changed(struct nwi_mark *mark, const char *path);

#endif
