/*
 * connection_report.c - nw_connection_t: the establishment report and data transfer reports.
 * What:   the first is read out of the record of establishment when asked for. Of the second each
 *         notes the counters as it begins; collected, it holds the differences.
 * Source: semantics of nw_connection_access_establishment_report, nw_data_transfer_report_*;
 *         TCP_INFO (tcp(7)) for what the kernel has counted.
 * Runs:   public calls on any thread; the rest in the protocol context; the program's functions on
 *         the queue that it names.
 * Owns:   a connection its collections. A report holds its connection, not the other way round, so
 *         that giving both up ends both.
 */
#include "front/connection_report.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/dispatch.h"
#include "establish/timeline.h"
#include "front/operation.h"
#include "model/endpoint.h"
#include "model/establishment_report.h"
#include "model/parameters.h"
#include "model/tcp_options.h"
#include "model/transfer_report.h"
#include "sys/tcp_info.h"

/* --- telling the program --- */

/* One call of a function of the program's, on a queue that it named. */
struct answer {
    struct nwi_callback callback;
    void *object; /* owned; what it gets */
};

static void give(void *context) {
    struct answer *answer = context;
    NWI_CALL(answer->callback, void, (void *), answer->object);
    nwi_callback_clear(&answer->callback);
    nwi_release(answer->object);
    nwi_free(answer);
}

/* Sends the answer that the operation carries. */
static void send_answer(struct nwi_operation *operation) {
    dispatch_async_f(operation->queue, operation->subject, give);
    dispatch_release(operation->queue);
}

/* Asks in the protocol context. Consumes `object`, which the answer brings back. */
static void ask(nw_connection_t connection, void *object, dispatch_queue_t queue,
                struct nwi_callback callback,
                void (*apply)(void *object, struct nwi_operation *operation)) {
    struct answer *answer = nwi_alloc_certain(sizeof *answer);
    *answer = (struct answer){callback, object};
    dispatch_retain(queue);
    nwi_operation_perform(&connection->context, (struct nwi_operation){.object = connection,
                                                                       .apply = apply,
                                                                       .queue = queue,
                                                                       .subject = answer});
}

static bool refuse(const void *object, const char *what, dispatch_queue_t queue,
                   struct nwi_callback *callback, const char *function) {
    bool refused = nwi_refuse_null(object, function, what) ||
                   nwi_refuse_null(queue, function, "queue") ||
                   nwi_refuse_null((const void *)(uintptr_t)callback->fn, function, "function");
    if (refused)
        nwi_callback_clear(callback);
    return refused;
}

/* --- the establishment report --- */

/* TCP connects by a handshake, UDP without. */
static nw_protocol_definition_t transport_of(nw_connection_t connection) {
    const struct nw_protocol_options *transport = connection->parameters->stack->transport;
    return transport != NULL && transport->definition == &nwi_tcp_definition ? &nwi_tcp_definition
                                                                             : NULL;
}

/* The protocol that shakes hands above the transport. */
static nw_protocol_definition_t secured_by(nw_connection_t connection) {
    const struct nw_protocol_stack *stack = connection->parameters->stack;
    return stack->application_count > 0 ? stack->applications[0]->definition : NULL;
}

static void apply_access(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    struct answer *answer = operation->subject;
    if (connection->protocol.accepted && connection->protocol.was_ready)
        answer->object = nwi_establishment_report_create(); /* nothing was established from here */
    else
        answer->object = nwi_timeline_report(connection->shared.timeline, transport_of(connection),
                                             secured_by(connection));
    send_answer(operation);
}

static void access_report(nw_connection_t connection, dispatch_queue_t queue,
                          struct nwi_callback callback, const char *function) {
    if (!refuse(connection, "connection", queue, &callback, function))
        ask(connection, NULL, queue, callback, apply_access);
}

NW_EXPORT void nw_connection_access_establishment_report(nw_connection_t connection,
                                                         dispatch_queue_t queue,
                                                         const void *access_block) {
    access_report(connection, queue, nwi_callback_block(access_block), __func__);
}

NW_EXPORT void
nw_connection_access_establishment_report_f(nw_connection_t connection, dispatch_queue_t queue,
                                            void *context,
                                            nw_establishment_report_access_f access) {
    access_report(connection, queue, nwi_callback_f(context, (nwi_fn)access), __func__);
}

/* --- counting --- */

struct counters {
    uint64_t octets_in, octets_out, messages_in, messages_out;
};

/* One report on its way. */
struct collection {
    LIST_ENTRY(collection) link;
    struct nwi_transfer *transfer; /* owned */
    bool begun;
    nwi_ns began;
    struct counters counted; /* as it began, or was made before `ready` */
    struct nwi_tcp_info tcp; /* as it began; zeros: with the connection itself */
};

struct connection_transfers {
    LIST_HEAD(, collection) collections;
    struct counters counted;
};

void nwi_connection_count_in(nw_connection_t connection, size_t size) {
    struct counters *counted = &connection->protocol.transfers->counted;
    counted->octets_in += size;
    counted->messages_in++;
}

void nwi_connection_count_out(nw_connection_t connection, size_t size, bool message) {
    struct counters *counted = &connection->protocol.transfers->counted;
    counted->octets_out += size;
    counted->messages_out += message;
}

/* --- measuring --- */

static void begin(struct collection *collection) {
    collection->begun = true;
    collection->began = nwi_now();
}

/* The kernel counts the peer's FIN as an octet received: taken off here, so that all octets are
 * content. Closed from both sides the socket does not tell of it any more, but the reader knows.
 * False: no TCP socket. */
static bool ask_kernel(nw_connection_t connection, struct nwi_tcp_info *ret_tcp) {
    struct nwi_chain *chain = connection->protocol.chain;
    if (!nwi_chain_is_stream(chain) || nwi_socket_tcp_info(nwi_chain_fd(chain), ret_tcp) != 0)
        return false;
    if (ret_tcp->octets_in > 0 && (ret_tcp->fin_in || connection->protocol.read_ended))
        ret_tcp->octets_in--;
    return true;
}

/* What the kernel counted, or where it does not, what we did: a datagram is a packet. */
static void read_transport(nw_connection_t connection, const struct collection *collection,
                           struct nwi_transfer_path *path) {
    const struct counters *now = &connection->protocol.transfers->counted;
    const struct nwi_tcp_info *then = &collection->tcp;
    struct nwi_tcp_info tcp;
    if (ask_kernel(connection, &tcp)) {
        path->packets_in = tcp.segments_in - then->segments_in;
        path->packets_out = tcp.segments_out - then->segments_out;
        path->octets_in = tcp.octets_in - then->octets_in;
        path->octets_out = tcp.octets_out - then->octets_out;
        path->octets_out_again = tcp.octets_out_again - then->octets_out_again;
        path->octets_out_of_order =
            (tcp.segments_out_of_order - then->segments_out_of_order) * tcp.segment_in;
        path->rtt = tcp.rtt;
        path->rtt_min = tcp.rtt_min;
        path->rtt_deviation = tcp.rtt_deviation;
        return;
    }
    path->octets_in = path->content_in;
    path->octets_out = path->content_out;
    if (!nwi_chain_is_stream(connection->protocol.chain)) {
        path->packets_in = now->messages_in - collection->counted.messages_in;
        path->packets_out = now->messages_out - collection->counted.messages_out;
    }
}

static bool take_interface(void *context, nw_interface_t interface) {
    struct nwi_transfer_path *path = context;
    path->interface = nwi_retain(interface);
    return false; /* the first is the one in use */
}

static void read_interface(nw_connection_t connection, struct nwi_transfer_path *path) {
    NWI_AUTO_RELEASE
    nw_path_t current = nwi_connection_create_path(connection);
    if (current != NULL)
        nw_path_enumerate_interfaces_f(current, path, take_interface);
}

/* Collects the report and forgets it. */
static void end(nw_connection_t connection, struct collection *collection) {
    struct connection_transfers *transfers = connection->protocol.transfers;
    struct nwi_transfer_path path = {0};
    bool measured = collection->begun && connection->protocol.chain != NULL;
    nwi_ns took = measured ? nwi_now() - collection->began : 0;
    if (measured) {
        path.content_in = transfers->counted.octets_in - collection->counted.octets_in;
        path.content_out = transfers->counted.octets_out - collection->counted.octets_out;
        read_transport(connection, collection, &path);
        read_interface(connection, &path);
    }
    nwi_transfer_collect(collection->transfer, took, measured ? &path : NULL);
    LIST_REMOVE(collection, link);
    nwi_release(collection->transfer);
    nwi_free(collection);
    if (LIST_EMPTY(&transfers->collections)) { /* nobody counts on us any more */
        nwi_free(transfers);
        connection->protocol.transfers = NULL;
    }
}

void nwi_connection_begin_transfers(nw_connection_t connection) {
    struct collection *collection;
    if (connection->protocol.transfers != NULL)
        LIST_FOREACH (collection, &connection->protocol.transfers->collections, link)
            begin(collection);
}

void nwi_connection_end_transfers(nw_connection_t connection) {
    while (connection->protocol.transfers != NULL)
        end(connection, LIST_FIRST(&connection->protocol.transfers->collections));
}

static void end_one(nw_connection_t connection, const struct nwi_transfer *transfer) {
    struct collection *collection;
    if (connection->protocol.transfers == NULL)
        return;
    LIST_FOREACH (collection, &connection->protocol.transfers->collections, link)
        if (collection->transfer == transfer) {
            end(connection, collection);
            return;
        }
}

/* --- the calls --- */

static void apply_begin(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    struct collection *collection = operation->subject;
    if (connection->protocol.transfers == NULL)
        connection->protocol.transfers =
            nwi_alloc_certain(sizeof *connection->protocol.transfers); /* zeros: an empty list */
    LIST_INSERT_HEAD(&connection->protocol.transfers->collections, collection, link);
    collection->counted = connection->protocol.transfers->counted;
    if (connection->protocol.cancelling) {
        end(connection, collection);
    } else if (connection->protocol.state == nw_connection_state_ready) {
        (void)ask_kernel(connection, &collection->tcp);
        begin(collection);
    }
}

static void apply_abandon(void *object, struct nwi_operation *operation) {
    end_one(object, operation->subject);
    nwi_release(operation->subject);
}

static void abandoned(void *connection_object, struct nwi_transfer *transfer) {
    nw_connection_t connection = connection_object;
    nwi_operation_perform(&connection->context,
                          (struct nwi_operation){.object = connection,
                                                 .apply = apply_abandon,
                                                 .subject = nwi_retain(transfer)});
}

NW_EXPORT nw_data_transfer_report_t
nw_connection_create_new_data_transfer_report(nw_connection_t connection) {
    if (nwi_refuse_null(connection, __func__, "connection"))
        return NULL;
    NWI_AUTO_RELEASE
    struct nwi_transfer *transfer = nwi_transfer_create();
    struct collection *collection = nwi_alloc(sizeof *collection);
    nw_data_transfer_report_t report =
        transfer != NULL && collection != NULL
            ? nwi_transfer_report_create(transfer, connection, abandoned)
            : NULL;
    if (report == NULL) {
        nwi_free(collection);
        return NULL;
    }
    collection->transfer = nwi_retain(transfer);
    nwi_operation_perform(
        &connection->context,
        (struct nwi_operation){.object = connection, .apply = apply_begin, .subject = collection});
    return report;
}

static void apply_collect(void *object, struct nwi_operation *operation) {
    struct answer *answer = operation->subject;
    nw_data_transfer_report_t report = answer->object;
    end_one(object, report->transfer);
    send_answer(operation);
}

static void collect(nw_data_transfer_report_t report, dispatch_queue_t queue,
                    struct nwi_callback callback, const char *function) {
    if (!refuse(report, "report", queue, &callback, function))
        ask(report->connection, nwi_retain(report), queue, callback, apply_collect);
}

NW_EXPORT void nw_data_transfer_report_collect(nw_data_transfer_report_t report,
                                               dispatch_queue_t queue, const void *collect_block) {
    collect(report, queue, nwi_callback_block(collect_block), __func__);
}

NW_EXPORT void nw_data_transfer_report_collect_f(nw_data_transfer_report_t report,
                                                 dispatch_queue_t queue, void *context,
                                                 nw_data_transfer_report_collected_f collected) {
    collect(report, queue, nwi_callback_f(context, (nwi_fn)collected), __func__);
}
