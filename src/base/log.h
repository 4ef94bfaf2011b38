/*
 * log.h - what libnw says about itself.
 * What:   lines "C1.1.2 preparing -> ready" at a level. NW_LOG=debug|info|notice|error|off chooses
 *         what goes to stderr (default error); the same records go as structured fields (NW_NAME,
 *         NW_EVENT, MESSAGE) to the journal where one runs and NW_LOG allows the level (info and up
 *         when NW_LOG is unset).
 * Runs:   on any thread; takes no lock that user code could hold.
 */
#ifndef NWI_BASE_LOG_H
#define NWI_BASE_LOG_H

#include <stdbool.h>

enum nwi_log_level {
    NWI_LOG_ERROR = 3,
    NWI_LOG_NOTICE = 5,
    NWI_LOG_INFO = 6,
    NWI_LOG_DEBUG = 7
}; /* syslog's */

/* Cheap: one load. Use it before building costly arguments. */
bool nwi_log_enabled(enum nwi_log_level level);
/* name: tree name such as "C8.1.2", or a module ("resolver"). event: a stable word ("state",
 * "attempt"). */
void nwi_log(enum nwi_log_level level, const char *name, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Misuse of the public API (a null argument, a call in the wrong state): logged as an error, never
 * a crash. */
void nwi_log_misuse(const char *function, const char *what);

/* Tests: receives every record instead of stderr and the journal; NULL restores. */
typedef void (*nwi_log_sink)(enum nwi_log_level level, const char *name, const char *event,
                             const char *message);
void nwi_log_set_sink(nwi_log_sink sink);

#endif
