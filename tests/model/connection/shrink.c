/*
 * shrink.c - see shrink.h.
 * What:   runs the plan without a half, a quarter, ... one of its steps, each time in a process of
 *         its own, since a failure ends the process.
 * Runs:   on a thread that holds nothing; not in a crash, where a fork may wait for ever.
 */
#include "shrink.h"
#include "base/clock.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sequence with threads in it may fail now and then only; one that hangs is ended. */
enum { TRIES = 3, TRY_SECONDS = 40 };

struct search {
    char path[64];
    bool faults;
    nwi_ns end;
};

static bool write_plan(const struct plan *plan, const char *path) {
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return false;
    plan_write(plan, out);
    return fclose(out) == 0;
}

static _Noreturn void replay(const struct search *search, unsigned seconds) {
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDERR_FILENO); /* what went wrong first is what the log shall end with */
    alarm(seconds);
    execl("/proc/self/exe", "connection_model", "--quiet", "--replay", search->path,
          search->faults ? "--faults" : NULL, NULL);
    _exit(0);
}

/* Also when the time is over before it is known. */
enum outcome { PASSED, FAILED, UNKNOWN };

static enum outcome run_once(const struct search *search) {
    nwi_ns now = nwi_now();
    if (now >= search->end)
        return UNKNOWN;
    unsigned left = (unsigned)((search->end - now) / NWI_SEC) + 1;
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        replay(search, left < TRY_SECONDS ? left : TRY_SECONDS);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return UNKNOWN;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM && left < TRY_SECONDS)
        return UNKNOWN;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? PASSED : FAILED;
}

static bool still_fails(const struct plan *plan, const struct search *search) {
    enum outcome outcome = PASSED;
    for (int i = 0; i < TRIES && outcome == PASSED && write_plan(plan, search->path); i++)
        outcome = run_once(search);
    return outcome == FAILED;
}

static struct plan without(const struct plan *plan, unsigned from, unsigned count) {
    struct plan smaller = *plan;
    memmove(smaller.steps + from, smaller.steps + from + count,
            (plan->count - from - count) * sizeof smaller.steps[0]);
    smaller.count -= count;
    return smaller;
}

bool plan_shrink(struct plan *plan, bool faults, unsigned seconds) {
    struct search search = {.faults = faults, .end = nwi_now() + seconds * NWI_SEC};
    snprintf(search.path, sizeof search.path, "model-%d.plan", (int)getpid());
    bool fails = still_fails(plan, &search);
    for (unsigned chunk = fails ? plan->count / 2 : 0; chunk >= 1; chunk /= 2)
        for (unsigned from = 0; from + chunk <= plan->count && nwi_now() < search.end;) {
            struct plan smaller = without(plan, from, chunk);
            if (still_fails(&smaller, &search))
                *plan = smaller;
            else
                from += chunk;
        }
    unlink(search.path);
    return fails;
}
