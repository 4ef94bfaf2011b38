/*
 * objects_settings.c - the steps of fuzz_objects.c on what is set before a connection is made:
 * parameters, protocol stacks, options of the protocols and of security.
 */
#include "objects.h"
#include <Network/establishment_options.h>

/* --- parameters --- */

static void configure(void *context, nw_protocol_options_t options) {
    keep(context, OPTIONS, options);
}

static nw_parameters_configure_protocol_f choose_configuration(struct program *p) {
    static const nw_parameters_configure_protocol_f choices[] = {
        NW_PARAMETERS_DISABLE_PROTOCOL_F, NW_PARAMETERS_DEFAULT_CONFIGURATION_F, configure, NULL};
    return choices[take_octet(p) % 4];
}

void make_parameters(struct program *p) {
    uint8_t how = take_octet(p);
    nw_parameters_configure_protocol_f security = choose_configuration(p),
                                       transport = choose_configuration(p);
    nw_parameters_t parameters;
    switch (how % 5) {
    case 0:
        parameters = nw_parameters_create_secure_tcp_f(p, security, p, transport);
        break;
    case 1:
        parameters = nw_parameters_create_secure_udp_f(p, security, p, transport);
        break;
    case 2:
        parameters = nw_parameters_create_custom_ip_f(take_octet(p), p, transport);
        break;
    case 3:
        parameters = nw_parameters_create();
        break;
    default:
        parameters = nw_parameters_copy(pick(p, PARAMETERS));
        break;
    }
    CHECK(how % 5 > 2 || transport != NW_PARAMETERS_DISABLE_PROTOCOL_F || parameters == NULL);
    put(p, PARAMETERS, parameters);
}

static const struct {
    void (*set)(nw_parameters_t, bool);
    bool (*get)(nw_parameters_t);
} parameters_switches[] = {
    {nw_parameters_set_prohibit_expensive, nw_parameters_get_prohibit_expensive},
    {nw_parameters_set_prohibit_constrained, nw_parameters_get_prohibit_constrained},
    {nw_parameters_set_allow_ultra_constrained, nw_parameters_get_allow_ultra_constrained},
    {nw_parameters_set_reuse_local_address, nw_parameters_get_reuse_local_address},
    {nw_parameters_set_include_peer_to_peer, nw_parameters_get_include_peer_to_peer},
    {nw_parameters_set_fast_open_enabled, nw_parameters_get_fast_open_enabled},
    {nw_parameters_set_local_only, nw_parameters_get_local_only},
    {nw_parameters_set_prefer_no_proxy, nw_parameters_get_prefer_no_proxy},
    {nw_parameters_set_requires_dnssec_validation, nw_parameters_requires_dnssec_validation},
};

void switch_parameters(struct program *p) {
    nw_parameters_t parameters = pick(p, PARAMETERS);
    unsigned which = take_octet(p) % (sizeof parameters_switches / sizeof parameters_switches[0]);
    bool on = take_octet(p) % 2;
    parameters_switches[which].set(parameters, on);
    CHECK(parameters_switches[which].get(parameters) == (parameters != NULL && on));
}

/* Values out of range are refused, so what is got is not always what was set. */
void number_parameters(struct program *p) {
    nw_parameters_t parameters = pick(p, PARAMETERS);
    uint32_t number = take_octet(p) % 2 ? take_number(p) : take_octet(p) % 8;
    switch (take_octet(p) % 6) {
    case 0:
        nw_parameters_set_attribution(parameters, (nw_parameters_attribution_t)number);
        CHECK(nw_parameters_get_attribution(parameters) <= nw_parameters_attribution_user);
        break;
    case 1:
        nw_parameters_set_service_class(parameters, (nw_service_class_t)number);
        CHECK(nw_parameters_get_service_class(parameters) <= nw_service_class_signaling);
        break;
    case 2:
        nw_parameters_set_multipath_service(parameters, (nw_multipath_service_t)number);
        CHECK(nw_parameters_get_multipath_service(parameters) <= nw_multipath_service_aggregate);
        break;
    case 3:
        nw_parameters_set_expired_dns_behavior(parameters,
                                               (nw_parameters_expired_dns_behavior_t)number);
        CHECK(nw_parameters_get_expired_dns_behavior(parameters) <=
              nw_parameters_expired_dns_behavior_persistent);
        break;
    case 4:
        nw_parameters_set_attempt_delay_milliseconds(parameters, number);
        CHECK(nw_parameters_get_attempt_delay_milliseconds(parameters) == 0 || parameters != NULL);
        break;
    default:
        nw_parameters_set_resolution_delay_milliseconds(parameters, number);
        CHECK(nw_parameters_get_resolution_delay_milliseconds(parameters) == 0 ||
              parameters != NULL);
        break;
    }
}

static bool see_type(void *context, nw_interface_type_t type) {
    CHECK(type <= nw_interface_type_loopback);
    return take_octet(context) % 4 != 0;
}

void rule_parameters(struct program *p) {
    nw_parameters_t parameters = pick(p, PARAMETERS);
    uint8_t what = take_octet(p) % 8;
    nw_interface_type_t type = (nw_interface_type_t)(take_octet(p) % 7);
    nw_interface_t interface = pick(p, INTERFACE), required;
    nw_endpoint_t endpoint = pick(p, ENDPOINT), local;
    switch (what) {
    case 0:
        nw_parameters_require_interface(parameters, interface);
        required = nw_parameters_copy_required_interface(parameters);
        CHECK(required == (parameters != NULL ? interface : NULL));
        nw_release(required);
        break;
    case 1:
        nw_parameters_prohibit_interface(parameters, interface);
        break;
    case 2:
        nw_parameters_clear_prohibited_interfaces(parameters);
        break;
    case 3:
        nw_parameters_set_required_interface_type(parameters, type);
        CHECK(nw_parameters_get_required_interface_type(parameters) <= nw_interface_type_loopback);
        break;
    case 4:
        nw_parameters_prohibit_interface_type(parameters, type);
        break;
    case 5:
        nw_parameters_clear_prohibited_interface_types(parameters);
        break;
    case 6:
        nw_parameters_set_local_endpoint(parameters, endpoint);
        local = nw_parameters_copy_local_endpoint(parameters);
        CHECK(local == NULL || parameters != NULL);
        nw_release(local);
        break;
    default:
        nw_parameters_iterate_prohibited_interfaces_f(parameters, p, see_interface);
        nw_parameters_iterate_prohibited_interface_types_f(parameters, p, see_type);
        break;
    }
}

/* --- protocol stacks and options --- */

void change_stack(struct program *p) {
    nw_protocol_stack_t stack = pick(p, STACK);
    switch (take_octet(p) % 7) {
    case 0:
        put(p, STACK, nw_parameters_copy_default_protocol_stack(pick(p, PARAMETERS)));
        break;
    case 1:
        nw_protocol_stack_prepend_application_protocol(stack, pick(p, OPTIONS));
        break;
    case 2:
        nw_protocol_stack_clear_application_protocols(stack);
        break;
    case 3:
        nw_protocol_stack_iterate_application_protocols_f(stack, p, configure);
        break;
    case 4:
        put(p, OPTIONS, nw_protocol_stack_copy_transport_protocol(stack));
        break;
    case 5:
        nw_protocol_stack_set_transport_protocol(stack, pick(p, OPTIONS));
        break;
    default:
        put(p, OPTIONS, nw_protocol_stack_copy_internet_protocol(stack));
        break;
    }
}

void make_options(struct program *p) {
    static nw_protocol_options_t (*const make[])(void) = {
        nw_tcp_create_options, nw_udp_create_options, nw_tls_create_options};
    static nw_protocol_metadata_t (*const make_metadata[])(void) = {nw_ip_create_metadata,
                                                                    nw_udp_create_metadata};
    static nw_protocol_definition_t (*const define[])(void) = {
        nw_protocol_copy_ip_definition, nw_protocol_copy_tcp_definition,
        nw_protocol_copy_udp_definition, nw_protocol_copy_tls_definition};
    switch (take_octet(p) % 5) {
    case 0:
        put(p, OPTIONS, make[take_octet(p) % 3]());
        break;
    case 1:
        put(p, METADATA, make_metadata[take_octet(p) % 2]());
        break;
    case 2:
        put(p, DEFINITION, define[take_octet(p) % 4]());
        break;
    case 3:
        put(p, DEFINITION, nw_protocol_options_copy_definition(pick(p, OPTIONS)));
        break;
    default:
        put(p, DEFINITION, nw_protocol_metadata_copy_definition(pick(p, METADATA)));
        break;
    }
    nw_protocol_definition_t a = pick(p, DEFINITION), b = pick(p, DEFINITION);
    CHECK(nw_protocol_definition_is_equal(a, b) == (a != NULL && a == b));
}

void switch_options(struct program *p) {
    static void (*const set[])(nw_protocol_options_t, bool) = {
        nw_tcp_options_set_no_delay,
        nw_tcp_options_set_no_push,
        nw_tcp_options_set_no_options,
        nw_tcp_options_set_enable_keepalive,
        nw_tcp_options_set_retransmit_fin_drop,
        nw_tcp_options_set_disable_ack_stretching,
        nw_tcp_options_set_enable_fast_open,
        nw_tcp_options_set_disable_ecn,
        nw_ip_options_set_use_minimum_mtu,
        nw_ip_options_set_disable_fragmentation,
        nw_ip_options_set_calculate_receive_time,
        nw_ip_options_set_disable_multicast_loopback,
        nw_udp_options_set_prefer_no_checksum,
    };
    set[take_octet(p) % (sizeof set / sizeof set[0])](pick(p, OPTIONS), take_octet(p) % 2);
}

void number_options(struct program *p) {
    static void (*const set[])(nw_protocol_options_t, uint32_t) = {
        nw_tcp_options_set_keepalive_count,
        nw_tcp_options_set_keepalive_idle_time,
        nw_tcp_options_set_keepalive_interval,
        nw_tcp_options_set_maximum_segment_size,
        nw_tcp_options_set_connection_timeout,
        nw_tcp_options_set_persist_timeout,
        nw_tcp_options_set_retransmit_connection_drop_time,
    };
    nw_protocol_options_t options = pick(p, OPTIONS);
    uint32_t number = take_octet(p) % 2 ? take_number(p) : take_octet(p) % 8;
    switch (take_octet(p) % 5) {
    case 0:
        nw_ip_options_set_version(options, (nw_ip_version_t)number);
        break;
    case 1:
        nw_ip_options_set_hop_limit(options, (uint8_t)number);
        break;
    case 2:
        nw_ip_options_set_local_address_preference(options,
                                                   (nw_ip_local_address_preference_t)number);
        break;
    case 3:
        nw_tcp_options_set_multipath_force_version(options,
                                                   (nw_multipath_version_t)(int)(number - 1));
        break;
    default:
        set[number % (sizeof set / sizeof set[0])](options, take_number(p));
        break;
    }
}

/* --- security options --- */

void switch_security(struct program *p) {
    static void (*const set[])(sec_protocol_options_t, bool) = {
        sec_protocol_options_set_tls_tickets_enabled,
        sec_protocol_options_set_tls_is_fallback_attempt,
        sec_protocol_options_set_tls_resumption_enabled,
        sec_protocol_options_set_tls_false_start_enabled,
        sec_protocol_options_set_tls_ocsp_enabled,
        sec_protocol_options_set_tls_sct_enabled,
        sec_protocol_options_set_tls_renegotiation_enabled,
        sec_protocol_options_set_peer_authentication_required,
        sec_protocol_options_set_peer_authentication_optional,
        sec_protocol_options_set_enable_encrypted_client_hello,
        sec_protocol_options_set_quic_use_legacy_codepoint,
    };
    sec_protocol_options_t options = pick(p, SECURITY);
    bool on = take_octet(p) % 2;
    unsigned which = take_octet(p) % (sizeof set / sizeof set[0]);
    set[which](options, on);
    CHECK(options != NULL || !sec_protocol_options_get_enable_encrypted_client_hello(options));
    CHECK(which != 10 || options == NULL ||
          sec_protocol_options_get_quic_use_legacy_codepoint(options) == on);
}

void number_security(struct program *p) {
    static void (*const set[])(sec_protocol_options_t, uint16_t) = {
        sec_protocol_options_append_tls_ciphersuite,
        sec_protocol_options_append_tls_ciphersuite_group,
        sec_protocol_options_set_min_tls_protocol_version,
        sec_protocol_options_set_max_tls_protocol_version,
    };
    sec_protocol_options_t options = pick(p, SECURITY);
    uint16_t number = (uint16_t)(take_octet(p) << 8 | take_octet(p));
    set[take_octet(p) % 4](options, number);
    sec_protocol_options_set_tls_min_version(options, number % 16);
    sec_protocol_options_set_tls_max_version(options, number % 16);
    sec_protocol_options_add_tls_ciphersuite(options, number);
    sec_protocol_options_add_tls_ciphersuite_group(options, (SSLCiphersuiteGroup)(number % 8));
}

/* Never called: no handshake is made. */
static void on_psk(void *context, sec_protocol_metadata_t metadata, dispatch_data_t hint,
                   sec_protocol_pre_shared_key_selection_complete_f complete, void *done) {
    (void)context, (void)metadata, (void)hint, (void)complete, (void)done;
}
static void on_verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                      sec_protocol_verify_complete_f complete, void *done) {
    (void)context, (void)metadata, (void)trust, (void)complete, (void)done;
}

void use_security(struct program *p) {
    char text[PROGRAM_TEXT_MAX];
    sec_protocol_options_t options = pick(p, SECURITY), other = pick(p, SECURITY);
    dispatch_queue_t queue = take_octet(p) % 2 ? NULL : dispatch_get_main_queue();
    switch (take_octet(p) % 6) {
    case 0:
        put(p, SECURITY, nw_tls_copy_sec_protocol_options(pick(p, OPTIONS)));
        break;
    case 1:
        sec_protocol_options_set_tls_server_name(options, take_text(p, text));
        sec_protocol_options_add_tls_application_protocol(options, take_text(p, text));
        break;
    case 2:
        sec_protocol_options_add_pre_shared_key(options, pick(p, CONTENT), pick(p, CONTENT));
        sec_protocol_options_set_tls_pre_shared_key_identity_hint(options, pick(p, CONTENT));
        sec_protocol_options_set_tls_diffie_hellman_parameters(options, pick(p, CONTENT));
        break;
    case 3:
        sec_protocol_options_set_pre_shared_key_selection_block_f(
            options, p, take_octet(p) % 2 ? on_psk : NULL, queue);
        sec_protocol_options_set_verify_block_f(options, p, take_octet(p) % 2 ? on_verify : NULL,
                                                queue);
        sec_protocol_options_set_challenge_block_f(options, p, NULL, queue);
        sec_protocol_options_set_key_update_block_f(options, p, NULL, queue);
        break;
    case 4:
        sec_protocol_options_set_local_identity(options, NULL);
        break;
    default:
        CHECK(sec_protocol_options_are_equal(options, options) || options == NULL);
        CHECK(sec_protocol_options_are_equal(options, other) ==
              sec_protocol_options_are_equal(other, options));
        break;
    }
}
