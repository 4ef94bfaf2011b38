/*
 * scene.h - a resolver of its own for each test, a DNS server in this process that answers by the
 * script in scene.c, and probes that note what a resolution answered.
 * Used:   by test_resolver.c and test_resolver_ends.c.
 */
#ifndef TESTS_UNIT_RESOLVER_SCENE_H
#define TESTS_UNIT_RESOLVER_SCENE_H

#include "dispatch/serial.h"
#include "fake/fake_dns.h"
#include "resolver/resolver.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATIENCE = 30 /* s until a wait counts as a failure */, A = 1, AAAA = 28 };
#define NO_SUCH nwi_dns(NWI_DNS_NO_SUCH_RECORD)

/* --- what one resolution answered --- */
struct probe {
    struct nwi_serial *context;
    struct nwi_resolution *resolution;
    struct nwi_task task; /* carries a call into the context */
    const char *host;
    struct nwi_resolve_options options;
    bool cancel_inside; /* in the first handler call */
    unsigned answers, after_cancel;
    bool canceled, task_done;
    struct {
        int family;
        nwi_err err;
        char addresses[1024];
        size_t count;
        enum nwi_resolve_source source;
        enum nwi_resolve_protocol protocol;
        uint32_t ttl, first_rank;
        nwi_ns duration;
        bool last;
    } got[2]; /* in order of arrival */
};
extern pthread_mutex_t lock;               /* of every probe's fields */
extern const struct fake_dns_rule rules[]; /* what the server answers */
extern struct fake_dns *server;
extern struct nwi_resolver *resolver;
extern struct nwi_serial context; /* without owner: lives as long as the program */
extern char resolv_path[64], hosts_path[64];

void scene_init(void); /* once, first */
int setup(void **state);
int setup_patient(void **state); /* would wait a minute for a lost packet */
int setup_narrow(void **state);  /* eight names at once */
int setup_many(void **state);
int teardown(void **state);
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define PATIENT(f) cmocka_unit_test_setup_teardown(f, setup_patient, teardown)

void write_file(const char *path, const char *text);
void on_answer(void *context, const struct nwi_resolve_answer *answer);
/* Until the flag, or until the counter has reached the target. */
void wait_until(const bool *flag, const unsigned *counter, unsigned target);
void cancel_in_context(struct probe *probe);
/* All that was in the context's list before this has run when it returns. */
void pass_through(struct probe *probe);
void start(struct probe *probe, const char *host);
void finish(struct probe *probe);
/* Runs one to its end; the answers are sorted by family, IPv6 first. */
void resolve(struct probe *probe, const char *host, int family);
void expect(const char *host, nwi_err err6, const char *v6, nwi_err err4, const char *v4,
            enum nwi_resolve_source source);

#endif
