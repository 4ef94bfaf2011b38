/*
 * once.h - to do something once in the life of the process.
 * What:   the predicate is a static or global variable, zero at first and touched by nothing else.
 */
#ifndef DISPATCH_ONCE_H
#define DISPATCH_ONCE_H

#include <dispatch/object.h>

DISPATCH_BEGIN_DECLS

typedef intptr_t dispatch_once_t;

#ifdef __BLOCKS__
/* Runs the block unless it has been run for this predicate. Callers that come meanwhile wait until
 * it has ended. */
DISPATCH_EXPORT void dispatch_once(dispatch_once_t *predicate,
                                   DISPATCH_NOESCAPE dispatch_block_t block);
#endif
DISPATCH_EXPORT void dispatch_once_f(dispatch_once_t *predicate, void *context,
                                     dispatch_function_t function);

DISPATCH_END_DECLS

#endif
