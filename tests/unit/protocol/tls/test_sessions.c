/* test_sessions.c - the client's cache: whose, how many, how long, how often. */
#include "base/alloc.h"
#include "model/trust_settings.h"
#include "protocol/tls/sessions.h"
#include <Security/protocol_settings.h>
#include <Security/trust_settings.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { NOW = 1000 };
#define LATER (NOW + 3600 * NWI_SEC)

static struct nwi_tls_session_key numbered(unsigned number) {
    struct nwi_tls_session_key key = {.digest = {0}};
    memcpy(key.digest, &number, sizeof number);
    return key;
}

static void put(const struct nwi_tls_session_key *key, const char *text, bool single_use) {
    nwi_tls_sessions_put(key, text, strlen(text) + 1, NOW, LATER, single_use);
}

/* Whether the next session of this key is `text`; NULL: that there is none. */
static void assert_next(const struct nwi_tls_session_key *key, nwi_ns now, const char *text) {
    void *data = NULL;
    size_t size = 0;
    assert_int_equal(nwi_tls_sessions_take(key, now, &data, &size), text != NULL);
    if (text == NULL)
        return;
    assert_int_equal(size, strlen(text) + 1);
    assert_string_equal(data, text);
    nwi_tls_sessions_wipe(data, size);
}

static void ticket_is_used_once(void **state) {
    (void)state;
    struct nwi_tls_session_key key = numbered(1), other = numbered(2);
    put(&key, "first", true);
    put(&key, "second", true);
    assert_next(&other, NOW, NULL);
    assert_next(&key, NOW, "second"); /* the newest: it has the longest life before it */
    assert_next(&key, NOW, "first");
    assert_next(&key, NOW, NULL);
    assert_int_equal(nwi_tls_sessions_count(), 0);
}

static void session_of_12_is_used_often(void **state) {
    (void)state;
    struct nwi_tls_session_key key = numbered(1);
    put(&key, "session", false);
    assert_next(&key, NOW, "session");
    assert_next(&key, NOW, "session");
    nwi_tls_sessions_forget(&key);
    assert_next(&key, NOW, NULL);
}

static void time_ends_sessions(void **state) {
    (void)state;
    struct nwi_tls_session_key key = numbered(1), other = numbered(2);
    void *data;
    size_t size;
    put(&key, "session", false);
    assert_next(&key, LATER - 1, "session");
    assert_next(&key, LATER, NULL);
    /* it goes even if nobody asks for it */
    nwi_tls_sessions_put(&other, "x", 2, LATER, LATER + 1, false);
    assert_int_equal(nwi_tls_sessions_count(), 1);
    nwi_tls_sessions_put(&key, "late", 5, LATER, LATER, false); /* over before it began */
    assert_int_equal(nwi_tls_sessions_count(), 1);
    /* a server may name a longer life than seven days: RFC 8446 section 4.6.1 */
    nwi_tls_sessions_put(&key, "week", 5, NOW, NWI_NEVER, false);
    assert_next(&key, NOW + UINT64_C(7) * 24 * 3600 * NWI_SEC - 1, "week");
    assert_false(
        nwi_tls_sessions_take(&key, NOW + UINT64_C(7) * 24 * 3600 * NWI_SEC, &data, &size));
    nwi_tls_sessions_forget(NULL);
}

static void one_key_has_few(void **state) {
    (void)state;
    struct nwi_tls_session_key key = numbered(1);
    static const char *const texts[] = {"1", "2", "3", "4", "5", "6"};
    for (size_t i = 0; i < COUNT(texts); i++)
        put(&key, texts[i], true);
    assert_int_equal(nwi_tls_sessions_count(), NWI_TLS_SESSIONS_OF_KEY);
    for (int i = 0; i < NWI_TLS_SESSIONS_OF_KEY; i++)
        assert_next(&key, NOW, texts[COUNT(texts) - 1 - (size_t)i]);
    assert_next(&key, NOW, NULL);
}

static void cache_is_bounded(void **state) {
    (void)state;
    static char large[NWI_TLS_SESSION_SIZE];
    struct nwi_tls_session_key key = numbered(0);
    for (unsigned i = 0; i < NWI_TLS_SESSIONS_MOST + 10; i++) {
        key = numbered(i);
        put(&key, "session", false);
    }
    assert_int_equal(nwi_tls_sessions_count(), NWI_TLS_SESSIONS_MOST);
    key = numbered(9);
    assert_next(&key, NOW, NULL); /* the oldest are gone */
    key = numbered(10);
    assert_next(&key, NOW, "session");
    for (unsigned i = 0; i < 100; i++) {
        key = numbered(1u << 20 | i);
        nwi_tls_sessions_put(&key, large, sizeof large, NOW, LATER, false);
    }
    assert_int_equal(nwi_tls_sessions_count(), NWI_TLS_SESSIONS_OCTETS / sizeof large);
    nwi_tls_sessions_put(&key, large, sizeof large + 1, NOW, LATER, false);
    nwi_tls_sessions_put(&key, large, 0, NOW, LATER, false);
    assert_int_equal(nwi_tls_sessions_count(), NWI_TLS_SESSIONS_OCTETS / sizeof large);
    nwi_tls_sessions_forget(NULL);
    assert_int_equal(nwi_tls_sessions_count(), 0);
}

static void lack_of_memory_costs_a_session_only(void **state) {
    (void)state;
    struct nwi_tls_session_key key = numbered(1);
    void *data;
    size_t size;
    nwi_alloc_fail_at(1);
    put(&key, "lost", true);
    nwi_alloc_fail_at(0);
    assert_next(&key, NOW, NULL);
    put(&key, "kept", true);
    nwi_alloc_fail_at(1);
    assert_false(nwi_tls_sessions_take(&key, NOW, &data, &size));
    nwi_alloc_fail_at(0);
    assert_next(&key, NOW, "kept"); /* a ticket that was not handed out is not used up */
}

/* --- whose --- */

static void verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                   sec_protocol_verify_complete_f complete, void *complete_context) {
    (void)context, (void)metadata, (void)trust;
    complete(complete_context, true);
}

static dispatch_data_t data_of(const char *text) {
    return dispatch_data_create_f(text, strlen(text), NULL, NULL, NULL);
}

static void add_psk(sec_protocol_options_t options, const char *key) {
    dispatch_data_t octets = data_of(key), identity = data_of("somebody");
    sec_protocol_options_add_pre_shared_key(options, octets, identity);
    dispatch_release(octets);
    dispatch_release(identity);
}

static const uint8_t pin[32] = {1};
static const tls_ciphersuite_t suite[] = {TLS_AES_128_GCM_SHA256};

/* Each changes one thing that a session hangs on. */
static void change(sec_protocol_options_t options, unsigned what) {
    switch (what) {
    case 0:
        sec_protocol_options_set_tls_server_name(options, "other.example");
        break;
    case 1:
        sec_protocol_options_add_tls_application_protocol(options, "h2");
        break;
    case 2:
        sec_protocol_options_set_min_tls_protocol_version(options, tls_protocol_version_TLSv13);
        break;
    case 3:
        sec_protocol_options_set_max_tls_protocol_version(options, tls_protocol_version_TLSv12);
        break;
    case 4:
        sec_protocol_options_append_tls_ciphersuite(options, TLS_RSA_WITH_AES_128_CBC_SHA);
        break;
    case 5:
        sec_protocol_options_set_exact_tls_ciphersuites(options, suite, 1);
        break;
    case 6:
        sec_protocol_options_append_tls_ciphersuite_group(options, tls_ciphersuite_group_ats);
        break;
    case 7:
        add_psk(options, "0123456789abcdef");
        break;
    case 8:
        sec_protocol_options_set_verify_block_f(options, NULL, verify, NULL);
        break;
    case 9:
        sec_protocol_options_set_peer_authentication_required(options, false);
        break;
    case 10:
        sec_protocol_options_add_pin(options, pin);
        break;
    case 11:
        sec_protocol_options_set_system_anchors_enabled(options, false);
        break;
    default:
        fail();
    }
}
enum { CHANGES = 12 };

static struct nwi_tls_session_of plain(sec_protocol_options_t options) {
    return (struct nwi_tls_session_of){.options = options, .host = "one.example", .port = 443};
}

static struct nwi_tls_session_key key_of(struct nwi_tls_session_of of) {
    struct nwi_tls_session_key key;
    assert_true(nwi_tls_session_key_make(&of, &key));
    return key;
}

static bool equal(struct nwi_tls_session_key a, struct nwi_tls_session_key b) {
    return memcmp(a.digest, b.digest, sizeof a.digest) == 0;
}

static void settings_that_matter_separate(void **state) {
    (void)state;
    struct nwi_tls_session_key keys[CHANGES + 1];
    sec_protocol_options_t options = nwi_sec_options_create();
    keys[CHANGES] = key_of(plain(options));
    for (unsigned i = 0; i < CHANGES; i++) {
        sec_protocol_options_t changed = nwi_sec_options_create();
        change(changed, i);
        keys[i] = key_of(plain(changed));
        sec_protocol_options_t copy = nwi_sec_options_copy(changed);
        assert_true(equal(keys[i], key_of(plain(copy)))); /* as a started connection has it */
        sec_release(copy);
        sec_release(changed);
    }
    for (unsigned i = 0; i < CHANGES + 1; i++)
        for (unsigned j = 0; j < i; j++)
            if (equal(keys[i], keys[j]))
                fail_msg("changes %u and %u share sessions", i, j);
    sec_release(options);
}

static void equal_settings_share(void **state) {
    (void)state;
    sec_protocol_options_t a = nwi_sec_options_create(), b = nwi_sec_options_create();
    for (unsigned i = 0; i < CHANGES; i++)
        if (i != 8) {
            change(a, i);
            change(b, i);
        }
    assert_true(equal(key_of(plain(a)), key_of(plain(b))));
    add_psk(a, "0123456789abcdef");
    add_psk(b, "0123456789abcdeg"); /* another key by the same name */
    assert_false(equal(key_of(plain(a)), key_of(plain(b))));
    sec_release(a);
    sec_release(b);
}

/* The block that trusted a peer may be gone, and another one in its memory. */
static void handlers_never_share(void **state) {
    (void)state;
    struct nwi_tls_session_key seen[4];
    for (size_t i = 0; i < COUNT(seen); i++) {
        sec_protocol_options_t options = nwi_sec_options_create();
        sec_protocol_options_set_verify_block_f(options, NULL, verify, NULL);
        seen[i] = key_of(plain(options));
        for (size_t j = 0; j < i; j++)
            assert_false(equal(seen[i], seen[j]));
        sec_release(options);
    }
}

static void endpoints_separate(void **state) {
    (void)state;
    sec_protocol_options_t options = nwi_sec_options_create();
    struct nwi_tls_session_of of = plain(options);
    struct nwi_tls_session_key key = key_of(of);
    of.host = "ONE.example";
    assert_true(equal(key, key_of(of)));
    of.host = "two.example";
    assert_false(equal(key, key_of(of)));
    of = plain(options);
    of.port = 8443;
    assert_false(equal(key, key_of(of)));
    of = plain(options);
    of.is_datagram = true;
    assert_false(equal(key, key_of(of)));
    of = plain(options);
    of.privacy_context = 1;
    assert_false(equal(key, key_of(of)));
    of = plain(options);
    of.host = NULL;
    assert_false(equal(key, key_of(of)));
    sec_release(options);
}

/* --- threads --- */

static void *use_the_cache(void *argument) {
    for (unsigned i = 0; i < 2000; i++) {
        struct nwi_tls_session_key key = numbered(i % 7);
        void *data;
        size_t size;
        nwi_tls_sessions_put(&key, "session", 8, NOW, LATER, i % 2 == 0);
        if (nwi_tls_sessions_take(&key, NOW, &data, &size)) {
            if (size != 8 || strcmp(data, "session") != 0)
                return argument;
            nwi_tls_sessions_wipe(data, size);
        }
        if (i % 100 == 0)
            nwi_tls_sessions_forget(&key);
    }
    return NULL;
}

static void threads_share_the_cache(void **state) {
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_the_cache, state), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    nwi_tls_sessions_forget(NULL);
    assert_int_equal(nwi_tls_sessions_count(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticket_is_used_once),
        cmocka_unit_test(session_of_12_is_used_often),
        cmocka_unit_test(time_ends_sessions),
        cmocka_unit_test(one_key_has_few),
        cmocka_unit_test(cache_is_bounded),
        cmocka_unit_test(lack_of_memory_costs_a_session_only),
        cmocka_unit_test(settings_that_matter_separate),
        cmocka_unit_test(equal_settings_share),
        cmocka_unit_test(handlers_never_share),
        cmocka_unit_test(endpoints_separate),
        cmocka_unit_test(threads_share_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
