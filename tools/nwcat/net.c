/*
 * net.c - small calls to the Network framework that several modes need.
 * Runs:   on the main queue.
 */
#include "net.h"

#include "events.h"

#include <netdb.h>
#include <string.h>
#include <sys/un.h>

static nw_endpoint_t unix_endpoint(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return NULL;
    memcpy(address.sun_path, path, strlen(path) + 1);
    return nw_endpoint_create_address((const struct sockaddr *)&address);
}

/* A local address must be known before anything is bound to it, so a name is looked up here and
 * now. */
static nw_endpoint_t local_endpoint(const struct nwcat_app *app, const char *host, const char *port,
                                    enum nwcat_status *status) {
    const struct nwcat_options *o = &app->options;
    struct addrinfo hints = {.ai_flags = AI_PASSIVE,
                             .ai_family = o->family == 4   ? AF_INET
                                          : o->family == 6 ? AF_INET6
                                                           : AF_UNSPEC,
                             .ai_socktype = o->udp ? SOCK_DGRAM : SOCK_STREAM};
    /* Only a port given: any address. AF_INET6's "::" stands for both families unless -4 asks
     * otherwise. */
    if (host == NULL && o->family == 0)
        hints.ai_family = AF_INET6;
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, port != NULL ? port : "0", &hints, &found);
    nw_endpoint_t endpoint = error == 0 ? nw_endpoint_create_address(found->ai_addr) : NULL;
    if (endpoint == NULL) {
        char what[320];
        snprintf(what, sizeof what, "'%s' is not an address of this machine%s%s",
                 host != NULL ? host : port, error != 0 ? ": " : "",
                 error != 0 ? gai_strerror(error) : "");
        nwcat_event_error(app, what, NULL);
        *status = NWCAT_NO_NAME;
    }
    if (found != NULL)
        freeaddrinfo(found);
    return endpoint;
}

/* The address that -s, -p or a listener's words ask for; false after a complaint. */
static bool set_local(const struct nwcat_app *app, nw_parameters_t parameters,
                      enum nwcat_status *status) {
    const struct nwcat_options *o = &app->options;
    nw_endpoint_t local = NULL;
    if (o->listen && o->unix_socket)
        local = unix_endpoint(o->host);
    else if (o->listen && o->host != NULL)
        local = local_endpoint(app, o->host, o->port, status);
    else if (!o->listen && (o->source_host != NULL || o->source_port != NULL))
        local = local_endpoint(app, o->source_host, o->source_port, status);
    else
        return true;
    if (local == NULL)
        return false;
    nw_parameters_set_local_endpoint(parameters, local);
    nw_release(local);
    return true;
}

struct tls_wish {
    const struct nwcat_app *app;
    struct nwcat_trust *trust;
};

static void configure_tls(void *context, nw_protocol_options_t options) {
    const struct tls_wish *wish = context;
    nwcat_tls_configure(wish->app, options, wish->trust);
}

nw_parameters_t nwcat_parameters_create(const struct nwcat_app *app, struct nwcat_trust *trust,
                                        enum nwcat_status *status) {
    struct tls_wish wish = {app, trust};
    nw_parameters_configure_protocol_f tls =
        app->options.tls.on ? configure_tls : NW_PARAMETERS_DISABLE_PROTOCOL_F;
    const struct nwcat_options *o = &app->options;
    *status = NWCAT_FAILED;
    nw_parameters_t parameters =
        o->udp ? nw_parameters_create_secure_udp_f(&wish, tls, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F)
               : nw_parameters_create_secure_tcp_f(&wish, tls, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    if (parameters == NULL) {
        nwcat_event_error(app, "cannot set up the connection", NULL);
        return NULL;
    }
    if (o->family != 0) {
        nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
        nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
        nw_ip_options_set_version(ip, o->family == 4 ? nw_ip_version_4 : nw_ip_version_6);
        nw_release(ip);
        nw_release(stack);
    }
    /* A listener that starts again must not wait for connections of the last one to be forgotten.
     */
    if (o->listen)
        nw_parameters_set_reuse_local_address(parameters, true);
    if (!set_local(app, parameters, status)) {
        nw_release(parameters);
        return NULL;
    }
    return parameters;
}

nw_endpoint_t nwcat_remote_endpoint(const struct nwcat_app *app, const char *port) {
    if (app->options.unix_socket)
        return unix_endpoint(app->options.host);
    return nw_endpoint_create_host(app->options.host, port);
}

void nwcat_endpoint_text(char *text, size_t size, nw_endpoint_t endpoint) {
    text[0] = '\0';
    const struct sockaddr *address = nw_endpoint_get_address(endpoint);
    if (address != NULL && address->sa_family == AF_UNIX) {
        const struct sockaddr_un *local = (const struct sockaddr_un *)address;
        snprintf(text, size, "%.*s", (int)sizeof local->sun_path, local->sun_path);
        return;
    }
    char *copied = nw_endpoint_copy_address_string(endpoint);
    const char *host = copied != NULL ? copied : nw_endpoint_get_hostname(endpoint);
    if (host != NULL)
        snprintf(text, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
                 nw_endpoint_get_port(endpoint));
    free(copied);
}

void nwcat_connection_ends(nw_connection_t connection, char *remote, char *local, size_t size) {
    nw_path_t path = nw_connection_copy_current_path(connection);
    nw_endpoint_t far = path != NULL ? nw_path_copy_effective_remote_endpoint(path) : NULL;
    nw_endpoint_t near = path != NULL ? nw_path_copy_effective_local_endpoint(path) : NULL;
    if (far == NULL)
        far = nw_connection_copy_endpoint(connection);
    nwcat_endpoint_text(remote, size, far);
    nwcat_endpoint_text(local, size, near);
    nw_release(far);
    nw_release(near);
    nw_release(path);
}

struct interface_name {
    char *text;
    size_t size;
};

static bool take_first(void *context, nw_interface_t interface) {
    struct interface_name *name = context;
    const char *text = nw_interface_get_name(interface);
    snprintf(name->text, name->size, "%s", text != NULL ? text : "");
    return false;
}

void nwcat_connection_interface(nw_connection_t connection, char *text, size_t size) {
    struct interface_name name = {text, size};
    text[0] = '\0';
    nw_path_t path = nw_connection_copy_current_path(connection);
    if (path != NULL)
        nw_path_enumerate_interfaces_f(path, &name, take_first);
    nw_release(path);
}
