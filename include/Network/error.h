/*
 * error.h - why something failed: a domain and a code.
 * Errors come from the lowest layer that failed, unchanged, and never change after creation.
 * Left out on Linux: nw_error_copy_cf_error() and the CFString names of the domains, since there is
 * no CoreFoundation here. nw_error_copy_description() gives the text that a CFError would carry.
 */
#ifndef NETWORK_ERROR_H
#define NETWORK_ERROR_H

#include <Network/dns_sd_errors.h>
#include <Network/nw_object.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef nil
#define nil NULL
#endif

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_error);

/** Says what the code of an error means. */
typedef enum {
    nw_error_domain_invalid = 0,    /* not an error (NULL) */
    nw_error_domain_posix = 1,      /* an errno value of this machine, such as ECONNREFUSED */
    nw_error_domain_dns = 2,        /* a DNSServiceErrorType, such as kDNSServiceErr_NoSuchRecord */
    nw_error_domain_tls = 3,        /* an errSSL code of <Security/SecureTransport.h> */
    nw_error_domain_wifi_aware = 4, /* a code of Wi-Fi Aware */
} nw_error_domain_t;

/** The error's domain; nw_error_domain_invalid for NULL. */
NW_EXPORT nw_error_domain_t nw_error_get_error_domain(nw_error_t error);

/** The error's code, to be read in its domain; 0 for NULL. */
NW_EXPORT int nw_error_get_error_code(nw_error_t error);

/**
 * The error as one line of English for a person, with domain, name and number:
 * "posix/ECONNREFUSED (111): Connection refused". The caller frees it. NULL for NULL, and when
 * memory ran out. This call is libnw's own.
 */
NW_EXPORT char *nw_error_copy_description(nw_error_t error);

NW_EXTERN_C_END

#endif
