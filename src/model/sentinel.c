/*
 * sentinel.c - the blocks and functions that stand for "default", "leave out" and "tell nobody".
 * What:   exported data symbols under Apple's names, since programs and bindings refer to them
 *         directly, and function twins. Were one called by mistake, nothing would happen.
 * Source: Block ABI: global block = isa, flags with bit 28, reserved, invoke, descriptor.
 * Runs:   any thread; all is constant.
 */
#include "model/sentinel.h"

extern void
    *_NSConcreteGlobalBlock[32]; /* BlocksRuntime: the class of blocks that are never copied */

enum { BLOCK_IS_GLOBAL = 1 << 28 };

struct block_descriptor {
    unsigned long reserved, size;
};

struct global_block {
    void *isa;
    int flags, reserved;
    void (*invoke)(void *block, void *argument);
    const struct block_descriptor *descriptor;
};

static void invoke_nothing(void *block, void *argument) {
    (void)block;
    (void)argument;
}

static const struct block_descriptor descriptor = {.size = sizeof(struct global_block)};

#define GLOBAL_BLOCK                                                                               \
    {                                                                                              \
        .isa = _NSConcreteGlobalBlock, .flags = BLOCK_IS_GLOBAL, .invoke = invoke_nothing,         \
        .descriptor = &descriptor                                                                  \
    }

/* Three objects, though alike: what counts is their addresses. */
static struct global_block default_configuration = GLOBAL_BLOCK;
static struct global_block disable = GLOBAL_BLOCK;
static struct global_block idempotent_content = GLOBAL_BLOCK;

/* Declared in the public headers as block pointers, which this compiler may not know. */
NW_EXPORT const void *const _nw_parameters_configure_protocol_default_configuration =
    &default_configuration;
NW_EXPORT const void *const _nw_parameters_configure_protocol_disable = &disable;
NW_EXPORT const void *const _nw_connection_send_idempotent_content = &idempotent_content;

NW_EXPORT void
nw_parameters_configure_protocol_default_configuration_f(void *context,
                                                         nw_protocol_options_t options) {
    (void)context;
    (void)options;
}

NW_EXPORT void nw_parameters_configure_protocol_disable_f(void *context,
                                                          nw_protocol_options_t options) {
    (void)context;
    (void)options;
}

NW_EXPORT void nw_connection_send_idempotent_content_f(void *context, nw_error_t error) {
    (void)context;
    (void)error;
}

enum nwi_configure nwi_configure_block_kind(const void *block) {
    if (block == &default_configuration)
        return NWI_CONFIGURE_DEFAULT;
    return block == &disable ? NWI_CONFIGURE_DISABLE : NWI_CONFIGURE_CALL;
}

enum nwi_configure nwi_configure_f_kind(nw_parameters_configure_protocol_f function) {
    if (function == nw_parameters_configure_protocol_default_configuration_f)
        return NWI_CONFIGURE_DEFAULT;
    return function == nw_parameters_configure_protocol_disable_f ? NWI_CONFIGURE_DISABLE
                                                                  : NWI_CONFIGURE_CALL;
}

bool nwi_send_block_is_idempotent(const void *block) {
    return block == &idempotent_content;
}

bool nwi_send_f_is_idempotent(nw_connection_send_completion_f function) {
    return function == nw_connection_send_idempotent_content_f;
}
