/*
 * test_keylog.c - which files SSLKEYLOGFILE may name, and what is written there.
 * The variable is read once in a process, so each case has a process of its own.
 */
#include "bare_pair.h"
#include "base/log.h"
#include "protocol/tls/keylog.h"
#include "sys/table.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/nw-keylog-XXXXXX";
static char path[64], other[64];

static char logged[1024];
static unsigned errors, notices;

static void sink(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    (void)name, (void)event;
    errors += level == NWI_LOG_ERROR;
    notices += level == NWI_LOG_NOTICE;
    snprintf(logged, sizeof logged, "%s", message);
}

static void shake(const char *priority) {
    static struct bare_pair pair;
    gnutls_session_t whose;
    bare_pair_open(&pair, priority, NULL, 0, 0);
    nwi_tls_keylog_attach(pair.client.session);
    nwi_tls_keylog_attach(pair.server.session);
    assert_int_equal(bare_pair_shake(&pair, &whose), 0);
    bare_pair_close(&pair);
}

/* Runs `body` in a process with SSLKEYLOGFILE=value; whether it came to its end. */
static void in_process(const char *value, void (*body)(void)) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (value != NULL)
            setenv("SSLKEYLOGFILE", value, 1);
        else
            unsetenv("SSLKEYLOGFILE");
        nwi_log_set_sink(sink);
        body();
        _exit(42);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static char *content(const char *name) {
    static char text[16384];
    FILE *file = fopen(name, "r");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL)
        fclose(file);
    text[size] = '\0';
    return text;
}

/* In a child a failed assertion would run the parent's other tests. */
static void need(bool holds, int line) {
    if (holds)
        return;
    fprintf(stderr, "line %d does not hold; logged: %s\n%s", line, logged, content(path));
    _exit(1);
}
#define NEED(condition) need(condition, __LINE__)

static unsigned count_lines(const char *text, const char *label, size_t secret_digits) {
    unsigned lines = 0;
    size_t length = strlen(label) + 1 + 64 + 1 + secret_digits;
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1)
        lines += strncmp(at, label, strlen(label)) == 0 && at[strlen(label)] == ' ' &&
                 (size_t)(strchr(at, '\n') - at) == length;
    return lines;
}

/* --- cases --- */

static unsigned runs; /* before this one, to the same file */

static void body_written(void) {
    unsigned lines = 2 * runs + 2; /* both ends write */
    struct stat status;
    shake("NORMAL:-VERS-ALL:+VERS-TLS1.3");
    NEED(errors == 1); /* the warning, once, with the file's name */
    NEED(strstr(logged, path) != NULL);
    NEED(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    const char *text = content(path);
    NEED(count_lines(text, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", 96) == lines); /* SHA-384 */
    NEED(count_lines(text, "SERVER_TRAFFIC_SECRET_0", 96) == lines);
    NEED(count_lines(text, "EXPORTER_SECRET", 96) == lines);
    shake("NORMAL:-VERS-ALL:+VERS-TLS1.2");
    NEED(errors == 1);
    NEED(count_lines(content(path), "CLIENT_RANDOM", 96) ==
         lines); /* the master secret: 48 octets */
}

static void secrets_are_written(void **state) {
    (void)state;
    mode_t mask = umask(0);
    in_process(path, body_written);
    umask(mask);
    runs = 1; /* a file from before is added to */
    in_process(path, body_written);
}

static void body_refused(void) {
    shake(NULL);
    NEED(errors == 1);
    NEED(strstr(logged, "is not used") != NULL);
    shake(NULL);
    NEED(errors == 1);
}

static void open_to_others_is_refused(void **state) {
    (void)state;
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_true(fd >= 0);
    static const mode_t modes[] = {0644, 0640, 0602, 0666};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(fchmod(fd, modes[i]), 0);
        in_process(path, body_refused);
        assert_string_equal(content(path), ""); /* not by GnuTLS itself either */
    }
    close(fd);
}

static void what_is_no_plain_file_is_refused(void **state) {
    (void)state;
    int fd = open(other, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(symlink(other, path), 0);
    in_process(path, body_refused);
    assert_string_equal(content(other), "");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    in_process(path, body_refused);
    in_process(folder, body_refused);
    in_process("/nowhere/at/all", body_refused);
}

static void body_silent(void) {
    shake(NULL);
    NEED(errors == 0 && notices == 0);
}

static void unset_is_silent(void **state) {
    (void)state;
    in_process(NULL, body_silent);
    in_process("", body_silent);
}

static ssize_t full_disk(int fd, const void *octets, size_t size) {
    (void)fd, (void)octets, (void)size;
    errno = ENOSPC;
    return -1;
}

static void body_full_disk(void) {
    static struct nwi_sys_table table;
    table = nwi_sys_kernel;
    table.write = full_disk;
    nwi_sys_swap(&table);
    shake(NULL); /* goes on */
    NEED(notices > 0);
}

static void full_disk_ends_nothing(void **state) {
    (void)state;
    in_process(path, body_full_disk);
}

static int clean(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return 0;
}

static int setup(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/keys", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int teardown(void **state) {
    clean(state);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(secrets_are_written, clean),
        cmocka_unit_test_teardown(open_to_others_is_refused, clean),
        cmocka_unit_test_teardown(what_is_no_plain_file_is_refused, clean),
        cmocka_unit_test_teardown(unset_is_silent, clean),
        cmocka_unit_test_teardown(full_disk_ends_nothing, clean),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
