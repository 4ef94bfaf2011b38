/*
 * gate.h - steps of handshakes take turns with everything else on a loop.
 * What:   a step costs up to a millisecond of processor. A thousand of them that become due at once
 *         would hold up all other connections of their loop for a second; behind the gate about one
 *         millisecond of them runs between two looks at the descriptors.
 * Runs:   waiting: any thread. The steps: in the context that each names, begun on the loop.
 * Owns:   what waits, and a timer for each loop that ever had any; these live as long as the loop.
 */
#ifndef NWI_PROTOCOL_TLS_GATE_H
#define NWI_PROTOCOL_TLS_GATE_H

#include "base/task.h"

struct nwi_loop;
struct nwi_serial;

/* Runs the task in the context when its turn comes. `owner` is retained until then. Without memory
 * for the wait the task goes to the context at once. */
void nwi_tls_gate_wait(struct nwi_loop *loop, struct nwi_serial *context, void *owner,
                       struct nwi_task *task);

#endif
