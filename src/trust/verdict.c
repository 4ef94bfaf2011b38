/*
 * verdict.c - see verdict.h.
 */
#include "trust/verdict.h"
#include <stdarg.h>
#include <stdio.h>

bool nwi_trust_wrong(struct nwi_trust_verdict *verdict, int status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    verdict->status = status;
    verdict->phrase = 0;
    vsnprintf(verdict->reason, sizeof verdict->reason, format, args);
    va_end(args);
    return false;
}
