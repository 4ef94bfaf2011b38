/*
 * rtt.c - see rtt.h.
 */
#include "establish/rtt.h"
#include "model/endpoint.h"
#include "sys/address.h"
#include "sys/tcp_info.h"
#include <pthread.h>

enum { SLOTS = 256 }; /* one address each; a collision replaces */
#define ENTRY_LIFE (600 * NWI_SEC)

static struct {
    pthread_mutex_t lock;
    bool keyed;
    struct nwi_siphash_key key;
    struct entry {
        struct sockaddr_in6 address; /* of either family: only compared */
        nwi_ns rtt, learnt;
    } entries[SLOTS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Under the lock. */
static struct entry *slot_of(const struct sockaddr *address) {
    if (!table.keyed)
        table.key = nwi_siphash_key_create();
    table.keyed = true;
    return &table.entries[nwi_address_hash_host(&table.key, address) % SLOTS];
}

static void keep(const struct sockaddr *address, socklen_t length, nwi_ns rtt) {
    pthread_mutex_lock(&table.lock);
    struct entry *entry = slot_of(address);
    memcpy(&entry->address, address, length);
    entry->rtt = rtt;
    entry->learnt = nwi_now();
    pthread_mutex_unlock(&table.lock);
}

nwi_ns nwi_rtt_estimate(const struct nwi_chain *chain) {
    struct nwi_tcp_info info = {0};
    nwi_err err = nwi_chain_is_stream(chain) ? nwi_socket_tcp_info(nwi_chain_fd(chain), &info) : 0;
    return err == 0 ? info.rtt : 0;
}

nwi_ns nwi_rtt_learn(nw_endpoint_t remote, const struct nwi_chain *chain, nwi_ns took) {
    socklen_t length;
    const struct sockaddr *address = nwi_endpoint_sockaddr(remote, &length);
    if (!nwi_chain_is_stream(chain)) /* a datagram socket is connected without a packet */
        return 0;
    nwi_ns estimate = nwi_rtt_estimate(chain);
    if (address != NULL && !nwi_address_is_loopback(address) &&
        (address->sa_family == AF_INET || address->sa_family == AF_INET6))
        keep(address, length, estimate != 0 ? estimate : took);
    return estimate;
}

nwi_ns nwi_rtt_known(const struct sockaddr *address) {
    pthread_mutex_lock(&table.lock);
    const struct entry *entry = slot_of(address);
    bool known = entry->rtt != 0 && nwi_now() - entry->learnt < ENTRY_LIFE &&
                 nwi_address_equal_host((const struct sockaddr *)&entry->address, address);
    nwi_ns rtt = known ? entry->rtt : 0;
    pthread_mutex_unlock(&table.lock);
    return rtt;
}
