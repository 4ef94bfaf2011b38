/*
 * tickets.c - the ticket key of a server and its memory of early data.
 * What:   GnuTLS derives the key that encrypts tickets from ours and the time, a new one every 18
 *         hours; whoever reads ours reads all of them, so that it is made anew every day. Of early
 *         data GnuTLS asks to remember each ClientHello, but its own window forgets at its end, and
 *         writes to an object that sessions on several threads share; so the window is longer than
 *         the object's life: a period of ours, which ends when it is full or a day old. GnuTLS
 *         takes no early data for tickets from before a period, so what an ended one knew is not
 *         missed.
 * Source: RFC 5077 section 5.5, RFC 8446 sections 8.1 and 8.2; GnuTLS 3.7.9, lib/stek.c and
 *         lib/tls13/anti_replay.c.
 * Runs:   any thread: peers of a listener live on several loops.
 * Owns:   the key, wiped when it goes; hashes of ClientHellos.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/siphash.h"
#include "protocol/tls/sessions.h"
#include <pthread.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

/* ClientHellos since its start. A hash of 64 bits with a key of our own: two alike cost one of them
 * its early data, nothing else. */
struct period {
    struct nwi_object base;
    pthread_mutex_t lock;
    gnutls_anti_replay_t replay;
    struct nwi_siphash_key key;
    nwi_ns end;
    uint64_t *slots; /* 0: free; a power of two of them, half full at most */
    size_t slot_count, used;
};

struct nwi_tls_tickets {
    struct nwi_object base;
    pthread_mutex_t lock;
    gnutls_datum_t key;
    nwi_ns key_end;
    struct period *period; /* NULL until early data is asked for */
};

/* --- what was seen --- */

static bool insert(uint64_t *slots, size_t slot_count, uint64_t hash) {
    size_t i = hash & (slot_count - 1);
    while (slots[i] != 0 && slots[i] != hash)
        i = (i + 1) & (slot_count - 1);
    bool fresh = slots[i] == 0;
    slots[i] = hash;
    return fresh;
}

static bool grow(struct period *period) {
    size_t count = period->slot_count == 0 ? FIRST_SLOTS : 2 * period->slot_count;
    uint64_t *slots = nwi_alloc(count * sizeof slots[0]);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < period->slot_count; i++)
        if (period->slots[i] != 0)
            insert(slots, count, period->slots[i]);
    nwi_free(period->slots);
    period->slots = slots;
    period->slot_count = count;
    return true;
}

/* GnuTLS's question whether this ClientHello is new. Where we cannot tell, it is not: early data is
 * refused, the handshake goes on. */
static int remember(void *context, time_t expires, const gnutls_datum_t *id,
                    const gnutls_datum_t *data) {
    struct period *period = context;
    uint64_t hash = nwi_siphash(&period->key, id->data, id->size) | 1; /* never 0 */
    (void)expires, (void)data;
    pthread_mutex_lock(&period->lock);
    bool fresh = period->used < NWI_TLS_REPLAY_MOST &&
                 (2 * period->used < period->slot_count || grow(period)) &&
                 insert(period->slots, period->slot_count, hash);
    period->used += fresh;
    pthread_mutex_unlock(&period->lock);
    return fresh ? 0 : GNUTLS_E_DB_ENTRY_EXISTS;
}

static void period_destroy(void *object) {
    struct period *period = object;
    if (period->replay != NULL)
        gnutls_anti_replay_deinit(period->replay);
    nwi_free(period->slots);
    pthread_mutex_destroy(&period->lock);
}

static const struct nwi_type period_type = {
    .name = "tls_replay_period",
    .size = sizeof(struct period),
    .destroy = period_destroy,
};

static struct period *period_create(nwi_ns now) {
    struct period *period = nwi_object_create(&period_type, 0);
    if (period == NULL)
        return NULL;
    pthread_mutex_init(&period->lock, NULL);
    if (gnutls_anti_replay_init(&period->replay) < 0) {
        period->replay = NULL;
        return nwi_release(period);
    }
    period->key = nwi_siphash_key_create();
    period->end = now + NWI_TLS_TICKET_KEY_LIFE;
    gnutls_anti_replay_set_window(period->replay, UINT32_MAX); /* 49 days: never over */
    gnutls_anti_replay_set_add_function(period->replay, remember);
    gnutls_anti_replay_set_ptr(period->replay, period);
    return period;
}

static bool is_over(struct period *period, nwi_ns now) {
    pthread_mutex_lock(&period->lock);
    bool over = period->used >= NWI_TLS_REPLAY_MOST || now >= period->end;
    pthread_mutex_unlock(&period->lock);
    return over;
}

/* --- the key --- */

static void wipe_key(struct nwi_tls_tickets *tickets) {
    if (tickets->key.data != NULL)
        gnutls_memset(tickets->key.data, 0, tickets->key.size);
    gnutls_free(tickets->key.data);
    tickets->key = (gnutls_datum_t){.data = NULL};
}

static void tickets_destroy(void *object) {
    struct nwi_tls_tickets *tickets = object;
    wipe_key(tickets);
    nwi_release(tickets->period);
    pthread_mutex_destroy(&tickets->lock);
}

static const struct nwi_type tickets_type = {
    .name = "tls_tickets",
    .size = sizeof(struct nwi_tls_tickets),
    .destroy = tickets_destroy,
};

/* A key that cannot be made now is made by the next; until then the old one serves. */
static bool renew_key(struct nwi_tls_tickets *tickets, nwi_ns now) {
    gnutls_datum_t fresh = {.data = NULL};
    if (tickets->key.data != NULL && now < tickets->key_end)
        return true;
    if (gnutls_session_ticket_key_generate(&fresh) < 0)
        return tickets->key.data != NULL;
    wipe_key(tickets);
    tickets->key = fresh;
    tickets->key_end = now + NWI_TLS_TICKET_KEY_LIFE;
    return true;
}

struct nwi_tls_tickets *nwi_tls_tickets_create(nwi_ns now) {
    struct nwi_tls_tickets *tickets = nwi_object_create(&tickets_type, 0);
    if (tickets == NULL)
        return NULL;
    pthread_mutex_init(&tickets->lock, NULL);
    return renew_key(tickets, now) ? tickets : nwi_release(tickets);
}

/* +1 or NULL: memory ran out. */
static struct period *current_period(struct nwi_tls_tickets *tickets, nwi_ns now) {
    if (tickets->period == NULL || is_over(tickets->period, now)) {
        struct period *fresh = period_create(now);
        if (fresh == NULL)
            return NULL;
        nwi_release(tickets->period);
        tickets->period = fresh;
    }
    return nwi_retain(tickets->period);
}

nwi_err nwi_tls_tickets_attach(struct nwi_tls_tickets *tickets, gnutls_session_t session,
                               nwi_ns now, bool early, void **ret_hold) {
    struct period *period = NULL;
    *ret_hold = NULL;
    pthread_mutex_lock(&tickets->lock);
    bool ready = renew_key(tickets, now) &&
                 (!early || (period = current_period(tickets, now)) != NULL) &&
                 gnutls_session_ticket_enable_server(session, &tickets->key) >= 0;
    pthread_mutex_unlock(&tickets->lock);
    if (!ready) {
        nwi_release(period);
        return NWI_ERR_NOMEM;
    }
    if (period != NULL)
        gnutls_anti_replay_enable(session, period->replay);
    *ret_hold = period;
    return 0;
}
