/*
 * profiles.c - the profiles built in, and finding one by its name.
 * Source: names and numbers of Apple's Network Link Conditioner, as its preference pane lists them.
 * Runs:   pure but for memory.
 */
#include "profiles.h"

#include <stdlib.h>
#include <strings.h>

#define MS(n) ((int64_t)(n)*1000000)
#define KBIT(n) ((uint64_t)(n)*1000)

static const struct nwlink_profile built_in[] = {
    {"100% Loss", {{.loss = 1}, {.loss = 1}}},
    {"3G",
     {[NWLINK_UP] = {.rate = KBIT(330), .delay = MS(100)},
      [NWLINK_DOWN] = {.rate = KBIT(780), .delay = MS(100)}}},
    {"DSL",
     {[NWLINK_UP] = {.rate = KBIT(256), .delay = MS(5)},
      [NWLINK_DOWN] = {.rate = KBIT(2000), .delay = MS(5)}}},
    {"Edge",
     {[NWLINK_UP] = {.rate = KBIT(200), .delay = MS(440)},
      [NWLINK_DOWN] = {.rate = KBIT(240), .delay = MS(400)}}},
    /* The question waits, the answer does not: one lookup is 3 s late, not 6. */
    {"High Latency DNS", {[NWLINK_UP] = {.dns_delay = MS(3000)}}},
    {"LTE",
     {[NWLINK_UP] = {.rate = KBIT(10000), .delay = MS(65)},
      [NWLINK_DOWN] = {.rate = KBIT(50000), .delay = MS(50)}}},
    {"Very Bad Network",
     {[NWLINK_UP] = {.rate = KBIT(1000), .delay = MS(500), .loss = 0.1},
      [NWLINK_DOWN] = {.rate = KBIT(1000), .delay = MS(500), .loss = 0.1}}},
    {"Wi-Fi",
     {[NWLINK_UP] = {.rate = KBIT(33000), .delay = MS(1)},
      [NWLINK_DOWN] = {.rate = KBIT(40000), .delay = MS(1)}}},
    {"Wi-Fi 802.11ac",
     {[NWLINK_UP] = {.rate = KBIT(100000), .delay = MS(1)},
      [NWLINK_DOWN] = {.rate = KBIT(250000), .delay = MS(1)}}},
    {"Perfect", {{0}, {0}}},
};
enum { BUILT_IN = sizeof built_in / sizeof built_in[0] };

const struct nwlink_profile *nwlink_profile_at(const struct nwlink_profiles *profiles,
                                               size_t index) {
    if (index < profiles->count)
        return &profiles->own[index];
    index -= profiles->count;
    return index < BUILT_IN ? &built_in[index] : NULL;
}

const struct nwlink_profile *nwlink_profile_find(const struct nwlink_profiles *profiles,
                                                 const char *name) {
    const struct nwlink_profile *profile;
    for (size_t i = 0; (profile = nwlink_profile_at(profiles, i)) != NULL; i++)
        if (strcasecmp(profile->name, name) == 0)
            return profile;
    return NULL;
}

void nwlink_profiles_free(struct nwlink_profiles *profiles) {
    free(profiles->own);
    profiles->own = NULL;
    profiles->count = 0;
}
