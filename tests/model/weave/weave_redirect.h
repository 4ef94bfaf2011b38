/*
 * weave_redirect.h - stands before each source that is woven (-include): sends the calls of the
 * system to the weaver, and keeps the data of threads where it can exchange them.
 */
#ifndef TESTS_MODEL_WEAVE_REDIRECT_H
#define TESTS_MODEL_WEAVE_REDIRECT_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define _Thread_local __attribute__((section("weave_thread")))
#define NWI_HOT_THREAD_LOCAL _Thread_local

int weave_mutex_lock(pthread_mutex_t *mutex);
int weave_mutex_unlock(pthread_mutex_t *mutex);
int weave_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                         const struct timespec *until);
int weave_cond_signal(pthread_cond_t *condition);
long weave_syscall(long number, ...);
int weave_create(pthread_t *thread, const pthread_attr_t *attr, void *(*main)(void *),
                 void *argument);
int weave_once(pthread_once_t *once, void (*init)(void));

#define pthread_mutex_lock weave_mutex_lock
#define pthread_mutex_unlock weave_mutex_unlock
#define pthread_cond_timedwait weave_cond_timedwait
#define pthread_cond_signal weave_cond_signal
#define pthread_create weave_create
#define pthread_once weave_once
#define pthread_setname_np(thread, name) ((void)(thread), (void)(name))
#define pthread_sigmask(how, set, old) ((void)(set), (void)(old))
#define syscall weave_syscall
/* Deadlines pass when the weaver chooses; that they differ from run to run would hide equal states.
 */
#define clock_gettime(clock, ret_time) ((ret_time)->tv_sec = (ret_time)->tv_nsec = 0)
/* A loop that yields does so to see another value; the weaver lets it wait for one. */
#define sched_yield() ((void)0)

#endif
