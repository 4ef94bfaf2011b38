/*
 * words.c - the words for what the framework numbers; the same in text and JSON.
 * Runs:   pure.
 */
#include "report.h"

#define WORD(table, value) ((value) < sizeof(table) / sizeof(table)[0] ? (table)[value] : NULL)

const char *nwpath_status_word(const struct nwpath_report *report) {
    if (report->lacks != 0)
        return "unsatisfied";
    switch (report->status) {
    case nw_path_status_satisfied:
        return "satisfied";
    case nw_path_status_satisfiable:
        return "satisfiable";
    case nw_path_status_unsatisfied:
        return "unsatisfied";
    default:
        return "invalid";
    }
}

const char *nwpath_unsatisfied_word(nw_path_unsatisfied_reason_t reason) {
    static const char *const words[] = {
        [nw_path_unsatisfied_reason_not_available] = "not-available",
        [nw_path_unsatisfied_reason_cellular_denied] = "cellular-denied",
        [nw_path_unsatisfied_reason_wifi_denied] = "wifi-denied",
        [nw_path_unsatisfied_reason_local_network_denied] = "local-network-denied",
        [nw_path_unsatisfied_reason_vpn_inactive] = "vpn-inactive",
    };
    const char *word = WORD(words, reason);
    return word != NULL ? word : "unknown";
}

const char *nwpath_verdict_word(nw_path_verdict_t verdict) {
    static const char *const words[] = {
        [nw_path_verdict_used] = "used",
        [nw_path_verdict_next] = "next",
        [nw_path_verdict_refused] = "refused",
        [nw_path_verdict_unusable] = "unusable",
    };
    const char *word = WORD(words, verdict);
    return word != NULL ? word : "unknown";
}

const char *nwpath_reason_word(nw_path_verdict_reason_t reason) {
    static const char *const words[] = {
        [nw_path_verdict_reason_preferred] = "preferred",
        [nw_path_verdict_reason_only] = "only",
        [nw_path_verdict_reason_behind_metric] = "behind-metric",
        [nw_path_verdict_reason_behind_type] = "behind-type",
        [nw_path_verdict_reason_behind_index] = "behind-index",
        [nw_path_verdict_reason_required_interface] = "required-interface",
        [nw_path_verdict_reason_required_type] = "required-type",
        [nw_path_verdict_reason_prohibited_interface] = "prohibited-interface",
        [nw_path_verdict_reason_prohibited_type] = "prohibited-type",
        [nw_path_verdict_reason_prohibited_expensive] = "prohibited-expensive",
        [nw_path_verdict_reason_prohibited_constrained] = "prohibited-constrained",
        [nw_path_verdict_reason_ultra_constrained] = "ultra-constrained",
        [nw_path_verdict_reason_peer_to_peer] = "peer-to-peer",
        [nw_path_verdict_reason_loopback] = "loopback",
        [nw_path_verdict_reason_down] = "down",
        [nw_path_verdict_reason_no_carrier] = "no-carrier",
        [nw_path_verdict_reason_no_address] = "no-address",
        [nw_path_verdict_reason_tentative] = "tentative",
        [nw_path_verdict_reason_duplicate] = "duplicate",
        [nw_path_verdict_reason_no_route] = "no-route",
    };
    const char *word = WORD(words, reason);
    return word != NULL ? word : "unknown";
}

const char *nwpath_state_word(nw_address_state_t state) {
    static const char *const words[] = {
        [nw_address_state_usable] = "usable",
        [nw_address_state_tentative] = "tentative",
        [nw_address_state_duplicate] = "duplicate",
        [nw_address_state_deprecated] = "deprecated",
    };
    const char *word = WORD(words, state);
    return word != NULL ? word : "unknown";
}

const char *nwpath_kind_word(nw_route_kind_t kind) {
    static const char *const words[] = {
        [nw_route_kind_none] = "none",           [nw_route_kind_unicast] = "unicast",
        [nw_route_kind_local] = "local",         [nw_route_kind_broadcast] = "broadcast",
        [nw_route_kind_multicast] = "multicast", [nw_route_kind_unreachable] = "unreachable",
        [nw_route_kind_prohibit] = "prohibit",   [nw_route_kind_blackhole] = "blackhole",
    };
    const char *word = WORD(words, kind);
    return word != NULL ? word : "unknown";
}

const char *nwpath_quality_word(nw_link_quality_t quality) {
    switch (quality) {
    case nw_link_quality_minimal:
        return "minimal";
    case nw_link_quality_moderate:
        return "moderate";
    case nw_link_quality_good:
        return "good";
    default:
        return NULL;
    }
}
