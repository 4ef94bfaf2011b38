/*
 * source_timer.c - TIMER sources.
 * What:   a time on the monotonic clock is a timer of the loop; a time on the wall clock is a
 *         timerfd, which follows when that clock is set. Either is armed for one fire and armed
 *         again after the handler, which is told how many intervals have passed: a fast timer never
 *         fills a queue.
 * Runs:   fire and ready on the loop; the rest locked, on any thread.
 * Note:   leeway is permission to be late, and is not used.
 */
#include "base/log.h"
#include "dispatch/source_internal.h"
#include <sys/timerfd.h>
#include <unistd.h>

static bool accepts(uintptr_t handle, uintptr_t mask) {
    return handle == 0 && (mask & ~(uintptr_t)DISPATCH_TIMER_STRICT) == 0;
}

static nwi_ns wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (nwi_ns)now.tv_sec * NWI_SEC + (nwi_ns)now.tv_nsec;
}

/* --- the loop's side --- */

static void fire(struct nwi_timer *timer) {
    dispatch_source_t source = nwi_container_of(timer, struct dispatch_source_s, as.timer.timer);
    nwi_source_lock(source);
    if (source->as.timer.stale > 0) {
        source->as.timer.stale--;
    } else {
        source->as.timer.armed = false;
        nwi_source_happened(source);
    }
    nwi_source_unlock(source);
    nwi_source_drop(source); /* what arm() took */
}

static void ready(struct nwi_io *io, unsigned events) {
    (void)events;
    dispatch_source_t source = nwi_container_of(io, struct dispatch_source_s, as.timer.io);
    uint64_t count;
    nwi_source_lock(source);
    if (source->locked.installed && source->as.timer.has_wall && source->as.timer.wall) {
        if (read(io->fd, &count, sizeof(count)) == (ssize_t)sizeof(count)) {
            source->as.timer.armed = false;
            nwi_source_happened(source);
        } else {
            nwi_io_arm(io, NWI_IO_READ); /* it was set anew meanwhile */
        }
    }
    nwi_source_unlock(source);
}

static void stopped(struct nwi_io *io) {
    nwi_source_drop(nwi_container_of(io, struct dispatch_source_s, as.timer.io));
}

/* --- arming (locked) --- */

static nwi_err arm_monotonic(dispatch_source_t source) {
    nwi_source_keep(source);
    nwi_err err = nwi_timer_set(&source->as.timer.timer, source->as.timer.next);
    if (err != 0)
        nwi_source_drop(source); /* never the last one: the caller holds another */
    return err;
}

static nwi_err make_wall(dispatch_source_t source) {
    struct nwi_io *io = &source->as.timer.io;
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0)
        return nwi_posix(errno);
    io->ready = ready;
    io->stopped = stopped;
    nwi_err err = nwi_io_start(io, nwi_loop_pick(), fd, NWI_IO_ONESHOT);
    if (err != 0) {
        close(fd);
        return err;
    }
    source->as.timer.wall_fd = fd;
    source->as.timer.has_wall = true;
    nwi_source_keep(source); /* until stopped() */
    return 0;
}

static nwi_err arm_wall(dispatch_source_t source) {
    nwi_err err = source->as.timer.has_wall ? 0 : make_wall(source);
    if (err != 0)
        return err;
    nwi_ns next = source->as.timer.next > 0 ? source->as.timer.next : 1; /* 0 would disarm */
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(next / NWI_SEC), .tv_nsec = (long)(next % NWI_SEC)}};
    if (timerfd_settime(source->as.timer.wall_fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        return nwi_posix(errno);
    return nwi_io_arm(&source->as.timer.io, NWI_IO_READ);
}

/* Without a descriptor for it, a time on the wall clock is kept as the time from now: late or early
 * only when that clock is set meanwhile. */
static nwi_err arm_by_distance(dispatch_source_t source) {
    nwi_ns now = wall_now(), next = source->as.timer.next;
    source->as.timer.wall = false;
    source->as.timer.next = nwi_now() + (next > now ? next - now : 0);
    return arm_monotonic(source);
}

static void arm(dispatch_source_t source) {
    if (!source->as.timer.set || source->as.timer.armed || source->as.timer.next == NWI_NEVER)
        return;
    source->as.timer.armed = true;
    char text[128];
    nwi_err err = source->as.timer.wall ? arm_wall(source) : arm_monotonic(source);
    if (err != 0 && source->as.timer.wall) {
        nwi_log(NWI_LOG_ERROR, "dispatch", "source", "timer does not follow the wall clock: %s",
                nwi_err_format(err, text, sizeof(text)));
        err = arm_by_distance(source);
    }
    if (err == 0)
        return;
    source->as.timer.armed = false;
    nwi_log(NWI_LOG_ERROR, "dispatch", "source", "timer cannot be set: %s",
            nwi_err_format(err, text, sizeof(text)));
}

static void disarm(dispatch_source_t source) {
    if (!source->as.timer.armed)
        return;
    source->as.timer.armed = false;
    if (source->as.timer.wall) {
        struct itimerspec off = {0};
        if (source->as.timer.has_wall &&
            timerfd_settime(source->as.timer.wall_fd, 0, &off, NULL) != 0)
            nwi_log(NWI_LOG_ERROR, "dispatch", "source", "timer cannot be stopped: %m");
    } else if (nwi_timer_stop(&source->as.timer.timer)) {
        nwi_source_drop(source); /* never the last one: the caller holds another */
    } else {
        source->as.timer.stale++; /* fire() is on its way, and drops the reference itself */
    }
}

/* What is set again and again, such as a time-out that is put off, keeps its place in the heap. */
static bool move(dispatch_source_t source, bool wall, nwi_ns next) {
    if (!source->as.timer.armed || source->as.timer.wall || wall || next == NWI_NEVER ||
        !nwi_timer_move(&source->as.timer.timer, next))
        return false;
    source->as.timer.next = next;
    return true;
}

/* --- the kind --- */

static nwi_err install(dispatch_source_t source) {
    nwi_timer_init(&source->as.timer.timer, nwi_loop_pick(), fire);
    arm(source);
    return 0;
}

static void uninstall(dispatch_source_t source) {
    disarm(source);
    if (source->as.timer.has_wall) {
        nwi_io_stop(&source->as.timer.io);
        close(source->as.timer.wall_fd);
        source->as.timer.has_wall = false;
    }
}

static uintptr_t take(dispatch_source_t source) {
    nwi_ns now = source->as.timer.wall ? wall_now() : nwi_now(), next = source->as.timer.next;
    uint64_t interval = source->as.timer.interval, fires = 1, ahead;
    if (interval == 0) {
        source->as.timer.next = NWI_NEVER;
        return 1;
    }
    if (now > next)
        fires += (now - next) / interval;
    if (__builtin_mul_overflow(fires, interval, &ahead) ||
        __builtin_add_overflow(next, ahead, &source->as.timer.next))
        source->as.timer.next = NWI_NEVER;
    return (uintptr_t)fires;
}

const struct nwi_source_kind nwi_source_timer = {.name = "timer",
                                                 .accepts = accepts,
                                                 .install = install,
                                                 .uninstall = uninstall,
                                                 .take = take,
                                                 .rearm = arm};

/* Wall-clock times have the top bit set (time.c). */
static bool is_wall(dispatch_time_t when) {
    return when >> 63 != 0 && when != DISPATCH_TIME_FOREVER;
}

void dispatch_source_set_timer(dispatch_source_t source, dispatch_time_t start, uint64_t interval,
                               uint64_t leeway) {
    (void)leeway;
    if (!nwi_source_check(source, __func__))
        return;
    if (source->kind != &nwi_source_timer) {
        nwi_log_misuse(__func__, "not a timer source");
        return;
    }
    nwi_source_lock(source);
    source->locked.happened = false;
    source->as.timer.set = true;
    /* 0 is the shortest interval there is; one too long to count is never over. */
    source->as.timer.interval = interval > INT64_MAX ? 0 : interval == 0 ? 1 : interval;
    nwi_ns now = nwi_now(), next = nwi_dispatch_deadline(start);
    bool wall = is_wall(start);
    if (wall && next != NWI_NEVER) {
        nwi_ns since = wall_now();
        next =
            next > now ? since + (next - now) : since - (now - next < since ? now - next : since);
    }
    if (!move(source, wall, next)) {
        disarm(source);
        source->as.timer.wall = wall;
        source->as.timer.next = next;
        if (source->locked.installed)
            arm(source);
    }
    nwi_source_unlock(source);
}
