/*
 * fuzz.h - what each fuzz target defines.
 * What:   one function over arbitrary octets, as libFuzzer calls it (clang -fsanitize=fuzzer).
 *         Without libFuzzer, driver.c calls it: with the files named, then with random inputs for a
 *         while.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
