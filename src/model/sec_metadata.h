/*
 * sec_metadata.h - what a TLS handshake agreed on, as a record of its own.
 * What:   a snapshot that TLS fills before it hands it out, and a live way to exported secrets for
 *         as long as the session lives.
 * Runs:   filled by its maker; afterwards any thread may read it. The exporter, and reading the
 *         peer's certificates when somebody first asks for them: under its lock.
 * Owns:   texts, certificates and octets, by copy or by reference; the session is its maker's.
 */
#ifndef NWI_MODEL_SEC_METADATA_H
#define NWI_MODEL_SEC_METADATA_H

#include "base/object.h"
#include "model/sec_options.h"
#include <Security/SecProtocolMetadata.h>
#include <pthread.h>

/* What a live session can be asked, on any thread. Called with the metadata's lock held: must
 * neither block nor call back into the metadata. */
struct nwi_sec_exporter_ops {
    /* RFC 5705 section 4, RFC 8446 section 7.5. context NULL: none, which TLS 1.2 tells from an
     * empty one. Fills `length` octets of ret_secret, or answers false. */
    bool (*export_secret)(void *owner, const char *label, size_t label_length,
                          const uint8_t *context, size_t context_length, size_t length,
                          uint8_t *ret_secret);
};

struct nwi_sec_items {
    dispatch_data_t *items; /* retained */
    size_t count;
};

struct sec_protocol_metadata {
    struct nwi_object base;
    char *negotiated_protocol; /* NULL: none was agreed on */
    char *server_name;         /* NULL: none was sent */
    tls_protocol_version_t version;
    tls_ciphersuite_t ciphersuite; /* 0 as long as none is agreed on */
    bool early_data_accepted, resumed;
    /* What the peer showed, in DER, until read_peer turns it into the next four: a certificate that
     * is read takes more memory than all the rest of a connection, and few programs ask. Both under
     * the lock; read_peer is NULL when that is done, and answers false when memory ran out. */
    struct nwi_sec_items shown;
    bool (*read_peer)(sec_protocol_metadata_t metadata);
    sec_certificate_t *peer_chain; /* the peer's own first; retained */
    size_t peer_chain_count;
    dispatch_data_t peer_public_key;           /* SubjectPublicKeyInfo in DER; NULL: no chain */
    struct nwi_sec_items ocsp_responses, scts; /* DER; SerializedSCT of RFC 6962 section 3.3 */
    struct nwi_sec_items distinguished_names;  /* of the CAs that the peer accepts, in DER */
    uint16_t *signature_algorithms;            /* that the peer accepts: numbers on the wire */
    size_t signature_algorithm_count;
    struct nwi_sec_psk *psks; /* that were offered or agreed on */
    size_t psk_count;
    pthread_mutex_t lock;
    const struct nwi_sec_exporter_ops *ops; /* set once, by attach */
    void *owner;                            /* not retained; NULL once detached; under lock */
};

/* Empty; +1 or NULL. */
sec_protocol_metadata_t nwi_sec_metadata_create(void);

/* The fillers copy or retain what they are given. They answer false when memory ran out: then
 * nothing has changed. */
bool nwi_sec_metadata_set_protocol(sec_protocol_metadata_t metadata, const void *protocol,
                                   size_t length);
bool nwi_sec_metadata_set_server_name(sec_protocol_metadata_t metadata, const char *name);
bool nwi_sec_metadata_set_peer_chain(sec_protocol_metadata_t metadata,
                                     const sec_certificate_t *chain, size_t count);
bool nwi_sec_metadata_set_peer_public_key(sec_protocol_metadata_t metadata, const void *spki,
                                          size_t size);
bool nwi_sec_metadata_add_item(struct nwi_sec_items *items, const void *octets, size_t size);
bool nwi_sec_metadata_add_signature_algorithm(sec_protocol_metadata_t metadata, uint16_t algorithm);
bool nwi_sec_metadata_add_psk(sec_protocol_metadata_t metadata, dispatch_data_t key,
                              dispatch_data_t identity);

/* Who reads the chain, the public key or the timestamps of the peer calls this before. */
void nwi_sec_metadata_need_peer(sec_protocol_metadata_t metadata);

/* Makes secrets available, before the metadata is handed out. `owner` must detach before it goes
 * away. */
void nwi_sec_metadata_attach(sec_protocol_metadata_t metadata,
                             const struct nwi_sec_exporter_ops *ops, void *owner);
/* After it returns the owner is not called again. NULL is fine. */
void nwi_sec_metadata_detach(sec_protocol_metadata_t metadata);

#endif
