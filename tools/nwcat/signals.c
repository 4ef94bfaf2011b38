/*
 * signals.c - Ctrl-C and its kin end nwcat in good order.
 * What:   a dispatch source for each signal; handlers are plain functions on the main queue.
 * Runs:   on the main queue.
 * Owns:   the sources, for the life of the process.
 */
#include "signals.h"

#include "events.h"

#include <dispatch/dispatch.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct watch {
    struct nwcat_app *app;
    int number;
    unsigned seen;
};

static struct watch watches[] = {{.number = SIGINT}, {.number = SIGTERM}, {.number = SIGHUP}};

static void on_signal(void *context) {
    struct watch *watch = context;
    struct nwcat_app *app = watch->app;
    int status = 128 + watch->number;
    if (watch->seen++ > 0 || app->interrupt == NULL)
        _exit(status); /* asked twice: the good order takes too long */
    app->interrupt(app, (enum nwcat_status)status);
}

void nwcat_signals_watch(struct nwcat_app *app) {
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < sizeof watches / sizeof watches[0]; i++) {
        struct sigaction before;
        /* nohup and background jobs of a shell: a signal ignored at birth stays so */
        if (sigaction(watches[i].number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
            continue;
        watches[i].app = app;
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
