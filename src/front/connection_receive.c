/*
 * connection_receive.c - nw_connection_receive: matching what arrives with who asked for it.
 * What:   receives are answered in order, each with its own octets. A pending receive is the
 *         window: the chain reads for it and for nothing else, so a slow reader holds the peer
 *         back.
 * Source: nw_connection_receive and nw_connection_receive_message as documented.
 * Runs:   public calls on any thread; the rest in the protocol context; completions on the client
 *         queue.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "front/connection_report.h"
#include "model/content_context.h"
#include "model/error.h"
#include "model/tls_options.h"

static void answered(struct nwi_task *task) { /* on the client queue */
    struct connection_receive *receive = nwi_container_of(task, struct connection_receive, task);
    nw_error_t error = receive->err != 0 ? nwi_error_create(receive->err) : NULL;
    NWI_CALL(receive->completion, void, (dispatch_data_t, nw_content_context_t, bool, nw_error_t),
             receive->content, receive->context, receive->complete, error);
    nwi_release(error);
    if (receive->content != NULL)
        dispatch_release(receive->content);
    nwi_release(receive->context);
    nwi_callback_clear(&receive->completion);
    nwi_free(receive);
}

/* Ends the receive; it has been taken off the list. */
static void answer(struct connection_receive *receive) {
    receive->task.run = answered;
    nwi_outlet_give(&receive->connection->outlet, &receive->task);
}

void nwi_connection_drop_pieces(nw_connection_t connection) {
    struct connection_piece *piece;
    while ((piece = STAILQ_FIRST(&connection->protocol.pieces)) != NULL) {
        STAILQ_REMOVE_HEAD(&connection->protocol.pieces, link);
        nwi_input_drop(&piece->input);
        nwi_free(piece);
    }
    connection->protocol.held = 0;
}

/* What has been read must not be lost for want of memory, and cannot be read again: both wait. */
static dispatch_data_t part_of(dispatch_data_t content, size_t offset, size_t size) {
    dispatch_data_t part;
    while ((part = dispatch_data_create_subrange(content, offset, size)) == NULL)
        nwi_alloc_wait("a part of what was received");
    return part;
}
static dispatch_data_t join(dispatch_data_t first, dispatch_data_t second) {
    dispatch_data_t joined;
    while ((joined = dispatch_data_create_concat(first, second)) == NULL)
        nwi_alloc_wait("what was received");
    dispatch_release(first);
    dispatch_release(second);
    return joined;
}

/* Takes up to `max` octets off the first piece; the piece goes when it is empty. */
static dispatch_data_t take_from_piece(nw_connection_t connection, struct connection_piece *piece,
                                       size_t max) {
    dispatch_data_t content = piece->input.content;
    size_t size = content != NULL ? dispatch_data_get_size(content) : 0;
    if (size <= max) {
        STAILQ_REMOVE_HEAD(&connection->protocol.pieces, link);
        connection->protocol.held -= size;
        nwi_release(piece->input.context);
        nwi_free(piece);
        return content;
    }
    dispatch_data_t head = part_of(content, 0, max);
    piece->input.content = part_of(content, max, size - max);
    dispatch_release(content);
    connection->protocol.held -= max;
    return head;
}

/* Up to `max` octets of the stream. */
static dispatch_data_t take_octets(nw_connection_t connection, size_t max) {
    dispatch_data_t all = NULL;
    struct connection_piece *piece;
    while (max > 0 && (piece = STAILQ_FIRST(&connection->protocol.pieces)) != NULL) {
        dispatch_data_t part = take_from_piece(connection, piece, max);
        if (part == NULL)
            continue;
        max -= dispatch_data_get_size(part);
        all = all != NULL ? join(all, part) : part;
    }
    return all;
}

static bool satisfy_from_stream(nw_connection_t connection, struct connection_receive *receive) {
    size_t held = connection->protocol.held;
    size_t min = receive->whole ? SIZE_MAX : receive->min;
    if (held == 0 && connection->protocol.end_told) {
        receive->err = nwi_posix(ENODATA); /* the end has been told: nothing can follow it */
        return true;
    }
    if (held < min && !connection->protocol.read_ended)
        return false;
    receive->content = take_octets(connection, receive->whole ? SIZE_MAX : receive->max);
    receive->context = nwi_retain(connection->protocol.stream_context);
    receive->complete = connection->protocol.read_ended && connection->protocol.held == 0;
    if (receive->complete)
        connection->protocol.end_told = true;
    return true;
}

/* Each message has its own context; what does not fit stays for the next receive. */
static bool satisfy_from_messages(nw_connection_t connection, struct connection_receive *receive) {
    struct connection_piece *piece = STAILQ_FIRST(&connection->protocol.pieces);
    if (piece == NULL) {
        if (!connection->protocol.read_ended)
            return false;
        receive->err = nwi_posix(ENODATA);
        return true;
    }
    size_t size = piece->input.content != NULL ? dispatch_data_get_size(piece->input.content) : 0;
    size_t max = receive->whole ? SIZE_MAX : receive->max;
    receive->context = nwi_retain(piece->input.context);
    receive->complete = size <= max && piece->input.complete;
    receive->content = take_from_piece(connection, piece, max);
    return true;
}

static bool satisfy(nw_connection_t connection, struct connection_receive *receive) {
    return nwi_chain_is_stream(connection->protocol.chain)
               ? satisfy_from_stream(connection, receive)
               : satisfy_from_messages(connection, receive);
}

/* How much the first receive still lacks: what the chain may read. */
static size_t lacking(nw_connection_t connection, const struct connection_receive *receive) {
    enum { WHOLE_STEP = 256 * 1024 }; /* receive_message on a stream takes all, in steps of this */
    if (receive->whole)
        return WHOLE_STEP;
    return receive->max > connection->protocol.held ? receive->max - connection->protocol.held : 0;
}

void nwi_connection_pump_receives(nw_connection_t connection) {
    if (connection->protocol.pumping_receives) {
        connection->protocol.pump_again = true;
        return;
    }
    if (connection->protocol.batch != 0)
        return;
    connection->protocol.pumping_receives = true;
    struct connection_receive *receive;
    do {
        connection->protocol.pump_again = false;
        while (connection->protocol.chain != NULL &&
               connection->protocol.state == nw_connection_state_ready &&
               (receive = STAILQ_FIRST(&connection->protocol.receives)) != NULL) {
            if (satisfy(connection, receive)) {
                STAILQ_REMOVE_HEAD(&connection->protocol.receives, link);
                answer(receive);
                continue;
            }
            if (connection->protocol.failure == 0)
                nwi_chain_window(connection->protocol.chain, lacking(connection, receive));
            break; /* what the chain had at once has come through nwi_connection_input: look again
                    */
        }
    } while (connection->protocol.pump_again);
    connection->protocol.pumping_receives = false;
    if (connection->protocol.failure != 0 &&
        (connection->protocol.held == 0 || !STAILQ_EMPTY(&connection->protocol.receives)))
        nwi_connection_fail(connection, connection->protocol.failure);
    if (connection->protocol.chain != NULL && STAILQ_EMPTY(&connection->protocol.receives))
        nwi_chain_window(connection->protocol.chain, 0);
}

static nw_protocol_metadata_t copy_layer_metadata(void *owner,
                                                  nw_protocol_definition_t definition) {
    struct nwi_layer *layer = owner;
    return layer->ops->copy_metadata(layer, definition);
}

/* Of every chunk of the stream: it ends with the stream, and tells of TLS when it is asked: few
 * programs ask, and the peer's certificates take more memory than all else of a connection. The
 * layer lives as long as the context. NULL: no memory. */
static nw_content_context_t create_stream_context(nw_connection_t connection) {
    struct nwi_layer *secure = nwi_chain_secure_layer(connection->protocol.chain);
    return secure == NULL ? nwi_content_context_create_received(true)
                          : nwi_content_context_create_late(
                                true, (struct nwi_late_metadata){&nwi_tls_definition,
                                                                 copy_layer_metadata, secure});
}

nwi_err nwi_connection_input(void *owner, struct nwi_input *input) {
    nw_connection_t connection = owner;
    size_t size = input->content != NULL ? dispatch_data_get_size(input->content) : 0;
    bool stream = nwi_chain_is_stream(connection->protocol.chain);
    if (stream && connection->protocol.stream_context == NULL)
        connection->protocol.stream_context = create_stream_context(connection);
    if (stream && connection->protocol.stream_context == NULL) {
        nwi_input_drop(input);
        return NWI_ERR_NOMEM; /* without it the client could not tell the end of the stream */
    }
    if (input->final)
        connection->protocol.read_ended = true;
    if (connection->protocol.transfers != NULL)
        nwi_connection_count_in(connection, size);
    if (size > 0 || !stream) {
        struct connection_piece *piece = nwi_alloc(sizeof *piece);
        if (piece == NULL) {
            nwi_input_drop(input);
            return NWI_ERR_NOMEM;
        }
        piece->input = *input;
        connection->protocol.held += size;
        STAILQ_INSERT_TAIL(&connection->protocol.pieces, piece, link);
    } else {
        nwi_input_drop(input);
    }
    nwi_connection_pump_receives(connection);
    return 0;
}

/* The first receive gets what had been read for it, together with the error: process it first. */
void nwi_connection_fail_receives(nw_connection_t connection, nwi_err err) {
    struct connection_receive *receive;
    bool stream = connection->protocol.stream_context != NULL;
    while ((receive = STAILQ_FIRST(&connection->protocol.receives)) != NULL) {
        STAILQ_REMOVE_HEAD(&connection->protocol.receives, link);
        if (stream && connection->protocol.held > 0 && err != NWI_ERR_CANCELED) {
            receive->content = take_octets(connection, receive->whole ? SIZE_MAX : receive->max);
            receive->context = nwi_retain(connection->protocol.stream_context);
        }
        receive->err = err;
        answer(receive);
    }
}

static void receive_arrived(struct nwi_task *task) {
    struct connection_receive *receive = nwi_container_of(task, struct connection_receive, task);
    nw_connection_t connection = receive->connection;
    if (connection->protocol.cancelling) {
        connection->protocol.asked_too_late++;
        receive->err =
            connection->protocol.failure != 0 ? connection->protocol.failure : NWI_ERR_CANCELED;
        answer(receive);
        return;
    }
    if (!receive->whole && receive->max == 0) {
        receive->err = NWI_ERR_INVAL; /* no octet could ever be given */
        answer(receive);
        return;
    }
    STAILQ_INSERT_TAIL(&connection->protocol.receives, receive, link);
    nwi_connection_pump_receives(connection);
}

static void receive_content(nw_connection_t connection, uint32_t min, uint32_t max, bool whole,
                            struct nwi_callback completion, const char *function) {
    if (connection == NULL || completion.fn == NULL) {
        nwi_log_misuse(function, connection == NULL ? "connection is NULL" : "completion is NULL");
        nwi_callback_clear(&completion);
        return;
    }
    struct connection_receive *receive = nwi_alloc_certain(sizeof *receive);
    receive->connection = connection;
    receive->completion = completion;
    receive->max = max;
    receive->min = min == 0 ? 1 : min < max ? min : max; /* min above max can only mean max */
    receive->whole = whole;
    receive->task.run = receive_arrived;
    nwi_serial_perform(&connection->context, &receive->task);
}

void nw_connection_receive_f(nw_connection_t connection, uint32_t minimum_incomplete_length,
                             uint32_t maximum_length, void *context,
                             nw_connection_receive_completion_f completion) {
    receive_content(connection, minimum_incomplete_length, maximum_length, false,
                    nwi_callback_f(context, (nwi_fn)completion), __func__);
}
NW_EXPORT void nw_connection_receive(nw_connection_t connection, uint32_t minimum_incomplete_length,
                                     uint32_t maximum_length, const void *completion) {
    receive_content(connection, minimum_incomplete_length, maximum_length, false,
                    nwi_callback_block(completion), __func__);
}
void nw_connection_receive_message_f(nw_connection_t connection, void *context,
                                     nw_connection_receive_completion_f completion) {
    receive_content(connection, 1, UINT32_MAX, true, nwi_callback_f(context, (nwi_fn)completion),
                    __func__);
}
NW_EXPORT void nw_connection_receive_message(nw_connection_t connection, const void *completion) {
    receive_content(connection, 1, UINT32_MAX, true, nwi_callback_block(completion), __func__);
}
