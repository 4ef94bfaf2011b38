/*
 * doors.c - where commands come in.
 * What:   a reader for each client gathers lines; a line too long or an answer that the client does
 *         not take ends the client, never the wire.
 * Runs:   in the only thread of nwlink.
 * Owns:   the listening socket and its file, and the clients' sockets.
 */
#include "doors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 16 };

struct client {
    struct nwlink_watch watch;
    struct nwlink_doors *doors;
    int in, out; /* below 0: none, and it may be used anew after a sweep */
    bool gone;
    char line[NWLINK_CONTROL_LINE];
    size_t used;
};

struct nwlink_doors {
    struct nwlink_control *control;
    int loop, listener;
    struct nwlink_watch watch;
    struct sockaddr_un address;
    struct client clients[CLIENTS_MAX];
};

static void answer(struct client *client, char *line) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return;
    nwlink_control_obey(client->doors->control, line, out);
    if (fclose(out) == 0 && size > 0 && write(client->out, text, size) != (ssize_t)size)
        client->gone = true;
    free(text);
}

static void take_lines(struct client *client) {
    char *start = client->line, *end;
    while ((end = memchr(start, '\n', client->used - (size_t)(start - client->line))) != NULL) {
        *end = '\0';
        answer(client, start);
        start = end + 1;
    }
    client->used -= (size_t)(start - client->line);
    memmove(client->line, start, client->used);
    if (client->used == sizeof client->line) {
        static const char text[] = "error the line is too long\n";
        ssize_t ignored = write(client->out, text, sizeof text - 1);
        (void)ignored; /* it goes either way */
        client->gone = true;
    }
}

static void on_input(void *context, uint32_t events) {
    struct client *client = context;
    (void)events;
    if (client->gone)
        return;
    ssize_t got = read(client->in, client->line + client->used, sizeof client->line - client->used);
    if (got > 0) {
        client->used += (size_t)got;
        take_lines(client);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        client->gone = true;
    }
}

static bool admit(struct nwlink_doors *doors, int in, int out) {
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &doors->clients[i];
        if (client->in >= 0)
            continue;
        client->watch = (struct nwlink_watch){.context = client, .ready = on_input};
        if (!nwlink_loop_watch(doors->loop, in, EPOLLIN, &client->watch))
            return false;
        client->in = in;
        client->out = out;
        client->used = 0;
        client->gone = false;
        return true;
    }
    errno = EMFILE;
    return false;
}

static void on_client(void *context, uint32_t events) {
    struct nwlink_doors *doors = context;
    (void)events;
    int fd = accept4(doors->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 && !admit(doors, fd, fd))
        close(fd);
}

void nwlink_doors_sweep(struct nwlink_doors *doors) {
    for (unsigned i = 0; doors != NULL && i < CLIENTS_MAX; i++) {
        struct client *client = &doors->clients[i];
        if (client->in < 0 || !client->gone)
            continue;
        if (client->in == STDIN_FILENO)
            doors->control->quit = true;
        close(client->in); /* leaves the loop with it */
        client->in = -1;
    }
}

/* A file that nobody listens at any more may go; anything else stays, and bind complains. */
static void remove_dead_socket(const struct sockaddr_un *address) {
    struct stat status;
    if (stat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    if (connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(probe);
}

static bool listen_at(struct nwlink_doors *doors, const char *path, char *why) {
    struct sockaddr_un *address = &doors->address;
    if (strlen(path) >= sizeof address->sun_path || *path == '\0') {
        snprintf(why, NWLINK_WHY, "'%.60s' is not a path of 1 to %zu octets", path,
                 sizeof address->sun_path - 1);
        return false;
    }
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    remove_dead_socket(address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0077);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof *address) == 0;
    int error = errno;
    umask(before);
    if (bound) {
        doors->listener = fd;
        doors->watch = (struct nwlink_watch){.context = doors, .ready = on_client};
        if (listen(fd, CLIENTS_MAX) == 0 &&
            nwlink_loop_watch(doors->loop, fd, EPOLLIN, &doors->watch))
            return true;
        error = errno;
    } else if (fd >= 0) {
        close(fd);
    }
    snprintf(why, NWLINK_WHY, "cannot listen at '%.60s': %s", path, strerror(error));
    return false;
}

struct nwlink_doors *nwlink_doors_open(int loop, struct nwlink_control *control, const char *path,
                                       char *why) {
    struct nwlink_doors *doors = calloc(1, sizeof *doors);
    if (doors == NULL) {
        snprintf(why, NWLINK_WHY, "out of memory");
        return NULL;
    }
    doors->control = control;
    doors->loop = loop;
    doors->listener = -1;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        doors->clients[i].in = -1;
        doors->clients[i].doors = doors;
    }
    if (strcmp(path, "-") != 0 && listen_at(doors, path, why))
        return doors;
    if (strcmp(path, "-") == 0) {
        if (admit(doors, STDIN_FILENO, STDOUT_FILENO))
            return doors;
        snprintf(why, NWLINK_WHY, "cannot take commands from standard input: %s",
                 errno == EPERM ? "it is a file; make it a pipe or a terminal" : strerror(errno));
    }
    nwlink_doors_close(doors);
    return NULL;
}

void nwlink_doors_close(struct nwlink_doors *doors) {
    if (doors == NULL)
        return;
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (doors->clients[i].in > STDIN_FILENO)
            close(doors->clients[i].in);
    if (doors->listener >= 0) {
        unlink(doors->address.sun_path);
        close(doors->listener);
    }
    free(doors);
}
