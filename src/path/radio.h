/*
 * radio.h - the link quality of Wi-Fi interfaces, from the kernel.
 * What:   for where NetworkManager does not run. A kernel without Wi-Fi is no error.
 * Source: linux/nl80211.h; path/quality.h.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_RADIO_H
#define NWI_PATH_RADIO_H

#include <Network/path.h>

/* From now on the kernel is asked about the interfaces that somebody asks for; `changed` runs after
 * each change, in a context of this file's own. Counted, as nwi_settings_watch_begin is. */
void nwi_radio_watch_begin(void (*changed)(void));
void nwi_radio_watch_end(void);
/* What is known now, at once. Asked for the first time while watched: unknown, and the kernel will
 * be asked. */
nw_link_quality_t nwi_radio_of(unsigned index);

#endif
