/*
 * parameters_rules.c - which interfaces and addresses parameters allow.
 * What:   required and prohibited interfaces and types, the local endpoint, and the judgement over
 *         one interface.
 * Source: semantics of nw_parameters_t.
 * Runs:   unsynchronised, as the public calls say.
 * Owns:   references held in the parameters.
 */
#include "base/alloc.h"
#include "base/callback.h"
#include "base/log.h"
#include "model/interface.h"
#include "model/parameters.h"

static bool checked(nw_parameters_t parameters, const char *function) {
    if (parameters == NULL)
        nwi_log_misuse(function, "parameters are NULL");
    return parameters != NULL;
}

NW_EXPORT void nw_parameters_require_interface(nw_parameters_t parameters,
                                               nw_interface_t interface) {
    if (!checked(parameters, __func__))
        return;
    nw_interface_t old = parameters->required_interface;
    parameters->required_interface = nwi_retain(interface);
    nwi_release(old);
}

NW_EXPORT nw_interface_t nw_parameters_copy_required_interface(nw_parameters_t parameters) {
    return parameters == NULL ? NULL : nwi_retain(parameters->required_interface);
}

static bool is_prohibited(nw_parameters_t parameters, nw_interface_t interface) {
    for (size_t i = 0; i < parameters->prohibited_interface_count; i++)
        if (nwi_interface_is_equal(parameters->prohibited_interfaces[i], interface))
            return true;
    return false;
}

NW_EXPORT void nw_parameters_prohibit_interface(nw_parameters_t parameters,
                                                nw_interface_t interface) {
    if (!checked(parameters, __func__))
        return;
    if (interface == NULL) {
        nwi_log_misuse(__func__, "interface is NULL");
        return;
    }
    if (is_prohibited(parameters, interface))
        return;
    size_t count = parameters->prohibited_interface_count;
    nw_interface_t *grown =
        nwi_realloc(parameters->prohibited_interfaces, (count + 1) * sizeof grown[0]);
    if (grown == NULL) {
        nwi_log_misuse(__func__, "out of memory: the interface was not prohibited");
        return;
    }
    grown[count] = nwi_retain(interface);
    parameters->prohibited_interfaces = grown;
    parameters->prohibited_interface_count = count + 1;
}

NW_EXPORT void nw_parameters_clear_prohibited_interfaces(nw_parameters_t parameters) {
    if (!checked(parameters, __func__))
        return;
    for (size_t i = 0; i < parameters->prohibited_interface_count; i++)
        nwi_release(parameters->prohibited_interfaces[i]);
    nwi_free(parameters->prohibited_interfaces);
    parameters->prohibited_interfaces = NULL;
    parameters->prohibited_interface_count = 0;
}

/* The callee may edit or release the parameters: entry by entry, holding both, looking again after
 * each. */
static void iterate_interfaces(nw_parameters_t parameters, struct nwi_callback callback,
                               const char *function) {
    if (!nwi_callback_can_walk(parameters, callback, function))
        return;
    bool more = true;
    nwi_retain(parameters);
    for (size_t i = 0; more && i < parameters->prohibited_interface_count; i++) {
        nw_interface_t interface = nwi_retain(parameters->prohibited_interfaces[i]);
        more = NWI_CALL(callback, bool, (nw_interface_t), interface);
        nwi_release(interface);
    }
    nwi_release(parameters);
}

NW_EXPORT void
nw_parameters_iterate_prohibited_interfaces_f(nw_parameters_t parameters, void *context,
                                              nw_parameters_iterate_interfaces_f function) {
    iterate_interfaces(parameters, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_parameters_iterate_prohibited_interfaces(nw_parameters_t parameters,
                                                           const void *block) {
    iterate_interfaces(parameters, nwi_callback_block_noescape(block), __func__);
}

/* --- types --- */

static bool checked_type(nw_parameters_t parameters, nw_interface_type_t type,
                         const char *function) {
    if (!checked(parameters, function))
        return false;
    if (type > nw_interface_type_loopback)
        nwi_log_misuse(function, "no such interface type");
    return type <= nw_interface_type_loopback;
}

NW_EXPORT void nw_parameters_set_required_interface_type(nw_parameters_t parameters,
                                                         nw_interface_type_t interface_type) {
    if (checked_type(parameters, interface_type, __func__))
        parameters->required_type = interface_type;
}

NW_EXPORT nw_interface_type_t
nw_parameters_get_required_interface_type(nw_parameters_t parameters) {
    return parameters == NULL ? nw_interface_type_other : parameters->required_type;
}

NW_EXPORT void nw_parameters_prohibit_interface_type(nw_parameters_t parameters,
                                                     nw_interface_type_t interface_type) {
    if (checked_type(parameters, interface_type, __func__))
        parameters->prohibited_types |= 1u << interface_type;
}

NW_EXPORT void nw_parameters_clear_prohibited_interface_types(nw_parameters_t parameters) {
    if (checked(parameters, __func__))
        parameters->prohibited_types = 0;
}

static void iterate_types(nw_parameters_t parameters, struct nwi_callback callback,
                          const char *function) {
    if (!nwi_callback_can_walk(parameters, callback, function))
        return;
    uint32_t types = parameters->prohibited_types; /* the callee may edit the parameters */
    bool more = true;
    for (unsigned type = 0; more && type <= nw_interface_type_loopback; type++)
        if (types & 1u << type)
            more = NWI_CALL(callback, bool, (nw_interface_type_t), (nw_interface_type_t)type);
}

NW_EXPORT void nw_parameters_iterate_prohibited_interface_types_f(
    nw_parameters_t parameters, void *context, nw_parameters_iterate_interface_types_f function) {
    iterate_types(parameters, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_parameters_iterate_prohibited_interface_types(nw_parameters_t parameters,
                                                                const void *block) {
    iterate_types(parameters, nwi_callback_block_noescape(block), __func__);
}

bool nwi_parameters_allow_interface(nw_parameters_t parameters, nw_interface_t interface) {
    if (parameters->required_interface != NULL &&
        !nwi_interface_is_equal(parameters->required_interface, interface))
        return false;
    if (parameters->required_type != nw_interface_type_other &&
        parameters->required_type != interface->type)
        return false;
    return !(parameters->prohibited_types & 1u << interface->type) &&
           !is_prohibited(parameters, interface);
}

/* --- local endpoint --- */

NW_EXPORT void nw_parameters_set_local_endpoint(nw_parameters_t parameters,
                                                nw_endpoint_t local_endpoint) {
    if (!checked(parameters, __func__))
        return;
    if (local_endpoint != NULL &&
        nw_endpoint_get_type(local_endpoint) != nw_endpoint_type_address) {
        nwi_log_misuse(__func__, "a local endpoint is an address");
        return;
    }
    nw_endpoint_t old = parameters->local_endpoint;
    parameters->local_endpoint = nwi_retain(local_endpoint);
    nwi_release(old);
}

NW_EXPORT nw_endpoint_t nw_parameters_copy_local_endpoint(nw_parameters_t parameters) {
    return parameters == NULL ? NULL : nwi_retain(parameters->local_endpoint);
}
