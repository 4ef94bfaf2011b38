/*
 * test_parameters_common.h - what test_parameters.c and its block form look at alike: the stack
 * that the create calls build, seen through the public calls only.
 */
#ifndef TEST_PARAMETERS_COMMON_H
#define TEST_PARAMETERS_COMMON_H

#include <Network/Network.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The transport of the parameters is of that protocol (NULL: there is none). Releases `definition`.
 */
static inline void assert_transport(nw_parameters_t parameters,
                                    nw_protocol_definition_t definition) {
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t transport = nw_protocol_stack_copy_transport_protocol(stack);
    assert_int_equal(transport != NULL, definition != NULL);
    if (transport != NULL) {
        nw_protocol_definition_t found = nw_protocol_options_copy_definition(transport);
        assert_true(nw_protocol_definition_is_equal(found, definition));
        nw_release(found);
    }
    nw_release(transport), nw_release(stack), nw_release(definition);
}

/* The internet protocol is there, is IP, and is the same live object each time. */
static inline void assert_live_ip(nw_parameters_t parameters) {
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
    nw_protocol_options_t again = nw_protocol_stack_copy_internet_protocol(stack);
    nw_protocol_definition_t found = nw_protocol_options_copy_definition(ip);
    nw_protocol_definition_t definition = nw_protocol_copy_ip_definition();
    assert_ptr_equal(ip, again);
    assert_true(nw_protocol_definition_is_equal(found, definition));
    nw_ip_options_set_version(ip, nw_ip_version_4);
    nw_release(found), nw_release(definition), nw_release(ip), nw_release(again), nw_release(stack);
}

#endif
