/*
 * weave_loop.c - the loop in every interleaving: posting, sleeping, timers, descriptors, and the
 * hand-over of the loop of a stuck thread.
 * What:   thread.c, io.c, timer.c as they are; loop.c and monitor.c are included below, since their
 *         threads are begun here. The kernel (epoll, eventfd) is a few words. All fields of a loop
 *         that belong to its owner are plain: a thread that touches a loop which it has lost
 *         is a race with the new owner.
 * Runs:   see weave.h.
 */
#include "loop/loop.c"
#include "loop/monitor.c"
#include "weave.h"

/* --- what stands for the rest --- */

enum { NOW, BEGUN, ENDED, MONITOR_AWAKE, TURNS }; /* facts */
static unsigned edge;       /* the eventfd has been written to since the last fetch */
static unsigned io_pending; /* events of the one descriptor */
static unsigned registered; /* the kernel watches it */
static struct nwi_io io;

nwi_ns nwi_now(void) {
    return weave_fact(NOW);
}
static WEAVE_BLIND bool kernel_has_events(void *unused) {
    (void)unused;
    return edge != 0 || (io_pending != 0 && registered != 0);
}

nwi_err nwi_epoll_open(struct nwi_loop *loop) {
    (void)loop;
    return 0;
}
void nwi_epoll_close(struct nwi_loop *loop) {
    (void)loop;
}
void nwi_epoll_wake(struct nwi_loop *loop) {
    (void)loop;
    weave_kernel_exchange(&edge, 1);
}
bool nwi_epoll_has_events(const struct nwi_loop *loop) {
    (void)loop;
    return kernel_has_events(NULL);
}
nwi_err nwi_epoll_add(struct nwi_io *added) {
    (void)added;
    weave_kernel_exchange(&registered, 1);
    return 0;
}
nwi_err nwi_epoll_arm(struct nwi_io *armed, unsigned events) {
    (void)armed, (void)events;
    return 0;
}
nwi_err nwi_epoll_await_write(struct nwi_io *waiting, bool on) {
    (void)waiting, (void)on; /* the one descriptor of these scenes only reads */
    return 0;
}
nwi_err nwi_epoll_remove(struct nwi_io *removed) {
    (void)removed;
    weave_kernel_exchange(&registered, 0);
    return 0;
}
struct nwi_io *nwi_epoll_next(struct nwi_loop *loop, unsigned *ret_events) {
    struct epoll_event event = loop->batch[loop->batch_next++];
    *ret_events = event.events;
    return event.data.ptr;
}

static void fetched(struct nwi_loop *loop, unsigned events, void *ptr) {
    loop->batch[loop->batch_count].events = events;
    loop->batch[loop->batch_count++].data.ptr = ptr;
}

/* The deadline of a timer passes when the weaver likes. */
void nwi_epoll_fetch(struct nwi_loop *loop, nwi_ns deadline) {
    /* A turn begins: nothing of the last one is on the stack but why we wait. */
    weave_forget(deadline == 0 ? 1 : deadline == NWI_NEVER ? 2 : 3);
    weave_set_fact(TURNS, 1);
    if (deadline == NWI_NEVER)
        weave_wait(kernel_has_events, NULL);
    else if (deadline > nwi_now()) {
        weave_pause();
        if (!kernel_has_events(NULL))
            weave_set_fact(NOW, (unsigned)deadline);
    }
    loop->batch_next = loop->batch_count = 0;
    if (weave_kernel_exchange(&edge, 0) != 0)
        fetched(loop, EPOLLIN, NULL);
    unsigned events = weave_kernel_exchange(&io_pending, 0);
    if (events != 0 && weave_kernel_exchange(&registered, 1) != 0)
        fetched(loop, events, &io);
}

void nwi_log(enum nwi_log_level level, const char *name, const char *event, const char *format,
             ...) {
    (void)level, (void)format;
    weave_fail("log: %s %s", name, event);
}
/* --- tasks --- */

enum { TASKS = 3 };
static struct nwi_task task[TASKS];
static unsigned runs[TASKS]; /* plain: posting and running is all that orders them */

static void count(unsigned which) {
    weave_set_fact(which, weave_fact(which) + 1);
}
static bool fact_is(void *which) {
    return weave_fact((unsigned)(uintptr_t)which) != 0;
}
static bool both_have_begun(void *unused) {
    (void)unused;
    return weave_fact(BEGUN) == 2;
}

/* As the task begins. What the thread goes back to depends on the callout alone, since no scenario
 * has so many tasks that a turn would end before the last. Blind, since a task has no business in
 * the owner's fields. */
static WEAVE_BLIND void forget_all_but_callout(const struct nwi_task *self) {
    weave_forget((unsigned)(100 + loops[0].seq * TASKS + (uint64_t)(self - task)));
}

static void run_marked(struct nwi_task *self) {
    count(BEGUN);
    weave_expect(nwi_loop_current() == &loops[0]);
    runs[self - task]++;
    count(ENDED);
}
static void run_task_counted(struct nwi_task *self) {
    forget_all_but_callout(self);
    run_marked(self);
}
/* Stuck until another task has begun: only a thief can make that happen. */
static void run_stuck(struct nwi_task *self) {
    count(BEGUN);
    weave_wait(both_have_begun, NULL);
    runs[self - task]++;
    count(ENDED);
}
static void run_slow(struct nwi_task *self) {
    forget_all_but_callout(self);
    weave_pause();
    run_marked(self);
}
static void run_blocking(struct nwi_task *self) {
    forget_all_but_callout(self);
    count(BEGUN);
    nwi_loop_will_block();
    runs[self - task]++;
    count(ENDED);
}
static void run_until_watched(struct nwi_task *self) {
    forget_all_but_callout(self);
    weave_wait(fact_is, (void *)MONITOR_AWAKE);
    run_marked(self);
}

static void post(void *argument) {
    nwi_loop_post(&loops[0], &task[(uintptr_t)argument]);
}
static void post_two(void *argument) {
    post(argument);
    post((void *)((uintptr_t)argument + 1));
}
/* Its own threads begin when the loop has gone to sleep for the first time. */
struct start {
    void (*body)(void *);
    unsigned argument;
};
static void run_start(void *argument) {
    struct start start = *(struct start *)argument;
    weave_wait(fact_is, (void *)TURNS);
    start.body((void *)(uintptr_t)start.argument);
}
static void thread(void (*body)(void *), unsigned argument) {
    struct start *start = weave_alloc(sizeof(*start));
    *start = (struct start){body, argument};
    weave_thread(run_start, start);
}

/* The monitor: two looks at whatever time ... */
static void watch_early(void *unused) {
    (void)unused;
    uint64_t word = 0;
    unsigned ticks = 0;
    look_at(&loops[0], &word, &ticks);
    look_at(&loops[0], &word, &ticks);
}
/* ... and looks when nobody else can go on. */
static void watch(void *unused) {
    watch_early(unused);
    uint64_t word = 0;
    unsigned ticks = 0;
    weave_wait_until_quiet();
    for (unsigned i = 0; i < 3; i++) {
        look_at(&loops[0], &word, &ticks);
        weave_pause();
    }
}

static void prepare(void (*first)(struct nwi_task *)) {
    nwi_loop_set_patience(0);
    loop_count = 1;
    pthread_mutex_init(&loops[0].timer_lock, NULL);
    atomic_store(&loops[0].next_deadline, NWI_NEVER);
    atomic_store(&loops[0].started, true);
    weave_name(&loops[0].state, "state");
    weave_name(&loops[0].inbox, "inbox");
    weave_name(&loops[0].sleeping, "sleeping");
    weave_name(&loops[0].next_deadline, "next_deadline");
    weave_name(&deep_asleep, "deep_asleep");
    weave_name(&edge, "eventfd");
    for (unsigned i = 0; i < TASKS; i++)
        task[i].run = i == 0 ? first : run_task_counted;
    for (unsigned i = 0; i < TASKS; i++)
        weave_unscheduled(&task[i].next);
    weave_unscheduled(&loops[0].started);
    weave_unscheduled(&patience);
    weave_expect(nwi_thread_start(&loops[0]) == 0);
}

static WEAVE_BLIND void check_ended(unsigned count) {
    weave_expect(weave_fact(BEGUN) == count && weave_fact(ENDED) == count);
    for (unsigned i = 0; i < TASKS; i++)
        weave_expect(runs[i] == (i < count ? 1 : 0));
}
static void check_one(void) {
    check_ended(1);
}
static void check_two(void) {
    check_ended(2);
}
static void check_three(void) {
    check_ended(3);
}

/* What no thread of the scenario changes. */
static void without_timers(void) {
    weave_unscheduled(&loops[0].next_deadline);
}
static void without_monitor(void) {
    weave_unscheduled(&deep_asleep);
}

static void setup_posts(void) {
    prepare(run_task_counted);
    without_timers();
    without_monitor();
    thread(post_two, 0);
    thread(post, 2);
}
static void setup_stuck(void) {
    prepare(run_stuck);
    without_timers();
    without_monitor();
    thread(post_two, 0);
    thread(watch, 0);
}
static void setup_slow(void) {
    prepare(run_slow);
    without_timers();
    without_monitor();
    thread(post_two, 0);
    thread(watch_early, 0);
}
static void setup_blocking(void) {
    prepare(run_blocking);
    without_timers();
    without_monitor();
    thread(post_two, 0);
}
static void setup_blocking_watched(void) {
    setup_blocking();
    thread(watch_early, 0);
}

/* --- the monitor's own sleep --- */

static void sleep_and_tell(void *unused) {
    (void)unused;
    sleep_until_some_loop_wakes();
    weave_set_fact(MONITOR_AWAKE, 1);
}
static void setup_monitor(void) {
    prepare(run_until_watched);
    without_timers();
    thread(post, 0);
    thread(sleep_and_tell, 0);
}

/* --- timers --- */

static struct nwi_timer timer;
static bool stopped_in_time;

static void fire(struct nwi_timer *self) {
    weave_expect(self == &timer);
    count(BEGUN);
    runs[0]++;
    count(ENDED);
}
static void arm_timer(void *deadline) {
    weave_expect(nwi_timer_set(&timer, (uintptr_t)deadline) == 0);
}
static void arm_and_stop(void *deadline) {
    arm_timer(deadline);
    stopped_in_time = nwi_timer_stop(&timer);
}
static void setup_timer(void) {
    prepare(run_task_counted);
    without_monitor();
    nwi_timer_init(&timer, &loops[0], fire);
    thread(arm_timer, 5);
}
static void setup_timer_post(void) {
    setup_timer();
    thread(post, 1);
}
static WEAVE_BLIND void check_timer_post(void) {
    weave_expect(runs[0] == 1 && runs[1] == 1 && weave_fact(ENDED) == 2);
}
static void setup_stop(void) {
    prepare(run_task_counted);
    without_monitor();
    nwi_timer_init(&timer, &loops[0], fire);
    thread(arm_and_stop, 5);
}
static WEAVE_BLIND void check_stop(void) {
    weave_expect(runs[0] == (stopped_in_time ? 0 : 1));
}

/* --- descriptors --- */

static unsigned in_ready, io_events, stops; /* plain: callbacks of one descriptor do not overlap */

static void ready(struct nwi_io *self, unsigned events) {
    (void)self;
    weave_expect(in_ready++ == 0);
    weave_expect(stops == 0);
    io_events += events != 0;
    weave_pause();
    in_ready--;
}
static void stopped(struct nwi_io *self) {
    (void)self;
    weave_expect(in_ready == 0);
    stops++;
}
static void peer_writes(void *unused) {
    (void)unused;
    weave_kernel_exchange(&io_pending, NWI_IO_READ);
}
static void peer_writes_twice(void *unused) {
    peer_writes(unused);
    peer_writes(unused);
}
static void stop_io(void *unused) {
    (void)unused;
    nwi_io_stop(&io);
}
static void prepare_io(void) {
    prepare(run_task_counted);
    without_timers();
    without_monitor();
    io.ready = ready;
    io.stopped = stopped;
    weave_name(&io.delivery, "delivery");
    weave_expect(nwi_io_start(&io, &loops[0], 3, NWI_IO_EDGE) == 0);
}
static void setup_io(void) {
    prepare_io();
    thread(peer_writes_twice, 0);
    thread(watch, 0);
}
static WEAVE_BLIND void check_io(void) {
    weave_expect(io_events >= 1 && in_ready == 0 && stops == 0);
}
static void setup_io_stop(void) {
    prepare_io();
    thread(peer_writes, 0);
    thread(stop_io, 0);
}
static void setup_io_stop_stuck(void) {
    setup_io_stop();
    thread(watch_early, 0);
}
static WEAVE_BLIND void check_io_stop(void) {
    weave_expect(stops == 1 && in_ready == 0);
}

static const struct weave_scenario scenarios[] = {
    {"posts", setup_posts, check_three, false, 0},
    {"stuck", setup_stuck, check_two, false, 0},
    {"stuck-timeout", setup_stuck, check_two, false, 1},
    {"slow", setup_slow, check_two, false, 0},
    {"blocking", setup_blocking, check_two, false, 0},
    {"blocking-watched", setup_blocking_watched, check_two, true, 0},
    {"monitor", setup_monitor, check_one, false, 0},
    {"timer", setup_timer, check_one, false, 0},
    {"timer-post", setup_timer_post, check_timer_post, false, 0},
    {"timer-stop", setup_stop, check_stop, false, 0},
    {"descriptor", setup_io, check_io, false, 0},
    {"descriptor-stop", setup_io_stop, check_io_stop, false, 0},
    {"descriptor-stop-stuck", setup_io_stop_stuck, check_io_stop, true, 0},
};

int main(int argc, char **argv) {
    return weave_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
