/*
 * base.h - the small words that every header of <dispatch/> uses.
 * What:   export and calling attributes, and dispatch_function_t.
 * Note:   the same names as Apple's queue API. The calls live in libnw; blocks need clang with
 *         -fblocks, and each call that takes a block has a twin ending in _f that every C or C++
 *         compiler can use.
 */
#ifndef DISPATCH_BASE_H
#define DISPATCH_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __BLOCKS__
#include <Block.h>
#endif

#ifdef __cplusplus
#define DISPATCH_BEGIN_DECLS extern "C" {
#define DISPATCH_END_DECLS }
#else
#define DISPATCH_BEGIN_DECLS
#define DISPATCH_END_DECLS
#endif

#define DISPATCH_EXPORT extern __attribute__((visibility("default")))
#define DISPATCH_NOTHROW __attribute__((nothrow))
#define DISPATCH_NORETURN __attribute__((noreturn))
#define DISPATCH_MALLOC __attribute__((malloc))
#define DISPATCH_WARN_RESULT __attribute__((warn_unused_result))
#define DISPATCH_PRINTF(string, first) __attribute__((format(printf, string, first)))

/* Nullability words exist in clang only; ported sources use them everywhere. */
#ifdef __has_feature
#if !__has_feature(nullability)
#define DISPATCH_NO_NULLABILITY 1
#endif
#else
#define DISPATCH_NO_NULLABILITY 1
#endif
#ifdef DISPATCH_NO_NULLABILITY
#ifndef _Nullable
#define _Nullable
#endif
#ifndef _Nonnull
#define _Nonnull
#endif
#ifndef _Null_unspecified
#define _Null_unspecified
#endif
#endif

/* A handler never escapes from these calls: nothing is copied (clang checks captures a little). */
#ifdef __has_attribute
#if __has_attribute(noescape)
#define DISPATCH_NOESCAPE __attribute__((noescape))
#endif
#endif
#ifndef DISPATCH_NOESCAPE
#define DISPATCH_NOESCAPE
#endif

/* Each object type is a pointer to its own opaque struct. In C++ the structs derive from one base,
 * so that dispatch_release() and the like take any of them; in C a transparent union does that
 * (object.h). */
#ifdef __cplusplus
#define DISPATCH_DECL(name)                                                                        \
    struct name##_s : public dispatch_object_s {};                                                 \
    typedef struct name##_s *name##_t
#else
#define DISPATCH_DECL(name) typedef struct name##_s *name##_t
#endif
/* A kind of queue: every call for dispatch_queue_t takes it as it is. */
#define DISPATCH_DECL_SUBCLASS(name, base) typedef base##_t name##_t

#define DISPATCH_GLOBAL_OBJECT(type, object) ((type) & (object))

DISPATCH_BEGIN_DECLS
/* A piece of work: called once with the context given beside it. */
typedef void (*dispatch_function_t)(void *context);
DISPATCH_END_DECLS

#endif
