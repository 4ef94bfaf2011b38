/*
 * err.c - names and texts of error values.
 * Source: err.def; the C library's strerrorname_np and strerrordesc_np for errno values.
 * Runs:   on any thread; everything returned is static.
 */
#include "base/err.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct entry {
    enum nwi_err_domain domain;
    int code;
    const char *name;
    const char *text;
} entries[] = {
#define NWI_ERR(domain, code, name, text) {NWI_DOMAIN_##domain, code, name, text},
#include "base/err.def"
#undef NWI_ERR
};

static const struct entry *find_entry(nwi_err err) {
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if (entries[i].domain == nwi_err_domain(err) && entries[i].code == nwi_err_code(err))
            return &entries[i];
    return NULL;
}

static const char *domain_word(enum nwi_err_domain domain) {
    switch (domain) {
    case NWI_DOMAIN_POSIX:
        return "posix";
    case NWI_DOMAIN_DNS:
        return "dns";
    case NWI_DOMAIN_TLS:
        return "tls";
    case NWI_DOMAIN_WIFI_AWARE:
        return "wifi-aware";
    case NWI_DOMAIN_INVALID:
        break;
    }
    return "invalid";
}

const char *nwi_err_name(nwi_err err) {
    if (err == 0)
        return NULL;
    if (nwi_err_domain(err) == NWI_DOMAIN_POSIX)
        return strerrorname_np(nwi_err_code(err));
    const struct entry *entry = find_entry(err);
    return entry != NULL ? entry->name : NULL;
}

const char *nwi_err_text(nwi_err err) {
    if (err == 0)
        return "No error";
    const char *text = NULL;
    if (nwi_err_domain(err) == NWI_DOMAIN_POSIX) {
        text = strerrordesc_np(nwi_err_code(err));
    } else {
        const struct entry *entry = find_entry(err);
        text = entry != NULL ? entry->text : NULL;
    }
    return text != NULL ? text : "Unknown error";
}

const char *nwi_err_format(nwi_err err, char *buffer, unsigned size) {
    if (size == 0)
        return buffer;
    const char *name = nwi_err_name(err);
    if (err == 0)
        snprintf(buffer, size, "%s", nwi_err_text(err));
    else if (name != NULL)
        snprintf(buffer, size, "%s/%s (%d): %s", domain_word(nwi_err_domain(err)), name,
                 nwi_err_code(err), nwi_err_text(err));
    else
        snprintf(buffer, size, "%s (%d): %s", domain_word(nwi_err_domain(err)), nwi_err_code(err),
                 nwi_err_text(err));
    return buffer;
}
