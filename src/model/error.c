/*
 * error.c - nw_error_t: a domain and a code that never change.
 * What:   makes errors from nwi_err, and answers the public questions about them.
 * Source: semantics of nw_error_t.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "model/error.h"
#include "base/alloc.h"

static const struct nwi_type error_type = {
    .name = "nw_error",
    .size = sizeof(struct nw_error),
};

/* Stands in for the error that there was no memory to make: ENOMEM is then the truth as well. */
static struct nw_error no_memory = {
    .base = NWI_OBJECT_STATIC(&error_type),
    .err = (nwi_err)NWI_DOMAIN_POSIX << 32 | ENOMEM,
};

nw_error_t nwi_error_create(nwi_err err) {
    if (err == 0)
        return NULL;
    nw_error_t error = nwi_object_create(&error_type, 0);
    if (error == NULL)
        return &no_memory;
    error->err = err;
    return error;
}

NW_EXPORT nw_error_domain_t nw_error_get_error_domain(nw_error_t error) {
    return error == NULL ? nw_error_domain_invalid : (nw_error_domain_t)nwi_err_domain(error->err);
}

NW_EXPORT int nw_error_get_error_code(nw_error_t error) {
    return error == NULL ? 0 : nwi_err_code(error->err);
}

NW_EXPORT char *nw_error_copy_description(nw_error_t error) {
    char text[256];
    if (error == NULL)
        return NULL;
    return nwi_strdup(nwi_err_format(error->err, text, sizeof text));
}
