/*
 * nw_object.h - what every Network object has in common.
 * Objects are reference counted. A function with `create` or `copy` in its name gives the caller a
 * reference, to be given back with nw_release(); `get` lends the object for as long as its owner
 * lives; the arguments of a handler are lent for the duration of the call. Every call that takes a
 * block has a twin whose name ends in `_f`: each block is replaced there by a context and a
 * function, and the function gets that context as its first argument. The twins need no block
 * support in the compiler.
 */
#ifndef NETWORK_NW_OBJECT_H
#define NETWORK_NW_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
#define NW_EXTERN_C_BEGIN extern "C" {
#define NW_EXTERN_C_END }
#define NW_EXTERN extern "C"
#else
#define NW_EXTERN_C_BEGIN
#define NW_EXTERN_C_END
#define NW_EXTERN extern
#endif

#define NW_EXPORT __attribute__((visibility("default")))
#define NW_EXPORT_PROJECT __attribute__((visibility("hidden")))

/* Declares the pointer type NAME_t of an opaque object, distinct from every other object type. */
#define NW_OBJECT_DECL(type) typedef struct type *type##_t
#define NW_SENDABLE_OBJECT_DECL(type) NW_OBJECT_DECL(type)
#define NW_OBJECT_DECL_SUBCLASS(type, super) NW_OBJECT_DECL(type)

/* Enumerations with a fixed integer type; in C the type is the integer itself. */
#define NW_ENUM(_type, _name, ...)                                                                 \
    typedef _type _name##_t;                                                                       \
    enum { __VA_ARGS__ }
#define NW_OPTIONS(_type, _name)                                                                   \
    typedef _type _name;                                                                           \
    enum

/* Annotations that other compilers use; nothing here needs them. */
#define NW_SWIFT_SENDABLE
#define NW_NO_DESTROY
#define NW_ASSUME_NONNULL_BEGIN
#define NW_ASSUME_NONNULL_END
#define NW_NONNULL_ARRAY
#define NW_RETURNS_RETAINED
#define NW_SWIFT_DISABLE_ASYNC
#define NW_RETURNS_NOT_RETAINED
#define NW_NOESCAPE
#define NW_DIRECT
#define NW_DIRECT_MEMBERS
#define NW_RELEASES_ARGUMENT
#define NW_VALID_UNTIL_END_OF_SCOPE
#define NW_RETURNS_INNER_POINTER
#define NW_UNSAFE_UNRETAINED
#define NW_EXTERNALLY_RETAINED
#define NW_ASSUME_EXTERNALLY_RETAINED_BEGIN
#define NW_ASSUME_EXTERNALLY_RETAINED_END
#define NW_NOT_i386_MAC

NW_EXTERN_C_BEGIN

/** Any Network object. */
typedef struct nw_object *nw_object_t;

/**
 * Adds a reference to an object of any kind (nw_, sec_ or dispatch_).
 * Returns its argument; NULL is fine. Any thread.
 */
NW_EXPORT void *nw_retain(void *obj);

/**
 * Gives up one reference to an object of any kind; the last one ends it. NULL is fine. Any thread.
 * A started connection or listener lives on until it is cancelled or has failed.
 */
NW_EXPORT void nw_release(void *obj);

NW_EXTERN_C_END

#endif
