/*
 * message.c - see message.h.
 * Runs:   in the protocol context.
 */
#include "stack/message.h"
#include "dispatch/data.h"

bool nwi_message_take(struct nwi_send_list *queue, struct nwi_send_list *message) {
    struct nwi_send *send, *piece;
    STAILQ_INIT(message);
    STAILQ_FOREACH (send, queue, link)
        if (send->complete)
            break;
    if (send == NULL)
        return false;
    do {
        piece = STAILQ_FIRST(queue);
        STAILQ_REMOVE_HEAD(queue, link);
        STAILQ_INSERT_TAIL(message, piece, link);
    } while (piece != send);
    return true;
}

size_t nwi_message_size(const struct nwi_send_list *message) {
    const struct nwi_send *send;
    size_t size = 0;
    STAILQ_FOREACH (send, message, link)
        size += send->content != NULL ? dispatch_data_get_size(send->content) : 0;
    return size;
}

void nwi_message_copy_out(const struct nwi_send_list *message, void *octets) {
    const struct nwi_send *send;
    char *end = octets;
    STAILQ_FOREACH (send, message, link)
        if (send->content != NULL)
            end += nwi_data_copy_out(send->content, 0, end, dispatch_data_get_size(send->content));
}

bool nwi_message_is_final(const struct nwi_send_list *message) {
    const struct nwi_send *send;
    bool final = false;
    STAILQ_FOREACH (send, message, link)
        final = send->final; /* that of the last piece */
    return final;
}

bool nwi_message_is_bare_end(const struct nwi_send_list *message) {
    const struct nwi_send *send = STAILQ_FIRST(message);
    return send->final && send->content == NULL && STAILQ_NEXT(send, link) == NULL;
}
