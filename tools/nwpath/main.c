/*
 * main.c - nwpath: what a path monitor says, and which way a connection would take.
 * What:   over the public API alone: a monitor and explanations.
 * Runs:   main thread; everything later on the main queue.
 */
#include "rules.h"

#include "common/signals.h"
#include "common/terminal.h"
#include "watch.h"

#include <dispatch/dispatch.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

static _Noreturn void leave(int status) {
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fputs("nwpath: cannot write the output\n", stderr);
        status = NWPATH_OUTPUT;
    }
    exit(status);
}

/* --- one host --- */

struct question {
    const struct nwpath_options *options;
    struct nwpath_pen pen;
};

static int write_answer(const struct question *question, nw_path_explanation_t explanation) {
    const struct nwpath_options *o = question->options;
    struct nwpath_report report;
    if (!nwpath_report_fill(&report, NULL, explanation, o->family)) {
        fputs("nwpath: out of memory\n", stderr);
        return NWPATH_FAILED;
    }
    if (o->json)
        nwpath_write_json(&report, o->host, o->port, stdout);
    else
        nwpath_write_ways(&report, o->host, o->port, &question->pen);
    bool way = report.way_count > 0 && report.error[0] == '\0' &&
               report.ways[0].verdict == nw_path_verdict_used;
    int status = way ? NWPATH_OK : report.no_name ? NWPATH_NO_NAME : NWPATH_FAILED;
    nwpath_report_free(&report);
    return status;
}

static void answered(void *context, nw_path_explanation_t explanation) {
    leave(write_answer(context, explanation));
}

static void interrupted(void *context, int status) {
    (void)context;
    leave(status);
}

static void explain_host(struct question *question, nw_parameters_t parameters) {
    const struct nwpath_options *o = question->options;
    nw_endpoint_t endpoint = nw_endpoint_create_host(o->host, o->port != NULL ? o->port : "0");
    if (endpoint == NULL) {
        fprintf(stderr, "nwpath: '%s%s%s' is not a host and port\n", o->host,
                o->port != NULL ? " " : "", o->port != NULL ? o->port : "");
        leave(NWPATH_USAGE);
    }
    tool_signals_watch(NULL, interrupted);
    nw_path_explain_f(parameters, endpoint, dispatch_get_main_queue(), question, answered);
    nw_release(endpoint);
}

int main(int argc, char **argv) {
    static struct nwpath_options options; /* lives until the end; dispatch_main never returns */
    static struct question question;
    tool_fill_standard_descriptors();
    setlocale(LC_CTYPE, "");
    int status = nwpath_options_parse(&options, argc, argv, stdout, stderr);
    if (status != NWPATH_RUN)
        leave(status);
    nw_parameters_t parameters = nwpath_rules_create(&options, &status);
    if (parameters == NULL)
        leave(status);
    bool terminal = isatty(STDOUT_FILENO);
    question.options = &options;
    question.pen = (struct nwpath_pen){.out = stdout,
                                       .colour = tool_wants_colour(STDOUT_FILENO, options.colour)};
    if (options.host != NULL)
        explain_host(&question, parameters);
    else
        nwpath_watch_start(&options, nwpath_has_rules(&options) ? parameters : NULL, &question.pen,
                           terminal && !options.json, leave);
    nw_release(parameters);
    dispatch_main();
}
