/*
 * shrink.h - making a failing plan smaller.
 */
#ifndef TESTS_MODEL_CONNECTION_SHRINK_H
#define TESTS_MODEL_CONNECTION_SHRINK_H

#include "plan.h"

/* Takes steps out of the plan for as long as it still fails without them, for `seconds` at most.
 * False: not even the whole plan failed once more. */
bool plan_shrink(struct plan *plan, bool faults, unsigned seconds);

#endif
