/*
 * fuzz_objects.c - sequences of calls on the passive objects: endpoints, parameters, protocol
 * stacks, options of every protocol, metadata, contexts, paths, errors, content.
 * What:   the input is a program over four slots a kind of object; an argument is what a slot holds
 *         or NULL. Options, metadata, definitions and endpoints are each one type for many kinds:
 *         every call meets those that are not its own. What was set is what is got; what holds
 *         another object holds it after its maker's reference has gone. Leaks are ASan's to find.
 * Runs:   one thread. Connections and listeners have their own target, fuzz_connections.c.
 */
#include "model/error.h"
#include "model/interface.h"
#include "objects.h"
#include "path/evaluate.h"
#include <sys/un.h>

void *slots[KIND_COUNT][SLOTS];

/* --- endpoints and what they are made of --- */

static nw_endpoint_t make_address(struct program *p) {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un local;
        uint8_t octets[sizeof(struct sockaddr_un)];
    } address = {.octets = {0}};
    static const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC};
    sa_family_t family = families[take_octet(p) % 4];
    for (size_t i = sizeof family; i < 28; i++)
        address.octets[i] = take_octet(p);
    address.sa.sa_family = family;
    return nw_endpoint_create_address(take_octet(p) == 1 ? NULL : &address.sa);
}

static void make_endpoint(struct program *p) {
    char a[PROGRAM_TEXT_MAX], b[PROGRAM_TEXT_MAX], c[PROGRAM_TEXT_MAX];
    uint8_t how = take_octet(p);
    const char *first = how & 0x80 ? NULL : take_text(p, a);
    const char *second = how & 0x40 ? NULL : take_text(p, b);
    switch (how % 4) {
    case 0:
        put(p, ENDPOINT, nw_endpoint_create_host(first, second));
        break;
    case 1:
        put(p, ENDPOINT, make_address(p));
        break;
    case 2:
        put(p, ENDPOINT,
            nw_endpoint_create_bonjour_service(first, second, how & 0x20 ? NULL : take_text(p, c)));
        break;
    default:
        put(p, ENDPOINT, nw_endpoint_create_url(first));
        break;
    }
}

static void ask_endpoint(struct program *p) {
    nw_endpoint_t endpoint = pick(p, ENDPOINT);
    nw_endpoint_type_t type = nw_endpoint_get_type(endpoint);
    char *port = nw_endpoint_copy_port_string(endpoint);
    char *address = nw_endpoint_copy_address_string(endpoint);
    size_t length = 1;
    CHECK((type == nw_endpoint_type_invalid) == (endpoint == NULL));
    CHECK((address != NULL) == (type == nw_endpoint_type_address));
    CHECK((nw_endpoint_get_address(endpoint) != NULL) == (type == nw_endpoint_type_address));
    CHECK((nw_endpoint_get_url(endpoint) != NULL) == (type == nw_endpoint_type_url));
    bool service = type == nw_endpoint_type_bonjour_service;
    CHECK((nw_endpoint_get_bonjour_service_name(endpoint) != NULL) == service);
    CHECK((nw_endpoint_get_bonjour_service_type(endpoint) != NULL) == service);
    CHECK((nw_endpoint_get_bonjour_service_domain(endpoint) != NULL) == service);
    CHECK(port == NULL || (unsigned)atoi(port) == nw_endpoint_get_port(endpoint));
    CHECK(nw_endpoint_copy_txt_record(endpoint) == NULL);
    CHECK(nw_endpoint_get_signature(endpoint, &length) == NULL && length == 0);
    const char *name = nw_endpoint_get_hostname(endpoint);
    CHECK(name == NULL || strlen(name) < 1024);
    free(port);
    free(address);
}

static void make_interface(struct program *p) {
    char name[PROGRAM_TEXT_MAX];
    take_text(p, name);
    nw_interface_t interface =
        nwi_interface_create(name, take_octet(p), (nw_interface_type_t)(take_octet(p) % 6));
    CHECK(strcmp(nw_interface_get_name(interface), name) == 0);
    CHECK(nw_interface_get_index(NULL) == 0 && nw_interface_get_name(NULL) == NULL);
    CHECK(nw_interface_get_type(NULL) == nw_interface_type_other);
    put(p, INTERFACE, interface);
}

static void make_failure(struct program *p) {
    int code = (int16_t)take_number(p);
    put(p, FAILURE, nwi_error_create(take_octet(p) % 2 ? nwi_posix(code) : nwi_dns(code)));
    nw_error_t error = pick(p, FAILURE);
    char *text = nw_error_copy_description(error);
    CHECK((text != NULL) == (error != NULL));
    CHECK((nw_error_get_error_domain(error) != nw_error_domain_invalid) == (error != NULL));
    CHECK(nw_error_get_error_code(NULL) == 0);
    free(text);
}

bool see_interface(void *context, nw_interface_t interface) {
    keep(context, INTERFACE, interface);
    return take_octet(context) % 4 != 0;
}

static bool see_gateway(void *context, nw_endpoint_t gateway) {
    keep(context, ENDPOINT, gateway);
    return take_octet(context) % 4 != 0;
}

static void make_path(struct program *p) {
    put(p, PATH, nwi_path_evaluate(pick(p, PARAMETERS), pick(p, ENDPOINT), pick(p, ENDPOINT)));
}

static void ask_path(struct program *p) {
    nw_path_t path = pick(p, PATH);
    CHECK((nw_path_get_status(path) == nw_path_status_invalid) == (path == NULL));
    CHECK(nw_path_get_unsatisfied_reason(path) <= nw_path_unsatisfied_reason_vpn_inactive);
    CHECK(nw_path_get_link_quality(path) <= nw_link_quality_good);
    nw_path_enumerate_interfaces_f(path, p, see_interface);
    nw_path_enumerate_gateways_f(path, p, see_gateway);
    CHECK(nw_path_is_equal(path, path) == (path != NULL));
    nw_path_t other = pick(p, PATH);
    CHECK(nw_path_is_equal(path, other) == nw_path_is_equal(other, path));
    CHECK(path != NULL || !(nw_path_is_expensive(path) || nw_path_is_constrained(path) ||
                            nw_path_is_ultra_constrained(path) || nw_path_has_ipv4(path) ||
                            nw_path_has_ipv6(path) || nw_path_has_dns(path)));
    nw_path_uses_interface_type(path, (nw_interface_type_t)(take_octet(p) % 6));
    put(p, ENDPOINT, nw_path_copy_effective_local_endpoint(path));
    put(p, ENDPOINT, nw_path_copy_effective_remote_endpoint(path));
}

/* --- metadata and contexts --- */

static void use_metadata(struct program *p) {
    nw_protocol_metadata_t metadata = pick(p, METADATA);
    bool ip = nw_protocol_metadata_is_ip(metadata);
    CHECK(ip + nw_protocol_metadata_is_tcp(metadata) + nw_protocol_metadata_is_udp(metadata) +
              nw_protocol_metadata_is_tls(metadata) ==
          (metadata != NULL));
    uint8_t number = take_octet(p) % 8;
    nw_ip_metadata_set_ecn_flag(metadata, (nw_ip_ecn_flag_t)number);
    CHECK(nw_ip_metadata_get_ecn_flag(metadata) <= nw_ip_ecn_flag_ce);
    CHECK(!ip || number > 3 || nw_ip_metadata_get_ecn_flag(metadata) == number);
    nw_ip_metadata_set_service_class(metadata, (nw_service_class_t)number);
    CHECK(nw_ip_metadata_get_service_class(metadata) <= nw_service_class_signaling);
    CHECK(nw_ip_metadata_get_receive_time(metadata) == 0);
    CHECK(nw_tcp_get_available_receive_buffer(metadata) == 0);
    CHECK(nw_tcp_get_available_send_buffer(metadata) == 0);
    CHECK(nw_tcp_set_max_pacing_rate(metadata, number) != 0);
    CHECK(nw_tls_copy_sec_protocol_metadata(metadata) == NULL);
}

static nw_content_context_t pick_context(struct program *p) {
    switch (take_octet(p) % 8) {
    case 0:
        return NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT;
    case 1:
        return NW_CONNECTION_FINAL_MESSAGE_CONTEXT;
    case 2:
        return NW_CONNECTION_DEFAULT_STREAM_CONTEXT;
    default:
        return pick(p, CONTEXT);
    }
}

static void see_metadata(void *context, nw_protocol_definition_t definition,
                         nw_protocol_metadata_t metadata) {
    CHECK(definition != NULL && metadata != NULL);
    keep(context, DEFINITION, definition);
    keep(context, METADATA, metadata);
}

static void set_context(struct program *p, nw_content_context_t context) {
    double priority = (int8_t)take_octet(p) / 64.0;
    nw_content_context_set_is_final(context, take_octet(p) % 2);
    nw_content_context_set_expiration_milliseconds(context, take_number(p));
    nw_content_context_set_relative_priority(context, priority);
    nw_content_context_set_metadata_for_protocol(context, pick(p, METADATA));
    CHECK(nw_content_context_get_relative_priority(context) >= 0.0 &&
          nw_content_context_get_relative_priority(context) <= 1.0);
}

static void use_context(struct program *p) {
    char name[PROGRAM_TEXT_MAX];
    nw_content_context_t context = pick_context(p), other;
    switch (take_octet(p) % 5) {
    case 0:
        put(p, CONTEXT, nw_content_context_create(take_octet(p) == 1 ? NULL : take_text(p, name)));
        break;
    case 1:
        set_context(p, context);
        break;
    case 2: /* a ring would be a leak, and a wait without end */
        nw_content_context_set_antecedent(context, pick_context(p));
        break;
    case 3:
        other = nw_content_context_copy_antecedent(context);
        for (int i = 0; other != NULL; i++) {
            CHECK(i < 1 << 16);
            nw_content_context_t next = nw_content_context_copy_antecedent(other);
            nw_release(other);
            other = next;
        }
        break;
    default:
        put(p, METADATA, nw_content_context_copy_protocol_metadata(context, pick(p, DEFINITION)));
        nw_content_context_foreach_protocol_metadata_f(context, p, see_metadata);
        CHECK((nw_content_context_get_identifier(context) != NULL) == (context != NULL));
        nw_content_context_get_is_final(context);
        nw_content_context_get_expiration_milliseconds(context);
        break;
    }
}

/* --- content, descriptors --- */

static void make_content(struct program *p) {
    uint8_t octets[16];
    size_t size = take_octet(p) % sizeof octets;
    for (size_t i = 0; i < size; i++)
        octets[i] = take_octet(p);
    put(p, CONTENT, dispatch_data_create_f(octets, size, NULL, NULL, NULL));
}

static void use_descriptor(struct program *p) {
    char name[PROGRAM_TEXT_MAX], type[PROGRAM_TEXT_MAX], domain[PROGRAM_TEXT_MAX];
    uint8_t how = take_octet(p);
    if (how % 2 == 0) {
        const char *first = how & 2 ? NULL : take_text(p, name);
        const char *second = how & 4 ? NULL : take_text(p, type);
        put(p, DESCRIPTOR,
            nw_advertise_descriptor_create_bonjour_service(first, second,
                                                           how & 8 ? NULL : take_text(p, domain)));
    }
    nw_advertise_descriptor_t descriptor = pick(p, DESCRIPTOR);
    size_t size = (size_t)(p->end - p->at);
    nw_advertise_descriptor_set_txt_record(descriptor, how & 16 ? NULL : p->at,
                                           how & 32 ? 0 : size);
    nw_advertise_descriptor_set_no_auto_rename(descriptor, how & 64);
    CHECK(nw_advertise_descriptor_get_no_auto_rename(descriptor) ==
          (descriptor != NULL && (how & 64)));
}

/* --- references --- */

/* Another reference to the same object, by any of the names that retain and release have. */
static void share(struct program *p) {
    static void *(*const retain[])(void *) = {nw_retain, sec_retain};
    static void (*const release[])(void *) = {nw_release, sec_release};
    enum kind kind = (enum kind)(take_octet(p) % KIND_COUNT);
    void *object = pick(p, kind);
    CHECK(retain[take_octet(p) % 2](object) == object);
    if (take_octet(p) % 2)
        put(p, kind, object);
    else
        release[take_octet(p) % 2](object);
}

static void drop(struct program *p) {
    put(p, (enum kind)(take_octet(p) % KIND_COUNT), NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const steps[])(struct program *) = {
        make_endpoint,
        ask_endpoint,
        make_interface,
        make_failure,
        make_path,
        ask_path,
        make_parameters,
        switch_parameters,
        number_parameters,
        rule_parameters,
        change_stack,
        make_options,
        switch_options,
        number_options,
        use_metadata,
        use_context,
        switch_security,
        number_security,
        use_security,
        make_content,
        use_descriptor,
        share,
        drop,
    };
    struct program program = {data, data + size};
    fuzz_log_nothing();
    while (!program_ended(&program))
        steps[take_octet(&program) % (sizeof steps / sizeof steps[0])](&program);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int i = 0; i < SLOTS; i++) {
            nw_release(slots[kind][i]);
            slots[kind][i] = NULL;
        }
    return 0;
}
