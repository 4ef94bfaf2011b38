/*
 * fuzz_resolv_conf.c - any octets as a resolv.conf: what we read of it, and what c-ares makes of it
 * for us.
 * What:   the patience that the text asks for stays in its bounds and is the same whether it comes
 *         as text or as a file; a channel opened on the file has a search list that can be used,
 *         and a question to it is answered once, with a refusal: no socket is given out, since the
 *         name servers are whoever the input says.
 */
#include "dispatch/serial.h"
#include "fake/fake_sys.h"
#include "fuzz.h"
#include "loop/loop.h"
#include "resolver/channel.h"
#include "resolver/patience.h"
#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNSAID = 7 };

static char path[64]; /* of a file in memory */
static int file;
static struct nwi_loop *loop;

static void set_up(void) {
    fuzz_log_nothing();
    file = memfd_create("resolv.conf", MFD_CLOEXEC);
    CHECK(file >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    loop = nwi_loop_pick_next();
    fake_sys_install();
    fake_sys_fail(FAKE_SOCKET, 1, UINT_MAX, EACCES);
}

static void write_file(const uint8_t *data, size_t size) {
    CHECK(ftruncate(file, 0) == 0);
    CHECK(pwrite(file, data, size, 0) == (ssize_t)size);
}

static void check_patience(const char *text, bool whole) {
    unsigned timeout_ms = UNSAID, tries = UNSAID, file_timeout_ms = UNSAID, file_tries = UNSAID;
    nwi_patience_parse(text, &timeout_ms, &tries);
    CHECK(timeout_ms == UNSAID || (timeout_ms >= 1000 && timeout_ms <= 30000));
    CHECK(tries == UNSAID || (tries >= 1 && tries <= 5));
    nwi_patience_read(path, &file_timeout_ms, &file_tries);
    if (whole)
        CHECK(file_timeout_ms == timeout_ms && file_tries == tries);
}

static void on_answer(void *context, int status, const unsigned char *message, size_t size) {
    (void)status, (void)message, (void)size;
    (*(unsigned *)context)++;
}

static void check_channel(void) {
    struct nwi_channel_settings settings = {.resolv_conf = path};
    struct nwi_serial serial;
    struct nwi_channel *channel;
    unsigned answers = 0;
    nwi_serial_init(&serial, loop, NULL);
    nwi_err err = nwi_channel_open(&settings, &serial, loop, NULL, &channel);
    if (err != 0) {
        CHECK(nwi_err_domain(err) == NWI_DOMAIN_DNS);
        return;
    }
    for (size_t i = 0; i < nwi_channel_domain_count(channel); i++)
        CHECK(nwi_channel_domain(channel, i) != NULL);
    CHECK(nwi_channel_ndots(channel) <= INT_MAX);
    nwi_channel_query(channel, "host.example", AF_INET, on_answer, &answers);
    nwi_channel_query(channel, "host.example.", AF_INET6, on_answer, &answers);
    nwi_channel_close(channel);
    CHECK(answers == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (file == 0)
        set_up();
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    write_file(data, size);
    check_patience(text, size <= 65536);
    check_channel();
    free(text);
    return 0;
}
