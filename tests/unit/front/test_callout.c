/*
 * test_callout.c - outlets: one producer, one handler at a time, in order, on queues of every kind.
 */
#include "base/alloc.h"
#include "front/callout.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

enum { COUNT = 20000, DEADLINE_SECONDS = 30 };

struct owner {
    struct nwi_object base;
    struct nwi_outlet outlet;
};
static sem_t finished, freed;
static unsigned seen; /* plain: exclusion is what is tested (TSan looks on) */
static bool inside;

static void wait_for(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_SECONDS;
    assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

static void destroy_owner(void *object) {
    nwi_outlet_clear(&((struct owner *)object)->outlet);
    sem_post(&freed);
}
static const struct nwi_type owner_type = {
    .name = "test_owner", .size = sizeof(struct owner), .destroy = destroy_owner};

struct item {
    struct nwi_task task;
    unsigned number;
};

static void run_item(struct nwi_task *task) {
    struct item *item = nwi_container_of(task, struct item, task);
    assert_false(inside);
    inside = true;
    assert_int_equal(item->number, seen);
    seen++;
    inside = false;
    nwi_free(item);
    if (seen == COUNT)
        sem_post(&finished);
}

static void push_all_on(dispatch_queue_t queue) {
    struct owner *owner = nwi_object_create(&owner_type, 0);
    nwi_outlet_init(&owner->outlet, owner);
    nwi_outlet_set_queue(&owner->outlet, queue);
    seen = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        struct item *item = nwi_alloc_certain(sizeof *item);
        item->task.run = run_item;
        item->number = i;
        nwi_outlet_push(&owner->outlet, &item->task);
    }
    nwi_release(owner); /* what is on its way holds it */
    wait_for(&finished);
    wait_for(&freed);
}

static void test_serial_queue(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("serial", DISPATCH_QUEUE_SERIAL);
    push_all_on(queue);
    dispatch_release(queue);
}

static void test_concurrent_queue_one_at_a_time(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT);
    push_all_on(queue);
    dispatch_release(queue);
}

static void test_global_queue(void **state) {
    (void)state;
    push_all_on(dispatch_get_global_queue(0, 0));
}

/* --- completions of a connection that nobody started --- */

static sem_t told;
static _Atomic int told_errors;

static void sent(void *context, nw_error_t error) {
    (void)context;
    told_errors += nw_error_get_error_code(error) == ECANCELED;
    sem_post(&told);
}
static void received(void *context, dispatch_data_t content, nw_content_context_t message,
                     bool complete, nw_error_t error) {
    assert_null(content);
    assert_null(message);
    assert_false(complete);
    sent(context, error);
}

static void release_with_work(bool with_queue) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    dispatch_queue_t queue = dispatch_queue_create("client", DISPATCH_QUEUE_SERIAL);
    if (with_queue)
        nw_connection_set_queue(connection, queue);
    told_errors = 0;
    nw_connection_send_f(connection, NULL, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true, NULL, sent);
    nw_connection_receive_f(connection, 1, 1, NULL, received);
    nw_release(connection);
    dispatch_release(queue);
    nw_release(endpoint);
    nw_release(parameters);
    wait_for(&told);
    wait_for(&told);
    assert_int_equal(told_errors, 2);
}

static void test_each_completion_runs_once(void **state) {
    (void)state;
    release_with_work(true);
    release_with_work(false); /* never given a queue: a global one serves */
    assert_int_equal(sem_trywait(&told), -1);
}

/* More than one batch of them, on a queue that could run them side by side. */
enum { LAST_ONES = 200 };

static void received_in_turn(void *context, dispatch_data_t content, nw_content_context_t message,
                             bool complete, nw_error_t error) {
    assert_false(inside);
    inside = true;
    assert_int_equal((unsigned)(uintptr_t)context, seen);
    seen++;
    inside = false;
    received(context, content, message, complete, error);
}

static void test_last_completions_keep_their_order(void **state) {
    (void)state;
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    dispatch_queue_t queue = dispatch_queue_create("client", DISPATCH_QUEUE_CONCURRENT);
    nw_connection_set_queue(connection, queue);
    seen = 0;
    for (uintptr_t i = 0; i < LAST_ONES; i++)
        nw_connection_receive_f(connection, 1, 1, (void *)i, received_in_turn);
    nw_release(connection);
    for (int i = 0; i < LAST_ONES; i++)
        wait_for(&told);
    dispatch_release(queue);
    nw_release(endpoint);
    nw_release(parameters);
}

static int released;
static void count_release(void *context) {
    (void)context;
    released++;
}
static void nothing(void) {}

static void test_handler_owns_its_callback(void **state) {
    (void)state;
    assert_null(nwi_handler_create((struct nwi_callback){0}));
    struct nwi_handler *handler =
        nwi_handler_create((struct nwi_callback){NULL, nothing, count_release});
    nwi_retain(handler);
    nwi_release(handler);
    assert_int_equal(released, 0);
    nwi_release(handler);
    assert_int_equal(released, 1);
    nwi_alloc_fail_at(1); /* waits and tries again: a handler that got lost would never be called */
    handler = nwi_handler_create((struct nwi_callback){NULL, nothing, count_release});
    assert_true(nwi_alloc_fault_hit());
    assert_non_null(handler);
    nwi_release(handler);
    assert_int_equal(released, 2);
    nwi_alloc_fail_at(1);
    void *memory = nwi_alloc_certain(16); /* waits and tries again */
    assert_non_null(memory);
    nwi_free(memory);
}

int main(void) {
    sem_init(&finished, 0, 0);
    sem_init(&freed, 0, 0);
    sem_init(&told, 0, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serial_queue),
        cmocka_unit_test(test_concurrent_queue_one_at_a_time),
        cmocka_unit_test(test_global_queue),
        cmocka_unit_test(test_each_completion_runs_once),
        cmocka_unit_test(test_last_completions_keep_their_order),
        cmocka_unit_test(test_handler_owns_its_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
