/*
 * netns.c - network namespaces: found by name, entered, left.
 * Source: setns(2), network_namespaces(7); /run/netns is the place of ip-netns(8).
 * Runs:   in the only thread of nwlink.
 */
#include "netns.h"

#include "conditions.h"
#include "device.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char own[] = "/proc/self/ns/net";

const char *nwlink_rights_hint(int error) {
    return error == EPERM || error == EACCES
               ? "; run as root, or in a namespace of your own: unshare -rn nwlink ..."
               : "";
}

static bool is_number(const char *text) {
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

int nwlink_netns_open(const char *name, char *why) {
    char path[300];
    int length;
    if (strcmp(name, ".") == 0)
        length = snprintf(path, sizeof path, "%s", own);
    else if (strchr(name, '/') != NULL)
        length = snprintf(path, sizeof path, "%s", name);
    else
        length = snprintf(path, sizeof path, "/run/netns/%s", name);
    int fd = length < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 && is_number(name) && errno == ENOENT) { /* a name of digits alone is a name first */
        snprintf(path, sizeof path, "/proc/%s/ns/net", name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        snprintf(why, NWLINK_WHY, "no network namespace '%.40s': %s", name, strerror(errno));
    return fd;
}

int nwlink_netns_enter(int fd, char *why) {
    int before = open(own, O_RDONLY | O_CLOEXEC);
    if (before < 0 || setns(fd, CLONE_NEWNET) != 0) {
        snprintf(why, NWLINK_WHY, "cannot enter the network namespace: %s%s", strerror(errno),
                 nwlink_rights_hint(errno));
        if (before >= 0)
            close(before);
        return -1;
    }
    return before;
}

void nwlink_netns_leave(int before) {
    if (setns(before, CLONE_NEWNET) != 0)
        abort(); /* it was ours a moment ago: going on in a strange namespace would be worse */
    close(before);
}

int nwlink_netns_create(char *why) {
    int before = open(own, O_RDONLY | O_CLOEXEC);
    if (before < 0 || unshare(CLONE_NEWNET) != 0) {
        snprintf(why, NWLINK_WHY, "cannot make a network namespace: %s%s", strerror(errno),
                 nwlink_rights_hint(errno));
        if (before >= 0)
            close(before);
        return -1;
    }
    int fresh = open(own, O_RDONLY | O_CLOEXEC);
    if (fresh < 0)
        snprintf(why, NWLINK_WHY, "%s: %s", own, strerror(errno));
    else if (!nwlink_device_up("lo", 0, 0, why)) {
        close(fresh);
        fresh = -1;
    }
    nwlink_netns_leave(before);
    return fresh;
}
