/* test_sentinel.c - src/model/sentinel.c: told apart by address, in both forms, and harmless when
 * called. */
#include "misuse.h"

#include "base/callback.h"
#include "model/sentinel.h"

extern const void *const _nw_parameters_configure_protocol_default_configuration;
extern const void *const _nw_parameters_configure_protocol_disable;
extern const void *const _nw_connection_send_idempotent_content;

static void somebodys(void *context, nw_protocol_options_t options) {
    (void)context, (void)options;
}

static void told_apart(void **state) {
    (void)state;
    const void *d = _nw_parameters_configure_protocol_default_configuration;
    const void *x = _nw_parameters_configure_protocol_disable;
    const void *i = _nw_connection_send_idempotent_content;
    assert_int_equal(nwi_configure_block_kind(d), NWI_CONFIGURE_DEFAULT);
    assert_int_equal(nwi_configure_block_kind(x), NWI_CONFIGURE_DISABLE);
    assert_int_equal(nwi_configure_block_kind(i), NWI_CONFIGURE_CALL);
    assert_int_equal(nwi_configure_block_kind(NULL), NWI_CONFIGURE_CALL);
    assert_true(nwi_send_block_is_idempotent(i));
    assert_false(nwi_send_block_is_idempotent(d) || nwi_send_block_is_idempotent(NULL));
    assert_int_equal(nwi_configure_f_kind(NW_PARAMETERS_DEFAULT_CONFIGURATION_F),
                     NWI_CONFIGURE_DEFAULT);
    assert_int_equal(nwi_configure_f_kind(NW_PARAMETERS_DISABLE_PROTOCOL_F), NWI_CONFIGURE_DISABLE);
    assert_int_equal(nwi_configure_f_kind(somebodys), NWI_CONFIGURE_CALL);
    assert_true(nwi_send_f_is_idempotent(NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F));
    assert_false(nwi_send_f_is_idempotent(NULL));
}

static void plain_names_without_blocks(void **state) {
    (void)state;
    assert_true(NW_PARAMETERS_DEFAULT_CONFIGURATION == NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    assert_true(NW_PARAMETERS_DISABLE_PROTOCOL == NW_PARAMETERS_DISABLE_PROTOCOL_F);
    assert_true(NW_CONNECTION_SEND_IDEMPOTENT_CONTENT == NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
}

static void harmless(void **state) {
    (void)state;
    NW_PARAMETERS_DEFAULT_CONFIGURATION_F(NULL, NULL);
    NW_PARAMETERS_DISABLE_PROTOCOL_F(NULL, NULL);
    NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F(NULL, NULL);
    /* Copied and called like any block: a global block is not copied, and does nothing. */
    struct nwi_callback callback = nwi_callback_block(_nw_parameters_configure_protocol_disable);
    assert_ptr_equal(callback.context, _nw_parameters_configure_protocol_disable);
    NWI_CALL(callback, void, (nw_protocol_options_t), NULL);
    nwi_callback_clear(&callback);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_apart),
        cmocka_unit_test(plain_names_without_blocks),
        cmocka_unit_test(harmless),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
