/*
 * fuzz_policy.c - any text as a gai.conf: the table that comes out stays in its bounds, and orders.
 */
#include "fuzz.h"
#include "resolver/order.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(const struct nwi_policy_list *list, unsigned limit) {
    CHECK(list->count <= limit);
    for (unsigned i = 0; i < list->count; i++)
        CHECK(list->rows[i].length <= 128);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct nwi_policy policy;
    fuzz_log_nothing();
    char *text = malloc(size + 1); /* its own block, so that a read past the end is seen */
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text = realloc(text, size > 0 ? size : 1);
    nwi_policy_parse(text, size, &policy);
    free(text);
    check(&policy.label, NWI_POLICY_ROWS);
    check(&policy.precedence, NWI_POLICY_ROWS);
    check(&policy.scope_v4, NWI_POLICY_ROWS);

    struct nwi_order_candidate pair[2] = {{.has_source = true}, {.has_source = true}};
    for (int i = 0; i < 2; i++) {
        pair[i].destination.in6.sin6_family = AF_INET6;
        pair[i].source.in6.sin6_family = AF_INET6;
        for (size_t k = 0; k < 16 && size > 0; k++) {
            pair[i].destination.in6.sin6_addr.s6_addr[k] = data[(k * 3 + (size_t)i) % size];
            pair[i].source.in6.sin6_addr.s6_addr[k] = data[(k * 5 + (size_t)i) % size];
        }
    }
    int forth = nwi_order_compare(&pair[0], &pair[1], &policy);
    int back = nwi_order_compare(&pair[1], &pair[0], &policy);
    CHECK((forth < 0) == (back > 0) && (forth == 0) == (back == 0));
    return 0;
}
