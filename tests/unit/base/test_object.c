/*
 * test_object.c - allocation seam, reference counts, callbacks of function form, clock.
 */
#include "base/alloc.h"
#include "base/callback.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/object.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- allocation --- */

static void the_nth_allocation_fails(void **state) {
    (void)state;
    for (unsigned long n = 1; n <= 5; n++) {
        void *got[5];
        nwi_alloc_fail_at(n);
        got[0] = nwi_alloc(8);
        got[1] = nwi_alloc_raw(8);
        got[2] = nwi_strdup("text");
        got[3] = nwi_asprintf("%d", 42);
        got[4] = nwi_realloc(NULL, 8);
        assert_true(nwi_alloc_fault_hit());
        for (unsigned long i = 0; i < 5; i++) {
            assert_int_equal(got[i] == NULL, i + 1 == n);
            nwi_free(got[i]);
        }
    }
    nwi_alloc_fail_at(100);
    nwi_free(nwi_alloc(1));
    assert_false(nwi_alloc_fault_hit());
    nwi_alloc_fail_at(0);
}

static void failed_growth_keeps_the_old_memory(void **state) {
    (void)state;
    char *memory = nwi_strdup("kept");
    nwi_alloc_fail_at(1);
    assert_null(nwi_realloc(memory, 1000));
    assert_string_equal(memory, "kept");
    memory = nwi_realloc(memory, 1000);
    assert_string_equal(memory, "kept");
    nwi_free(memory);
}

static void live_blocks_are_counted(void **state) {
    (void)state;
    nwi_alloc_count(true);
    void *a = nwi_alloc(0), *b = nwi_strdup("b"), *c = nwi_realloc(NULL, 3);
    assert_non_null(a); /* no octets is not "no memory" */
    assert_int_equal(nwi_alloc_live(), 3);
    c = nwi_realloc(c, 300);
    assert_int_equal(nwi_alloc_live(), 3);
    nwi_free(a);
    nwi_free(b);
    nwi_free(c);
    nwi_free(NULL);
    assert_int_equal(nwi_alloc_live(), 0);
    nwi_alloc_count(false);
    assert_null(nwi_strdup(NULL));
    char *text = nwi_asprintf("%s-%d", "x", 5);
    assert_string_equal(text, "x-5");
    free(text); /* as a user of the public API does */
}

/* --- objects --- */

struct thing {
    struct nwi_object base;
    int *destroyed;
    char extra[];
};

static void destroy_thing(void *object) {
    struct thing *thing = object;
    ++*thing->destroyed;
}

static struct thing *handed_over;
static void keep_thing(void *object) {
    handed_over = object;
}

static const struct nwi_type thing_type = {
    .name = "thing", .size = sizeof(struct thing), .destroy = destroy_thing};
static const struct nwi_type late_type = {.name = "late",
                                          .size = sizeof(struct thing),
                                          .destroy = destroy_thing,
                                          .last_release = keep_thing};
static struct nwi_object static_thing = NWI_OBJECT_STATIC(&thing_type);

static void last_release_destroys(void **state) {
    (void)state;
    int destroyed = 0;
    struct thing *thing = nwi_object_create(&thing_type, 10);
    thing->destroyed = &destroyed;
    for (int i = 0; i < 10; i++)
        assert_int_equal(thing->extra[i], 0);
    assert_true(nwi_object_is(thing, &thing_type));
    assert_false(nwi_object_is(thing, &late_type));
    assert_false(nwi_object_is(NULL, &thing_type));
    assert_ptr_equal(nwi_retain(thing), thing);
    assert_null(nwi_release(thing));
    assert_int_equal(destroyed, 0);
    {
        NWI_AUTO_RELEASE
        struct thing *moved = nwi_take(&thing);
        assert_null(thing);
        assert_non_null(moved);
    }
    assert_int_equal(destroyed, 1);
    assert_null(nwi_retain(NULL));
    assert_null(nwi_release(NULL));
    nwi_alloc_fail_at(1);
    assert_null(nwi_object_create(&thing_type, 0));
}

static void a_type_may_end_its_objects_later(void **state) {
    (void)state;
    int destroyed = 0;
    struct thing *thing = nwi_object_create(&late_type, 0);
    thing->destroyed = &destroyed;
    nwi_release(thing);
    assert_ptr_equal(handed_over, thing);
    assert_int_equal(destroyed, 0);
    nwi_object_free(handed_over);
    assert_int_equal(destroyed, 1);
}

static void static_objects_are_not_counted(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        nwi_release(&static_thing);
    assert_ptr_equal(nwi_retain(&static_thing), &static_thing);
    assert_int_equal(atomic_load(&static_thing.refs), NWI_IMMORTAL);
}

static void *retain_and_release(void *thing) {
    for (int i = 0; i < 20000; i++) {
        nwi_retain(thing);
        nwi_release(thing);
    }
    nwi_release(thing);
    return NULL;
}

static void counts_hold_under_threads(void **state) {
    (void)state;
    int destroyed = 0;
    struct thing *thing = nwi_object_create(&thing_type, 0);
    pthread_t threads[4];
    thing->destroyed = &destroyed;
    for (int i = 0; i < 4; i++) {
        nwi_retain(thing);
        assert_int_equal(pthread_create(&threads[i], NULL, retain_and_release, thing), 0);
    }
    nwi_release(thing);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(destroyed, 1);
}

/* --- callbacks --- */

static int add(void *context, int number) {
    return *(int *)context + number;
}
static void bump(void *context) {
    ++*(int *)context;
}

static void function_form(void **state) {
    (void)state;
    int number = 40;
    struct nwi_callback callback = nwi_callback_f(&number, (nwi_fn)add);
    assert_int_equal(NWI_CALL(callback, int, (int), 2), 42);
    callback.release = bump;
    struct nwi_callback moved = nwi_callback_take(&callback);
    assert_null(callback.fn);
    nwi_callback_clear(&callback);
    assert_int_equal(number, 40);
    nwi_callback_clear(&moved);
    assert_int_equal(number, 41);
    nwi_callback_clear(&moved);
    assert_int_equal(number, 41);
    callback = nwi_callback_f(&number, (nwi_fn)bump);
    NWI_CALL0(callback, void);
    assert_int_equal(number, 42);
    assert_null(nwi_callback_f(&number, NULL).context);
    assert_null(nwi_callback_block(NULL).fn);
    assert_null(nwi_callback_block_noescape(NULL).fn);
}

static void clock_does_not_go_back(void **state) {
    (void)state;
    nwi_ns last = nwi_now();
    for (int i = 0; i < 1000; i++) {
        nwi_ns now = nwi_now();
        assert_true(now >= last);
        last = now;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_allocation_fails),
        cmocka_unit_test(failed_growth_keeps_the_old_memory),
        cmocka_unit_test(live_blocks_are_counted),
        cmocka_unit_test(last_release_destroys),
        cmocka_unit_test(a_type_may_end_its_objects_later),
        cmocka_unit_test(static_objects_are_not_counted),
        cmocka_unit_test(counts_hold_under_threads),
        cmocka_unit_test(function_form),
        cmocka_unit_test(clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
