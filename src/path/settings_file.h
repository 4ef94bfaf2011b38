/*
 * settings_file.h - the two configuration files of this process, and what follows from them.
 * What:   the system's <sysconfdir>/libnw/network.conf and the user's
 *         $XDG_CONFIG_HOME/libnw/network.conf, read when first asked for and again when one of them
 *         changes while somebody watches.
 * Source: libnw-network.conf(5); XDG Base Directory Specification.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_SETTINGS_FILE_H
#define NWI_PATH_SETTINGS_FILE_H

#include "base/err.h"
#include "path/settings.h"

/* Whether a file denies this process local network access. The system's denial cannot be allowed
 * by the user's file. Cheap while watched: one load. */
bool nwi_path_local_network_denied(void);
/* What the files say of an interface; the user's before the system's. */
void nwi_settings_of(const char *interface, struct nwi_settings_interface *ret_answer);

/* From now on changes of the files take effect by themselves; `changed` runs after each, in a
 * context of this file's own. Counted: as many ends as begins; the function is that of the last
 * begin. What cannot be watched (no inotify left) is logged, and the files stand as they were read.
 */
void nwi_settings_watch_begin(void (*changed)(void));
void nwi_settings_watch_end(void);

/* Tests: other files; NULL: none of that kind. Not while watched. */
void nwi_settings_set_files(const char *system, const char *user);
/* Tests: another program's path in the place of /proc/self/exe; NULL restores. */
void nwi_settings_set_program(const char *executable);

#endif
