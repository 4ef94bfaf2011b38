/*
 * hello.c - a ClientHello as GnuTLS really sends it, taken apart.
 * Source: RFC 8446 section 4.1.2, RFC 6347 section 4.2.1.
 */
#include "hello.h"
#include "base/alloc.h"
#include "protocol/tls/suites_internal.h"
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RECORD_HEADER = 5, DATAGRAM_RECORD_HEADER = 13 };

struct capture {
    uint8_t octets[4096];
    size_t size;
};

static ssize_t push(gnutls_transport_ptr_t pointer, const void *octets, size_t size) {
    struct capture *capture = pointer;
    assert_true(capture->size + size <= sizeof capture->octets);
    memcpy(capture->octets + capture->size, octets, size);
    capture->size += size;
    return (ssize_t)size;
}

static gnutls_session_t current; /* whose errno is set */
static ssize_t pull(gnutls_transport_ptr_t pointer, void *octets, size_t size) {
    (void)pointer, (void)octets, (void)size;
    gnutls_transport_set_errno(current, EAGAIN);
    return -1;
}
static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned ms) {
    (void)pointer, (void)ms;
    return 0;
}

struct reader {
    const uint8_t *at, *end;
};

static unsigned take(struct reader *r, int octets) {
    unsigned value = 0;
    assert_true(r->end - r->at >= octets);
    while (octets-- > 0)
        value = value << 8 | *r->at++;
    return value;
}

static struct reader part(struct reader *r, int length_octets) {
    size_t length = take(r, length_octets);
    assert_true((size_t)(r->end - r->at) >= length);
    struct reader inner = {r->at, r->at + length};
    r->at += length;
    return inner;
}

static void take_list(struct reader r, uint16_t *list, size_t *count) {
    while (r.at < r.end) {
        assert_true(*count < HELLO_MOST);
        list[(*count)++] = (uint16_t)take(&r, 2);
    }
}

static void take_extension(unsigned type, struct reader body, struct hello *ret) {
    struct reader modes;
    switch (type) {
    case 10:
        take_list(part(&body, 2), ret->groups, &ret->group_count);
        break;
    case 13:
        take_list(part(&body, 2), ret->signatures, &ret->signature_count);
        break;
    case 35:
        ret->has_ticket = true;
        break;
    case 41:
        ret->has_psk = true;
        break;
    case 43:
        take_list(part(&body, 1), ret->versions, &ret->version_count);
        break;
    case 45:
        for (modes = part(&body, 1); modes.at < modes.end;)
            ret->has_dhe_psk_mode |= take(&modes, 1) == 1;
        break;
    case 0xFF01:
        ret->has_renegotiation_info = true;
        break;
    default:
        break;
    }
}

static void take_hello(const struct capture *capture, bool is_datagram, struct hello *ret) {
    struct reader r = {capture->octets, capture->octets + capture->size};
    memset(ret, 0, sizeof *ret);
    r.at += is_datagram ? DATAGRAM_RECORD_HEADER : RECORD_HEADER;
    assert_int_equal(take(&r, 1), 1);
    r.at += is_datagram ? 3 + 2 + 3 + 3 : 3; /* length, sequence, fragment */
    ret->legacy_version = (uint16_t)take(&r, 2);
    r.at += 32;
    part(&r, 1);
    if (is_datagram)
        part(&r, 1);
    take_list(part(&r, 2), ret->suites, &ret->suite_count);
    part(&r, 1);
    struct reader extensions = part(&r, 2);
    while (extensions.at < extensions.end) {
        unsigned type = take(&extensions, 2);
        take_extension(type, part(&extensions, 2), ret);
    }
}

void hello_of(const char *priority, bool is_datagram, bool psk, struct hello *ret) {
    struct capture capture = {.size = 0};
    gnutls_certificate_credentials_t certificates;
    gnutls_psk_client_credentials_t keys;
    const gnutls_datum_t key = {(unsigned char *)"0123456789abcdef", 16};
    const char *wrong;
    assert_int_equal(gnutls_init(&current, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
                                               (is_datagram ? GNUTLS_DATAGRAM : 0)),
                     0);
    assert_int_equal(gnutls_priority_set_direct(current, priority, &wrong), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&certificates), 0);
    assert_int_equal(gnutls_credentials_set(current, GNUTLS_CRD_CERTIFICATE, certificates), 0);
    assert_int_equal(gnutls_psk_allocate_client_credentials(&keys), 0);
    assert_int_equal(gnutls_psk_set_client_credentials(keys, "somebody", &key, GNUTLS_PSK_KEY_RAW),
                     0);
    if (psk)
        assert_int_equal(gnutls_credentials_set(current, GNUTLS_CRD_PSK, keys), 0);
    gnutls_transport_set_ptr(current, &capture);
    gnutls_transport_set_push_function(current, push);
    gnutls_transport_set_pull_function(current, pull);
    gnutls_transport_set_pull_timeout_function(current, pull_timeout);
    assert_int_equal(gnutls_handshake(current), GNUTLS_E_AGAIN);
    take_hello(&capture, is_datagram, ret);
    gnutls_deinit(current);
    gnutls_certificate_free_credentials(certificates);
    gnutls_psk_free_client_credentials(keys);
}

int64_t hello_for(sec_protocol_options_t options, bool is_datagram, bool aes, struct hello *ret) {
    char *priority;
    nwi_err err = nwi_tls_suites_priority_on(options, false, is_datagram, aes, &priority);
    if (err != 0) {
        assert_null(priority);
        return err;
    }
    hello_of(priority, is_datagram, options->psk_count > 0, ret);
    nwi_free(priority);
    return 0;
}

size_t hello_place(const struct hello *hello, uint16_t suite) {
    size_t i = 0;
    while (i < hello->suite_count && hello->suites[i] != suite)
        i++;
    return i;
}

bool hello_offers(const struct hello *hello, uint16_t suite) {
    return hello_place(hello, suite) < hello->suite_count;
}

bool hello_lists(const uint16_t *list, size_t count, uint16_t value) {
    for (size_t i = 0; i < count; i++)
        if (list[i] == value)
            return true;
    return false;
}
