/*
 * parameters_settings.c - the settings of parameters that are one plain value each.
 * What:   setters and getters; a getter of NULL answers the default's zero.
 * Source: semantics of nw_parameters_t.
 * Runs:   unsynchronised, as the public calls say.
 */
#include "base/log.h"
#include "model/parameters.h"

static bool checked(nw_parameters_t parameters, const char *function) {
    if (parameters == NULL)
        nwi_log_misuse(function, "parameters are NULL");
    return parameters != NULL;
}

/* Both at once: parameters there, and the value one of 0 .. last. */
static bool checked_value(nw_parameters_t parameters, unsigned value, unsigned last,
                          const char *function) {
    if (!checked(parameters, function))
        return false;
    if (value > last)
        nwi_log_misuse(function, "no such value");
    return value <= last;
}

NW_EXPORT void nw_parameters_set_prohibit_expensive(nw_parameters_t parameters,
                                                    bool prohibit_expensive) {
    if (checked(parameters, __func__))
        parameters->prohibit_expensive = prohibit_expensive;
}

NW_EXPORT bool nw_parameters_get_prohibit_expensive(nw_parameters_t parameters) {
    return parameters != NULL && parameters->prohibit_expensive;
}

NW_EXPORT void nw_parameters_set_prohibit_constrained(nw_parameters_t parameters,
                                                      bool prohibit_constrained) {
    if (checked(parameters, __func__))
        parameters->prohibit_constrained = prohibit_constrained;
}

NW_EXPORT bool nw_parameters_get_prohibit_constrained(nw_parameters_t parameters) {
    return parameters != NULL && parameters->prohibit_constrained;
}

NW_EXPORT void nw_parameters_set_allow_ultra_constrained(nw_parameters_t parameters,
                                                         bool allow_ultra_constrained) {
    if (checked(parameters, __func__))
        parameters->allow_ultra_constrained = allow_ultra_constrained;
}

NW_EXPORT bool nw_parameters_get_allow_ultra_constrained(nw_parameters_t parameters) {
    return parameters != NULL && parameters->allow_ultra_constrained;
}

NW_EXPORT void nw_parameters_set_reuse_local_address(nw_parameters_t parameters,
                                                     bool reuse_local_address) {
    if (checked(parameters, __func__))
        parameters->reuse_local_address = reuse_local_address;
}

NW_EXPORT bool nw_parameters_get_reuse_local_address(nw_parameters_t parameters) {
    return parameters != NULL && parameters->reuse_local_address;
}

NW_EXPORT void nw_parameters_set_include_peer_to_peer(nw_parameters_t parameters,
                                                      bool include_peer_to_peer) {
    if (checked(parameters, __func__))
        parameters->include_peer_to_peer = include_peer_to_peer;
}

NW_EXPORT bool nw_parameters_get_include_peer_to_peer(nw_parameters_t parameters) {
    return parameters != NULL && parameters->include_peer_to_peer;
}

NW_EXPORT void nw_parameters_set_fast_open_enabled(nw_parameters_t parameters,
                                                   bool fast_open_enabled) {
    if (checked(parameters, __func__))
        parameters->fast_open_enabled = fast_open_enabled;
}

NW_EXPORT bool nw_parameters_get_fast_open_enabled(nw_parameters_t parameters) {
    return parameters != NULL && parameters->fast_open_enabled;
}

NW_EXPORT void nw_parameters_set_local_only(nw_parameters_t parameters, bool local_only) {
    if (checked(parameters, __func__))
        parameters->local_only = local_only;
}

NW_EXPORT bool nw_parameters_get_local_only(nw_parameters_t parameters) {
    return parameters != NULL && parameters->local_only;
}

NW_EXPORT void nw_parameters_set_prefer_no_proxy(nw_parameters_t parameters, bool prefer_no_proxy) {
    if (checked(parameters, __func__))
        parameters->prefer_no_proxy = prefer_no_proxy;
}

NW_EXPORT bool nw_parameters_get_prefer_no_proxy(nw_parameters_t parameters) {
    return parameters != NULL && parameters->prefer_no_proxy;
}

NW_EXPORT void nw_parameters_set_requires_dnssec_validation(nw_parameters_t parameters,
                                                            bool requires_dnssec_validation) {
    if (checked(parameters, __func__))
        parameters->requires_dnssec_validation = requires_dnssec_validation;
}

NW_EXPORT bool nw_parameters_requires_dnssec_validation(nw_parameters_t parameters) {
    return parameters != NULL && parameters->requires_dnssec_validation;
}

NW_EXPORT void nw_parameters_set_service_class(nw_parameters_t parameters,
                                               nw_service_class_t service_class) {
    if (checked_value(parameters, service_class, nw_service_class_signaling, __func__))
        parameters->service_class = service_class;
}

NW_EXPORT nw_service_class_t nw_parameters_get_service_class(nw_parameters_t parameters) {
    return parameters == NULL ? (nw_service_class_t)0 : parameters->service_class;
}

NW_EXPORT void nw_parameters_set_multipath_service(nw_parameters_t parameters,
                                                   nw_multipath_service_t multipath_service) {
    if (checked_value(parameters, multipath_service, nw_multipath_service_aggregate, __func__))
        parameters->multipath_service = multipath_service;
}

NW_EXPORT nw_multipath_service_t nw_parameters_get_multipath_service(nw_parameters_t parameters) {
    return parameters == NULL ? (nw_multipath_service_t)0 : parameters->multipath_service;
}

NW_EXPORT void
nw_parameters_set_expired_dns_behavior(nw_parameters_t parameters,
                                       nw_parameters_expired_dns_behavior_t expired_dns_behavior) {
    if (checked_value(parameters, expired_dns_behavior,
                      nw_parameters_expired_dns_behavior_persistent, __func__))
        parameters->expired_dns_behavior = expired_dns_behavior;
}

NW_EXPORT nw_parameters_expired_dns_behavior_t
nw_parameters_get_expired_dns_behavior(nw_parameters_t parameters) {
    return parameters == NULL ? (nw_parameters_expired_dns_behavior_t)0
                              : parameters->expired_dns_behavior;
}

NW_EXPORT void nw_parameters_set_attribution(nw_parameters_t parameters,
                                             nw_parameters_attribution_t attribution) {
    if (!checked_value(parameters, attribution, nw_parameters_attribution_user, __func__))
        return;
    if (attribution < nw_parameters_attribution_developer)
        nwi_log_misuse(__func__, "no such value");
    else
        parameters->attribution = attribution;
}

NW_EXPORT nw_parameters_attribution_t nw_parameters_get_attribution(nw_parameters_t parameters) {
    return parameters == NULL ? 0 : parameters->attribution;
}
