/*
 * files.c - a file through two nwcats, and through two ncats.
 * What:   one listens and writes to /dev/null, the other sends the file from its standard input.
 *         Figures: seconds from the start of the sender to the end of both; processor seconds of
 * both; each for a GiB. The file has no name: it is gone when this program is.
 * Runs:   one thread; the four programs are processes of their own.
 */
#include "harness.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { LIMIT_S = 120, LISTEN_LIMIT_S = 10, MIB = 1 << 20, ARGUMENTS_MAX = 8, GIB_IN_MIB = 1024 };

struct tool {
    bool nwcat;
    unsigned mib;
};

/* "HOST PORT" follow. */
static const char *const arguments[2][2][ARGUMENTS_MAX] = {
    {{"ncat", "--send-only"}, {"ncat", "-l", "--recv-only"}},
    {{"nwcat", "--no-progress"}, {"nwcat", "-l", "--no-progress"}},
};

/* --- the file --- */

/* A file of so many MiB, made once and as long as needed; -1 when that fails. */
static int get_file(unsigned mib) {
    static int fd = -1;
    static unsigned size;
    static char block[MIB];
    const char *folder = getenv("TMPDIR");
    if (fd < 0)
        fd = open(folder != NULL ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    memset(block, 'x', sizeof block);
    for (; fd >= 0 && size < mib; size++) {
        if (pwrite(fd, block, sizeof block, (off_t)size * MIB) != MIB) {
            perror("bench: the file");
            return -1;
        }
    }
    if (fd < 0 || ftruncate(fd, (off_t)mib * MIB) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        perror("bench: the file");
        return -1;
    }
    size = mib;
    return fd;
}

/* --- the processes --- */

/* build/bench/files -> build/tools/nwcat */
static bool find_nwcat(char *ret_path, size_t room) {
    ssize_t length = readlink("/proc/self/exe", ret_path, room - 1);
    for (unsigned i = 0; i < 2 && length > 0; i++) {
        while (--length > 0 && ret_path[length] != '/')
            ;
    }
    if (length <= 0 || (size_t)length + sizeof "/tools/nwcat" > room)
        return false;
    strcpy(ret_path + length, "/tools/nwcat");
    return access(ret_path, X_OK) == 0;
}

/* Returns the process, or -1. `input` < 0: /dev/null. */
static pid_t spawn(bool nwcat, bool listens, const char *port, int input) {
    char path[4096];
    const char *const *options = arguments[nwcat][listens];
    char *argv[ARGUMENTS_MAX + 3];
    unsigned count = 0;
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    if (nwcat && !find_nwcat(path, sizeof path))
        return -1;
    for (; options[count] != NULL; count++)
        argv[count] = (char *)options[count];
    argv[count++] = (char *)"127.0.0.1";
    argv[count++] = (char *)port;
    argv[count] = NULL;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    int err = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (err == 0 && input >= 0)
        err = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    else if (err == 0)
        err = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (err == 0)
        err = posix_spawnp(&pid, nwcat ? path : "ncat", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return err == 0 ? pid : -1;
}

/* Waits for its end, for so long; kills it when that does not come. Returns the processor seconds
 * that it has used, or a negative number when it was killed or did not end well. */
static double finish(pid_t pid, double seconds) {
    struct rusage used;
    int status = 0, fd = pidfd_open(pid, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&ended, 1, seconds > 0 ? (int)(seconds * 1e3) : 0) != 1)
        kill(pid, SIGKILL); /* not reaped yet: the number is still its own */
    if (fd >= 0)
        close(fd);
    while (wait4(pid, &status, 0, &used) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return status != 0 ? -1
                       : (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                             (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* --- the port --- */

/* One that is free now; 0 when there is none. ncat cannot choose one itself and tell. */
static uint16_t find_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    if (fd >= 0)
        close(fd);
    return good ? ntohs(address.sin_port) : 0;
}

static bool is_listening(uint16_t port) {
    char line[512], wanted[32];
    bool found = false;
    FILE *table = fopen("/proc/net/tcp", "re");
    snprintf(wanted, sizeof wanted, ":%04X 00000000:0000 0A", port);
    while (table != NULL && !found && fgets(line, sizeof line, table) != NULL)
        found = strstr(line, wanted) != NULL;
    if (table != NULL)
        fclose(table);
    return found;
}

static bool wait_listening(uint16_t port) {
    double limit = bench_now() + LISTEN_LIMIT_S;
    while (!is_listening(port)) {
        if (bench_now() > limit)
            return false;
        bench_pause(0.002);
    }
    return true;
}

/* --- the rows --- */

static bool measure(const void *what, double seconds, double *ret_values) {
    const struct tool *tool = what;
    double sent = -1, received = -1, start = 0;
    uint16_t port = find_port();
    char text[8];
    int file = get_file(tool->mib);
    (void)seconds;
    snprintf(text, sizeof text, "%u", port);
    pid_t receiver = port != 0 && file >= 0 ? spawn(tool->nwcat, true, text, -1) : -1;
    if (receiver < 0)
        return false;
    if (wait_listening(port)) {
        start = bench_now();
        pid_t sender = spawn(tool->nwcat, false, text, file);
        if (sender >= 0)
            sent = finish(sender, LIMIT_S);
    }
    received = finish(receiver, sent >= 0 ? LIMIT_S : 0);
    double gib = (double)tool->mib / GIB_IN_MIB;
    ret_values[0] = (bench_now() - start) / gib;
    ret_values[1] = (sent + received) / gib;
    return sent >= 0 && received >= 0;
}

static bool have_ncat(void) {
    for (const char *at = getenv("PATH"); at != NULL && *at != '\0';) {
        char path[4096];
        size_t length = strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s/ncat", (int)length, at);
        if (access(path, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

#define ROW(text, size, only_full, ncat)                                                           \
    {                                                                                              \
        .name = text, .measure = measure, .full = only_full,                                       \
        .figures = {{.name = "wall", .unit = "s/GiB", .less = true},                               \
                    {.name = "processor", .unit = "s/GiB", .less = true}},                         \
        .sides = {{"libnw", &(struct tool){true, size}, {0}},                                      \
                  {ncat, &(struct tool){false, size}, {1, 1}}},                                    \
    }

int main(int argc, char **argv) {
    const char *ncat = have_ncat() ? "ncat" : NULL;
    const char *const notes[] = {ncat == NULL ? "ncat is not installed: left out" : NULL, NULL};
    const struct bench_row rows[] = {
        ROW("a file of 256 MiB", 256, false, ncat),
        ROW("a file of 1 GiB", GIB_IN_MIB, true, ncat),
    };
    const struct bench_program program = {.name = "files",
                                          .title = "A file through two nwcats over 127.0.0.1",
                                          .notes = notes,
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};
    return bench_main(argc, argv, &program);
}
