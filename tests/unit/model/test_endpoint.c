/*
 * test_endpoint.c - src/model/endpoint.c and endpoint_parse.c.
 */
#include "misuse.h"

#include "base/alloc.h"
#include "model/endpoint.h"
#include "model/endpoint_parse.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static void ports(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int port; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {"80", 80},
        {"00080", 80},
        {"65535", 65535},
        {"65536", -1},
        {"99999999999999999999", -1},
        {"", -1},
        {"80 ", -1},
        {" 80", -1},
        {"-1", -1},
        {"+80", -1},
        {"8o", -1},
        {"http", 80},
        {"https", 443},
        {"domain", 53},
        {"no-such-service", -1},
        {"80\n", -1},
        {"0x50", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t port = 7;
        bool good = nwi_port_parse(cases[i].text, &port);
        if (good != (cases[i].port >= 0) || port != (good ? cases[i].port : 7))
            fail_msg("port \"%s\": %d, %u", cases[i].text, good, port);
    }
    assert_false(nwi_port_parse(NULL, &(uint16_t){0}));
}

static void urls(void **state) {
    (void)state;
    static const struct {
        const char *url, *host; /* host NULL: refused */
        uint16_t port;
    } cases[] = {
        {"http://example.com", "example.com", 80},
        {"HTTPS://Example.com/a/b?c#d", "Example.com", 443},
        {"ws://example.com?x", "example.com", 80},
        {"wss://example.com#x", "example.com", 443},
        {"ftp://user:pass@example.com/file", "example.com", 21},
        {"http://a@b@example.com/", NULL, 0},
        {"http://example.com:8080/", "example.com", 8080},
        {"http://example.com:/", "example.com", 80},
        {"http://example.com:0/", "example.com", 0},
        {"http://example.com:65536/", NULL, 0},
        {"http://example.com:8o/", NULL, 0},
        {"http://[2001:db8::1]/", "2001:db8::1", 80},
        {"http://[2001:db8::1]:81", "2001:db8::1", 81},
        {"http://[fe80::1%25lo]/", "fe80::1%lo", 80},
        {"http://[fe80::1%lo]/", NULL, 0},
        {"http://[192.0.2.1]/", NULL, 0},
        {"http://[2001:db8::1/", NULL, 0},
        {"http://[2001:db8::1]x/", NULL, 0},
        {"http://[]/", NULL, 0},
        {"http://192.0.2.1/", "192.0.2.1", 80},
        {"gopher+x.1-2://example.com", "example.com", 0},
        {"http:///path", NULL, 0},
        {"http://", NULL, 0},
        {"http:/example.com", NULL, 0},
        {"//example.com", NULL, 0},
        {"1http://example.com", NULL, 0},
        {"example.com", NULL, 0},
        {"", NULL, 0},
        {"http://exa mple.com/", NULL, 0},
        {"http://example.com/a b", NULL, 0},
        {"http://example.com/\xc3\xa9", NULL, 0},
        {"http://example.com/a\"b", NULL, 0},
        {"http://ex%61mple.com/", NULL, 0},
        {"http://example.com./", "example.com.", 80},
        {"file:///etc/hosts", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nw_endpoint_t endpoint = nw_endpoint_create_url(cases[i].url);
        if ((endpoint != NULL) != (cases[i].host != NULL))
            fail_msg("url \"%s\"", cases[i].url);
        if (endpoint == NULL) {
            assert_int_equal(misuse_take(), 1);
            continue;
        }
        assert_int_equal(nw_endpoint_get_type(endpoint), nw_endpoint_type_url);
        assert_string_equal(nw_endpoint_get_hostname(endpoint), cases[i].host);
        assert_string_equal(nw_endpoint_get_url(endpoint), cases[i].url);
        assert_int_equal(nw_endpoint_get_port(endpoint), cases[i].port);
        assert_null(nw_endpoint_copy_port_string(endpoint));
        nw_release(endpoint);
    }
}

static void long_names(void **state) {
    (void)state;
    char name[300], url[320];
    memset(name, 'a', sizeof name);
    for (size_t i = 60; i < sizeof name; i += 61)
        name[i] = '.';
    name[253] = '\0';
    nw_endpoint_t longest = nw_endpoint_create_host(name, "80");
    assert_non_null(longest);
    assert_string_equal(nw_endpoint_get_hostname(longest), name);
    nw_release(longest);
    snprintf(url, sizeof url, "http://%s./", name);
    nw_endpoint_t in_url = nw_endpoint_create_url(url);
    assert_non_null(in_url);
    nw_release(in_url);
    memcpy(name + 253, ".", 2); /* a final dot does not count */
    nw_endpoint_t qualified = nw_endpoint_create_host(name, "80");
    assert_non_null(qualified);
    nw_release(qualified);
    memcpy(name + 253, "b", 2);
    assert_misuse(assert_null(nw_endpoint_create_host(name, "80")));
    snprintf(url, sizeof url, "http://%s/", name);
    assert_misuse(assert_null(nw_endpoint_create_url(url)));
}

static void literals_become_addresses(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
        int family;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", AF_INET},
        {"2001:DB8::1", "2001:db8::1", AF_INET6},
        {"fe80::1%lo", "fe80::1%lo", AF_INET6},
        {"fe80::1%1", "fe80::1%lo", AF_INET6},
        {"::", "::", AF_INET6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nw_endpoint_t endpoint = nw_endpoint_create_host(cases[i].text, "443");
        assert_non_null(endpoint);
        assert_int_equal(nw_endpoint_get_type(endpoint), nw_endpoint_type_address);
        assert_true(nwi_endpoint_is_resolved(endpoint));
        assert_int_equal(nw_endpoint_get_address(endpoint)->sa_family, cases[i].family);
        assert_int_equal(nw_endpoint_get_port(endpoint), 443);
        assert_string_equal(nw_endpoint_get_hostname(endpoint), cases[i].shown);
        nw_release(endpoint);
    }
    static const char *const bad[] = {"",      " ",   "a b", "fe80::1%no-such-link",
                                      "[::1]", "1:2", "a/b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_misuse(assert_null(nw_endpoint_create_host(bad[i], "443")));
}

static void misuse_names_the_value(void **state) {
    (void)state;
    assert_misuse(assert_null(nw_endpoint_create_host("example.com", "70000")));
    assert_non_null(strstr(misuse_text(), "\"70000\""));
    assert_non_null(strstr(misuse_text(), "nw_endpoint_create_host"));
    assert_misuse(assert_null(nw_endpoint_create_host(NULL, "1")));
    assert_misuse(assert_null(nw_endpoint_create_host("a", NULL)));
    assert_misuse(assert_null(nw_endpoint_create_url(NULL)));
    assert_misuse(assert_null(nw_endpoint_create_address(NULL)));
}

static void addresses_are_copied(void **state) {
    (void)state;
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(8080), .sin6_scope_id = 1};
    inet_pton(AF_INET6, "fe80::2", &in6.sin6_addr);
    nw_endpoint_t endpoint = nw_endpoint_create_address((struct sockaddr *)&in6);
    socklen_t length = 0;
    const struct sockaddr *held = nwi_endpoint_sockaddr(endpoint, &length);
    assert_int_equal(length, sizeof in6);
    assert_memory_equal(held, &in6, sizeof in6);
    assert_ptr_not_equal(held, &in6);
    nw_release(endpoint);

    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(53)};
    memset(in4.sin_zero, 0xff, sizeof in4.sin_zero);
    endpoint = nw_endpoint_create_address((struct sockaddr *)&in4);
    assert_memory_equal(
        ((const struct sockaddr_in *)(const void *)nw_endpoint_get_address(endpoint))->sin_zero,
        "\0\0\0\0\0\0\0", 8);
    assert_null(nwi_endpoint_from_sockaddr((struct sockaddr *)&in4, sizeof in4 - 9));
    assert_null(nwi_endpoint_from_sockaddr((struct sockaddr *)&in4, 1));
    nw_release(endpoint);

    struct sockaddr other = {.sa_family = AF_NETLINK};
    assert_misuse(assert_null(nw_endpoint_create_address(&other)));
}

static void local_sockets(void **state) {
    (void)state;
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x.sock"};
    nw_endpoint_t path = nw_endpoint_create_address((struct sockaddr *)&local);
    assert_int_equal(nw_endpoint_get_type(path), nw_endpoint_type_address);
    assert_string_equal(nw_endpoint_get_hostname(path), "/run/x.sock");
    assert_int_equal(nw_endpoint_get_port(path), 0);

    memset(local.sun_path, 'p', sizeof local.sun_path); /* not terminated: allowed */
    nw_endpoint_t full = nw_endpoint_create_address((struct sockaddr *)&local);
    assert_non_null(full);
    assert_int_equal(strlen(nw_endpoint_get_hostname(full)), sizeof local.sun_path);
    assert_false(nwi_endpoint_is_equal(path, full));

    memset(&local, 0, sizeof local);
    local.sun_family = AF_UNIX;
    assert_misuse(assert_null(nw_endpoint_create_address((struct sockaddr *)&local)));
    /* inside, the unnamed address of a client and abstract names are known by their length */
    nw_endpoint_t unnamed =
        nwi_endpoint_from_sockaddr((struct sockaddr *)&local, sizeof(sa_family_t));
    assert_non_null(unnamed);
    memcpy(local.sun_path, "\0abstract", 9);
    nw_endpoint_t abstract =
        nwi_endpoint_from_sockaddr((struct sockaddr *)&local, sizeof(sa_family_t) + 9);
    socklen_t length;
    nwi_endpoint_sockaddr(abstract, &length);
    assert_int_equal(length, sizeof(sa_family_t) + 9);
    assert_false(nwi_endpoint_is_equal(unnamed, abstract));
    nw_release(path);
    nw_release(full);
    nw_release(unnamed);
    nw_release(abstract);
}

static nw_endpoint_t host(const char *name, const char *port) {
    nw_endpoint_t endpoint = nw_endpoint_create_host(name, port);
    assert_non_null(endpoint);
    return endpoint;
}

static void comparison(void **state) {
    (void)state;
    nw_endpoint_t all[] = {
        host("example.com", "80"),
        host("example.com", "81"),
        host("example.org", "80"),
        host("192.0.2.1", "80"),
        host("192.0.2.1", "81"),
        host("2001:db8::1", "80"),
        nw_endpoint_create_url("http://example.com/"),
        nw_endpoint_create_url("http://example.com/a"),
        nw_endpoint_create_bonjour_service("a", "_x._tcp", "local"),
        nw_endpoint_create_bonjour_service("b", "_x._tcp", "local"),
        nw_endpoint_create_bonjour_service("a", "_x._udp", "local"),
        nw_endpoint_create_bonjour_service("a", "_x._tcp", "example.com"),
    };
    size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            assert_int_equal(nwi_endpoint_is_equal(all[i], all[j]), i == j);
    nw_endpoint_t upper = host("EXAMPLE.com", "80");
    assert_true(nwi_endpoint_is_equal(all[0], upper));
    assert_true(nwi_endpoint_is_equal(NULL, NULL));
    assert_false(nwi_endpoint_is_equal(all[0], NULL));
    nw_release(upper);
    for (size_t i = 0; i < count; i++)
        nw_release(all[i]);
}

static void text_for_the_log(void **state) {
    (void)state;
    char text[NWI_ENDPOINT_TEXT_SIZE], small[8];
    nw_endpoint_t all[] = {
        host("example.com", "443"),
        host("192.0.2.1", "80"),
        host("2001:db8::1", "80"),
        nw_endpoint_create_bonjour_service("a", "_x._tcp", "local"),
        nw_endpoint_create_url("http://example.com/a"),
    };
    static const char *const expected[] = {"example.com:443", "192.0.2.1:80", "[2001:db8::1]:80",
                                           "a._x._tcp.local", "http://example.com/a"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(nwi_endpoint_text(all[i], text, sizeof text), expected[i]);
        assert_true(strlen(nwi_endpoint_text(all[i], small, sizeof small)) < sizeof small);
        nw_release(all[i]);
    }
    assert_string_equal(nwi_endpoint_text(NULL, text, sizeof text), "(none)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports),
        cmocka_unit_test(urls),
        cmocka_unit_test(long_names),
        cmocka_unit_test(literals_become_addresses),
        cmocka_unit_test(misuse_names_the_value),
        cmocka_unit_test(addresses_are_copied),
        cmocka_unit_test(local_sockets),
        cmocka_unit_test(comparison),
        cmocka_unit_test(text_for_the_log),
    };
    return cmocka_run_group_tests(tests, misuse_setup, misuse_teardown);
}
