/*
 * netns.h - network namespaces: found by name, entered, left.
 * What:   a name is one of "ip netns" (the files of /run/netns), a path, a process id, or "." for
 *         the namespace that nwlink itself is in.
 * Owns:   nothing; descriptors are the caller's.
 */
#ifndef NWLINK_NETNS_H
#define NWLINK_NETNS_H

#include <stdbool.h>

/* A descriptor of the namespace; below 0: `why` (NWLINK_WHY octets) names it and says what is
 * wrong. */
int nwlink_netns_open(const char *name, char *why);
/* A descriptor of a fresh namespace with its loopback up; this process stays where it is. */
int nwlink_netns_create(char *why);
/* Moves this thread into the namespace; returns a descriptor of the one it was in, for leave. */
int nwlink_netns_enter(int fd, char *why);
/* Back again; consumes `before`. */
void nwlink_netns_leave(int before);

#endif
