/*
 * rules.c - see rules.h.
 * Runs:   any thread.
 * Owns:   nothing beyond each call.
 */
#include "path/rules.h"
#include "base/log.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/parameters.h"
#include "path/monitor.h"
#include "path/settings_file.h"
#include "path/table.h"
#include "sys/address.h"
#include <stdint.h>
#include <string.h>

static const char *const verdict_texts[NWI_PATH_VERDICTS] = {
    [NWI_PATH_FITS] = "fits",
    [NWI_PATH_DOWN] = "not running, or without an address",
    [NWI_PATH_INTERFACE_REQUIRED] = "another interface is required",
    [NWI_PATH_TYPE_REQUIRED] = "another type is required",
    [NWI_PATH_INTERFACE_PROHIBITED] = "the interface is prohibited",
    [NWI_PATH_TYPE_PROHIBITED] = "its type is prohibited",
    [NWI_PATH_EXPENSIVE] = "expensive interfaces are prohibited",
    [NWI_PATH_CONSTRAINED] = "constrained interfaces are prohibited",
    [NWI_PATH_ULTRA_CONSTRAINED] = "ultra constrained interfaces are not allowed",
    [NWI_PATH_PEER_TO_PEER] = "peer-to-peer links are not included",
    [NWI_PATH_LOCAL_ENDPOINT] = "it does not hold the local address",
    [NWI_PATH_LOOPBACK] = "leads to this machine only",
};

const char *nwi_path_verdict_text(enum nwi_path_verdict verdict) {
    return verdict_texts[verdict];
}

/* --- one interface --- */

bool nwi_path_rules_weigh_costs(nw_parameters_t p) {
    return p != NULL && (p->required_type != nw_interface_type_other || p->prohibited_types != 0 ||
                         p->prohibit_expensive || p->prohibit_constrained);
}

bool nwi_path_has_rules(nw_parameters_t p) {
    return p != NULL && (p->required_interface != NULL || p->prohibited_interface_count > 0 ||
                         nwi_path_rules_weigh_costs(p));
}

static bool is_this(nw_interface_t identity, const struct nwi_path_interface *interface) {
    return identity->index == interface->link.index &&
           strcmp(identity->name, interface->link.name) == 0;
}

static bool is_prohibited(nw_parameters_t p, const struct nwi_path_interface *interface) {
    for (size_t i = 0; i < p->prohibited_interface_count; i++)
        if (is_this(p->prohibited_interfaces[i], interface))
            return true;
    return false;
}

/* Loopback leads nowhere else, so rules must ask for it before it counts as a way to others. */
static bool wants_loopback(nw_parameters_t p) {
    return p != NULL && (p->required_type == nw_interface_type_loopback ||
                         (p->required_interface != NULL &&
                          p->required_interface->type == nw_interface_type_loopback));
}

/* Wi-Fi Direct groups are named so by wpa_supplicant, whose own way to tell them apart it is. */
static bool is_peer_to_peer(const struct nwi_path_interface *interface) {
    return strncmp(interface->link.name, "p2p-", 4) == 0;
}

enum nwi_path_verdict nwi_path_judge_rules(nw_parameters_t p,
                                           const struct nwi_path_interface *interface) {
    if (interface->ultra_constrained && (p == NULL || !p->allow_ultra_constrained))
        return NWI_PATH_ULTRA_CONSTRAINED;
    if (p == NULL)
        return NWI_PATH_FITS;
    if (p->required_interface != NULL && !is_this(p->required_interface, interface))
        return NWI_PATH_INTERFACE_REQUIRED;
    if (p->required_type != nw_interface_type_other && p->required_type != interface->type)
        return NWI_PATH_TYPE_REQUIRED;
    if (is_prohibited(p, interface))
        return NWI_PATH_INTERFACE_PROHIBITED;
    if (p->prohibited_types & 1u << interface->type)
        return NWI_PATH_TYPE_PROHIBITED;
    if (p->prohibit_expensive && interface->expensive)
        return NWI_PATH_EXPENSIVE;
    if (p->prohibit_constrained && interface->constrained)
        return NWI_PATH_CONSTRAINED;
    return NWI_PATH_FITS;
}

/* The local endpoint's address, when it is one that only one place can have. */
static const struct sockaddr *local_address(nw_parameters_t p) {
    socklen_t length;
    const struct sockaddr *local =
        p != NULL ? nwi_endpoint_sockaddr(p->local_endpoint, &length) : NULL;
    bool ip = local != NULL && (local->sa_family == AF_INET || local->sa_family == AF_INET6);
    return ip && !nwi_address_is_any(local) && !nwi_address_is_loopback(local) ? local : NULL;
}

unsigned nwi_path_local_interface(const struct nwi_path_table *table, nw_parameters_t parameters) {
    const struct sockaddr *local = local_address(parameters);
    const struct nwi_path_interface *holder =
        local != NULL ? nwi_path_table_find_address(table, local) : NULL;
    return holder != NULL && holder->type != nw_interface_type_loopback ? holder->link.index : 0;
}

enum nwi_path_verdict nwi_path_judge(const struct nwi_path_table *table, nw_parameters_t parameters,
                                     const struct nwi_path_interface *interface) {
    if (!interface->usable)
        return NWI_PATH_DOWN;
    enum nwi_path_verdict verdict = nwi_path_judge_rules(parameters, interface);
    if (verdict != NWI_PATH_FITS)
        return verdict;
    unsigned holder = nwi_path_local_interface(table, parameters);
    if (holder != 0 && holder != interface->link.index)
        return NWI_PATH_LOCAL_ENDPOINT;
    if (is_peer_to_peer(interface) && parameters != NULL && !parameters->include_peer_to_peer &&
        parameters->required_interface == NULL)
        return NWI_PATH_PEER_TO_PEER;
    return interface->type == nw_interface_type_loopback && !wants_loopback(parameters)
               ? NWI_PATH_LOOPBACK
               : NWI_PATH_FITS;
}

/* --- all of them --- */

nwi_err nwi_path_choose_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                           struct nwi_path_choice *ret_choice) {
    bool ruled = nwi_path_has_rules(parameters);
    struct nwi_path_choice choice = {.denied = table->local_network_denied};
    for (size_t i = 0; i < table->interface_count; i++) {
        enum nwi_path_verdict verdict = nwi_path_judge(table, parameters, &table->interfaces[i]);
        if (verdict == NWI_PATH_ULTRA_CONSTRAINED)
            ruled = true;
        if (verdict == NWI_PATH_FITS && choice.count < NWI_PATH_CHOICES)
            choice.interfaces[choice.count++] = table->interfaces[i].link.index;
    }
    choice.free = !ruled && nwi_path_local_interface(table, parameters) == 0;
    choice.may_be_routed = !ruled && !choice.free;
    if (ruled && choice.count == 0)
        return nwi_posix(ENETDOWN);
    *ret_choice = choice;
    return 0;
}

/* Why a connection waits. */
static void log_verdicts(const struct nwi_path_table *table, nw_parameters_t parameters) {
    for (size_t i = 0; i < table->interface_count; i++)
        nwi_log(NWI_LOG_DEBUG, "path", "refused", "%s: %s", table->interfaces[i].link.name,
                nwi_path_verdict_text(nwi_path_judge(table, parameters, &table->interfaces[i])));
}

nwi_err nwi_path_choose(nw_parameters_t parameters, struct nwi_path_choice *ret_choice) {
    if (!nwi_path_has_rules(parameters) && local_address(parameters) == NULL &&
        !nwi_path_table_saw_ultra_constrained()) {
        /* The attempt itself will tell; a table costs more than a connect. */
        *ret_choice =
            (struct nwi_path_choice){.free = true, .denied = nwi_path_local_network_denied()};
        return 0;
    }
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    nwi_err err =
        table != NULL ? nwi_path_choose_in(table, parameters, ret_choice) : nwi_posix(ENETDOWN);
    if (err != 0 && table != NULL && nwi_log_enabled(NWI_LOG_DEBUG))
        log_verdicts(table, parameters);
    return err;
}

nwi_err nwi_path_allows_itself_in(const struct nwi_path_table *table, nw_parameters_t parameters) {
    for (size_t i = 0; i < table->interface_count; i++) {
        const struct nwi_path_interface *interface = &table->interfaces[i];
        if (interface->usable && interface->type == nw_interface_type_loopback &&
            nwi_path_judge_rules(parameters, interface) == NWI_PATH_FITS)
            return 0;
    }
    return nwi_posix(ENETDOWN);
}

nwi_err nwi_path_allows_itself(nw_parameters_t parameters) {
    if (!nwi_path_has_rules(parameters))
        return 0;
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    return table != NULL ? nwi_path_allows_itself_in(table, parameters) : nwi_posix(ENETDOWN);
}

/* --- listening --- */

nwi_err nwi_path_allows_listening(nw_parameters_t parameters) {
    struct nwi_path_choice choice;
    if (local_address(parameters) != NULL && nwi_path_local_network_denied())
        return nwi_posix(ENETDOWN);
    if (!nwi_path_has_rules(parameters) || nwi_path_allows_itself(parameters) == 0)
        return 0;
    return nwi_path_choose(parameters, &choice);
}

bool nwi_path_allows_arrival(nw_parameters_t parameters, unsigned index) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    const struct nwi_path_interface *interface =
        table != NULL ? nwi_path_table_find(table, index) : NULL;
    return interface != NULL && nwi_path_judge_rules(parameters, interface) == NWI_PATH_FITS;
}

unsigned nwi_path_holder(const struct sockaddr *address) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    const struct nwi_path_interface *interface =
        table != NULL ? nwi_path_table_find_address(table, address) : NULL;
    return interface != NULL ? interface->link.index : 0;
}

/* --- why not --- */

static bool is_vpn(const struct nwi_link *link) {
    static const char *const kinds[] = {"tun", "wireguard", "ovpn", "vti", "vti6", "xfrm", "ppp"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(link->kind, kinds[i]) == 0)
            return true;
    return false;
}

/* A prohibition that takes away what would have served, not a requirement of something else. */
static bool is_denial(enum nwi_path_verdict verdict) {
    return verdict == NWI_PATH_INTERFACE_PROHIBITED || verdict == NWI_PATH_TYPE_PROHIBITED ||
           verdict == NWI_PATH_EXPENSIVE || verdict == NWI_PATH_CONSTRAINED ||
           verdict == NWI_PATH_ULTRA_CONSTRAINED;
}

nw_path_unsatisfied_reason_t nwi_path_reason(const struct nwi_path_table *table,
                                             nw_parameters_t parameters) {
    for (size_t i = 0; i < table->interface_count; i++) {
        const struct nwi_path_interface *interface = &table->interfaces[i];
        enum nwi_path_verdict verdict = nwi_path_judge(table, parameters, interface);
        if (verdict == NWI_PATH_DOWN && parameters != NULL &&
            parameters->required_interface != NULL && is_vpn(&interface->link) &&
            is_this(parameters->required_interface, interface))
            return nw_path_unsatisfied_reason_vpn_inactive;
        if (is_denial(verdict) && interface->type == nw_interface_type_cellular)
            return nw_path_unsatisfied_reason_cellular_denied;
        if (is_denial(verdict) && interface->type == nw_interface_type_wifi)
            return nw_path_unsatisfied_reason_wifi_denied;
    }
    return nw_path_unsatisfied_reason_not_available;
}

/* --- the local network --- */

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits) {
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

static const uint8_t *octets_of(const struct sockaddr *address) {
    return address->sa_family == AF_INET
               ? (const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
               : (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
}

static bool is_on_link(const struct nwi_path_table *table, const struct sockaddr *address) {
    for (size_t i = 0; i < table->address_count; i++) {
        const struct nwi_link_address *own = &table->addresses[i];
        const struct nwi_path_interface *interface = nwi_path_table_find(table, own->index);
        if (own->address.ss_family != address->sa_family || interface == NULL ||
            interface->type == nw_interface_type_cellular ||
            interface->link.flags & (IFF_LOOPBACK | IFF_POINTOPOINT))
            continue;
        if (same_prefix(octets_of((const struct sockaddr *)&own->address), octets_of(address),
                        own->prefix_length))
            return true;
    }
    return false;
}

/* Multicast of both families, and the broadcast address of every link. */
static bool is_to_many(const struct sockaddr *address) {
    const uint8_t *octets = octets_of(address);
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    return address->sa_family == AF_INET6
               ? octets[0] == 0xff
               : (octets[0] & 0xf0) == 0xe0 || memcmp(octets, broadcast, sizeof broadcast) == 0;
}

bool nwi_path_is_local_network(const struct nwi_path_table *table, const struct sockaddr *address) {
    struct sockaddr_storage plain = {0};
    socklen_t length = nwi_address_length(address->sa_family);
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return false;
    memcpy(&plain, address, length);
    nwi_address_unmap(&plain, &length);
    address = (const struct sockaddr *)&plain;
    if (nwi_address_is_loopback(address))
        return false;
    if (is_to_many(address))
        return true;
    return nwi_path_table_find_address(table, address) == NULL &&
           (nwi_address_is_link_local(address) || is_on_link(table, address));
}

bool nwi_path_is_on_local_network(const struct sockaddr *address) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    return table == NULL || nwi_path_is_local_network(table, address);
}
