/*
 * timeline_collect.h - the race of a connection, asked of the library.
 * Runs:   on the main queue.
 */
#ifndef NWCAT_TIMELINE_COLLECT_H
#define NWCAT_TIMELINE_COLLECT_H

#include "app.h"
#include "timeline.h"

#include <Network/Network.h>

/* Fills the timeline (cleared first) with what has happened so far. False when nothing is known. */
bool nwcat_timeline_collect(const struct nwcat_app *app, nw_connection_t connection,
                            struct nwcat_timeline *timeline);
/* Tells rows of `now` that are new or have ended since `before`: the race as it runs. */
void nwcat_timeline_tell_news(const struct nwcat_app *app, const struct nwcat_timeline *before,
                              const struct nwcat_timeline *now);
/* Draws it where the options ask for it. Returns false after a complaint: a file could not be
 * written. */
void nwcat_timeline_draw(const struct nwcat_app *app, const struct nwcat_timeline *timeline);
bool nwcat_timeline_show(const struct nwcat_app *app, const struct nwcat_timeline *timeline);

#endif
