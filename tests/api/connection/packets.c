/*
 * packets.c - see packets.h.
 */
#include "packets.h"
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

static socklen_t loopback(int family, uint16_t port, struct sockaddr_storage *ret) {
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    memcpy(ret, family == AF_INET ? (void *)&in : &in6, family == AF_INET ? sizeof in : sizeof in6);
    return family == AF_INET ? sizeof in : sizeof in6;
}

static void set(int fd, int level, int name, int value) {
    assert_int_equal(setsockopt(fd, level, name, &value, sizeof value), 0);
}

void packet_ask(int fd, int family) {
    bool v6 = family == AF_INET6;
    set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVTCLASS : IP_RECVTOS, 1);
    set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1);
}

int packet_socket(int family, uint16_t *ret_port) {
    int fd = peer_bound(family, SOCK_DGRAM, ret_port);
    packet_ask(fd, family);
    return fd;
}

static void take_control(const struct cmsghdr *header, struct packet *packet) {
    int value;
    bool v4 = header->cmsg_level == IPPROTO_IP;
    if (v4 && header->cmsg_type == IP_TOS) {
        packet->traffic_class = *CMSG_DATA(header); /* one octet: ip(7) */
        return;
    }
    memcpy(&value, CMSG_DATA(header), sizeof value);
    if (!v4 && header->cmsg_type == IPV6_TCLASS)
        packet->traffic_class = value;
    else if (header->cmsg_type == (v4 ? IP_TTL : IPV6_HOPLIMIT))
        packet->hop_limit = value;
}

void packet_receive(int fd, struct packet *packet) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, WAIT_SECONDS * 1000) <= 0)
        fail_msg("no packet came");
    struct iovec room = {packet->bytes, sizeof packet->bytes - 1};
    char control[256];
    struct msghdr message = {.msg_name = &packet->from,
                             .msg_namelen = sizeof packet->from,
                             .msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t size = recvmsg(fd, &message, 0);
    assert_true(size >= 0);
    packet->bytes[size] = '\0';
    packet->size = (size_t)size;
    packet->from_length = message.msg_namelen;
    packet->traffic_class = packet->hop_limit = -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header))
        take_control(header, packet);
}

void packet_send(int fd, int family, uint16_t port, int ecn, const char *text) {
    struct sockaddr_storage to;
    socklen_t length = loopback(family, port, &to);
    set(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
        family == AF_INET6 ? IPV6_TCLASS : IP_TOS, ecn);
    assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, length),
                     strlen(text));
}

/* --- what the library tells --- */

struct receipt {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    struct arrival arrival;
};

static void look(void *context, dispatch_data_t content, nw_content_context_t of_message,
                 bool complete, nw_error_t error) {
    struct receipt *receipt = context;
    (void)content, (void)complete, (void)error;
    nw_protocol_definition_t ip = nw_protocol_copy_ip_definition(),
                             udp = nw_protocol_copy_udp_definition();
    nw_protocol_metadata_t of_ip = nw_content_context_copy_protocol_metadata(of_message, ip);
    nw_protocol_metadata_t of_udp = nw_content_context_copy_protocol_metadata(of_message, udp);
    pthread_mutex_lock(&receipt->lock);
    receipt->arrival = (struct arrival){
        nw_protocol_metadata_is_ip(of_ip), nw_protocol_metadata_is_udp(of_udp),
        nw_ip_metadata_get_ecn_flag(of_ip), nw_ip_metadata_get_receive_time(of_ip)};
    receipt->done = true;
    pthread_cond_signal(&receipt->changed);
    pthread_mutex_unlock(&receipt->lock);
    nw_release(of_ip);
    nw_release(of_udp);
    nw_release(ip);
    nw_release(udp);
}

struct arrival arrival_receive(nw_connection_t connection) {
    struct receipt receipt = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    nw_connection_receive_message_f(connection, &receipt, look);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    int err = 0;
    pthread_mutex_lock(&receipt.lock);
    while (!receipt.done && err == 0)
        err = pthread_cond_timedwait(&receipt.changed, &receipt.lock, &until);
    pthread_mutex_unlock(&receipt.lock);
    assert_int_equal(err, 0);
    return receipt.arrival;
}

/* --- connections --- */

nw_protocol_options_t internet_options(nw_parameters_t parameters) {
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
    nw_release(ip); /* the stack holds it, and the parameters hold the stack */
    nw_release(stack);
    return ip;
}

void send_marked(struct recorder *recorder, const char *text, nw_ip_ecn_flag_t ecn,
                 int service_class) {
    nw_content_context_t context = nw_content_context_create("marked");
    nw_protocol_metadata_t ip = nw_ip_create_metadata();
    nw_ip_metadata_set_ecn_flag(ip, ecn);
    if (service_class != USUAL_CLASS)
        nw_ip_metadata_set_service_class(ip, (nw_service_class_t)service_class);
    nw_content_context_set_metadata_for_protocol(context, ip);
    int tag = record_send(recorder, text, strlen(text), context, true);
    nw_release(ip);
    nw_release(context);
    assert_no_error(await_tag(recorder, tag));
}

struct recorder *record_with(int family, uint16_t port, nw_parameters_t parameters) {
    char text[8];
    nw_endpoint_t endpoint =
        nw_endpoint_create_host(family == AF_INET6 ? "::1" : "127.0.0.1", port_text(port, text));
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_start(recorder->connection);
    return recorder;
}

struct hearing *hear_with(nw_parameters_t parameters) {
    struct hearing *hearing = hear(nw_listener_create_with_port("0", parameters));
    nw_release(parameters);
    hearing->keep = true;
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    return hearing;
}
