/*
 * weave_memory.c - what a load may return: a memory model of views.
 * What:   each atomic object keeps its stores ("messages") in modification order. A thread has a
 *         view, for each object the oldest message that it may still read. A release store carries
 *         the view of its thread, an acquire load takes it over; a read-modify-write passes the
 *         view of what it read on (release sequence) and stands right behind it. A store may go in
 *         front of others' stores that its thread does not know. A seq_cst access does not look, or
 *         go, behind the newest seq_cst store. Plain accesses carry times of vector clocks.
 * Source: see weave.h.
 * Owns:   nothing outside: weave_memory_reset puts back each word that a run has touched.
 */
#include "weave_internal.h"
#include <string.h>

struct message {
    uint64_t value;
    struct weave_view view;
    uint8_t id;
    bool consumed; /* a read-modify-write follows directly: nothing goes between */
};

struct location {
    uintptr_t address;
    unsigned size, count;
    uint8_t next_id, newest_sc;
    bool system;
    int8_t place[256]; /* of each id in `order`; -1: no longer, everybody knows a newer one */
    struct message order[WEAVE_MESSAGES];
};

enum { RECORDS = 24, GRANULES = 4096 };
struct record { /* the last plain or atomic access of one kind by one thread */
    uint8_t thread, mask;
    bool write, atomic;
    uint32_t time;
};
struct granule { /* eight octets */
    uintptr_t address;
    uint64_t before; /* the content when the run began */
    bool foreign;    /* on a stack, and another thread has been there */
    unsigned count;
    struct record record[RECORDS];
};

static struct {
    struct location location[WEAVE_LOCATIONS];
    unsigned locations;
    struct granule granule[GRANULES];
    unsigned used[GRANULES], granules;
} memory;

/* --- views --- */

static int place_of(unsigned location, uint8_t id) {
    return id == 0 ? -1 : memory.location[location].place[id];
}

static void join(struct weave_view *into, const struct weave_view *from) {
    for (unsigned i = 0; i < memory.locations; i++)
        if (place_of(i, from->seen[i]) > place_of(i, into->seen[i]))
            into->seen[i] = from->seen[i];
    for (unsigned i = 0; i < weave->threads; i++)
        if (from->clock[i] > into->clock[i])
            into->clock[i] = from->clock[i];
}

static bool acquires(memory_order order) {
    return order != memory_order_relaxed && order != memory_order_release;
}
static bool releases(memory_order order) {
    return order == memory_order_release || order == memory_order_acq_rel ||
           order == memory_order_seq_cst;
}

void weave_inherit(struct weave_thread *child, unsigned index) {
    struct weave_thread *parent = weave_self();
    child->view = parent->view;
    child->view.clock[index] = 1;
    parent->view.clock[weave->current]++;
}

/* --- plain accesses --- */

static struct granule *find_granule(uintptr_t address) {
    unsigned at = (unsigned)((address >> 3) * 2654435761u) % GRANULES;
    while (memory.granule[at].address != 0 && memory.granule[at].address != address)
        at = (at + 1) % GRANULES;
    struct granule *granule = &memory.granule[at];
    if (granule->address == 0) {
        if (memory.granules > GRANULES / 2)
            weave_fail("more memory touched than the weaver can watch");
        granule->address = address;
        granule->foreign = false;
        granule->before = *(uint64_t *)address;
        memory.used[memory.granules++] = at;
    }
    return granule;
}

static bool known_to_all(const struct record *record) {
    for (unsigned i = 1; i < weave->threads; i++)
        if (weave->thread[i].alive && i != record->thread &&
            weave->thread[i].view.clock[record->thread] < record->time)
            return false;
    return true;
}

static void forget_known(struct granule *granule) {
    unsigned kept = 0;
    for (unsigned i = 0; i < granule->count; i++)
        if (!known_to_all(&granule->record[i]))
            granule->record[kept++] = granule->record[i];
    granule->count = kept;
}

static void access_granule(uintptr_t address, uint8_t mask, bool write, bool atomic) {
    struct granule *granule = find_granule(address);
    struct weave_thread *self = weave_self();
    unsigned kept = 0;
    for (unsigned i = 0; i < granule->count; i++) {
        struct record *record = &granule->record[i];
        bool ordered =
            record->thread == weave->current || self->view.clock[record->thread] >= record->time;
        if (!ordered && (record->mask & mask) && (write || record->write) &&
            !(atomic && record->atomic))
            weave_fail("race: %s %s of %s by thread %u, not ordered after the %s %s by thread %u",
                       atomic ? "atomic" : "plain", write ? "write" : "read", weave_text(address),
                       weave->current, record->atomic ? "atomic" : "plain",
                       record->write ? "write" : "read", record->thread);
        bool same =
            record->thread == weave->current && record->write == write && record->atomic == atomic;
        bool covered = (record->mask & ~mask) == 0 && (same || (ordered && write && !atomic));
        if (!covered)
            granule->record[kept++] = *record;
    }
    granule->count = kept;
    if (granule->count == RECORDS)
        forget_known(granule);
    if (granule->count == RECORDS)
        weave_fail("too many accesses of %s to watch", weave_text(address));
    granule->record[granule->count++] = (struct record){(uint8_t)weave->current, mask, write,
                                                        atomic, self->view.clock[weave->current]};
}

static void access_range(uintptr_t address, unsigned size, bool write, bool atomic) {
    while (size > 0) {
        unsigned offset = address & 7, part = 8 - offset < size ? 8 - offset : size;
        access_granule(address - offset, (uint8_t)(((1u << part) - 1) << offset), write, atomic);
        address += part;
        size -= part;
    }
}

void weave_plain(uintptr_t address, unsigned size, bool write) {
    if (weave_is_local(address))
        return;
    if (weave_on_stack(address)) /* not watched, but part of the state */
        find_granule(address & ~(uintptr_t)7)->foreign = true;
    else
        access_range(address, size, write, false);
}

/* --- atomic objects --- */

static uint64_t cut(uint64_t value, unsigned size) {
    return size == 8 ? value : value & ((UINT64_C(1) << size * 8) - 1);
}
static uint64_t peek(uintptr_t address, unsigned size) {
    uint64_t value = 0;
    memcpy(&value, (void *)address, size);
    return value;
}

static struct location *lookup(uintptr_t address) {
    for (unsigned i = 0; i < memory.locations; i++)
        if (memory.location[i].address == address)
            return &memory.location[i];
    return NULL;
}

/* Begins anew with what memory holds: at first use, and after a plain write. */
static void begin(struct location *location) {
    memset(location->place, -1, sizeof(location->place));
    location->order[0] =
        (struct message){.value = peek(location->address, location->size), .id = 1};
    location->place[1] = 0;
    location->count = 1;
    location->next_id = 2;
    location->newest_sc = 0;
    unsigned index = (unsigned)(location - memory.location);
    for (unsigned i = 0; i < WEAVE_THREADS; i++)
        weave->thread[i].view.seen[index] = 0;
    for (unsigned i = 0; i < memory.locations; i++)
        for (unsigned j = 0; j < memory.location[i].count; j++)
            memory.location[i].order[j].view.seen[index] = 0;
}

static struct location *find(uintptr_t address, unsigned size) {
    struct location *location = lookup(address);
    if (location == NULL) {
        if (memory.locations == WEAVE_LOCATIONS)
            weave_fail("too many atomic objects");
        location = &memory.location[memory.locations++];
        location->address = address;
        location->size = size;
        location->system = false;
        find_granule(address & ~(uintptr_t)7);
        begin(location);
    } else if (peek(address, size) != location->order[location->count - 1].value) {
        begin(location);
    }
    return location;
}

static unsigned index_of(const struct location *location) {
    return (unsigned)(location - memory.location);
}

/* Drops what nobody can read any more. */
static void collect(struct location *location) {
    unsigned index = index_of(location), first = location->count - 1;
    for (unsigned i = 1; i < weave->threads && !location->system; i++) {
        if (!weave->thread[i].alive)
            continue;
        int place = place_of(index, weave->thread[i].view.seen[index]);
        if (place < (int)first)
            first = place < 0 ? 0 : (unsigned)place;
    }
    if (first == 0)
        return;
    for (unsigned i = 0; i < first; i++)
        location->place[location->order[i].id] = -1;
    location->count -= first;
    memmove(location->order, location->order + first, location->count * sizeof(struct message));
    for (unsigned i = 0; i < location->count; i++)
        location->place[location->order[i].id] = (int8_t)i;
}

/* The oldest message that the calling thread may read, or put a store behind. */
static unsigned floor_of(const struct location *location, memory_order order) {
    unsigned index = index_of(location);
    int floor = place_of(index, weave_self()->view.seen[index]);
    if (order == memory_order_seq_cst && place_of(index, location->newest_sc) > floor)
        floor = place_of(index, location->newest_sc);
    return floor < 0 ? 0 : (unsigned)floor;
}

static void remember(const struct location *location, uint64_t value) {
    struct weave_thread *self = weave_self();
    self->history = weave_mix(weave_mix(self->history, location->address), value);
    self->load_pc = NULL;
}

static void take(struct location *location, unsigned place, memory_order order) {
    struct weave_thread *self = weave_self();
    struct message *message = &location->order[place];
    unsigned index = index_of(location);
    if ((int)place > place_of(index, self->view.seen[index]))
        self->view.seen[index] = message->id;
    if (acquires(order))
        join(&self->view, &message->view);
    remember(location, message->value);
}

/* Puts a store at `place`; `base` is the view that a read-modify-write passes on. */
static void put(struct location *location, unsigned place, uint64_t value, memory_order order,
                const struct weave_view *base) {
    if (location->count == WEAVE_MESSAGES || location->next_id == UINT8_MAX)
        weave_fail("too many stores to %s", weave_text(location->address));
    memmove(location->order + place + 1, location->order + place,
            (location->count - place) * sizeof(struct message));
    location->count++;
    struct message *message = &location->order[place];
    *message = (struct message){.value = value, .id = location->next_id++};
    for (unsigned i = place; i < location->count; i++)
        location->place[location->order[i].id] = (int8_t)i;
    struct weave_thread *self = weave_self();
    unsigned index = index_of(location);
    self->view.seen[index] = message->id;
    if (base != NULL)
        message->view = *base;
    if (releases(order)) {
        join(&message->view, &self->view);
        self->view.clock[weave->current]++;
    }
    message->view.seen[index] = message->id;
    if (order == memory_order_seq_cst && (int)place > place_of(index, location->newest_sc))
        location->newest_sc = message->id;
    memcpy((void *)location->address, &location->order[location->count - 1].value, location->size);
    collect(location);
}

bool weave_has_newer(const struct weave_thread *thread) {
    const struct location *location = lookup(thread->load_address);
    return location == NULL ||
           place_of(index_of(location), thread->load_id) < (int)location->count - 1 ||
           peek(location->address, location->size) != location->order[location->count - 1].value;
}

void weave_catch_up(void) {
    for (unsigned i = 0; i < memory.locations; i++) {
        const struct location *location = &memory.location[i];
        weave_self()->view.seen[i] = location->order[location->count - 1].id;
    }
}

unsigned weave_kernel_exchange(unsigned *word, unsigned value) {
    weave_point(NULL, (uintptr_t)word, __builtin_return_address(0));
    unsigned before = (unsigned)weave_system_word((uintptr_t)word, WEAVE_SET, value);
    weave_trace("kernel: %s = %u, was %u", weave_text((uintptr_t)word), value, before);
    return before;
}

uint64_t weave_newest(uintptr_t address, unsigned size) {
    return peek(address, size);
}

uint64_t weave_load(uintptr_t address, unsigned size, memory_order order, const void *pc) {
    access_range(address, size, false, true);
    struct location *location = find(address, size);
    struct weave_thread *self = weave_self();
    unsigned floor = floor_of(location, order), repeats = 0;
    bool again = self->load_pc == pc && pc != NULL && self->load_address == address;
    uint8_t before = self->load_id;
    if (again)
        repeats = self->load_count;
    if (repeats >= WEAVE_REPEATS && place_of(index_of(location), before) >= (int)floor)
        floor = (unsigned)place_of(index_of(location), before) + 1;
    unsigned place = location->count - 1 - weave_pick(location->count - floor);
    take(location, place, order);
    self->load_pc = pc;
    self->load_address = address;
    self->load_id = location->order[place].id;
    self->load_count = again && self->load_id == before ? repeats + 1 : 1;
    uint64_t value = location->order[place].value;
    weave_trace("load %s = %#lx%s", weave_text(address), value,
                place + 1 < location->count ? " (stale)" : "");
    return value;
}

void weave_store(uintptr_t address, unsigned size, uint64_t value, memory_order order) {
    access_range(address, size, true, true);
    struct location *location = find(address, size);
    unsigned places[WEAVE_MESSAGES], count = 0;
    for (unsigned i = location->count; i > floor_of(location, order); i--)
        if (i == location->count || !location->order[i - 1].consumed)
            places[count++] = i;
    unsigned place = places[weave_pick(count)];
    weave_trace("store %s = %#lx%s", weave_text(address), cut(value, size),
                place < location->count ? " (before others' stores)" : "");
    weave_self()->load_pc = NULL;
    put(location, place, cut(value, size), order, NULL);
}

/* Reads the message at `place` and stores right behind it. */
static void replace(struct location *location, unsigned place, uint64_t value, memory_order order) {
    take(location, place, order);
    location->order[place].consumed = true;
    struct weave_view base = location->order[place].view;
    put(location, place + 1, value, order, &base);
}

static uint64_t combine(enum weave_rmw kind, uint64_t a, uint64_t b) {
    switch (kind) {
    case WEAVE_SET:
        return b;
    case WEAVE_ADD:
        return a + b;
    case WEAVE_SUB:
        return a - b;
    case WEAVE_AND:
        return a & b;
    case WEAVE_OR:
        return a | b;
    case WEAVE_XOR:
        break;
    }
    return a ^ b;
}

uint64_t weave_rmw(uintptr_t address, unsigned size, enum weave_rmw kind, uint64_t operand,
                   memory_order order) {
    access_range(address, size, true, true);
    struct location *location = find(address, size);
    unsigned places[WEAVE_MESSAGES], count = 0;
    for (unsigned i = location->count; i-- > floor_of(location, order);)
        if (!location->order[i].consumed)
            places[count++] = i;
    unsigned place = places[weave_pick(count)];
    uint64_t before = location->order[place].value;
    uint64_t after = cut(combine(kind, before, operand), size);
    weave_trace("change %s: %#lx -> %#lx", weave_text(address), before, after);
    replace(location, place, after, order);
    return before;
}

bool weave_cas(uintptr_t address, unsigned size, uint64_t *expected, uint64_t value,
               memory_order success, memory_order failure) {
    access_range(address, size, true, true);
    struct location *location = find(address, size);
    unsigned places[WEAVE_MESSAGES], count = 0;
    for (unsigned i = location->count; i-- > 0;) {
        bool equal = location->order[i].value == *expected;
        if (i >= floor_of(location, equal ? success : failure) &&
            !(equal && location->order[i].consumed))
            places[count++] = i;
    }
    unsigned place = places[weave_pick(count)];
    uint64_t before = location->order[place].value;
    bool equal = before == *expected;
    weave_trace("swap %s: %#lx, expected %#lx%s", weave_text(address), before, *expected,
                equal ? "" : ": fails");
    if (equal)
        replace(location, place, cut(value, size), success);
    else
        take(location, place, failure);
    *expected = before;
    return equal;
}

uint64_t weave_system_word(uintptr_t address, enum weave_rmw kind, uint64_t operand) {
    struct location *location = find(address, 4);
    location->system = true;
    uint64_t before = location->order[location->count - 1].value;
    replace(location, location->count - 1, cut(combine(kind, before, operand), 4),
            memory_order_acq_rel);
    return before;
}

void weave_publish(uintptr_t address, unsigned size) {
    struct location *location = find(address, size);
    unsigned index = index_of(location);
    uint8_t seen = weave_self()->view.seen[index];
    if (place_of(index, seen) > place_of(index, location->newest_sc))
        location->newest_sc = seen;
}

/* --- the state as a number: equal states, equal hash, in whatever order they came about --- */

struct times { /* of one thread, those that some record still refers to, ascending */
    uint32_t time[256];
    unsigned count;
};
static struct times times[WEAVE_THREADS];

static void gather_times(void) {
    for (unsigned i = 0; i < weave->threads; i++)
        times[i].count = 0;
    for (unsigned i = 0; i < memory.granules; i++) {
        struct granule *granule = &memory.granule[memory.used[i]];
        forget_known(granule);
        for (unsigned j = 0; j < granule->count; j++) {
            struct times *of = &times[granule->record[j].thread];
            uint32_t time = granule->record[j].time;
            unsigned at = of->count;
            while (at > 0 && of->time[at - 1] > time)
                at--;
            if ((at > 0 && of->time[at - 1] == time) || of->count == 256)
                continue;
            memmove(of->time + at + 1, of->time + at, (of->count - at) * sizeof(of->time[0]));
            of->time[at] = time;
            of->count++;
        }
    }
}

static unsigned rank(unsigned thread, uint32_t time) {
    const struct times *of = &times[thread];
    unsigned at = of->count;
    while (at > 0 && of->time[at - 1] > time)
        at--;
    return at;
}

static uint64_t hash_view(const struct weave_view *view) {
    uint64_t hash = 0;
    for (unsigned i = 0; i < memory.locations; i++) {
        int place = place_of(i, view->seen[i]);
        if (place > 0)
            hash += weave_mix(memory.location[i].address, (uint64_t)place);
    }
    for (unsigned i = 0; i < weave->threads; i++)
        if (times[i].count > 0)
            hash += weave_mix(i + 1, rank(i, view->clock[i]));
    return hash;
}

static uint64_t hash_location(struct location *location) {
    uint64_t hash = location->address;
    int sc = place_of(index_of(location), location->newest_sc);
    hash = weave_mix(hash, sc < 0 ? 0 : (uint64_t)sc);
    for (unsigned i = 0; i < location->count; i++) {
        const struct message *message = &location->order[i];
        hash = weave_mix(hash, message->value);
        hash = weave_mix(hash, hash_view(&message->view) + message->consumed);
    }
    return hash;
}

static uint64_t hash_granule(const struct granule *granule) {
    uint64_t hash = 0;
    for (unsigned i = 0; i < granule->count; i++) {
        const struct record *record = &granule->record[i];
        uint64_t kind =
            record->thread | record->mask << 8 | record->write << 16 | record->atomic << 17;
        hash += weave_mix(kind, rank(record->thread, record->time));
    }
    hash = weave_mix(hash, granule->address);
    return weave_on_stack(granule->address) ? hash : weave_mix(hash, *(uint64_t *)granule->address);
}

uint64_t weave_memory_hash(void) {
    uint64_t hash = weave->timeouts;
    for (unsigned i = 0; i < WEAVE_FACTS; i++)
        hash = weave_mix(hash, weave->fact[i]);
    gather_times();
    for (unsigned i = 0; i < memory.locations; i++)
        collect(&memory.location[i]);
    for (unsigned i = 0; i < memory.locations; i++)
        hash += hash_location(&memory.location[i]);
    for (unsigned i = 0; i < memory.granules; i++)
        hash += hash_granule(&memory.granule[memory.used[i]]);
    for (unsigned i = 1; i < weave->threads; i++) {
        const struct weave_thread *thread = &weave->thread[i];
        uint64_t own = weave_mix(i, thread->history);
        if (thread->alive)
            own = weave_mix(own, hash_view(&thread->view) + thread->woken);
        hash += own;
    }
    return hash;
}

void weave_memory_reset(void) {
    for (unsigned i = 0; i < memory.granules; i++) {
        struct granule *granule = &memory.granule[memory.used[i]];
        if (*(uint64_t *)granule->address != granule->before) /* constants may not be written */
            *(uint64_t *)granule->address = granule->before;
        granule->address = 0;
        granule->count = 0;
    }
    memory.granules = 0;
    memory.locations = 0;
}
