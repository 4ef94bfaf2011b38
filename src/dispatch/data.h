/*
 * data.h - dispatch_data inside libnw: buffers to receive into, and regions without callbacks.
 * What:   what connection code needs beyond include/dispatch/data.h. A leaf holds bytes; any other
 *         object is a flat array of {leaf, offset, length}, so nothing is ever nested.
 * Runs:   on any thread; an object is immutable once it is shared.
 */
#ifndef NWI_DISPATCH_DATA_H
#define NWI_DISPATCH_DATA_H

#include <dispatch/data.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* A leaf with room for `capacity` octets inside itself, to be filled at *bytes by whoever made it,
 * before anyone else sees it. Its size is `capacity` until trimmed. Capacities of exactly 2, 16 and
 * 64 KiB come from a pool and go back to it. NULL when memory ran out. */
dispatch_data_t nwi_data_create_buffer(size_t capacity, void **bytes);
/* Sets the final size (at most the capacity) of a buffer that is not shared yet. Consumes `leaf`
 * and returns it; for size 0 gives it back and returns dispatch_data_empty. */
dispatch_data_t nwi_data_trim(dispatch_data_t leaf, size_t size);
/* A leaf with a copy of the bytes; dispatch_data_empty for size 0; NULL when memory ran out. */
dispatch_data_t nwi_data_create_copy(const void *bytes, size_t size);
/* A leaf over bytes that `owner` keeps until give_back(owner), which is called on the thread of the
 * last release: it must be quick and take no lock that a caller may hold. `size` is not 0. NULL
 * when memory ran out: nothing was given back. */
dispatch_data_t nwi_data_create_lent(const void *bytes, size_t size, void *owner,
                                     void (*give_back)(void *owner));

/* Fills at most `max` vectors with the regions from `offset` on, and returns how many it filled: 0
 * at the end. */
size_t nwi_data_iovec(dispatch_data_t data, size_t offset, struct iovec *vectors, size_t max);
/* Copies at most `size` octets from `offset` on; returns how many there were. */
size_t nwi_data_copy_out(dispatch_data_t data, size_t offset, void *bytes, size_t size);
/* Whether both hold the same octets, however each is cut into regions. NULL equals only NULL. */
bool nwi_data_equal(dispatch_data_t a, dispatch_data_t b);

/* Tests: whether this build has a pool (not under AddressSanitizer); frees what the pool keeps. */
bool nwi_data_is_pooled(void);
void nwi_data_pool_drain(void);

#endif
