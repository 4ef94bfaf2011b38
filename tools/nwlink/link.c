/*
 * link.c - one direction of the wire.
 * What:   a packet passes the MTU, the losses, the queue with its rate, then the delay; it can come
 *         out twice, late or broken.
 * Source: the two states of loss: Gilbert 1960, Elliott 1963.
 * Runs:   pure but for the memory of the queue.
 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

/* With queue=auto: what a small router has, and yet enough for a fast line not to stand idle. */
enum { AUTO_PACKETS = 50 };
static const int64_t auto_time = 100000000;

enum draw { /* each choice has its own number, so that none shifts another */
            DRAW_LOSS,
            DRAW_STATE,
            DRAW_BURST,
            DRAW_DUPLICATE,
            DRAW_REORDER,
            DRAW_CORRUPT,
            DRAW_BIT,
            DRAW_JITTER,
            DRAW_COUNT
};

const char *nwlink_cause_name(enum nwlink_cause cause) {
    static const char *const names[] = {"cut",   "mtu",    "loss",   "burst",
                                        "queue", "memory", "refused"};
    return names[cause];
}

/* The k-th number of a sequence is a good mix of k: no state, hence no order of asking. The mix is
 * the finaliser of splitmix64 (Steele, Lea, Flood 2014), applied twice. */
static uint64_t mix(uint64_t x) {
    for (unsigned i = 0; i < 2; i++) {
        x += 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        x ^= x >> 31;
    }
    return x;
}

static uint64_t draw(const struct nwlink_link *link, enum draw what) {
    return mix(link->seed ^ mix(link->index * DRAW_COUNT + what));
}

/* Even in [0, 1), in 53 bits: what a double holds. */
static double draw_share(const struct nwlink_link *link, enum draw what) {
    return (double)(draw(link, what) >> 11) * 0x1p-53;
}

static bool happens(const struct nwlink_link *link, enum draw what, double share) {
    return share > 0 && draw_share(link, what) < share;
}

void nwlink_link_init(struct nwlink_link *link, uint64_t seed) {
    memset(link, 0, sizeof *link);
    link->seed = mix(seed);
}

void nwlink_link_free(struct nwlink_link *link) {
    free(link->queue);
    link->queue = NULL;
    link->queue_size = link->queue_count = 0;
}

static void forget_departed(struct nwlink_link *link, int64_t now) {
    while (link->queue_count > 0 && link->queue[link->queue_head].at <= now) {
        link->queue_octets -= link->queue[link->queue_head].size;
        link->queue_head = (link->queue_head + 1) & (link->queue_size - 1);
        link->queue_count--;
    }
}

uint32_t nwlink_link_waiting(struct nwlink_link *link, int64_t now) {
    forget_departed(link, now);
    return link->queue_count;
}

static bool grow(struct nwlink_link *link) {
    uint32_t size = link->queue_size == 0 ? 64 : link->queue_size * 2;
    struct nwlink_departure *queue = malloc(size * sizeof *queue);
    if (queue == NULL)
        return false;
    for (uint32_t i = 0; i < link->queue_count; i++)
        queue[i] = link->queue[(link->queue_head + i) & (link->queue_size - 1)];
    free(link->queue);
    link->queue = queue;
    link->queue_size = size;
    link->queue_head = 0;
    return true;
}

static bool has_room(const struct nwlink_link *link, int64_t now, uint32_t size) {
    const struct nwlink_conditions *c = &link->conditions;
    if (c->queue_octets != 0) /* an empty queue takes any packet, or a large one never left */
        return link->queue_count == 0 || link->queue_octets + size <= c->queue_octets;
    if (c->queue_packets != 0)
        return link->queue_count < c->queue_packets;
    return link->queue_count < AUTO_PACKETS || link->free_at - now < auto_time;
}

/* Lets the packet through the queue: *at is when its last bit has left. False: it was dropped. */
static bool enqueue(struct nwlink_link *link, int64_t now, uint32_t size, int64_t *at) {
    forget_departed(link, now);
    if (link->conditions.rate == 0 && link->queue_count == 0) {
        *at = link->free_at = now;
        return true;
    }
    if (!has_room(link, now, size) || (link->queue_count == link->queue_size && !grow(link)))
        return false;
    int64_t start = link->free_at > now ? link->free_at : now;
    if (link->conditions.rate != 0) /* 65549 octets are 5.3e14 billionths of a bit: it fits */
        start += (int64_t)((uint64_t)size * 8 * 1000000000 / link->conditions.rate);
    link->free_at = *at = start;
    uint32_t tail = (link->queue_head + link->queue_count++) & (link->queue_size - 1);
    link->queue[tail] = (struct nwlink_departure){.at = start, .size = size};
    link->queue_octets += size;
    return true;
}

/* One step of the two states, then whether this packet is lost to them. */
static bool lost_in_burst(struct nwlink_link *link) {
    const struct nwlink_burst *burst = &link->conditions.burst;
    if (burst->enter <= 0 && burst->good <= 0) {
        link->bad = false;
        return false;
    }
    if (happens(link, DRAW_STATE, link->bad ? burst->leave : burst->enter))
        link->bad = !link->bad;
    return happens(link, DRAW_BURST, link->bad ? burst->bad : burst->good);
}

/* The way after the queue. Jitter alone keeps the order, as a line does: a packet never comes out
 * before the one in front of it. What is late on purpose holds nobody up. */
static int64_t travel(struct nwlink_link *link, int64_t at, bool dns) {
    const struct nwlink_conditions *c = &link->conditions;
    int64_t delay = c->delay;
    if (c->jitter > 0)
        delay += (int64_t)((2 * draw_share(link, DRAW_JITTER) - 1) * (double)c->jitter);
    at += delay > 0 ? delay : 0;
    if (happens(link, DRAW_REORDER, c->reorder)) {
        link->counts.reordered++;
        return at + c->reorder_by;
    }
    if (dns && c->dns_delay > 0)
        return at + c->dns_delay;
    if (c->jitter > 0 && at < link->last_at)
        at = link->last_at;
    link->last_at = at;
    return at;
}

static struct nwlink_fate pass(struct nwlink_link *link, int64_t now, uint32_t size, bool dns) {
    const struct nwlink_conditions *c = &link->conditions;
    struct nwlink_fate fate = {.cause = NWLINK_QUEUE};
    if (!enqueue(link, now, size, &fate.at))
        return fate;
    fate.copies = 1;
    fate.at = travel(link, fate.at, dns);
    if (happens(link, DRAW_DUPLICATE, c->duplicate)) {
        fate.copies = 2;
        link->counts.duplicated++;
    }
    if (happens(link, DRAW_CORRUPT, c->corrupt)) {
        fate.corrupt = true;
        fate.corrupt_bit = (uint32_t)(draw(link, DRAW_BIT) % ((uint64_t)size * 8));
        link->counts.corrupted++;
    }
    return fate;
}

struct nwlink_fate nwlink_link_offer(struct nwlink_link *link, int64_t now, uint32_t size,
                                     uint32_t ip_size, bool dns) {
    const struct nwlink_conditions *c = &link->conditions;
    struct nwlink_fate fate = {0};
    link->counts.packets_in++;
    link->counts.octets_in += size;
    bool burst = lost_in_burst(link); /* also for a packet lost otherwise: the states go on */
    if (link->cut)
        fate.cause = NWLINK_CUT;
    else if (c->mtu != 0 && ip_size > c->mtu)
        fate.cause = NWLINK_MTU;
    else if (happens(link, DRAW_LOSS, c->loss))
        fate.cause = NWLINK_LOSS;
    else if (burst)
        fate.cause = NWLINK_BURST;
    else
        fate = pass(link, now, size, dns);
    if (fate.copies == 0)
        link->counts.dropped[fate.cause]++;
    link->index++;
    return fate;
}
