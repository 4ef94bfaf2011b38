/* test_content_context_blocks.c - the one call of content_context.h that takes a block. */
#include <Network/Network.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void foreach_metadata(void **state) {
    (void)state;
    __block int ip = 0, udp = 0;
    nw_content_context_t c = nw_content_context_create("c");
    nw_protocol_metadata_t a = nw_ip_create_metadata(), b = nw_udp_create_metadata();
    nw_content_context_set_metadata_for_protocol(c, a);
    nw_content_context_set_metadata_for_protocol(c, b);
    nw_content_context_foreach_protocol_metadata(
        c, ^(nw_protocol_definition_t definition, nw_protocol_metadata_t metadata) {
            assert_non_null(definition);
            ip += nw_protocol_metadata_is_ip(metadata);
            udp += nw_protocol_metadata_is_udp(metadata);
        });
    assert_int_equal(ip, 1);
    assert_int_equal(udp, 1);
    nw_release(a), nw_release(b), nw_release(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(foreach_metadata)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
