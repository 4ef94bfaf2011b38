/*
 * path_explanation.c - explanations of paths, for the program that asks.
 * What:   gathers them: the table, the name's addresses, the way to each. A name is looked up in a
 *         serial context of the request's own.
 * Source: <Network/path_explanation.h>.
 * Runs:   create: in the caller's thread. Explain: the request's context, then the client's queue.
 * Owns:   a request: parameters, endpoint, queue, handler, the lookup.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/dispatch.h"
#include "dispatch/serial.h"
#include "establish/race.h"
#include "establish/ways.h"
#include "model/endpoint.h"
#include "model/ip_options.h"
#include "model/parameters.h"
#include "path/explain.h"
#include "path/monitor.h"
#include "path/rules.h"
#include "resolver/resolver.h"
#include "sys/address.h"
#include <strings.h>

/* --- the parts --- */

static int ip_version(nw_parameters_t parameters) {
    const struct nwi_ip_options *ip =
        parameters != NULL ? nwi_ip_options(parameters->stack->internet) : NULL;
    return ip != NULL ? (int)ip->version : 0;
}

static bool is_of_version(const struct sockaddr *address, int version) {
    return version == 0 || address->sa_family == (version == 6 ? AF_INET6 : AF_INET);
}

/* +1, or NULL when memory ran out. An unreadable network is shown as an empty one. `lookup_err`:
 * why a name has no addresses. */
static nw_path_explanation_t gather(nw_parameters_t parameters,
                                    const struct sockaddr_storage *addresses, size_t count,
                                    bool itself, nwi_err lookup_err) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    if (table == NULL)
        table = nwi_path_table_create(&(struct nwi_path_records){0});
    nw_path_explanation_t whole = table != NULL ? nwi_path_explain_in(table, parameters) : NULL;
    if (whole == NULL)
        return NULL;
    if (count > 0 && nwi_ways_add(whole, table, parameters, addresses, count, itself) != 0)
        return nwi_release(whole);
    if (count == 0)
        whole->err = lookup_err;
    return whole;
}

static nw_path_explanation_t gather_address(nw_parameters_t parameters,
                                            const struct sockaddr *address, socklen_t length) {
    struct sockaddr_storage one = {0};
    memcpy(&one, address, length);
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return gather(parameters, NULL, 0, true, 0); /* a local socket: no network, no way */
    if (!is_of_version(address, ip_version(parameters)))
        return gather(parameters, NULL, 0, false, nwi_posix(EAFNOSUPPORT));
    return gather(parameters, &one, 1, nwi_address_is_loopback(address), 0);
}

NW_EXPORT nw_path_explanation_t nw_path_explanation_create(nw_parameters_t parameters,
                                                           nw_endpoint_t endpoint) {
    socklen_t length = 0;
    if (endpoint == NULL)
        return gather(parameters, NULL, 0, false, 0);
    const struct sockaddr *address = nwi_endpoint_sockaddr(endpoint, &length);
    if (address == NULL) {
        nwi_log_misuse(__func__, "the endpoint is no address: use nw_path_explain()");
        return NULL;
    }
    return gather_address(parameters, address, length);
}

/* --- with a lookup --- */

struct request {
    struct nwi_object base;
    struct nwi_serial serial;
    nw_parameters_t parameters; /* owned; may be NULL */
    nw_endpoint_t endpoint;     /* owned */
    dispatch_queue_t queue;     /* owned */
    struct nwi_callback handler;
    struct nwi_resolution *resolution; /* owned */
    struct nwi_task begin, finish;     /* to the context, to the queue: a reference each */
    nw_path_explanation_t result;      /* owned */
    nwi_err err;                       /* of the lookup: the first that says more than "none" */
    size_t count;
    struct sockaddr_storage addresses[NWI_RACE_CAPACITY];
};

static void destroy_request(void *object) {
    struct request *request = object;
    nwi_release(request->parameters);
    nwi_release(request->endpoint);
    nwi_release(request->result);
    dispatch_release(request->queue);
    nwi_callback_clear(&request->handler);
}

static const struct nwi_type request_type = {
    .name = "path explanation request", .size = sizeof(struct request), .destroy = destroy_request};

static void run_handler(struct nwi_task *task) {
    struct request *request = nwi_container_of(task, struct request, finish);
    NWI_CALL(request->handler, void, (nw_path_explanation_t), request->result);
    nwi_release(request);
}

/* In the context; its reference goes to the queue. */
static void deliver(struct request *request, nw_path_explanation_t result) {
    request->result = result;
    request->resolution = nwi_resolve_cancel(request->resolution);
    nwi_queue_push(request->queue, &request->finish);
}

/* A name that always means this machine: RFC 6761 section 6.3. */
static bool means_itself(const char *name) {
    return strcasecmp(name, "localhost") == 0;
}

static void answered(void *context, const struct nwi_resolve_answer *answer) {
    struct request *request = context;
    bool none = answer->err == nwi_dns(NWI_DNS_NO_SUCH_RECORD);
    if (answer->err != 0 && (request->err == 0 || !none))
        request->err = answer->err;
    for (size_t i = 0; i < answer->count && request->count < NWI_RACE_CAPACITY; i++)
        request->addresses[request->count++] = answer->addresses[i].address;
    if (answer->last)
        deliver(request,
                gather(request->parameters, request->addresses, request->count,
                       means_itself(nw_endpoint_get_hostname(request->endpoint)), request->err));
}

static void begin(struct nwi_task *task) {
    struct request *request = nwi_container_of(task, struct request, begin);
    socklen_t length;
    const struct sockaddr *address = nwi_endpoint_sockaddr(request->endpoint, &length);
    const char *name = nw_endpoint_get_hostname(request->endpoint);
    if (address != NULL) {
        deliver(request, gather_address(request->parameters, address, length));
        return;
    }
    if (name == NULL) {
        deliver(request, gather(request->parameters, NULL, 0, false, nwi_posix(ENOTSUP)));
        return;
    }
    struct nwi_resolve_options options = {.family = ip_version(request->parameters),
                                          .port = nw_endpoint_get_port(request->endpoint)};
    struct nwi_path_choice choice;
    if (nwi_path_choose(request->parameters, &choice) == 0 && choice.count > 0)
        options.interface_index = choice.interfaces[0]; /* an error is told by the ways */
    request->resolution = nwi_resolve_start(name, &options, &request->serial, answered, request);
    if (request->resolution == NULL)
        deliver(request, NULL);
}

/* Consumes the callback. */
static void explain(nw_parameters_t parameters, nw_endpoint_t endpoint, dispatch_queue_t queue,
                    struct nwi_callback callback, const char *function) {
    if (endpoint == NULL || queue == NULL || callback.fn == NULL) {
        nwi_log_misuse(function, "an argument is NULL");
        nwi_callback_clear(&callback);
        return;
    }
    struct request *request;
    while ((request = nwi_object_create(&request_type, 0)) == NULL)
        nwi_alloc_wait("an explanation"); /* a handler that is never called is worse */
    nwi_serial_init(&request->serial, NULL, request);
    request->endpoint = nwi_retain(endpoint);
    request->queue = queue;
    dispatch_retain(queue);
    request->handler = callback;
    request->begin.run = begin;
    request->finish.run = run_handler;
    if (parameters != NULL)
        while ((request->parameters = nwi_parameters_copy_for_connection(parameters)) == NULL)
            nwi_alloc_wait("parameters");
    nwi_serial_push(&request->serial, &request->begin);
}

NW_EXPORT void nw_path_explain_f(nw_parameters_t parameters, nw_endpoint_t endpoint,
                                 dispatch_queue_t queue, void *context,
                                 nw_path_explain_handler_f handler) {
    explain(parameters, endpoint, queue, nwi_callback_f(context, (nwi_fn)handler), __func__);
}

NW_EXPORT void nw_path_explain(nw_parameters_t parameters, nw_endpoint_t endpoint,
                               dispatch_queue_t queue, const void *handler) {
    explain(parameters, endpoint, queue, nwi_callback_block(handler), __func__);
}
