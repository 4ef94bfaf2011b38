/*
 * establishment_report.c - nw_establishment_report_t and nw_resolution_report_t: the questions.
 * What:   see establishment_report.h.
 * Source: semantics of nw_establishment_report_* and nw_resolution_report_*: milliseconds, NULL
 *         answers 0, enumerators run inside the call.
 * Runs:   any thread.
 * Owns:   the report its resolution, the resolution its endpoints.
 */
#include "model/establishment_report.h"
#include "base/callback.h"
#include "base/log.h"

static void destroy_resolution(void *object) {
    nw_resolution_report_t resolution = object;
    nwi_release(resolution->preferred);
    nwi_release(resolution->successful);
}

static const struct nwi_type resolution_type = {.name = "nw_resolution_report",
                                                .size = sizeof(struct nw_resolution_report),
                                                .destroy = destroy_resolution};

static void destroy_report(void *object) {
    nw_establishment_report_t report = object;
    nwi_release(report->resolution);
}

static const struct nwi_type report_type = {.name = "nw_establishment_report",
                                            .size = sizeof(struct nw_establishment_report),
                                            .destroy = destroy_report};

nw_establishment_report_t nwi_establishment_report_create(void) {
    return nwi_object_create(&report_type, 0);
}

nw_resolution_report_t nwi_resolution_report_create(void) {
    return nwi_object_create(&resolution_type, 0);
}

static bool refuse(const void *object, const char *function) {
    if (object == NULL)
        nwi_log_misuse(function, "report is NULL");
    return object == NULL;
}

static uint64_t milliseconds(nwi_ns time) {
    return (uint64_t)(time / NWI_MS);
}

/* --- the whole --- */

NW_EXPORT uint64_t
nw_establishment_report_get_duration_milliseconds(nw_establishment_report_t report) {
    return refuse(report, __func__) ? 0 : milliseconds(report->duration);
}

NW_EXPORT uint64_t
nw_establishment_report_get_attempt_started_after_milliseconds(nw_establishment_report_t report) {
    return refuse(report, __func__) ? 0 : milliseconds(report->started_after);
}

NW_EXPORT uint32_t
nw_establishment_report_get_previous_attempt_count(nw_establishment_report_t report) {
    return refuse(report, __func__) ? 0 : report->previous_attempts;
}

NW_EXPORT bool nw_establishment_report_get_used_proxy(nw_establishment_report_t report) {
    (void)refuse(report, __func__);
    return false;
}

NW_EXPORT bool nw_establishment_report_get_proxy_configured(nw_establishment_report_t report) {
    (void)refuse(report, __func__);
    return false;
}

NW_EXPORT nw_endpoint_t
nw_establishment_report_copy_proxy_endpoint(nw_establishment_report_t report) {
    (void)refuse(report, __func__);
    return NULL;
}

/* --- one resolution --- */

NW_EXPORT nw_report_resolution_source_t
nw_resolution_report_get_source(nw_resolution_report_t resolution) {
    return refuse(resolution, __func__) ? (nw_report_resolution_source_t)0 : resolution->source;
}

NW_EXPORT uint64_t nw_resolution_report_get_milliseconds(nw_resolution_report_t resolution) {
    return refuse(resolution, __func__) ? 0 : milliseconds(resolution->duration);
}

NW_EXPORT uint32_t nw_resolution_report_get_endpoint_count(nw_resolution_report_t resolution) {
    return refuse(resolution, __func__) ? 0 : resolution->endpoint_count;
}

NW_EXPORT nw_endpoint_t
nw_resolution_report_copy_successful_endpoint(nw_resolution_report_t resolution) {
    return refuse(resolution, __func__) ? NULL : nwi_retain(resolution->successful);
}

NW_EXPORT nw_endpoint_t
nw_resolution_report_copy_preferred_endpoint(nw_resolution_report_t resolution) {
    return refuse(resolution, __func__) ? NULL : nwi_retain(resolution->preferred);
}

NW_EXPORT nw_report_resolution_protocol_t
nw_resolution_report_get_protocol(nw_resolution_report_t resolution) {
    return refuse(resolution, __func__) ? nw_report_resolution_protocol_unknown
                                        : resolution->protocol;
}

/* --- enumerating --- */

/* The callee may release the report, so each walk holds what it shows. */
static void enumerate_resolutions(nw_establishment_report_t report, struct nwi_callback callback,
                                  const char *function) {
    if (!nwi_callback_can_walk(report, callback, function) || report->resolution == NULL)
        return;
    NWI_AUTO_RELEASE
    nw_resolution_report_t resolution = nwi_retain(report->resolution);
    NWI_CALL(callback, bool,
             (nw_report_resolution_source_t, uint64_t, uint32_t, nw_endpoint_t, nw_endpoint_t),
             resolution->source, milliseconds(resolution->duration), resolution->endpoint_count,
             resolution->successful, resolution->preferred);
}

NW_EXPORT void nw_establishment_report_enumerate_resolutions(nw_establishment_report_t report,
                                                             const void *block) {
    enumerate_resolutions(report, nwi_callback_block_noescape(block), __func__);
}

NW_EXPORT void
nw_establishment_report_enumerate_resolutions_f(nw_establishment_report_t report, void *context,
                                                nw_report_resolution_enumerator_f enumerate) {
    enumerate_resolutions(report, nwi_callback_f(context, (nwi_fn)enumerate), __func__);
}

static void enumerate_reports(nw_establishment_report_t report, struct nwi_callback callback,
                              const char *function) {
    if (!nwi_callback_can_walk(report, callback, function) || report->resolution == NULL)
        return;
    NWI_AUTO_RELEASE
    nw_resolution_report_t resolution = nwi_retain(report->resolution);
    NWI_CALL(callback, bool, (nw_resolution_report_t), resolution);
}

NW_EXPORT void
nw_establishment_report_enumerate_resolution_reports(nw_establishment_report_t report,
                                                     const void *block) {
    enumerate_reports(report, nwi_callback_block_noescape(block), __func__);
}

NW_EXPORT void nw_establishment_report_enumerate_resolution_reports_f(
    nw_establishment_report_t report, void *context,
    nw_report_resolution_report_enumerator_f enumerate) {
    enumerate_reports(report, nwi_callback_f(context, (nwi_fn)enumerate), __func__);
}

static void enumerate_protocols(nw_establishment_report_t report, struct nwi_callback callback,
                                const char *function) {
    if (!nwi_callback_can_walk(report, callback, function))
        return;
    NWI_AUTO_RELEASE
    nw_establishment_report_t held = nwi_retain(report);
    bool more = true;
    for (uint32_t i = 0; more && i < held->handshake_count; i++) {
        const struct nwi_handshake *handshake = &held->handshakes[i];
        more = NWI_CALL(callback, bool, (nw_protocol_definition_t, uint64_t, uint64_t),
                        handshake->protocol, milliseconds(handshake->duration),
                        milliseconds(handshake->rtt));
    }
}

NW_EXPORT void nw_establishment_report_enumerate_protocols(nw_establishment_report_t report,
                                                           const void *block) {
    enumerate_protocols(report, nwi_callback_block_noescape(block), __func__);
}

NW_EXPORT void
nw_establishment_report_enumerate_protocols_f(nw_establishment_report_t report, void *context,
                                              nw_report_protocol_enumerator_f enumerate) {
    enumerate_protocols(report, nwi_callback_f(context, (nwi_fn)enumerate), __func__);
}
