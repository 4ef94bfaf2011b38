/*
 * connection_description.c - a connection in one line, for logs.
 * What:   name, endpoint, protocols from the top down, state; then both ends and the interface of a
 *         connection that stands, or what is the matter with the network of one that does not.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "front/connection.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/parameters.h"
#include "model/path.h"
#include <stdio.h>

static void append(char *text, size_t size, const char *more) {
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s", more);
}

/* "tls/tcp/ipv6"; the version only where one address says which it is. */
static void protocols(const struct nw_protocol_stack *stack, const struct sockaddr *remote,
                      char *text, size_t size) {
    *text = '\0';
    for (size_t i = 0; i < stack->application_count; i++) {
        append(text, size, stack->applications[i]->definition->name);
        append(text, size, "/");
    }
    if (stack->transport != NULL) {
        append(text, size, stack->transport->definition->name);
        append(text, size, "/");
    }
    int family = remote != NULL ? remote->sa_family : AF_UNSPEC;
    append(text, size,
           family == AF_INET    ? "ipv4"
           : family == AF_INET6 ? "ipv6"
           : family == AF_UNIX  ? "unix"
                                : "ip");
}

static const char *reason(nw_path_unsatisfied_reason_t reason) {
    static const char *const texts[] = {
        [nw_path_unsatisfied_reason_not_available] = "no path",
        [nw_path_unsatisfied_reason_cellular_denied] = "no path: cellular is denied",
        [nw_path_unsatisfied_reason_wifi_denied] = "no path: Wi-Fi is denied",
        [nw_path_unsatisfied_reason_local_network_denied] = "no path: the local network is denied",
        [nw_path_unsatisfied_reason_vpn_inactive] = "no path: the VPN is down",
    };
    return (unsigned)reason < sizeof texts / sizeof texts[0] ? texts[reason] : texts[0];
}

/* Where it runs; a path has a remote end once the connection stands. */
static void place(nw_path_t path, char *text, size_t size) {
    char here[NWI_ENDPOINT_TEXT_SIZE], there[NWI_ENDPOINT_TEXT_SIZE];
    const struct nwi_path_facts *facts = path != NULL ? &path->facts : NULL;
    *text = '\0';
    if (facts != NULL && facts->remote != NULL) {
        snprintf(text, size, ", %s -> %s", nwi_endpoint_text(facts->local, here, sizeof here),
                 nwi_endpoint_text(facts->remote, there, sizeof there));
        if (facts->interface_count > 0) {
            append(text, size, " by ");
            append(text, size, facts->interfaces[0]->name);
        }
    } else if (facts != NULL && facts->status == nw_path_status_unsatisfied) {
        append(text, size, ", ");
        append(text, size, reason(facts->reason));
    }
}

char *nw_connection_copy_description(nw_connection_t connection) {
    enum { NAMES_SIZE = 128, PLACE_SIZE = 2 * NWI_ENDPOINT_TEXT_SIZE + 64 };
    char endpoint[NWI_ENDPOINT_TEXT_SIZE], names[NAMES_SIZE], where[PLACE_SIZE];
    if (connection == NULL) {
        nwi_log_misuse(__func__, "connection is NULL");
        return NULL;
    }
    nw_connection_state_t state = nwi_connection_state(connection);
    bool over = state == nw_connection_state_cancelled || state == nw_connection_state_failed;
    NWI_AUTO_RELEASE
    nw_path_t path = over ? NULL : nwi_connection_create_path(connection);
    nw_endpoint_t remote = path != NULL ? path->facts.remote : NULL;
    socklen_t length;
    nw_endpoint_t known = remote != NULL ? remote : connection->endpoint;
    protocols(connection->parameters->stack,
              nwi_endpoint_is_resolved(known) ? nwi_endpoint_sockaddr(known, &length) : NULL, names,
              sizeof names);
    place(path, where, sizeof where);
    return nwi_asprintf("[C%u %s %s, %s%s]", connection->id,
                        nwi_endpoint_text(connection->endpoint, endpoint, sizeof endpoint), names,
                        nwi_connection_state_name(state), where);
}
