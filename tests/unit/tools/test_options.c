/*
 * test_options.c - the command line: what it means, and what each mistake is answered.
 */
#include "nwcat_test.h"
#include "options.h"
#include "status.h"

enum { WORDS_MAX = 24 };

static struct nwcat_options options;
static char *said; /* on the error stream, by the last call */

/* Parses the words of `line`, parted by spaces. */
static int parse(const char *line) {
    static char copy[512];
    static char name[] = "nwcat";
    char *words[WORDS_MAX + 1] = {name}, *save = NULL;
    int count = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    struct text_file out, err;
    text_open(&out);
    text_open(&err);
    int status = nwcat_options_parse(&options, count, words, out.file, err.file);
    free(text_close(&out));
    free(said);
    said = text_close(&err);
    if (status == NWCAT_RUN || status == NWCAT_OK)
        assert_string_equal(said, "");
    return status;
}

static void mistake(const char *line, const char *part) {
    assert_int_equal(parse(line), NWCAT_USAGE);
    if (strstr(said, part) == NULL)
        fail_msg("'%s' said '%s', without '%s'", line, said, part);
    assert_non_null(strstr(said, "--help"));
}

static void plain(void **state) {
    (void)state;
    assert_int_equal(parse("localhost 80"), NWCAT_RUN);
    assert_string_equal(options.host, "localhost");
    assert_string_equal(options.port, "80");
    assert_false(options.listen || options.udp || options.probe || options.json);
    assert_true(options.linger == 0.5 && options.timeout == 0 && options.quit_after < 0);
}

static void letters(void **state) {
    (void)state;
    assert_int_equal(parse("-6uvvd -s ::1 -p 4000 -w 1.5 host 53"), NWCAT_RUN);
    assert_int_equal(options.family, 6);
    assert_true(options.udp && options.detach);
    assert_int_equal(options.verbose, 2);
    assert_string_equal(options.source_host, "::1");
    assert_string_equal(options.source_port, "4000");
    assert_true(options.timeout == 1.5);
}

static void listening(void **state) {
    (void)state;
    assert_int_equal(parse("-l"), NWCAT_RUN);
    assert_null(options.port);
    assert_int_equal(parse("-l 9000"), NWCAT_RUN);
    assert_null(options.host);
    assert_string_equal(options.port, "9000");
    assert_int_equal(parse("-l -p 9000 -s 127.0.0.1 --keep-open"), NWCAT_RUN);
    assert_string_equal(options.host, "127.0.0.1");
    assert_string_equal(options.port, "9000");
    assert_null(options.source_port);
    assert_true(options.keep_open);
    assert_int_equal(parse("-l ::1 0"), NWCAT_RUN);
    assert_string_equal(options.host, "::1");
}

static void probing(void **state) {
    (void)state;
    assert_int_equal(parse("-z host 20-22,80"), NWCAT_RUN);
    assert_int_equal(options.ports.count, 4);
}

static void unix_path(void **state) {
    (void)state;
    assert_int_equal(parse("-U /tmp/x.sock"), NWCAT_RUN);
    assert_string_equal(options.host, "/tmp/x.sock");
    assert_null(options.port);
}

static void long_words(void **state) {
    (void)state;
    assert_int_equal(
        parse("--json --timeline --timeline-svg=a.svg --linger forever --wait --no-progress "
              "--input in --output=out h 1"),
        NWCAT_RUN);
    assert_true(options.json && options.timeline && options.wait && options.no_progress);
    assert_true(options.linger < 0);
    assert_string_equal(options.timeline_svg, "a.svg");
    assert_string_equal(options.input, "in");
    assert_string_equal(options.output, "out");
}

static void help_and_version(void **state) {
    (void)state;
    assert_int_equal(parse("--help"), NWCAT_OK);
    assert_int_equal(parse("-h"), NWCAT_OK);
    assert_int_equal(parse("--version"), NWCAT_OK);
}

static void mistakes(void **state) {
    (void)state;
    mistake("", "host");
    mistake("alone", "alone");
    mistake("a 1 surplus", "surplus");
    mistake("host 70000", "70000");
    mistake("host 0", "'0'");
    mistake("host -- -1", "-1");
    mistake("-w never host 1", "never");
    mistake("-w 0 host 1", "'0'");
    mistake("-w -1 host 1", "-1");
    mistake("-w nan host 1", "nan");
    mistake("-q x host 1", "'x'");
    mistake("-p 99999 host 1", "99999");
    mistake("-4 -6 host 1", "-4");
    mistake("-X host 1", "-X");
    mistake("--nonsense host 1", "--nonsense");
    mistake("--json=1 host 1", "--json=1");
    mistake("-w", "-w");
    mistake("host 1 --timeline-svg", "--timeline-svg");
    mistake("-z host 30-20", "30-20");
    mistake("-z -l host 1", "-z");
    mistake("--keep-open host 1", "--keep-open");
    mistake("-l -p 1 2", "'1'");
    mistake("-l --timeline 1", "--timeline");
    mistake("-d -i file host 1", "file");
    mistake("-N --no-shutdown host 1", "--no-shutdown");
    mistake("-U", "path");
    mistake("-U a b", "'b'");
    mistake("-U -u a", "-u");
    mistake("-z --timeline-svg x.svg host 1-2", "x.svg");
}

static void not_yet(void **state) {
    (void)state;
    mistake("-b host 1", "Bonjour");
}

static void tls(void **state) {
    (void)state;
    assert_int_equal(parse("host 1"), NWCAT_RUN);
    assert_false(options.tls.on);
    assert_int_equal(parse("-t host 1"), NWCAT_RUN);
    assert_true(options.tls.on);
    assert_null(options.tls.psk);
    assert_int_equal(parse("-tk secret host 1"), NWCAT_RUN);
    assert_true(options.tls.on);
    assert_int_equal(parse("-k secret -l 1"), NWCAT_RUN); /* and no certificate */
    assert_true(options.tls.on);
    assert_string_equal(options.tls.psk, "secret");
    assert_int_equal(parse("-t --ca a --cert b --key c --password-file d --server-name e "
                           "--alpn h2,http/1.1 --show-certs host 1"),
                     NWCAT_RUN);
    assert_string_equal(options.tls.ca, "a");
    assert_string_equal(options.tls.cert, "b");
    assert_string_equal(options.tls.key, "c");
    assert_string_equal(options.tls.password_file, "d");
    assert_string_equal(options.tls.server_name, "e");
    assert_string_equal(options.tls.alpn, "h2,http/1.1");
    assert_true(options.tls.show_certs && !options.tls.insecure);
    assert_int_equal(parse("-t --insecure host 1"), NWCAT_RUN);
    assert_true(options.tls.insecure);
    assert_int_equal(parse("-l -t --cert a 1"), NWCAT_RUN);
    assert_int_equal(parse("-U -t --server-name a /tmp/x"), NWCAT_RUN);
}

static void tls_versions_and_suites(void **state) {
    (void)state;
    assert_int_equal(parse("-t --tls-min 1.2 --tls-max 1.3 host 1"), NWCAT_RUN);
    assert_int_equal(nwcat_tls_version(options.tls.least, false), 0x0303);
    assert_int_equal(nwcat_tls_version(options.tls.most, false), 0x0304);
    assert_int_equal(nwcat_tls_version("1.2", true), 0xFEFD);
    assert_int_equal(nwcat_tls_version("1.0", true), 0xFEFF);
    assert_int_equal(nwcat_tls_version("1.3", true), 0);
    assert_int_equal(nwcat_tls_version("1.4", false), 0);
    assert_int_equal(parse("-tu --tls-min 1.2 host 1"), NWCAT_RUN);
    assert_int_equal(
        parse("-t --ciphers TLS_AES_128_GCM_SHA256,tls_psk_with_aes_128_gcm_sha256,0xcCa8 h 1"),
        NWCAT_RUN);
    assert_int_equal(options.tls.suite_count, 3);
    assert_int_equal(options.tls.suites[0], 0x1301);
    assert_int_equal(options.tls.suites[1], 0x00A8);
    assert_int_equal(options.tls.suites[2], 0xCCA8);
    mistake("-t --tls-min 1.4 host 1", "'1.4'");
    mistake("-tu --tls-max 1.3 host 1", "'1.3'");
    mistake("-t --tls-min 1.3 --tls-max 1.2 host 1", "'1.3'");
    mistake("-t --ciphers TLS_AES_128_GCM_SHA256,nonsense host 1", "'nonsense'");
    mistake("-t --ciphers TLS_AES_128_GCM_SHA256, host 1", "''");
    mistake("-t --ciphers 0x13 host 1", "'0x13'");
    mistake("-t --ciphers 0x13zz host 1", "'0x13zz'");
}

static void tls_mistakes(void **state) {
    (void)state;
    static const char *const needing[] = {"--ca x",          "--cert x",        "--key x",
                                          "--alpn x",        "--tls-min 1.2",   "--tls-max 1.2",
                                          "--insecure",      "--show-certs",    "--password-file x",
                                          "--server-name x", "--ciphers 0x1301"};
    for (size_t i = 0; i < sizeof needing / sizeof needing[0]; i++) {
        char line[64], option[32];
        snprintf(line, sizeof line, "%s host 1", needing[i]);
        snprintf(option, sizeof option, "%.*s", (int)strcspn(needing[i], " "), needing[i]);
        mistake(line, option); /* without TLS it would be passed over in silence */
    }
    mistake("-l -t 1", "nwcert"); /* tells how to make what is missing */
    mistake("-t --key k host 1", "'k'");
    mistake("-t --password-file p host 1", "'p'");
    mistake("-t --insecure --ca c host 1", "'c'");
    mistake("-l -t --cert c --insecure 1", "--insecure");
    mistake("-l -t --cert c --server-name n 1", "'n'");
    mistake("-l -t --cert c --show-certs 1", "--ca");
    mistake("-U -t /tmp/x", "--server-name");
    mistake("-t --alpn h2,,x host 1", "''");
    mistake("-t --ca= host 1", "--ca");
    mistake("-k= -t host 1 --cert c", "--cert");
    mistake("-k secret --ca c host 1", "--ca");
    assert_null(strstr(said, "secret")); /* a key is not for the log */
}

static void every_option_is_in_help(void **state) {
    (void)state;
    struct text_file out;
    text_open(&out);
    nwcat_print_help(out.file);
    char *help = text_close(&out);
    static const char *const words[] = {"-4",
                                        "-6",
                                        "-b",
                                        "-d",
                                        "-h",
                                        "-i",
                                        "-k",
                                        "-l",
                                        "-N",
                                        "-o",
                                        "-p",
                                        "-q",
                                        "-s",
                                        "-t",
                                        "-u",
                                        "-U",
                                        "-v",
                                        "-w",
                                        "-z",
                                        "--keep-open",
                                        "--no-shutdown",
                                        "--linger",
                                        "--timeline",
                                        "--timeline-svg",
                                        "--progress",
                                        "--no-progress",
                                        "--json",
                                        "--wait",
                                        "--ca",
                                        "--cert",
                                        "--key",
                                        "--password-file",
                                        "--server-name",
                                        "--alpn",
                                        "--tls-min",
                                        "--tls-max",
                                        "--ciphers",
                                        "--show-certs",
                                        "--insecure",
                                        "--version",
                                        "Exit status"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(help, words[i]) == NULL)
            fail_msg("--help leaves out %s", words[i]);
    for (char *line = strtok(help, "\n"); line != NULL; line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 100);
    free(help);
}

static int forget(void **state) {
    (void)state;
    free(said);
    said = NULL;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(letters),
        cmocka_unit_test(listening),
        cmocka_unit_test(probing),
        cmocka_unit_test(unix_path),
        cmocka_unit_test(long_words),
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(not_yet),
        cmocka_unit_test(tls),
        cmocka_unit_test(tls_versions_and_suites),
        cmocka_unit_test(tls_mistakes),
        cmocka_unit_test(every_option_is_in_help),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
