/*
 * rules.c - the path rules of the command line as parameters.
 * Runs:   main thread, before anything else.
 */
#include "rules.h"

#include <Network/Network.h>
#include <string.h>

struct search {
    const char *name;
    nw_interface_t found; /* owned */
};

static bool look(void *context, nw_interface_explanation_t explanation) {
    struct search *search = context;
    nw_interface_t interface = nw_interface_explanation_copy_interface(explanation);
    if (strcmp(nw_interface_get_name(interface), search->name) == 0) {
        search->found = interface;
        return false;
    }
    nw_release(interface);
    return true;
}

/* The interface of that name, a reference; NULL after a complaint. */
static nw_interface_t find_interface(const char *name) {
    struct search search = {.name = name};
    nw_path_explanation_t all = nw_path_explanation_create(NULL, NULL);
    nw_path_explanation_enumerate_interfaces_f(all, &search, look);
    nw_release(all);
    if (search.found == NULL)
        fprintf(stderr, "nwpath: there is no interface '%s'\n", name);
    return search.found;
}

static void set_version(nw_parameters_t parameters, int family) {
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
    nw_ip_options_set_version(ip, family == 4   ? nw_ip_version_4
                                  : family == 6 ? nw_ip_version_6
                                                : nw_ip_version_any);
    nw_release(ip);
    nw_release(stack);
}

/* False after a complaint. */
static bool set_interfaces(nw_parameters_t parameters, const struct nwpath_options *o) {
    if (o->interface != NULL) {
        nw_interface_t interface = find_interface(o->interface);
        if (interface == NULL)
            return false;
        nw_parameters_require_interface(parameters, interface);
        nw_release(interface);
    }
    for (unsigned i = 0; i < o->prohibited_count; i++) {
        nw_interface_t interface = find_interface(o->prohibited[i]);
        if (interface == NULL)
            return false;
        nw_parameters_prohibit_interface(parameters, interface);
        nw_release(interface);
    }
    return true;
}

bool nwpath_has_rules(const struct nwpath_options *o) {
    return o->required_type != 0 || o->prohibited_types != 0 || o->interface != NULL ||
           o->prohibited_count > 0 || o->no_expensive || o->no_constrained || o->ultra_constrained;
}

nw_parameters_t nwpath_rules_create(const struct nwpath_options *options, int *ret_status) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    if (parameters == NULL) {
        fputs("nwpath: out of memory\n", stderr);
        *ret_status = NWPATH_FAILED;
        return NULL;
    }
    set_version(parameters, options->family);
    nw_parameters_set_required_interface_type(parameters,
                                              (nw_interface_type_t)options->required_type);
    for (unsigned type = 0; type <= nw_interface_type_loopback; type++) {
        if (options->prohibited_types & 1u << type)
            nw_parameters_prohibit_interface_type(parameters, (nw_interface_type_t)type);
    }
    nw_parameters_set_prohibit_expensive(parameters, options->no_expensive);
    nw_parameters_set_prohibit_constrained(parameters, options->no_constrained);
    nw_parameters_set_allow_ultra_constrained(parameters, options->ultra_constrained);
    if (!set_interfaces(parameters, options)) {
        nw_release(parameters);
        *ret_status = NWPATH_USAGE;
        return NULL;
    }
    return parameters;
}
