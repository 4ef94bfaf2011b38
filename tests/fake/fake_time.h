/*
 * fake_time.h - time that a test moves: the clocks of the process, and the alarms of its layers.
 * What:   a program linked with fake_time.c has no alarms of a loop (src/dispatch/alarm.c); its
 *         clocks stand still until fake_time_pass(). Libraries underneath see the same clocks.
 * Runs:   one thread.
 */
#ifndef FAKE_TIME_H
#define FAKE_TIME_H

#include "base/clock.h"

/* When the next alarm fires; NWI_NEVER: none is set. */
nwi_ns fake_time_next(void);
/* The clocks go on to `until`; alarms fire on the way, each at its time. */
void fake_time_pass(nwi_ns until);

#endif
