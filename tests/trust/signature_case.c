/*
 * signature_case.c - judges one signature a line of standard input, and prints what came of it.
 * What:   a line holds, in hex with a tab between, a certificate whose key, algorithm and signature
 *         are those of the case, and the octets that are signed. The answer: "unreadable"; or
 *         whether the signature holds (1 or 0), a tab, and what the rules say of the key and the
 *         algorithm.
 */
#include "trust/rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1795000000 };

static gnutls_datum_t from_hex(const char *hex) {
    gnutls_datum_t octets = {.data = malloc(strlen(hex) / 2 + 1), .size = 0};
    for (unsigned value; sscanf(hex + 2 * octets.size, "%2x", &value) == 1;)
        octets.data[octets.size++] = (unsigned char)value;
    return octets;
}

static void answer(const gnutls_datum_t *der, const gnutls_datum_t *part) {
    const struct nwi_trust_policy policy = {.now = NOW};
    struct nwi_trust_verdict verdict = {0};
    sec_certificate_t certificate = nwi_certificate_create(der->data, der->size);
    if (certificate == NULL) {
        puts("unreadable");
        return;
    }
    bool holds = nwi_certificate_signature_holds(certificate, certificate, part);
    nwi_trust_check_leaf(certificate, &policy, false, &verdict);
    printf("%d\t%s\n", holds, verdict.reason);
    sec_release(certificate);
}

int main(void) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *signed_part = strchr(line, '\t');
        if (signed_part == NULL)
            return 2;
        *signed_part++ = '\0';
        gnutls_datum_t der = from_hex(line), part = from_hex(signed_part);
        answer(&der, &part);
        free(der.data);
        free(part.data);
    }
    free(line);
    return 0;
}
