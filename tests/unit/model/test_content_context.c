/* test_content_context.c - src/model/content_context.c. */
#include "misuse.h"

#include "model/content_context.h"
#include "model/metadata.h"
#include <Network/connection.h>
#include <math.h>

static void defaults(void **state) {
    (void)state;
    nw_content_context_t c = nw_content_context_create("hello");
    assert_string_equal(nw_content_context_get_identifier(c), "hello");
    assert_false(nw_content_context_get_is_final(c));
    assert_true(nw_content_context_get_relative_priority(c) == 0.5);
    assert_true(nw_content_context_get_expiration_milliseconds(c) == 0);
    assert_null(nw_content_context_copy_antecedent(c));
    assert_misuse(assert_null(nw_content_context_create(NULL)));
    nw_release(c);
}

static void settings(void **state) {
    (void)state;
    nw_content_context_t c = nw_content_context_create("");
    nw_content_context_set_is_final(c, true);
    assert_true(nw_content_context_get_is_final(c));
    nw_content_context_set_expiration_milliseconds(c, UINT64_MAX);
    assert_true(nw_content_context_get_expiration_milliseconds(c) == UINT64_MAX);
    static const struct {
        double set, get;
    } cases[] = {{0.0, 0.0}, {1.0, 1.0},      {0.25, 0.25},    {-0.1, 0.0},
                 {1.5, 1.0}, {INFINITY, 1.0}, {-INFINITY, 0.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nw_content_context_set_relative_priority(c, cases[i].set);
        assert_true(nw_content_context_get_relative_priority(c) == cases[i].get);
    }
    assert_misuse(nw_content_context_set_relative_priority(c, NAN));
    assert_true(nw_content_context_get_relative_priority(c) == 0.0);
    nw_release(c);
}

static void null_is_safe(void **state) {
    (void)state;
    assert_null(nw_content_context_get_identifier(NULL));
    assert_false(nw_content_context_get_is_final(NULL));
    assert_true(nw_content_context_get_relative_priority(NULL) == 0.0);
    assert_true(nw_content_context_get_expiration_milliseconds(NULL) == 0);
    assert_null(nw_content_context_copy_antecedent(NULL));
    assert_misuse(nw_content_context_set_is_final(NULL, true));
    assert_misuse(nw_content_context_set_expiration_milliseconds(NULL, 1));
    assert_misuse(nw_content_context_set_relative_priority(NULL, 1));
    assert_misuse(nw_content_context_set_antecedent(NULL, NULL));
    assert_misuse(nw_content_context_set_metadata_for_protocol(NULL, NULL));
}

static void predefined_never_change(void **state) {
    (void)state;
    nw_content_context_t all[] = {NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                                  NW_CONNECTION_FINAL_MESSAGE_CONTEXT,
                                  NW_CONNECTION_DEFAULT_STREAM_CONTEXT};
    static const bool final[] = {false, true, true};
    nw_content_context_t other = nw_content_context_create("other");
    nw_protocol_metadata_t metadata = nw_ip_create_metadata();
    for (int i = 0; i < 3; i++) {
        assert_misuse(nw_content_context_set_is_final(all[i], !final[i]));
        assert_misuse(nw_content_context_set_expiration_milliseconds(all[i], 1));
        assert_misuse(nw_content_context_set_relative_priority(all[i], 1));
        assert_misuse(nw_content_context_set_antecedent(all[i], other));
        assert_misuse(nw_content_context_set_metadata_for_protocol(all[i], metadata));
        assert_int_equal(nw_content_context_get_is_final(all[i]), final[i]);
        assert_true(nw_content_context_get_relative_priority(all[i]) == 0.5);
        assert_non_null(nw_content_context_get_identifier(all[i]));
        nw_release(nw_retain(all[i]));
        nw_release(all[i]); /* shared objects survive a release too many */
        assert_int_equal(nw_content_context_get_is_final(all[i]), final[i]);
    }
    nw_release(other), nw_release(metadata);
}

static void antecedents(void **state) {
    (void)state;
    nw_content_context_t a = nw_content_context_create("a"), b = nw_content_context_create("b");
    nw_content_context_t c = nw_content_context_create("c");
    nw_content_context_set_antecedent(b, a);
    nw_content_context_set_antecedent(c, b);
    assert_misuse(nw_content_context_set_antecedent(a, a));
    assert_misuse(nw_content_context_set_antecedent(a, c)); /* a ring of three */
    nw_content_context_t held = nw_content_context_copy_antecedent(c);
    assert_ptr_equal(held, b);
    nw_release(held);
    nw_content_context_set_antecedent(c, NULL);
    assert_null(nw_content_context_copy_antecedent(c));
    nw_content_context_set_antecedent(a, c); /* now no ring */
    nw_release(a), nw_release(b), nw_release(c);
}

/* Freed by recursion this would need some hundred megabytes of stack. */
static void long_chain(void **state) {
    (void)state;
    nw_content_context_t last = nw_content_context_create("0");
    for (int i = 0; i < 1000; i++) { /* appended at the end: the check for rings walks the chain */
        nw_content_context_t next = nw_content_context_create("next");
        nw_content_context_set_antecedent(next, last);
        nw_release(last);
        last = next;
    }
    for (int i = 0; i < 1000000; i++) { /* the same by hand, since that check makes it quadratic */
        nw_content_context_t next = nw_content_context_create("next");
        next->antecedent = last;
        last = next;
    }
    nw_release(last);
}

struct walk {
    unsigned count, ip, udp;
};
static void visit(void *context, nw_protocol_definition_t definition,
                  nw_protocol_metadata_t metadata) {
    struct walk *walk = context;
    assert_ptr_equal(metadata->definition, definition);
    walk->count++;
    walk->ip += nw_protocol_metadata_is_ip(metadata);
    walk->udp += nw_protocol_metadata_is_udp(metadata);
}

static void metadata(void **state) {
    (void)state;
    nw_content_context_t c = nw_content_context_create("c");
    nw_protocol_metadata_t first = nw_ip_create_metadata(), second = nw_ip_create_metadata();
    nw_protocol_metadata_t udp = nw_udp_create_metadata();
    nw_content_context_set_metadata_for_protocol(c, first);
    nw_content_context_set_metadata_for_protocol(c, udp);
    nw_content_context_set_metadata_for_protocol(c, second); /* the last one of a protocol counts */
    nw_protocol_metadata_t held = nw_content_context_copy_protocol_metadata(c, &nwi_ip_definition);
    assert_ptr_equal(held, second);
    assert_null(nw_content_context_copy_protocol_metadata(c, &nwi_tcp_definition));
    struct walk walk = {0};
    nw_content_context_foreach_protocol_metadata_f(c, &walk, visit);
    assert_int_equal(walk.count, 2);
    assert_int_equal(walk.ip, 1);
    assert_int_equal(walk.udp, 1);
    assert_misuse(nw_content_context_set_metadata_for_protocol(c, NULL));
    assert_misuse(assert_null(nw_content_context_copy_protocol_metadata(c, NULL)));
    assert_misuse(assert_null(nw_content_context_copy_protocol_metadata(NULL, &nwi_ip_definition)));
    assert_misuse(nw_content_context_foreach_protocol_metadata_f(c, NULL, NULL));
    assert_misuse(nw_content_context_foreach_protocol_metadata_f(NULL, &walk, visit));
    nw_release(held), nw_release(first), nw_release(second), nw_release(udp), nw_release(c);
}

static void received(void **state) {
    (void)state;
    nw_content_context_t c = nwi_content_context_create_received(true);
    assert_true(nw_content_context_get_is_final(c));
    nw_protocol_metadata_t ip = nw_ip_create_metadata();
    assert_true(nwi_content_context_add_metadata(c, ip));
    assert_ptr_equal(nwi_content_context_metadata(c, &nwi_ip_definition), ip);
    nw_release(ip), nw_release(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),     cmocka_unit_test(settings),
        cmocka_unit_test(null_is_safe), cmocka_unit_test(predefined_never_change),
        cmocka_unit_test(antecedents),  cmocka_unit_test(long_chain),
        cmocka_unit_test(metadata),     cmocka_unit_test(received),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
