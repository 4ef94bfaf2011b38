/*
 * compat.h - names that come with Apple's system headers and that programs use without thinking of them.
 * The umbrella <Network/Network.h> includes it last. A program that does not want them defines
 * LIBNW_NO_COMPAT before that.
 */
#ifndef NETWORK_COMPAT_H
#define NETWORK_COMPAT_H

#ifndef LIBNW_NO_COMPAT

#include <Network/nw_object.h>

/* <sys/cdefs.h>. Not the C library's names here, but reserved ones: a few kernel headers have fields of the
 * name __unused; include those before. */
#ifndef __unused
#define __unused __attribute__((unused))
#endif

/* <CoreFoundation/CFBase.h>: Network, Security and queue objects can be retained and released as any
 * CoreFoundation object there, and programs do so. No other part of CoreFoundation is here. */
#ifndef __COREFOUNDATION_CFBASE__
typedef const void *CFTypeRef;

static inline CFTypeRef CFRetain(CFTypeRef object) {
    return nw_retain((void *)(uintptr_t)object);
}

static inline void CFRelease(CFTypeRef object) {
    nw_release((void *)(uintptr_t)object);
}
#endif

#endif
#endif
