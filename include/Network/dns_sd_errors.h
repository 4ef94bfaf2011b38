/*
 * dns_sd_errors.h - the codes of nw_error_domain_dns, which elsewhere come with <dns_sd.h>.
 * Where a real <dns_sd.h> is installed that one is used, so that a program may include both.
 */
#ifndef NETWORK_DNS_SD_ERRORS_H
#define NETWORK_DNS_SD_ERRORS_H

#if defined(__has_include)
#if __has_include(<dns_sd.h>)
#include <dns_sd.h>
#endif
#endif

#ifndef _DNS_SD_H
#include <stdint.h>

enum {
    kDNSServiceErr_NoError = 0,
    kDNSServiceErr_Unknown = -65537,
    kDNSServiceErr_NoSuchName = -65538,
    kDNSServiceErr_NoMemory = -65539,
    kDNSServiceErr_BadParam = -65540,
    kDNSServiceErr_BadReference = -65541,
    kDNSServiceErr_BadState = -65542,
    kDNSServiceErr_BadFlags = -65543,
    kDNSServiceErr_Unsupported = -65544,
    kDNSServiceErr_NotInitialized = -65545,
    kDNSServiceErr_AlreadyRegistered = -65547,
    kDNSServiceErr_NameConflict = -65548,
    kDNSServiceErr_Invalid = -65549,
    kDNSServiceErr_Firewall = -65550,
    kDNSServiceErr_Incompatible = -65551,
    kDNSServiceErr_BadInterfaceIndex = -65552,
    kDNSServiceErr_Refused = -65553,
    kDNSServiceErr_NoSuchRecord = -65554,
    kDNSServiceErr_NoAuth = -65555,
    kDNSServiceErr_NoSuchKey = -65556,
    kDNSServiceErr_NATTraversal = -65557,
    kDNSServiceErr_DoubleNAT = -65558,
    kDNSServiceErr_BadTime = -65559,
    kDNSServiceErr_BadSig = -65560,
    kDNSServiceErr_BadKey = -65561,
    kDNSServiceErr_Transient = -65562,
    kDNSServiceErr_ServiceNotRunning = -65563,
    kDNSServiceErr_NATPortMappingUnsupported = -65564,
    kDNSServiceErr_NATPortMappingDisabled = -65565,
    kDNSServiceErr_NoRouter = -65566,
    kDNSServiceErr_PollingMode = -65567,
    kDNSServiceErr_Timeout = -65568,
    kDNSServiceErr_DefunctConnection = -65569,
    kDNSServiceErr_PolicyDenied = -65570,
    kDNSServiceErr_NotPermitted = -65571,
    kDNSServiceErr_StaleData = -65572,
};

typedef int32_t DNSServiceErrorType;

#endif
#endif
