/*
 * test_address.c - src/sys/address.c: parse, print, compare, classify.
 */
#include "sys/address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static struct sockaddr_storage parse(const char *text, uint16_t port) {
    struct sockaddr_storage address;
    socklen_t length;
    if (!nwi_address_parse(text, port, &address, &length))
        fail_msg("cannot parse %s", text);
    assert_int_equal(length, nwi_address_length(address.ss_family));
    return address;
}
#define SA(storage) ((struct sockaddr *)&(storage))

static void text_there_and_back(void **state) {
    (void)state;
    static const struct {
        const char *in, *out, *with_port;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", "192.0.2.1:80"},
        {"0.0.0.0", "0.0.0.0", "0.0.0.0:80"},
        {"2001:DB8:0:0::1", "2001:db8::1", "[2001:db8::1]:80"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"},
        {"fe80::1%lo", "fe80::1%lo", "[fe80::1%lo]:80"},
        {"fe80::1%1", "fe80::1%lo", "[fe80::1%lo]:80"},
        {"fe80::1%4000000000", "fe80::1%4000000000", "[fe80::1%4000000000]:80"},
    };
    char text[NWI_ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_storage address = parse(cases[i].in, 80);
        assert_string_equal(nwi_address_text(SA(address), text, sizeof text), cases[i].out);
        assert_string_equal(nwi_address_text_port(SA(address), text, sizeof text),
                            cases[i].with_port);
        assert_int_equal(nwi_address_port(SA(address)), 80);
    }
}

static void refused_texts(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4x",
        "1.2.3.4 ",
        "[::1]",
        ":::",
        "fe80::1%",
        "fe80::1%0",
        "::1%no-such-interface",
        "1.2.3.4%1",
        "0x7f.1",
        "fe80::1%1 ",
        "12345::",
        "fe80::1%-1",
        "fe80::1%99999999999999999999",
        "2001:db8:0000:0000:0000:0000:0000:0000:0000:0001:0002:0003:0004",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sockaddr_storage address;
        socklen_t length = 77;
        memset(&address, 0x5a, sizeof address);
        if (nwi_address_parse(bad[i], 1, &address, &length))
            fail_msg("parsed %s", bad[i]);
        assert_int_equal(length, 77); /* untouched */
        assert_int_equal(*(unsigned char *)&address, 0x5a);
    }
}

static void equality(void **state) {
    (void)state;
    struct sockaddr_storage a = parse("192.0.2.1", 80), b = parse("192.0.2.1", 81);
    assert_true(nwi_address_equal(SA(a), SA(a)));
    assert_false(nwi_address_equal(SA(a), SA(b)));
    assert_true(nwi_address_equal_host(SA(a), SA(b)));
    struct sockaddr_storage c = parse("fe80::1%1", 80), d = parse("fe80::1%2", 80);
    assert_false(nwi_address_equal(SA(c), SA(d)));
    struct sockaddr_storage e = parse("2001:db8::1", 80), f = e;
    ((struct sockaddr_in6 *)&f)->sin6_scope_id = 3; /* means nothing outside link-local */
    ((struct sockaddr_in6 *)&f)->sin6_flowinfo = 9;
    assert_true(nwi_address_equal(SA(e), SA(f)));
    struct sockaddr_storage g = parse("::ffff:192.0.2.1", 80);
    assert_false(nwi_address_equal(SA(a), SA(g)));
    socklen_t length = sizeof(struct sockaddr_in6);
    assert_true(nwi_address_unmap(&g, &length));
    assert_int_equal(length, sizeof(struct sockaddr_in));
    assert_true(nwi_address_equal(SA(a), SA(g)));
    assert_false(nwi_address_unmap(&g, &length));
}

static void classes(void **state) {
    (void)state;
    enum { ANY = 1, LOOPBACK = 2, LINK = 4, MAPPED = 8 };
    static const struct {
        const char *text;
        unsigned is;
    } cases[] = {
        {"0.0.0.0", ANY},
        {"::", ANY},
        {"::ffff:0.0.0.0", ANY | MAPPED},
        {"127.0.0.1", LOOPBACK},
        {"127.9.9.9", LOOPBACK},
        {"128.0.0.1", 0},
        {"::1", LOOPBACK},
        {"::ffff:127.0.0.1", LOOPBACK | MAPPED},
        {"169.254.1.1", LINK},
        {"fe80::1%1", LINK},
        {"febf::1", LINK},
        {"fec0::1", 0},
        {"224.0.0.251", 0},
        {"ff02::fb%1", LINK},
        {"ff05::1", 0},
        {"2001:db8::1", 0},
        {"10.0.0.1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_storage address = parse(cases[i].text, 0);
        unsigned is = (nwi_address_is_any(SA(address)) ? ANY : 0) |
                      (nwi_address_is_loopback(SA(address)) ? LOOPBACK : 0) |
                      (nwi_address_is_link_local(SA(address)) ? LINK : 0) |
                      (nwi_address_is_v4_mapped(SA(address)) ? MAPPED : 0);
        if (is != cases[i].is)
            fail_msg("%s: %u, not %u", cases[i].text, is, cases[i].is);
    }
}

static void unix_addresses(void **state) {
    (void)state;
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0name"};
    struct sockaddr_un full = {.sun_family = AF_UNIX};
    memset(full.sun_path, 'a', sizeof full.sun_path); /* no NUL: unix(7) allows it */
    char text[NWI_ADDRESS_TEXT_SIZE], small[4];
    assert_string_equal(nwi_address_text((struct sockaddr *)&path, text, sizeof text), "/run/x");
    assert_string_equal(nwi_address_text((struct sockaddr *)&abstract, text, sizeof text), "@name");
    assert_int_equal(strlen(nwi_address_text((struct sockaddr *)&full, text, sizeof text)), 108);
    assert_string_equal(nwi_address_text((struct sockaddr *)&path, small, sizeof small), "/ru");
    assert_true(nwi_address_equal((struct sockaddr *)&path, (struct sockaddr *)&path));
    assert_false(nwi_address_equal((struct sockaddr *)&path, (struct sockaddr *)&abstract));
    assert_int_equal(nwi_address_port((struct sockaddr *)&path), 0);
}

/* What nwi_address_equal compares decides, and the key. */
static void hashes(void **state) {
    (void)state;
    struct nwi_siphash_key one = {1, 2}, two = {1, 3};
    static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage a = parse(texts[i], 80), same = parse(texts[i], 80);
        struct sockaddr_storage port = parse(texts[i], 81);
        uint64_t hash = nwi_address_hash(&one, SA(a));
        if (i == 1)
            ((struct sockaddr_in6 *)&same)->sin6_flowinfo = 7;
        assert_true(hash == nwi_address_hash(&one, SA(same)));
        assert_true(hash != nwi_address_hash(&one, SA(port)));
        assert_true(hash != nwi_address_hash(&two, SA(a)));
        hash = nwi_address_hash_host(&one, SA(a));
        assert_true(hash == nwi_address_hash_host(&one, SA(port)));
        assert_true(hash != nwi_address_hash_host(&two, SA(a)));
    }
    struct sockaddr_storage a = parse("192.0.2.1", 80), b = parse("192.0.2.2", 80);
    assert_true(nwi_address_hash(&one, SA(a)) != nwi_address_hash(&one, SA(b)));
    assert_true(nwi_address_hash_host(&one, SA(a)) != nwi_address_hash_host(&one, SA(b)));
}

static void made(void **state) {
    (void)state;
    struct sockaddr_storage address;
    assert_int_equal(nwi_address_any(AF_INET6, 7, &address), sizeof(struct sockaddr_in6));
    assert_true(nwi_address_is_any(SA(address)));
    assert_int_equal(nwi_address_loopback(AF_INET, 7, &address), sizeof(struct sockaddr_in));
    assert_true(nwi_address_is_loopback(SA(address)));
    assert_int_equal(nwi_address_port(SA(address)), 7);
    struct sockaddr other = {.sa_family = AF_PACKET};
    char text[8];
    assert_string_equal(nwi_address_text(&other, text, sizeof text), "?");
    assert_int_equal(nwi_address_length(AF_PACKET), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_there_and_back),
        cmocka_unit_test(refused_texts),
        cmocka_unit_test(equality),
        cmocka_unit_test(classes),
        cmocka_unit_test(unix_addresses),
        cmocka_unit_test(hashes),
        cmocka_unit_test(made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
