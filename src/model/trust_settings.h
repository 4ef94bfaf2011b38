/*
 * trust_settings.h - what a program says about whom to trust, beyond the rules.
 * What:   loosening (anchors, accepted certificates, the system's roots) and tightening (pins,
 *         a stapled status that must be there).
 * Runs:   unsynchronised like the options that hold it. Copies of the options share one object: a
 *         change is made to a copy unless nobody else holds it, so what a connection has taken
 *         never changes.
 * Owns:   references to the certificates.
 */
#ifndef NWI_MODEL_TRUST_SETTINGS_H
#define NWI_MODEL_TRUST_SETTINGS_H

#include "base/object.h"
#include <Security/SecProtocolTypes.h>

enum { NWI_TRUST_PIN_SIZE = 32 }; /* SHA-256 */

/* The roots of the system say who is a server of the public web. They say nothing about who may be
 * a client of this server, so by default they count for servers alone. */
enum nwi_trust_system { NWI_TRUST_SYSTEM_BY_ROLE, NWI_TRUST_SYSTEM_OFF, NWI_TRUST_SYSTEM_ON };

struct nwi_trust_list {
    sec_certificate_t *items; /* retained */
    size_t count;
};

struct nwi_trust_settings {
    struct nwi_object base;
    struct nwi_trust_list anchors;
    struct nwi_trust_list accepted; /* peers' own certificates, taken as they are */
    struct nwi_trust_list pinned;   /* one of these or of `pins` must be in the path */
    uint8_t (*pins)[NWI_TRUST_PIN_SIZE];
    size_t pin_count;
    enum nwi_trust_system system;
    bool staple_required;
};

/* Which list of certificates. */
enum nwi_trust_kind { NWI_TRUST_ANCHOR, NWI_TRUST_ACCEPTED, NWI_TRUST_PINNED };

/* Each makes `*settings` when it is NULL, and puts a copy in its place when it is shared. What
 * loosens and finds no memory is told in the log and not done; what tightens and is lost would
 * loosen, so there is memory for it or the program waits. */
void nwi_trust_settings_add(struct nwi_trust_settings **settings, enum nwi_trust_kind kind,
                            sec_certificate_t certificate);
void nwi_trust_settings_add_pin(struct nwi_trust_settings **settings, const uint8_t *sha256);
void nwi_trust_settings_set_system(struct nwi_trust_settings **settings, bool enabled);
void nwi_trust_settings_require_staple(struct nwi_trust_settings **settings, bool required);
/* Whether both say the same; NULL says nothing. */
bool nwi_trust_settings_equal(const struct nwi_trust_settings *a,
                              const struct nwi_trust_settings *b);

#endif
