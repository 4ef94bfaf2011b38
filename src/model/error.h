/*
 * error.h - nw_error_t from the error value used inside.
 * Runs:   any thread: an error never changes.
 */
#ifndef NWI_MODEL_ERROR_H
#define NWI_MODEL_ERROR_H

#include "base/err.h"
#include "base/object.h"
#include <Network/error.h>

struct nw_error {
    struct nwi_object base;
    nwi_err err;
};

/* +1. NULL for 0, and for nothing else: when memory runs out the answer is a static ENOMEM error,
 * so that a failure is never reported as success. */
nw_error_t nwi_error_create(nwi_err err);

#endif
