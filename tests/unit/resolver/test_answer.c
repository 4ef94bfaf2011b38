/*
 * test_answer.c - src/resolver/answer.c: the table of c-ares statuses, messages well and badly
 * formed.
 */
#include "resolver/answer.h"
#include <ares.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Every status that c-ares 1.18 documents has an error of its own choice, never 0 and never another
 * domain. */
static void every_status_is_mapped(void **state) {
    (void)state;
    for (int status = ARES_ENODATA; status <= ARES_ESERVICE; status++) {
        nwi_err err = nwi_answer_status_error(status);
        assert_int_equal(nwi_err_domain(err), NWI_DOMAIN_DNS);
        assert_non_null(nwi_err_name(err));
    }
    assert_int_equal(nwi_answer_status_error(ARES_SUCCESS), 0);
    static const struct {
        int status, code;
    } promised[] = {
        {ARES_ENOTFOUND, NWI_DNS_NO_SUCH_RECORD},
        {ARES_ENODATA, NWI_DNS_NO_SUCH_RECORD},
        {ARES_ETIMEOUT, NWI_DNS_TIMEOUT},
        {ARES_ECONNREFUSED, NWI_DNS_SERVICE_NOT_RUNNING},
        {ARES_EREFUSED, NWI_DNS_REFUSED},
        {ARES_ENOMEM, NWI_DNS_NO_MEMORY},
        {ARES_ESERVFAIL, NWI_DNS_UNKNOWN},
        {ARES_EBADNAME, NWI_DNS_BAD_PARAM},
        {9999, NWI_DNS_UNKNOWN},
        {-1, NWI_DNS_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++)
        assert_int_equal(nwi_answer_status_error(promised[i].status), nwi_dns(promised[i].code));
}

/* a.test A? with a CNAME to b.test (TTL 7) and two A records of b.test (TTL 9 and 2^31, which
 * counts as 0 only when alone). */
static const unsigned char chain[] = "\x12\x34\x81\x80\0\1\0\3\0\0\0\0"
                                     "\1a\4test\0\0\1\0\1"
                                     "\xc0\x0c\0\5\0\1\0\0\0\x07\0\4\1b\xc0\x0e"
                                     "\1b\xc0\x0e\0\1\0\1\0\0\0\x09\0\4\x0a\0\0\1"
                                     "\1b\xc0\x0e\0\1\0\1\0\0\0\x09\0\4\x0a\0\0\2";

static void chain_of_names(void **state) {
    (void)state;
    struct nwi_answer *answer =
        nwi_answer_from_message(AF_INET, ARES_SUCCESS, chain, sizeof chain - 1);
    assert_int_equal(answer->err, 0);
    assert_int_equal(answer->count, 2);
    assert_int_equal(answer->ttl, 7);
    assert_int_equal(ntohl(answer->addresses[1].in.sin_addr.s_addr), 0x0a000002);
    nwi_release(answer);
}

/* Cut anywhere: an error or fewer addresses, never more, and nothing read beyond the end (ASan
 * watches the copy). */
static void cut_messages(void **state) {
    (void)state;
    for (size_t size = 0; size < sizeof chain - 1; size++) {
        unsigned char *copy = test_malloc(size + 1);
        memcpy(copy, chain, size);
        struct nwi_answer *answer = nwi_answer_from_message(AF_INET, ARES_SUCCESS, copy, size);
        assert_non_null(answer);
        assert_true(answer->err != 0 || answer->count <= 2);
        assert_true((answer->err != 0) == (answer->count == 0));
        nwi_release(answer);
        test_free(copy);
    }
}

static void other_family_and_nothing(void **state) {
    (void)state;
    struct nwi_answer *answer =
        nwi_answer_from_message(AF_INET6, ARES_SUCCESS, chain, sizeof chain - 1);
    assert_int_equal(answer->count, 0);
    assert_int_equal(answer->err, nwi_dns(NWI_DNS_NO_SUCH_RECORD));
    nwi_release(answer);
    answer = nwi_answer_from_message(AF_INET, ARES_SUCCESS, NULL, 0);
    assert_int_equal(answer->err, nwi_dns(NWI_DNS_UNKNOWN));
    nwi_release(answer);
    answer = nwi_answer_from_message(AF_INET, ARES_ENOTFOUND, NULL, 0);
    assert_int_equal(answer->err, nwi_dns(NWI_DNS_NO_SUCH_RECORD));
    assert_int_equal(answer->ttl, NWI_ANSWER_TTL_NEGATIVE);
    nwi_release(answer);
    answer = nwi_answer_from_message(AF_INET, ARES_ETIMEOUT, NULL, 0);
    assert_int_equal(answer->ttl, 0); /* a failure is not remembered */
    nwi_release(answer);
}

static void duplicates_and_bounds(void **state) {
    (void)state;
    union nwi_inet many[NWI_ANSWER_MAX + 10];
    memset(many, 0, sizeof many);
    for (size_t i = 0; i < NWI_ANSWER_MAX + 10; i++)
        many[i].in =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)i / 2)};
    struct nwi_answer *answer = nwi_answer_create(AF_INET, many, 10, 100);
    assert_int_equal(answer->count, 5);
    nwi_release(answer);
    for (size_t i = 0; i < NWI_ANSWER_MAX + 10; i++)
        many[i].in.sin_addr.s_addr = htonl((uint32_t)i);
    answer = nwi_answer_create(AF_INET, many, NWI_ANSWER_MAX + 10, 100);
    assert_int_equal(answer->count, NWI_ANSWER_MAX);
    nwi_release(answer);
    answer = nwi_answer_create(AF_INET6, many, 10, 100); /* none of that family */
    assert_int_equal(answer->err, nwi_dns(NWI_DNS_NO_SUCH_RECORD));
    assert_int_equal(answer->ttl, NWI_ANSWER_TTL_NEGATIVE);
    nwi_release(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_is_mapped), cmocka_unit_test(chain_of_names),
        cmocka_unit_test(cut_messages),           cmocka_unit_test(other_family_and_nothing),
        cmocka_unit_test(duplicates_and_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
