/*
 * wire.c - contents that tell who sent them, and the order in which they may arrive.
 * What:   a send is a header (the scene's mark, the sender's number, the send's id) and octets of
 *         one fixed pattern. The receiver finds the send by it, and holds against the model: each
 *         octet as it was sent, no send twice, the pieces of one context together, the calls of
 *         one thread in their order unless rank says otherwise, a context after its antecedent,
 *         nothing after a final one.
 * Runs:   wire_take in the receiver's handlers. What it reads of the sender are relaxed atomics: no
 *         order is put between both ends but what the octets on their way put there.
 */
#include "scene.h"
#include <string.h>

struct mark {
    uint32_t scene;
    uint16_t actor, id;
};
_Static_assert(sizeof(struct mark) == HEADER, "header without holes");

static uint8_t pattern[PATTERN_SIZE + 4096];

__attribute__((constructor)) static void fill_pattern(void) {
    struct draw source = {7};
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)draw(&source);
}

/* Where in the pattern the body of a send begins. */
static const uint8_t *body(unsigned actor, unsigned id) {
    return pattern + (actor * 131 + id * 37) % 4096;
}

static uint32_t scene_mark(const struct scene *scene) {
    return 0x4e570000u ^ scene->number;
}

/* --- making --- */

static void destroyed(void *context) {
    struct scene *scene = context;
    atomic_fetch_sub_explicit(&scene->contents, 1, memory_order_release);
    scene_event();
}

static dispatch_data_t append(struct scene *scene, dispatch_data_t data, const uint8_t *bytes,
                              size_t size) {
    atomic_fetch_add_explicit(&scene->contents, 1, memory_order_relaxed);
    dispatch_data_t part = dispatch_data_create_f(bytes, size, NULL, scene, destroyed);
    dispatch_data_t joined = dispatch_data_create_concat(data, part);
    dispatch_release(part);
    dispatch_release(data);
    return joined;
}

dispatch_data_t wire_make(const struct request *request, bool pieces) {
    struct actor *actor = request->actor;
    uint32_t size = atomic_load_explicit(&request->size, memory_order_relaxed);
    struct mark mark = {scene_mark(actor->scene), (uint16_t)actor->number, request->id};
    if (size == 0)
        return NULL;
    dispatch_data_t data = dispatch_data_create_f(&mark, sizeof mark, NULL, NULL, NULL);
    const uint8_t *from = body(actor->number, request->id);
    /* Now and then more pieces than one write takes. */
    size_t count = !pieces ? 1 : request->id % 16 == 0 ? 70 : 2 + request->id % 4;
    size_t usual = (size - HEADER) / count + 1;
    for (size_t left = size - HEADER; left > 0;) {
        size_t part = left < usual ? left : usual;
        data = append(actor->scene, data, from, part);
        from += part;
        left -= part;
    }
    return data;
}

/* --- order --- */

static uint32_t context_of(const struct request *request) {
    return atomic_load_explicit(&request->context, memory_order_relaxed);
}

static struct request *request_of(const struct actor *sender, unsigned id) {
    return id < REQUESTS_MAX ? atomic_load_explicit(&sender->requests[id], memory_order_acquire)
                             : NULL;
}

static bool is_complete(const struct request *request) {
    return atomic_load_explicit(&request->complete, memory_order_relaxed);
}

/* Whether the sender said the end of that context without content: nothing of it is on the wire. */
static bool ended_unseen(const struct actor *sender, uint32_t context) {
    unsigned count = atomic_load_explicit(&sender->request_count, memory_order_relaxed);
    for (unsigned id = 0; id < count; id++) {
        const struct request *other = request_of(sender, id);
        if (other != NULL && other->kind == REQUEST_SEND && is_complete(other) &&
            context_of(other) == context &&
            atomic_load_explicit(&other->size, memory_order_relaxed) == 0)
            return true;
    }
    return false;
}

static void check_order(struct actor *actor, const struct request *request) {
    struct wire *wire = &actor->told.wire;
    uint32_t context = context_of(request);
    unsigned order = atomic_load_explicit(&request->order, memory_order_relaxed);
    int antecedent = atomic_load_explicit(&request->antecedent, memory_order_relaxed);
    if (wire->final_seen)
        fail(actor, "send %u of actor %u came after the final one", request->id,
             wire->sender->number);
    if (wire->open_context >= 0 && (uint32_t)wire->open_context != context &&
        !ended_unseen(wire->sender, (uint32_t)wire->open_context))
        fail(actor, "send %u (context %u) of actor %u came in the middle of context %d",
             request->id, context, wire->sender->number, wire->open_context);
    if (wire->open_context >= 0 && (uint32_t)wire->open_context == context)
        return; /* goes on: may overtake what other contexts asked for earlier */
    if (antecedent >= 0 && actor->stream && (wire->completed & UINT64_C(1) << antecedent) == 0 &&
        !ended_unseen(wire->sender, (uint32_t)antecedent))
        fail(actor, "send %u of actor %u came before its antecedent %d", request->id,
             wire->sender->number, antecedent);
    if (order >= ORDERS || !atomic_load_explicit(&request->plain, memory_order_relaxed))
        return;
    if (request->id + 1u <= wire->free_id[order])
        fail(actor, "send %u of actor %u came after send %u of the same thread", request->id,
             wire->sender->number, wire->free_id[order] - 1);
    wire->free_id[order] = request->id + 1u;
}

/* --- taking --- */

static void know_sender(struct actor *actor, struct actor *sender) {
    struct wire *wire = &actor->told.wire;
    if (wire->sender == sender)
        return;
    if (actor->stream && wire->sender != NULL)
        fail(actor, "octets of actor %u after those of actor %u", sender->number,
             wire->sender->number);
    /* A closed listener's port may be given to the very client that connects to it. */
    bool itself =
        sender == actor && atomic_load_explicit(&actor->scene->doors[actor->listener].cancel_called,
                                                memory_order_relaxed);
    if (!itself && (sender->accepted == actor->accepted || sender->stream != actor->stream ||
                    sender->listener != actor->listener))
        fail(actor, "octets of actor %u, which does not talk to this one", sender->number);
    *wire = (struct wire){.sender = sender, .open_context = -1};
    if (actor->stream) {
        atomic_store_explicit(&actor->peer, sender, memory_order_relaxed);
        atomic_store_explicit(&sender->peer, actor, memory_order_relaxed);
    }
}

static void begin(struct actor *actor) {
    struct wire *wire = &actor->told.wire;
    struct mark mark;
    memcpy(&mark, wire->header, sizeof mark);
    unsigned known = atomic_load_explicit(&actor->scene->actor_count, memory_order_relaxed);
    struct actor *sender =
        mark.scene == scene_mark(actor->scene) && mark.actor < known
            ? atomic_load_explicit(&actor->scene->actors[mark.actor], memory_order_acquire)
            : NULL;
    struct request *request = sender != NULL ? request_of(sender, mark.id) : NULL;
    uint32_t size =
        request != NULL ? atomic_load_explicit(&request->size, memory_order_relaxed) : 0;
    if (size < HEADER)
        fail(actor, "octets where a send should begin are of no send: %08x %u %u", mark.scene,
             mark.actor, mark.id);
    char kept[HEADER];
    memcpy(kept, wire->header, HEADER);
    know_sender(actor, sender);
    memcpy(wire->header, kept, HEADER);
    if (atomic_fetch_add_explicit(&request->seen, 1, memory_order_relaxed) != 0)
        fail(actor, "send %u of actor %u came twice", mark.id, mark.actor);
    check_order(actor, request);
    wire->current = request;
    wire->offset = HEADER;
    wire->header_got = 0;
}

static void finish_current(struct actor *actor) {
    struct wire *wire = &actor->told.wire;
    const struct request *request = wire->current;
    uint32_t context = context_of(request);
    wire->current = NULL;
    wire->open_context = is_complete(request) ? -1 : (int)context;
    wire->open_id = request->id;
    if (is_complete(request))
        wire->completed |= UINT64_C(1) << context;
    if (atomic_load_explicit(&request->final, memory_order_relaxed))
        wire->final_seen = true;
}

static bool take_region(void *context, dispatch_data_t region, size_t offset, const void *bytes,
                        size_t size) {
    struct actor *actor = context;
    struct wire *wire = &actor->told.wire;
    const uint8_t *at = bytes;
    (void)region, (void)offset;
    while (size > 0 || (wire->current != NULL && wire->offset == wire->current->size)) {
        if (wire->current == NULL) {
            wire->header[wire->header_got++] = (char)*at++;
            size--;
            if (wire->header_got == HEADER)
                begin(actor);
            continue;
        }
        const struct request *request = wire->current;
        size_t left = atomic_load_explicit(&request->size, memory_order_relaxed) - wire->offset;
        size_t part = size < left ? size : left;
        if (memcmp(at, body(wire->sender->number, request->id) + wire->offset - HEADER, part) != 0)
            fail(actor, "octets of send %u of actor %u differ from what was sent, at %u..%zu",
                 request->id, wire->sender->number, wire->offset, wire->offset + part);
        wire->offset += (uint32_t)part;
        at += part;
        size -= part;
        if (part == left)
            finish_current(actor);
    }
    return true;
}

/* A stream may end in the middle of a send only when its sender did not end it in good order. */
static void check_stream_end(struct actor *actor) {
    const struct wire *wire = &actor->told.wire;
    const struct actor *sender = wire->sender;
    if (sender == NULL)
        return; /* nothing came: whose end it is cannot be told */
    bool broken = (atomic_load_explicit(&sender->called.causes, memory_order_relaxed) &
                   (CAUSE_CANCELLED | CAUSE_FAULT)) != 0 ||
                  atomic_load_explicit(&sender->called.next, memory_order_relaxed) ||
                  actor->scene->faults;
    if (!broken && !atomic_load_explicit(&sender->called.final, memory_order_relaxed))
        fail(actor, "the stream ended, and actor %u did not end it", sender->number);
    if (!broken && (wire->current != NULL || wire->header_got != 0))
        fail(actor, "the stream ended in the middle of a send of actor %u", sender->number);
    atomic_store_explicit(&actor->end_seen, true, memory_order_relaxed);
}

/* A datagram ends with a send that completes its context, or whose context was completed by a send
 * without content. */
static void check_message_end(struct actor *actor) {
    struct wire *wire = &actor->told.wire;
    if (wire->current != NULL || wire->header_got != 0)
        fail(actor, "a message ended in the middle of a send");
    if (wire->open_context >= 0 && !ended_unseen(wire->sender, (uint32_t)wire->open_context))
        fail(actor, "a message ended before context %d was complete", wire->open_context);
    wire->open_context = -1;
}

void wire_take(struct actor *actor, dispatch_data_t content, bool complete) {
    if (content != NULL)
        dispatch_data_apply_f(content, actor, take_region);
    if (complete && actor->stream)
        check_stream_end(actor);
    else if (complete)
        check_message_end(actor);
}
