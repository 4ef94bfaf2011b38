/*
 * test_settings_file.c - src/path/settings_file.c and src/sys/file_watch.c: which files count, who
 * may write them, and that changes take effect while the program runs.
 */
#include "base/log.h"
#include "fake/fake_sys.h"
#include "path/settings_file.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE = 10 /* s */ };

static char folder[64], system_file[128], user_file[128];

static void run(const char *format, ...) {
    char command[512];
    va_list more;
    va_start(more, format);
    vsnprintf(command, sizeof command, format, more);
    va_end(more);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}
static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* --- the log --- */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER; /* taken last */
static char last_line[512];
static unsigned line_count;
static void sink(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    (void)name, (void)event;
    if (level > NWI_LOG_NOTICE)
        return;
    pthread_mutex_lock(&log_lock);
    snprintf(last_line, sizeof last_line, "%s", message);
    line_count++;
    pthread_mutex_unlock(&log_lock);
}

/* --- changes --- */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news;
static unsigned changes;
static void changed(void) {
    pthread_mutex_lock(&lock);
    changes++;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}
static enum nwi_settings_choice expensive(const char *interface) {
    struct nwi_settings_interface answer;
    nwi_settings_of(interface, &answer);
    return answer.expensive;
}
/* Changes are told until the answer is this one. */
static void wait_for(const char *interface, enum nwi_settings_choice wanted) {
    struct timespec limit;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE;
    pthread_mutex_lock(&lock);
    while (changes == 0 || expensive(interface) != wanted) {
        if (pthread_cond_timedwait(&news, &lock, &limit) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("%s never became %d", interface, wanted);
        }
    }
    changes = 0;
    pthread_mutex_unlock(&lock);
}

static int set_up(void **state) {
    (void)state;
    strcpy(folder, "/tmp/nw-settings-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(system_file, sizeof system_file, "%s/etc/libnw/network.conf", folder);
    snprintf(user_file, sizeof user_file, "%s/home/.config/libnw/network.conf", folder);
    run("mkdir -p %s/etc/libnw %s/home", folder, folder);
    pthread_mutex_lock(&lock); /* what the test before watched may have its last word now */
    changes = 0;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&log_lock);
    line_count = 0;
    last_line[0] = '\0';
    pthread_mutex_unlock(&log_lock);
    nwi_log_set_sink(sink);
    nwi_settings_set_files(system_file, user_file);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    fake_sys_remove();
    nwi_settings_set_files(NULL, NULL);
    nwi_settings_set_program(NULL);
    nwi_log_set_sink(NULL);
    run("rm -rf %s", folder);
    return 0;
}

/* --- tests --- */
static void no_files(void **state) {
    (void)state;
    assert_false(nwi_path_local_network_denied());
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    assert_int_equal(line_count, 0);
}

/* The user's word about an interface counts for the user's programs; a denial cannot be undone. */
static void two_files(void **state) {
    (void)state;
    run("mkdir -p %s/home/.config/libnw", folder);
    write_file(system_file, "[interface wlan0]\nexpensive = yes\nconstrained = yes\n"
                            "[local-network]\ndeny = tracker\n");
    write_file(user_file, "[interface wlan0]\nexpensive = no\n"
                          "[local-network]\nallow = tracker\ndeny = game\n");
    struct nwi_settings_interface answer;
    nwi_settings_of("wlan0", &answer);
    assert_int_equal(answer.expensive, NWI_SETTINGS_NO);
    assert_int_equal(answer.constrained, NWI_SETTINGS_YES);
    nwi_settings_set_program("/usr/bin/tracker");
    assert_true(nwi_path_local_network_denied());
    nwi_settings_set_program("/usr/bin/game");
    assert_true(nwi_path_local_network_denied());
    nwi_settings_set_program("/usr/bin/other");
    assert_false(nwi_path_local_network_denied());
    /* This program, by the name that the kernel knows. */
    nwi_settings_set_program(NULL);
    write_file(system_file, "[local-network]\ndeny = */test_settings_file\n");
    assert_true(nwi_path_local_network_denied());
}

/* What others may write is refused, and said. */
static void who_may_write(void **state) {
    (void)state;
    write_file(system_file, "[interface wlan0]\nexpensive = yes\n");
    assert_int_equal(chmod(system_file, 0646), 0);
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    assert_true(line_count > 0);
    assert_non_null(strstr(last_line, system_file));
    assert_non_null(strstr(last_line, "others own it or may write to it"));
    assert_int_equal(chmod(system_file, 0664), 0); /* the group is our own */
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
    if (geteuid() == 0) {
        assert_int_equal(chown(system_file, 1234, (gid_t)-1), 0);
        assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
        assert_int_equal(chown(system_file, 0, 1234), 0);
        assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
        assert_int_equal(chmod(system_file, 0644), 0);
        assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
    }
    /* Neither a folder nor a pipe, which would make us wait, nor a very long file. */
    run("rm %s && mkfifo -m 600 %s", system_file, system_file);
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    assert_non_null(strstr(last_line, "not a file"));
    run("rm %s && mkdir %s", system_file, system_file);
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    run("rmdir %s && head -c 65537 /dev/zero > %s", system_file, system_file);
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    assert_non_null(strstr(last_line, "longer than 65536 octets"));
}

/* Written in place, replaced, removed, made with its folders, folders removed: all is seen. */
static void changes_take_effect(void **state) {
    (void)state;
    nwi_settings_watch_begin(changed);
    write_file(system_file, "[interface wlan0]\nexpensive = yes\n");
    wait_for("wlan0", NWI_SETTINGS_YES);
    write_file(system_file, "[interface wlan0]\nexpensive = no\n");
    wait_for("wlan0", NWI_SETTINGS_NO);
    run("echo '[interface wlan0]\nexpensive = yes' > %s.new && mv %s.new %s", system_file,
        system_file, system_file);
    wait_for("wlan0", NWI_SETTINGS_YES);
    run("mkdir -p %s/home/.config/libnw && echo '[interface wlan0]\nexpensive = no' > %s", folder,
        user_file);
    wait_for("wlan0", NWI_SETTINGS_NO);
    run("rm -r %s/home/.config", folder);
    wait_for("wlan0", NWI_SETTINGS_YES);
    run("mkdir -p %s/home/.config/libnw && echo '[interface wlan0]\nexpensive = no' > %s", folder,
        user_file);
    wait_for("wlan0", NWI_SETTINGS_NO);
    run("rm %s", user_file);
    wait_for("wlan0", NWI_SETTINGS_YES);
    run("chmod o+w %s", system_file);
    wait_for("wlan0", NWI_SETTINGS_UNSAID);
    run("chmod o-w %s", system_file);
    wait_for("wlan0", NWI_SETTINGS_YES);
    nwi_settings_set_program("/usr/bin/tracker");
    run("printf '[local-network]\\ndeny = tracker\\n' >> %s", system_file);
    wait_for("wlan0", NWI_SETTINGS_YES);
    assert_true(nwi_path_local_network_denied());
    nwi_settings_watch_end();
}

/* A file that is a link: what it leads to counts. */
static void links(void **state) {
    (void)state;
    run("echo '[interface wlan0]\nexpensive = yes' > %s/target && ln -s %s/target %s", folder,
        folder, system_file);
    nwi_settings_watch_begin(changed);
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
    run("echo '[interface wlan0]\nexpensive = no' > %s/target", folder);
    wait_for("wlan0", NWI_SETTINGS_NO);
    nwi_settings_watch_end();
}

/* Asked often, while nobody watches: a file that has not changed is read once, and what is wrong in
 * it told once. */
static void read_once(void **state) {
    (void)state;
    write_file(system_file, "[interface wlan0]\nexpensive = maybe\nconstrained = yes\n");
    for (int i = 0; i < 3; i++)
        assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    assert_int_equal(line_count, 1);
    write_file(system_file, "[interface wlan0]\nexpensive = yes\n");
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
    assert_int_equal(line_count, 1);
}

/* Begun twice, it goes on after the first end; after the last the files are read when asked. */
static void counted(void **state) {
    (void)state;
    nwi_settings_watch_begin(changed);
    nwi_settings_watch_begin(changed);
    nwi_settings_watch_end();
    write_file(system_file, "[interface wlan0]\nexpensive = yes\n");
    wait_for("wlan0", NWI_SETTINGS_YES);
    nwi_settings_watch_end();
    write_file(system_file, "[interface wlan0]\nexpensive = no\n");
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_NO);
    nwi_settings_watch_end(); /* one too many does nothing */
}

static void read_again(void) {
    nwi_settings_set_files(system_file, user_file);
}

/* Each call failing: what had been read stands after a shortage, and nothing crashes. */
static void failing_calls(void **state) {
    (void)state;
    write_file(system_file, "[interface wlan0]\nexpensive = yes\n[local-network]\ndeny = *\n");
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
    fake_sys_install();
    fake_sys_fail(FAKE_OPEN, 1, 1, EMFILE);
    read_again();
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
    fake_sys_fail(FAKE_OPEN, 1, 1, EACCES);
    read_again();
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    fake_sys_fail(FAKE_FSTAT_FILE, 1, 1, EIO);
    read_again();
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    fake_sys_fail(FAKE_READ, 1, 1, EIO);
    read_again();
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_UNSAID);
    fake_sys_fail(FAKE_READ, 1, 1, EINTR);
    read_again();
    assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
    fake_sys_fail(FAKE_READLINK, 1, 1, EACCES);
    read_again();
    assert_true(nwi_path_local_network_denied()); /* "*" is everybody */
    static const int codes[] = {EMFILE, ENOSPC, ENOMEM};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        fake_sys_fail(FAKE_INOTIFY_INIT, 1, 1, codes[i]);
        line_count = 0;
        nwi_settings_watch_begin(changed);
        assert_int_equal(line_count, 1);
        assert_int_equal(expensive("wlan0"), NWI_SETTINGS_YES);
        nwi_settings_watch_end();
        fake_sys_fail(FAKE_INOTIFY_ADD, 1, 1, codes[i]);
        nwi_settings_watch_begin(changed);
        assert_int_equal(line_count, 2);
        nwi_settings_watch_end();
    }
}

int main(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&news, &attributes);
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(no_files), T(two_files), T(who_may_write), T(changes_take_effect),
        T(links),    T(read_once), T(counted),       T(failing_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
