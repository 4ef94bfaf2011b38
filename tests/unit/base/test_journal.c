/*
 * test_journal.c - records reach a journal as fields, and no journal means none is written to.
 * What:   a mount namespace of its own with an empty /run, in which the test plays the journal: a
 *         datagram socket where systemd's would be. Root only; skipped elsewhere.
 * Source: systemd's Native Journal Protocol: one datagram, fields as NAME=value lines.
 */
#include "base/log.h"
#include "fake/await.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

enum { SKIPPED = 77 };
static const char socket_path[] = "/run/systemd/journal/socket";
static int journal = -1;

/* The library reads what there is at its first record: a fresh process logs. */
static int log_once(char *text, size_t size) {
    return run_again("log", text, size);
}

static int run_logger(void) {
    nwi_log(NWI_LOG_NOTICE, "C4.1", "attempt-end", "%s failed: %d", "192.0.2.1:80", 111);
    nwi_log(NWI_LOG_DEBUG, "C4.1", "state", "too quiet for the journal");
    return 0;
}

/* Whether the datagram has this line. */
static bool has_line(const char *text, const char *line) {
    size_t length = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at += length)
        if ((at == text || at[-1] == '\n') && (at[length] == '\n' || at[length] == '\0'))
            return true;
    return false;
}

static void test_without_a_journal(void **state) {
    (void)state;
    char text[4096];
    int status = log_once(text, sizeof text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, ""); /* a notice is not for stderr, unless NW_LOG asks */
    struct stat found;
    assert_int_equal(stat("/run/systemd", &found), -1); /* nor was anything made there */
}

static void test_fields(void **state) {
    (void)state;
    char text[4096], record[8192];
    assert_int_equal(mkdir("/run/systemd", 0755), 0);
    assert_int_equal(mkdir("/run/systemd/journal", 0755), 0);
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(journal >= 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket_path, sizeof socket_path);
    assert_int_equal(bind(journal, (struct sockaddr *)&address, sizeof address), 0);

    int status = log_once(text, sizeof text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, "");
    /* The logger has ended: what it wrote is in the socket. */
    ssize_t size = recv(journal, record, sizeof record - 1, MSG_DONTWAIT);
    assert_true(size > 0);
    record[size] = '\0';
    if (!has_line(record, "MESSAGE=C4.1 192.0.2.1:80 failed: 111") ||
        !has_line(record, "PRIORITY=5") || !has_line(record, "NW_NAME=C4.1") ||
        !has_line(record, "NW_EVENT=attempt-end"))
        fail_msg("the record is \"%s\"", record);
    /* Where it happened is the library's own business. */
    assert_null(strstr(record, "CODE_FILE="));
    /* One record only: debug is not for the journal. */
    assert_int_equal(recv(journal, record, sizeof record - 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

/* A journal that has gone away since is no fault of the program. */
static void test_a_journal_nobody_reads(void **state) {
    (void)state;
    char text[4096];
    assert_int_equal(close(journal), 0); /* its name stays */
    int status = log_once(text, sizeof text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, "");
}

static void test_off_by_environment(void **state) {
    (void)state;
    char text[4096], record[512];
    assert_int_equal(unlink(socket_path), 0);
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(journal >= 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket_path, sizeof socket_path);
    assert_int_equal(bind(journal, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NW_LOG", "error", 1);
    int status = log_once(text, sizeof text);
    unsetenv("NW_LOG");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(recv(journal, record, sizeof record, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    close(journal);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "log") == 0)
        return run_logger();
    unsetenv("NW_LOG");
    /* Ours alone: nothing that is mounted here is seen outside, and it goes with the process. */
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0) {
        fprintf(stderr, "skipped: no mount namespace: %s\n", strerror(errno));
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_journal),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_a_journal_nobody_reads),
        cmocka_unit_test(test_off_by_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
