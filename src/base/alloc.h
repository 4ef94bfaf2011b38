/*
 * alloc.h - every allocation of libnw goes through here, so that tests can make any one fail.
 * What:   zeroed memory; NULL when memory ran out; nwi_free(NULL) is fine. Memory handed to the
 *         caller of the public API ("the caller frees") comes from plain malloc semantics as well:
 *         nwi_alloc is calloc underneath, so free() releases it.
 * Runs:   on any thread.
 */
#ifndef NWI_BASE_ALLOC_H
#define NWI_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

void *nwi_alloc(size_t size);     /* zeroed */
void *nwi_alloc_raw(size_t size); /* not zeroed: for buffers that are filled at once */
/* For calls that have no way to report that memory ran out and must not be lost: waits until there
 * is some, as libdispatch does, and says so in the log. Zeroed; never NULL. */
void *nwi_alloc_certain(size_t size);
/* One round of that wait, for a loop around another call that has found no memory for `what`. */
void nwi_alloc_wait(const char *what);
void *nwi_realloc(void *memory, size_t size);
void nwi_free(void *memory);
char *nwi_strdup(const char *text); /* NULL for NULL */
char *nwi_asprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fault seam. After nwi_alloc_fail_at(n) the n-th allocation from now (1 = the next) returns NULL,
 * once; after nwi_alloc_fail_from(n) those behind it do, too; n = 0 disarms. nwi_alloc_fault_hit()
 * tells whether it has fired. nwi_alloc_live() counts live blocks while counting is on (from
 * nwi_alloc_count(true) on), nwi_alloc_live_octets() what they take of the heap, the allocator's
 * own words included. */
void nwi_alloc_fail_at(unsigned long n);
void nwi_alloc_fail_from(unsigned long n);
bool nwi_alloc_fault_hit(void);
void nwi_alloc_count(bool on);
long nwi_alloc_live(void);
long nwi_alloc_live_octets(void);

#endif
