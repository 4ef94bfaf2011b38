/*
 * fuzz_route.c - the kernel's answer about a route: whatever is in it, what is read is whole.
 */
#include "fuzz.h"
#include "sys/address.h"
#include "sys/route.h"
#include <linux/rtnetlink.h>
#include <string.h>

static void check_address(const struct sockaddr_storage *address) {
    CHECK(address->ss_family == 0 || address->ss_family == AF_INET ||
          address->ss_family == AF_INET6);
}

/* Random octets are seldom a message: the header is put right. */
static void try(const uint8_t *data, size_t size, bool mend) {
    union {
        struct nlmsghdr header;
        uint8_t octets[1024];
    } room;
    struct nwi_route route = {0};
    if (size > sizeof room)
        size = sizeof room;
    if (size > 0)
        memcpy(&room, data, size);
    if (mend && size >= sizeof room.header + sizeof(struct rtmsg)) {
        room.header.nlmsg_len = (uint32_t)size;
        room.header.nlmsg_type = RTM_NEWROUTE;
        room.octets[sizeof room.header] = data[0] & 1 ? AF_INET : AF_INET6;
    }
    nwi_err err = nwi_route_parse(&room, size, size % 2 == 0, &route);
    CHECK(err == 0 || nwi_err_domain(err) == NWI_DOMAIN_POSIX);
    check_address(&route.source);
    check_address(&route.gateway);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try(data, size, false);
    try(data, size, true);
    return 0;
}
