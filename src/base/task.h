/*
 * task.h - the unit of work that loops and serial contexts run.
 * What:   an intrusive node and a function. It may be posted again, or freed, inside its own run();
 *         it must not be posted while it is already waiting in some list.
 */
#ifndef NWI_BASE_TASK_H
#define NWI_BASE_TASK_H

#include <stddef.h>

struct nwi_task {
    /* Relaxed where a lock, or the list as a whole, carries it from thread to thread (inbox, run
     * list, concurrent queue); release and acquire where the link is what publishes (serial.c). */
    _Atomic(struct nwi_task *) next;
    void (*run)(struct nwi_task *task);
};

#define nwi_container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
