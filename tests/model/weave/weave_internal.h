/*
 * weave_internal.h - what the files of the weaver share.
 * Files:  weave.c schedules and searches; weave_memory.c is the memory model and the hash of a
 *         state; weave_hooks.c is what the compiled sources call.
 */
#ifndef TESTS_MODEL_WEAVE_INTERNAL_H
#define TESTS_MODEL_WEAVE_INTERNAL_H

#include "weave.h"
#include <setjmp.h>
#include <stdatomic.h>

enum {
    WEAVE_THREADS = 12,
    WEAVE_LOCATIONS = 64, /* atomic objects touched in one run */
    WEAVE_MESSAGES = 48,  /* stores of one object that somebody may still read */
    WEAVE_STACK = 1 << 16,
    WEAVE_REPEATS = 3,
};

/* What a thread knows, or what a store publishes: for each location the newest store that it must
 * not look behind, for each thread the time up to which its plain accesses happened before. */
struct weave_view {
    uint8_t seen[WEAVE_LOCATIONS]; /* message ids; 0: none */
    uint32_t clock[WEAVE_THREADS];
};

struct weave_thread {
    jmp_buf fresh, context;
    void (*body)(void *argument);
    void *argument;
    bool alive;
    struct weave_view view;
    uint64_t history; /* hash of all it has read */
    /* What it is about to do. NULL: nothing can keep it from going on. */
    bool (*enabled)(struct weave_thread *thread);
    uintptr_t address; /* of the access, or of what it sleeps on */
    const void *pc;
    bool woken;
    bool (*ready)(void *argument); /* weave_wait */
    void *ready_argument;
    /* A load that has just been done WEAVE_REPEATS times with the same result is taken for a loop
     * that waits: it goes on when there is another value. */
    const void *load_pc;
    uintptr_t load_address;
    unsigned load_count;
    uint8_t load_id;
};

struct weave_engine {
    struct weave_thread thread[WEAVE_THREADS]; /* 0: setup and check, never scheduled */
    unsigned threads, current;
    unsigned fact[WEAVE_FACTS];
    unsigned timeouts; /* deadlines that may still pass in this run */
    bool tracing;
    bool look;      /* the next point is one at which a state may come again */
    bool giving_up; /* the rest of the run is not of interest */
};
extern struct weave_engine *const weave;

/* weave.c: lets the scheduler choose; returns when the caller is to go on. */
void weave_point(bool (*enabled)(struct weave_thread *), uintptr_t address, const void *pc);
/* As weave_choose, when the state tells what was chosen. */
unsigned weave_pick(unsigned count);
void weave_hooks_reset(void);
bool weave_on_stack(uintptr_t address);  /* of a coroutine, or data of threads */
bool weave_has_point(uintptr_t address); /* not weave_unscheduled */
bool weave_is_local(uintptr_t address);  /* on the calling coroutine's own */
void weave_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define weave_trace(...)                                                                           \
    do {                                                                                           \
        if (weave->tracing)                                                                        \
            weave_print(__VA_ARGS__);                                                              \
    } while (0)
const char *weave_text(uintptr_t address);
static inline struct weave_thread *weave_self(void) {
    return &weave->thread[weave->current];
}
static inline uint64_t weave_mix(uint64_t a, uint64_t b) {
    a = (a ^ (b + UINT64_C(0x9e3779b97f4a7c15) + (a << 6) + (a >> 2))) *
        UINT64_C(0xff51afd7ed558ccd);
    return a ^ (a >> 32);
}

/* weave_memory.c */
enum weave_rmw { WEAVE_SET, WEAVE_ADD, WEAVE_SUB, WEAVE_AND, WEAVE_OR, WEAVE_XOR };
void weave_memory_reset(void); /* puts back what the run has changed */
uint64_t weave_memory_hash(void);
uint64_t weave_load(uintptr_t address, unsigned size, memory_order order, const void *pc);
void weave_store(uintptr_t address, unsigned size, uint64_t value, memory_order order);
uint64_t weave_rmw(uintptr_t address, unsigned size, enum weave_rmw kind, uint64_t operand,
                   memory_order order);
bool weave_cas(uintptr_t address, unsigned size, uint64_t *expected, uint64_t value,
               memory_order success, memory_order failure);
/* A lock or another object of the system: always read as it is, acquired and released. */
uint64_t weave_system_word(uintptr_t address, enum weave_rmw kind, uint64_t operand);
uint64_t weave_newest(uintptr_t address, unsigned size); /* without any effect */
bool weave_has_newer(const struct weave_thread *thread);
/* As a full barrier of the kernel for the word: sleepers that look from now on see what the caller
 * has seen. */
void weave_publish(uintptr_t address, unsigned size);
void weave_plain(uintptr_t address, unsigned size, bool write);
void weave_catch_up(void); /* the calling thread's loads return the newest stores from here on */
void weave_inherit(struct weave_thread *child, unsigned index);

#endif
