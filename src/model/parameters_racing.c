/*
 * parameters_racing.c - the delays of the race, as parameters.
 * Source: RFC 8305 section 8 (limits and defaults).
 * Runs:   unsynchronised, as parameters are.
 */
#include "base/log.h"
#include "model/parameters.h"
#include <Network/establishment_options.h>

enum {
    ATTEMPT_MIN = 10, /* ms */
    ATTEMPT_MAX = 2000,
    ATTEMPT_DEFAULT = 250,
    RESOLUTION_DEFAULT = 25,
};

static bool refuse_null(nw_parameters_t parameters, const char *function) {
    if (parameters == NULL)
        nwi_log_misuse(function, "parameters is NULL");
    return parameters == NULL;
}

void nw_parameters_set_attempt_delay_milliseconds(nw_parameters_t parameters,
                                                  uint32_t milliseconds) {
    if (refuse_null(parameters, __func__))
        return;
    parameters->attempt_delay_set = true;
    parameters->attempt_delay_ms = milliseconds < ATTEMPT_MIN   ? ATTEMPT_MIN
                                   : milliseconds > ATTEMPT_MAX ? ATTEMPT_MAX
                                                                : milliseconds;
}

uint32_t nw_parameters_get_attempt_delay_milliseconds(nw_parameters_t parameters) {
    if (refuse_null(parameters, __func__))
        return 0;
    return parameters->attempt_delay_set ? parameters->attempt_delay_ms : ATTEMPT_DEFAULT;
}

void nw_parameters_set_resolution_delay_milliseconds(nw_parameters_t parameters,
                                                     uint32_t milliseconds) {
    if (refuse_null(parameters, __func__))
        return;
    parameters->resolution_delay_set = true;
    parameters->resolution_delay_ms = milliseconds;
}

uint32_t nw_parameters_get_resolution_delay_milliseconds(nw_parameters_t parameters) {
    if (refuse_null(parameters, __func__))
        return 0;
    return parameters->resolution_delay_set ? parameters->resolution_delay_ms : RESOLUTION_DEFAULT;
}
