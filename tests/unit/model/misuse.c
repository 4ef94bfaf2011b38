/* misuse.c - the counter behind misuse.h. One thread. */
#include "misuse.h"
#include "base/log.h"
#include <stdio.h>

static unsigned count;
static char last[256];

static void sink(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    (void)event;
    if (level != NWI_LOG_ERROR)
        return;
    count++;
    snprintf(last, sizeof last, "%s: %s", name, message);
}

int misuse_setup(void **state) {
    (void)state;
    nwi_log_set_sink(sink);
    return 0;
}

int misuse_teardown(void **state) {
    (void)state;
    nwi_log_set_sink(NULL);
    return count == 0 ? 0 : -1;
}

unsigned misuse_take(void) {
    unsigned taken = count;
    count = 0;
    return taken;
}

const char *misuse_text(void) {
    return last;
}
