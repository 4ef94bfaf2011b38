/*
 * policy.h - a peer's chain and the options of a connection, made an evaluation: the one place for
 *         every protocol.
 * Runs:   any thread.
 */
#ifndef NWI_TRUST_POLICY_H
#define NWI_TRUST_POLICY_H

#include "model/sec_options.h"
#include "trust/rules.h"

/* An evaluation of what a peer showed, its own certificate first, for sec_trust_evaluate() or for
 * the program's verify block. `options` are those of a started connection, whose settings do not
 * change; they are not kept. `host` is the name or address as text that the peer must hold; NULL:
 * none. `staple` is the OCSP response that came with the peer's own certificate, retained; NULL:
 * none came. +1 or NULL: the chain is empty, or memory ran out. */
sec_trust_t nwi_trust_create_for_peer(sec_protocol_options_t options,
                                      const sec_certificate_t *chain, size_t count,
                                      const char *host, enum nwi_trust_purpose purpose,
                                      dispatch_data_t staple);
/* Whether an evaluation has all that it needs in memory. If not, it reads the system's roots first,
 * some ten milliseconds, and does not belong on a loop. */
bool nwi_trust_is_prompt(sec_trust_t trust);
/* What the last evaluation came to: 0 or an errSSL code. */
int nwi_trust_status(sec_trust_t trust);
/* Whether the program asked for stapled statuses. */
bool nwi_trust_asks_staple(sec_protocol_options_t options);

#endif
