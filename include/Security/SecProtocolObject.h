/* SecProtocolObject.h - what all sec_ objects have in common: they are reference counted as nw_
 * objects are. */
#ifndef SECURITY_SEC_PROTOCOL_OBJECT_H
#define SECURITY_SEC_PROTOCOL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEC_EXPORT __attribute__((visibility("default")))
#ifdef __cplusplus
#define SEC_EXTERN_C_BEGIN extern "C" {
#define SEC_EXTERN_C_END }
#else
#define SEC_EXTERN_C_BEGIN
#define SEC_EXTERN_C_END
#endif

#define SEC_OBJECT_DECL(type) typedef struct type *type##_t
#define SEC_ASSUME_NONNULL_BEGIN
#define SEC_ASSUME_NONNULL_END
#define SEC_RETURNS_RETAINED

SEC_EXTERN_C_BEGIN

/** Any sec_ object. */
SEC_OBJECT_DECL(sec_object);

/** Adds a reference and returns its argument. Works on nw_ and dispatch_ objects too; NULL is fine.
 */
SEC_EXPORT void *sec_retain(void *obj);
/** Gives up one reference. Works on nw_ and dispatch_ objects too; NULL is fine. */
SEC_EXPORT void sec_release(void *obj);

SEC_EXTERN_C_END

#endif
