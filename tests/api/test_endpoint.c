/* test_endpoint.c - nw_endpoint_*, as a program sees it. */
#include <Network/Network.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <cmocka.h>

static void host(void **state) {
    (void)state;
    nw_endpoint_t e = nw_endpoint_create_host("example.com", "https");
    assert_int_equal(nw_endpoint_get_type(e), nw_endpoint_type_host);
    assert_string_equal(nw_endpoint_get_hostname(e), "example.com");
    assert_int_equal(nw_endpoint_get_port(e), 443);
    char *port = nw_endpoint_copy_port_string(e);
    assert_string_equal(port, "443");
    free(port);
    assert_null(nw_endpoint_get_address(e));
    assert_null(nw_endpoint_copy_address_string(e));
    assert_null(nw_endpoint_get_url(e));
    assert_null(nw_endpoint_get_bonjour_service_name(e));
    nw_release(e);
    assert_null(nw_endpoint_create_host("example.com", "65536"));
    assert_null(nw_endpoint_create_host("", "1"));
    assert_null(nw_endpoint_create_host(NULL, NULL));
}

static void address(void **state) {
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(8080)};
    inet_pton(AF_INET, "192.0.2.7", &in.sin_addr);
    nw_endpoint_t e = nw_endpoint_create_address((struct sockaddr *)&in);
    assert_int_equal(nw_endpoint_get_type(e), nw_endpoint_type_address);
    assert_memory_equal(nw_endpoint_get_address(e), &in, sizeof in);
    char *text = nw_endpoint_copy_address_string(e), *port = nw_endpoint_copy_port_string(e);
    assert_string_equal(text, "192.0.2.7");
    assert_string_equal(port, "8080");
    assert_string_equal(nw_endpoint_get_hostname(e), "192.0.2.7");
    free(text), free(port);
    nw_release(e);

    e = nw_endpoint_create_host("2001:db8::7", "0"); /* a literal is an address */
    assert_int_equal(nw_endpoint_get_type(e), nw_endpoint_type_address);
    assert_int_equal(nw_endpoint_get_address(e)->sa_family, AF_INET6);
    assert_int_equal(nw_endpoint_get_port(e), 0);
    nw_release(e);

    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    e = nw_endpoint_create_address((struct sockaddr *)&local);
    assert_int_equal(nw_endpoint_get_type(e), nw_endpoint_type_address);
    text = nw_endpoint_copy_address_string(e);
    assert_string_equal(text, "/run/x");
    free(text);
    nw_release(e);
    assert_null(nw_endpoint_create_address(NULL));
}

static void bonjour(void **state) {
    (void)state;
    nw_endpoint_t e = nw_endpoint_create_bonjour_service("My Printer", "_ipp._tcp", "local");
    assert_int_equal(nw_endpoint_get_type(e), nw_endpoint_type_bonjour_service);
    assert_string_equal(nw_endpoint_get_bonjour_service_name(e), "My Printer");
    assert_string_equal(nw_endpoint_get_bonjour_service_type(e), "_ipp._tcp");
    assert_string_equal(nw_endpoint_get_bonjour_service_domain(e), "local");
    assert_null(nw_endpoint_get_hostname(e));
    assert_int_equal(nw_endpoint_get_port(e), 0);
    assert_null(nw_endpoint_copy_port_string(e));
    size_t length = 7;
    assert_null(nw_endpoint_copy_txt_record(e));
    assert_null(nw_endpoint_get_signature(e, &length));
    assert_int_equal(length, 0);
    assert_null(nw_endpoint_get_signature(e, NULL));
    nw_release(e);
    assert_null(nw_endpoint_create_bonjour_service("", "_ipp._tcp", "local"));
    assert_null(nw_endpoint_create_bonjour_service("a", "", "local"));
    assert_null(nw_endpoint_create_bonjour_service("a", "_ipp._tcp", NULL));
}

static void url(void **state) {
    (void)state;
    nw_endpoint_t e = nw_endpoint_create_url("wss://example.com/chat?a=b");
    assert_int_equal(nw_endpoint_get_type(e), nw_endpoint_type_url);
    assert_string_equal(nw_endpoint_get_url(e), "wss://example.com/chat?a=b");
    assert_string_equal(nw_endpoint_get_hostname(e), "example.com");
    assert_int_equal(nw_endpoint_get_port(e), 443);
    assert_null(nw_endpoint_copy_port_string(e));
    nw_release(e);
    assert_null(nw_endpoint_create_url("not a url"));
}

static void null_endpoint(void **state) {
    (void)state;
    assert_int_equal(nw_endpoint_get_type(NULL), nw_endpoint_type_invalid);
    assert_null(nw_endpoint_get_hostname(NULL));
    assert_null(nw_endpoint_get_url(NULL));
    assert_null(nw_endpoint_get_address(NULL));
    assert_null(nw_endpoint_copy_address_string(NULL));
    assert_null(nw_endpoint_copy_port_string(NULL));
    assert_null(nw_endpoint_get_bonjour_service_name(NULL));
    assert_null(nw_endpoint_get_bonjour_service_type(NULL));
    assert_null(nw_endpoint_get_bonjour_service_domain(NULL));
    assert_null(nw_endpoint_copy_txt_record(NULL));
    assert_int_equal(nw_endpoint_get_port(NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host), cmocka_unit_test(address),       cmocka_unit_test(bonjour),
        cmocka_unit_test(url),  cmocka_unit_test(null_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
