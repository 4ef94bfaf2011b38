/*
 * main.c - nwlink: our link conditioner.
 * What:   makes the ends, puts the wire between them, and turns the loop until somebody says stop.
 * Runs:   one thread, one loop.
 */
#include "child.h"
#include "control.h"
#include "doors.h"
#include "netns.h"
#include "options.h"
#include "show.h"
#include "wire.h"

#include "common/terminal.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { STATUS_FAILED = 1, STATUS_SIGNAL = 128, LOOK_MS = 200 };

struct app;
struct end_watch {
    struct app *app;
    unsigned end;
    struct nwlink_watch watch;
};

struct app {
    struct nwlink_options options;
    struct nwlink_wire wire;
    struct nwlink_control control;
    struct nwlink_doors *doors;
    struct nwlink_show show;
    struct end_watch ends[2];
    struct nwlink_watch timer, signals;
    int loop, signal_fd;
    sigset_t mask_before;
    pid_t child; /* 0: none */
    bool done;
    int status;
};

static void end(struct app *app, int status) {
    if (!app->done)
        app->status = status;
    app->done = true;
}

static int fail(const char *why) {
    fprintf(stderr, "nwlink: %s\n", why);
    return STATUS_FAILED;
}

static void end_without(struct app *app, unsigned which) {
    char why[NWLINK_WHY];
    snprintf(why, sizeof why, "the interface '%s' is gone", app->wire.ends[which].device);
    end(app, fail(why));
}

static void on_packets(void *context, uint32_t events) {
    struct end_watch *watch = context;
    (void)events;
    if (!nwlink_wire_take(&watch->app->wire, watch->end))
        end_without(watch->app, watch->end);
}

static void on_timer(void *context, uint32_t events) {
    (void)context, (void)events; /* it has woken the loop: each turn lets out what is due */
}

static void on_signal(void *context, uint32_t events) {
    struct app *app = context;
    struct signalfd_siginfo info;
    int status;
    (void)events;
    while (read(app->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            if (app->child != 0 && nwlink_child_ended(app->child, &status)) {
                app->child = 0;
                end(app, status);
            }
        } else if (app->child != 0) { /* it decides; its end is ours */
            nwlink_child_signal(app->child, &info);
        } else {
            end(app, STATUS_SIGNAL + (int)info.ssi_signo);
        }
    }
}

/* Signals come by a descriptor. One that was ignored at birth (nohup) stays so. */
static bool watch_signals(struct app *app) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before;
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN &&
            numbers[i] != SIGCHLD)
            continue;
        sigaddset(&set, numbers[i]);
    }
    signal(SIGCHLD, SIG_DFL); /* ignored, children would leave no status */
    sigprocmask(SIG_BLOCK, &set, &app->mask_before);
    app->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    app->signals = (struct nwlink_watch){.context = app, .ready = on_signal};
    return app->signal_fd >= 0 &&
           nwlink_loop_watch(app->loop, app->signal_fd, EPOLLIN, &app->signals);
}

static bool open_ends(struct app *app, char *why) {
    struct nwlink_end ends[2];
    struct nwlink_end_wish *wishes = app->options.ends;
    for (unsigned i = 0; i < 2; i++)
        if (!nwlink_end_open(&ends[i], &wishes[i], &wishes[!i], why)) {
            if (i == 1)
                nwlink_end_close(&ends[0]);
            return false;
        }
    if (!nwlink_wire_init(&app->wire, ends, app->options.seed, app->options.memory, why))
        return false;
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
        app->wire.halves[d].link.conditions = app->options.conditions[d];
    return true;
}

static bool watch_wire(struct app *app) {
    app->timer = (struct nwlink_watch){.context = app, .ready = on_timer};
    /* edge: the time itself says what is due, so nobody reads the timer */
    if (!nwlink_loop_watch(app->loop, app->wire.timer, EPOLLIN | EPOLLET, &app->timer))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        app->ends[i] = (struct end_watch){
            .app = app, .end = i, .watch = {.context = &app->ends[i], .ready = on_packets}};
        if (!nwlink_loop_watch(app->loop, app->wire.ends[i].fd, EPOLLIN, &app->ends[i].watch))
            return false;
    }
    return true;
}

static bool set_realtime(char *why) {
    struct sched_param param = {.sched_priority = 10};
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0)
        return true;
    snprintf(why, NWLINK_WHY, "--realtime: %s", strerror(errno));
    return false;
}

/* While an interface is down, some looks a second: there is no event when it goes for good. */
static int wait_for(const struct app *app) {
    int wait = nwlink_show_wait(&app->show);
    bool down = app->wire.down[0] || app->wire.down[1];
    return down && (wait < 0 || wait > LOOK_MS) ? LOOK_MS : wait;
}

static void turn(struct app *app) {
    nwlink_loop_turn(app->loop, wait_for(app));
    if (!app->done && !nwlink_wire_is_whole(&app->wire))
        end_without(app, app->wire.down[0] ? 0 : 1);
    nwlink_wire_let_out(&app->wire);
    nwlink_doors_sweep(app->doors);
    nwlink_show_turn(&app->show);
    if (app->control.quit)
        end(app, 0);
}

static bool start_child(struct app *app, int place, char *why) {
    if (app->options.command != NWLINK_RUN)
        return true;
    app->child = nwlink_child_start(app->options.child, place, &app->mask_before, why);
    return app->child > 0;
}

/* The wire stands; false and `why` when it does not. */
static bool put_up(struct app *app, int *place, char *why) {
    if (app->options.realtime && !set_realtime(why))
        return false;
    if (app->options.command == NWLINK_RUN) {
        *place = nwlink_netns_create(why);
        if (*place < 0)
            return false;
        app->options.ends[0].place_fd = *place;
        app->options.ends[1].place = ".";
    }
    if (!open_ends(app, why))
        return false;
    if (!watch_wire(app)) {
        snprintf(why, NWLINK_WHY, "epoll: %s", strerror(errno));
        return false;
    }
    app->control = (struct nwlink_control){.wire = &app->wire, .profiles = &app->options.profiles};
    if (app->options.control == NULL)
        return true;
    app->doors = nwlink_doors_open(app->loop, &app->control, app->options.control, why);
    return app->doors != NULL;
}

static int serve(struct app *app) {
    char why[NWLINK_WHY];
    int place = -1;
    app->wire.timer = app->wire.ends[0].fd = app->wire.ends[1].fd = -1;
    app->loop = nwlink_loop_create();
    if (app->loop < 0 || !watch_signals(app))
        return fail(strerror(errno));
    if (!app->options.seeded && getrandom(&app->options.seed, 4, 0) != 4)
        return fail("no random seed");
    bool good = put_up(app, &place, why);
    if (good) {
        nwlink_show_start(&app->show, &app->options, &app->wire);
        good = start_child(app, place, why);
    }
    if (!good)
        end(app, fail(why));
    while (!app->done)
        turn(app);
    if (app->child != 0)
        nwlink_child_stop(app->child);
    if (good)
        nwlink_show_end(&app->show, app->status);
    nwlink_doors_close(app->doors);
    nwlink_wire_free(&app->wire);
    return app->status;
}

int main(int argc, char **argv) {
    static struct app app;
    tool_fill_standard_descriptors();
    int status = nwlink_options_parse(&app.options, argc, argv, stdout, stderr);
    if (status == NWLINK_GO && app.options.command == NWLINK_LIST)
        status = nwlink_show_profiles(&app.options.profiles, app.options.json, stdout);
    else if (status == NWLINK_GO)
        status = serve(&app);
    nwlink_options_free(&app.options);
    return status;
}
