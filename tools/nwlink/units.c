/*
 * units.c - times, rates, shares and sizes as people write them.
 * Runs:   pure.
 */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    double worth;
};

static const struct unit times[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"", 1e6}};
static const struct unit rates[] = {{"bit", 1},    {"kbit", 1e3}, {"Mbit", 1e6},
                                    {"Gbit", 1e9}, {"bps", 1},    {"kbps", 1e3},
                                    {"Mbps", 1e6}, {"Gbps", 1e9}, {"", 1}};
static const struct unit octet_units[] = {{"B", 1},           {"kB", 1e3},   {"MB", 1e6},
                                          {"GB", 1e9},        {"KiB", 1024}, {"MiB", 1048576},
                                          {"GiB", 1073741824}};
static const double time_max = 600e9, rate_max = 1e12, octets_max = 1e12;

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A number as people write it: digits with a point. strtod alone would take "inf", "0x1" and
 * " 1" too. */
static bool read_number(const char *text, double *number, const char **rest) {
    size_t length = strspn(text, "0123456789.");
    char copy[32], *end;
    if (length == 0 || length >= sizeof copy || !isdigit((unsigned char)text[0]))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *number = strtod(copy, &end);
    *rest = text + length;
    return *end == '\0';
}

static bool read_unit(const char *text, const struct unit *units, size_t count, double max,
                      double *value) {
    const char *rest;
    double number;
    if (!read_number(text, &number, &rest))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(rest, units[i].name) == 0) {
            number *= units[i].worth;
            if (number > max)
                return false;
            *value = number;
            return true;
        }
    return false;
}

bool nwlink_read_time(const char *text, int64_t *nanoseconds) {
    double value;
    if (!read_unit(text, times, COUNT(times), time_max, &value))
        return false;
    *nanoseconds = llround(value);
    return true;
}

bool nwlink_read_rate(const char *text, uint64_t *bits) {
    char copy[NWLINK_UNIT_TEXT];
    size_t length = strlen(text);
    double value;
    if (strcasecmp(text, "unlimited") == 0) {
        *bits = 0;
        return true;
    }
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length + 1);
    if (length > 2 && strcmp(copy + length - 2, "/s") == 0 &&
        isalpha((unsigned char)copy[length - 3]))
        copy[length - 2] = '\0';
    if (!read_unit(copy, rates, COUNT(rates), rate_max, &value) || value < 1)
        return false; /* nothing at all is "loss=100%", or a cut */
    *bits = (uint64_t)llround(value);
    return true;
}

bool nwlink_read_share(const char *text, double *share) {
    const char *rest;
    double number;
    if (!read_number(text, &number, &rest) || number > 100)
        return false;
    if (strcmp(rest, "%") != 0 && !(rest[0] == '\0' && number == 0))
        return false;
    *share = number / 100;
    return true;
}

bool nwlink_read_octets(const char *text, uint64_t *octets) {
    double value;
    if (!read_unit(text, octet_units, COUNT(octet_units), octets_max, &value))
        return false;
    *octets = (uint64_t)llround(value);
    return true;
}

bool nwlink_read_count(const char *text, uint64_t min, uint64_t max, uint64_t *count) {
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *count = value;
    return true;
}

/* The largest of four units, a thousand apart, that leaves no fraction. */
static void write_whole(char *text, uint64_t value, const char *const units[4]) {
    unsigned unit = 0;
    while (unit < 3 && value != 0 && value % 1000 == 0) {
        value /= 1000;
        unit++;
    }
    snprintf(text, NWLINK_UNIT_TEXT, "%llu%s", (unsigned long long)value, units[unit]);
}

void nwlink_write_time(char *text, int64_t nanoseconds) {
    static const char *const units[] = {"ns", "us", "ms", "s"};
    write_whole(text, (uint64_t)nanoseconds, units);
}

void nwlink_write_rate(char *text, uint64_t bits) {
    static const char *const units[] = {"bit", "kbit", "Mbit", "Gbit"};
    if (bits == 0)
        snprintf(text, NWLINK_UNIT_TEXT, "unlimited");
    else
        write_whole(text, bits, units);
}

void nwlink_write_share(char *text, double share) {
    snprintf(text, NWLINK_UNIT_TEXT, "%.12f", share * 100);
    char *end = text + strlen(text);
    while (end[-1] == '0') /* there is a point: this ends before it */
        end--;
    if (end[-1] == '.')
        end--;
    strcpy(end, "%");
}

void nwlink_write_octets(char *text, uint64_t octets) {
    static const char *const units[] = {"B", "kB", "MB", "GB"};
    write_whole(text, octets, units);
}
