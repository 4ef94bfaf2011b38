/*
 * fuzz_dtls_hello.c - any datagram from a stranger to a DTLS listener (src/protocol/tls/cookie.c),
 *         and the same as what a server answers (src/protocol/tls/fragments.c).
 * What:   the answer is never larger than the question, nobody comes in without the cookie that he
 *         was sent, and whoever comes in gives a session a place to begin. What was answered is
 *         then asked again with the cookie put in, which comes in.
 */
#include "fuzz.h"
#include "protocol/tls/cookie.h"
#include "protocol/tls/fragments.h"
#include <netinet/in.h>

enum { ANSWER_ROOM = 64, COOKIE = 16, SESSION_ID = 13 + 12 + 2 + 32, MESSAGE_LENGTH = 14 };

static bool ask(struct nwi_dtls_cookies *cookies, const uint8_t *data, size_t size, uint8_t *answer,
                size_t *ret_length) {
    const struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(4433)};
    uint8_t *exact = malloc(size > 0 ? size : 1); /* so ASan sees a read past the end */
    CHECK(exact != NULL);
    memcpy(exact, data, size);
    *ret_length = size < ANSWER_ROOM ? size : ANSWER_ROOM;
    gnutls_dtls_prestate_st state;
    bool passed = nwi_dtls_cookies_check(cookies, 0, (const struct sockaddr *)&peer, exact, size,
                                         answer, ret_length);
    bool counts = nwi_dtls_prestate(exact, size, &state);
    CHECK(*ret_length <= size && !(passed && *ret_length > 0));
    CHECK(!counts || (state.record_seq < 256 && state.hsk_read_seq < 256 &&
                      state.hsk_write_seq + 1 == state.hsk_read_seq));
    free(exact);
    return passed;
}

static void add_to_length(uint8_t *octets, size_t count, unsigned more) {
    for (size_t i = count; i-- > 0; more >>= 8) {
        more += octets[i];
        octets[i] = (uint8_t)more;
    }
}

/* The same hello with the answer's cookie in the place of its own. */
static void ask_with_cookie(struct nwi_dtls_cookies *cookies, const uint8_t *data, size_t size,
                            const uint8_t *answer, size_t length) {
    size_t place = SESSION_ID + 1 + data[SESSION_ID], old = data[place];
    size_t fragment = (size_t)data[22] << 16 | (size_t)data[23] << 8 | data[24];
    uint8_t *again = malloc(size + COOKIE), unused[ANSWER_ROOM];
    if (old != 0 || 25 + fragment + COOKIE > UINT16_MAX || size + COOKIE > UINT16_MAX) {
        free(again);
        return;
    }
    CHECK(again != NULL);
    memcpy(again, data, place);
    again[place] = COOKIE;
    memcpy(again + place + 1, answer + length - COOKIE, COOKIE);
    memcpy(again + place + 1 + COOKIE, data + place + 1, size - place - 1);
    add_to_length(again + 11, 2, COOKIE);
    add_to_length(again + MESSAGE_LENGTH, 3, COOKIE);
    add_to_length(again + 22, 3, COOKIE);
    bool whole = ((unsigned)data[MESSAGE_LENGTH] << 16) + COOKIE < 0xff0000; /* did not turn over */
    bool passed = ask(cookies, again, size + COOKIE, unused, &length);
    /* GnuTLS wants something behind the cookie. */
    CHECK(passed || !whole || size == place + 1);
    free(again);
}

/* What a datagram tells is told once. */
static void check_order(const uint8_t *data, size_t size) {
    struct nwi_dtls_fragments fragments = {0};
    uint8_t *exact = malloc(size > 0 ? size : 1);
    uint8_t *record = malloc(size + NWI_DTLS_FRAGMENTS_MORE);
    size_t found;
    CHECK(exact != NULL && record != NULL);
    memcpy(exact, data, size);
    (void)nwi_dtls_fragments_order(&fragments, exact, size, record, &found);
    CHECK(found <= size + NWI_DTLS_FRAGMENTS_MORE);
    (void)nwi_dtls_fragments_order(&fragments, exact, size, record, &found);
    CHECK(found == 0);
    free(record);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct nwi_dtls_cookies *cookies;
    uint8_t answer[ANSWER_ROOM];
    size_t length;
    fuzz_log_nothing();
    if (cookies == NULL)
        cookies = nwi_dtls_cookies_create(0);
    CHECK(cookies != NULL);
    CHECK(!ask(cookies, data, size, answer, &length)); /* nobody guesses one */
    check_order(data, size);
    if (length > 0)
        ask_with_cookie(cookies, data, size, answer, length);
    return 0;
}
