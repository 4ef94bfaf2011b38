/*
 * doors.h - where commands come in: standard input, or a Unix socket for some clients at a time.
 */
#ifndef NWLINK_DOORS_H
#define NWLINK_DOORS_H

#include "control.h"
#include "loop.h"

struct nwlink_doors;

/* Opens the door at `path`, "-" being standard input, answered on standard output; its end is a
 * "quit". A socket file left behind by a dead wire is replaced; only this user can open the door.
 * NULL: `why`. */
struct nwlink_doors *nwlink_doors_open(int loop, struct nwlink_control *control, const char *path,
                                       char *why);
/* Closes clients that have gone. After every turn of the loop. */
void nwlink_doors_sweep(struct nwlink_doors *doors);
void nwlink_doors_close(struct nwlink_doors *doors); /* removes the socket file; NULL is fine */

#endif
