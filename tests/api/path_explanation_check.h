/* path_explanation_check.h - what both forms of the test of <Network/path_explanation.h> share. */
#ifndef PATH_EXPLANATION_CHECK_H
#define PATH_EXPLANATION_CHECK_H

#include <Network/Network.h>
#include <Network/path_explanation.h>
#include <dispatch/dispatch.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h> /* needs the above */

/* What was seen of one explanation. Loopback is there on every machine. */
struct seen {
    unsigned interfaces, addresses, own_addresses, gateways;
    bool loopback;
    nw_path_verdict_t verdict;
    nw_path_verdict_reason_t reason;
    char text[128], remote[128], way[160], order[160];
    nw_route_kind_t kind;
    unsigned calls; /* of the handler */
    int error;
    sem_t done;
};

static inline void wait_for(sem_t *event) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(sem_timedwait(event, &until), 0);
}

static inline void copy_text(char *to, size_t size, const char *text) {
    assert_non_null(text);
    snprintf(to, size, "%s", text);
}

/* Notes the loopback interface. */
static inline void note_interface(struct seen *seen, nw_interface_explanation_t explanation) {
    nw_interface_t interface = nw_interface_explanation_copy_interface(explanation);
    seen->interfaces++;
    if (nw_interface_get_type(interface) == nw_interface_type_loopback) {
        seen->loopback = true;
        seen->verdict = nw_interface_explanation_get_verdict(explanation);
        seen->reason = nw_interface_explanation_get_reason(explanation);
        copy_text(seen->text, sizeof seen->text, nw_interface_explanation_get_text(explanation));
        assert_true(nw_interface_explanation_get_mtu(explanation) >= 1280);
        assert_false(nw_interface_explanation_get_metric(explanation, NULL));
        assert_false(nw_interface_explanation_is_expensive(explanation));
        assert_false(nw_interface_explanation_is_constrained(explanation));
        assert_false(nw_interface_explanation_is_ultra_constrained(explanation));
        assert_int_equal(nw_interface_explanation_get_link_quality(explanation),
                         nw_link_quality_unknown);
    }
    nw_release(interface);
}

static inline void note_address(struct seen *seen, nw_address_explanation_t explanation) {
    nw_endpoint_t remote = nw_address_explanation_copy_remote(explanation);
    nw_endpoint_t source = nw_address_explanation_copy_source(explanation);
    nw_endpoint_t gateway = nw_address_explanation_copy_gateway(explanation);
    nw_interface_t interface = nw_address_explanation_copy_interface(explanation);
    if (seen->addresses++ == 0) {
        copy_text(seen->remote, sizeof seen->remote, nw_endpoint_get_hostname(remote));
        copy_text(seen->way, sizeof seen->way, nw_address_explanation_get_text(explanation));
        copy_text(seen->order, sizeof seen->order,
                  nw_address_explanation_get_order_text(explanation));
        seen->kind = nw_address_explanation_get_route_kind(explanation);
        assert_int_equal(nw_address_explanation_get_order(explanation), nw_address_order_first);
        assert_int_equal(nw_address_explanation_get_verdict(explanation), nw_path_verdict_used);
        assert_true(nw_address_explanation_get_table(explanation) >= 254); /* main or local */
        assert_true(nw_address_explanation_get_mtu(explanation) >= 1280);
        uint8_t bits = 0;
        uint32_t metric = 99;
        assert_true(nw_address_explanation_get_match(explanation, &metric, &bits));
        assert_true(bits > 0);
        assert_string_equal(nw_endpoint_get_hostname(source), seen->remote);
        assert_null(gateway);
        assert_int_equal(nw_interface_get_type(interface), nw_interface_type_loopback);
        assert_int_equal(nw_endpoint_get_port(remote), 80);
    }
    nw_release(remote);
    nw_release(source);
    nw_release(gateway);
    nw_release(interface);
}

#endif
