/*
 * stats.c - what the wire has done, for people and for programs.
 * Runs:   in the only thread of nwlink.
 */
#include "stats.h"

#include "units.h"

static const char *const direction_name[] = {[NWLINK_UP] = "up", [NWLINK_DOWN] = "down"};

static uint64_t dropped_in_all(const struct nwlink_counts *counts) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < NWLINK_CAUSE_COUNT; i++)
        sum += counts->dropped[i];
    return sum;
}

static double late_mean_us(const struct nwlink_half *half) {
    return half->late_count > 0 ? (double)half->late_sum / (double)half->late_count / 1000 : 0;
}

static void half_json(struct tool_json *json, const char *name, struct nwlink_half *half) {
    const struct nwlink_counts *counts = &half->link.counts;
    tool_json_open(json, name, '{');
    tool_json_integer(json, "packets_in", (int64_t)counts->packets_in);
    tool_json_integer(json, "octets_in", (int64_t)counts->octets_in);
    tool_json_integer(json, "packets_out", (int64_t)counts->packets_out);
    tool_json_integer(json, "octets_out", (int64_t)counts->octets_out);
    tool_json_open(json, "dropped", '{');
    for (unsigned i = 0; i < NWLINK_CAUSE_COUNT; i++)
        tool_json_integer(json, nwlink_cause_name(i), (int64_t)counts->dropped[i]);
    tool_json_close(json, '}');
    tool_json_integer(json, "duplicated", (int64_t)counts->duplicated);
    tool_json_integer(json, "reordered", (int64_t)counts->reordered);
    tool_json_integer(json, "corrupted", (int64_t)counts->corrupted);
    tool_json_integer(json, "signalled", (int64_t)counts->signalled);
    tool_json_integer(json, "waiting", nwlink_link_waiting(&half->link, nwlink_now()));
    tool_json_integer(json, "under_way", (int64_t)half->flight.count);
    tool_json_number(json, "late_mean_us", late_mean_us(half), 1);
    tool_json_number(json, "late_max_us", (double)half->late_max / 1000, 1);
    tool_json_bool(json, "cut", half->link.cut);
    tool_json_close(json, '}');
}

void nwlink_stats_json(struct tool_json *json, struct nwlink_wire *wire) {
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
        half_json(json, direction_name[d], &wire->halves[d]);
}

void nwlink_conditions_json(struct tool_json *json, const struct nwlink_wire *wire) {
    char text[NWLINK_CONDITIONS_TEXT];
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++) {
        nwlink_conditions_write(&wire->halves[d].link.conditions, text);
        tool_json_text(json, direction_name[d], text);
    }
}

static void rate_text(double bits, char *text) {
    static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
    unsigned unit = 0;
    while (bits >= 999.5 && unit < 3) {
        bits /= 1000;
        unit++;
    }
    snprintf(text, NWLINK_UNIT_TEXT, "%.*f %s", bits >= 99.5 || unit == 0 ? 0 : 1, bits,
             units[unit]);
}

void nwlink_stats_table(FILE *out, struct nwlink_wire *wire, struct nwlink_stats_before *before) {
    int64_t now = nwlink_now();
    double seconds = (double)(now - before->at) / 1e9;
    fprintf(out, "%-4s %10s %10s %8s %12s %7s %9s %8s\n", "", "in", "out", "dropped", "rate",
            "waiting", "under way", "late ms");
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++) {
        struct nwlink_half *half = &wire->halves[d];
        const struct nwlink_counts *counts = &half->link.counts;
        uint64_t octets = counts->octets_out - before->octets_out[d];
        char rate[NWLINK_UNIT_TEXT];
        rate_text(seconds > 0 ? (double)octets * 8 / seconds : 0, rate);
        fprintf(out, "%-4s %10llu %10llu %8llu %12s %7u %9zu %8.2f%s\n", direction_name[d],
                (unsigned long long)counts->packets_in, (unsigned long long)counts->packets_out,
                (unsigned long long)dropped_in_all(counts), rate,
                nwlink_link_waiting(&half->link, now), half->flight.count,
                (double)half->late_max / 1e6, half->link.cut ? " cut" : "");
        before->octets_out[d] = counts->octets_out;
    }
    before->at = now;
}
