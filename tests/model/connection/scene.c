/*
 * scene.c - see scene.h.
 * What:   opens the listeners, lets each thread make its calls, then ends everything and waits for
 *         the end of each object: every completion has run, every queue, content and descriptor
 *         has gone, and the library holds no more memory than before.
 * Runs:   scene_run on the main thread; one thread more for each that the plan has.
 */
#include "scene.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/futex.h"
#include "fake/fake_sys.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tally tally;
void (*fail_hook)(const struct plan *plan, const char *reason);

static struct scene the_scene; /* one at a time; static, since a last event may come late */

void fail(struct actor *actor, const char *format, ...) {
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static char reason[1024];
    pthread_mutex_lock(&once); /* never unlocked: the first report is the last */
    const struct plan *plan = the_scene.plan;
    FILE *out = fmemopen(reason, sizeof reason, "w");
    va_list args;
    va_start(args, format);
    if (actor != NULL)
        fprintf(out, "actor %u (slot %u, %s %s, target %d, causes %#x, told state %u%s): ",
                actor->number, actor->slot, actor->accepted ? "accepted" : "client",
                actor->stream ? "tcp" : "udp", (int)actor->target,
                atomic_load_explicit(&actor->called.causes, memory_order_relaxed),
                atomic_load_explicit(&actor->state_told, memory_order_relaxed),
                atomic_load_explicit(&actor->called.given_up, memory_order_relaxed) ? ", given up"
                                                                                    : "");
    vfprintf(out, format, args);
    va_end(args);
    nw_connection_t connection = actor != NULL ? actor_try_take(actor) : NULL;
    if (connection != NULL) {
        char *text = nw_connection_copy_description(connection);
        fprintf(out, " %s", text);
        free(text);
    }
    fclose(out);
    fprintf(stderr, "model: %s\n", reason);
    if (getenv("NW_MODEL_PAUSE") != NULL) /* for a debugger */
        pause();
    if (fail_hook != NULL && plan != NULL)
        fail_hook(plan, reason);
    _exit(1);
}

/* --- waiting --- */

/* Not of the scene: the last event of one may come when the next has begun. */
static _Atomic uint32_t events; /* a futex: goes up with everything that a handler sees */
static atomic_uint waiting;

void scene_event(void) {
    atomic_fetch_add_explicit(&events, 1, memory_order_relaxed);
    if (atomic_load_explicit(&waiting, memory_order_relaxed) != 0)
        nwi_futex_wake(&events, INT_MAX);
}

bool scene_wait(bool (*holds)(void *context), void *context) {
    nwi_ns end = nwi_now() + WAIT_SECONDS * NWI_SEC;
    bool held;
    atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
    for (;;) {
        uint32_t before = atomic_load_explicit(&events, memory_order_relaxed);
        if ((held = holds(context)) || nwi_now() >= end)
            break;
        /* In short naps, since an event may slip in before `waiting` is seen. */
        nwi_futex_wait(&events, before, nwi_now() + 20 * NWI_MS);
    }
    atomic_fetch_sub_explicit(&waiting, 1, memory_order_relaxed);
    return held;
}

/* --- descriptors and memory --- */

static int count_descriptors(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        fail(NULL, "/proc/self/fd cannot be read");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* What the library keeps for the next time: pooled buffers (src/dispatch/data_leaf.c: 96 at most),
 * a heap of timers for each loop, spare threads. A leak in every run soon is more. */
enum { MEMORY_KEPT = 160 };

static int descriptors_before;
static long memory_before;

static bool descriptors_are_back(void *context) {
    (void)context;
    return count_descriptors() <= descriptors_before;
}

static bool memory_is_back(void *context) {
    (void)context;
    return nwi_alloc_live() <= memory_before + MEMORY_KEPT;
}

/* --- connections --- */

static void open_refusing(struct scene *scene, int index, int type) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        fail(NULL, "no port that refuses");
    scene->refusing[index] = fd;
    scene->refusing_port[index] = ntohs(address.sin_port);
    /* Taken, so that no client is given it for its own; connected elsewhere, so that what clients
     * send finds nobody and is answered by ICMP. */
    struct sockaddr_in elsewhere = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(9)};
    if (type == SOCK_DGRAM && connect(fd, (struct sockaddr *)&elsewhere, sizeof elsewhere) != 0)
        fail(NULL, "no port that refuses datagrams");
}

struct actor *scene_add(struct scene *scene, unsigned slot, enum target target, unsigned listener,
                        nw_connection_t connection, bool accepted) {
    unsigned number = atomic_fetch_add_explicit(&scene->actor_count, 1, memory_order_relaxed);
    if (number >= ACTORS_MAX)
        fail(NULL, "more connections than the model has room for");
    struct actor *actor = actor_create(scene, number, target, listener, connection, accepted);
    actor->slot = slot;
    atomic_fetch_add_explicit(&tally.connections, 1, memory_order_relaxed);
    atomic_store_explicit(&scene->actors[number], actor, memory_order_release);
    atomic_store_explicit(&scene->slots[slot], actor, memory_order_release);
    return actor;
}

static void create(struct scene *scene, const struct step *step) {
    bool udp = step->a == TARGET_UDP || step->a == TARGET_UDP_REFUSED;
    bool refused = step->a == TARGET_TCP_REFUSED || step->a == TARGET_UDP_REFUSED;
    uint16_t port = refused ? scene->refusing_port[udp] : scene->doors[udp].port;
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    nw_endpoint_t endpoint =
        nw_endpoint_create_host(step->a == TARGET_TCP_NAME ? "localhost" : "127.0.0.1", text);
    nw_parameters_t parameters = scene_parameters(!udp);
    call_begin();
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    call_end();
    nw_release(endpoint);
    nw_release(parameters);
    scene_add(scene, step->slot, (enum target)step->a, udp, connection, false);
}

/* --- steps --- */

struct batch {
    struct scene *scene;
    const struct step *steps;
    unsigned count, order;
};

static void run_batch(void *context) {
    struct batch *batch = context;
    unsigned open = call_pause(); /* the program's own code, though inside a call */
    scene_steps(batch->scene, batch->steps, batch->count, batch->order);
    call_resume(open);
}

static void do_batch(struct actor *actor, struct batch batch) {
    nw_connection_t connection = actor_take(actor);
    if (connection == NULL) {
        scene_steps(batch.scene, batch.steps, batch.count, batch.order);
        return;
    }
    call_begin();
    nw_connection_batch_f(connection, &batch, run_batch);
    nw_release(connection);
    call_end();
}

static void add_inside(struct actor *actor, const struct step *steps, unsigned count) {
    struct inside *inside = malloc(sizeof *inside);
    if (inside == NULL)
        fail(actor, "no memory for the model");
    *inside = (struct inside){steps, count, NULL};
    pthread_mutex_lock(&actor->lock);
    *actor->inside_end = inside;
    actor->inside_end = &inside->next;
    pthread_mutex_unlock(&actor->lock);
}

static void do_fault(const struct step *step) {
    static const enum fake_sys_call calls[] = {
        FAKE_SOCKET,     FAKE_CONNECT,     FAKE_BIND,     FAKE_ACCEPT,
        FAKE_SENDMSG,    FAKE_RECVMSG,     FAKE_RECVMMSG, FAKE_SETSOCKOPT,
        FAKE_GETSOCKOPT, FAKE_GETSOCKNAME, FAKE_SENDMSG,  FAKE_GETPEERNAME,
        FAKE_SHUTDOWN,   FAKE_RECVMSG,     FAKE_IOCTL,    FAKE_CONNECT,
    };
    enum fake_sys_call call = calls[step->a % (sizeof calls / sizeof calls[0])];
    int code = (int)step->c;
    if (call == FAKE_CONNECT && code == EINTR)
        code = ETIMEDOUT; /* after EINTR the attempt goes on, and here there is none */
    fake_sys_fail(call, step->b, 1, code);
}

static void do_step(struct scene *scene, const struct step *step, unsigned order) {
    struct actor *actor = atomic_load_explicit(&scene->slots[step->slot], memory_order_acquire);
    atomic_fetch_add_explicit(&tally.steps, 1, memory_order_relaxed);
    switch (step->op) {
    case OP_CREATE:
        create(scene, step);
        break;
    case OP_LIMIT:
    case OP_POLICY:
    case OP_CLOSE:
    case OP_LISTENER_HANDLER:
        door_do(&scene->doors[step->slot % PLAN_LISTENERS], step);
        break;
    case OP_FAULT:
        if (scene->faults)
            do_fault(step);
        break;
    default:
        if (actor != NULL)
            actor_do(actor, step, order);
    }
}

void scene_steps(struct scene *scene, const struct step *steps, unsigned count, unsigned order) {
    for (unsigned i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        unsigned left = count - i - 1, inner = step->a < left ? step->a : left;
        struct actor *actor = atomic_load_explicit(&scene->slots[step->slot], memory_order_acquire);
        if (step->op == OP_BATCH && actor != NULL) {
            do_batch(actor, (struct batch){scene, steps + i + 1, inner, order});
            i += inner;
        } else if (step->op == OP_INSIDE && actor != NULL) {
            add_inside(actor, steps + i + 1, inner);
            i += inner;
        } else {
            do_step(scene, step, order);
        }
    }
}

void scene_steps_inside(struct scene *scene, const struct step *steps, unsigned count) {
    atomic_fetch_add(&scene->inside,
                     1); /* before the look at `closing`: one of both sees the other */
    if (!atomic_load(&scene->closing)) {
        atomic_fetch_add_explicit(&tally.inside, count, memory_order_relaxed);
        scene_steps(scene, steps, count, ORDERS);
    }
    atomic_fetch_sub(&scene->inside, 1);
}

struct worker {
    pthread_t thread;
    struct scene *scene;
    unsigned order, count;
    struct step *steps;
};

static void *work(void *context) {
    struct worker *worker = context;
    scene_steps(worker->scene, worker->steps, worker->count, worker->order);
    return NULL;
}

/* Each thread has its own steps in one row, so that a batch is of one thread's. */
static void share_out(struct scene *scene, const struct plan *plan, struct worker *workers) {
    for (unsigned order = 0; order < plan->threads; order++) {
        struct worker *worker = &workers[order];
        *worker = (struct worker){.scene = scene, .order = order};
        worker->steps = calloc(plan->count + 1, sizeof *worker->steps);
        if (worker->steps == NULL)
            fail(NULL, "no memory for the model");
        for (unsigned i = 0; i < plan->count; i++)
            if (plan->steps[i].thread == order)
                worker->steps[worker->count++] = plan->steps[i];
    }
}

static void run_threads(const struct plan *plan, struct worker *workers) {
    for (unsigned i = 1; i < plan->threads; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            fail(NULL, "no thread for the model");
    work(&workers[0]);
    for (unsigned i = 1; i < plan->threads; i++)
        pthread_join(workers[i].thread, NULL);
}

/* --- the end --- */

static struct actor *actor_at(struct scene *scene, unsigned index) {
    return atomic_load_explicit(&scene->actors[index], memory_order_acquire);
}

static unsigned actor_count(struct scene *scene) {
    return atomic_load_explicit(&scene->actor_count, memory_order_relaxed);
}

static bool is_draining(struct actor *actor) {
    return atomic_load_explicit(&actor->called.draining, memory_order_relaxed);
}

/* Both ends read until the other's end: each must come to it. */
static bool pairs_are_drained(void *context) {
    struct scene *scene = context;
    for (unsigned i = 0; i < actor_count(scene); i++) {
        struct actor *actor = actor_at(scene, i);
        struct actor *peer =
            actor != NULL ? atomic_load_explicit(&actor->peer, memory_order_relaxed) : NULL;
        if (peer != NULL && is_draining(actor) && is_draining(peer) &&
            !atomic_load_explicit(&actor->drained, memory_order_relaxed))
            return false;
    }
    return true;
}

static bool no_handler_calls(void *context) {
    struct scene *scene = context;
    return atomic_load(&scene->inside) == 0;
}

/* From here on the plan calls nothing more, also not from handlers. */
static void stop_calls(struct scene *scene) {
    atomic_store(&scene->closing, true);
    if (!scene_wait(no_handler_calls, scene))
        fail(NULL, "a handler does not return");
}

static void drain(struct scene *scene) {
    for (unsigned i = 0; i < actor_count(scene); i++) {
        struct actor *actor = actor_at(scene, i);
        if (actor != NULL && actor->stream &&
            atomic_load_explicit(&actor->state_told, memory_order_relaxed) ==
                nw_connection_state_ready)
            actor_drain(actor);
    }
    if (!scene_wait(pairs_are_drained, scene))
        fail(NULL, "both ends of a stream read and ended, and one did not come to its end");
    for (unsigned i = 0; i < actor_count(scene); i++)
        if (actor_at(scene, i) != NULL)
            atomic_fetch_add_explicit(
                &tally.drained,
                atomic_load_explicit(&actor_at(scene, i)->drained, memory_order_relaxed),
                memory_order_relaxed);
}

/* What an actor still lacks at its end; NULL: nothing. */
static const char *lacks(struct actor *actor) {
    unsigned count = atomic_load_explicit(&actor->request_count, memory_order_relaxed);
    for (unsigned id = 0; id < count; id++) {
        const struct request *request =
            atomic_load_explicit(&actor->requests[id], memory_order_acquire);
        if (request == NULL ||
            (!request->idempotent && !atomic_load_explicit(&request->over, memory_order_acquire)))
            return request == NULL || request->kind == REQUEST_SEND ? "the completion of a send"
                                                                    : "the answer to a receive";
    }
    if (actor_must_be_told_cancelled(actor) &&
        !atomic_load_explicit(&actor->cancelled_told, memory_order_relaxed))
        return "cancelled";
    for (const struct own_queue *own = actor->queues; own != NULL; own = own->next)
        if (!atomic_load_explicit(&own->gone, memory_order_acquire))
            return "the end of its queue, which something still holds";
    return atomic_load_explicit(&actor->running, memory_order_acquire) != 0 ? "a handler's return"
                                                                            : NULL;
}

static bool all_have_ended(void *context) {
    struct scene *scene = context;
    for (unsigned i = 0; i < scene->ended; i++)
        if (lacks(actor_at(scene, i)) != NULL)
            return false;
    for (unsigned i = 0; i < PLAN_LISTENERS; i++)
        if (!atomic_load_explicit(&scene->doors[i].queue_gone, memory_order_acquire) ||
            atomic_load_explicit(&scene->doors[i].running, memory_order_acquire) != 0 ||
            atomic_load_explicit(&scene->doors[i].state_told, memory_order_relaxed) !=
                nw_listener_state_cancelled)
            return false;
    return true;
}

static bool contents_are_gone(void *context) {
    struct scene *scene = context;
    return atomic_load_explicit(&scene->contents, memory_order_acquire) == 0;
}

static void report_what_lacks(struct scene *scene) {
    for (unsigned i = 0; i < actor_count(scene); i++)
        if (lacks(actor_at(scene, i)) != NULL)
            fail(actor_at(scene, i), "after %d s it lacks %s", WAIT_SECONDS,
                 lacks(actor_at(scene, i)));
    for (unsigned i = 0; i < PLAN_LISTENERS; i++)
        if (!atomic_load_explicit(&scene->doors[i].queue_gone, memory_order_acquire))
            fail(NULL, "listener %u has not ended (state %u)", i,
                 atomic_load_explicit(&scene->doors[i].state_told, memory_order_relaxed));
    fail(NULL, "a listener was not told of its end");
}

/* A stream whose end was seen has lost nothing that its sender was told to have been sent. */
static void check_nothing_lost(struct actor *actor) {
    const struct actor *sender = actor->told.wire.sender;
    if (!atomic_load_explicit(&actor->end_seen, memory_order_relaxed) || sender == NULL)
        return;
    unsigned count = atomic_load_explicit(&sender->request_count, memory_order_relaxed);
    for (unsigned id = 0; id < count; id++) {
        const struct request *request =
            atomic_load_explicit(&sender->requests[id], memory_order_acquire);
        if (atomic_load_explicit(&request->sent, memory_order_relaxed) &&
            atomic_load_explicit(&request->size, memory_order_relaxed) != 0 &&
            atomic_load_explicit(&request->seen, memory_order_relaxed) == 0)
            fail(actor, "send %u of actor %u was completed, and never came", id, sender->number);
    }
}

static bool doors_are_gone(void *context) {
    struct scene *scene = context;
    for (unsigned i = 0; i < PLAN_LISTENERS; i++)
        if (!atomic_load_explicit(&scene->doors[i].queue_gone, memory_order_acquire))
            return false;
    return true;
}

static void end_all(struct scene *scene, struct draw *source) {
    bool doors_first = draw_chance(source, 50);
    for (unsigned i = 0; doors_first && i < PLAN_LISTENERS; i++)
        door_end(&scene->doors[i]);
    for (unsigned i = 0; i < actor_count(scene); i++)
        if (actor_at(scene, i) != NULL) /* else it is just coming in */
            actor_end(actor_at(scene, i), draw_chance(source, 40));
    for (unsigned i = 0; !doors_first && i < PLAN_LISTENERS; i++)
        door_end(&scene->doors[i]);
    if (!scene_wait(doors_are_gone, scene))
        report_what_lacks(scene);
    /* What came in meanwhile too; handlers of listeners do not run any more. */
    for (unsigned let_go = 0, count; (count = actor_count(scene)) > let_go; let_go = count) {
        for (unsigned i = let_go; i < count; i++) {
            actor_end(actor_at(scene, i), true);
            actor_let_go(actor_at(scene, i));
        }
        scene->ended = count;
        if (!scene_wait(all_have_ended, scene))
            report_what_lacks(scene);
    }
    dispatch_release(scene->shared_queue);
    if (!scene_wait(contents_are_gone, scene))
        fail(NULL, "%ld contents are still held",
             atomic_load_explicit(&scene->contents, memory_order_relaxed));
}

static void begin(struct scene *scene, const struct plan *plan, bool faults) {
    static unsigned scenes;
    memset(scene, 0, sizeof *scene);
    scene->plan = plan;
    scene->number = ++scenes;
    scene->faults = faults;
    scene->shared_queue = dispatch_queue_create("model shared", DISPATCH_QUEUE_SERIAL);
    open_refusing(scene, 0, SOCK_STREAM);
    open_refusing(scene, 1, SOCK_DGRAM);
    for (unsigned i = 0; i < PLAN_LISTENERS; i++)
        door_open(scene, i);
}

static void check_all_is_back(void) {
    if (!scene_wait(descriptors_are_back, NULL))
        fail(NULL, "%d descriptors, %d before", count_descriptors(), descriptors_before);
    if (!scene_wait(memory_is_back, NULL))
        fail(NULL, "%ld pieces of memory, %ld before", nwi_alloc_live(), memory_before);
}

/* Resolves a name once, opens a socket of each kind, moves octets: what the library makes at first
 * use, and keeps, is there afterwards. */
void scene_warm_up(void) {
    static struct plan plan;
    plan = (struct plan){.threads = 1};
    for (uint8_t slot = 0; slot < TARGET_COUNT; slot++) {
        const struct step steps[] = {
            {.op = OP_CREATE, .slot = slot, .a = slot},
            {.op = OP_QUEUE, .slot = slot},
            {.op = OP_HANDLER, .slot = slot, .b = 1},
            {.op = OP_START, .slot = slot},
            {.op = OP_SEND, .slot = slot, .b = 9, .c = SEND_COMPLETE},
            {.op = OP_RECEIVE, .slot = slot, .a = 1, .b = 9},
            {.op = OP_SETTLE, .slot = slot},
        };
        for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++)
            plan.steps[plan.count++] = steps[i];
    }
    nwi_alloc_count(true);
    descriptors_before = INT_MAX;
    memory_before = LONG_MAX / 2;
    scene_run(&plan, false);
    descriptors_before = count_descriptors();
    memory_before = nwi_alloc_live();
}

void scene_run(const struct plan *plan, bool faults) {
    struct scene *scene = &the_scene;
    struct worker workers[PLAN_THREADS];
    struct draw source = {plan->seed};
    begin(scene, plan, faults);
    if (faults)
        fake_sys_install();
    share_out(scene, plan, workers);
    run_threads(plan, workers);
    if (faults)
        for (unsigned call = 0; call < FAKE_CALL_COUNT; call++)
            fake_sys_fail((enum fake_sys_call)call, 0, 0, 0);
    stop_calls(scene);
    if (!faults && draw_chance(&source, 50))
        drain(scene);
    end_all(scene, &source);
    for (unsigned i = 0; i < actor_count(scene); i++)
        check_nothing_lost(actor_at(scene, i));
    for (unsigned i = 0; i < actor_count(scene); i++)
        actor_free(actor_at(scene, i));
    for (unsigned i = 0; i < plan->threads; i++)
        free(workers[i].steps);
    close(scene->refusing[0]);
    close(scene->refusing[1]);
    check_all_is_back();
    if (faults)
        fake_sys_remove();
}
