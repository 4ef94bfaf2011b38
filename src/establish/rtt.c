/*
 * rtt.c - see rtt.h.
 */
#include "establish/rtt.h"
#include "model/endpoint.h"
#include "sys/address.h"
#include "sys/sockets.h"
#include <netinet/tcp.h>
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

void nwi_rtt_learn(nw_endpoint_t remote, const struct nwi_chain *chain, nwi_ns took) {
    socklen_t length;
    const struct sockaddr *address = nwi_endpoint_sockaddr(remote, &length);
    if (address == NULL || nwi_address_is_loopback(address) || !nwi_chain_is_stream(chain) ||
        (address->sa_family != AF_INET && address->sa_family != AF_INET6))
        return;
    struct nwi_layer_facts facts = nwi_chain_facts(chain);
    struct tcp_info info;
    size_t size = sizeof info;
    nwi_ns rtt = took;
    if (nwi_socket_get(facts.fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_rtt != 0)
        rtt = (nwi_ns)info.tcpi_rtt * 1000; /* microseconds in the kernel */
    nwi_release(facts.local);
    nwi_release(facts.remote);
    pthread_mutex_lock(&table.lock);
    struct entry *entry = slot_of(address);
    memcpy(&entry->address, address, length);
    entry->rtt = rtt;
    entry->learnt = nwi_now();
    pthread_mutex_unlock(&table.lock);
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
