/*
 * test_no_memory.c - what has been received is not lost when memory runs out while it is handed
 * over.
 * What:   six octets wait, two are asked for, and the n-th allocation from there on fails: each n until
 *         none is reached. Octets may end in an error, and never in a gap.
 */
#include "../../api/connection/support.h"
#include "base/alloc.h"

enum { ROUNDS_MAX = 100 };

/* False: the n-th allocation was not reached. */
static bool receive_with_fault(unsigned n) {
    int fd;
    char got[8] = "";
    struct recorder *recorder = record_pair(AF_INET, &fd);
    peer_write(fd, "abc", 3);
    peer_drained(fd);
    assert_string_equal(receive_now(recorder, 1, 1)->bytes, "a"); /* the rest has been read along */
    peer_write(fd, "def", 3);
    peer_drained(fd);
    nwi_alloc_fail_at(n);
    const struct event *event = receive_now(recorder, 4, 4);
    bool hit = nwi_alloc_fault_hit();
    nwi_alloc_fail_at(0);
    while (event->size > 0) {
        memcpy(got + strlen(got), event->bytes, event->size);
        if (strlen(got) == strlen("bcdef") || event->domain == nw_error_domain_posix)
            break;
        event = receive_now(recorder, 1, 1);
    }
    if (event->domain != nw_error_domain_posix)
        assert_string_equal(got, "bcdef");
    finish(recorder);
    close(fd);
    return hit;
}

static void octets_are_not_lost(void **state) {
    (void)state;
    unsigned n = 1;
    while (n < ROUNDS_MAX && receive_with_fault(n))
        n++;
    assert_in_range(n, 3, ROUNDS_MAX - 1); /* some were reached */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(octets_are_not_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
