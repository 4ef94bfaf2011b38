/*
 * connection_early.c - fast open: the content that goes before the connection is ready.
 * What:   where parameters enable it, establishment waits for content that the program declares to
 *         be idempotent, and each attempt may send the beginning of it with its first packet.
 * Source: nw_parameters_set_fast_open_enabled and NW_CONNECTION_SEND_IDEMPOTENT_CONTENT as
 *         documented; RFC 7413 section 4.2.
 * Runs:   in the protocol context.
 */
#include "front/connection.h"
#include "model/content_context.h"
#include "model/parameters.h"
#include "model/tcp_options.h"

static bool is_enabled(nw_connection_t connection) {
    const struct nw_protocol_stack *stack = connection->parameters->stack;
    return connection->parameters->fast_open_enabled && !connection->protocol.accepted &&
           stack->transport != NULL && stack->transport->definition == &nwi_tcp_definition;
}

bool nwi_connection_awaits_early(nw_connection_t connection) {
    const struct connection_send *send;
    if (!is_enabled(connection))
        return false;
    TAILQ_FOREACH (send, &connection->protocol.sends, link)
        if (send->idempotent)
            return false;
    return true;
}

/* Only the very first content can go first. What may expire or depends on other content may still
 * be taken back, which is too late once it is on the wire. */
dispatch_data_t nwi_connection_early_content(nw_connection_t connection) {
    const struct connection_send *first = TAILQ_FIRST(&connection->protocol.sends);
    return is_enabled(connection) && first != NULL && first->idempotent &&
                   first->expires == NWI_NEVER && first->base.context->antecedent == NULL
               ? first->base.content
               : NULL;
}
