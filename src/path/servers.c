/*
 * servers.c - see servers.h.
 * Source: resolv.conf(5).
 * Runs:   reading on any thread; watching in the monitor's context, which alone touches `current`.
 * Owns:   the watcher.
 */
#include "path/servers.h"
#include "base/log.h"
#include "base/object.h"
#include "dispatch/watch.h"
#include "sys/file_watch.h"
#include "sys/sockets.h"
#include "sys/table.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { READ_MAX = 4096 }; /* octets of the file that are looked at */

static const char standard[] = "/etc/resolv.conf";
static _Atomic(const char *) file = standard;

bool nwi_servers_named(void) {
    char text[READ_MAX + 1] = "\n";
    size_t length = 1;
    int fd = nwi_sys()->open(atomic_load(&file), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return false;
    while (length < sizeof text - 1) {
        ssize_t got = nwi_sys()->read(fd, text + length, sizeof text - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    nwi_socket_close(fd);
    text[length] = '\0';
    return strstr(text, "\nnameserver") != NULL;
}

/* --- watching --- */
struct watcher {
    struct nwi_object base;
    struct nwi_file_watch files;
    struct nwi_watch watch;
};

static struct watcher *current; /* owned; NULL: not watching */
static struct nwi_serial *context;
static void (*hook)(void);

static void watcher_destroy(void *object) {
    nwi_file_watch_close(&((struct watcher *)object)->files);
}
static const struct nwi_type watcher_type = {
    .name = "servers watcher", .size = sizeof(struct watcher), .destroy = watcher_destroy};

static void on_ready(struct nwi_watch *watch, unsigned events);

/* NULL: logged. */
static struct watcher *start_watcher(void) {
    const char *path = atomic_load(&file);
    struct watcher *watcher = nwi_object_create(&watcher_type, 0);
    nwi_err err = NWI_ERR_NOMEM;
    if (watcher != NULL) {
        watcher->files.fd = -1;
        err = nwi_file_watch_open(&path, 1, &watcher->files);
    }
    if (err == 0)
        err = nwi_watch_start_reading(&watcher->watch, context, nwi_loop_pick(), watcher->files.fd,
                                      watcher, on_ready);
    if (err == 0)
        return watcher;
    nwi_log(NWI_LOG_NOTICE, "path", "servers", "changes of %s will not be seen: %s", path,
            nwi_err_text(err));
    return nwi_release(watcher);
}

static void stop_watcher(struct watcher *watcher) {
    if (watcher != NULL)
        nwi_watch_stop(&watcher->watch);
    nwi_release(watcher);
}

/* The file may be another one now: it is found anew before it is read. */
static void on_ready(struct nwi_watch *watch, unsigned events) {
    struct watcher *watcher = nwi_container_of(watch, struct watcher, watch);
    bool changed = true; /* also when reading fails: better look once too often */
    (void)events;
    nwi_err err = nwi_file_watch_drain(&watcher->files, &changed);
    if (err != 0)
        nwi_log(NWI_LOG_NOTICE, "path", "servers", "cannot read changes: %s", nwi_err_text(err));
    if (!changed)
        return;
    current = start_watcher();
    hook();
    stop_watcher(watcher);
}

void nwi_servers_watch_begin(struct nwi_serial *in, void (*changed)(void)) {
    context = in;
    hook = changed;
    current = start_watcher();
}

void nwi_servers_watch_end(void) {
    stop_watcher(current);
    current = NULL;
}

void nwi_servers_set_file(const char *path) {
    atomic_store(&file, path != NULL ? path : standard);
}
