/*
 * nw_object.c - the public reference counting calls.
 * What:   nw_ and sec_ names for the one count that all objects share.
 * Runs:   any thread.
 */
#include "base/object.h"
#include <Network/nw_object.h>
#include <Security/SecProtocolObject.h>

NW_EXPORT void *nw_retain(void *obj) {
    return nwi_retain(obj);
}

NW_EXPORT void nw_release(void *obj) {
    nwi_release(obj);
}

NW_EXPORT void *sec_retain(void *obj) {
    return nwi_retain(obj);
}

NW_EXPORT void sec_release(void *obj) {
    nwi_release(obj);
}
