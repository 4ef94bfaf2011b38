/*
 * program.h - an input read as a program: octets become choices, numbers and text.
 * What:   every read gives something, zeros once the input is used up, so each input is a program.
 */
#ifndef TESTS_FUZZ_PROGRAM_H
#define TESTS_FUZZ_PROGRAM_H

#include "fuzz.h"
#include <stdbool.h>

enum { PROGRAM_TEXT_MAX = 64 };

struct program {
    const uint8_t *at, *end;
};

static inline bool program_ended(const struct program *program) {
    return program->at == program->end;
}

static inline uint8_t take_octet(struct program *program) {
    return program_ended(program) ? 0 : *program->at++;
}

static inline uint32_t take_number(struct program *program) {
    uint32_t number = 0;
    for (int i = 0; i < 4; i++)
        number = number << 8 | take_octet(program);
    return number;
}

/* Up to a zero octet; the text is the rest of the program at most. */
static inline const char *take_text(struct program *program, char text[PROGRAM_TEXT_MAX]) {
    size_t length = 0;
    while (length < PROGRAM_TEXT_MAX - 1 && (text[length] = (char)take_octet(program)) != '\0')
        length++;
    text[length] = '\0';
    return text;
}

#endif
