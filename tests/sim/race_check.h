/* race_check.h - the properties of a race, held against the log of a run (see race_check.c for
 * their list). */
#ifndef TESTS_SIM_RACE_CHECK_H
#define TESTS_SIM_RACE_CHECK_H

#include "fake/race_net.h"

enum { RACE_CHECK_GROUPS = 4 }; /* groups are 0 .. 3 in the networks checked */

struct race_check_stats {
    unsigned long won, lost, canceled, undecided, attempts, full, delayed, dropped, asked, put_off,
        held;
};

/* NULL when every property holds, else what is wrong (static, overwritten by the next call). Adds
 * to `stats`. */
const char *race_check(const struct race_net *net, const struct race_net_log *log,
                       struct race_check_stats *stats);

#endif
