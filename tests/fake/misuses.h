/*
 * misuses.h - counts what the library calls misuse: give count_misuse to nwi_log_set_sink.
 */
#ifndef NWI_FAKE_MISUSES_H
#define NWI_FAKE_MISUSES_H

#include "base/log.h"
#include <string.h>

static int misuses;

static void count_misuse(enum nwi_log_level level, const char *name, const char *event,
                         const char *message) {
    (void)level, (void)name, (void)message;
    misuses += strcmp(event, "misuse") == 0;
}

#endif
