/*
 * log.c - records to stderr and to the journal.
 * What:   one record = level, name, event, message. stderr gets one line by one write(2); the
 *         journal, where one runs, gets the same as fields.
 * Runs:   on any thread; takes no lock.
 * Owns:   the two thresholds, read from NW_LOG at first use.
 */
#include "base/log.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* the place that matters is the caller's, not this file */
#include <systemd/sd-journal.h>

enum { OFF = -1, UNREAD = INT_MIN, MESSAGE_MAX = 1024, LINE_MAX_SIZE = MESSAGE_MAX + 256 };

static const struct {
    const char *word;
    int level;
} levels[] = {
    {"off", OFF},           {"error", NWI_LOG_ERROR}, {"notice", NWI_LOG_NOTICE},
    {"info", NWI_LOG_INFO}, {"debug", NWI_LOG_DEBUG},
};

/* Each is written once, by whichever thread comes first (all compute the same), and stands alone:
 * relaxed. */
static _Atomic int threshold = UNREAD; /* the noisier of the two below: what nwi_log_enabled asks */
static _Atomic int stderr_threshold = NWI_LOG_ERROR;
static _Atomic int journal_threshold = OFF; /* relaxed, as said */
/* Release in nwi_log_set_sink pairs with acquire in nwi_log: the test's own data come with it. */
static _Atomic(nwi_log_sink) test_sink;

static int read_thresholds(void) {
    const char *wish = getenv("NW_LOG");
    int to_stderr = NWI_LOG_ERROR, to_journal = NWI_LOG_INFO;
    for (size_t i = 0; wish != NULL && i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(wish, levels[i].word) == 0)
            to_stderr = to_journal = levels[i].level;
    if (access("/run/systemd/journal/socket", F_OK) != 0)
        to_journal = OFF;
    int noisier = to_stderr > to_journal ? to_stderr : to_journal;
    atomic_store_explicit(&stderr_threshold, to_stderr, memory_order_relaxed);
    atomic_store_explicit(&journal_threshold, to_journal, memory_order_relaxed);
    atomic_store_explicit(&threshold, noisier, memory_order_relaxed);
    return noisier;
}

bool nwi_log_enabled(enum nwi_log_level level) {
    int limit = atomic_load_explicit(&threshold, memory_order_relaxed);
    if (limit == UNREAD)
        limit = read_thresholds();
    return (int)level <= limit;
}

static const char *level_word(int level) {
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (levels[i].level == level)
            return levels[i].word;
    return "?";
}

/* One write, so that lines of several threads and processes do not mix. What stderr does not take
 * (closed, full pipe set to non-blocking) is lost: there is nowhere to report it. */
static void write_stderr(int level, const char *name, const char *event, const char *message) {
    struct timespec now;
    struct tm local = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    char line[LINE_MAX_SIZE];
    int length = snprintf(line, sizeof(line), "%02d:%02d:%02d.%06ld nw %s %.64s %.32s: %s\n",
                          local.tm_hour, local.tm_min, local.tm_sec, now.tv_nsec / 1000,
                          level_word(level), name, event, message);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof(line)) {
        length = sizeof(line) - 1;
        line[length - 1] = '\n';
    }
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written;
}

static void write_journal(int level, const char *name, const char *event, const char *message) {
    char message_field[MESSAGE_MAX + 128], name_field[128], event_field[96], priority_field[32];
    snprintf(message_field, sizeof(message_field), "MESSAGE=%.64s %s", name, message);
    snprintf(name_field, sizeof(name_field), "NW_NAME=%s", name);
    snprintf(event_field, sizeof(event_field), "NW_EVENT=%s", event);
    snprintf(priority_field, sizeof(priority_field), "PRIORITY=%d", level);
    const struct iovec fields[] = {
        {message_field, strlen(message_field)},
        {name_field, strlen(name_field)},
        {event_field, strlen(event_field)},
        {priority_field, strlen(priority_field)},
    };
    sd_journal_sendv(fields,
                     sizeof(fields) / sizeof(fields[0])); /* a journal that went away is no fault */
}

void nwi_log(enum nwi_log_level level, const char *name, const char *event, const char *format,
             ...) {
    if (!nwi_log_enabled(level))
        return;
    int saved_errno =
        errno; /* a log line between a call and its check must not change the outcome */
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (length < 0) {
        errno = saved_errno;
        return;
    }
    name = name != NULL ? name : "-";
    event = event != NULL ? event : "-";
    nwi_log_sink sink = atomic_load_explicit(&test_sink, memory_order_acquire);
    if (sink != NULL) {
        sink(level, name, event, message);
        errno = saved_errno;
        return;
    }
    if ((int)level <= atomic_load_explicit(&stderr_threshold, memory_order_relaxed))
        write_stderr(level, name, event, message);
    if ((int)level <= atomic_load_explicit(&journal_threshold, memory_order_relaxed))
        write_journal(level, name, event, message);
    errno = saved_errno;
}

void nwi_log_misuse(const char *function, const char *what) {
    nwi_log(NWI_LOG_ERROR, function, "misuse", "%s", what);
}

void nwi_log_set_sink(nwi_log_sink sink) {
    atomic_store_explicit(&test_sink, sink, memory_order_release);
    if (sink != NULL)
        atomic_store_explicit(&threshold, NWI_LOG_DEBUG, memory_order_relaxed);
    else
        read_thresholds();
}
