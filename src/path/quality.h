/*
 * quality.h - from the strength of a signal to the quality of a link.
 * Source: libnw-network.conf(5) says the same to users. Two thirds of the way from -100 dBm, where
 *         nothing is heard, to -40 dBm, beside the antenna, carry full rates; one third carries
 *         little more than voice.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_QUALITY_H
#define NWI_PATH_QUALITY_H

#include <Network/path.h>

enum {
    NWI_QUALITY_GOOD = 60,     /* percent and more: good */
    NWI_QUALITY_MODERATE = 35, /* the same: moderate; below: minimal */
    NWI_QUALITY_MARGIN = 5,    /* more, to become better than before */
};

static inline nw_link_quality_t nwi_quality_of(unsigned percent) {
    return percent >= NWI_QUALITY_GOOD       ? nw_link_quality_good
           : percent >= NWI_QUALITY_MODERATE ? nw_link_quality_moderate
                                             : nw_link_quality_minimal;
}

/* `before`: what it was, or unknown. A signal that wavers about a threshold stays on one side. */
static inline nw_link_quality_t nwi_quality_next(nw_link_quality_t before, unsigned percent) {
    nw_link_quality_t now = nwi_quality_of(percent);
    if (before == nw_link_quality_unknown || now <= before)
        return now;
    now = nwi_quality_of(percent > NWI_QUALITY_MARGIN ? percent - NWI_QUALITY_MARGIN : 0);
    return now > before ? now : before;
}

static inline unsigned nwi_quality_percent(int dbm) {
    return dbm <= -100 ? 0 : dbm >= -40 ? 100 : (unsigned)(dbm + 100) * 100 / 60;
}

#endif
