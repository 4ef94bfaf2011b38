/*
 * fuzz_data.c - dispatch_data against flat arrays.
 * What:   the input is a program over eight slots, each a data object and a plain array that must
 *         stay equal.
 */
#include "dispatch/data.h"
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 8, SIZE_LIMIT = 1 << 16 };
static struct slot {
    dispatch_data_t data;
    uint8_t *model;
    size_t size;
} slots[SLOTS];

/* Puts a new pair into the slot; consumes data, copies the model. */
static void put(struct slot *slot, dispatch_data_t data, const uint8_t *a, size_t a_size,
                const uint8_t *b, size_t b_size) {
    CHECK(data != NULL);
    uint8_t *model = malloc(a_size + b_size + 1);
    CHECK(model != NULL);
    if (a_size > 0)
        memcpy(model, a, a_size);
    if (b_size > 0)
        memcpy(model + a_size, b, b_size);
    if (slot->data != NULL)
        dispatch_release(slot->data);
    free(slot->model);
    *slot = (struct slot){data, model, a_size + b_size};
}

struct walk {
    const struct slot *slot;
    size_t at, until;
};

static bool visit(void *context, dispatch_data_t region, size_t offset, const void *buffer,
                  size_t size) {
    struct walk *walk = context;
    CHECK(size > 0 && offset == walk->at && size <= walk->slot->size - offset);
    CHECK(dispatch_data_get_size(region) == size);
    CHECK(memcmp(buffer, walk->slot->model + offset, size) == 0);
    walk->at += size;
    return true;
}

/* Stops after the region that reaches `until`. */
static bool visit_until(void *context, dispatch_data_t region, size_t offset, const void *buffer,
                        size_t size) {
    struct walk *walk = context;
    return visit(context, region, offset, buffer, size) && walk->at < walk->until;
}

static void check(const struct slot *slot, size_t offset) {
    CHECK(dispatch_data_get_size(slot->data) == slot->size);
    struct walk walk = {.slot = slot};
    CHECK(dispatch_data_apply_f(slot->data, &walk, visit) && walk.at == slot->size);
    walk = (struct walk){.slot = slot, .until = offset + 1};
    CHECK(dispatch_data_apply_f(slot->data, &walk, visit_until) == (offset >= slot->size));
    CHECK(walk.at > offset || walk.at == slot->size);

    const void *bytes;
    size_t size;
    dispatch_data_t map = dispatch_data_create_map(slot->data, &bytes, &size);
    CHECK(map != NULL && size == slot->size &&
          (size == 0 || memcmp(bytes, slot->model, size) == 0));
    dispatch_release(map);

    struct iovec vectors[3];
    size_t count = nwi_data_iovec(slot->data, offset, vectors, 3), at = offset;
    CHECK((count == 0) == (offset >= slot->size));
    for (size_t i = 0; i < count; at += vectors[i++].iov_len)
        CHECK(memcmp(vectors[i].iov_base, slot->model + at, vectors[i].iov_len) == 0);

    size_t start;
    dispatch_data_t region = dispatch_data_copy_region(slot->data, offset, &start);
    CHECK(region != NULL);
    if (offset < slot->size)
        CHECK(start <= offset && offset - start < dispatch_data_get_size(region));
    else
        CHECK(region == dispatch_data_empty && start == slot->size);
    dispatch_release(region);
}

static void step(const uint8_t op[4], const uint8_t *rest, size_t rest_size) {
    struct slot *to = &slots[op[1] % SLOTS], *from = &slots[op[2] % SLOTS];
    size_t number = op[3];
    switch (op[0] % 5) {
    case 0: { /* new bytes, copied or owned */
        size_t size = number < rest_size ? number : rest_size;
        dispatch_data_t data;
        if (op[0] & 0x80) {
            uint8_t *owned = malloc(size + 1);
            CHECK(owned != NULL);
            memcpy(owned, rest, size);
            data = dispatch_data_create_f(owned, size, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_FREE_F);
        } else {
            data = dispatch_data_create_f(rest, size, NULL, NULL, NULL);
        }
        put(to, data, rest, size, NULL, 0);
        break;
    }
    case 1: /* to = to + from */
        if (to->size + from->size <= SIZE_LIMIT) {
            struct slot old = {.model = to->model};
            to->model = NULL;
            put(to, dispatch_data_create_concat(to->data, from->data), old.model, to->size,
                from == to ? old.model : from->model, from->size);
            free(old.model);
        }
        break;
    case 2: { /* to = part of from */
        size_t offset = from->size == 0 ? 0 : (number * 257) % (from->size + 2);
        size_t length = op[0] & 0x80 ? SIZE_MAX : number;
        size_t there = offset >= from->size ? 0 : from->size - offset;
        if (there > length)
            there = length;
        uint8_t *copy = malloc(there + 1);
        CHECK(copy != NULL);
        if (there > 0)
            memcpy(copy, from->model + offset, there);
        put(to, dispatch_data_create_subrange(from->data, offset, length), copy, there, NULL, 0);
        free(copy);
        break;
    }
    case 3: { /* a buffer, filled and trimmed */
        void *bytes;
        dispatch_data_t data = nwi_data_create_buffer(op[0] & 0x80 ? 2048 : 256, &bytes);
        CHECK(data != NULL);
        memset(bytes, op[2], number);
        uint8_t same[256];
        memset(same, op[2], sizeof(same));
        put(to, nwi_data_trim(data, number), same, number, NULL, 0);
        break;
    }
    default:
        check(to, number);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (; size >= 4; data += 4, size -= 4)
        step(data, data + 4, size - 4);
    for (int i = 0; i < SLOTS; i++) {
        check(&slots[i], slots[i].size / 2);
        if (slots[i].data != NULL)
            dispatch_release(slots[i].data);
        free(slots[i].model);
        slots[i] = (struct slot){0};
    }
    nwi_data_pool_drain();
    return 0;
}
