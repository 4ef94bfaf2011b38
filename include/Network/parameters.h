/*
 * parameters.h - how to connect or listen: the protocols, and the rules for choosing a path.
 * A connection or listener copies its parameters when it is created; later changes do not reach it.
 * Setters may not run on one object from two threads at once.
 */
#ifndef NETWORK_PARAMETERS_H
#define NETWORK_PARAMETERS_H

#include <Network/endpoint.h>
#include <Network/interface.h>
#include <Network/nw_object.h>
#include <Network/protocol_options.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_parameters);
NW_OBJECT_DECL(nw_protocol_stack);

/** Sets up one protocol's options. The function form, whose first argument is its context. */
typedef void (*nw_parameters_configure_protocol_f)(void *context, nw_protocol_options_t options);

/** Never called: passed by address, they ask for "all defaults" and for "leave this protocol out".
 */
NW_EXPORT void
nw_parameters_configure_protocol_default_configuration_f(void *context,
                                                         nw_protocol_options_t options);
NW_EXPORT void nw_parameters_configure_protocol_disable_f(void *context,
                                                          nw_protocol_options_t options);

#define NW_PARAMETERS_DEFAULT_CONFIGURATION_F                                                      \
    (nw_parameters_configure_protocol_default_configuration_f)
#define NW_PARAMETERS_DISABLE_PROTOCOL_F (nw_parameters_configure_protocol_disable_f)

#ifdef __BLOCKS__
typedef void (^nw_parameters_configure_protocol_block_t)(nw_protocol_options_t options);

#define NW_PARAMETERS_CONFIGURE_PROTOCOL_TYPE_DECL(name)                                           \
    NW_EXPORT extern const nw_parameters_configure_protocol_block_t                                \
        _nw_parameters_configure_protocol_##name

NW_PARAMETERS_CONFIGURE_PROTOCOL_TYPE_DECL(default_configuration);
NW_PARAMETERS_CONFIGURE_PROTOCOL_TYPE_DECL(disable);

#define NW_PARAMETERS_DEFAULT_CONFIGURATION                                                        \
    (_nw_parameters_configure_protocol_default_configuration)
#define NW_PARAMETERS_DISABLE_PROTOCOL (_nw_parameters_configure_protocol_disable)
#else
#define NW_PARAMETERS_DEFAULT_CONFIGURATION NW_PARAMETERS_DEFAULT_CONFIGURATION_F
#define NW_PARAMETERS_DISABLE_PROTOCOL NW_PARAMETERS_DISABLE_PROTOCOL_F
#endif

/* --- creation --- */

#ifdef __BLOCKS__
/**
 * Parameters for TLS over TCP. Each block runs inside this call with its protocol's options;
 * NW_PARAMETERS_DEFAULT_CONFIGURATION leaves them at their defaults. NW_PARAMETERS_DISABLE_PROTOCOL
 * for configure_tls gives plain TCP; for configure_tcp it is refused. Returns a reference, or NULL
 * when an argument is NULL or refused, or memory ran out.
 */
NW_EXPORT nw_parameters_t
nw_parameters_create_secure_tcp(nw_parameters_configure_protocol_block_t configure_tls,
                                nw_parameters_configure_protocol_block_t configure_tcp);

/** Parameters for DTLS over UDP; otherwise as above. */
NW_EXPORT nw_parameters_t
nw_parameters_create_secure_udp(nw_parameters_configure_protocol_block_t configure_dtls,
                                nw_parameters_configure_protocol_block_t configure_udp);

/**
 * Parameters for a protocol straight over IP, by its number. 6 (TCP) and 17 (UDP) are refused, as
 * is disabling IP. Connecting with them takes the right to open raw sockets.
 */
NW_EXPORT nw_parameters_t nw_parameters_create_custom_ip(
    uint8_t custom_ip_protocol_number, nw_parameters_configure_protocol_block_t configure_ip);
#endif

/** Function form of nw_parameters_create_secure_tcp(). */
NW_EXPORT nw_parameters_t nw_parameters_create_secure_tcp_f(
    void *tls_context, nw_parameters_configure_protocol_f configure_tls, void *tcp_context,
    nw_parameters_configure_protocol_f configure_tcp);
/** Function form of nw_parameters_create_secure_udp(). */
NW_EXPORT nw_parameters_t nw_parameters_create_secure_udp_f(
    void *dtls_context, nw_parameters_configure_protocol_f configure_dtls, void *udp_context,
    nw_parameters_configure_protocol_f configure_udp);
/** Function form of nw_parameters_create_custom_ip(). */
NW_EXPORT nw_parameters_t
nw_parameters_create_custom_ip_f(uint8_t custom_ip_protocol_number, void *ip_context,
                                 nw_parameters_configure_protocol_f configure_ip);

/** Parameters with an empty protocol stack: a transport must be set before they can be used. */
NW_EXPORT nw_parameters_t nw_parameters_create(void);

/** A copy of the parameters, their protocol stack and all options in it. NULL for NULL, or no
 * memory. */
NW_EXPORT nw_parameters_t nw_parameters_copy(nw_parameters_t parameters);

/* --- who asks --- */

/** On whose behalf the connection is made. */
typedef uint8_t nw_parameters_attribution_t;
enum {
    nw_parameters_attribution_developer = 1, /* the program's own wish; the default */
    nw_parameters_attribution_user = 2,      /* the user asked for this destination */
};

/** Sets on whose behalf the connection is made. */
NW_EXPORT void nw_parameters_set_attribution(nw_parameters_t parameters,
                                             nw_parameters_attribution_t attribution);
/** On whose behalf; developer by default, 0 for NULL. */
NW_EXPORT nw_parameters_attribution_t nw_parameters_get_attribution(nw_parameters_t parameters);

/* --- path rules: when no path fits, the connection waits (ENETDOWN) --- */

/** Uses this interface only; NULL takes the rule away. */
NW_EXPORT void nw_parameters_require_interface(nw_parameters_t parameters,
                                               nw_interface_t interface);
/** A reference to the required interface, or NULL. */
NW_EXPORT nw_interface_t nw_parameters_copy_required_interface(nw_parameters_t parameters);

/** Never uses this interface. May be called for several. */
NW_EXPORT void nw_parameters_prohibit_interface(nw_parameters_t parameters,
                                                nw_interface_t interface);
/** Forgets all prohibited interfaces. */
NW_EXPORT void nw_parameters_clear_prohibited_interfaces(nw_parameters_t parameters);

/** Gets one prohibited interface, lent; returns true to go on, false to stop. */
typedef bool (*nw_parameters_iterate_interfaces_f)(void *context, nw_interface_t interface);
#ifdef __BLOCKS__
typedef bool (^nw_parameters_iterate_interfaces_block_t)(nw_interface_t interface);
/** Calls the block for each prohibited interface, before the call returns; false from it stops. */
NW_EXPORT void
nw_parameters_iterate_prohibited_interfaces(nw_parameters_t parameters,
                                            nw_parameters_iterate_interfaces_block_t iterate_block);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_parameters_iterate_prohibited_interfaces_f(nw_parameters_t parameters, void *context,
                                              nw_parameters_iterate_interfaces_f iterate);

/** Uses interfaces of this type only; nw_interface_type_other takes the rule away. */
NW_EXPORT void nw_parameters_set_required_interface_type(nw_parameters_t parameters,
                                                         nw_interface_type_t interface_type);
/** The required type; nw_interface_type_other when there is none. */
NW_EXPORT nw_interface_type_t nw_parameters_get_required_interface_type(nw_parameters_t parameters);

/** Never uses interfaces of this type. May be called for several. */
NW_EXPORT void nw_parameters_prohibit_interface_type(nw_parameters_t parameters,
                                                     nw_interface_type_t interface_type);
/** Forgets all prohibited types. */
NW_EXPORT void nw_parameters_clear_prohibited_interface_types(nw_parameters_t parameters);

/** Gets one prohibited type; returns true to go on, false to stop. */
typedef bool (*nw_parameters_iterate_interface_types_f)(void *context,
                                                        nw_interface_type_t interface_type);
#ifdef __BLOCKS__
typedef bool (^nw_parameters_iterate_interface_types_block_t)(nw_interface_type_t interface_type);
/** Calls the block for each prohibited type, before the call returns; false from it stops. */
NW_EXPORT void nw_parameters_iterate_prohibited_interface_types(
    nw_parameters_t parameters, nw_parameters_iterate_interface_types_block_t iterate_block);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_parameters_iterate_prohibited_interface_types_f(nw_parameters_t parameters, void *context,
                                                   nw_parameters_iterate_interface_types_f iterate);

/** Never uses interfaces that cost money by volume. Default false. */
NW_EXPORT void nw_parameters_set_prohibit_expensive(nw_parameters_t parameters,
                                                    bool prohibit_expensive);
NW_EXPORT bool nw_parameters_get_prohibit_expensive(nw_parameters_t parameters);

/** Never uses interfaces on which the user asked to save data. Default false. */
NW_EXPORT void nw_parameters_set_prohibit_constrained(nw_parameters_t parameters,
                                                      bool prohibit_constrained);
NW_EXPORT bool nw_parameters_get_prohibit_constrained(nw_parameters_t parameters);

/** Accepts links of very little capacity, such as satellite messaging. Default false: they are
 * refused. */
NW_EXPORT void nw_parameters_set_allow_ultra_constrained(nw_parameters_t parameters,
                                                         bool allow_ultra_constrained);
NW_EXPORT bool nw_parameters_get_allow_ultra_constrained(nw_parameters_t parameters);

/** Binds even where an earlier socket still holds the local address (SO_REUSEADDR). Default false.
 */
NW_EXPORT void nw_parameters_set_reuse_local_address(nw_parameters_t parameters,
                                                     bool reuse_local_address);
NW_EXPORT bool nw_parameters_get_reuse_local_address(nw_parameters_t parameters);

/**
 * Binds to this address endpoint; a listener listens on it. Port "0" = any port, address "::" or
 * "0.0.0.0" = any address. NULL takes it away. Endpoints of other types are logged and refused.
 */
NW_EXPORT void nw_parameters_set_local_endpoint(nw_parameters_t parameters,
                                                nw_endpoint_t local_endpoint);
/** A reference to the local endpoint, or NULL. */
NW_EXPORT nw_endpoint_t nw_parameters_copy_local_endpoint(nw_parameters_t parameters);

/** Also considers direct links between devices. Default false. */
NW_EXPORT void nw_parameters_set_include_peer_to_peer(nw_parameters_t parameters,
                                                      bool include_peer_to_peer);
NW_EXPORT bool nw_parameters_get_include_peer_to_peer(nw_parameters_t parameters);

/**
 * Lets the first content travel while the connection is being set up. The caller must then send
 * idempotent content before the connection is ready, else it does not proceed. Default false.
 */
NW_EXPORT void nw_parameters_set_fast_open_enabled(nw_parameters_t parameters,
                                                   bool fast_open_enabled);
NW_EXPORT bool nw_parameters_get_fast_open_enabled(nw_parameters_t parameters);

/** What the traffic is for; becomes the DSCP of packets and their priority in the host's queues. */
typedef enum {
    nw_service_class_best_effort = 0,
    nw_service_class_background = 1,
    nw_service_class_interactive_video = 2,
    nw_service_class_interactive_voice = 3,
    nw_service_class_responsive_data = 4,
    nw_service_class_signaling = 5,
} nw_service_class_t;

/** Sets the service class. Default best effort. */
NW_EXPORT void nw_parameters_set_service_class(nw_parameters_t parameters,
                                               nw_service_class_t service_class);
NW_EXPORT nw_service_class_t nw_parameters_get_service_class(nw_parameters_t parameters);

/** How to use several paths at once. */
typedef enum {
    nw_multipath_service_disabled = 0,
    nw_multipath_service_handover = 1,
    nw_multipath_service_interactive = 2,
    nw_multipath_service_aggregate = 3,
} nw_multipath_service_t;

/** Sets the use of several paths. Default disabled. */
NW_EXPORT void nw_parameters_set_multipath_service(nw_parameters_t parameters,
                                                   nw_multipath_service_t multipath_service);
NW_EXPORT nw_multipath_service_t nw_parameters_get_multipath_service(nw_parameters_t parameters);

/** A listener accepts peers on the local link only. Default false. */
NW_EXPORT void nw_parameters_set_local_only(nw_parameters_t parameters, bool local_only);
NW_EXPORT bool nw_parameters_get_local_only(nw_parameters_t parameters);

/** Connects directly where both direct and proxied ways exist. Default false. */
NW_EXPORT void nw_parameters_set_prefer_no_proxy(nw_parameters_t parameters, bool prefer_no_proxy);
NW_EXPORT bool nw_parameters_get_prefer_no_proxy(nw_parameters_t parameters);

/** Whether addresses whose time to live has run out may be tried while fresh ones are asked for. */
typedef enum {
    nw_parameters_expired_dns_behavior_default = 0,
    nw_parameters_expired_dns_behavior_allow = 1,
    nw_parameters_expired_dns_behavior_prohibit = 2,
    nw_parameters_expired_dns_behavior_persistent = 3,
} nw_parameters_expired_dns_behavior_t;

/** Sets the use of expired addresses. Default: the system decides. */
NW_EXPORT void
nw_parameters_set_expired_dns_behavior(nw_parameters_t parameters,
                                       nw_parameters_expired_dns_behavior_t expired_dns_behavior);
NW_EXPORT nw_parameters_expired_dns_behavior_t
nw_parameters_get_expired_dns_behavior(nw_parameters_t parameters);

/** Accepts only answers that DNSSEC proves to be right, or provably unsigned. Default false. */
NW_EXPORT void nw_parameters_set_requires_dnssec_validation(nw_parameters_t parameters,
                                                            bool requires_dnssec_validation);
NW_EXPORT bool nw_parameters_requires_dnssec_validation(nw_parameters_t parameters);

/* --- protocol stack: application protocols (top first), one transport, one internet protocol --- */

/**
 * A reference to the parameters' stack. It is live: changes made through it are changes of these
 * parameters. NULL for NULL.
 */
NW_EXPORT nw_protocol_stack_t nw_parameters_copy_default_protocol_stack(nw_parameters_t parameters);

/** Puts a protocol on top of the stack. The options are retained, not copied. */
NW_EXPORT void nw_protocol_stack_prepend_application_protocol(nw_protocol_stack_t stack,
                                                              nw_protocol_options_t protocol);

/** Takes all application protocols away, TLS included. */
NW_EXPORT void nw_protocol_stack_clear_application_protocols(nw_protocol_stack_t stack);

/** Gets the options of one application protocol, lent. */
typedef void (*nw_protocol_stack_iterate_protocols_f)(void *context,
                                                      nw_protocol_options_t protocol);
#ifdef __BLOCKS__
typedef void (^nw_protocol_stack_iterate_protocols_block_t)(nw_protocol_options_t protocol);
/** Calls the block for each application protocol from the top down, before the call returns. */
NW_EXPORT void nw_protocol_stack_iterate_application_protocols(
    nw_protocol_stack_t stack, nw_protocol_stack_iterate_protocols_block_t iterate_block);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_protocol_stack_iterate_application_protocols_f(nw_protocol_stack_t stack, void *context,
                                                  nw_protocol_stack_iterate_protocols_f iterate);

/** A reference to the transport's options, or NULL when there is no transport. */
NW_EXPORT nw_protocol_options_t
nw_protocol_stack_copy_transport_protocol(nw_protocol_stack_t stack);

/** Replaces the transport: TCP or UDP options, retained. Others are logged and refused. */
NW_EXPORT void nw_protocol_stack_set_transport_protocol(nw_protocol_stack_t stack,
                                                        nw_protocol_options_t protocol);

/** A reference to the live IP options of the stack; NULL while the stack is empty. */
NW_EXPORT nw_protocol_options_t nw_protocol_stack_copy_internet_protocol(nw_protocol_stack_t stack);

NW_EXTERN_C_END

#endif
