/*
 * establishment_timeline.h - what happened while a connection was being established, event by
 * event. For tools that show or explain it. It is libnw's own: the original has no such call, and
 * <Network/Network.h> does not include this header.
 *
 * Events carry the names of the tree that a connection grows: "C8" is the connection, "C8.1" its
 * resolver, "C8.1.1", "C8.1.2" the addresses tried. A connection to an address needs no resolver:
 * its only attempt is "C8.1". The words for events:
 *   "start"           C8: a round begins. A connection that waits and tries again has several.
 *   "resolve-start"   C8.1: the questions for addresses go out.
 *   "answer-aaaa",
 *   "answer-a"        C8.1: one family is answered, with an error when there is none to be had.
 *   "attempt-start"   C8.1.1: this address is tried now.
 *   "handshake-start" C8.1.1: its transport is connected; the handshake above (TLS) begins.
 *   "attempt-failed"  C8.1.1: with the error.
 *   "abandoned"       C8.1.1: another address won, or the connection was cancelled.
 *   "ready"           C8.1.1: this address won.
 *   "failed"          C8: the round has failed, with the error that the connection shows.
 * Later versions may add words; a program skips those it does not know.
 */
#ifndef NETWORK_ESTABLISHMENT_TIMELINE_H
#define NETWORK_ESTABLISHMENT_TIMELINE_H

#include <Network/connection.h>
#include <Network/endpoint.h>
#include <Network/error.h>
#include <Network/nw_object.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_establishment_timeline);

/**
 * The events of a connection so far, in order of time: a snapshot, which does not change. May be
 * asked at any time and from any thread. Returns a reference, or NULL for NULL, for a connection
 * that has not been started, for one that a listener accepted (it was not established from here),
 * and when memory ran out.
 */
NW_EXPORT nw_establishment_timeline_t
nw_connection_copy_establishment_timeline(nw_connection_t connection);

/** How many events the snapshot holds; 0 for NULL. */
NW_EXPORT size_t nw_establishment_timeline_get_count(nw_establishment_timeline_t timeline);

/**
 * How many events, the oldest, are missing because a connection kept trying for very long; 0 for
 * NULL. The times of the others still count from the very first.
 */
NW_EXPORT size_t nw_establishment_timeline_get_missing(nw_establishment_timeline_t timeline);

/**
 * Gets one event; all arguments are lent for the duration of the call.
 * nanoseconds: since the first event of the connection. name, event: see above; never NULL.
 * endpoint: what was to be resolved or connected to, or NULL. error: NULL when there is none.
 * Returns true to go on, false to stop.
 */
typedef bool (*nw_establishment_timeline_enumerator_f)(void *context, uint64_t nanoseconds,
                                                       const char *name, const char *event,
                                                       nw_endpoint_t endpoint, nw_error_t error);
#ifdef __BLOCKS__
typedef bool (^nw_establishment_timeline_enumerate_block_t)(uint64_t nanoseconds, const char *name,
                                                            const char *event,
                                                            nw_endpoint_t endpoint,
                                                            nw_error_t error);
/** Calls the block for each event, in order, before the call returns. */
NW_EXPORT void
nw_establishment_timeline_enumerate(nw_establishment_timeline_t timeline,
                                    nw_establishment_timeline_enumerate_block_t enumerate_block);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_establishment_timeline_enumerate_f(nw_establishment_timeline_t timeline, void *context,
                                      nw_establishment_timeline_enumerator_f enumerate);

NW_EXTERN_C_END

#endif
