/* test_content_context.c - nw_content_context_*, in the function form. */
#include <Network/Network.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void custom(void **state) {
    (void)state;
    nw_content_context_t a = nw_content_context_create("first");
    nw_content_context_t b = nw_content_context_create("second");
    assert_string_equal(nw_content_context_get_identifier(a), "first");
    nw_content_context_set_is_final(a, true);
    assert_true(nw_content_context_get_is_final(a));
    assert_false(nw_content_context_get_is_final(b));
    nw_content_context_set_expiration_milliseconds(a, 250);
    assert_int_equal(nw_content_context_get_expiration_milliseconds(a), 250);
    assert_true(nw_content_context_get_relative_priority(a) == 0.5);
    nw_content_context_set_relative_priority(a, 0.75);
    assert_true(nw_content_context_get_relative_priority(a) == 0.75);
    nw_content_context_set_antecedent(b, a);
    nw_content_context_t held = nw_content_context_copy_antecedent(b);
    assert_ptr_equal(held, a);
    nw_release(held), nw_release(a), nw_release(b);
    assert_null(nw_content_context_create(NULL));
}

static void predefined(void **state) {
    (void)state;
    assert_false(nw_content_context_get_is_final(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT));
    assert_true(nw_content_context_get_is_final(NW_CONNECTION_FINAL_MESSAGE_CONTEXT));
    assert_true(nw_content_context_get_is_final(NW_CONNECTION_DEFAULT_STREAM_CONTEXT));
    nw_content_context_set_is_final(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    assert_false(nw_content_context_get_is_final(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT));
    nw_release(nw_retain(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT));
}

static void count(void *context, nw_protocol_definition_t definition,
                  nw_protocol_metadata_t metadata) {
    nw_protocol_definition_t own = nw_protocol_metadata_copy_definition(metadata);
    assert_true(nw_protocol_definition_is_equal(own, definition));
    nw_release(own);
    ++*(int *)context;
}

static void metadata(void **state) {
    (void)state;
    int seen = 0;
    nw_content_context_t c = nw_content_context_create("c");
    nw_protocol_metadata_t ip = nw_ip_create_metadata(), udp = nw_udp_create_metadata();
    nw_protocol_definition_t definition = nw_protocol_copy_ip_definition();
    assert_null(nw_content_context_copy_protocol_metadata(c, definition));
    nw_content_context_set_metadata_for_protocol(c, ip);
    nw_content_context_set_metadata_for_protocol(c, udp);
    nw_protocol_metadata_t held = nw_content_context_copy_protocol_metadata(c, definition);
    assert_ptr_equal(held, ip);
    nw_content_context_foreach_protocol_metadata_f(c, &seen, count);
    assert_int_equal(seen, 2);
    nw_release(held), nw_release(definition), nw_release(ip), nw_release(udp), nw_release(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(custom), cmocka_unit_test(predefined),
                                       cmocka_unit_test(metadata)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
