/*
 * test_tls_questions.c - what a handshake asks the program: whether it trusts the peer, which
 * identity to show, which key to use; answered at once, later, never, twice, or after the end.
 * Runs:   loopback only. Handlers run on a queue of their own.
 */
#include "secure.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A question as it came. */
struct question {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dispatch_queue_t queue;
    int asked;
    sec_protocol_verify_complete_f verify;
    sec_protocol_challenge_complete_f challenge;
    void *complete_context;
    bool on_queue, had_peer, had_names;
    int evaluated;                             /* what the trust object says */
    void (*inside)(struct question *question); /* in the handler; NULL: nothing */
    void *user;
};

static struct question *question(void (*inside)(struct question *question), void *user) {
    struct question *question = calloc(1, sizeof *question);
    assert_non_null(question);
    pthread_mutex_init(&question->lock, NULL);
    pthread_cond_init(&question->changed, NULL);
    question->queue = dispatch_queue_create("questions", NULL);
    dispatch_queue_set_specific(question->queue, question, question, NULL);
    question->inside = inside;
    question->user = user;
    return question;
}

static void nothing(void *context) {
    (void)context;
}

static void forget(struct question *question) {
    dispatch_sync_f(question->queue, NULL, nothing);
    dispatch_release(question->queue);
    free(question);
}

static void came(struct question *question, void *complete_context) {
    pthread_mutex_lock(&question->lock);
    question->asked++;
    question->complete_context = complete_context;
    question->on_queue = dispatch_get_specific(question) == question;
    pthread_cond_signal(&question->changed);
    pthread_mutex_unlock(&question->lock);
    if (question->inside != NULL)
        question->inside(question);
}

static void await_question(struct question *question, int count) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    int err = 0;
    pthread_mutex_lock(&question->lock);
    while (question->asked < count && err == 0)
        err = pthread_cond_timedwait(&question->changed, &question->lock, &until);
    pthread_mutex_unlock(&question->lock);
    assert_int_equal(err, 0);
}

static int times_asked(struct question *question) {
    pthread_mutex_lock(&question->lock);
    int asked = question->asked;
    pthread_mutex_unlock(&question->lock);
    return asked;
}

static void see_certificate(void *context, sec_certificate_t certificate) {
    *(bool *)context = certificate != NULL;
}

static void verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                   sec_protocol_verify_complete_f complete, void *complete_context) {
    struct question *question = context;
    question->verify = complete;
    sec_protocol_metadata_access_peer_certificate_chain_f(metadata, &question->had_peer,
                                                          see_certificate);
    question->evaluated = sec_trust_evaluate(trust);
    came(question, complete_context);
}

static void see_name(void *context, dispatch_data_t name) {
    *(bool *)context = name != NULL;
}

static void challenge(void *context, sec_protocol_metadata_t metadata,
                      sec_protocol_challenge_complete_f complete, void *complete_context) {
    struct question *question = context;
    question->challenge = complete;
    sec_protocol_metadata_access_distinguished_names_f(metadata, &question->had_names, see_name);
    came(question, complete_context);
}

static void yes(struct question *question) {
    question->verify(question->complete_context, true);
}

static void no(struct question *question) {
    question->verify(question->complete_context, false);
}

static void ask_to_verify(void *context, sec_protocol_options_t options) {
    struct question *question = context;
    sec_protocol_options_set_verify_block_f(options, question, verify, question->queue);
}

static void ask_for_identity(void *context, sec_protocol_options_t options) {
    struct question *question = context;
    sec_protocol_options_set_challenge_block_f(options, question, challenge, question->queue);
}

/* --- whether the peer is trusted --- */

static struct recorder *ask(struct question *question, struct hearing **ret_hearing) {
    *ret_hearing = hear_secure(secure_server(NULL, NULL));
    return record_secure_with(hearing_port(*ret_hearing), secure_client(ask_to_verify, question));
}

static void test_yes(void **state) {
    (void)state;
    struct question *asked = question(yes, NULL);
    struct hearing *hearing;
    struct recorder *recorder = ask(asked, &hearing);
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(asked->asked, 1);
    assert_true(asked->on_queue);
    assert_true(asked->had_peer);
    assert_int_equal(asked->evaluated, 0);
    finish(recorder);
    hearing_finish(hearing);
    forget(asked);
}

/* The answer is the program's alone: a peer that no evaluation would take is taken. */
static void test_yes_to_a_stranger(void **state) {
    (void)state;
    struct question *asked = question(yes, NULL);
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_secure_with(port, secure_client(ask_to_verify, asked));
    struct tls_peer *peer =
        tls_peer(peer_accept(listening), GNUTLS_SERVER, &papers()->stranger, NULL);
    assert_int_equal(tls_peer_shake(peer), 0);
    await_state(recorder, nw_connection_state_ready);
    assert_int_not_equal(asked->evaluated, 0);
    finish(recorder);
    tls_peer_free(peer);
    close(listening);
    forget(asked);
}

static void test_no(void **state) {
    (void)state;
    struct question *asked = question(no, NULL);
    struct hearing *hearing;
    struct recorder *recorder = ask(asked, &hearing);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_tls,
                 errSSLBadCert);
    assert_int_equal(await_state(hearing_await(hearing, 0), nw_connection_state_failed)->domain,
                     nw_error_domain_tls); /* an alert told the peer */
    finish(recorder);
    hearing_finish(hearing);
    forget(asked);
}

static void *answer_yes(void *context) {
    yes(context);
    return NULL;
}

/* The handshake waits; other connections do not. The answer comes from a thread of the test's. */
static void test_later(void **state) {
    (void)state;
    struct question *asked = question(NULL, NULL);
    struct hearing *hearing;
    struct recorder *recorder = ask(asked, &hearing);
    await_question(asked, 1);
    struct recorder *other = record_secure(hearing_port(hearing));
    await_state(other, nw_connection_state_ready);
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_yes, asked), 0);
    await_state(recorder, nw_connection_state_ready);
    pthread_join(thread, NULL);
    finish(other);
    finish(recorder);
    hearing_finish(hearing);
    forget(asked);
}

/* Cancelled while the program thinks; its answer comes after all is over, and does no harm. */
static void test_after_the_end(void **state) {
    (void)state;
    struct question *asked = question(NULL, NULL);
    struct hearing *hearing;
    struct recorder *recorder = ask(asked, &hearing);
    await_question(asked, 1);
    finish(recorder);
    yes(asked);
    hearing_finish(hearing);
    forget(asked);
}

static void test_never(void **state) {
    (void)state;
    struct question *asked = question(NULL, NULL);
    struct hearing *hearing;
    struct recorder *recorder = ask(asked, &hearing);
    await_question(asked, 1);
    nw_connection_force_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    discard(recorder);
    hearing_finish(hearing);
    forget(asked);
}

static void twice(struct question *question) {
    yes(question);
    no(question);
}

/* The first answer holds. */
static void test_twice(void **state) {
    (void)state;
    struct question *asked = question(twice, NULL);
    struct hearing *hearing;
    struct recorder *recorder = ask(asked, &hearing);
    await_state(recorder, nw_connection_state_ready);
    finish(recorder);
    hearing_finish(hearing);
    forget(asked);
}

static void cancel_inside(struct question *question) {
    struct recorder *recorder = question->user;
    nw_connection_cancel(recorder->connection);
    yes(question);
}

/* Cancelled in the handler itself: `cancelled` is the end, whatever is answered. */
static void test_cancel_in_the_handler(void **state) {
    (void)state;
    struct question *asked = question(NULL, NULL);
    struct hearing *hearing = hear_secure(secure_server(NULL, NULL));
    char text[8];
    nw_parameters_t parameters = secure_client(ask_to_verify, asked);
    nw_endpoint_t endpoint =
        nw_endpoint_create_host("127.0.0.1", port_text(hearing_port(hearing), text));
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    asked->user = recorder;
    asked->inside = cancel_inside;
    nw_connection_start(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 0);
    discard(recorder);
    nw_release(endpoint);
    nw_release(parameters);
    hearing_finish(hearing);
    forget(asked);
}

/* A peer that goes away while the program thinks: the attempt fails, and restart asks anew. */
static void test_asked_again(void **state) {
    (void)state;
    struct question *asked = question(NULL, NULL);
    struct hearing *hearing;
    struct recorder *recorder = ask(asked, &hearing);
    await_question(asked, 1);
    no(asked);
    await_state(recorder, nw_connection_state_waiting);
    asked->inside = yes;
    nw_connection_restart(recorder->connection);
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(asked->asked, 2);
    finish(recorder);
    hearing_finish(hearing);
    forget(asked);
}

/* --- several addresses --- */

/* Both addresses of "localhost" with one port: sockets that listen, in the order in which the
 * client comes to them; false: somebody else has the port. */
struct two {
    int first, second;
    struct recorder *recorder;
};

static bool two_addresses(struct two *two, struct question *asked) {
    uint16_t port;
    int six = peer_listen(AF_INET6, &port);
    int four = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(four, (struct sockaddr *)&address, sizeof address) != 0) {
        close(six);
        close(four);
        return false;
    }
    assert_int_equal(listen(four, 1), 0);
    char text[8];
    nw_parameters_t parameters = secure_client(ask_to_verify, asked);
    nw_endpoint_t endpoint = nw_endpoint_create_host("localhost", port_text(port, text));
    two->recorder = record(nw_connection_create(endpoint, parameters));
    nw_connection_start(two->recorder->connection);
    nw_release(endpoint);
    nw_release(parameters);
    struct pollfd both[2] = {{.fd = six, .events = POLLIN}, {.fd = four, .events = POLLIN}};
    assert_true(poll(both, 2, WAIT_SECONDS * 1000) > 0);
    two->first = both[0].revents != 0 ? six : four;
    two->second = two->first == six ? four : six;
    return true;
}

static void end_two(struct two *two) {
    finish(two->recorder);
    close(two->first);
    close(two->second);
}

/* The server's part of a handshake, as far as it goes without the client's Finished, until so many
 * questions have been asked; 0: until the client has nothing more to say for a while. */
static struct tls_peer *shake_until(int listening, struct question *asked, int count) {
    enum { QUIET = 100 }; /* ms */
    struct tls_peer *peer =
        tls_peer(peer_accept(listening), GNUTLS_SERVER, &papers()->server, NULL);
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    uint64_t until = now_ns() + WAIT_SECONDS * 1000000000ull;
    for (bool more = true; more && now_ns() < until;) {
        struct pollfd next = {.fd = peer->fd, .events = POLLIN};
        gnutls_handshake(peer->session);
        more = poll(&next, 1, count > 0 ? 10 : QUIET) > 0 || count > 0;
        more = more && (count == 0 || times_asked(asked) < count);
    }
    fcntl(peer->fd, F_SETFL, 0);
    return peer;
}

/* No other address is tried while the program thinks about the first. */
static void test_no_other_address_meanwhile(void **state) {
    (void)state;
    enum { LONGER_THAN_THE_DELAY = 400 }; /* ms; of which the test is that nothing happens */
    struct question *asked = question(NULL, NULL);
    struct two two;
    if (!two_addresses(&two, asked)) {
        forget(asked);
        skip();
    }
    struct tls_peer *peer = shake_until(two.first, asked, 1);
    await_question(asked, 1);
    struct pollfd other = {.fd = two.second, .events = POLLIN};
    assert_int_equal(poll(&other, 1, LONGER_THAN_THE_DELAY), 0);
    yes(asked);
    assert_int_equal(tls_peer_shake(peer), 0);
    await_state(two.recorder, nw_connection_state_ready);
    end_two(&two);
    tls_peer_free(peer);
    forget(asked);
}

/* Two handshakes overlap: the program is asked about one, and about the other when it has refused
 * that one. */
static void test_one_question_at_a_time(void **state) {
    (void)state;
    struct question *asked = question(NULL, NULL);
    struct two two;
    if (!two_addresses(&two, asked)) {
        forget(asked);
        skip();
    }
    struct pollfd other = {.fd = two.second, .events = POLLIN}; /* the first server says nothing */
    assert_int_equal(poll(&other, 1, WAIT_SECONDS * 1000), 1);
    struct tls_peer *second = shake_until(two.second, asked, 1);
    struct tls_peer *first =
        shake_until(two.first, asked, 0); /* comes to its question, and waits */
    assert_int_equal(times_asked(asked), 1);
    no(asked);
    await_question(asked, 2);
    yes(asked);
    assert_int_equal(tls_peer_shake(first), 0);
    await_state(two.recorder, nw_connection_state_ready);
    end_two(&two);
    tls_peer_free(first);
    tls_peer_free(second);
    forget(asked);
}

/* --- our identity --- */

static void require_client(void *context, sec_protocol_options_t options) {
    sec_certificate_t ca = certificate_of(&papers()->ca);
    (void)context;
    sec_protocol_options_set_peer_authentication_required(options, true);
    sec_protocol_options_add_trust_anchor(options, ca);
    sec_release(ca);
}

static void show_client(void *context, sec_protocol_options_t options) {
    sec_identity_t identity = identity_of(context);
    sec_protocol_options_set_local_identity(options, identity);
    sec_release(identity);
}

static void count_one(void *context, sec_certificate_t certificate) {
    (void)certificate;
    ++*(int *)context;
}

static void test_both_show_who_they_are(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(secure_server(require_client, NULL));
    struct recorder *client = record_secure_with(
        hearing_port(hearing), secure_client(show_client, (void *)&papers()->client));
    await_state(client, nw_connection_state_ready);
    struct recorder *server = hearing_await(hearing, 0);
    await_state(server, nw_connection_state_ready);
    sec_protocol_metadata_t sec = secured_by(server->connection);
    int certificates = 0;
    sec_protocol_metadata_access_peer_certificate_chain_f(sec, &certificates, count_one);
    assert_true(certificates >= 1);
    sec_release(sec);
    finish(client);
    hearing_finish(hearing);
}

static void show_answer(struct question *question) {
    sec_identity_t identity = question->user != NULL ? identity_of(question->user) : NULL;
    question->challenge(question->complete_context, identity);
    if (identity != NULL)
        sec_release(identity);
}

static void test_challenge(void **state) {
    (void)state;
    struct question *asked = question(show_answer, (void *)&papers()->client);
    struct hearing *hearing = hear_secure(secure_server(require_client, NULL));
    struct recorder *client =
        record_secure_with(hearing_port(hearing), secure_client(ask_for_identity, asked));
    await_state(client, nw_connection_state_ready);
    await_state(hearing_await(hearing, 0), nw_connection_state_ready);
    assert_int_equal(asked->asked, 1);
    assert_true(asked->on_queue);
    assert_true(asked->had_names);
    finish(client);
    hearing_finish(hearing);
    forget(asked);
}

/* Without one the server refuses: it fails, and the client is told sooner or later (in TLS 1.3 it
 * may have been ready by then). */
static void test_no_identity(void **state) {
    (void)state;
    struct question *asked = question(show_answer, NULL);
    struct hearing *hearing = hear_secure(secure_server(require_client, NULL));
    struct recorder *client =
        record_secure_with(hearing_port(hearing), secure_client(ask_for_identity, asked));
    int receive = record_receive(client, 1, 10);
    assert_error(await_state(hearing_await(hearing, 0), nw_connection_state_failed),
                 nw_error_domain_tls, errSSLCertificateRequired);
    assert_int_equal(await_tag(client, receive)->domain, nw_error_domain_tls);
    finish(client);
    hearing_finish(hearing);
    forget(asked);
}

static void test_unknown_client(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(secure_server(require_client, NULL));
    struct recorder *client = record_secure_with(
        hearing_port(hearing), secure_client(show_client, (void *)&papers()->stranger));
    int receive = record_receive(client, 1, 10);
    assert_int_equal(await_state(hearing_await(hearing, 0), nw_connection_state_failed)->domain,
                     nw_error_domain_tls);
    assert_int_equal(await_tag(client, receive)->domain, nw_error_domain_tls);
    finish(client);
    hearing_finish(hearing);
}

/* A server's program judges its clients, too. */
static void judge_client(void *context, sec_protocol_options_t options) {
    require_client(NULL, options);
    ask_to_verify(context, options);
}

static void test_server_asks(void **state) {
    (void)state;
    struct question *asked = question(yes, NULL);
    struct hearing *hearing = hear_secure(secure_server(judge_client, asked));
    struct recorder *client = record_secure_with(
        hearing_port(hearing), secure_client(show_client, (void *)&papers()->stranger));
    await_state(client, nw_connection_state_ready);
    await_state(hearing_await(hearing, 0), nw_connection_state_ready);
    assert_int_equal(asked->asked, 1);
    assert_int_not_equal(asked->evaluated, 0);
    finish(client);
    hearing_finish(hearing);
    forget(asked);
}

/* A client that leaves while the server's program thinks. */
static void test_client_leaves(void **state) {
    (void)state;
    struct question *asked = question(NULL, NULL);
    struct hearing *hearing = hear_secure(secure_server(judge_client, asked));
    struct recorder *client = record_secure_with(
        hearing_port(hearing), secure_client(show_client, (void *)&papers()->client));
    await_question(asked, 1);
    nw_connection_force_cancel(client->connection);
    await_state(client, nw_connection_state_cancelled);
    discard(client);
    no(asked);
    await_state(hearing_await(hearing, 0), nw_connection_state_failed);
    hearing_finish(hearing);
    forget(asked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yes),
        cmocka_unit_test(test_yes_to_a_stranger),
        cmocka_unit_test(test_no),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_after_the_end),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_cancel_in_the_handler),
        cmocka_unit_test(test_asked_again),
        cmocka_unit_test(test_no_other_address_meanwhile),
        cmocka_unit_test(test_one_question_at_a_time),
        cmocka_unit_test(test_both_show_who_they_are),
        cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_no_identity),
        cmocka_unit_test(test_unknown_client),
        cmocka_unit_test(test_server_asks),
        cmocka_unit_test(test_client_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
