/*
 * path.c - nw_path_t: a snapshot of the network for one connection or monitor.
 * What:   made from a table of facts that src/path has gathered; answers the public questions.
 * Source: semantics of nw_path_t.
 * Runs:   any thread: a path never changes.
 * Owns:   its two lists, and references to all objects in the facts.
 */
#include "model/path.h"
#include "base/alloc.h"
#include "base/callback.h"
#include "model/endpoint.h"
#include "model/interface.h"

static void release_list(void *list, size_t count) {
    void **objects = list;
    for (size_t i = 0; i < count; i++)
        nwi_release(objects[i]);
    nwi_free(list);
}

static void path_destroy(void *object) {
    struct nwi_path_facts *facts = &((nw_path_t)object)->facts;
    release_list(facts->interfaces, facts->interface_count);
    release_list(facts->gateways, facts->gateway_count);
    nwi_release(facts->local);
    nwi_release(facts->remote);
}

static const struct nwi_type path_type = {
    .name = "nw_path",
    .size = sizeof(struct nw_path),
    .destroy = path_destroy,
};

/* Copies `count` object pointers, retaining each. False when memory ran out; 0 of them is fine. */
static bool copy_list(const void *list, size_t count, void *ret_list, size_t *ret_count) {
    void *const *from = list;
    void **to;
    if (count == 0)
        return true;
    to = nwi_alloc(count * sizeof to[0]);
    if (to == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        to[i] = nwi_retain(from[i]);
    *(void ***)ret_list = to;
    *ret_count = count;
    return true;
}

nw_path_t nwi_path_create(const struct nwi_path_facts *facts) {
    nw_path_t path = nwi_object_create(&path_type, 0);
    if (path == NULL)
        return NULL;
    struct nwi_path_facts *own = &path->facts;
    *own = *facts;
    own->interfaces = NULL;
    own->gateways = NULL;
    own->interface_count = own->gateway_count = 0;
    nwi_retain(own->local);
    nwi_retain(own->remote);
    if (!copy_list(facts->interfaces, facts->interface_count, &own->interfaces,
                   &own->interface_count) ||
        !copy_list(facts->gateways, facts->gateway_count, &own->gateways, &own->gateway_count))
        return nwi_release(path);
    return path;
}

NW_EXPORT nw_path_status_t nw_path_get_status(nw_path_t path) {
    return path == NULL ? nw_path_status_invalid : path->facts.status;
}

NW_EXPORT nw_path_unsatisfied_reason_t nw_path_get_unsatisfied_reason(nw_path_t path) {
    return path == NULL ? nw_path_unsatisfied_reason_not_available : path->facts.reason;
}

NW_EXPORT bool nw_path_is_expensive(nw_path_t path) {
    return path != NULL && path->facts.expensive;
}

NW_EXPORT bool nw_path_is_constrained(nw_path_t path) {
    return path != NULL && path->facts.constrained;
}

NW_EXPORT bool nw_path_is_ultra_constrained(nw_path_t path) {
    return path != NULL && path->facts.ultra_constrained;
}

NW_EXPORT bool nw_path_has_ipv4(nw_path_t path) {
    return path != NULL && path->facts.has_ipv4;
}

NW_EXPORT bool nw_path_has_ipv6(nw_path_t path) {
    return path != NULL && path->facts.has_ipv6;
}

NW_EXPORT bool nw_path_has_dns(nw_path_t path) {
    return path != NULL && path->facts.has_dns;
}

NW_EXPORT nw_link_quality_t nw_path_get_link_quality(nw_path_t path) {
    return path == NULL ? nw_link_quality_unknown : path->facts.quality;
}

NW_EXPORT bool nw_path_uses_interface_type(nw_path_t path, nw_interface_type_t interface_type) {
    for (size_t i = 0; path != NULL && i < path->facts.interface_count; i++)
        if (path->facts.interfaces[i]->type == interface_type)
            return true;
    return false;
}

NW_EXPORT nw_endpoint_t nw_path_copy_effective_local_endpoint(nw_path_t path) {
    return path == NULL ? NULL : nwi_retain(path->facts.local);
}

NW_EXPORT nw_endpoint_t nw_path_copy_effective_remote_endpoint(nw_path_t path) {
    return path == NULL ? NULL : nwi_retain(path->facts.remote);
}

/* --- comparison --- */

static bool same_interfaces(const struct nwi_path_facts *a, const struct nwi_path_facts *b) {
    if (a->interface_count != b->interface_count)
        return false;
    for (size_t i = 0; i < a->interface_count; i++)
        if (!nwi_interface_is_equal(a->interfaces[i], b->interfaces[i]) ||
            a->interfaces[i]->type != b->interfaces[i]->type)
            return false;
    return true;
}

static bool same_gateways(const struct nwi_path_facts *a, const struct nwi_path_facts *b) {
    if (a->gateway_count != b->gateway_count)
        return false;
    for (size_t i = 0; i < a->gateway_count; i++)
        if (!nwi_endpoint_is_equal(a->gateways[i], b->gateways[i]))
            return false;
    return true;
}

NW_EXPORT bool nw_path_is_equal(nw_path_t path, nw_path_t other_path) {
    if (path == NULL || other_path == NULL)
        return false;
    const struct nwi_path_facts *a = &path->facts, *b = &other_path->facts;
    return a->status == b->status && a->reason == b->reason && a->quality == b->quality &&
           a->expensive == b->expensive && a->constrained == b->constrained &&
           a->ultra_constrained == b->ultra_constrained && a->has_ipv4 == b->has_ipv4 &&
           a->has_ipv6 == b->has_ipv6 && a->has_dns == b->has_dns && same_interfaces(a, b) &&
           same_gateways(a, b) && nwi_endpoint_is_equal(a->local, b->local) &&
           nwi_endpoint_is_equal(a->remote, b->remote);
}

/* --- enumeration: the callee may release the path, so it is held --- */

static void enumerate_interfaces(nw_path_t path, struct nwi_callback callback,
                                 const char *function) {
    if (!nwi_callback_can_walk(path, callback, function))
        return;
    bool more = true;
    nwi_retain(path);
    for (size_t i = 0; more && i < path->facts.interface_count; i++)
        more = NWI_CALL(callback, bool, (nw_interface_t), path->facts.interfaces[i]);
    nwi_release(path);
}

NW_EXPORT void nw_path_enumerate_interfaces_f(nw_path_t path, void *context,
                                              nw_path_interface_enumerator_f function) {
    enumerate_interfaces(path, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_path_enumerate_interfaces(nw_path_t path, const void *block) {
    enumerate_interfaces(path, nwi_callback_block_noescape(block), __func__);
}

static void enumerate_gateways(nw_path_t path, struct nwi_callback callback, const char *function) {
    if (!nwi_callback_can_walk(path, callback, function))
        return;
    bool more = true;
    nwi_retain(path);
    for (size_t i = 0; more && i < path->facts.gateway_count; i++)
        more = NWI_CALL(callback, bool, (nw_endpoint_t), path->facts.gateways[i]);
    nwi_release(path);
}

NW_EXPORT void nw_path_enumerate_gateways_f(nw_path_t path, void *context,
                                            nw_path_gateway_enumerator_f function) {
    enumerate_gateways(path, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_path_enumerate_gateways(nw_path_t path, const void *block) {
    enumerate_gateways(path, nwi_callback_block_noescape(block), __func__);
}
