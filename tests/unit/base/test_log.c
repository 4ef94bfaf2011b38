/*
 * test_log.c - levels, lines, the sink.
 */
#include "base/log.h"
#include "fake/await.h"
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>

#include <cmocka.h>

static int records;
static char last[4096];

static void keep(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    records++;
    snprintf(last, sizeof(last), "%d|%s|%s|%s", (int)level, name, event, message);
}

static void sink_gets_every_record(void **state) {
    (void)state;
    nwi_log_set_sink(keep);
    assert_true(nwi_log_enabled(NWI_LOG_DEBUG));
    nwi_log(NWI_LOG_DEBUG, "C8.1", "state", "%s -> %s", "preparing", "ready");
    assert_string_equal(last, "7|C8.1|state|preparing -> ready");
    nwi_log(NWI_LOG_ERROR, NULL, NULL, "x");
    assert_string_equal(last, "3|-|-|x");
    nwi_log_misuse("nw_connection_start", "NULL connection");
    assert_string_equal(last, "3|nw_connection_start|misuse|NULL connection");
    char long_text[5000];
    memset(long_text, 'y', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    nwi_log(NWI_LOG_INFO, "n", "e", "%s", long_text); /* cut, not overrun */
    assert_true(strlen(last) > 1000 && strlen(last) < 1100);
    assert_int_equal(records, 4);
    nwi_log_set_sink(NULL);
}

static void errno_is_left_alone(void **state) {
    (void)state;
    nwi_log_set_sink(keep);
    errno = ENOTTY;
    nwi_log(NWI_LOG_ERROR, "n", "e", "%d", 1);
    assert_int_equal(errno, ENOTTY);
    nwi_log_set_sink(NULL);
}

/* In a process of its own: what comes out at each NW_LOG. */
static void speak(void) {
    nwi_log(NWI_LOG_ERROR, "C1", "state", "an error");
    nwi_log(NWI_LOG_NOTICE, "C1", "state", "a notice");
    nwi_log(NWI_LOG_INFO, "C1", "state", "an info");
    nwi_log(NWI_LOG_DEBUG, "C1.1.2", "attempt", "a debug %d", 7);
}

static int lines_at(const char *wish, char *text, size_t size) {
    if (wish != NULL)
        setenv("NW_LOG", wish, 1);
    else
        unsetenv("NW_LOG");
    int status = run_again("speak", text, size);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

static void variable_chooses_the_levels(void **state) {
    (void)state;
    char text[4096];
    assert_int_equal(lines_at(NULL, text, sizeof(text)), 1);
    assert_int_equal(lines_at("off", text, sizeof(text)), 0);
    assert_int_equal(lines_at("error", text, sizeof(text)), 1);
    assert_int_equal(lines_at("notice", text, sizeof(text)), 2);
    assert_int_equal(lines_at("info", text, sizeof(text)), 3);
    assert_int_equal(lines_at("nonsense", text, sizeof(text)), 1);
    assert_int_equal(lines_at("debug", text, sizeof(text)), 4);
    /* HH:MM:SS.micros nw LEVEL NAME EVENT: MESSAGE */
    assert_true(isdigit((unsigned char)text[0]) && text[2] == ':' && text[5] == ':' &&
                text[8] == '.');
    assert_non_null(strstr(text, " nw error C1 state: an error\n"));
    assert_non_null(strstr(text, " nw debug C1.1.2 attempt: a debug 7\n"));
    unsetenv("NW_LOG");
}

static void *speak_often(void *unused) {
    for (int i = 0; i < 500; i++)
        nwi_log(NWI_LOG_ERROR, "thread", "line", "0123456789");
    return unused;
}

static void lines_of_threads_do_not_mix(void **state) {
    (void)state;
    static char text[400000];
    int status = run_again("threads", text, sizeof(text));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    int lines = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++)
        assert_string_equal(line + strlen("00:00:00.000000"), " nw error thread line: 0123456789");
    assert_int_equal(lines, 4 * 500);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "threads") == 0) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, speak_often, NULL);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        return 0;
    }
    if (argc > 1) {
        speak();
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sink_gets_every_record),
        cmocka_unit_test(errno_is_left_alone),
        cmocka_unit_test(variable_chooses_the_levels),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
