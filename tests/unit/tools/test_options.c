/*
 * test_options.c - the command line: what it means, and what each mistake is answered.
 */
#include "nwcat_test.h"
#include "options.h"
#include "status.h"

enum { WORDS_MAX = 16 };

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
    mistake("-t host 1", "TLS");
    mistake("-k secret host 1", "TLS");
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
        cmocka_unit_test(every_option_is_in_help),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
