/* nwcat_test.h - what the tests of nwcat's pure parts share: cmocka, and text written to a FILE. */
#ifndef NWCAT_TEST_H
#define NWCAT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the above */

struct text_file {
    FILE *file;
    char *text;
    size_t size;
};

static inline void text_open(struct text_file *t) {
    t->file = open_memstream(&t->text, &t->size);
    assert_non_null(t->file);
}

/* The text is freed by the caller. */
static inline char *text_close(struct text_file *t) {
    assert_int_equal(fclose(t->file), 0);
    return t->text;
}

#endif
