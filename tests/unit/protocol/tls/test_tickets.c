/* test_tickets.c - a server's tickets and early data, with real handshakes over memory. */
#include "bare_pair.h"
#include "protocol/tls/sessions.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char early_text[] = "early";

/* What came of one handshake. */
struct outcome {
    bool resumed, early_accepted;
    gnutls_datum_t session; /* for the next one; the caller frees */
    struct bare_wire first; /* the client's first flight */
};

/* One handshake of a client that has `session` (NULL: nothing) with a server of these tickets;
 * replay: octets to send in place of the client's own. */
static struct outcome shake(struct nwi_tls_tickets *tickets, nwi_ns now,
                            const gnutls_datum_t *session, bool early) {
    static struct bare_pair pair;
    struct outcome outcome = {.resumed = false};
    gnutls_session_t whose;
    void *hold;
    char text[sizeof early_text];
    bare_pair_open(&pair, NULL, NULL, early ? GNUTLS_ENABLE_EARLY_DATA : 0,
                   GNUTLS_ENABLE_EARLY_DATA);
    gnutls_session_t client = pair.client.session, server = pair.server.session;
    gnutls_record_set_max_early_data_size(server, 1024);
    assert_int_equal(nwi_tls_tickets_attach(tickets, server, now, true, &hold), 0);
    if (session != NULL)
        assert_int_equal(gnutls_session_set_data(client, session->data, session->size), 0);
    if (early && session != NULL)
        assert_true(gnutls_record_send_early_data(client, early_text, sizeof early_text) >= 0);
    assert_int_equal(gnutls_handshake(client), GNUTLS_E_AGAIN);
    outcome.first = pair.to_server;
    assert_int_equal(bare_pair_shake(&pair, &whose), 0);
    outcome.resumed = gnutls_session_is_resumed(client);
    outcome.early_accepted = gnutls_session_get_flags(server) & GNUTLS_SFLAGS_EARLY_DATA;
    if (outcome.early_accepted)
        assert_int_equal(gnutls_record_recv_early_data(server, text, sizeof text), sizeof text);
    (void)gnutls_record_recv(client, text, sizeof text); /* the tickets */
    assert_int_equal(gnutls_session_get_data2(client, &outcome.session), 0);
    bare_pair_close(&pair);
    nwi_release(hold);
    return outcome;
}

/* Sends a first flight once more; whether the server takes its early data. */
static bool replayed(struct nwi_tls_tickets *tickets, nwi_ns now, const struct bare_wire *first) {
    static struct bare_pair pair;
    void *hold;
    bare_pair_open(&pair, NULL, NULL, 0, GNUTLS_ENABLE_EARLY_DATA);
    gnutls_record_set_max_early_data_size(pair.server.session, 1024);
    assert_int_equal(nwi_tls_tickets_attach(tickets, pair.server.session, now, true, &hold), 0);
    pair.to_server = *first;
    int code = gnutls_handshake(pair.server.session);
    assert_true(code == GNUTLS_E_AGAIN || code == 0);
    bool accepted = gnutls_session_get_flags(pair.server.session) & GNUTLS_SFLAGS_EARLY_DATA;
    bare_pair_close(&pair);
    nwi_release(hold);
    return accepted;
}

static void tickets_resume(void **state) {
    (void)state;
    struct nwi_tls_tickets *tickets = nwi_tls_tickets_create(0);
    struct nwi_tls_tickets *others = nwi_tls_tickets_create(0);
    struct outcome first = shake(tickets, 0, NULL, false);
    assert_false(first.resumed);
    struct outcome second = shake(tickets, 1, &first.session, false);
    assert_true(second.resumed);
    struct outcome third = shake(others, 1, &second.session, false); /* another listener's key */
    assert_false(third.resumed);
    gnutls_free(first.session.data);
    gnutls_free(second.session.data);
    gnutls_free(third.session.data);
    nwi_release(tickets);
    nwi_release(others);
}

static void key_is_renewed(void **state) {
    (void)state;
    struct nwi_tls_tickets *tickets = nwi_tls_tickets_create(0);
    struct outcome first = shake(tickets, 0, NULL, false);
    struct outcome second = shake(tickets, NWI_TLS_TICKET_KEY_LIFE - 1, &first.session, false);
    assert_true(second.resumed);
    struct outcome third = shake(tickets, NWI_TLS_TICKET_KEY_LIFE, &second.session, false);
    assert_false(third.resumed);
    struct outcome fourth = shake(tickets, NWI_TLS_TICKET_KEY_LIFE + 1, &third.session, false);
    assert_true(fourth.resumed);
    gnutls_free(first.session.data);
    gnutls_free(second.session.data);
    gnutls_free(third.session.data);
    gnutls_free(fourth.session.data);
    nwi_release(tickets);
}

static void early_data_are_taken_once(void **state) {
    (void)state;
    struct nwi_tls_tickets *tickets = nwi_tls_tickets_create(0);
    struct outcome first = shake(tickets, 0, NULL, true);
    assert_false(first.early_accepted);
    struct outcome second = shake(tickets, 1, &first.session, true);
    assert_true(second.resumed);
    assert_true(second.early_accepted);
    assert_false(replayed(tickets, 2, &second.first));
    /* nor in the next period, for its ticket is older */
    assert_false(replayed(tickets, NWI_TLS_TICKET_KEY_LIFE - 1, &second.first));
    assert_false(replayed(tickets, NWI_TLS_TICKET_KEY_LIFE + 1, &second.first));
    gnutls_free(first.session.data);
    gnutls_free(second.session.data);
    nwi_release(tickets);
}

/* Several clients within one period, as GnuTLS's own window would not have them. */
static void early_data_of_many(void **state) {
    (void)state;
    struct nwi_tls_tickets *tickets = nwi_tls_tickets_create(0);
    struct outcome first[3];
    for (size_t i = 0; i < COUNT(first); i++)
        first[i] = shake(tickets, 0, NULL, true);
    for (size_t i = 0; i < COUNT(first); i++) {
        struct outcome second = shake(tickets, 30 * NWI_SEC, &first[i].session, true);
        assert_true(second.early_accepted);
        gnutls_free(second.session.data);
        gnutls_free(first[i].session.data);
    }
    nwi_release(tickets);
}

static void period_outlives_the_tickets(void **state) {
    (void)state;
    gnutls_session_t session;
    void *hold, *none;
    struct nwi_tls_tickets *tickets = nwi_tls_tickets_create(0);
    assert_int_equal(gnutls_init(&session, GNUTLS_SERVER), 0);
    assert_int_equal(nwi_tls_tickets_attach(tickets, session, 0, false, &none), 0);
    assert_null(none);
    assert_int_equal(nwi_tls_tickets_attach(tickets, session, 0, true, &hold), 0);
    assert_non_null(hold);
    nwi_release(tickets);
    gnutls_deinit(session);
    nwi_release(hold);
}

static void *attach_many(void *argument) {
    for (int i = 0; i < 200; i++) {
        gnutls_session_t session;
        void *hold;
        if (gnutls_init(&session, GNUTLS_SERVER) < 0 ||
            nwi_tls_tickets_attach(argument, session, (nwi_ns)i * NWI_TLS_TICKET_KEY_LIFE / 20,
                                   true, &hold) != 0)
            return argument;
        gnutls_deinit(session);
        nwi_release(hold);
    }
    return NULL;
}

static void threads_share_the_tickets(void **state) {
    (void)state;
    struct nwi_tls_tickets *tickets = nwi_tls_tickets_create(0);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, attach_many, tickets), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    nwi_release(tickets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_resume),
        cmocka_unit_test(key_is_renewed),
        cmocka_unit_test(early_data_are_taken_once),
        cmocka_unit_test(early_data_of_many),
        cmocka_unit_test(period_outlives_the_tickets),
        cmocka_unit_test(threads_share_the_tickets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
