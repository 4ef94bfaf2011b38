/*
 * report.h - how the harness prints: table, Markdown or JSON. Used by harness.c alone.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "harness.h"

void bench_report_head(const struct bench_program *program, const struct bench_options *options);
/* `first`: no row has been printed yet. */
void bench_report_row(const struct bench_row *row, const struct bench_result *result,
                      const struct bench_options *options, bool first);
void bench_report_end(enum bench_form form);

#endif
