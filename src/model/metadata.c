/*
 * metadata.c - metadata of TCP, UDP and IP.
 * What:   TCP's asks the live socket through an ops table, and answers 0 once the socket is gone;
 *         IP's and UDP's are plain records.
 * Source: semantics of nw_tcp_get_available_*, nw_ip_metadata_*.
 * Runs:   TCP: any thread, under its lock. IP, UDP: unsynchronised while being set up.
 * Owns:   nothing; TCP's owner detaches itself before it goes away.
 */
#include "model/metadata.h"
#include "base/log.h"
#include <errno.h>

/* --- TCP --- */

enum { PACING_MIN = 12500 }; /* octets a second; lower limits are raised to it */

static void tcp_metadata_destroy(void *object) {
    struct nwi_tcp_metadata *tcp = object;
    if (tcp->ops != NULL) /* the lock exists once ops do */
        pthread_mutex_destroy(&tcp->lock);
}

static const struct nwi_type tcp_metadata_type = {
    .name = "nw_tcp_metadata",
    .size = sizeof(struct nwi_tcp_metadata),
    .destroy = tcp_metadata_destroy,
};

nw_protocol_metadata_t nwi_tcp_metadata_create(const struct nwi_tcp_metadata_ops *ops,
                                               void *owner) {
    struct nwi_tcp_metadata *tcp =
        nwi_protocol_metadata_create(&tcp_metadata_type, &nwi_tcp_definition);
    if (tcp == NULL)
        return NULL;
    if (pthread_mutex_init(&tcp->lock, NULL) != 0)
        return nwi_release(tcp);
    tcp->ops = ops;
    tcp->owner = owner;
    return &tcp->base;
}

static struct nwi_tcp_metadata *tcp_metadata(nw_protocol_metadata_t metadata) {
    return nwi_protocol_metadata_is(metadata, &nwi_tcp_definition)
               ? (struct nwi_tcp_metadata *)metadata
               : NULL;
}

void nwi_tcp_metadata_detach(nw_protocol_metadata_t metadata) {
    struct nwi_tcp_metadata *tcp = tcp_metadata(metadata);
    if (tcp == NULL)
        return;
    pthread_mutex_lock(&tcp->lock); /* waits for a question that is being answered */
    tcp->owner = NULL;
    pthread_mutex_unlock(&tcp->lock);
}

NW_EXPORT bool nw_protocol_metadata_is_tcp(nw_protocol_metadata_t metadata) {
    return tcp_metadata(metadata) != NULL;
}

static uint32_t ask_available(nw_protocol_metadata_t metadata, enum nwi_direction direction,
                              const char *function) {
    struct nwi_tcp_metadata *tcp = tcp_metadata(metadata);
    if (tcp == NULL) {
        nwi_log_misuse(function, metadata == NULL ? "metadata is NULL" : "metadata is not TCP's");
        return 0;
    }
    pthread_mutex_lock(&tcp->lock);
    uint32_t octets = tcp->owner != NULL ? tcp->ops->available(tcp->owner, direction) : 0;
    pthread_mutex_unlock(&tcp->lock);
    return octets;
}

NW_EXPORT uint32_t nw_tcp_get_available_receive_buffer(nw_protocol_metadata_t metadata) {
    return ask_available(metadata, NWI_RECEIVE, __func__);
}

NW_EXPORT uint32_t nw_tcp_get_available_send_buffer(nw_protocol_metadata_t metadata) {
    return ask_available(metadata, NWI_SEND, __func__);
}

NW_EXPORT int nw_tcp_set_max_pacing_rate(nw_protocol_metadata_t metadata,
                                         uint64_t max_pacing_rate) {
    struct nwi_tcp_metadata *tcp = tcp_metadata(metadata);
    if (tcp == NULL) {
        nwi_log_misuse(__func__, metadata == NULL ? "metadata is NULL" : "metadata is not TCP's");
        return EINVAL;
    }
    uint64_t rate = max_pacing_rate == 0 ? UINT64_MAX : max_pacing_rate;
    if (rate < PACING_MIN)
        rate = PACING_MIN;
    pthread_mutex_lock(&tcp->lock);
    int error = tcp->owner != NULL ? tcp->ops->set_max_pacing_rate(tcp->owner, rate) : ENOTCONN;
    pthread_mutex_unlock(&tcp->lock);
    return error;
}

/* --- UDP --- */

static const struct nwi_type udp_metadata_type = {
    .name = "nw_udp_metadata",
    .size = sizeof(struct nw_protocol_metadata),
};

struct nw_protocol_metadata nwi_udp_metadata = {
    .base = NWI_OBJECT_STATIC(&udp_metadata_type),
    .definition = &nwi_udp_definition,
};

NW_EXPORT nw_protocol_metadata_t nw_udp_create_metadata(void) {
    return nwi_protocol_metadata_create(&udp_metadata_type, &nwi_udp_definition);
}

NW_EXPORT bool nw_protocol_metadata_is_udp(nw_protocol_metadata_t metadata) {
    return nwi_protocol_metadata_is(metadata, &nwi_udp_definition);
}

/* --- IP --- */

static const struct nwi_type ip_metadata_type = {
    .name = "nw_ip_metadata",
    .size = sizeof(struct nwi_ip_metadata),
};

NW_EXPORT nw_protocol_metadata_t nw_ip_create_metadata(void) {
    return nwi_protocol_metadata_create(&ip_metadata_type, &nwi_ip_definition);
}

struct nwi_ip_metadata *nwi_ip_metadata(nw_protocol_metadata_t metadata) {
    return nwi_protocol_metadata_is(metadata, &nwi_ip_definition)
               ? (struct nwi_ip_metadata *)metadata
               : NULL;
}

static struct nwi_ip_metadata *checked_ip(nw_protocol_metadata_t metadata, const char *function) {
    struct nwi_ip_metadata *ip = nwi_ip_metadata(metadata);
    if (ip == NULL)
        nwi_log_misuse(function, metadata == NULL ? "metadata is NULL" : "metadata is not IP's");
    return ip;
}

NW_EXPORT bool nw_protocol_metadata_is_ip(nw_protocol_metadata_t metadata) {
    return nwi_ip_metadata(metadata) != NULL;
}

NW_EXPORT void nw_ip_metadata_set_ecn_flag(nw_protocol_metadata_t metadata,
                                           nw_ip_ecn_flag_t ecn_flag) {
    struct nwi_ip_metadata *ip = checked_ip(metadata, __func__);
    if (ip == NULL)
        return;
    if (ecn_flag > nw_ip_ecn_flag_ce)
        nwi_log_misuse(__func__, "no such value of the two ECN bits");
    else
        ip->ecn = ecn_flag;
}

NW_EXPORT nw_ip_ecn_flag_t nw_ip_metadata_get_ecn_flag(nw_protocol_metadata_t metadata) {
    struct nwi_ip_metadata *ip = checked_ip(metadata, __func__);
    return ip == NULL ? nw_ip_ecn_flag_non_ect : ip->ecn;
}

NW_EXPORT void nw_ip_metadata_set_service_class(nw_protocol_metadata_t metadata,
                                                nw_service_class_t service_class) {
    struct nwi_ip_metadata *ip = checked_ip(metadata, __func__);
    if (ip == NULL)
        return;
    if (service_class > nw_service_class_signaling) {
        nwi_log_misuse(__func__, "no such service class");
        return;
    }
    ip->service_class = service_class;
    ip->service_class_set = true;
}

NW_EXPORT nw_service_class_t nw_ip_metadata_get_service_class(nw_protocol_metadata_t metadata) {
    struct nwi_ip_metadata *ip = checked_ip(metadata, __func__);
    return ip == NULL ? nw_service_class_best_effort : ip->service_class;
}

NW_EXPORT uint64_t nw_ip_metadata_get_receive_time(nw_protocol_metadata_t metadata) {
    struct nwi_ip_metadata *ip = checked_ip(metadata, __func__);
    return ip == NULL ? 0 : ip->receive_time;
}
