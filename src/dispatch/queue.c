/*
 * queue.c - creating queues, and what every kind has: label, class of service.
 * What:   a serial queue is a serial context with a name and a target; a concurrent queue is in
 *         concurrent.c, the global queues in root.c, the main queue in main.c.
 * Runs:   on any thread.
 */
#include "dispatch/queue.h"
#include "base/alloc.h"
#include "base/log.h"

static void suspend_serial(void *object) {
    nwi_serial_suspend(&((dispatch_queue_t)object)->serial);
}

static void resume_serial(void *object) {
    if (!nwi_serial_resume(&((dispatch_queue_t)object)->serial))
        nwi_dispatch_crash("dispatch_resume", "queue resumed more often than suspended");
}

static void activate_serial(void *object) {
    nwi_serial_activate(&((dispatch_queue_t)object)->serial);
}

static bool dispose_queue(void *object) {
    dispatch_queue_t queue = object;
    bool stopped = queue->kind == NWI_QUEUE_CONCURRENT ? nwi_concurrent_is_stopped(queue)
                                                       : nwi_serial_is_suspended(&queue->serial);
    if (stopped)
        nwi_dispatch_crash("dispatch_release",
                           "last release of a queue that is suspended or inactive");
    return true;
}

static void destroy_queue(void *object) {
    dispatch_queue_t queue = object;
    /* Relaxed: the last reference is gone. */
    nwi_specifics_free(atomic_load_explicit(&queue->specifics, memory_order_relaxed));
    if (queue->kind == NWI_QUEUE_CONCURRENT)
        pthread_mutex_destroy(&queue->concurrent.lock);
    nwi_free((void *)queue->label);
}

#define QUEUE_BASE(text)                                                                           \
    {                                                                                              \
        .name = text, .size = sizeof(struct dispatch_queue_s), .destroy = destroy_queue,           \
        .last_release = nwi_dispatch_last_release                                                  \
    }

const struct nwi_dispatch_type nwi_serial_queue_type = {
    .base = QUEUE_BASE("dispatch_queue (serial)"),
    .activate = activate_serial,
    .suspend = suspend_serial,
    .resume = resume_serial,
    .set_target = nwi_queue_retarget,
    .dispose = dispose_queue,
};

const struct nwi_dispatch_type nwi_concurrent_queue_type = {
    .base = QUEUE_BASE("dispatch_queue (concurrent)"),
    .activate = nwi_concurrent_activate,
    .suspend = nwi_concurrent_suspend,
    .resume = nwi_concurrent_resume,
    .set_target = nwi_queue_retarget,
    .dispose = dispose_queue,
};

/* As a serial queue, but it always exists and always runs on the main thread. */
const struct nwi_dispatch_type nwi_main_queue_type = {
    .base = QUEUE_BASE("dispatch_queue (main)"),
    .activate = activate_serial,
    .suspend = suspend_serial,
    .resume = resume_serial,
};

dispatch_queue_t nwi_queue_checked(dispatch_queue_t queue, const char *function) {
    if (queue == NULL) {
        nwi_log_misuse(function, "NULL queue");
        return NULL;
    }
    const struct nwi_type *type = queue->object.base.type;
    if (type == &nwi_serial_queue_type.base || type == &nwi_concurrent_queue_type.base ||
        type == &nwi_global_queue_type.base || type == &nwi_main_queue_type.base)
        return queue;
    nwi_log_misuse(function, "not a queue");
    return NULL;
}

static dispatch_queue_t create_queue(const char *label, const struct dispatch_queue_attr_s *attr,
                                     dispatch_queue_t target) {
    dispatch_queue_t queue = nwi_dispatch_create(
        attr->concurrent ? &nwi_concurrent_queue_type : &nwi_serial_queue_type, 0, NULL);
    if (queue == NULL)
        return NULL;
    queue->qos = attr->qos;
    queue->relative_priority = attr->relative_priority;
    if (attr->concurrent) {
        queue->kind = NWI_QUEUE_CONCURRENT;
        nwi_concurrent_init(queue);
        queue->concurrent.inactive = attr->inactive;
    } else {
        queue->kind = NWI_QUEUE_SERIAL;
        nwi_serial_init(&queue->serial, NULL, queue);
        if (attr->inactive)
            nwi_serial_set_inactive(&queue->serial);
    }
    queue->label = nwi_strdup(label);
    if (label != NULL && queue->label == NULL) {
        nwi_object_free(
            queue); /* straight: nothing to finalize, and an inactive one must not be released */
        return NULL;
    }
    nwi_queue_set_target(queue, nwi_retain(target));
    return queue;
}

dispatch_queue_t dispatch_queue_create_with_target(const char *label, dispatch_queue_attr_t attr,
                                                   dispatch_queue_t target) {
    static const struct dispatch_queue_attr_s serial = {
        .base = NWI_OBJECT_STATIC(&nwi_queue_attr_type)};
    if (attr != NULL && !nwi_object_is(attr, &nwi_queue_attr_type)) {
        nwi_log_misuse("dispatch_queue_create", "not a queue attribute");
        return NULL;
    }
    if (target != NULL && nwi_queue_checked(target, "dispatch_queue_create_with_target") == NULL)
        return NULL;
    return create_queue(label, attr != NULL ? attr : &serial, target);
}

dispatch_queue_t dispatch_queue_create(const char *label, dispatch_queue_attr_t attr) {
    return dispatch_queue_create_with_target(label, attr, NULL);
}

const char *dispatch_queue_get_label(dispatch_queue_t queue) {
    if (queue == DISPATCH_CURRENT_QUEUE_LABEL)
        queue = dispatch_get_current_queue();
    queue = nwi_queue_checked(queue, "dispatch_queue_get_label");
    return queue != NULL && queue->label != NULL ? queue->label : "";
}

dispatch_qos_class_t dispatch_queue_get_qos_class(dispatch_queue_t queue,
                                                  int *relative_priority_ptr) {
    queue = nwi_queue_checked(queue, "dispatch_queue_get_qos_class");
    if (relative_priority_ptr != NULL)
        *relative_priority_ptr = queue != NULL ? queue->relative_priority : 0;
    return queue != NULL ? queue->qos : QOS_CLASS_UNSPECIFIED;
}
