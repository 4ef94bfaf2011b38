/*
 * fuzz_endpoint.c - endpoints from any text: a host and a port, a URL, a local path.
 * What:   the input is three lines: host, port, URL. Whatever they are, nothing crashes, and what
 *         is accepted keeps its promises: the text form of an endpoint makes the same endpoint
 *         again.
 */
#include "fuzz.h"
#include "model/endpoint.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

/* Everything that can be asked of an endpoint of any type. */
static void ask(nw_endpoint_t endpoint) {
    char text[NWI_ENDPOINT_TEXT_SIZE], small[5];
    char *port = nw_endpoint_copy_port_string(endpoint);
    char *address = nw_endpoint_copy_address_string(endpoint);
    socklen_t length;
    CHECK(strlen(nwi_endpoint_text(endpoint, text, sizeof text)) < sizeof text);
    CHECK(strlen(nwi_endpoint_text(endpoint, small, sizeof small)) < sizeof small);
    CHECK(nw_endpoint_get_hostname(endpoint) != NULL);
    CHECK((address != NULL) == nwi_endpoint_is_resolved(endpoint));
    CHECK((nwi_endpoint_sockaddr(endpoint, &length) != NULL) == (length != 0));
    CHECK(port == NULL || strtoul(port, NULL, 10) == nw_endpoint_get_port(endpoint));
    CHECK(nwi_endpoint_is_equal(endpoint, endpoint));
    free(port);
    free(address);
}

static void try_host(const char *host, const char *port) {
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port);
    if (endpoint == NULL)
        return;
    ask(endpoint);
    char *number = nw_endpoint_copy_port_string(endpoint);
    nw_endpoint_t again = nw_endpoint_create_host(nw_endpoint_get_hostname(endpoint), number);
    CHECK(again != NULL && nwi_endpoint_is_equal(endpoint, again));
    free(number);
    nw_release(again);
    nw_release(endpoint);
}

static void try_url(const char *url) {
    nw_endpoint_t endpoint = nw_endpoint_create_url(url);
    if (endpoint == NULL)
        return;
    ask(endpoint);
    CHECK(strcmp(nw_endpoint_get_url(endpoint), url) == 0);
    /* The host of a URL is one that can be connected to by itself, and it stands in the URL, but
     * for the percent sign of a zone, which is written %25 there. */
    const char *host = nw_endpoint_get_hostname(endpoint);
    nw_endpoint_t alone = nw_endpoint_create_host(host, "1");
    CHECK(alone != NULL);
    CHECK(strchr(host, '%') != NULL || strstr(url, host) != NULL);
    nw_release(alone);
    nw_release(endpoint);
}

static void try_path(const uint8_t *data, size_t size) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    memcpy(local.sun_path, data, size < sizeof local.sun_path ? size : sizeof local.sun_path);
    nw_endpoint_t endpoint = nw_endpoint_create_address((struct sockaddr *)&local);
    CHECK((endpoint != NULL) == (local.sun_path[0] != '\0'));
    if (endpoint != NULL)
        ask(endpoint);
    nw_release(endpoint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_log_nothing();
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *rest = text, *host = strsep(&rest, "\n"), *port = strsep(&rest, "\n");
    try_host(host, port != NULL ? port : host);
    try_host(port != NULL ? port : "", "80");
    try_url(rest != NULL ? rest : host);
    try_path(data, size);
    free(text);
    return 0;
}
