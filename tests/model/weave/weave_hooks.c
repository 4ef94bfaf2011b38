/*
 * weave_hooks.c - what the sources under test call: the compiler's announcements of accesses, and
 * the system's calls that weave_redirect.h sends here.
 * Source: the interface between compilers and the ThreadSanitizer runtime (gcc 12, clang 14);
 *         futex(2), pthread_cond_wait(3).
 * Runs:   on the weaver's coroutines.
 */
#include "weave_internal.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define HERE __builtin_return_address(0)

/* --- memory of its own --- */

enum { ARENA = 1 << 16, BLOCKS = 256 };
static char arena[ARENA] __attribute__((aligned(16)));
static struct {
    uintptr_t address;
    size_t size;
    bool freed;
} blocks[BLOCKS];
static size_t block_count, arena_used, freed_count;

void weave_hooks_reset(void) {
    memset(arena, 0, arena_used);
    arena_used = block_count = freed_count = 0;
}

void *weave_alloc(size_t size) {
    size = (size + 15) & ~(size_t)15;
    if (arena_used + size > ARENA || block_count == BLOCKS)
        weave_fail("out of memory");
    char *memory = arena + arena_used;
    arena_used += size;
    blocks[block_count].address = (uintptr_t)memory;
    blocks[block_count].size = size;
    blocks[block_count++].freed = false;
    return memory;
}

void weave_free(void *memory) {
    for (size_t i = 0; i < block_count && memory != NULL; i++)
        if (blocks[i].address == (uintptr_t)memory) {
            if (blocks[i].freed)
                weave_fail("freed twice: %s", weave_text((uintptr_t)memory));
            blocks[i].freed = true;
            freed_count++;
            /* Whoever used it must have happened before. */
            for (size_t at = 0; at < blocks[i].size; at += 8)
                weave_plain(blocks[i].address + at, 8, true);
            return;
        }
    if (memory != NULL)
        weave_fail("freed what was not allocated");
}

size_t weave_live(void) {
    return block_count - freed_count;
}

static void check_alive(uintptr_t address) {
    if (freed_count == 0 || address < (uintptr_t)arena || address >= (uintptr_t)arena + ARENA)
        return;
    for (size_t i = 0; i < block_count; i++)
        if (blocks[i].freed && address >= blocks[i].address &&
            address < blocks[i].address + blocks[i].size)
            weave_fail("%s is used after it was freed (pc %p)", weave_text(address), HERE);
}

/* --- plain accesses --- */

void __tsan_init(void);
void __tsan_init(void) {}
void __tsan_func_entry(void *);
void __tsan_func_entry(void *caller) {
    (void)caller;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void) {}

static void plain_read(void *pointer, unsigned size) {
    uintptr_t address = (uintptr_t)pointer;
    struct weave_thread *self = weave_self();
    check_alive(address);
    weave_plain(address, size, false);
    for (unsigned at = 0; at < size; at += 8) {
        uint64_t value = 0;
        memcpy(&value, (char *)pointer + at, size - at < 8 ? size - at : 8);
        self->history = weave_mix(self->history, value);
    }
}
static void plain_write(void *pointer, unsigned size) {
    check_alive((uintptr_t)pointer);
    weave_plain((uintptr_t)pointer, size, true);
}

#define PLAIN(name, size)                                                                          \
    void __tsan_read##name(void *);                                                                \
    void __tsan_read##name(void *pointer) {                                                        \
        plain_read(pointer, size);                                                                 \
    }                                                                                              \
    void __tsan_write##name(void *);                                                               \
    void __tsan_write##name(void *pointer) {                                                       \
        plain_write(pointer, size);                                                                \
    }
PLAIN(1, 1)
PLAIN(2, 2)
PLAIN(4, 4)
PLAIN(8, 8)
PLAIN(16, 16)
void __tsan_unaligned_read2(void *) __attribute__((alias("__tsan_read2")));
void __tsan_unaligned_read4(void *) __attribute__((alias("__tsan_read4")));
void __tsan_unaligned_read8(void *) __attribute__((alias("__tsan_read8")));
void __tsan_unaligned_read16(void *) __attribute__((alias("__tsan_read16")));
void __tsan_unaligned_write2(void *) __attribute__((alias("__tsan_write2")));
void __tsan_unaligned_write4(void *) __attribute__((alias("__tsan_write4")));
void __tsan_unaligned_write8(void *) __attribute__((alias("__tsan_write8")));
void __tsan_unaligned_write16(void *) __attribute__((alias("__tsan_write16")));
void __tsan_read_range(void *, unsigned long);
void __tsan_read_range(void *pointer, unsigned long size) {
    plain_read(pointer, (unsigned)size);
}
void __tsan_write_range(void *, unsigned long);
void __tsan_write_range(void *pointer, unsigned long size) {
    plain_write(pointer, (unsigned)size);
}

/* --- atomic accesses --- */

static bool has_other_value(struct weave_thread *thread) {
    return weave_has_newer(thread);
}

static void before_atomic(const volatile void *pointer, bool load, const void *pc) {
    struct weave_thread *self = weave_self();
    uintptr_t address = (uintptr_t)pointer;
    bool repeats = load && self->load_pc == pc && self->load_address == address &&
                   self->load_count >= WEAVE_REPEATS;
    if (repeats || weave_has_point(address))
        weave_point(repeats ? has_other_value : NULL, address, pc);
    check_alive(address);
}

#define RMW(bits, type, name, kind)                                                                \
    type __tsan_atomic##bits##_##name(volatile type *, type, int);                                 \
    type __tsan_atomic##bits##_##name(volatile type *a, type operand, int order) {                 \
        before_atomic(a, false, HERE);                                                             \
        return (type)weave_rmw((uintptr_t)a, bits / 8, kind, operand, (memory_order)order);        \
    }
#define CAS(bits, type, name)                                                                      \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile type *, type *, type, int, int);    \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile type *a, type *expected,            \
                                                      type value, int success, int failure) {      \
        before_atomic(a, false, HERE);                                                             \
        uint64_t wide = *expected;                                                                 \
        bool equal = weave_cas((uintptr_t)a, bits / 8, &wide, value, (memory_order)success,        \
                               (memory_order)failure);                                             \
        *expected = (type)wide;                                                                    \
        return equal;                                                                              \
    }
#define ATOMICS(bits, type)                                                                        \
    type __tsan_atomic##bits##_load(const volatile type *, int);                                   \
    type __tsan_atomic##bits##_load(const volatile type *a, int order) {                           \
        before_atomic(a, true, HERE);                                                              \
        return (type)weave_load((uintptr_t)a, bits / 8, (memory_order)order, HERE);                \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *, type, int);                                  \
    void __tsan_atomic##bits##_store(volatile type *a, type value, int order) {                    \
        before_atomic(a, false, HERE);                                                             \
        weave_store((uintptr_t)a, bits / 8, value, (memory_order)order);                           \
    }                                                                                              \
    RMW(bits, type, exchange, WEAVE_SET)                                                           \
    RMW(bits, type, fetch_add, WEAVE_ADD)                                                          \
    RMW(bits, type, fetch_sub, WEAVE_SUB)                                                          \
    RMW(bits, type, fetch_and, WEAVE_AND)                                                          \
    RMW(bits, type, fetch_or, WEAVE_OR)                                                            \
    RMW(bits, type, fetch_xor, WEAVE_XOR)                                                          \
    CAS(bits, type, strong)                                                                        \
    CAS(bits, type, weak)                                                                          \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *, type, type, int, int);        \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected, type value,   \
                                                    int success, int failure) {                    \
        before_atomic(a, false, HERE);                                                             \
        uint64_t wide = expected;                                                                  \
        weave_cas((uintptr_t)a, bits / 8, &wide, value, (memory_order)success,                     \
                  (memory_order)failure);                                                          \
        return (type)wide;                                                                         \
    }
ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)

/* --- locks --- */

static bool is_free(struct weave_thread *thread) {
    return weave_newest(thread->address, 4) == 0;
}

int weave_mutex_lock(pthread_mutex_t *mutex);
int weave_mutex_lock(pthread_mutex_t *mutex) {
    check_alive((uintptr_t)mutex);
    weave_point(is_free, (uintptr_t)mutex, HERE);
    weave_system_word((uintptr_t)mutex, WEAVE_SET, weave->current + 1);
    weave_trace("lock %s", weave_text((uintptr_t)mutex));
    return 0;
}

int weave_mutex_unlock(pthread_mutex_t *mutex);
int weave_mutex_unlock(pthread_mutex_t *mutex) {
    check_alive((uintptr_t)mutex);
    weave_trace("unlock %s", weave_text((uintptr_t)mutex));
    if (weave_system_word((uintptr_t)mutex, WEAVE_SET, 0) != weave->current + 1)
        weave_fail("unlocks what another thread holds");
    return 0;
}

static bool is_woken(struct weave_thread *thread) {
    return thread->woken;
}

static void sleep_on(uintptr_t address, const void *pc) {
    weave_self()->woken = false;
    weave_point(is_woken, address, pc);
}

/* Wakes up to `count` sleepers of a word or condition. */
static void wake_sleepers(uintptr_t address, int count) {
    for (; count > 0; count--) {
        struct weave_thread *sleeper[WEAVE_THREADS];
        unsigned sleepers = 0;
        for (unsigned i = 1; i < weave->threads; i++) {
            struct weave_thread *thread = &weave->thread[i];
            if (thread->alive && thread->enabled == is_woken && thread->address == address &&
                !thread->woken)
                sleeper[sleepers++] = thread;
        }
        if (sleepers == 0)
            return;
        sleeper[weave_pick(sleepers)]->woken = true;
    }
}

/* The deadline may pass at any time, so it is one of two ways to go on. */
int weave_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                         const struct timespec *until);
int weave_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                         const struct timespec *until) {
    bool times_out = until != NULL && weave->timeouts > 0 && weave_choose(2) == 1;
    weave->timeouts -= times_out;
    weave_mutex_unlock(mutex);
    weave_self()->woken = false;
    if (!times_out)
        sleep_on((uintptr_t)condition, HERE);
    weave_mutex_lock(mutex);
    return times_out ? ETIMEDOUT : 0;
}

int weave_cond_signal(pthread_cond_t *condition);
int weave_cond_signal(pthread_cond_t *condition) {
    wake_sleepers((uintptr_t)condition, 1);
    return 0;
}

/* --- futex --- */

long weave_syscall(long number, ...);
long weave_syscall(long number, ...) {
    va_list arguments;
    va_start(arguments, number);
    uintptr_t word = (uintptr_t)va_arg(arguments, void *);
    int operation = va_arg(arguments, int) & ~FUTEX_PRIVATE_FLAG;
    int value = va_arg(arguments, int);
    va_end(arguments);
    weave_point(NULL, word, HERE);
    if (operation == FUTEX_WAKE) {
        weave_trace("wake %s", weave_text(word));
        weave_publish(word, 4);
        wake_sleepers(word, value);
        return 0;
    }
    /* The kernel looks after it has put the thread into its list, with a full barrier between. */
    if (weave_load(word, 4, memory_order_seq_cst, NULL) != (uint32_t)value) {
        errno = EAGAIN;
        return -1;
    }
    weave_trace("sleep on %s", weave_text(word));
    sleep_on(word, HERE);
    return 0;
}

/* --- threads --- */

static void run_thread(void *argument) {
    void **start = argument, *(*main)(void *) = (void *(*)(void *))(uintptr_t)start[0];
    void *its_argument = start[1];
    weave_free(start);
    main(its_argument);
}

int weave_create(pthread_t *thread, const pthread_attr_t *attr, void *(*main)(void *),
                 void *argument);
int weave_create(pthread_t *thread, const pthread_attr_t *attr, void *(*main)(void *),
                 void *argument) {
    (void)thread, (void)attr;
    void **start = weave_alloc(2 * sizeof(*start));
    start[0] = (void *)(uintptr_t)main;
    start[1] = argument;
    weave_thread(run_thread, start);
    return 0;
}

int weave_once(pthread_once_t *once, void (*init)(void));
int weave_once(pthread_once_t *once, void (*init)(void)) {
    if (weave_system_word((uintptr_t)once, WEAVE_OR, 1) == 0)
        init();
    return 0;
}

/* base/alloc.h, base/log.h */
void *nwi_alloc(size_t size);
void *nwi_alloc(size_t size) {
    return weave_alloc(size);
}
void *nwi_alloc_certain(size_t size);
void *nwi_alloc_certain(size_t size) {
    return weave_alloc(size);
}
void *nwi_realloc(void *memory, size_t size);
void *nwi_realloc(void *memory, size_t size) {
    if (memory != NULL)
        weave_fail("no scenario is to need that much memory");
    return weave_alloc(size);
}
void nwi_free(void *memory);
void nwi_free(void *memory) {
    weave_free(memory);
}
void nwi_log_misuse(const char *function, const char *what);
void nwi_log_misuse(const char *function, const char *what) {
    weave_fail("misuse: %s: %s", function, what);
}
