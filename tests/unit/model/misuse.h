/*
 * misuse.h - counts what is logged as misuse, so that a test can say "refused, and said so".
 */
#ifndef TEST_MODEL_MISUSE_H
#define TEST_MODEL_MISUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int misuse_setup(void **state);    /* cmocka set-up of a group */
int misuse_teardown(void **state); /* fails when misuse was logged that no test asked for */
unsigned misuse_take(void);        /* how many since the last call */
const char *misuse_text(void);     /* the last one */

#define assert_misuse(call)                                                                        \
    do {                                                                                           \
        assert_int_equal(misuse_take(), 0);                                                        \
        call;                                                                                      \
        assert_int_equal(misuse_take(), 1);                                                        \
    } while (0)

#endif
