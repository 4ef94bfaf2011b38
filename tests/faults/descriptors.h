/*
 * descriptors.h - counts this process's open descriptors, for tests that must leave none behind.
 */
#ifndef NWI_FAULTS_DESCRIPTORS_H
#define NWI_FAULTS_DESCRIPTORS_H

#include "fake/await.h"

#include <dirent.h>

static inline unsigned open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    unsigned count = 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Lingering closes end on the library's own threads, which tell nobody: looked for until there. */
static inline void assert_descriptors(unsigned expected, const char *what) {
    enum { CLOSE_SECONDS = 10 };
    for (int i = 0; i < CLOSE_SECONDS * 1000 && open_descriptors() > expected; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (open_descriptors() > expected)
        fail_msg("%s: %u descriptors open, %u before", what, open_descriptors(), expected);
}

#endif
