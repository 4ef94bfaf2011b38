/*
 * connection.h - a two-way flow of content between this program and one endpoint.
 * Create it, give it a queue and handlers, start it. All handlers and completions of one connection
 * run on its queue, one at a time and in order, never inside the call that caused them. A started
 * connection keeps itself alive until it has been cancelled or has failed and its last handler has
 * run.
 */
#ifndef NETWORK_CONNECTION_H
#define NETWORK_CONNECTION_H

#include <Network/content_context.h>
#include <Network/endpoint.h>
#include <Network/error.h>
#include <Network/nw_object.h>
#include <Network/parameters.h>
#include <Network/path.h>
#include <dispatch/dispatch.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_connection);

/** The life of a connection. */
typedef enum {
    nw_connection_state_invalid = 0, /* never delivered */
    nw_connection_state_waiting =
        1, /* no way to connect now; tries again when the network changes */
    nw_connection_state_preparing = 2, /* resolving, connecting, shaking hands */
    nw_connection_state_ready = 3,     /* established */
    nw_connection_state_failed = 4,    /* an end: lost, or the set-up cannot work */
    nw_connection_state_cancelled =
        5, /* the end after nw_connection_cancel(); the last call back */
} nw_connection_state_t;

/**
 * Creates a connection to an endpoint. Both arguments are needed; the parameters are copied.
 * Returns a reference, or NULL when an argument is NULL or memory ran out. Nothing happens before
 * nw_connection_start().
 */
NW_EXPORT nw_connection_t nw_connection_create(nw_endpoint_t endpoint, nw_parameters_t parameters);

/** A reference to the endpoint that the connection was created with (a listener's: the peer's). */
NW_EXPORT nw_endpoint_t nw_connection_copy_endpoint(nw_connection_t connection);

/** A reference to a copy of the connection's parameters. */
NW_EXPORT nw_parameters_t nw_connection_copy_parameters(nw_connection_t connection);

/** Gets each new state, and with waiting and failed the reason (lent), else NULL. */
typedef void (*nw_connection_state_changed_handler_f)(void *context, nw_connection_state_t state,
                                                      nw_error_t error);
#ifdef __BLOCKS__
typedef void (^nw_connection_state_changed_handler_t)(nw_connection_state_t state,
                                                      nw_error_t error);
/** Sets the state handler, before start; NULL removes it. */
NW_EXPORT void
nw_connection_set_state_changed_handler(nw_connection_t connection,
                                        nw_connection_state_changed_handler_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_connection_set_state_changed_handler_f(nw_connection_t connection, void *context,
                                          nw_connection_state_changed_handler_f handler);

/** Gets one yes-or-no event. */
typedef void (*nw_connection_boolean_event_handler_f)(void *context, bool value);
#ifdef __BLOCKS__
typedef void (^nw_connection_boolean_event_handler_t)(bool value);
/** Sets a handler told whether the connection's path still carries data; NULL removes it. */
NW_EXPORT void
nw_connection_set_viability_changed_handler(nw_connection_t connection,
                                            nw_connection_boolean_event_handler_t handler);
/** Sets a handler told when a preferred path exists (true) or is gone (false); NULL removes it. */
NW_EXPORT void
nw_connection_set_better_path_available_handler(nw_connection_t connection,
                                                nw_connection_boolean_event_handler_t handler);
#endif
/** Function form of nw_connection_set_viability_changed_handler(). */
NW_EXPORT void
nw_connection_set_viability_changed_handler_f(nw_connection_t connection, void *context,
                                              nw_connection_boolean_event_handler_f handler);
/** Function form of nw_connection_set_better_path_available_handler(). */
NW_EXPORT void
nw_connection_set_better_path_available_handler_f(nw_connection_t connection, void *context,
                                                  nw_connection_boolean_event_handler_f handler);

/** Gets the connection's path, lent. */
typedef void (*nw_connection_path_event_handler_f)(void *context, nw_path_t path);
#ifdef __BLOCKS__
typedef void (^nw_connection_path_event_handler_t)(nw_path_t path);
/** Sets a handler told the path, at first and on each change; NULL removes it. */
NW_EXPORT void nw_connection_set_path_changed_handler(nw_connection_t connection,
                                                      nw_connection_path_event_handler_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void nw_connection_set_path_changed_handler_f(nw_connection_t connection, void *context,
                                                        nw_connection_path_event_handler_f handler);

/** Sets the queue that all handlers run on. Needed before nw_connection_start(). */
NW_EXPORT void nw_connection_set_queue(nw_connection_t connection, dispatch_queue_t queue);

/** Starts the connection. A second call is ignored. */
NW_EXPORT void nw_connection_start(nw_connection_t connection);

/** Tries again at once. Acts in the waiting state only. */
NW_EXPORT void nw_connection_restart(nw_connection_t connection);

/**
 * Ends the connection in order (what was handed to the kernel is still sent). Outstanding sends and
 * receives complete with ECANCELED, then the state becomes cancelled. May be called repeatedly.
 */
NW_EXPORT void nw_connection_cancel(nw_connection_t connection);

/** The same without waiting for the protocols to say goodbye. */
NW_EXPORT void nw_connection_force_cancel(nw_connection_t connection);

/** Gives up the address in use, or being tried, and goes on to the endpoint's next one. */
NW_EXPORT void nw_connection_cancel_current_endpoint(nw_connection_t connection);

/**
 * Gets what one receive asked for. content: NULL when only an end or an error is reported.
 * content_context: the message it belongs to. is_complete: this was the last of the message (with a
 * final context: of the stream). error: NULL, or why no more comes; content beside it is still
 * good. All arguments are lent.
 */
typedef void (*nw_connection_receive_completion_f)(void *context, dispatch_data_t content,
                                                   nw_content_context_t content_context,
                                                   bool is_complete, nw_error_t error);
#ifdef __BLOCKS__
typedef void (^nw_connection_receive_completion_t)(dispatch_data_t content,
                                                   nw_content_context_t context, bool is_complete,
                                                   nw_error_t error);
/**
 * Asks for content once, in order with other receives. Completes with at least
 * minimum_incomplete_length octets unless the message or the connection ends before, and never with
 * more than maximum_length.
 */
NW_EXPORT void nw_connection_receive(nw_connection_t connection, uint32_t minimum_incomplete_length,
                                     uint32_t maximum_length,
                                     nw_connection_receive_completion_t completion);
/** Asks for one whole message: a datagram, or on a stream everything up to its end. */
NW_EXPORT void nw_connection_receive_message(nw_connection_t connection,
                                             nw_connection_receive_completion_t completion);
#endif
/** Function form of nw_connection_receive(). */
NW_EXPORT void nw_connection_receive_f(nw_connection_t connection,
                                       uint32_t minimum_incomplete_length, uint32_t maximum_length,
                                       void *context,
                                       nw_connection_receive_completion_f completion);
/** Function form of nw_connection_receive_message(). */
NW_EXPORT void nw_connection_receive_message_f(nw_connection_t connection, void *context,
                                               nw_connection_receive_completion_f completion);

/** Gets NULL when the content was handed to the protocols below, else why it was not (lent). */
typedef void (*nw_connection_send_completion_f)(void *context, nw_error_t error);

/**
 * Never called: passed by address as the completion, it says that nobody needs to be told and that
 * the content may be sent more than once without harm.
 */
NW_EXPORT void nw_connection_send_idempotent_content_f(void *context, nw_error_t error);
#define NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F (nw_connection_send_idempotent_content_f)

#ifdef __BLOCKS__
typedef void (^nw_connection_send_completion_t)(nw_error_t error);

#define NW_CONNECTION_SEND_TYPE_DECL(name)                                                         \
    NW_EXPORT extern const nw_connection_send_completion_t _nw_connection_send_##name
NW_CONNECTION_SEND_TYPE_DECL(idempotent_content);
#define NW_CONNECTION_SEND_IDEMPOTENT_CONTENT (_nw_connection_send_idempotent_content)
#else
#define NW_CONNECTION_SEND_IDEMPOTENT_CONTENT NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F
#endif

#define NW_CONTENT_CONTEXT_TYPE_DECL(name)                                                         \
    NW_EXPORT extern const nw_content_context_t _nw_content_context_##name
NW_CONTENT_CONTEXT_TYPE_DECL(default_message);
NW_CONTENT_CONTEXT_TYPE_DECL(final_send);
NW_CONTENT_CONTEXT_TYPE_DECL(default_stream);

/** An ordinary message; its completion does not end a stream. */
#define NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT (_nw_content_context_default_message)
/** The last message: when it is complete, this side of the connection closes. */
#define NW_CONNECTION_FINAL_MESSAGE_CONTEXT (_nw_content_context_final_send)
/** The connection as one stream of octets: is_complete with it closes this side. */
#define NW_CONNECTION_DEFAULT_STREAM_CONTEXT (_nw_content_context_default_stream)

#ifdef __BLOCKS__
/**
 * Sends content, which is retained, not copied; NULL when only the end of the message is to be
 * said. context: the message it belongs to. is_complete: this was the last of it. completion:
 * called once, or NW_CONNECTION_SEND_IDEMPOTENT_CONTENT. May be called before the connection is
 * ready: it then waits.
 */
NW_EXPORT void nw_connection_send(nw_connection_t connection, dispatch_data_t content,
                                  nw_content_context_t context, bool is_complete,
                                  nw_connection_send_completion_t completion);
/** Runs the block at once; the sends and receives made in it are taken together when it returns. */
NW_EXPORT void nw_connection_batch(nw_connection_t connection, dispatch_block_t batch_block);
#endif
/** Function form of nw_connection_send(). */
NW_EXPORT void nw_connection_send_f(nw_connection_t connection, dispatch_data_t content,
                                    nw_content_context_t content_context, bool is_complete,
                                    void *context, nw_connection_send_completion_f completion);
/** Function form of nw_connection_batch(). */
NW_EXPORT void nw_connection_batch_f(nw_connection_t connection, void *context,
                                     dispatch_function_t batch);

/** The connection as one line for the log. The caller frees it. NULL for NULL. */
NW_EXPORT char *nw_connection_copy_description(nw_connection_t connection);

/** A reference to the connection's path, or NULL before it has one. */
NW_EXPORT nw_path_t nw_connection_copy_current_path(nw_connection_t connection);

/** A reference to the connection's metadata of one protocol, or NULL when it has none (yet). */
NW_EXPORT nw_protocol_metadata_t nw_connection_copy_protocol_metadata(
    nw_connection_t connection, nw_protocol_definition_t definition);

/** Octets that fit in one datagram on the current path; 0 when not ready. */
NW_EXPORT uint32_t nw_connection_get_maximum_datagram_size(nw_connection_t connection);

NW_EXTERN_C_END

#endif
