/*
 * pair.c - see pair.h.
 */
#include "pair.h"
#include "base/alloc.h"
#include "model/content_context.h"
#include <Security/identity.h>
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct made {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

/* What the test itself makes does not fail: a refused allocation is tried again. */
static dispatch_data_t copy_of(const void *bytes, size_t size) {
    dispatch_data_t data = nwi_data_create_copy(bytes, size);
    return data != NULL ? data : nwi_data_create_copy(bytes, size);
}

/* --- the wire --- */

static void append(unsigned char **bytes, size_t *length, size_t *room, dispatch_data_t content) {
    size_t size = dispatch_data_get_size(content);
    if (*length + size > *room) {
        *room = (*length + size) * 2;
        *bytes = realloc(*bytes, *room);
        assert_non_null(*bytes);
    }
    nwi_data_copy_out(content, 0, *bytes + *length, size);
    *length += size;
}

static nwi_err wire_connect(struct nwi_layer *layer) {
    nwi_layer_connected(layer);
    return 0;
}

static void put(struct side *side, struct nwi_send *send) {
    struct wire *to = side->peer->wire;
    if (send->content != NULL && to != NULL)
        append(&to->octets, &to->length, &to->room, send->content);
    if (send->final && to != NULL)
        to->final_coming = true;
    send->done(send, 0);
}

static void wire_output(struct nwi_layer *layer, struct nwi_send *send) {
    struct wire *wire = (struct wire *)layer;
    if (wire->side->blocked)
        STAILQ_INSERT_TAIL(&wire->held, send, link);
    else
        put(wire->side, send);
}

static bool wire_congested(struct nwi_layer *layer) {
    return ((struct wire *)layer)->side->blocked;
}

static void wire_window(struct nwi_layer *layer, size_t octets) {
    ((struct wire *)layer)->window = octets;
}

static void wire_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    struct wire *wire = (struct wire *)layer;
    struct side *peer = wire->side->peer;
    nwi_send_list_fail(&wire->held, why);
    wire->side->wire = NULL;
    if (how == NWI_DISCONNECT_ABORT)
        peer->abort_seen++;
    if (peer->wire != NULL)
        peer->wire->final_coming = true;
}

static void wire_free(struct nwi_layer *layer) {
    free(((struct wire *)layer)->octets);
}

static const struct nwi_layer_ops wire_ops = {
    .name = "wire",
    .traits = NWI_TRAIT_STREAM,
    .size = sizeof(struct wire),
    .connect = wire_connect,
    .output = wire_output,
    .congested = wire_congested,
    .window = wire_window,
    .disconnect = wire_disconnect,
    .free = wire_free,
};

/* Octets for this side that may go up now. */
static size_t deliverable(const struct side *side) {
    const struct wire *wire = side->wire;
    size_t size = wire->length < wire->window ? wire->length : wire->window;
    if (side->chunk != 0 && size > side->chunk)
        size = side->chunk;
    if (side->stop_at != 0 && size > side->stop_at - wire->delivered)
        size = side->stop_at - wire->delivered;
    return size;
}

static void fail_if(struct wire *wire, nwi_err err) {
    if (err != 0)
        nwi_layer_failed(&wire->base, err);
}

/* One delivery; false: nothing to deliver. */
static bool deliver(struct side *side) {
    struct wire *wire = side->wire;
    if (wire == NULL || side->failed || side->held || wire->window == 0)
        return false;
    nwi_retain(wire);
    size_t size = deliverable(side);
    bool at_cut = side->cut && wire->delivered == side->stop_at;
    bool end = at_cut || (wire->final_coming && wire->length == 0);
    if (size > 0) {
        struct nwi_input input = {.content = copy_of(wire->octets, size)};
        memmove(wire->octets, wire->octets + size, wire->length - size);
        wire->length -= size;
        wire->delivered += size;
        wire->window -= size;
        fail_if(wire, nwi_layer_deliver(&wire->base, &input));
    } else if (end && !wire->final_delivered) {
        wire->final_delivered = true;
        struct nwi_input input = {.complete = true, .final = true};
        fail_if(wire, nwi_layer_deliver(&wire->base, &input));
    } else {
        end = false;
    }
    nwi_release(wire);
    return size > 0 || end;
}

void pair_run(struct pair *pair) {
    bool moved;
    do {
        moved = deliver(&pair->client);
        moved = deliver(&pair->server) || moved;
    } while (moved);
}

/* --- the owner --- */

static void on_connected(void *owner) {
    ((struct side *)owner)->connected++;
}
static void on_failed(void *owner, nwi_err err) {
    struct side *side = owner;
    side->failed++;
    side->error = err;
}
static void on_writable(void *owner) {
    ((struct side *)owner)->writable++;
}
static bool on_asking(void *owner, bool begins) {
    ((struct side *)owner)->asking += begins ? 1 : -1;
    return true;
}
static nwi_err on_input(void *owner, struct nwi_input *input) {
    struct side *side = owner;
    assert_false(side->ended);
    if (input->content != NULL)
        append((unsigned char **)&side->text, &side->received, &side->room, input->content);
    side->ended = input->final;
    nwi_input_drop(input);
    return 0;
}
static const struct nwi_chain_events events = {
    .connected = on_connected,
    .failed = on_failed,
    .writable = on_writable,
    .asking = on_asking,
    .input = on_input,
};

/* --- both --- */

static void init_side(struct side *side, struct side *peer) {
    *side = (struct side){.peer = peer};
    side->options = nwi_tls_options(nw_tls_create_options());
    assert_non_null(side->options);
}

void pair_init(struct pair *pair) {
    init_side(&pair->client, &pair->server);
    init_side(&pair->server, &pair->client);
    pair->server.is_server = true;
    pair->client.host = "peer.example";
}

sec_protocol_options_t side_options(struct side *side) {
    return side->options->sec;
}

static void make(struct side *side) {
    for (int tries = 0; side->chain == NULL && tries < 2; tries++)
        side->chain = nwi_chain_create(side->context, NULL, side->context_owner);
    assert_non_null(side->chain);
    for (int tries = 0; side->wire == NULL && tries < 2; tries++)
        side->wire = (struct wire *)nwi_layer_create(&wire_ops);
    assert_non_null(side->wire);
    side->wire->side = side;
    STAILQ_INIT(&side->wire->held);
    nwi_chain_push(side->chain, &side->wire->base);
    struct nwi_tls_request request = {
        .options = side->options,
        .host = side->host,
        .remote = side->remote,
        .parameters = side->parameters,
        .early = side->early,
        .is_server = side->is_server,
    };
    struct nwi_layer *tls = nwi_tls_create(&request, &side->create_error);
    if (tls != NULL)
        nwi_chain_push(side->chain, tls);
    nwi_chain_set_owner(side->chain, &events, side);
}

void pair_start(struct pair *pair) {
    make(&pair->client);
    make(&pair->server);
    if (pair->client.create_error != 0 || pair->server.create_error != 0)
        return;
    assert_int_equal(nwi_chain_connect(pair->client.chain), 0);
    assert_int_equal(nwi_chain_connect(pair->server.chain), 0);
}

void pair_shake(struct pair *pair) {
    pair_start(pair);
    pair_run(pair);
    assert_int_equal(pair->client.error, 0);
    assert_int_equal(pair->server.error, 0);
    assert_int_equal(pair->client.connected, 1);
    assert_int_equal(pair->server.connected, 1);
}

static void end_side(struct side *side) {
    if (side->chain != NULL)
        nwi_chain_stop(side->chain, NWI_DISCONNECT_ABORT, NWI_ERR_CANCELED);
    side->chain = nwi_release(side->chain);
    side->options = nwi_release(side->options);
    side->remote = nwi_release(side->remote);
    free(side->text);
    side->text = NULL;
}

void pair_end(struct pair *pair) {
    end_side(&pair->client);
    end_side(&pair->server);
}

void pair_add_key(struct pair *pair) {
    dispatch_data_t key = nwi_data_create_copy("0123456789abcdef", 16);
    dispatch_data_t name = nwi_data_create_copy("name", 4);
    sec_protocol_options_add_pre_shared_key(side_options(&pair->client), key, name);
    sec_protocol_options_add_pre_shared_key(side_options(&pair->server), key, name);
    dispatch_release(key);
    dispatch_release(name);
}

/* --- certificates --- */

/* A P-256 key and a certificate for it, issued by `issuer` (itself when NULL), as DER. */
static void make_certificate(struct made *made, const char *name, bool is_ca,
                             const struct made *issuer) {
    static unsigned char serial[] = {1, 0}; /* the first octet keeps it positive */
    time_t now = time(NULL);
    assert_int_equal(gnutls_x509_privkey_init(&made->key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                                  0),
                     0);
    assert_int_equal(gnutls_x509_crt_init(&made->crt), 0);
    serial[0] += ++serial[1] == 0;
    gnutls_x509_crt_set_version(made->crt, 3);
    gnutls_x509_crt_set_serial(made->crt, serial, sizeof serial);
    gnutls_x509_crt_set_activation_time(made->crt, now - 3600);
    gnutls_x509_crt_set_expiration_time(made->crt, now + 30 * 24 * 3600);
    gnutls_x509_crt_set_key(made->crt, made->key);
    gnutls_x509_crt_set_dn_by_oid(made->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                  (unsigned)strlen(name));
    if (is_ca) {
        gnutls_x509_crt_set_basic_constraints(made->crt, 1, -1);
        gnutls_x509_crt_set_key_usage(made->crt, GNUTLS_KEY_KEY_CERT_SIGN);
    } else {
        gnutls_x509_crt_set_subject_alt_name(made->crt, GNUTLS_SAN_DNSNAME, name,
                                             (unsigned)strlen(name), GNUTLS_FSAN_SET);
        gnutls_x509_crt_set_key_usage(made->crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
        gnutls_x509_crt_set_key_purpose_oid(made->crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
        gnutls_x509_crt_set_key_purpose_oid(made->crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    }
    issuer = issuer != NULL ? issuer : made;
    assert_int_equal(
        gnutls_x509_crt_sign2(made->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0), 0);
}

static void free_made(struct made *made) {
    gnutls_x509_privkey_deinit(made->key);
    gnutls_x509_crt_deinit(made->crt);
}

static struct made authority;
static bool has_authority;

sec_certificate_t copy_authority(void) {
    gnutls_datum_t der;
    if (!has_authority)
        make_certificate(&authority, "Test CA", true, NULL);
    has_authority = true;
    assert_int_equal(gnutls_x509_crt_export2(authority.crt, GNUTLS_X509_FMT_DER, &der), 0);
    sec_certificate_t certificate = sec_certificate_create_with_bytes(der.data, der.size);
    assert_non_null(certificate);
    gnutls_free(der.data);
    return certificate;
}

sec_identity_t make_identity(const char *name) {
    struct made made;
    gnutls_datum_t certificate, key;
    nwi_release(copy_authority());
    make_certificate(&made, name, false, &authority);
    assert_int_equal(gnutls_x509_crt_export2(made.crt, GNUTLS_X509_FMT_DER, &certificate), 0);
    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(made.key, GNUTLS_X509_FMT_DER, NULL,
                                                       GNUTLS_PKCS_PLAIN, &key),
                     0);
    sec_identity_t identity = sec_identity_create_with_bytes(certificate.data, certificate.size,
                                                             key.data, key.size, NULL, NULL);
    assert_non_null(identity);
    gnutls_free(certificate.data);
    gnutls_free(key.data);
    free_made(&made);
    return identity;
}

void side_add_identity(struct side *side, const char *name) {
    sec_identity_t identity = make_identity(name);
    sec_protocol_options_set_local_identity(side_options(side), identity);
    nwi_release(identity);
}

void side_trust_authority(struct side *side) {
    sec_certificate_t certificate = copy_authority();
    sec_protocol_options_add_trust_anchor(side_options(side), certificate);
    nwi_release(certificate);
}

void pair_add_certificate(struct pair *pair, const char *name) {
    side_add_identity(&pair->server, name);
    side_trust_authority(&pair->client);
}

/* --- sending --- */

struct sending {
    struct nwi_send send;
    struct sent *sent;
};

static void send_done(struct nwi_send *send, nwi_err err) {
    struct sending *sending = (struct sending *)send;
    if (sending->sent != NULL) {
        sending->sent->done++;
        sending->sent->error = err;
    }
    if (send->content != NULL)
        dispatch_release(send->content);
    free(sending);
}

void side_send_data(struct side *side, dispatch_data_t content, bool more, bool final,
                    struct sent *sent) {
    struct sending *sending = calloc(1, sizeof *sending);
    assert_non_null(sending);
    sending->send.content = content;
    sending->send.context = &nwi_default_message_context;
    sending->send.more = more;
    sending->send.final = final;
    sending->send.complete = final;
    sending->send.done = send_done;
    sending->sent = sent;
    nwi_chain_send(side->chain, &sending->send);
}

void side_send(struct side *side, const void *bytes, size_t size, bool final, struct sent *sent) {
    side_send_data(side, size > 0 ? copy_of(bytes, size) : NULL, false, final, sent);
}

void side_unblock(struct side *side) {
    struct nwi_send *send;
    side->blocked = false;
    while (side->wire != NULL && (send = STAILQ_FIRST(&side->wire->held)) != NULL) {
        STAILQ_REMOVE_HEAD(&side->wire->held, link);
        put(side, send);
    }
}
