/*
 * progress.c - how far and how fast, as text.
 * Runs:   pure.
 */
#include "progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void nwcat_format_octets(char *text, size_t size, double octets) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    unsigned unit = 0;
    while (octets >= 999.5 && unit < sizeof units / sizeof units[0] - 1) {
        octets /= 1024;
        unit++;
    }
    int decimals = unit == 0 || octets >= 99.95 ? 0 : octets >= 9.995 ? 1 : 2;
    snprintf(text, size, "%.*f %s", decimals, octets, units[unit]);
}

double nwcat_progress_rate(double before, double moved, double seconds) {
    if (seconds <= 0)
        return before;
    double now = moved / seconds;
    double weight =
        1 - exp(-seconds / 2); /* forgets half in 1.4 s: steady to read, yet not stale */
    return before <= 0 ? now : before + weight * (now - before);
}

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
                                                         const char *format, ...) {
    va_list args;
    size_t used = strlen(text);
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

void nwcat_progress_line(char *text, size_t size, const struct nwcat_progress *progress) {
    char sent[32], received[32], rate[32], total[32];
    nwcat_format_octets(sent, sizeof sent, (double)progress->sent);
    nwcat_format_octets(received, sizeof received, (double)progress->received);
    nwcat_format_octets(rate, sizeof rate, progress->rate);
    nwcat_format_octets(total, sizeof total, (double)progress->total);
    text[0] = '\0';
    if (progress->total > 0) {
        double part = fmin(1, (double)progress->sent / (double)progress->total);
        append(text, size, "sent %s of %s (%.0f%%)", sent, total, floor(part * 100));
    } else if (progress->sent > 0) {
        append(text, size, "sent %s", sent);
    }
    if (progress->received > 0 || text[0] == '\0')
        append(text, size, "%sreceived %s", text[0] != '\0' ? ", " : "", received);
    append(text, size, ", %s/s", rate);
    if (progress->total > progress->sent && progress->rate > 1) {
        double left = (double)(progress->total - progress->sent) / progress->rate;
        if (left < 360000)
            append(text, size, ", %d:%02d left", (int)left / 60, (int)left % 60);
    }
}
