/*
 * terminal.c - what a tool's descriptors are and can show.
 * Source: https://no-color.org: any value that is not empty says no.
 * Runs:   any thread.
 */
#include "common/terminal.h"

#include <fcntl.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void tool_fill_standard_descriptors(void) {
    for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = dup(fd)) {
        if (fd > STDERR_FILENO) {
            close(fd);
            return;
        }
    }
}

bool tool_wants_colour(int fd, enum tool_when when) {
    if (when != TOOL_AUTO)
        return when == TOOL_ALWAYS;
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    bool plain =
        (no_colour != NULL && no_colour[0] != '\0') || term == NULL || strcmp(term, "dumb") == 0;
    return isatty(fd) && !plain;
}

bool tool_shows_utf8(void) {
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int tool_terminal_columns(int fd) {
    struct winsize window;
    return ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ? window.ws_col : 80;
}

int tool_terminal_lines(int fd) {
    struct winsize window;
    return ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_row > 1 ? window.ws_row : 24;
}
