/*
 * objects.h - what the files of fuzz_objects.c share: the slots, and the steps of a program.
 */
#ifndef TESTS_FUZZ_OBJECTS_H
#define TESTS_FUZZ_OBJECTS_H

#include "program.h"
#include <Network/Network.h>

enum kind {
    ENDPOINT,
    PARAMETERS,
    STACK,
    OPTIONS,
    DEFINITION,
    METADATA,
    CONTEXT,
    INTERFACE,
    PATH,
    FAILURE,
    SECURITY,
    CONTENT,
    DESCRIPTOR,
    KIND_COUNT
};
enum { SLOTS = 4 };
extern void *slots[KIND_COUNT][SLOTS];

static inline void *pick(struct program *p, enum kind kind) {
    unsigned which = take_octet(p) % (SLOTS + 1);
    return which < SLOTS ? slots[kind][which] : NULL;
}

/* Takes over the reference. */
static inline void put(struct program *p, enum kind kind, void *object) {
    void **slot = &slots[kind][take_octet(p) % SLOTS];
    nw_release(*slot);
    *slot = object;
}

/* A handler's argument outlives the handler when it is retained there. */
static inline void keep(struct program *p, enum kind kind, void *lent) {
    put(p, kind, nw_retain(lent));
}

/* Iterates interfaces: keeps some, stops somewhere. context: the program. */
bool see_interface(void *context, nw_interface_t interface);

/* objects_settings.c: parameters, protocol stacks, options of the protocols and of security. */
void make_parameters(struct program *p);
void switch_parameters(struct program *p);
void number_parameters(struct program *p);
void rule_parameters(struct program *p);
void change_stack(struct program *p);
void make_options(struct program *p);
void switch_options(struct program *p);
void number_options(struct program *p);
void switch_security(struct program *p);
void number_security(struct program *p);
void use_security(struct program *p);

#endif
