/*
 * local_io.h - the local ends: where bytes to send come from, where received bytes go.
 * What:   one read at a time, only when somebody wants it; writes in order. Descriptors are never
 *         made non-blocking, since a terminal's flags are shared with the shell.
 * Runs:   on the main queue, every function and answer.
 * Owns:   descriptors that were opened from a path.
 */
#ifndef NWCAT_LOCAL_IO_H
#define NWCAT_LOCAL_IO_H

#include <dispatch/dispatch.h>
#include <stdbool.h>
#include <stdint.h>

struct nwcat_input;
struct nwcat_output;

/* The next bytes, lent; NULL at the end of input, or with an errno value when reading failed. */
typedef void (*nwcat_input_fn)(void *context, dispatch_data_t data, int error);
typedef void (*nwcat_output_fn)(void *context, int error);

/* `path` NULL: standard input. NULL with errno set when it cannot be opened. */
struct nwcat_input *nwcat_input_open(const char *path);
/* Asks for at most `most` octets, to be given to `fn` later; replaces whoever asked before. What
 * was read for somebody who forgot his wish is kept for the next. */
void nwcat_input_want(struct nwcat_input *input, size_t most, void *context, nwcat_input_fn fn);
/* Takes the wish back, if `context` is the one who asked last. */
void nwcat_input_forget(struct nwcat_input *input, const void *context);
bool nwcat_input_is_terminal(const struct nwcat_input *input);
/* Octets that a regular file still holds; 0 when that is not known. */
uint64_t nwcat_input_total(const struct nwcat_input *input);

/* `path` NULL: standard output; a file is made anew. NULL with errno set when it cannot be opened.
 */
struct nwcat_output *nwcat_output_open(const char *path);
/* Writes all of `data` (retained until then), after what was given before, then calls `fn`. */
void nwcat_output_write(struct nwcat_output *output, dispatch_data_t data, void *context,
                        nwcat_output_fn fn);
bool nwcat_output_is_file(const struct nwcat_output *output);
bool nwcat_output_is_terminal(const struct nwcat_output *output);
/* Closes it. Returns an errno value when the system could not keep what was written (full disk). */
int nwcat_output_close(struct nwcat_output *output);

#endif
