/*
 * weave.h - runs a few threads of the real source in every order, and with every value that a load
 * may return.
 * What:   the sources under test are compiled once more with -fsanitize=thread, but instead of the
 *         sanitizer's runtime this one answers the calls that the compiler puts before each access.
 *         Threads are coroutines. Before each atomic access, lock or sleep a scheduler chooses who
 *         goes on, and an atomic load chooses among the stores that C11 lets it see. The search
 *         is depth first over all choices; a state seen before is not entered again. Plain accesses
 *         that are not ordered by happens-before are reported as races.
 * Source: C11 section 5.1.2.4 with the release sequences and the order of seq_cst accesses of
 *         C++20; left out: values from the future (load buffering), failing weak swaps that could
 *         have succeeded. Data on a thread's stack is not watched for races.
 * Runs:   one process, one thread.
 */
#ifndef TESTS_MODEL_WEAVE_H
#define TESTS_MODEL_WEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weave_scenario {
    const char *name;
    void (*setup)(void); /* makes the objects and the first threads; nothing runs yet */
    void (*check)(void); /* when nothing can run any more: what has to hold then */
    bool large;          /* takes long: only when it is named */
    unsigned timeouts; /* deadlines of waits for a condition that may pass in a run, at any time */
};

/* Searches each scenario (or those named in the arguments); the exit status for main. */
int weave_main(int argc, char **argv, const struct weave_scenario *scenarios, size_t count);

/* A thread more, at any time. */
void weave_thread(void (*body)(void *argument), void *argument);
/* All the calling thread will do depends on `place` and on memory alone, not on what it has read so
 * far: lets states with different pasts count as one. */
void weave_forget(unsigned place);
/* Blocks until `ready`, which looks at memory without changing it. To be marked WEAVE_BLIND. */
#define WEAVE_BLIND __attribute__((no_sanitize("thread")))
void weave_wait(bool (*ready)(void *argument), void *argument);
/* Blocks until no other thread can go on; with the time that takes, stores become visible. */
void weave_wait_until_quiet(void);
/* Lets others run. */
void weave_pause(void);
/* One of `count` ways to go on, each tried. */
unsigned weave_choose(unsigned count);
/* No scheduling point before the accesses of this atomic object, since others order them: fewer
 * states. */
void weave_unscheduled(const volatile void *address);
/* Facts about the run, part of its state, that no thread learns anything else from. All 0 at
 * first. */
enum { WEAVE_FACTS = 8 };
unsigned weave_fact(unsigned which);
void weave_set_fact(unsigned which, unsigned value);
/* A word in the kernel, as an eventfd: always read as it is, with full barriers. */
unsigned weave_kernel_exchange(unsigned *word, unsigned value);
/* Zeroed memory, the same in each run; access after weave_free is reported. */
void *weave_alloc(size_t size);
void weave_free(void *memory);
size_t weave_live(void); /* allocated and not freed */
/* Threads that sleep or wait and will not be woken; 0 at the end when all have returned. */
unsigned weave_blocked(void);
/* A name for reports. */
void weave_name(const volatile void *address, const char *name);
_Noreturn void weave_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define weave_expect(condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            weave_fail("%s:%d: %s", __FILE__, __LINE__, #condition);                               \
    } while (0)

#endif
