/*
 * protocol_stack.c - nw_protocol_stack_t.
 * What:   application protocols from the top down, a transport, IP below it. Parameters and whoever
 *         asked for their stack hold the same object: edits are live.
 * Source: semantics of nw_protocol_stack_t.
 * Runs:   unsynchronised, as the public calls say.
 * Owns:   a reference to the options of each protocol.
 */
#include "model/protocol_stack.h"
#include "base/alloc.h"
#include "base/callback.h"
#include "base/log.h"
#include "model/ip_options.h"
#include <string.h>

static void stack_destroy(void *object) {
    nw_protocol_stack_t stack = object;
    for (size_t i = 0; i < stack->application_count; i++)
        nwi_release(stack->applications[i]);
    nwi_free(stack->applications);
    nwi_release(stack->transport);
    nwi_release(stack->internet);
}

static const struct nwi_type stack_type = {
    .name = "nw_protocol_stack",
    .size = sizeof(struct nw_protocol_stack),
    .destroy = stack_destroy,
};

nw_protocol_stack_t nwi_protocol_stack_create(void) {
    return nwi_object_create(&stack_type, 0);
}

static bool copy_applications(nw_protocol_stack_t from, nw_protocol_stack_t to) {
    if (from->application_count == 0)
        return true;
    to->applications = nwi_alloc(from->application_count * sizeof to->applications[0]);
    if (to->applications == NULL)
        return false;
    for (size_t i = 0; i < from->application_count; i++) {
        to->applications[i] = nwi_protocol_options_copy(from->applications[i]);
        if (to->applications[i] == NULL)
            return false;
        to->application_count = i + 1;
    }
    return true;
}

nw_protocol_stack_t nwi_protocol_stack_copy(nw_protocol_stack_t stack) {
    nw_protocol_stack_t copy = nwi_protocol_stack_create();
    if (copy == NULL)
        return NULL;
    copy->transport = nwi_protocol_options_copy(stack->transport);
    copy->internet = nwi_protocol_options_copy(stack->internet);
    if (!copy_applications(stack, copy) || (stack->transport != NULL && copy->transport == NULL) ||
        (stack->internet != NULL && copy->internet == NULL))
        return nwi_release(copy);
    return copy;
}

bool nwi_protocol_stack_is_equal(nw_protocol_stack_t a, nw_protocol_stack_t b) {
    if (a->application_count != b->application_count ||
        !nwi_protocol_options_are_equal(a->transport, b->transport) ||
        !nwi_protocol_options_are_equal(a->internet, b->internet))
        return false;
    for (size_t i = 0; i < a->application_count; i++)
        if (!nwi_protocol_options_are_equal(a->applications[i], b->applications[i]))
            return false;
    return true;
}

/* For the public calls: both arguments there. */
static bool checked(nw_protocol_stack_t stack, const void *other, const char *function) {
    if (stack == NULL || other == NULL)
        nwi_log_misuse(function, "an argument is NULL");
    return stack != NULL && other != NULL;
}

NW_EXPORT void nw_protocol_stack_prepend_application_protocol(nw_protocol_stack_t stack,
                                                              nw_protocol_options_t protocol) {
    if (!checked(stack, protocol, __func__))
        return;
    if (protocol->definition->transport || protocol->definition == &nwi_ip_definition) {
        nwi_log_misuse(__func__, "not an application protocol");
        return;
    }
    size_t count = stack->application_count;
    nw_protocol_options_t *grown =
        nwi_realloc(stack->applications, (count + 1) * sizeof stack->applications[0]);
    if (grown == NULL) {
        nwi_log_misuse(__func__, "out of memory: the protocol was not added");
        return;
    }
    memmove(grown + 1, grown, count * sizeof grown[0]);
    grown[0] = nwi_retain(protocol);
    stack->applications = grown;
    stack->application_count = count + 1;
}

NW_EXPORT void nw_protocol_stack_clear_application_protocols(nw_protocol_stack_t stack) {
    if (!checked(stack, stack, __func__))
        return;
    for (size_t i = 0; i < stack->application_count; i++)
        nwi_release(stack->applications[i]);
    nwi_free(stack->applications);
    stack->applications = NULL;
    stack->application_count = 0;
}

/* The callee may edit the stack: it is walked in a copy of the list that holds each entry. */
static void iterate(nw_protocol_stack_t stack, struct nwi_callback callback, const char *function) {
    if (!nwi_callback_can_walk(stack, callback, function))
        return;
    size_t count = stack->application_count;
    if (count == 0)
        return;
    nw_protocol_options_t *held = nwi_alloc(count * sizeof held[0]);
    if (held == NULL) {
        nwi_log_misuse(function, "out of memory: nothing was visited");
        return;
    }
    for (size_t i = 0; i < count; i++)
        held[i] = nwi_retain(stack->applications[i]);
    for (size_t i = 0; i < count; i++) {
        NWI_CALL(callback, void, (nw_protocol_options_t), held[i]);
        nwi_release(held[i]);
    }
    nwi_free(held);
}

NW_EXPORT void
nw_protocol_stack_iterate_application_protocols_f(nw_protocol_stack_t stack, void *context,
                                                  nw_protocol_stack_iterate_protocols_f function) {
    iterate(stack, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_protocol_stack_iterate_application_protocols(nw_protocol_stack_t stack,
                                                               const void *block) {
    iterate(stack, nwi_callback_block_noescape(block), __func__);
}

NW_EXPORT nw_protocol_options_t
nw_protocol_stack_copy_transport_protocol(nw_protocol_stack_t stack) {
    return checked(stack, stack, __func__) ? nwi_retain(stack->transport) : NULL;
}

NW_EXPORT void nw_protocol_stack_set_transport_protocol(nw_protocol_stack_t stack,
                                                        nw_protocol_options_t protocol) {
    if (!checked(stack, protocol, __func__))
        return;
    if (!protocol->definition->transport) {
        nwi_log_misuse(__func__, "not a transport protocol");
        return;
    }
    if (stack->internet == NULL)
        stack->internet = nwi_ip_options_create();
    if (stack->internet == NULL) {
        nwi_log_misuse(__func__, "out of memory: the transport was not set");
        return;
    }
    nwi_ip_options(stack->internet)->custom_protocol = 0;
    nw_protocol_options_t old = stack->transport;
    stack->transport = nwi_retain(protocol);
    nwi_release(old);
}

NW_EXPORT nw_protocol_options_t
nw_protocol_stack_copy_internet_protocol(nw_protocol_stack_t stack) {
    return checked(stack, stack, __func__) ? nwi_retain(stack->internet) : NULL;
}
