/*
 * fuzz.h - what each fuzz target defines, and what they share.
 * What:   one function over arbitrary octets, as libFuzzer calls it (clang -fsanitize=fuzzer).
 *         Without libFuzzer, driver.c calls it: with the files named, then with random inputs for a
 *         while.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "base/log.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold for every input. Not assert(): it holds in every build. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Inputs are misuse more often than not. The log lines are made and thrown away: of interest is
 * only that making them works. */
static inline void fuzz_log_sink(enum nwi_log_level level, const char *name, const char *event,
                                 const char *message) {
    (void)level, (void)name, (void)event;
    CHECK(strlen(message) < 4096);
}
static inline void fuzz_log_nothing(void) {
    nwi_log_set_sink(fuzz_log_sink);
}

#endif
