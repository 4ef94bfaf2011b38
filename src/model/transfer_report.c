/*
 * transfer_report.c - nw_data_transfer_report_t: the record and its questions.
 * What:   see transfer_report.h.
 * Source: semantics of nw_data_transfer_report_*: 0 before the report is collected; NW_ALL_PATHS is
 *         the sum, and path 0 where nothing can be summed.
 * Runs:   any thread.
 * Owns:   the report its transfer and connection, the transfer the interface.
 */
#include "model/transfer_report.h"
#include "base/log.h"

NW_EXPORT const uint32_t _nw_data_transfer_report_all_paths = UINT32_MAX;

/* --- what is measured --- */

static void destroy_transfer(void *object) {
    struct nwi_transfer *transfer = object;
    nwi_release(transfer->path.interface);
    pthread_mutex_destroy(&transfer->lock);
}

static const struct nwi_type transfer_type = {
    .name = "nwi_transfer", .size = sizeof(struct nwi_transfer), .destroy = destroy_transfer};

struct nwi_transfer *nwi_transfer_create(void) {
    struct nwi_transfer *transfer = nwi_object_create(&transfer_type, 0);
    if (transfer != NULL)
        pthread_mutex_init(&transfer->lock, NULL); /* default attributes: cannot fail on Linux */
    return transfer;
}

void nwi_transfer_collect(struct nwi_transfer *transfer, nwi_ns duration,
                          const struct nwi_transfer_path *path) {
    pthread_mutex_lock(&transfer->lock);
    transfer->collected = true;
    if (path != NULL) {
        transfer->path_count = 1;
        transfer->duration = duration;
        transfer->path = *path;
    }
    pthread_mutex_unlock(&transfer->lock);
}

bool nwi_transfer_is_collected(struct nwi_transfer *transfer) {
    pthread_mutex_lock(&transfer->lock);
    bool collected = transfer->collected;
    pthread_mutex_unlock(&transfer->lock);
    return collected;
}

/* --- the report --- */

static void destroy_report(void *object) {
    nw_data_transfer_report_t report = object;
    if (!nwi_transfer_is_collected(report->transfer))
        report->abandoned(report->connection, report->transfer);
    nwi_release(report->transfer);
    nwi_release(report->connection);
}

static const struct nwi_type report_type = {.name = "nw_data_transfer_report",
                                            .size = sizeof(struct nw_data_transfer_report),
                                            .destroy = destroy_report};

nw_data_transfer_report_t
nwi_transfer_report_create(struct nwi_transfer *transfer, void *connection,
                           void (*abandoned)(void *connection, struct nwi_transfer *transfer)) {
    nw_data_transfer_report_t report = nwi_object_create(&report_type, 0);
    if (report == NULL)
        return NULL;
    report->transfer = nwi_retain(transfer);
    report->connection = nwi_retain(connection);
    report->abandoned = abandoned;
    return report;
}

static bool refuse(nw_data_transfer_report_t report, const char *function) {
    if (report == NULL)
        nwi_log_misuse(function, "report is NULL");
    return report == NULL;
}

NW_EXPORT nw_data_transfer_report_state_t
nw_data_transfer_report_get_state(nw_data_transfer_report_t report) {
    return refuse(report, __func__) || nwi_transfer_is_collected(report->transfer)
               ? nw_data_transfer_report_state_collected
               : nw_data_transfer_report_state_collecting;
}

NW_EXPORT uint64_t
nw_data_transfer_report_get_duration_milliseconds(nw_data_transfer_report_t report) {
    return refuse(report, __func__) || !nwi_transfer_is_collected(report->transfer)
               ? 0
               : report->transfer->duration / NWI_MS;
}

NW_EXPORT uint32_t nw_data_transfer_report_get_path_count(nw_data_transfer_report_t report) {
    return refuse(report, __func__) || !nwi_transfer_is_collected(report->transfer)
               ? 0
               : report->transfer->path_count;
}

/* --- of one path --- */

/* Lent; a path of zeros when the report has none of that number, or is not collected yet. One path
 * is its own sum. */
static const struct nwi_transfer_path *find_path(nw_data_transfer_report_t report, uint32_t index,
                                                 const char *function) {
    static const struct nwi_transfer_path none;
    if (refuse(report, function) || !nwi_transfer_is_collected(report->transfer) ||
        report->transfer->path_count == 0)
        return &none;
    if (index == 0 || index == UINT32_MAX)
        return &report->transfer->path;
    nwi_log_misuse(function, "there is no path of that index");
    return &none;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_received_ip_packet_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->packets_in;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_sent_ip_packet_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->packets_out;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_received_transport_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->octets_in;
}

/* Linux keeps no such count for a socket: tcpi_dsack_dups is of what was sent. */
NW_EXPORT uint64_t nw_data_transfer_report_get_received_transport_duplicate_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    (void)find_path(report, path_index, __func__);
    return 0;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_received_transport_out_of_order_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->octets_out_of_order;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_sent_transport_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->octets_out;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_sent_transport_retransmitted_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->octets_out_again;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_transport_smoothed_rtt_milliseconds(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->rtt / NWI_MS;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_transport_minimum_rtt_milliseconds(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->rtt_min / NWI_MS;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_transport_rtt_variance(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->rtt_deviation / NWI_MS;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_received_application_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->content_in;
}

NW_EXPORT uint64_t nw_data_transfer_report_get_sent_application_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->content_out;
}

NW_EXPORT nw_interface_t
nw_data_transfer_report_copy_path_interface(nw_data_transfer_report_t report, uint32_t path_index) {
    return nwi_retain(find_path(report, path_index, __func__)->interface);
}

NW_EXPORT nw_interface_radio_type_t
nw_data_transfer_report_get_path_radio_type(nw_data_transfer_report_t report, uint32_t path_index) {
    return find_path(report, path_index, __func__)->radio;
}
