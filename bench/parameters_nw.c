/*
 * parameters_nw.c - see parameters_nw.h.
 */
#include "parameters_nw.h"

nw_parameters_t bench_tcp_parameters(void) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t tcp = nw_protocol_stack_copy_transport_protocol(stack);
    nw_tcp_options_set_no_delay(tcp, true);
    nw_release(tcp);
    nw_release(stack);
    return parameters;
}
