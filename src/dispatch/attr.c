/*
 * attr.c - attributes of queues to be created.
 * What:   every combination is a constant in one table, so that making one allocates nothing and
 *         nobody has to release it.
 * Runs:   on any thread.
 */
#include "base/log.h"
#include "dispatch/queue.h"

enum {
    CLASSES = 6,     /* unspecified, then background to user interactive */
    PRIORITIES = 16, /* 0 down to QOS_MIN_RELATIVE_PRIORITY (-15) */
    FREQUENCIES = 3,
};

static const dispatch_qos_class_t classes[CLASSES] = {
    QOS_CLASS_UNSPECIFIED, QOS_CLASS_BACKGROUND,     QOS_CLASS_UTILITY,
    QOS_CLASS_DEFAULT,     QOS_CLASS_USER_INITIATED, QOS_CLASS_USER_INTERACTIVE,
};

const struct nwi_type nwi_queue_attr_type = {
    .name = "dispatch_queue_attr",
    .size = sizeof(struct dispatch_queue_attr_s),
};

struct dispatch_queue_attr_s _dispatch_queue_attr_concurrent = {
    .base = NWI_OBJECT_STATIC(&nwi_queue_attr_type),
    .concurrent = true,
};

static struct dispatch_queue_attr_s table[2][2][CLASSES][PRIORITIES][FREQUENCIES];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

static void fill_table(void) {
    struct dispatch_queue_attr_s *attr = &table[0][0][0][0][0];
    for (unsigned i = 0; i < sizeof(table) / sizeof(*attr); i++) {
        unsigned rest = i;
        attr[i].base.type = &nwi_queue_attr_type;
        atomic_store_explicit(&attr[i].base.refs, NWI_IMMORTAL,
                              memory_order_relaxed); /* before use */
        attr[i].frequency = rest % FREQUENCIES;
        rest /= FREQUENCIES;
        attr[i].relative_priority = -(int)(rest % PRIORITIES);
        rest /= PRIORITIES;
        attr[i].qos = classes[rest % CLASSES];
        rest /= CLASSES;
        attr[i].inactive = rest % 2;
        attr[i].concurrent = rest / 2 % 2;
    }
}

/* The constant equal to `wanted`; NULL when its class or priority does not exist. */
static dispatch_queue_attr_t find(const struct dispatch_queue_attr_s *wanted,
                                  const char *function) {
    pthread_once(&filled, fill_table);
    int priority = -wanted->relative_priority;
    for (unsigned i = 0; i < CLASSES; i++)
        if (classes[i] == wanted->qos && priority >= 0 && priority < PRIORITIES &&
            wanted->frequency < FREQUENCIES)
            return &table[wanted->concurrent][wanted->inactive][i][priority][wanted->frequency];
    nwi_log_misuse(function, "no such class, priority or frequency");
    return NULL;
}

/* A copy to change: of NULL, a serial queue's. */
static bool copy_attr(dispatch_queue_attr_t attr, struct dispatch_queue_attr_s *ret_copy,
                      const char *function) {
    if (attr != NULL && !nwi_object_is(attr, &nwi_queue_attr_type)) {
        nwi_log_misuse(function, "not a queue attribute");
        return false;
    }
    *ret_copy = (struct dispatch_queue_attr_s){0};
    if (attr == NULL)
        return true;
    ret_copy->concurrent = attr->concurrent;
    ret_copy->inactive = attr->inactive;
    ret_copy->qos = attr->qos;
    ret_copy->relative_priority = attr->relative_priority;
    ret_copy->frequency = attr->frequency;
    return true;
}

/* An attribute that makes no sense leaves `attr` as it was, so that the queue made with it is of
 * the kind asked for. */
dispatch_queue_attr_t dispatch_queue_attr_make_initially_inactive(dispatch_queue_attr_t attr) {
    struct dispatch_queue_attr_s wanted;
    if (!copy_attr(attr, &wanted, "dispatch_queue_attr_make_initially_inactive"))
        return NULL;
    wanted.inactive = true;
    return find(&wanted, "dispatch_queue_attr_make_initially_inactive");
}

dispatch_queue_attr_t
dispatch_queue_attr_make_with_autorelease_frequency(dispatch_queue_attr_t attr,
                                                    dispatch_autorelease_frequency_t frequency) {
    struct dispatch_queue_attr_s wanted;
    if (!copy_attr(attr, &wanted, "dispatch_queue_attr_make_with_autorelease_frequency"))
        return NULL;
    wanted.frequency = frequency;
    dispatch_queue_attr_t found =
        find(&wanted, "dispatch_queue_attr_make_with_autorelease_frequency");
    return found != NULL ? found : attr;
}

dispatch_queue_attr_t dispatch_queue_attr_make_with_qos_class(dispatch_queue_attr_t attr,
                                                              dispatch_qos_class_t qos_class,
                                                              int relative_priority) {
    struct dispatch_queue_attr_s wanted;
    if (!copy_attr(attr, &wanted, "dispatch_queue_attr_make_with_qos_class"))
        return NULL;
    wanted.qos = qos_class;
    wanted.relative_priority = relative_priority;
    dispatch_queue_attr_t found = find(&wanted, "dispatch_queue_attr_make_with_qos_class");
    return found != NULL ? found : attr;
}
