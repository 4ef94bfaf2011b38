/*
 * lab_input.h - a program of the lab is told by its standard input what to do, a command a line.
 * Runs:   on the main queue.
 */
#ifndef TESTS_LAB_LAB_INPUT_H
#define TESTS_LAB_LAB_INPUT_H

#include <dispatch/dispatch.h>
#include <string.h>
#include <unistd.h>

static struct {
    void (*obey)(char *line); /* without its end; NULL: what is said does not matter */
    void (*gone)(void);       /* the test has closed its end, or said too long a line; exits */
    char text[4096];
    size_t length;
} lab_input;

static inline void lab_input_read(void *context) {
    (void)context;
    size_t room = sizeof lab_input.text - 1 - lab_input.length;
    ssize_t count = read(STDIN_FILENO, lab_input.text + lab_input.length, room);
    if (count <= 0) {
        lab_input.gone();
        return;
    }
    lab_input.length += (size_t)count;
    char *end;
    while ((end = memchr(lab_input.text, '\n', lab_input.length)) != NULL) {
        *end = '\0';
        if (lab_input.obey != NULL)
            lab_input.obey(lab_input.text);
        lab_input.length -= (size_t)(end + 1 - lab_input.text);
        memmove(lab_input.text, end + 1, lab_input.length);
    }
}

static inline void lab_input_begin(void (*obey)(char *line), void (*gone)(void)) {
    lab_input.obey = obey;
    lab_input.gone = gone;
    dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_READ, STDIN_FILENO, 0,
                                                      dispatch_get_main_queue());
    dispatch_source_set_event_handler_f(source, lab_input_read);
    dispatch_resume(source);
}

#endif
