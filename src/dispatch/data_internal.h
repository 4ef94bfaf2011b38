/*
 * data_internal.h - the layout of dispatch_data objects, shared by data.c and data_leaf.c only.
 */
#ifndef NWI_DISPATCH_DATA_INTERNAL_H
#define NWI_DISPATCH_DATA_INTERNAL_H

#include "base/object.h"
#include "dispatch/data.h"

/* A view of consecutive octets of one leaf. */
struct nwi_data_segment {
    dispatch_data_t leaf; /* owned by the list that holds the segment */
    size_t offset;
    size_t length; /* never 0 */
};

/* Programs may hold a copy of _dispatch_data_empty (a copy relocation), so this struct keeps its
 * size. */
struct dispatch_data_s {
    struct nwi_object base;
    size_t size;       /* octets */
    const void *bytes; /* leaf: where they are. List: NULL. Empty: NULL */
    size_t count;      /* list: how many segments follow the struct */
    void *reserved;
};

struct nwi_data_list {
    struct dispatch_data_s head;
    struct nwi_data_segment segments[];
};

extern const struct nwi_type nwi_data_buffer_type;
/* Fills the header of an object that nwi_alloc or nwi_alloc_raw made. */
void nwi_data_init(dispatch_data_t data, const struct nwi_type *type, const void *bytes,
                   size_t size);

static inline const struct nwi_data_segment *nwi_data_segments(dispatch_data_t data) {
    return ((const struct nwi_data_list *)data)->segments;
}

#endif
