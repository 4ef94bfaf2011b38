/*
 * signals.c - Ctrl-C and its kin end a tool in good order.
 * What:   a dispatch source for each signal; handlers are plain functions on the main queue.
 * Runs:   on the main queue.
 * Owns:   the sources, for the life of the process.
 */
#include "common/signals.h"

#include <dispatch/dispatch.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct watch {
    int number;
    unsigned seen;
};

static struct watch watches[] = {{.number = SIGINT}, {.number = SIGTERM}, {.number = SIGHUP}};
static void *receiver;
static void (*interrupt_receiver)(void *context, int status);

static void on_signal(void *context) {
    struct watch *watch = context;
    int status = 128 + watch->number;
    if (watch->seen++ > 0)
        _exit(status); /* asked twice: the good order takes too long */
    interrupt_receiver(receiver, status);
}

void tool_signals_watch(void *context, void (*interrupt)(void *context, int status)) {
    receiver = context;
    interrupt_receiver = interrupt;
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < sizeof watches / sizeof watches[0]; i++) {
        struct sigaction before;
        /* nohup and background jobs of a shell: a signal ignored at birth stays so */
        if (sigaction(watches[i].number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
            continue;
        dispatch_source_t source =
            dispatch_source_create(DISPATCH_SOURCE_TYPE_SIGNAL, (uintptr_t)watches[i].number, 0,
                                   dispatch_get_main_queue());
        if (source == NULL)
            continue;
        signal(watches[i].number, SIG_IGN);
        dispatch_set_context(source, &watches[i]);
        dispatch_source_set_event_handler_f(source, on_signal);
        dispatch_activate(source);
    }
}
