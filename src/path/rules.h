/*
 * rules.h - which interfaces parameters allow, and why not the others.
 * What:   the path rules of nw_parameters_t and the local-network policy against a table of the
 *         network.
 * Source: semantics of nw_parameters_t (path rules) and of nw_path_unsatisfied_reason_t.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_RULES_H
#define NWI_PATH_RULES_H

#include "base/err.h"
#include <Network/parameters.h>
#include <Network/path.h>
#include <sys/socket.h>

struct nwi_path_table;
struct nwi_path_interface;

/* What decides about one interface; the first that applies, in this order. */
enum nwi_path_verdict {
    NWI_PATH_FITS,
    NWI_PATH_DOWN,                 /* not running, or without an address to send from */
    NWI_PATH_INTERFACE_REQUIRED,   /* another interface is required */
    NWI_PATH_TYPE_REQUIRED,        /* another type is required */
    NWI_PATH_INTERFACE_PROHIBITED, /* this interface is prohibited */
    NWI_PATH_TYPE_PROHIBITED,      /* its type is prohibited */
    NWI_PATH_EXPENSIVE,            /* expensive ones are prohibited */
    NWI_PATH_CONSTRAINED,          /* constrained ones are prohibited */
    NWI_PATH_ULTRA_CONSTRAINED,    /* ultra constrained ones were not allowed */
    NWI_PATH_PEER_TO_PEER,         /* peer-to-peer links were not included */
    NWI_PATH_LOCAL_ENDPOINT,       /* it does not hold the local endpoint's address */
    NWI_PATH_LOOPBACK,             /* leads nowhere else, and was not asked for */
    NWI_PATH_VERDICTS
};
/* `parameters` NULL: no rules, though ultra constrained links are refused all the same. */
enum nwi_path_verdict nwi_path_judge(const struct nwi_path_table *table, nw_parameters_t parameters,
                                     const struct nwi_path_interface *interface);
/* The rules alone, whether the interface is usable or not. */
enum nwi_path_verdict nwi_path_judge_rules(nw_parameters_t parameters,
                                           const struct nwi_path_interface *interface);
/* "fits", "expensive interfaces are prohibited" ... Static. */
const char *nwi_path_verdict_text(enum nwi_path_verdict verdict);

/* The interfaces by which a connection may go to others, most preferred first. */
enum { NWI_PATH_CHOICES = 8 }; /* further ones are left out */
struct nwi_path_choice {
    bool free;          /* no rule: the kernel may route as it likes, and nothing need be bound */
    bool may_be_routed; /* only a local address chose: where its link has no route, another may */
    bool denied;        /* local network addresses may not be spoken to */
    unsigned count;
    unsigned interfaces[NWI_PATH_CHOICES];
};
/* 0, or posix ENETDOWN: none fits now (wait for a change). Without rules nothing is looked up. */
nwi_err nwi_path_choose(nw_parameters_t parameters, struct nwi_path_choice *ret_choice);
nwi_err nwi_path_choose_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                           struct nwi_path_choice *ret_choice);
/* Whether the rules leave the way from this machine to itself (loopback addresses), which needs no
 * binding. 0 or posix ENETDOWN. */
nwi_err nwi_path_allows_itself(nw_parameters_t parameters);
nwi_err nwi_path_allows_itself_in(const struct nwi_path_table *table, nw_parameters_t parameters);

/* Whether parameters have rules about interfaces. Ultra constrained ones are refused without. */
bool nwi_path_has_rules(nw_parameters_t parameters);
/* Whether one of them is about what path/costs.h tells: the cost or the type of an interface. */
bool nwi_path_rules_weigh_costs(nw_parameters_t parameters);
/* Whether a listener may open: rules leave an interface, loopback counted, and its own address is
 * not on a local network that is denied. 0 or posix ENETDOWN. */
nwi_err nwi_path_allows_listening(nw_parameters_t parameters);
/* Whether the rules let a peer come in by that interface. */
bool nwi_path_allows_arrival(nw_parameters_t parameters, unsigned index);
/* The interface that holds the address; 0 = none. */
unsigned nwi_path_holder(const struct sockaddr *address);
/* The interface that holds the parameters' local endpoint, when that is one address of one of this
 * machine's links to others; 0: none, or any. */
unsigned nwi_path_local_interface(const struct nwi_path_table *table, nw_parameters_t parameters);
/* Why no interface fits, as far as a path can say it. */
nw_path_unsatisfied_reason_t nwi_path_reason(const struct nwi_path_table *table,
                                             nw_parameters_t parameters);
/* Multicast, broadcast, link-local, and what is on the link of an interface that others share: not
 * of loopback, point-to-point or cellular ones, and not this machine's own addresses. */
bool nwi_path_is_local_network(const struct nwi_path_table *table, const struct sockaddr *address);
/* The same of the network as it is; true when it cannot be read. */
bool nwi_path_is_on_local_network(const struct sockaddr *address);

#endif
