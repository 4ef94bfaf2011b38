/*
 * parameters.c - nw_parameters_t: how it comes to be, and how it is copied.
 * What:   creation with a stack whose options the caller sets up inside the call; deep copies, and
 *         the one that connections share. Edits are live in stack and options too, so nobody could
 *         mark a copy as outdated: it is compared when it is to be given again.
 * Source: semantics of nw_parameters_t; RFC 791 protocol numbers 6 (TCP) and 17 (UDP).
 * Runs:   unsynchronised, as the public calls say.
 * Owns:   stack, interfaces, local endpoint, the copy given last.
 */
#include "model/parameters.h"
#include "base/alloc.h"
#include "base/callback.h"
#include "base/log.h"
#include "model/ip_options.h"
#include "model/sentinel.h"
#include "model/tcp_options.h"
#include "model/tls_options.h"
#include "model/udp_options.h"
#include <netinet/in.h>
#include <string.h>

static void parameters_destroy(void *object) {
    nw_parameters_t parameters = object;
    for (size_t i = 0; i < parameters->prohibited_interface_count; i++)
        nwi_release(parameters->prohibited_interfaces[i]);
    nwi_free(parameters->prohibited_interfaces);
    nwi_release(parameters->required_interface);
    nwi_release(parameters->local_endpoint);
    nwi_release(parameters->stack);
    /* Acquire: pairs with the exchange of whoever gave it. Nobody else has the parameters now. */
    nwi_release(atomic_load_explicit(&parameters->given, memory_order_acquire));
}

const struct nwi_type nwi_parameters_type = {
    .name = "nw_parameters",
    .size = sizeof(struct nw_parameters),
    .destroy = parameters_destroy,
};

NW_EXPORT nw_parameters_t nw_parameters_create(void) {
    nw_parameters_t parameters = nwi_object_create(&nwi_parameters_type, 0);
    if (parameters == NULL)
        return NULL;
    parameters->attribution = nw_parameters_attribution_developer;
    parameters->stack = nwi_protocol_stack_create();
    return parameters->stack != NULL ? parameters : nwi_release(parameters);
}

/* --- creation with a stack --- */

/* What the caller wants done with one protocol's options, whichever form it came in. */
struct configure {
    enum nwi_configure kind;
    struct nwi_callback callback; /* fn NULL: the argument was NULL */
};

static struct configure configure_f(void *context, nw_parameters_configure_protocol_f function) {
    return (struct configure){nwi_configure_f_kind(function),
                              nwi_callback_f(context, (nwi_fn)function)};
}

static struct configure configure_block(const void *block) {
    return (struct configure){nwi_configure_block_kind(block), nwi_callback_block_noescape(block)};
}

static void apply(struct configure configure, nw_protocol_options_t options) {
    if (configure.kind == NWI_CONFIGURE_CALL)
        NWI_CALL(configure.callback, void, (nw_protocol_options_t), options);
}

/* Checks the arguments of all create calls: there, and the lowest protocol not left out. */
static bool usable(struct configure top, struct configure bottom, const char *function) {
    if (top.callback.fn == NULL || bottom.callback.fn == NULL) {
        nwi_log_misuse(function, "a configuration is NULL");
        return false;
    }
    if (bottom.kind == NWI_CONFIGURE_DISABLE)
        nwi_log_misuse(function, "only the security protocol can be disabled");
    return bottom.kind != NWI_CONFIGURE_DISABLE;
}

static nw_parameters_t create_secure(struct configure secure, struct configure transport,
                                     nw_protocol_options_t (*create_transport)(void),
                                     const char *function) {
    if (!usable(secure, transport, function))
        return NULL;
    NWI_AUTO_RELEASE
    nw_parameters_t parameters = nw_parameters_create();
    NWI_AUTO_RELEASE
    nw_protocol_options_t options = create_transport();
    if (parameters == NULL || options == NULL)
        return NULL;
    nw_protocol_stack_t stack = parameters->stack;
    nw_protocol_stack_set_transport_protocol(stack, options);
    if (stack->transport == NULL)
        return NULL;
    if (secure.kind != NWI_CONFIGURE_DISABLE) {
        NWI_AUTO_RELEASE
        nw_protocol_options_t tls = nw_tls_create_options();
        if (tls == NULL)
            return NULL;
        apply(secure, tls);
        nw_protocol_stack_prepend_application_protocol(stack, tls);
        if (stack->application_count == 0) /* never hand out a stack without the TLS asked for */
            return NULL;
    }
    apply(transport, options);
    return nwi_take(&parameters);
}

NW_EXPORT nw_parameters_t nw_parameters_create_secure_tcp_f(
    void *tls_context, nw_parameters_configure_protocol_f configure_tls, void *tcp_context,
    nw_parameters_configure_protocol_f configure_tcp) {
    return create_secure(configure_f(tls_context, configure_tls),
                         configure_f(tcp_context, configure_tcp), nw_tcp_create_options, __func__);
}

NW_EXPORT nw_parameters_t nw_parameters_create_secure_tcp(const void *configure_tls,
                                                          const void *configure_tcp) {
    return create_secure(configure_block(configure_tls), configure_block(configure_tcp),
                         nw_tcp_create_options, __func__);
}

NW_EXPORT nw_parameters_t nw_parameters_create_secure_udp_f(
    void *dtls_context, nw_parameters_configure_protocol_f configure_dtls, void *udp_context,
    nw_parameters_configure_protocol_f configure_udp) {
    return create_secure(configure_f(dtls_context, configure_dtls),
                         configure_f(udp_context, configure_udp), nw_udp_create_options, __func__);
}

NW_EXPORT nw_parameters_t nw_parameters_create_secure_udp(const void *configure_dtls,
                                                          const void *configure_udp) {
    return create_secure(configure_block(configure_dtls), configure_block(configure_udp),
                         nw_udp_create_options, __func__);
}

static nw_parameters_t create_custom_ip(uint8_t number, struct configure ip, const char *function) {
    if (!usable(ip, ip, function))
        return NULL;
    if (number == 0 || number == IPPROTO_TCP || number == IPPROTO_UDP) {
        nwi_log_misuse(function, "protocol numbers 0, 6 (TCP) and 17 (UDP) are not custom");
        return NULL;
    }
    NWI_AUTO_RELEASE
    nw_parameters_t parameters = nw_parameters_create();
    nw_protocol_options_t options = nwi_ip_options_create();
    if (parameters == NULL || options == NULL) {
        nwi_release(options);
        return NULL;
    }
    parameters->stack->internet = options;
    nwi_ip_options(options)->custom_protocol = number;
    apply(ip, options);
    return nwi_take(&parameters);
}

NW_EXPORT nw_parameters_t
nw_parameters_create_custom_ip_f(uint8_t custom_ip_protocol_number, void *ip_context,
                                 nw_parameters_configure_protocol_f configure_ip) {
    return create_custom_ip(custom_ip_protocol_number, configure_f(ip_context, configure_ip),
                            __func__);
}

NW_EXPORT nw_parameters_t nw_parameters_create_custom_ip(uint8_t custom_ip_protocol_number,
                                                         const void *configure_ip) {
    return create_custom_ip(custom_ip_protocol_number, configure_block(configure_ip), __func__);
}

/* --- copies --- */

enum { VALUES = offsetof(struct nw_parameters, required_interface) };

/* The part that is copied and compared as octets. */
static char *values(nw_parameters_t parameters) {
    return (char *)parameters + VALUES;
}

static bool copy_prohibited(nw_parameters_t from, nw_parameters_t to) {
    size_t count = from->prohibited_interface_count;
    if (count == 0)
        return true;
    to->prohibited_interfaces = nwi_alloc(count * sizeof to->prohibited_interfaces[0]);
    if (to->prohibited_interfaces == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        to->prohibited_interfaces[i] = nwi_retain(from->prohibited_interfaces[i]);
    to->prohibited_interface_count = count;
    return true;
}

NW_EXPORT nw_parameters_t nw_parameters_copy(nw_parameters_t parameters) {
    if (parameters == NULL) {
        nwi_log_misuse(__func__, "parameters are NULL");
        return NULL;
    }
    nw_parameters_t copy = nwi_object_create(&nwi_parameters_type, 0);
    if (copy == NULL)
        return NULL;
    memcpy(values(copy), values(parameters), sizeof *copy - VALUES);
    nwi_retain(copy->required_interface);
    nwi_retain(copy->local_endpoint);
    copy->stack = nwi_protocol_stack_copy(parameters->stack);
    return copy->stack != NULL && copy_prohibited(parameters, copy) ? copy : nwi_release(copy);
}

/* Interfaces and endpoints are compared by identity: two that are alike make one more copy. */
static bool are_equal(nw_parameters_t a, nw_parameters_t b) {
    size_t count = a->prohibited_interface_count;
    return count == b->prohibited_interface_count &&
           memcmp(values(a), values(b), sizeof *a - VALUES) == 0 &&
           (count == 0 || memcmp(a->prohibited_interfaces, b->prohibited_interfaces,
                                 count * sizeof a->prohibited_interfaces[0]) == 0) &&
           nwi_protocol_stack_is_equal(a->stack, b->stack);
}

nw_parameters_t nwi_parameters_copy_for_connection(nw_parameters_t parameters) {
    if (parameters == NULL)
        return NULL;
    nw_parameters_t copy = atomic_exchange_explicit(&parameters->given, NULL, memory_order_acq_rel);
    if (copy == NULL || !are_equal(copy, parameters)) {
        nwi_release(copy);
        copy = nw_parameters_copy(parameters);
        if (copy == NULL || !are_equal(copy, parameters)) /* it can never be given again */
            return copy;
    }
    /* Another thread may have put one in meanwhile. */
    nwi_release(
        atomic_exchange_explicit(&parameters->given, nwi_retain(copy), memory_order_acq_rel));
    return copy;
}

NW_EXPORT nw_protocol_stack_t
nw_parameters_copy_default_protocol_stack(nw_parameters_t parameters) {
    if (parameters == NULL) {
        nwi_log_misuse(__func__, "parameters are NULL");
        return NULL;
    }
    return nwi_retain(parameters->stack);
}
