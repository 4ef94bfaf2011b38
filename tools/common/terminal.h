/*
 * terminal.h - what a tool's descriptors are and can show.
 */
#ifndef TOOL_TERMINAL_H
#define TOOL_TERMINAL_H

#include <stdbool.h>

enum tool_when { TOOL_AUTO, TOOL_ALWAYS, TOOL_NEVER };

/* A standard descriptor that the caller closed would be given to a socket, and then read or
 * written: fills such with /dev/null. First thing in main(). */
void tool_fill_standard_descriptors(void);
/* Whether text on the descriptor may have colours. TOOL_AUTO: on a terminal that is not dumb,
 * unless NO_COLOR says no. */
bool tool_wants_colour(int fd, enum tool_when when);
/* Whether the locale's characters are UTF-8; after setlocale(). */
bool tool_shows_utf8(void);
/* Columns or lines of the terminal; 80 or 24 when it does not tell. */
int tool_terminal_columns(int fd);
int tool_terminal_lines(int fd);

#endif
