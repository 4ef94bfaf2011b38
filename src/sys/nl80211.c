/*
 * nl80211.c - see nl80211.h.
 * What:   libmnl builds and reads the messages; the socket calls are those of the table.
 * Source: linux/genetlink.h (CTRL_CMD_GETFAMILY), linux/nl80211.h (NL80211_CMD_GET_INTERFACE,
 *         NL80211_CMD_GET_STATION, NL80211_STA_INFO_SIGNAL).
 * Runs:   any thread.
 * Owns:   a socket during each question; the subscription's descriptor is the caller's.
 */
#include "sys/nl80211.h"
#include "sys/netlink_message.h"
#include "sys/sockets.h"
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <string.h>

enum {
    PARTS_MAX = 64, /* of one dump: an access point has many stations, a client one */
    DRAIN_MAX = 256 /* events of one turn; edge triggered, so this is told as an error */
};

union request {
    struct nlmsghdr header;
    char room[128];
};

static nwi_err open_generic(int *ret_fd) {
    int fd;
    nwi_err err = nwi_socket_open(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, &fd);
    if (err != 0)
        return err;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    err = nwi_socket_bind(fd, (struct sockaddr *)&own, sizeof own);
    if (err != 0)
        nwi_socket_close(fd);
    else
        *ret_fd = fd;
    return err;
}

static struct nlmsghdr *begin(union request *request, uint16_t family, uint8_t command,
                              uint16_t flags) {
    struct nlmsghdr *header = mnl_nlmsg_put_header(request->room);
    header->nlmsg_type = family;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    header->nlmsg_seq = 1;
    struct genlmsghdr *generic = mnl_nlmsg_put_extra_header(header, sizeof *generic);
    generic->cmd = command;
    generic->version = 1;
    return header;
}

struct reader {
    void (*each)(struct reader *reader, const struct nlmsghdr *message);
    void *answer;
    uint16_t type; /* of messages that `each` takes */
};

/* Gives each message of one datagram to the reader. *ret_done: it was the last. */
static nwi_err read_part(struct reader *reader, const union nwi_netlink_datagram *message,
                         size_t size, bool *ret_done) {
    int left = (int)size;
    for (const struct nlmsghdr *header = &message->header; nwi_netlink_is_whole(header, left);
         header = mnl_nlmsg_next(header, &left)) {
        if (header->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *problem = mnl_nlmsg_get_payload(header);
            if (mnl_nlmsg_get_payload_len(header) < sizeof *problem || problem->error > 0)
                return nwi_posix(EPROTO);
            *ret_done = true;
            return problem->error != 0 ? nwi_posix(nwi_netlink_errno(problem->error)) : 0;
        }
        if (header->nlmsg_type == NLMSG_DONE) {
            *ret_done = true;
            return 0;
        }
        if (header->nlmsg_type == reader->type &&
            mnl_nlmsg_get_payload_len(header) >= sizeof(struct genlmsghdr))
            reader->each(reader, header);
        if (!(header->nlmsg_flags & NLM_F_MULTI))
            *ret_done = true;
    }
    return 0;
}

/* The kernel prepares its answer while it takes the request (see netlink.c): would-block is an
 * error here like any other. */
static nwi_err ask(const struct nlmsghdr *request, struct reader *reader) {
    union nwi_netlink_datagram message;
    int fd;
    nwi_err err = open_generic(&fd);
    if (err != 0)
        return err;
    struct iovec piece = {(void *)(uintptr_t)request, request->nlmsg_len};
    size_t sent, size;
    bool done = false;
    err = nwi_socket_send(fd, &piece, 1, 0, &sent);
    for (int part = 0; part < PARTS_MAX && err == 0 && !done; part++) {
        err = nwi_netlink_receive(fd, &message, &size);
        if (err == 0)
            err = read_part(reader, &message, size, &done);
    }
    nwi_socket_close(fd);
    return err;
}

/* --- the family --- */
static void take_group(struct nwi_nl80211 *wifi, const struct nlattr *group) {
    static const char *const names[NWI_NL80211_GROUPS] = {NL80211_MULTICAST_GROUP_MLME,
                                                          NL80211_MULTICAST_GROUP_SCAN};
    const struct nlattr *attribute, *name = NULL, *number = NULL;
    mnl_attr_for_each_nested(attribute, group) {
        if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GRP_NAME)
            name = attribute;
        else if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GRP_ID)
            number = attribute;
    }
    if (name == NULL || number == NULL || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0 ||
        mnl_attr_validate(number, MNL_TYPE_U32) < 0)
        return;
    for (int i = 0; i < NWI_NL80211_GROUPS; i++) {
        if (strcmp(mnl_attr_get_str(name), names[i]) == 0)
            wifi->groups[i] = mnl_attr_get_u32(number);
    }
}

static void each_family(struct reader *reader, const struct nlmsghdr *message) {
    struct nwi_nl80211 *wifi = reader->answer;
    const struct nlattr *attribute, *group;
    mnl_attr_for_each(attribute, message, sizeof(struct genlmsghdr)) {
        if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID &&
            mnl_attr_validate(attribute, MNL_TYPE_U16) >= 0)
            wifi->family = mnl_attr_get_u16(attribute);
        if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GROUPS) {
            mnl_attr_for_each_nested(group, attribute) take_group(wifi, group);
        }
    }
}

nwi_err nwi_nl80211_find(struct nwi_nl80211 *ret) {
    union request request = {.room = {0}};
    struct nwi_nl80211 wifi = {0};
    struct reader reader = {each_family, &wifi, GENL_ID_CTRL};
    struct nlmsghdr *header = begin(&request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
    mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, NL80211_GENL_NAME);
    nwi_err err = ask(header, &reader);
    if (err != 0)
        return err;
    if (wifi.family < NLMSG_MIN_TYPE)
        return nwi_posix(EPROTO);
    *ret = wifi;
    return 0;
}

/* --- the signal --- */
struct signal {
    bool is_client, heard;
    int dbm;
};

static void each_interface(struct reader *reader, const struct nlmsghdr *message) {
    struct signal *signal = reader->answer;
    const struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, sizeof(struct genlmsghdr)) {
        if (mnl_attr_get_type(attribute) != NL80211_ATTR_IFTYPE ||
            mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
            continue;
        uint32_t type = mnl_attr_get_u32(attribute);
        signal->is_client = type == NL80211_IFTYPE_STATION || type == NL80211_IFTYPE_P2P_CLIENT;
    }
}

/* A client's one station is its access point. The last beacon's signal; the average before it,
 * where the driver has one: it wavers less. */
static void each_station(struct reader *reader, const struct nlmsghdr *message) {
    struct signal *signal = reader->answer;
    const struct nlattr *attribute, *inner;
    bool averaged = false;
    mnl_attr_for_each(attribute, message, sizeof(struct genlmsghdr)) {
        if (mnl_attr_get_type(attribute) != NL80211_ATTR_STA_INFO)
            continue;
        mnl_attr_for_each_nested(inner, attribute) {
            uint16_t type = mnl_attr_get_type(inner);
            if ((type != NL80211_STA_INFO_SIGNAL && type != NL80211_STA_INFO_SIGNAL_AVG) ||
                mnl_attr_get_payload_len(inner) < 1 || averaged)
                continue;
            averaged = type == NL80211_STA_INFO_SIGNAL_AVG;
            signal->dbm = (int8_t)mnl_attr_get_u8(inner);
            signal->heard = true;
        }
    }
}

static nwi_err ask_interface(const struct nwi_nl80211 *wifi, uint8_t command, uint16_t flags,
                             unsigned index, struct reader *reader) {
    union request request = {.room = {0}};
    struct nlmsghdr *header = begin(&request, wifi->family, command, flags);
    mnl_attr_put_u32(header, NL80211_ATTR_IFINDEX, index);
    return ask(header, reader);
}

nwi_err nwi_nl80211_signal(const struct nwi_nl80211 *wifi, unsigned index, int *ret_dbm) {
    struct signal signal = {0};
    struct reader interface = {each_interface, &signal, wifi->family};
    struct reader station = {each_station, &signal, wifi->family};
    nwi_err err = ask_interface(wifi, NL80211_CMD_GET_INTERFACE, 0, index, &interface);
    if (err == 0 && signal.is_client)
        err = ask_interface(wifi, NL80211_CMD_GET_STATION, NLM_F_DUMP, index, &station);
    if (err != 0)
        return err;
    if (!signal.heard)
        return nwi_posix(ENODATA);
    *ret_dbm = signal.dbm;
    return 0;
}

/* --- events --- */
nwi_err nwi_nl80211_subscribe(const struct nwi_nl80211 *wifi, int *ret_fd) {
    int fd;
    nwi_err err = open_generic(&fd);
    if (err != 0)
        return err;
    for (int i = 0; i < NWI_NL80211_GROUPS && err == 0; i++) {
        if (wifi->groups[i] != 0)
            err = nwi_socket_set_int(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, (int)wifi->groups[i]);
    }
    if (err != 0)
        nwi_socket_close(fd);
    else
        *ret_fd = fd;
    return err;
}

nwi_err nwi_nl80211_drain(int fd) {
    union nwi_netlink_datagram message;
    size_t size;
    nwi_err err = 0;
    for (int i = 0; i < DRAIN_MAX; i++) {
        err = nwi_netlink_receive(fd, &message, &size);
        if (nwi_err_would_block(err))
            return 0;
        /* Dropped or cut short: they say no more than the others. */
        if (err != 0 && err != nwi_posix(ENOBUFS))
            return err;
    }
    return err != 0 ? err : nwi_posix(ENOBUFS);
}
