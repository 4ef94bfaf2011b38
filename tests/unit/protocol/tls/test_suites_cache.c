/* test_suites_cache.c - one parsed priority for all who need the same. */
#include "base/alloc.h"
#include "base/log.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/suites.h"
#include <Security/SecureTransport.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static char logged[512];

static void sink(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    (void)name, (void)event;
    if (level == NWI_LOG_ERROR)
        snprintf(logged, sizeof logged, "%s", message);
}

static void priorities_are_shared(void **state) {
    (void)state;
    sec_protocol_options_t options = nwi_sec_options_create();
    char *priority;
    nwi_err err;
    assert_int_equal(nwi_tls_suites_priority(options, false, false, &priority), 0);
    struct nwi_tls_priority *a = nwi_tls_priority_get(priority, &err);
    struct nwi_tls_priority *b = nwi_tls_priority_get(priority, &err);
    assert_non_null(a);
    assert_ptr_equal(a, b);
    nwi_release(b);
    /* pushed out by others, it lives as long as somebody holds it */
    for (int i = 0; i < 20; i++) {
        char other[512] = "NORMAL";
        for (int j = 0; j <= i; j++)
            strcat(other, ":-SHA1");
        nwi_release(nwi_tls_priority_get(other, &err));
        assert_int_equal(err, 0);
    }
    b = nwi_tls_priority_get(priority, &err);
    assert_ptr_not_equal(a, b);
    gnutls_session_t session;
    assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT), 0);
    assert_int_equal(gnutls_priority_set(session, a->value), 0);
    gnutls_deinit(session);
    nwi_release(a);
    nwi_release(b);
    logged[0] = '\0';
    assert_null(nwi_tls_priority_get("NORMAL:+NO-SUCH-THING", &err));
    assert_int_equal(err, nwi_tls(errSSLBadConfiguration));
    assert_non_null(strstr(logged, "NO-SUCH-THING"));
    nwi_free(priority);
    sec_release(options);
}

static void *get_many(void *argument) {
    for (int i = 0; i < 200; i++) {
        char string[64];
        nwi_err err;
        snprintf(string, sizeof string, "NORMAL:%%PROFILE_%s:-GROUP-SECP%s",
                 i % 3 == 0   ? "LOW"
                 : i % 3 == 1 ? "MEDIUM"
                              : "HIGH",
                 i % 4 == 0   ? "256R1"
                 : i % 4 == 1 ? "384R1"
                 : i % 4 == 2 ? "521R1"
                              : "224R1");
        struct nwi_tls_priority *priority = nwi_tls_priority_get(string, &err);
        if (priority == NULL)
            return argument;
        nwi_release(priority);
    }
    return NULL;
}

static void threads_share_the_cache(void **state) {
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_many, state), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
}

static int setup(void **state) {
    (void)state;
    nwi_log_set_sink(sink);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priorities_are_shared),
        cmocka_unit_test(threads_share_the_cache),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
