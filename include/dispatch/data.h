/*
 * data.h - bytes: immutable, reference counted, in one or more contiguous regions.
 * What:   objects share regions instead of copying them. Any thread may use an object at any time.
 * Note:   a NULL dispatch_data_t counts as empty wherever one is read.
 */
#ifndef DISPATCH_DATA_H
#define DISPATCH_DATA_H

#include <dispatch/queue.h>

DISPATCH_DECL(dispatch_data);

DISPATCH_BEGIN_DECLS

/* The one object of size 0; not counted. */
DISPATCH_EXPORT struct dispatch_data_s _dispatch_data_empty;
#define dispatch_data_empty DISPATCH_GLOBAL_OBJECT(dispatch_data_t, _dispatch_data_empty)

/*
 * Ways to end a buffer given to dispatch_data_create:
 *   DEFAULT  the bytes are copied at once; the buffer stays the caller's.
 *   FREE     the object owns memory from malloc, and frees it.
 *   MUNMAP   the object owns a mapping of `size` octets, and unmaps it.
 *   a block  called once on the queue (NULL: the default global queue) when the last object that
 * shows the buffer has gone.
 */
#define DISPATCH_DATA_DESTRUCTOR_DEFAULT NULL
#ifdef __BLOCKS__
DISPATCH_EXPORT const dispatch_block_t _dispatch_data_destructor_free;
DISPATCH_EXPORT const dispatch_block_t _dispatch_data_destructor_munmap;
#define DISPATCH_DATA_DESTRUCTOR_FREE (_dispatch_data_destructor_free)
#define DISPATCH_DATA_DESTRUCTOR_MUNMAP (_dispatch_data_destructor_munmap)

/* Returns an object of `size` octets at `buffer`, owned by the caller. For size 0 or a NULL buffer
 * it is dispatch_data_empty, and the destructor is called all the same. NULL when memory ran out:
 * the buffer is then still the caller's. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_data_t dispatch_data_create(
    const void *buffer, size_t size, dispatch_queue_t queue, dispatch_block_t destructor);
#endif

/* The same without blocks: `destructor` is called with `context`; NULL copies the bytes. The two
 * below are recognised and free or unmap the buffer, whatever the context. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_create_f(const void *buffer, size_t size, dispatch_queue_t queue, void *context,
                       dispatch_function_t destructor);
DISPATCH_EXPORT const dispatch_function_t _dispatch_data_destructor_free_f;
DISPATCH_EXPORT const dispatch_function_t _dispatch_data_destructor_munmap_f;
#define DISPATCH_DATA_DESTRUCTOR_FREE_F (_dispatch_data_destructor_free_f)
#define DISPATCH_DATA_DESTRUCTOR_MUNMAP_F (_dispatch_data_destructor_munmap_f)

/* Returns the number of octets. */
DISPATCH_EXPORT DISPATCH_NOTHROW size_t dispatch_data_get_size(dispatch_data_t data);

/*
 * Returns an object, owned by the caller, that shows the same octets in one region, and stores
 * where they are. The pointer is good as long as the returned object lives. Copies only when `data`
 * has more than one region. Either pointer may be NULL. NULL when memory ran out.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_create_map(dispatch_data_t data, const void **buffer_ptr, size_t *size_ptr);

/* Returns an object, owned by the caller, with the octets of `data1` followed by those of `data2`,
 * sharing both. NULL when memory ran out or the size does not fit. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_create_concat(dispatch_data_t data1, dispatch_data_t data2);

/* Returns an object, owned by the caller, with `length` octets from `offset` on, sharing them; less
 * where `data` ends sooner, dispatch_data_empty beyond its end. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_create_subrange(dispatch_data_t data, size_t offset, size_t length);

/*
 * Calls the applier for each region in order, until it returns false: an object showing only this
 * region (borrowed for the call), the region's offset in `data`, its address and size. Returns
 * whether every call returned true.
 */
#ifdef __BLOCKS__
typedef bool (^dispatch_data_applier_t)(dispatch_data_t region, size_t offset, const void *buffer,
                                        size_t size);
DISPATCH_EXPORT bool dispatch_data_apply(dispatch_data_t data,
                                         DISPATCH_NOESCAPE dispatch_data_applier_t applier);
#endif
typedef bool (*dispatch_data_applier_function_t)(void *context, dispatch_data_t region,
                                                 size_t offset, const void *buffer, size_t size);
DISPATCH_EXPORT bool dispatch_data_apply_f(dispatch_data_t data, void *context,
                                           dispatch_data_applier_function_t applier);

/* Returns the region that holds the octet at `location`, owned by the caller, and stores the
 * region's offset in `data`. dispatch_data_empty, and the size of `data` for the offset, when there
 * is no such octet. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_copy_region(dispatch_data_t data, size_t location, size_t *offset_ptr);

DISPATCH_END_DECLS

#endif
