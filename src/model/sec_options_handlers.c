/*
 * sec_options_handlers.c - the handlers of a TLS handshake: key selection, key update, challenge,
 * verify.
 * What:   each is kept in a small object of its own, so that copies of the options share one block.
 * Source: semantics of sec_protocol_options_t.
 * Runs:   unsynchronised, as the public calls say.
 * Owns:   the copied block and a reference to the queue.
 */
#include "base/log.h"
#include "model/sec_options.h"

static void handler_destroy(void *object) {
    struct nwi_sec_handler *handler = object;
    nwi_callback_clear(&handler->callback);
    nwi_release(handler->queue);
}

static const struct nwi_type handler_type = {
    .name = "sec_handler",
    .size = sizeof(struct nwi_sec_handler),
    .destroy = handler_destroy,
};

/* Counts; orders nothing, so relaxed. */
static _Atomic uint64_t last_number;

/* Replaces the handler in `slot`; `given` false removes it. Consumes the callback. */
static void set_handler(struct nwi_sec_handler **slot, bool given, struct nwi_callback callback,
                        bool is_block, dispatch_queue_t queue, const char *function) {
    struct nwi_sec_handler *fresh = NULL, *old;
    if (given) {
        fresh = callback.fn == NULL ? NULL : nwi_object_create(&handler_type, 0);
        if (fresh == NULL) {
            nwi_callback_clear(&callback);
            nwi_log_misuse(function, "out of memory: the handler was not set");
            return;
        }
        fresh->callback = callback;
        fresh->is_block = is_block;
        fresh->queue = nwi_retain(queue);
        fresh->number = atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed) + 1;
    }
    old = *slot;
    *slot = fresh;
    nwi_release(old);
}

static bool checked(sec_protocol_options_t options, const char *function) {
    if (options == NULL)
        nwi_log_misuse(function, "options are NULL");
    return options != NULL;
}

SEC_EXPORT void sec_protocol_options_set_pre_shared_key_selection_block_f(
    sec_protocol_options_t options, void *context,
    sec_protocol_pre_shared_key_selection_f psk_selection, dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->psk_selection, psk_selection != NULL,
                    nwi_callback_f(context, (nwi_fn)psk_selection), false, queue, __func__);
}

SEC_EXPORT void
sec_protocol_options_set_pre_shared_key_selection_block(sec_protocol_options_t options,
                                                        const void *block, dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->psk_selection, block != NULL, nwi_callback_block(block), true, queue,
                    __func__);
}

SEC_EXPORT void sec_protocol_options_set_key_update_block_f(sec_protocol_options_t options,
                                                            void *context,
                                                            sec_protocol_key_update_f key_update,
                                                            dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->key_update, key_update != NULL,
                    nwi_callback_f(context, (nwi_fn)key_update), false, queue, __func__);
}

SEC_EXPORT void sec_protocol_options_set_key_update_block(sec_protocol_options_t options,
                                                          const void *block,
                                                          dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->key_update, block != NULL, nwi_callback_block(block), true, queue,
                    __func__);
}

SEC_EXPORT void sec_protocol_options_set_challenge_block_f(sec_protocol_options_t options,
                                                           void *context,
                                                           sec_protocol_challenge_f challenge,
                                                           dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->challenge, challenge != NULL,
                    nwi_callback_f(context, (nwi_fn)challenge), false, queue, __func__);
}

SEC_EXPORT void sec_protocol_options_set_challenge_block(sec_protocol_options_t options,
                                                         const void *block,
                                                         dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->challenge, block != NULL, nwi_callback_block(block), true, queue,
                    __func__);
}

SEC_EXPORT void sec_protocol_options_set_verify_block_f(sec_protocol_options_t options,
                                                        void *context, sec_protocol_verify_f verify,
                                                        dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->verify, verify != NULL, nwi_callback_f(context, (nwi_fn)verify),
                    false, queue, __func__);
}

SEC_EXPORT void sec_protocol_options_set_verify_block(sec_protocol_options_t options,
                                                      const void *block, dispatch_queue_t queue) {
    if (checked(options, __func__))
        set_handler(&options->verify, block != NULL, nwi_callback_block(block), true, queue,
                    __func__);
}
