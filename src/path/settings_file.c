/*
 * settings_file.c - see settings_file.h.
 * What:   reads the two files, watches them, and knows which program this process is. A `watcher`
 *         lives from one change to the next: each change makes a new one, since folders may have
 *         come or gone.
 * Source: libnw-network.conf(5); XDG Base Directory Specification; secure_getenv(3); proc(5).
 * Runs:   questions on any thread; reading after a change in a serial context of our own.
 * Owns:   the two snapshots and the watcher, guarded by `lock`.
 */
#include "path/settings_file.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/watch.h"
#include "sys/file_watch.h"
#include "sys/sockets.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define FILE_NAME "libnw/network.conf"

enum { SYSTEM, USER, FILE_COUNT };

struct watcher {
    struct nwi_object base;
    struct nwi_file_watch files;
    struct nwi_watch watch;
    struct nwi_task start, stop;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char path[PATH_MAX]; /* empty: there is none */
    struct nwi_settings *settings;
    bool looked;                /* `settings` is what the file said when it was like this: */
    struct stat status;         /* zero: not there */
} files[FILE_COUNT];            /* under lock */
static bool named;              /* the paths are known; under lock */
static unsigned watches;        /* begins without their end; under lock */
static struct watcher *current; /* under lock */
static _Atomic bool is_watched; /* `denied` and the snapshots are up to date; written under lock */
static _Atomic bool denied;     /* written under lock */
static const char *program;     /* tests; under lock */
static _Atomic(void (*)(void)) hook;
static struct nwi_serial own_context; /* never ends */
static pthread_once_t own_context_once = PTHREAD_ONCE_INIT;
static void init_own_context(void) {
    nwi_serial_init(&own_context, NULL, NULL);
}

/* --- which files --- */
/* Who runs a setuid program chooses its environment, and shall not choose its files. */
static bool name_user_file(char *path, size_t size) {
    const char *folder = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");
    int length = -1;
    if (getauxval(AT_SECURE) != 0)
        return false;
    if (folder != NULL && *folder == '/') /* the specification: others are ignored */
        length = snprintf(path, size, "%s/%s", folder, FILE_NAME);
    else if (home != NULL && *home == '/')
        length = snprintf(path, size, "%s/.config/%s", home, FILE_NAME);
    return length > 0 && (size_t)length < size;
}

static void name_files(void) {
    if (named)
        return;
    named = true;
    snprintf(files[SYSTEM].path, PATH_MAX, "%s/%s", NWI_SYSCONFDIR, FILE_NAME);
    if (!name_user_file(files[USER].path, PATH_MAX))
        files[USER].path[0] = '\0';
}

/* --- reading --- */
/* What others may write could take the network from this program, or open it. */
static bool is_trusted(const struct stat *status) {
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return false;
    if (status->st_mode & S_IWOTH)
        return false;
    return !(status->st_mode & S_IWGRP) || status->st_gid == 0 || status->st_gid == getegid();
}

static nwi_err read_all(int fd, char *text, size_t room, size_t *ret_length) {
    size_t length = 0;
    while (length < room) {
        ssize_t got = nwi_sys()->read(fd, text + length, room - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return nwi_posix(errno);
        if (got == 0)
            break;
        length += (size_t)got;
    }
    *ret_length = length;
    return 0;
}

/* NULL in *ret_settings: refused. Errors: those of fstat and read, NWI_ERR_NOMEM. */
static nwi_err take_file(int fd, const char *path, struct nwi_settings **ret_settings) {
    struct stat status;
    size_t length = 0;
    *ret_settings = NULL;
    if (nwi_sys()->fstat(fd, &status) != 0)
        return nwi_posix(errno);
    if (!S_ISREG(status.st_mode) || !is_trusted(&status)) {
        nwi_log(NWI_LOG_ERROR, "settings", "refused", "%s is ignored: %s", path,
                S_ISREG(status.st_mode) ? "others own it or may write to it" : "not a file");
        return 0;
    }
    char *text = nwi_alloc_raw(NWI_SETTINGS_FILE_MAX + 1);
    if (text == NULL)
        return NWI_ERR_NOMEM;
    nwi_err err = read_all(fd, text, NWI_SETTINGS_FILE_MAX + 1, &length);
    if (err == 0 && length > NWI_SETTINGS_FILE_MAX) {
        nwi_log(NWI_LOG_ERROR, "settings", "refused", "%s is ignored: longer than %d octets", path,
                NWI_SETTINGS_FILE_MAX);
    } else if (err == 0) {
        *ret_settings = nwi_settings_parse(path, text, length);
        if (*ret_settings == NULL)
            err = NWI_ERR_NOMEM;
    }
    nwi_free(text);
    return err;
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Under lock. True: the file looks as it did when it was read. It is not read again then, nor what
 * is wrong in it told again. */
static bool is_known(int which) {
    struct stat status = {0};
    if (files[which].path[0] != '\0' && nwi_sys()->stat(files[which].path, &status) != 0)
        status = (struct stat){0};
    bool known = files[which].looked && is_same(&status, &files[which].status);
    files[which].looked = true;
    files[which].status = status;
    return known;
}

/* Under lock. After a shortage what was read before stands. */
static void load_file(int which) {
    const char *path = files[which].path;
    struct nwi_settings *fresh = NULL;
    nwi_err err = 0;
    if (*path != '\0') {
        int fd = nwi_sys()->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
        err = fd >= 0 ? take_file(fd, path, &fresh) : nwi_posix(errno);
        nwi_socket_close(fd);
    }
    if (err != 0 && err != nwi_posix(ENOENT) && err != nwi_posix(ENOTDIR))
        nwi_log(NWI_LOG_ERROR, "settings", "read", "cannot read %s: %s", path, nwi_err_text(err));
    if (nwi_err_is_shortage(err)) {
        files[which].looked = false;
        return;
    }
    nwi_release(files[which].settings);
    files[which].settings = fresh;
}

/* Under lock. A program that was replaced while it runs is still the one that it was. */
static bool is_denied(void) {
    static const char deleted[] = " (deleted)";
    char path[PATH_MAX];
    if (files[SYSTEM].settings == NULL && files[USER].settings == NULL)
        return false;
    ssize_t length = nwi_sys()->readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) {
        nwi_log(NWI_LOG_ERROR, "settings", "program", "cannot read /proc/self/exe: %s",
                nwi_err_text(nwi_posix(errno)));
        length = 0; /* "deny = *" holds all the same */
    }
    path[length] = '\0';
    size_t end = sizeof deleted - 1;
    if ((size_t)length > end && strcmp(path + (size_t)length - end, deleted) == 0)
        path[(size_t)length - end] = '\0';
    for (int i = 0; i < FILE_COUNT; i++) {
        if (files[i].settings != NULL &&
            nwi_settings_denies(files[i].settings, program != NULL ? program : path))
            return true;
    }
    return false;
}

/* Under lock. `told`: something changed, whatever the file looks like. */
static void load(bool told) {
    name_files();
    for (int i = 0; i < FILE_COUNT; i++) {
        bool known = is_known(i);
        if (told || !known)
            load_file(i);
    }
    atomic_store(&denied, is_denied());
}

/* --- watching --- */
static void watcher_destroy(void *object) {
    struct watcher *watcher = object;
    nwi_file_watch_close(&watcher->files);
}
static const struct nwi_type watcher_type = {
    .name = "settings watcher", .size = sizeof(struct watcher), .destroy = watcher_destroy};

static void start_run(struct nwi_task *task);
static void stop_run(struct nwi_task *task);

/* Under lock; +1, or NULL, logged. */
static struct watcher *create_watcher(void) {
    const char *paths[FILE_COUNT];
    size_t count = 0;
    name_files();
    for (int i = 0; i < FILE_COUNT; i++) {
        if (files[i].path[0] != '\0')
            paths[count++] = files[i].path;
    }
    struct watcher *watcher = nwi_object_create(&watcher_type, 0);
    nwi_err err = NWI_ERR_NOMEM;
    if (watcher != NULL) {
        watcher->files.fd = -1;
        watcher->start.run = start_run;
        watcher->stop.run = stop_run;
        err = nwi_file_watch_open(paths, count, &watcher->files);
    }
    if (err == 0)
        return watcher;
    nwi_log(NWI_LOG_NOTICE, "settings", "watch", "changes of network.conf will not be seen: %s",
            nwi_err_text(err));
    return nwi_release(watcher);
}

static void on_ready(struct nwi_watch *watch, unsigned events);

static void start(struct watcher *watcher) {
    nwi_err err = nwi_watch_start_reading(&watcher->watch, &own_context, nwi_loop_pick(),
                                          watcher->files.fd, watcher, on_ready);
    if (err != 0)
        nwi_log(NWI_LOG_NOTICE, "settings", "watch", "changes of network.conf will not be seen: %s",
                nwi_err_text(err));
}

/* The old watcher is replaced before the files are read, so that no change slips between. */
static void on_ready(struct nwi_watch *watch, unsigned events) {
    struct watcher *watcher = nwi_container_of(watch, struct watcher, watch), *old = NULL;
    bool changed = true; /* also when reading fails: better look once too often */
    (void)events;
    nwi_err err = nwi_file_watch_drain(&watcher->files, &changed);
    if (err != 0)
        nwi_log(NWI_LOG_NOTICE, "settings", "watch", "cannot read changes: %s", nwi_err_text(err));
    if (!changed)
        return;
    pthread_mutex_lock(&lock);
    bool ended = watcher != current; /* its stop is on its way */
    struct watcher *fresh = ended ? NULL : create_watcher();
    if (fresh != NULL) {
        old = current;
        current = fresh;
        start(fresh);
    }
    if (!ended)
        load(true);
    pthread_mutex_unlock(&lock);
    if (old != NULL) {
        nwi_watch_stop(&old->watch);
        nwi_release(old);
    }
    void (*tell)(void) = atomic_load(&hook);
    if (!ended && tell != NULL)
        tell();
}

static void start_run(struct nwi_task *task) {
    struct watcher *watcher = nwi_container_of(task, struct watcher, start);
    start(watcher);
    nwi_release(watcher);
}

static void stop_run(struct nwi_task *task) {
    struct watcher *watcher = nwi_container_of(task, struct watcher, stop);
    nwi_watch_stop(&watcher->watch);
    nwi_release(watcher);
}

void nwi_settings_watch_begin(void (*changed)(void)) {
    pthread_once(&own_context_once, init_own_context);
    bool tell = false;
    pthread_mutex_lock(&lock);
    atomic_store(&hook, changed);
    if (watches++ == 0) {
        current = create_watcher();
        load(false);
        /* What was asked before may have been answered without it. */
        tell = files[SYSTEM].settings != NULL || files[USER].settings != NULL;
        atomic_store(&is_watched, true);
        if (current != NULL) {
            nwi_retain(current); /* until start_run ran */
            nwi_serial_push(&own_context, &current->start);
        }
    }
    pthread_mutex_unlock(&lock);
    if (tell && changed != NULL)
        changed();
}

void nwi_settings_watch_end(void) {
    pthread_mutex_lock(&lock);
    if (watches > 0 && --watches == 0) {
        atomic_store(&is_watched, false);
        if (current != NULL) /* its reference travels with the stop task */
            nwi_serial_push(&own_context, &current->stop);
        current = NULL;
    }
    pthread_mutex_unlock(&lock);
}

/* --- questions --- */
bool nwi_path_local_network_denied(void) {
    if (atomic_load(&is_watched))
        return atomic_load(&denied);
    pthread_mutex_lock(&lock);
    if (!atomic_load(&is_watched))
        load(false);
    bool answer = atomic_load(&denied);
    pthread_mutex_unlock(&lock);
    return answer;
}

void nwi_settings_of(const char *interface, struct nwi_settings_interface *ret_answer) {
    struct nwi_settings_interface answer = {0};
    pthread_mutex_lock(&lock);
    if (!atomic_load(&is_watched))
        load(false);
    for (int i = 0; i < FILE_COUNT; i++) {
        if (files[i].settings != NULL)
            nwi_settings_interface(files[i].settings, interface, &answer);
    }
    pthread_mutex_unlock(&lock);
    *ret_answer = answer;
}

/* --- tests --- */
void nwi_settings_set_files(const char *system, const char *user) {
    pthread_mutex_lock(&lock);
    named = true;
    snprintf(files[SYSTEM].path, PATH_MAX, "%s", system != NULL ? system : "");
    snprintf(files[USER].path, PATH_MAX, "%s", user != NULL ? user : "");
    load(true);
    pthread_mutex_unlock(&lock);
}

void nwi_settings_set_program(const char *executable) {
    pthread_mutex_lock(&lock);
    program = executable;
    load(true);
    pthread_mutex_unlock(&lock);
}
