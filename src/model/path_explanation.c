/*
 * path_explanation.c - the answers of explanations.
 * What:   constructors, destructors, and the public questions.
 * Source: <Network/path_explanation.h>.
 * Runs:   any thread: an explanation never changes.
 * Owns:   what path_explanation.h says.
 */
#include "model/path_explanation.h"
#include "base/alloc.h"
#include "base/callback.h"
#include "model/error.h"

/* --- life --- */

static void destroy_interface(void *object) {
    nw_interface_explanation_t e = object;
    nwi_release(e->interface);
    for (size_t i = 0; i < e->address_count; i++)
        nwi_release(e->addresses[i].endpoint);
    for (size_t i = 0; i < e->gateway_count; i++)
        nwi_release(e->gateways[i].endpoint);
    nwi_free(e->addresses);
    nwi_free(e->gateways);
    nwi_free(e->text);
}

static void destroy_address(void *object) {
    nw_address_explanation_t e = object;
    nwi_release(e->remote);
    nwi_release(e->source);
    nwi_release(e->gateway);
    nwi_release(e->interface);
    nwi_free(e->text);
    nwi_free(e->order_text);
}

static void destroy_path(void *object) {
    nw_path_explanation_t e = object;
    nwi_release(e->path);
    for (size_t i = 0; i < e->interface_count; i++)
        nwi_release(e->interfaces[i]);
    for (size_t i = 0; i < e->address_count; i++)
        nwi_release(e->addresses[i]);
    nwi_free(e->interfaces);
    nwi_free(e->addresses);
}

static const struct nwi_type interface_type = {.name = "nw_interface_explanation",
                                               .size = sizeof(struct nw_interface_explanation),
                                               .destroy = destroy_interface};
static const struct nwi_type address_type = {.name = "nw_address_explanation",
                                             .size = sizeof(struct nw_address_explanation),
                                             .destroy = destroy_address};
static const struct nwi_type path_type = {.name = "nw_path_explanation",
                                          .size = sizeof(struct nw_path_explanation),
                                          .destroy = destroy_path};

nw_interface_explanation_t nwi_interface_explanation_create(void) {
    return nwi_object_create(&interface_type, 0);
}

nw_address_explanation_t nwi_address_explanation_create(void) {
    return nwi_object_create(&address_type, 0);
}

nw_path_explanation_t nwi_path_explanation_create(void) {
    return nwi_object_create(&path_type, 0);
}

/* --- the whole --- */

NW_EXPORT nw_path_t nw_path_explanation_copy_path(nw_path_explanation_t explanation) {
    return explanation == NULL ? NULL : nwi_retain(explanation->path);
}

NW_EXPORT nw_error_t nw_path_explanation_copy_error(nw_path_explanation_t explanation) {
    return explanation == NULL ? NULL : nwi_error_create(explanation->err);
}

/* --- one interface --- */

NW_EXPORT nw_interface_t
nw_interface_explanation_copy_interface(nw_interface_explanation_t explanation) {
    return explanation == NULL ? NULL : nwi_retain(explanation->interface);
}

NW_EXPORT nw_path_verdict_t
nw_interface_explanation_get_verdict(nw_interface_explanation_t explanation) {
    return explanation == NULL ? nw_path_verdict_unusable : explanation->verdict;
}

NW_EXPORT nw_path_verdict_reason_t
nw_interface_explanation_get_reason(nw_interface_explanation_t explanation) {
    return explanation == NULL ? nw_path_verdict_reason_preferred : explanation->reason;
}

NW_EXPORT const char *nw_interface_explanation_get_text(nw_interface_explanation_t explanation) {
    return explanation == NULL ? NULL : explanation->text;
}

NW_EXPORT bool nw_interface_explanation_get_metric(nw_interface_explanation_t explanation,
                                                   uint32_t *metric) {
    if (explanation == NULL || !explanation->routed)
        return false;
    if (metric != NULL)
        *metric = explanation->metric;
    return true;
}

NW_EXPORT uint32_t nw_interface_explanation_get_mtu(nw_interface_explanation_t explanation) {
    return explanation == NULL ? 0 : explanation->mtu;
}

NW_EXPORT bool nw_interface_explanation_is_expensive(nw_interface_explanation_t explanation) {
    return explanation != NULL && explanation->expensive;
}

NW_EXPORT bool nw_interface_explanation_is_constrained(nw_interface_explanation_t explanation) {
    return explanation != NULL && explanation->constrained;
}

NW_EXPORT bool
nw_interface_explanation_is_ultra_constrained(nw_interface_explanation_t explanation) {
    return explanation != NULL && explanation->ultra_constrained;
}

NW_EXPORT nw_link_quality_t
nw_interface_explanation_get_link_quality(nw_interface_explanation_t explanation) {
    return explanation == NULL ? nw_link_quality_unknown : explanation->quality;
}

/* --- one address --- */

NW_EXPORT nw_endpoint_t nw_address_explanation_copy_remote(nw_address_explanation_t explanation) {
    return explanation == NULL ? NULL : nwi_retain(explanation->remote);
}

NW_EXPORT nw_endpoint_t nw_address_explanation_copy_source(nw_address_explanation_t explanation) {
    return explanation == NULL ? NULL : nwi_retain(explanation->source);
}

NW_EXPORT nw_endpoint_t nw_address_explanation_copy_gateway(nw_address_explanation_t explanation) {
    return explanation == NULL ? NULL : nwi_retain(explanation->gateway);
}

NW_EXPORT nw_interface_t
nw_address_explanation_copy_interface(nw_address_explanation_t explanation) {
    return explanation == NULL ? NULL : nwi_retain(explanation->interface);
}

NW_EXPORT nw_path_verdict_t
nw_address_explanation_get_verdict(nw_address_explanation_t explanation) {
    return explanation == NULL ? nw_path_verdict_unusable : explanation->verdict;
}

NW_EXPORT nw_route_kind_t
nw_address_explanation_get_route_kind(nw_address_explanation_t explanation) {
    return explanation == NULL ? nw_route_kind_none : explanation->kind;
}

NW_EXPORT uint32_t nw_address_explanation_get_table(nw_address_explanation_t explanation) {
    return explanation == NULL ? 0 : explanation->table;
}

NW_EXPORT bool nw_address_explanation_get_match(nw_address_explanation_t explanation,
                                                uint32_t *metric, uint8_t *prefix_length) {
    if (explanation == NULL || !explanation->has_match)
        return false;
    if (metric != NULL)
        *metric = explanation->metric;
    if (prefix_length != NULL)
        *prefix_length = explanation->prefix_length;
    return true;
}

NW_EXPORT uint32_t nw_address_explanation_get_mtu(nw_address_explanation_t explanation) {
    return explanation == NULL ? 0 : explanation->mtu;
}

NW_EXPORT const char *nw_address_explanation_get_text(nw_address_explanation_t explanation) {
    return explanation == NULL ? NULL : explanation->text;
}

NW_EXPORT nw_address_order_t
nw_address_explanation_get_order(nw_address_explanation_t explanation) {
    return explanation == NULL ? nw_address_order_first : explanation->order;
}

NW_EXPORT const char *nw_address_explanation_get_order_text(nw_address_explanation_t explanation) {
    return explanation == NULL ? NULL : explanation->order_text;
}

/* --- enumeration: the callee may release the explanation, so it is held --- */

static void each_interface(nw_path_explanation_t explanation, struct nwi_callback callback,
                           const char *function) {
    if (!nwi_callback_can_walk(explanation, callback, function))
        return;
    bool more = true;
    nwi_retain(explanation);
    for (size_t i = 0; more && i < explanation->interface_count; i++)
        more = NWI_CALL(callback, bool, (nw_interface_explanation_t), explanation->interfaces[i]);
    nwi_release(explanation);
}

NW_EXPORT void
nw_path_explanation_enumerate_interfaces_f(nw_path_explanation_t explanation, void *context,
                                           nw_path_explanation_interface_enumerator_f function) {
    each_interface(explanation, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_path_explanation_enumerate_interfaces(nw_path_explanation_t explanation,
                                                        const void *block) {
    each_interface(explanation, nwi_callback_block_noescape(block), __func__);
}

static void each_remote(nw_path_explanation_t explanation, struct nwi_callback callback,
                        const char *function) {
    if (!nwi_callback_can_walk(explanation, callback, function))
        return;
    bool more = true;
    nwi_retain(explanation);
    for (size_t i = 0; more && i < explanation->address_count; i++)
        more = NWI_CALL(callback, bool, (nw_address_explanation_t), explanation->addresses[i]);
    nwi_release(explanation);
}

NW_EXPORT void
nw_path_explanation_enumerate_addresses_f(nw_path_explanation_t explanation, void *context,
                                          nw_path_explanation_address_enumerator_f function) {
    each_remote(explanation, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_path_explanation_enumerate_addresses(nw_path_explanation_t explanation,
                                                       const void *block) {
    each_remote(explanation, nwi_callback_block_noescape(block), __func__);
}

static void each_address(nw_interface_explanation_t explanation, struct nwi_callback callback,
                         const char *function) {
    if (!nwi_callback_can_walk(explanation, callback, function))
        return;
    bool more = true;
    nwi_retain(explanation);
    for (size_t i = 0; more && i < explanation->address_count; i++)
        more = NWI_CALL(callback, bool, (nw_endpoint_t, uint8_t, nw_address_state_t),
                        explanation->addresses[i].endpoint, explanation->addresses[i].prefix_length,
                        explanation->addresses[i].state);
    nwi_release(explanation);
}

NW_EXPORT void nw_interface_explanation_enumerate_addresses_f(
    nw_interface_explanation_t explanation, void *context,
    nw_interface_explanation_address_enumerator_f function) {
    each_address(explanation, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_interface_explanation_enumerate_addresses(nw_interface_explanation_t explanation,
                                                            const void *block) {
    each_address(explanation, nwi_callback_block_noescape(block), __func__);
}

static void each_gateway(nw_interface_explanation_t explanation, struct nwi_callback callback,
                         const char *function) {
    if (!nwi_callback_can_walk(explanation, callback, function))
        return;
    bool more = true;
    nwi_retain(explanation);
    for (size_t i = 0; more && i < explanation->gateway_count; i++)
        more = NWI_CALL(callback, bool, (nw_endpoint_t, uint32_t),
                        explanation->gateways[i].endpoint, explanation->gateways[i].metric);
    nwi_release(explanation);
}

NW_EXPORT void nw_interface_explanation_enumerate_gateways_f(
    nw_interface_explanation_t explanation, void *context,
    nw_interface_explanation_gateway_enumerator_f function) {
    each_gateway(explanation, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_interface_explanation_enumerate_gateways(nw_interface_explanation_t explanation,
                                                           const void *block) {
    each_gateway(explanation, nwi_callback_block_noescape(block), __func__);
}
