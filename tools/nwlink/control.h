/*
 * control.h - what one can tell a wire while it stands, a line at a time.
 * What:   each line gets one line back: "ok", "ok {JSON}" or "error TEXT". The words are in
 *         nwlink(1).
 */
#ifndef NWLINK_CONTROL_H
#define NWLINK_CONTROL_H

#include "profiles.h"
#include "wire.h"

#include <stdio.h>

enum { NWLINK_CONTROL_LINE = 600 }; /* octets of the longest line */

struct nwlink_control {
    struct nwlink_wire *wire;
    const struct nwlink_profiles *profiles;
    bool quit; /* somebody said so */
};

/* Does what the line says, and writes the answer. The line is changed. An empty line and a comment
 * (#) get no answer. */
void nwlink_control_obey(struct nwlink_control *control, char *line, FILE *answer);

#endif
