/*
 * data.c - dispatch_data: sharing, joining and reading immutable bytes.
 * What:   an object is a leaf (data_leaf.c), or a list of segments of leaves; both count
 *         references. A list holds its leaves directly, so depth never grows.
 * Runs:   on any thread.
 * Owns:   a list owns one reference on the leaf of each segment.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/data_internal.h"
#include "dispatch/dispatch.h"
#include <stdint.h>
#include <string.h>

static const struct nwi_type empty_type = {.name = "dispatch_data",
                                           .size = sizeof(struct dispatch_data_s)};
struct dispatch_data_s _dispatch_data_empty = {.base = NWI_OBJECT_STATIC(&empty_type)};

static void destroy_list(void *object) {
    struct nwi_data_list *list = object;
    for (size_t i = 0; i < list->head.count; i++)
        nwi_release(list->segments[i].leaf);
}

static const struct nwi_type list_type = {
    .name = "dispatch_data", .size = sizeof(struct nwi_data_list), .destroy = destroy_list};

/* Room for `count` segments, none of them there yet. NULL when memory ran out. */
static struct nwi_data_list *create_list(size_t count) {
    size_t total;
    if (__builtin_mul_overflow(count, sizeof(struct nwi_data_segment), &total) ||
        __builtin_add_overflow(total, sizeof(struct nwi_data_list), &total))
        return NULL;
    struct nwi_data_list *list = nwi_alloc_raw(total);
    if (list != NULL)
        nwi_data_init(&list->head, &list_type, NULL, 0);
    return list;
}

/* Number of regions. */
static size_t count_regions(dispatch_data_t data) {
    if (data == NULL || data->size == 0)
        return 0;
    return data->bytes != NULL ? 1 : data->count;
}

/* The region with this index (less than count_regions), as a segment without a reference. */
static struct nwi_data_segment get_region(dispatch_data_t data, size_t index) {
    if (data->bytes != NULL)
        return (struct nwi_data_segment){data, 0, data->size};
    return nwi_data_segments(data)[index];
}

static const unsigned char *get_bytes(struct nwi_data_segment segment) {
    return (const unsigned char *)segment.leaf->bytes + segment.offset;
}

/* Adds a segment, retaining its leaf; grows the last one instead when it simply goes on in the same
 * leaf. */
static void append(struct nwi_data_list *list, struct nwi_data_segment segment) {
    if (list->head.count > 0) {
        struct nwi_data_segment *last = &list->segments[list->head.count - 1];
        if (last->leaf == segment.leaf && last->offset + last->length == segment.offset) {
            last->length += segment.length;
            list->head.size += segment.length;
            return;
        }
    }
    nwi_retain(segment.leaf);
    list->segments[list->head.count++] = segment;
    list->head.size += segment.length;
}

/* Replaces a list that shows exactly one whole leaf by that leaf. Consumes the list. */
static dispatch_data_t simplify(struct nwi_data_list *list) {
    if (list->head.count != 1 || list->segments[0].length != list->segments[0].leaf->size)
        return &list->head;
    dispatch_data_t leaf = nwi_retain(list->segments[0].leaf);
    nwi_release(list);
    return leaf;
}

/* An object that shows one segment; NULL when memory ran out. */
static dispatch_data_t create_region(struct nwi_data_segment segment) {
    if (segment.length == segment.leaf->size)
        return nwi_retain(segment.leaf);
    struct nwi_data_list *list = create_list(1);
    if (list == NULL)
        return NULL;
    append(list, segment);
    return &list->head;
}

size_t dispatch_data_get_size(dispatch_data_t data) {
    return data != NULL ? data->size : 0;
}

dispatch_data_t dispatch_data_create_concat(dispatch_data_t data1, dispatch_data_t data2) {
    size_t size1 = dispatch_data_get_size(data1), size2 = dispatch_data_get_size(data2), sum;
    if (size2 == 0)
        return size1 == 0 ? dispatch_data_empty : nwi_retain(data1);
    if (size1 == 0)
        return nwi_retain(data2);
    if (__builtin_add_overflow(size1, size2, &sum)) {
        nwi_log_misuse(__func__, "the size does not fit");
        return NULL;
    }
    size_t count1 = count_regions(data1), count2 = count_regions(data2);
    struct nwi_data_list *list = create_list(count1 + count2);
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < count1; i++)
        append(list, get_region(data1, i));
    for (size_t i = 0; i < count2; i++)
        append(list, get_region(data2, i));
    return simplify(list);
}

/* Finds the region that holds the octet at `offset` (less than the size); stores where the region
 * starts. */
static size_t find_region(dispatch_data_t data, size_t offset, size_t *start) {
    size_t index = 0;
    *start = 0;
    if (data->bytes == NULL)
        for (; offset - *start >= nwi_data_segments(data)[index].length; index++)
            *start += nwi_data_segments(data)[index].length;
    return index;
}

dispatch_data_t dispatch_data_create_subrange(dispatch_data_t data, size_t offset, size_t length) {
    size_t size = dispatch_data_get_size(data);
    if (offset >= size || length == 0)
        return dispatch_data_empty;
    if (length > size - offset)
        length = size - offset;
    if (length == size)
        return nwi_retain(data);

    size_t start, start_last;
    size_t first = find_region(data, offset, &start);
    size_t last = find_region(data, offset + length - 1, &start_last);
    struct nwi_data_list *list = create_list(last - first + 1);
    if (list == NULL)
        return NULL;
    for (size_t i = first, skip = offset - start; i <= last; i++, skip = 0) {
        struct nwi_data_segment segment = get_region(data, i);
        segment.offset += skip;
        segment.length -= skip;
        if (segment.length > length)
            segment.length = length;
        length -= segment.length;
        append(list, segment);
    }
    return simplify(list);
}

dispatch_data_t dispatch_data_create_map(dispatch_data_t data, const void **buffer_ptr,
                                         size_t *size_ptr) {
    size_t size = dispatch_data_get_size(data), count = count_regions(data);
    const void *bytes = NULL;
    dispatch_data_t map;
    if (count == 0) {
        map = dispatch_data_empty;
    } else if (count == 1) {
        map = nwi_retain(data);
        bytes = get_bytes(get_region(data, 0));
    } else {
        void *copy;
        map = nwi_data_create_buffer(size, &copy);
        if (map != NULL)
            nwi_data_copy_out(data, 0, copy, size);
        else
            size = 0;
        bytes = copy;
    }
    if (buffer_ptr != NULL)
        *buffer_ptr = bytes;
    if (size_ptr != NULL)
        *size_ptr = size;
    return map;
}

bool dispatch_data_apply_f(dispatch_data_t data, void *context,
                           dispatch_data_applier_function_t applier) {
    if (applier == NULL) {
        nwi_log_misuse(__func__, "no applier");
        return false;
    }
    size_t count = count_regions(data), offset = 0;
    bool more = true;
    nwi_retain(data); /* the applier may release it */
    for (size_t i = 0; more && i < count; i++) {
        struct nwi_data_segment segment = get_region(data, i);
        dispatch_data_t region = count == 1 ? nwi_retain(data) : create_region(segment);
        if (region == NULL) {
            nwi_log(NWI_LOG_ERROR, "dispatch", "data", "no memory for a region: apply ends early");
            more = false;
            break;
        }
        more = applier(context, region, offset, get_bytes(segment), segment.length);
        nwi_release(region);
        offset += segment.length;
    }
    nwi_release(data);
    return more;
}

DISPATCH_EXPORT bool dispatch_data_apply(dispatch_data_t data, const void *applier);
bool dispatch_data_apply(dispatch_data_t data, const void *applier) {
    struct nwi_callback pair = nwi_callback_block_noescape(applier);
    return dispatch_data_apply_f(data, pair.context, (dispatch_data_applier_function_t)pair.fn);
}

dispatch_data_t dispatch_data_copy_region(dispatch_data_t data, size_t location,
                                          size_t *offset_ptr) {
    size_t size = dispatch_data_get_size(data), start = size;
    dispatch_data_t region = dispatch_data_empty;
    if (location < size) {
        size_t index = find_region(data, location, &start);
        region =
            count_regions(data) == 1 ? nwi_retain(data) : create_region(get_region(data, index));
    }
    if (offset_ptr != NULL)
        *offset_ptr = start;
    return region;
}

/* --- reading without callbacks --- */

size_t nwi_data_iovec(dispatch_data_t data, size_t offset, struct iovec *vectors, size_t max) {
    if (offset >= dispatch_data_get_size(data))
        return 0;
    size_t start, filled = 0, count = count_regions(data);
    size_t index = find_region(data, offset, &start);
    for (size_t skip = offset - start; index < count && filled < max; index++, skip = 0) {
        struct nwi_data_segment segment = get_region(data, index);
        vectors[filled].iov_base = (void *)(get_bytes(segment) + skip);
        vectors[filled++].iov_len = segment.length - skip;
    }
    return filled;
}

size_t nwi_data_copy_out(dispatch_data_t data, size_t offset, void *bytes, size_t size) {
    size_t whole = dispatch_data_get_size(data), done = 0;
    if (offset >= whole)
        return 0;
    if (size > whole - offset)
        size = whole - offset;
    size_t start, index = find_region(data, offset, &start);
    for (size_t skip = offset - start; done < size; index++, skip = 0) {
        struct nwi_data_segment segment = get_region(data, index);
        size_t part = segment.length - skip;
        if (part > size - done)
            part = size - done;
        memcpy((char *)bytes + done, get_bytes(segment) + skip, part);
        done += part;
    }
    return done;
}

bool nwi_data_equal(dispatch_data_t a, dispatch_data_t b) {
    unsigned char part_a[256], part_b[256];
    if (a == b || a == NULL || b == NULL)
        return a == b;
    if (dispatch_data_get_size(a) != dispatch_data_get_size(b))
        return false;
    for (size_t offset = 0;;) {
        size_t length = nwi_data_copy_out(a, offset, part_a, sizeof part_a);
        if (length == 0)
            return true;
        if (nwi_data_copy_out(b, offset, part_b, length) != length ||
            memcmp(part_a, part_b, length) != 0)
            return false;
        offset += length;
    }
}
