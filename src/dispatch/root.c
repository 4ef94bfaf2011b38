/*
 * root.c - the global queues.
 * What:   five concurrent queues that always exist, one a class of service. Classes do not order
 *         work here.
 * Runs:   on any thread.
 */
#include "base/log.h"
#include "dispatch/queue.h"

/* Suspending, targeting and activating a global queue do nothing, as documented for the original.
 */
static void do_nothing(void *object) {
    (void)object;
}

const struct nwi_dispatch_type nwi_global_queue_type = {
    .base = {.name = "dispatch_queue (global)",
             .size = sizeof(struct dispatch_queue_s),
             .last_release = nwi_dispatch_last_release},
    .activate = do_nothing,
    .suspend = do_nothing,
    .resume = do_nothing,
};

enum { INTERACTIVE, INITIATED, DEFAULT, UTILITY, BACKGROUND, GLOBAL_COUNT };

#define GLOBAL_QUEUE(name, class)                                                                  \
    {                                                                                              \
        .object.base = NWI_OBJECT_STATIC(&nwi_global_queue_type.base), .kind = NWI_QUEUE_GLOBAL,   \
        .label = name, .qos = class, .concurrent = {                                               \
            .lock = PTHREAD_MUTEX_INITIALIZER,                                                     \
            .token.run = nwi_concurrent_run_token                                                  \
        }                                                                                          \
    }

static struct dispatch_queue_s queues[GLOBAL_COUNT] = {
    [INTERACTIVE] = GLOBAL_QUEUE("com.apple.root.user-interactive-qos", QOS_CLASS_USER_INTERACTIVE),
    [INITIATED] = GLOBAL_QUEUE("com.apple.root.user-initiated-qos", QOS_CLASS_USER_INITIATED),
    [DEFAULT] = GLOBAL_QUEUE("com.apple.root.default-qos", QOS_CLASS_DEFAULT),
    [UTILITY] = GLOBAL_QUEUE("com.apple.root.utility-qos", QOS_CLASS_UTILITY),
    [BACKGROUND] = GLOBAL_QUEUE("com.apple.root.background-qos", QOS_CLASS_BACKGROUND),
};

dispatch_queue_t nwi_queue_default(void) {
    return &queues[DEFAULT];
}

dispatch_queue_global_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags) {
    enum { OVERCOMMIT = 2 }; /* passed by some ported programs; here every item may always begin */
    if ((flags & ~(uintptr_t)OVERCOMMIT) != 0)
        return NULL;
    switch (identifier) {
    case QOS_CLASS_USER_INTERACTIVE:
        return &queues[INTERACTIVE];
    case QOS_CLASS_USER_INITIATED:
    case DISPATCH_QUEUE_PRIORITY_HIGH:
        return &queues[INITIATED];
    case QOS_CLASS_DEFAULT:
    case QOS_CLASS_UNSPECIFIED: /* also DISPATCH_QUEUE_PRIORITY_DEFAULT */
        return &queues[DEFAULT];
    case QOS_CLASS_UTILITY:
    case DISPATCH_QUEUE_PRIORITY_LOW:
        return &queues[UTILITY];
    case QOS_CLASS_BACKGROUND:
    case DISPATCH_QUEUE_PRIORITY_BACKGROUND:
        return &queues[BACKGROUND];
    default:
        return NULL;
    }
}
