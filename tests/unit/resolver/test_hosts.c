/*
 * test_hosts.c - src/resolver/hosts.c: what people write into a hosts file, and what they should
 * not.
 */
#include "base/alloc.h"
#include "fake/fake_sys.h"
#include "resolver/hosts.h"
#include "sys/address.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void expect(const struct nwi_hosts *hosts, const char *name, const char *addresses) {
    union nwi_inet found[8];
    char all[512] = "", one[NWI_ADDRESS_TEXT_SIZE];
    size_t count = nwi_hosts_find(hosts, name, found, 8);
    for (size_t i = 0; i < count; i++) {
        strcat(all, i > 0 ? " " : "");
        strcat(all, nwi_address_text(&found[i].sa, one, sizeof one));
    }
    assert_string_equal(all, addresses);
}

static void usual_file(void **state) {
    (void)state;
    static const char text[] = "127.0.0.1 localhost\n"
                               "::1\tlocalhost ip6-localhost\t# the same\r\n"
                               "# 10.9.9.9 commented\n"
                               "\n   \t \n"
                               "10.0.0.1 Server.Example. server#glued\n"
                               "10.0.0.2   server.example\n"
                               "2001:db8::1 server.example\n"
                               "fe80::1%lo link.example\n"
                               "300.0.0.1 bad.example\n"
                               "words without address\n"
                               "10.0.0.3\n"
                               "10.0.0.4 last.example"; /* no newline */
    struct nwi_hosts *hosts = nwi_hosts_parse(text, sizeof text - 1);
    expect(hosts, "localhost", "127.0.0.1 ::1");
    expect(hosts, "ip6-localhost", "::1");
    expect(hosts, "server.example", "10.0.0.1 10.0.0.2 2001:db8::1"); /* in the order of the file */
    expect(hosts, "server", "10.0.0.1");
    expect(hosts, "link.example", "fe80::1%lo");
    expect(hosts, "last.example", "10.0.0.4");
    static const char *const absent[] = {"commented", "bad.example", "without", "address",
                                         "glued",     "10.0.0.3",    ""};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        expect(hosts, absent[i], "");
    nwi_hosts_free(hosts);
}

static void odd_files(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } odd[] = {{NULL, 0},
               {"\0", 1},
               {"\n", 1},
               {"#", 1},
               {"1.1.1.1", 7},
               {"\0\0 1.1.1.1 \0a\0", 14},
               {"1.1.1.1 \xff\xfe\n", 11},
               {"1.1.1.1 .\n", 10},
               {"1.1.1.1 a..b\n", 13}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct nwi_hosts *hosts = nwi_hosts_parse(odd[i].text, odd[i].size);
        assert_non_null(hosts);
        expect(hosts, "nobody", "");
        nwi_hosts_free(hosts);
    }
    char line[600] = "1.1.1.1 ";
    memset(line + 8, 'x', 500);
    strcpy(line + 508, " short");
    struct nwi_hosts *hosts = nwi_hosts_parse(line, strlen(line));
    expect(hosts, "short", "1.1.1.1"); /* the overlong name is skipped, its neighbour not */
    nwi_hosts_free(hosts);
}

static void names(void **state) {
    (void)state;
    char name[NWI_NAME_SIZE], longest[300];
    assert_true(nwi_name_normalize("WWW.Example.", 12, name));
    assert_string_equal(name, "www.example");
    assert_false(nwi_name_normalize("", 0, name));
    assert_false(nwi_name_normalize(".", 1, name));
    assert_false(nwi_name_normalize("a b", 3, name));
    assert_false(nwi_name_normalize("a\nb", 3, name));
    memset(longest, 'a', sizeof longest);
    assert_true(nwi_name_normalize(longest, 254, name));
    assert_false(nwi_name_normalize(longest, 255, name));
}

static void files(void **state) {
    (void)state;
    char path[] = "/tmp/nw-hosts-XXXXXX";
    int fd = mkstemp(path);
    for (int i = 0; i < 3000; i++)
        dprintf(fd, "10.1.%d.%d host%d.example\n", i / 250, i % 250, i);
    close(fd);
    struct nwi_hosts *hosts = nwi_hosts_load(path);
    expect(hosts, "host0.example", "10.1.0.0");
    expect(hosts, "host2999.example", "10.1.11.249");
    nwi_hosts_free(hosts);
    fake_sys_install();
    fake_sys_fail(FAKE_READ, 1, 2, EINTR);
    hosts = nwi_hosts_load(path);
    expect(hosts, "host2999.example", "10.1.11.249");
    nwi_hosts_free(hosts);
    fake_sys_fail(FAKE_READ, 2, 1, EIO); /* what was read before counts */
    hosts = nwi_hosts_load(path);
    expect(hosts, "host0.example", "10.1.0.0");
    expect(hosts, "host2999.example", "");
    nwi_hosts_free(hosts);
    assert_int_equal(fake_sys_calls(FAKE_OPEN), fake_sys_calls(FAKE_CLOSE));
    fake_sys_fail(FAKE_OPEN, 1, 1, EMFILE); /* to be tried again, and not an empty file */
    assert_null(nwi_hosts_load(path));
    fake_sys_fail(FAKE_OPEN, 1, 1, EACCES);
    hosts = nwi_hosts_load(path);
    assert_non_null(hosts);
    expect(hosts, "host0.example", "");
    nwi_hosts_free(hosts);
    fake_sys_remove();
    hosts = nwi_hosts_load("/nonexistent/hosts");
    assert_non_null(hosts);
    expect(hosts, "localhost", "");
    nwi_hosts_free(hosts);
    /* each allocation failing in turn */
    for (unsigned long n = 1;; n++) {
        nwi_alloc_count(true);
        long live = nwi_alloc_live();
        nwi_alloc_fail_at(n);
        hosts = nwi_hosts_load(path);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_true(hit == (hosts == NULL));
        nwi_hosts_free(hosts);
        assert_int_equal(nwi_alloc_live(), live);
        if (!hit)
            break;
    }
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_file),
        cmocka_unit_test(odd_files),
        cmocka_unit_test(names),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
