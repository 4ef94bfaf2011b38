/*
 * model.c - random programs over dispatch queues, held against the rules of queues.
 * What:   a round makes a set of queues with random targets (the main queue among them, run by this
 *         program's own poll loop) and lets some threads, and the handlers themselves, call what a
 *         seed draws. rules.h says what must hold.
 * Runs:   the main thread drains the main queue; the program's threads call; handlers on loop
 *         threads. The calls of a thread are the same for the same seed, how they meet is not.
 * Use:    queue_model [--seed N] [--steps N] [--rounds N] [--seconds N]
 *         steps of each thread in a round; ends after the rounds or the seconds, whichever is first
 */
#include "rules.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ACTORS = 3, QUEUES = 8, LEAF = QUEUES, MOST_WAITING = 200, STUCK_NS = 6000000, PERMITS = 2 };
enum { MAIN_QUEUE = 0, FIRST_FREE = 1 }; /* indices: from FIRST_FREE on queues may change target */

/* What a handler does. */
enum act { NOTHING, MORE, STUCK, SUSPEND, AWAIT, SYNC_LEAF, PERMIT, ACT_COUNT };

struct source { /* of random numbers */
    uint64_t state;
};

struct work {
    struct item item; /* first */
    struct work *next;
    enum act act;
    uint64_t seed; /* of what the handler draws */
    unsigned depth;
    bool ended_plain; /* plain: who waited for the item must see it */
    dispatch_semaphore_t finished;
    struct model_queue *resumes; /* resumes (or activates) this queue */
    bool activates;
    struct work **members; /* a notification: these have ended */
    unsigned member_count;
    struct model_queue *short_lived; /* freed with it */
};

static struct {
    struct model_queue queue[QUEUES + 1], global;
    _Atomic(struct work *) all; /* freed at the end of the round */
    dispatch_semaphore_t permits;
    atomic_int inside;
    dispatch_once_t once[4];
    int once_count[4]; /* plain */
    pthread_t main_thread;
    unsigned steps;
    bool done; /* main thread */
} world;

static uint32_t draw(struct source *source) {
    source->state = source->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(source->state >> 33);
}
static unsigned below(struct source *source, unsigned limit) {
    return draw(source) % limit;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void keep(struct work *work) {
    work->next = atomic_load(&world.all);
    while (!atomic_compare_exchange_weak(&world.all, &work->next, work)) {
    }
}

static struct work *make(struct source *source, enum act act, unsigned depth) {
    struct work *work = calloc(1, sizeof(*work));
    if (work == NULL)
        abort();
    work->act = act;
    work->seed = draw(source);
    work->depth = depth;
    keep(work);
    return work;
}

/* --- handlers --- */

static void run(void *context);

static void later(struct work *work, uint64_t delay) {
    rules_submit(&work->item, &world.global, false);
    work->item.not_before = now_ns() + delay;
    dispatch_after_f(dispatch_time(DISPATCH_TIME_NOW, (int64_t)delay), world.global.queue, work,
                     run);
}

static struct model_queue *any_queue(struct source *source) {
    return &world.queue[below(source, QUEUES)];
}

static void submit_async(struct source *source, struct work *work, struct model_queue *on) {
    bool barrier = below(source, 4) == 0;
    rules_submit(&work->item, on, barrier);
    if (barrier)
        dispatch_barrier_async_f(on->queue, work, run);
    else
        dispatch_async_f(on->queue, work, run);
    rules_submitted(&work->item);
}

static void act_stuck(void) {
    const struct timespec stuck = {.tv_nsec = STUCK_NS};
    nanosleep(&stuck, NULL); /* what it stands for: a handler that takes longer than the patience */
}

/* Exclusive items only: nothing may begin on their queue until the resume. */
static void act_suspend(struct source *source, struct work *work) {
    struct model_queue *on = work->item.on;
    if (!work->item.exclusive)
        return;
    unsigned times = 1 + below(source, 2);
    for (unsigned i = 0; i < times; i++) {
        dispatch_suspend(on->queue);
        rules_hold(on);
        struct work *resume = make(source, NOTHING, 0);
        resume->resumes = on;
        later(resume, below(source, 1000000));
    }
}

static void act_await(struct source *source) {
    struct work *other = make(source, NOTHING, 0);
    other->finished = dispatch_semaphore_create(0);
    rules_submit(&other->item, &world.global, false);
    dispatch_async_f(world.global.queue, other, run);
    rules_submitted(&other->item);
    dispatch_semaphore_wait(other->finished, DISPATCH_TIME_FOREVER);
    rules_expect(other->ended_plain);
}

static void act_sync_leaf(struct source *source) {
    struct work *other = make(source, NOTHING, 0);
    rules_submit(&other->item, &world.queue[LEAF], false);
    dispatch_sync_f(world.queue[LEAF].queue, other, run);
    rules_submitted(&other->item);
    rules_expect(other->ended_plain);
}

static void act_permit(struct source *source) {
    if (below(source, 4) == 0) {
        if (dispatch_semaphore_wait(world.permits, dispatch_time(DISPATCH_TIME_NOW, 100000)) != 0)
            return;
    } else {
        dispatch_semaphore_wait(world.permits, DISPATCH_TIME_FOREVER);
    }
    rules_expect(atomic_fetch_add(&world.inside, 1) < PERMITS);
    atomic_fetch_sub(&world.inside, 1);
    dispatch_semaphore_signal(world.permits);
}

static void run(void *context) {
    struct work *work = context;
    struct source source = {work->seed};
    rules_begin(&work->item);
    if (work->item.on->kind == MAIN)
        rules_expect(pthread_equal(pthread_self(), world.main_thread));
    if (work->resumes != NULL) {
        rules_let_go(work->resumes);
        if (work->activates) {
            dispatch_activate(work->resumes->queue);
            rules_activated(work->resumes);
        } else {
            dispatch_resume(work->resumes->queue);
        }
    }
    for (unsigned i = 0; i < work->member_count; i++)
        rules_expect(rules_ended(&work->members[i]->item) && work->members[i]->ended_plain);
    switch (work->act) {
    case MORE:
        if (work->depth > 0)
            submit_async(&source,
                         make(&source, (enum act)below(&source, ACT_COUNT), work->depth - 1),
                         any_queue(&source));
        break;
    case STUCK:
        act_stuck();
        break;
    case SUSPEND:
        act_suspend(&source, work);
        break;
    case AWAIT:
        act_await(&source);
        break;
    case SYNC_LEAF:
        act_sync_leaf(&source);
        break;
    case PERMIT:
        act_permit(&source);
        break;
    case NOTHING:
    case ACT_COUNT:
        break;
    }
    work->ended_plain = true;
    if (work->finished != NULL)
        dispatch_semaphore_signal(work->finished);
    rules_end(&work->item); /* then it may be freed */
}

/* --- what the threads of the program do --- */

static enum act any_act(struct source *source) {
    unsigned number = below(source, 40);
    if (number == 0)
        return STUCK;
    return number < 24 ? NOTHING : (enum act)(MORE + (number - 24) % (ACT_COUNT - MORE));
}

static void step_sync(struct source *source) {
    struct model_queue *on = any_queue(source);
    struct work *work = make(source, any_act(source), 2);
    bool barrier = below(source, 3) == 0, in_place = below(source, 3) == 0;
    rules_submit(&work->item, on, barrier);
    if (barrier && in_place)
        dispatch_barrier_async_and_wait_f(on->queue, work, run);
    else if (barrier)
        dispatch_barrier_sync_f(on->queue, work, run);
    else if (in_place)
        dispatch_async_and_wait_f(on->queue, work, run);
    else
        dispatch_sync_f(on->queue, work, run);
    rules_submitted(&work->item);
    rules_expect(work->ended_plain && rules_ended(&work->item));
}

static void run_iteration(void *context, size_t index) {
    run(((struct work **)context)[index]);
}
static void step_apply(struct source *source) {
    enum { MOST = 6 };
    struct work *works[MOST];
    unsigned count = 1 + below(source, MOST);
    struct model_queue *on = below(source, 3) == 0 ? &world.global : any_queue(source);
    for (unsigned i = 0; i < count; i++) {
        works[i] = make(source, NOTHING, 0);
        rules_submit(&works[i]->item, on, false);
    }
    dispatch_apply_f(count, on->queue, works, run_iteration);
    for (unsigned i = 0; i < count; i++)
        rules_expect(works[i]->ended_plain && rules_ended(&works[i]->item));
}

static void step_group(struct source *source) {
    enum { MOST = 4 };
    dispatch_group_t group = dispatch_group_create();
    struct work *notify = make(source, NOTHING, 0);
    notify->members = calloc(MOST, sizeof(*notify->members));
    notify->member_count = 1 + below(source, MOST);
    for (unsigned i = 0; i < notify->member_count; i++) {
        struct work *member = make(source, any_act(source), 1);
        struct model_queue *on = any_queue(source);
        notify->members[i] = member;
        rules_submit(&member->item, on, false);
        dispatch_group_async_f(group, on->queue, member, run);
        rules_submitted(&member->item);
    }
    struct model_queue *on = any_queue(source);
    rules_submit(&notify->item, on, false); /* returned before it is pushed: no rules_submitted */
    dispatch_group_notify_f(group, on->queue, notify, run);
    if (below(source, 2) == 0) {
        rules_expect(dispatch_group_wait(group, DISPATCH_TIME_FOREVER) == 0);
        for (unsigned i = 0; i < notify->member_count; i++)
            rules_expect(notify->members[i]->ended_plain);
    }
    dispatch_release(group);
}

static void step_after(struct source *source) {
    struct model_queue *on = any_queue(source);
    struct work *work = make(source, any_act(source), 1);
    uint64_t delay = below(source, 2000000);
    rules_submit(&work->item, on, false); /* pushed later: no rules_submitted */
    work->item.not_before = now_ns() + delay;
    dispatch_after_f(dispatch_time(DISPATCH_TIME_NOW, (int64_t)delay), on->queue, work, run);
}

/* Targets come earlier in the table, so there is never a circle. */
static void step_move(struct source *source) {
    unsigned index = FIRST_FREE + below(source, QUEUES - FIRST_FREE);
    struct model_queue *queue = &world.queue[index];
    struct model_queue *target = below(source, 3) == 0 ? NULL : &world.queue[below(source, index)];
    if (!rules_move(queue, target))
        return;
    dispatch_set_target_queue(queue->queue, target != NULL ? target->queue : NULL);
    rules_moved(queue);
}

static void set_once(void *count) {
    ++*(int *)count;
}
static void step_once(struct source *source) {
    unsigned which = below(source, 4);
    dispatch_once_f(&world.once[which], &world.once_count[which], set_once);
    rules_expect(world.once_count[which] == 1);
}

/* A queue that is released while its items wait or run: they run, then its finalizer does. */
static void step_short_lived(struct source *source) {
    enum { MOST = 4 };
    struct model_queue *on = calloc(1, sizeof(*on));
    bool serial = below(source, 2) == 0;
    struct model_queue *target = below(source, 2) == 0 ? NULL : any_queue(source);
    dispatch_queue_t queue =
        dispatch_queue_create_with_target("short-lived", serial ? NULL : DISPATCH_QUEUE_CONCURRENT,
                                          target != NULL ? target->queue : NULL);
    rules_init_queue(on, queue, serial ? SERIAL : CONCURRENT, target);
    struct work *end = make(source, NOTHING, 0);
    end->short_lived = on;
    end->members = calloc(MOST, sizeof(*end->members));
    end->member_count = below(source, MOST + 1);
    rules_submit(&end->item, target != NULL ? target : &world.global, false);
    dispatch_set_context(queue, end);
    dispatch_set_finalizer_f(queue, run);
    for (unsigned i = 0; i < end->member_count; i++) {
        end->members[i] = make(source, any_act(source), 1);
        if (end->members[i]->act == SUSPEND)
            end->members[i]->act = NOTHING; /* would be released while suspended */
        submit_async(source, end->members[i], on);
    }
    dispatch_release(queue);
}

static void *act(void *argument) {
    struct source source = {(uint64_t)(uintptr_t)argument};
    for (unsigned i = 0; i < world.steps; i++) {
        rules_wait(MOST_WAITING);
        unsigned number = below(&source, 100);
        if (number < 50)
            submit_async(&source, make(&source, any_act(&source), 3), any_queue(&source));
        else if (number < 66)
            step_sync(&source);
        else if (number < 70)
            step_apply(&source);
        else if (number < 76)
            step_group(&source);
        else if (number < 82)
            step_after(&source);
        else if (number < 90)
            step_move(&source);
        else if (number < 94)
            step_once(&source);
        else
            step_short_lived(&source);
    }
    return NULL;
}

/* --- a round --- */

static void set_done(void *unused) {
    (void)unused;
    world.done = true;
}

/* Waits for all, then tells the main thread. */
static void *conduct(void *seeds) {
    pthread_t actor[ACTORS];
    for (unsigned i = 0; i < ACTORS; i++)
        pthread_create(&actor[i], NULL, act, (void *)(uintptr_t)((uint64_t *)seeds)[i]);
    for (unsigned i = 0; i < ACTORS; i++)
        pthread_join(actor[i], NULL);
    rules_wait(0);
    dispatch_async_f(dispatch_get_main_queue(), NULL, set_done);
    return NULL;
}

static void make_queue(struct source *source, unsigned index) {
    bool serial = index == LEAF || below(source, 3) > 0, inactive = below(source, 3) == 0;
    struct model_queue *target = NULL;
    if (index != LEAF && below(source, 2) == 0)
        target = &world.queue[below(source, index)];
    dispatch_queue_attr_t attr = serial ? DISPATCH_QUEUE_SERIAL : DISPATCH_QUEUE_CONCURRENT;
    if (inactive)
        attr = dispatch_queue_attr_make_initially_inactive(attr);
    struct model_queue *queue = &world.queue[index];
    rules_init_queue(
        queue,
        dispatch_queue_create_with_target("model", attr, target != NULL ? target->queue : NULL),
        serial ? SERIAL : CONCURRENT, target);
    if (!inactive) {
        rules_activated(queue);
        return;
    }
    rules_hold(queue);
    struct work *activate = make(source, NOTHING, 0);
    activate->resumes = queue;
    activate->activates = true;
    later(activate, below(source, 2000000));
}

static void free_all(void) {
    for (struct work *work = atomic_load(&world.all), *next; work != NULL; work = next) {
        next = work->next;
        if (work->finished != NULL)
            dispatch_release(work->finished);
        free(work->members);
        free(work->short_lived);
        free(work);
    }
    for (unsigned i = FIRST_FREE; i <= LEAF; i++)
        dispatch_release(world.queue[i].queue);
    dispatch_release(world.permits);
}

static void run_round(uint64_t seed, unsigned steps) {
    struct source source = {seed * UINT64_C(0x2545f4914f6cdd1d) + 1};
    uint64_t seeds[ACTORS];
    rules_start(seed);
    world.steps = steps;
    world.done = false;
    world.main_thread = pthread_self();
    world.permits = dispatch_semaphore_create(PERMITS);
    atomic_store(&world.all, NULL);
    for (unsigned i = 0; i < 4; i++)
        world.once[i] = world.once_count[i] = 0;
    rules_init_queue(&world.global, dispatch_get_global_queue(0, 0), GLOBAL, NULL);
    rules_init_queue(&world.queue[MAIN_QUEUE], dispatch_get_main_queue(), MAIN, NULL);
    for (unsigned i = FIRST_FREE; i <= LEAF; i++)
        make_queue(&source, i);
    for (unsigned i = 0; i < ACTORS; i++)
        seeds[i] = (uint64_t)draw(&source) << 20 | draw(&source);
    pthread_t conductor;
    pthread_create(&conductor, NULL, conduct, seeds);
    struct pollfd main_queue = {.fd = dispatch_get_main_queue_handle_np(), .events = POLLIN};
    while (!world.done) {
        if (poll(&main_queue, 1, -1) < 0 && errno != EINTR)
            abort();
        dispatch_main_queue_drain_np();
    }
    pthread_join(conductor, NULL);
    free_all();
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"seed", required_argument, NULL, 's'},
                                          {"steps", required_argument, NULL, 'n'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 't'},
                                          {0}};
    unsigned long seed = 1, steps = 300, rounds = 20, seconds = 0;
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == '?')
            return 2;
        unsigned long value = strtoul(optarg, NULL, 10);
        *(option == 's'   ? &seed
          : option == 'n' ? &steps
          : option == 'r' ? &rounds
                          : &seconds) = value;
    }
    time_t end = time(NULL) + (time_t)seconds;
    unsigned long done = 0;
    for (; done < rounds && (seconds == 0 || time(NULL) < end); done++)
        run_round(seed + done, (unsigned)steps);
    printf("%lu rounds from seed %lu, %lu items: all as the rules say\n", done, seed,
           rules_items());
    return 0;
}
