/*
 * profiles.h - named conditions of both directions: those built in, and those of files.
 * What:   "up" is from the first end (the client's) to the second, "down" the way back.
 */
#ifndef NWLINK_PROFILES_H
#define NWLINK_PROFILES_H

#include "conditions.h"

enum nwlink_direction { NWLINK_UP, NWLINK_DOWN, NWLINK_DIRECTIONS };

enum { NWLINK_NAME = 64, NWLINK_PROFILES_MAX = 256 }; /* octets of a name; profiles of the files */

struct nwlink_profile {
    char name[NWLINK_NAME];
    struct nwlink_conditions conditions[NWLINK_DIRECTIONS];
};

struct nwlink_profiles { /* zero: only those built in */
    struct nwlink_profile *own;
    size_t count;
};

/* By name, in any case; those of files come before those built in. NULL: there is none. */
const struct nwlink_profile *nwlink_profile_find(const struct nwlink_profiles *profiles,
                                                 const char *name);
/* The index-th of all; NULL after the last. */
const struct nwlink_profile *nwlink_profile_at(const struct nwlink_profiles *profiles,
                                               size_t index);
/* Adds the profiles of a text that came from `file`. False: `why` (NWLINK_WHY octets) names file,
 * line and value, and nothing was added. The syntax is in nwlink(1). */
bool nwlink_profiles_parse(struct nwlink_profiles *profiles, const char *text, const char *file,
                           char *why);
/* The same for a file, of 1 MB at most. */
bool nwlink_profiles_load(struct nwlink_profiles *profiles, const char *path, char *why);
void nwlink_profiles_free(struct nwlink_profiles *profiles);

#endif
