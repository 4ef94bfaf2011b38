/*
 * settings.h - what a configuration file says about interfaces and the local network.
 * What:   the text of a network.conf made into a snapshot, and the questions one asks of it. No
 *         file is opened here: path/settings_file.h does that.
 * Source: libnw-network.conf(5).
 * Runs:   any thread; a snapshot never changes.
 */
#ifndef NWI_PATH_SETTINGS_H
#define NWI_PATH_SETTINGS_H

#include "base/object.h"
#include <Network/interface.h>
#include <Network/path.h>

enum { NWI_SETTINGS_FILE_MAX = 65536 }; /* octets; more is refused */

enum nwi_settings_choice {
    NWI_SETTINGS_UNSAID,
    NWI_SETTINGS_AUTO, /* said to be found out, whatever a weaker section says */
    NWI_SETTINGS_NO,
    NWI_SETTINGS_YES
};

/* What the file says of one interface. Zero: nothing. */
struct nwi_settings_interface {
    enum nwi_settings_choice expensive, constrained, ultra_constrained;
    enum nwi_settings_choice has_quality, has_type; /* never NO */
    nw_link_quality_t quality;
    nw_interface_type_t type;
};

struct nwi_settings;

/* `file` is the name in messages about what is wrong; the rest of the text holds all the same. +1,
 * or NULL when memory ran out. */
struct nwi_settings *nwi_settings_parse(const char *file, const char *text, size_t length);
/* Writes what the file says of the interface over *answer, and leaves the rest of it alone: a
 * section with exactly this name before one with a pattern, a later one before an earlier one,
 * setting by setting. */
void nwi_settings_interface(const struct nwi_settings *settings, const char *name,
                            struct nwi_settings_interface *answer);
/* Whether this file denies the program local network access. `executable`: its absolute path. What
 * `allow` names is an exception from what `deny` names in the same file. */
bool nwi_settings_denies(const struct nwi_settings *settings, const char *executable);

/* '*' stands for any characters, '?' for one. Takes at most pattern times text steps. */
bool nwi_settings_match(const char *pattern, const char *text);

#endif
