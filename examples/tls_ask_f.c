/*
 * tls_ask_f.c - asks the person at the terminal before it trusts what the rules refuse.
 * What:   the verify handler only evaluates; the question waits in another thread, for as long as
 *         the person likes, and the answer completes the handshake from there. No loop stands still
 *         meanwhile.
 * Use:  tls_ask_f HOST PORT
 */
#include <Network/Network.h>
#include <Security/trust_evaluation.h>
#include <stdio.h>
#include <stdlib.h>

struct question {
    char *reason;
    sec_protocol_verify_complete_f complete;
    void *complete_context;
};

/* Runs on a queue that may block. */
static void ask(void *context) {
    struct question *question = context;
    char answer[16];
    printf("The server's certificate is not trusted:\n  %s\nConnect all the same? [y/N] ",
           question->reason != NULL ? question->reason : "out of memory");
    fflush(stdout);
    bool yes = fgets(answer, sizeof answer, stdin) != NULL && answer[0] == 'y';
    question->complete(question->complete_context, yes); /* from any thread, any time later */
    free(question->reason);
    free(question);
}

static void verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                   sec_protocol_verify_complete_f complete, void *complete_context) {
    (void)context, (void)metadata;
    bool trusted = sec_trust_evaluate(trust) == 0;
    struct question *question = trusted ? NULL : calloc(1, sizeof *question);
    if (question == NULL) {
        complete(complete_context, trusted);
        return;
    }
    *question = (struct question){sec_trust_copy_reason(trust), complete, complete_context};
    dispatch_async_f(dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_DEFAULT, 0), question, ask);
}

static void configure(void *context, nw_protocol_options_t tls) {
    sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
    sec_protocol_options_set_verify_block_f(options, context, verify, dispatch_get_main_queue());
    sec_release(options);
}

static void state_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    static int status = EXIT_FAILURE;
    nw_connection_t connection = context;
    if (state == nw_connection_state_ready) {
        printf("connected\n");
        status = EXIT_SUCCESS;
        nw_connection_cancel(connection);
    } else if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
        char *why = nw_error_copy_description(error);
        fprintf(stderr, "%s\n", why != NULL ? why : "out of memory");
        free(why);
        nw_connection_cancel(connection);
    } else if (state == nw_connection_state_cancelled) {
        exit(status);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "use: tls_ask_f HOST PORT\n");
        return 2;
    }
    nw_endpoint_t endpoint = nw_endpoint_create_host(argv[1], argv[2]);
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, configure, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, connection, state_changed);
    nw_connection_start(connection);
    nw_release(parameters); /* the connection holds what it needs */
    nw_release(endpoint);
    dispatch_main();
}
