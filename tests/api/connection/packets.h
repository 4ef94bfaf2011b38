/*
 * packets.h - what a plain peer sees of a packet, and what the library tells of one.
 * Runs:   on the test's thread; every wait has a deadline and ends the test when it passes.
 */
#ifndef TESTS_API_CONNECTION_PACKETS_H
#define TESTS_API_CONNECTION_PACKETS_H

#include "support.h"

enum { USUAL_CLASS = -1, ECN_MASK = 3 };

struct packet {
    char bytes[8192];
    size_t size;
    int traffic_class, hop_limit; /* -1: the kernel did not say */
    struct sockaddr_storage from;
    socklen_t from_length;
};
/* A UDP socket on loopback that is told traffic class and hop limit of what it receives. */
int packet_socket(int family, uint16_t *ret_port);
void packet_ask(int fd, int family); /* the same for a socket that stands */
void packet_receive(int fd, struct packet *ret_packet);
/* Sends with these ECN bits to the port on loopback. */
void packet_send(int fd, int family, uint16_t port, int ecn, const char *text);

/* What the metadata of one received message say. */
struct arrival {
    bool is_ip, is_udp;
    nw_ip_ecn_flag_t ecn;
    uint64_t time;
};
struct arrival arrival_receive(nw_connection_t connection);

/* The options of IP in the parameters; lent. */
nw_protocol_options_t internet_options(nw_parameters_t parameters);
/* A message with IP metadata of its own; the class may be USUAL_CLASS. */
void send_marked(struct recorder *recorder, const char *text, nw_ip_ecn_flag_t ecn,
                 int service_class);
/* A started recorder of a new connection to loopback; takes the parameters. */
struct recorder *record_with(int family, uint16_t port, nw_parameters_t parameters);
/* A ready listener on any port that keeps what comes; takes the parameters. */
struct hearing *hear_with(nw_parameters_t parameters);

#endif
