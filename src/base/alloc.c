/*
 * alloc.c - allocation with a fault seam.
 * What:   calloc and friends; a test can make the n-th allocation fail and count what is still
 *         live, in blocks and in octets.
 * Runs:   on any thread.
 * Owns:   counters, all of them for tests.
 */
#include "base/alloc.h"
#include "base/log.h"
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_FOR_MEMORY = 1000000, /* ns between two tries */
    /* Octets: glibc's malloc serves these from the thread's cache, its calloc never. */
    SMALL = 1024,
};

/* Allocations left until the one that fails; 0 = disarmed. Relaxed throughout: it orders nothing, a
 * test arms it before the code under test runs. */
static _Atomic unsigned long fail_countdown;
static _Atomic bool fail_on;   /* relaxed: the countdown stays at its end */
static _Atomic bool fault_hit; /* relaxed: read by the arming thread after its test body */
static _Atomic bool counting;  /* relaxed: a counter's switch */
static _Atomic long live;      /* relaxed: a counter */
static _Atomic long octets;    /* relaxed: a counter */

/* Whether the allocation about to be made is the one that a test wants to see fail. */
static bool must_fail(void) {
    unsigned long left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    while (left != 0) {
        if (left == 1 && atomic_load_explicit(&fail_on, memory_order_relaxed))
            break;
        if (!atomic_compare_exchange_weak_explicit(&fail_countdown, &left, left - 1,
                                                   memory_order_relaxed, memory_order_relaxed))
            continue;
        break;
    }
    if (left == 1)
        atomic_store_explicit(&fault_hit, true, memory_order_relaxed);
    return left == 1;
}

/* A block comes (1), goes (-1) or has got another size (0, once each way around the change). */
static void count(void *memory, int blocks, int sign) {
    if (memory == NULL || !atomic_load_explicit(&counting, memory_order_relaxed))
        return;
    long size = (long)(malloc_usable_size(memory) + sizeof(size_t)); /* glibc: one word before */
    atomic_fetch_add_explicit(&live, blocks, memory_order_relaxed);
    atomic_fetch_add_explicit(&octets, sign * size, memory_order_relaxed);
}

static void *count_block(void *memory) {
    count(memory, 1, 1);
    return memory;
}

void *nwi_alloc(size_t size) {
    if (must_fail())
        return NULL;
    if (size > SMALL) /* fresh pages are zero already: calloc knows */
        return count_block(calloc(1, size));
    /* malloc(0) may give NULL, which our callers would take for "no memory". */
    void *memory = malloc(size != 0 ? size : 1);
    return memory != NULL ? count_block(memset(memory, 0, size)) : NULL;
}

void nwi_alloc_wait(const char *what) {
    const struct timespec moment = {.tv_nsec = WAIT_FOR_MEMORY};
    nwi_log(NWI_LOG_ERROR, "memory", "wait", "out of memory, waiting for some for %s", what);
    nanosleep(&moment, NULL);
}

void *nwi_alloc_certain(size_t size) {
    char what[32];
    void *memory;
    while ((memory = nwi_alloc(size)) == NULL) {
        snprintf(what, sizeof what, "%zu octets", size);
        nwi_alloc_wait(what);
    }
    return memory;
}

void *nwi_alloc_raw(size_t size) {
    return must_fail() ? NULL : count_block(malloc(size != 0 ? size : 1));
}

void *nwi_realloc(void *memory, size_t size) {
    if (memory == NULL)
        return nwi_alloc_raw(size);
    if (must_fail())
        return NULL;
    count(memory, 0, -1);
    void *moved = realloc(memory, size != 0 ? size : 1);
    count(moved != NULL ? moved : memory, 0, 1);
    return moved;
}

void nwi_free(void *memory) {
    count(memory, -1, -1);
    free(memory);
}

char *nwi_strdup(const char *text) {
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = nwi_alloc_raw(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

char *nwi_asprintf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    char *text = nwi_alloc_raw((size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

static void fail(unsigned long n, bool on) {
    atomic_store_explicit(&fault_hit, false, memory_order_relaxed);
    atomic_store_explicit(&fail_on, on, memory_order_relaxed);
    atomic_store_explicit(&fail_countdown, n, memory_order_relaxed);
}

void nwi_alloc_fail_at(unsigned long n) {
    fail(n, false);
}

void nwi_alloc_fail_from(unsigned long n) {
    fail(n, true);
}

bool nwi_alloc_fault_hit(void) {
    return atomic_load_explicit(&fault_hit, memory_order_relaxed);
}

void nwi_alloc_count(bool on) {
    atomic_store_explicit(&live, 0, memory_order_relaxed);
    atomic_store_explicit(&octets, 0, memory_order_relaxed);
    atomic_store_explicit(&counting, on, memory_order_relaxed);
}

long nwi_alloc_live(void) {
    return atomic_load_explicit(&live, memory_order_relaxed);
}

long nwi_alloc_live_octets(void) {
    return atomic_load_explicit(&octets, memory_order_relaxed);
}
