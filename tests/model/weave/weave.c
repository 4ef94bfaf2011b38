/*
 * weave.c - the search: coroutines, the scheduler, choices, states seen before.
 * What:   a run goes from the setup to the point where no thread can go on. Each choice in it (who
 *         runs next, what a load returns) is kept; the next run repeats all but the last that has
 *         alternatives left. A run ends early when it reaches a state that an earlier one has been
 *         in. A failed run is repeated with each step printed.
 * Runs:   one process, one thread.
 */
#include "weave_internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { CHOICES = 4096, NAMES = 64, SEEN_FIRST = 1 << 16, STEPS = 20000 };
static const unsigned long MOST_STATES = 6000000; /* more than this: the scenario is too large */

static struct weave_engine engine;
struct weave_engine *const weave = &engine;

static char stack[WEAVE_THREADS][WEAVE_STACK] __attribute__((aligned(64)));
static jmp_buf scheduler;
static ucontext_t creator;

static struct { uint16_t chosen, count; } choice[CHOICES];
static unsigned choices, replayed, replay_until;

static uint64_t *seen; /* open addressing; 0: free */
static size_t seen_room, seen_count;

static struct {
    uintptr_t address;
    const char *name;
} names[NAMES];
static unsigned name_count;

static uintptr_t unscheduled[NAMES];
static unsigned unscheduled_count;

static char failure[512];

/* What threads keep for themselves: _Thread_local of the sources under test lies in this section
 * (weave_redirect.h) and is exchanged when another coroutine runs. */
extern char __start_weave_thread[] __attribute__((weak)),
    __stop_weave_thread[] __attribute__((weak));
enum { LOCAL_MAX = 4096 };
static char locals[WEAVE_THREADS][LOCAL_MAX];
static size_t locals_size;

bool weave_on_stack(uintptr_t address) {
    return (address >= (uintptr_t)stack && address < (uintptr_t)stack + sizeof(stack)) ||
           (address >= (uintptr_t)__start_weave_thread && address < (uintptr_t)__stop_weave_thread);
}

bool weave_is_local(uintptr_t address) {
    uintptr_t own = (uintptr_t)stack[engine.current];
    return (address >= own && address < own + WEAVE_STACK) ||
           (address >= (uintptr_t)__start_weave_thread && address < (uintptr_t)__stop_weave_thread);
}

/* --- reports --- */

void weave_name(const volatile void *address, const char *name) {
    if (name_count < NAMES) {
        names[name_count].address = (uintptr_t)address;
        names[name_count++].name = name;
    }
}

void weave_unscheduled(const volatile void *address) {
    if (unscheduled_count < NAMES)
        unscheduled[unscheduled_count++] = (uintptr_t)address;
}
bool weave_has_point(uintptr_t address) {
    for (unsigned i = 0; i < unscheduled_count; i++)
        if (unscheduled[i] == address)
            return false;
    return true;
}

const char *weave_text(uintptr_t address) {
    static char text[8][64];
    static unsigned next;
    char *into = text[next++ % 8];
    for (unsigned i = 0; i < name_count; i++)
        if (address >= names[i].address && address < names[i].address + 8)
            return names[i].name;
    snprintf(into, sizeof(text[0]), "%s%#lx", weave_on_stack(address) ? "stack " : "", address);
    return into;
}

extern char __executable_start[];

void weave_print(const char *format, ...) {
    const struct weave_thread *self = weave_self();
    va_list arguments;
    printf("  thread %u  %#6lx  ", engine.current,
           (uintptr_t)self->pc - (uintptr_t)__executable_start);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static _Noreturn void leave_run(void) {
    engine.giving_up = true;
    _longjmp(scheduler, 1);
}

void weave_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure, sizeof(failure), format, arguments);
    va_end(arguments);
    leave_run();
}

/* --- coroutines --- */

static void trampoline(unsigned index) {
    struct weave_thread *self = &engine.thread[index];
    if (_setjmp(self->fresh) == 0)
        setcontext(&creator);
    self = weave_self();
    self->body(self->argument);
    self->alive = false;
    self->history = 0;
    _longjmp(scheduler, 1);
}

static void make_stacks(void) {
    locals_size = (size_t)(__stop_weave_thread - __start_weave_thread);
    if (locals_size > LOCAL_MAX)
        abort();
    for (unsigned i = 0; i < WEAVE_THREADS; i++) {
        ucontext_t context;
        getcontext(&context);
        context.uc_stack.ss_sp = stack[i];
        context.uc_stack.ss_size = WEAVE_STACK;
        context.uc_link = NULL;
        makecontext(&context, (void (*)(void))trampoline, 1, i);
        swapcontext(&creator, &context);
    }
}

static void resume(unsigned index) {
    memcpy(__start_weave_thread, locals[index], locals_size);
    engine.current = index;
    if (_setjmp(scheduler) == 0)
        _longjmp(engine.thread[index].context, 1);
    memcpy(locals[index], __start_weave_thread, locals_size);
}

void weave_point(bool (*enabled)(struct weave_thread *), uintptr_t address, const void *pc) {
    struct weave_thread *self = weave_self();
    self->pc = pc;
    self->address = address;
    self->history = weave_mix(self->history, (uintptr_t)pc); /* how far it has come */
    if (engine.current == 0)
        return;
    self->enabled = enabled;
    if (_setjmp(self->context) == 0)
        _longjmp(scheduler, 1);
}

static void start(unsigned index, void (*body)(void *), void *argument) {
    struct weave_thread *thread = &engine.thread[index];
    memcpy(thread->context, thread->fresh, sizeof(jmp_buf));
    thread->body = body;
    thread->argument = argument;
    thread->alive = true;
    thread->enabled = NULL;
    thread->woken = false;
    thread->load_pc = NULL;
    thread->history = weave_mix((uintptr_t)body, (uintptr_t)argument);
    memset(locals[index], 0, locals_size);
}

void weave_thread(void (*body)(void *), void *argument) {
    if (engine.threads == WEAVE_THREADS)
        weave_fail("too many threads");
    unsigned index = engine.threads++;
    start(index, body, argument);
    weave_inherit(&engine.thread[index], index);
    weave_trace("starts thread %u", index);
}

void weave_forget(unsigned place) {
    weave_self()->history = place;
    weave_self()->load_pc = NULL;
    engine.look = true;
}

unsigned weave_fact(unsigned which) {
    struct weave_thread *self = weave_self();
    self->history = weave_mix(self->history, engine.fact[which]);
    return engine.fact[which];
}

void weave_set_fact(unsigned which, unsigned value) {
    engine.fact[which] = value;
}

static bool is_ready(struct weave_thread *thread) {
    uint64_t history = weave_self()->history; /* of whoever ran last: it learns nothing */
    bool ready = thread->ready(thread->ready_argument);
    weave_self()->history = history;
    return ready;
}

void weave_wait(bool (*ready)(void *), void *argument) {
    weave_self()->ready = ready;
    weave_self()->ready_argument = argument;
    weave_point(is_ready, 0, __builtin_return_address(0));
}

static bool can_run(unsigned index) {
    struct weave_thread *thread = &engine.thread[index];
    return thread->alive && (thread->enabled == NULL || thread->enabled(thread));
}

static bool is_quiet(struct weave_thread *thread) {
    for (unsigned i = 1; i < engine.threads; i++)
        if (&engine.thread[i] != thread && engine.thread[i].enabled != is_quiet && can_run(i))
            return false;
    return true;
}

void weave_wait_until_quiet(void) {
    weave_self()->load_pc = NULL;
    weave_point(is_quiet, 0, __builtin_return_address(0));
    weave_catch_up();
}

void weave_pause(void) {
    weave_self()->load_pc = NULL;
    weave_point(NULL, 0, __builtin_return_address(0));
}

unsigned weave_blocked(void) {
    unsigned count = 0;
    for (unsigned i = 1; i < engine.threads; i++)
        count += engine.thread[i].alive;
    return count;
}

/* --- the search --- */

unsigned weave_pick(unsigned count) {
    if (count <= 1 || engine.current == 0)
        return 0;
    if (replayed == choices) {
        if (choices == CHOICES)
            weave_fail("too many steps in one run");
        choice[choices].chosen = 0;
        choice[choices++].count = (uint16_t)count;
    }
    return choice[replayed++].chosen;
}

unsigned weave_choose(unsigned count) {
    unsigned chosen = weave_pick(count);
    weave_self()->history = weave_mix(weave_self()->history, chosen);
    return chosen;
}

static bool insert_seen(uint64_t hash) {
    hash += hash == 0;
    if (seen_count * 2 >= seen_room) {
        size_t room = seen_room > 0 ? seen_room * 2 : SEEN_FIRST;
        uint64_t *fresh = calloc(room, sizeof(*fresh));
        if (fresh == NULL)
            abort();
        for (size_t i = 0; i < seen_room; i++)
            if (seen[i] != 0) {
                size_t at = seen[i] & (room - 1);
                while (fresh[at] != 0)
                    at = (at + 1) & (room - 1);
                fresh[at] = seen[i];
            }
        free(seen);
        seen = fresh;
        seen_room = room;
    }
    size_t at = hash & (seen_room - 1);
    while (seen[at] != 0 && seen[at] != hash)
        at = (at + 1) & (seen_room - 1);
    if (seen[at] == hash)
        return false;
    seen[at] = hash;
    seen_count++;
    return true;
}

static void run_once(const struct weave_scenario *scenario) {
    weave_memory_reset();
    weave_hooks_reset();
    for (unsigned i = 0; i < WEAVE_THREADS; i++) {
        memset(&engine.thread[i].view, 0, sizeof(engine.thread[i].view));
        engine.thread[i].alive = false;
    }
    engine.threads = 1;
    engine.giving_up = false;
    engine.look = false;
    engine.timeouts = scenario->timeouts;
    memset(engine.fact, 0, sizeof(engine.fact));
    name_count = unscheduled_count = 0;
    replayed = 0;
    replay_until = choices;
    failure[0] = '\0';
    start(0, (void (*)(void *))scenario->setup, NULL);
    engine.thread[0].view.clock[0] = 1;
    resume(0);
    unsigned last = 1, steps = 0;
    while (!engine.giving_up) {
        unsigned able[WEAVE_THREADS], count = 0;
        if (can_run(last))
            able[count++] = last;
        for (unsigned i = 1; i < engine.threads; i++)
            if (i != last && can_run(i))
                able[count++] = i;
        if (count == 0)
            break;
        if ((count > 1 || engine.look) && replayed >= replay_until &&
            !insert_seen(weave_memory_hash()))
            return;
        engine.look = false;
        if (count > 1) {
            engine.current = last;
            last = able[weave_pick(count)];
        } else {
            last = able[0];
        }
        if (++steps == STEPS) {
            snprintf(failure, sizeof(failure), "no end after %d steps", STEPS);
            return;
        }
        resume(last);
    }
    if (engine.giving_up || scenario->check == NULL)
        return;
    /* The check sees all that has happened. */
    struct weave_view *all = &engine.thread[0].view;
    for (unsigned i = 1; i < engine.threads; i++)
        for (unsigned j = 0; j < engine.threads; j++)
            if (engine.thread[i].view.clock[j] > all->clock[j])
                all->clock[j] = engine.thread[i].view.clock[j];
    start(0, (void (*)(void *))scenario->check, NULL);
    resume(0);
}

static bool next_choices(void) {
    while (choices > 0 && choice[choices - 1].chosen + 1 == choice[choices - 1].count)
        choices--;
    if (choices == 0)
        return false;
    choice[choices - 1].chosen++;
    return true;
}

static bool search(const struct weave_scenario *scenario) {
    unsigned long runs = 0, longest = 0;
    memset(seen, 0, seen_room * sizeof(*seen));
    seen_count = choices = 0;
    do {
        run_once(scenario);
        runs++;
        if (replayed > longest)
            longest = replayed;
        if (failure[0] != '\0') {
            char what[sizeof(failure)];
            memcpy(what, failure, sizeof(what));
            printf("%s: FAILS in run %lu: %s\n  thread   pc      what (addr2line -fe PROGRAM pc)\n",
                   scenario->name, runs, what);
            engine.tracing = true;
            choices = replayed;
            run_once(scenario);
            engine.tracing = false;
            return false;
        }
        if (seen_count > MOST_STATES) {
            printf("%s: FAILS: more than %lu states\n", scenario->name, MOST_STATES);
            return false;
        }
    } while (next_choices());
    printf("%s: %zu states, %lu runs, at most %lu choices in one: holds\n", scenario->name,
           seen_count, runs, longest);
    fflush(stdout);
    return true;
}

int weave_main(int argc, char **argv, const struct weave_scenario *scenarios, size_t count) {
    make_stacks();
    insert_seen(1); /* makes the table */
    bool fine = true;
    for (size_t i = 0; i < count; i++) {
        bool wanted = argc < 2 && !scenarios[i].large;
        for (int j = 1; j < argc; j++)
            wanted = wanted || strcmp(argv[j], scenarios[i].name) == 0;
        fine = (!wanted || search(&scenarios[i])) && fine;
    }
    return fine ? 0 : 1;
}
