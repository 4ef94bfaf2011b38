/*
 * advertise_descriptor.c - nw_advertise_descriptor_t: the name a listener wants.
 * What:   records name, type, domain, TXT octets and whether renaming is allowed.
 * Source: semantics of nw_advertise_descriptor_t; RFC 6763 section 6 (TXT records).
 * Runs:   unsynchronised, as the public calls say; a listener works on a copy.
 * Owns:   its texts and the TXT octets.
 */
#include "model/advertise_descriptor.h"
#include "base/alloc.h"
#include "base/log.h"
#include <string.h>

static void descriptor_destroy(void *object) {
    nw_advertise_descriptor_t descriptor = object;
    nwi_free(descriptor->name);
    nwi_free(descriptor->type);
    nwi_free(descriptor->domain);
    nwi_free(descriptor->txt);
}

static const struct nwi_type descriptor_type = {
    .name = "nw_advertise_descriptor",
    .size = sizeof(struct nw_advertise_descriptor),
    .destroy = descriptor_destroy,
};

static nw_advertise_descriptor_t create(const char *name, const char *type, const char *domain) {
    nw_advertise_descriptor_t descriptor = nwi_object_create(&descriptor_type, 0);
    if (descriptor == NULL)
        return NULL;
    descriptor->name = nwi_strdup(name);
    descriptor->type = nwi_strdup(type);
    descriptor->domain = nwi_strdup(domain);
    if (descriptor->type == NULL || (name != NULL && descriptor->name == NULL) ||
        (domain != NULL && descriptor->domain == NULL))
        return nwi_release(descriptor);
    return descriptor;
}

NW_EXPORT nw_advertise_descriptor_t nw_advertise_descriptor_create_bonjour_service(
    const char *name, const char *type, const char *domain) {
    if (type == NULL || type[0] == '\0') {
        nwi_log_misuse(__func__, "a service needs a type");
        return NULL;
    }
    return create(name, type, domain);
}

/* False when memory ran out; the old record then stays. */
static bool set_txt(nw_advertise_descriptor_t descriptor, const void *txt, size_t length) {
    uint8_t *copy = NULL;
    if (length > 0) {
        copy = nwi_alloc_raw(length);
        if (copy == NULL)
            return false;
        memcpy(copy, txt, length);
    }
    nwi_free(descriptor->txt);
    descriptor->txt = copy;
    descriptor->txt_length = length;
    return true;
}

NW_EXPORT void
nw_advertise_descriptor_set_txt_record(nw_advertise_descriptor_t advertise_descriptor,
                                       const void *txt_record, size_t txt_length) {
    if (advertise_descriptor == NULL)
        nwi_log_misuse(__func__, "the descriptor is NULL");
    else if (!set_txt(advertise_descriptor, txt_record, txt_record == NULL ? 0 : txt_length))
        nwi_log_misuse(__func__, "out of memory: the record was not set");
}

NW_EXPORT void
nw_advertise_descriptor_set_no_auto_rename(nw_advertise_descriptor_t advertise_descriptor,
                                           bool no_auto_rename) {
    if (advertise_descriptor == NULL)
        nwi_log_misuse(__func__, "the descriptor is NULL");
    else
        advertise_descriptor->no_auto_rename = no_auto_rename;
}

NW_EXPORT bool
nw_advertise_descriptor_get_no_auto_rename(nw_advertise_descriptor_t advertise_descriptor) {
    return advertise_descriptor != NULL && advertise_descriptor->no_auto_rename;
}
