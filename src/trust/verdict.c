/*
 * verdict.c - see verdict.h.
 */
#include "trust/verdict.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool nwi_trust_wrong(struct nwi_trust_verdict *verdict, int status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    verdict->status = status;
    verdict->phrase = 0;
    vsnprintf(verdict->reason, sizeof verdict->reason, format, args);
    va_end(args);
    return false;
}

void nwi_trust_time_text(time_t when, char text[32]) {
    struct tm date;
    if (gmtime_r(&when, &date) == NULL || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &date) == 0)
        strcpy(text, "unknown");
}
