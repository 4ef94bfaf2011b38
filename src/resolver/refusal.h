/*
 * refusal.h - which question a server refuses to answer, and how.
 * What:   c-ares 1.18 moves on to the next server when one answers SERVFAIL, NOTIMP or REFUSED, and
 *         at the end reports only that no server could be spoken to. Reading the refusal from the
 *         message tells the real reason.
 * Runs:   any thread; pure.
 */
#ifndef NWI_RESOLVER_REFUSAL_H
#define NWI_RESOLVER_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

struct nwi_refusal {
    int status;     /* ARES_ESERVFAIL, ARES_ENOTIMP or ARES_EREFUSED */
    int type;       /* of the question */
    char name[256]; /* of the question, as text, no dot at the end */
};
/* False for every message that is no refusal, or not well formed. */
bool nwi_refusal_read(const unsigned char *message, size_t size, struct nwi_refusal *ret_refusal);

#endif
