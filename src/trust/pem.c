/*
 * pem.c - see pem.h.
 * Runs:   any thread; pure.
 */
#include "trust/pem.h"
#include <stdio.h>
#include <string.h>

static const char begin_mark[] = "-----BEGIN ", dashes[] = "-----";

static unsigned char *find(const gnutls_datum_t *text, const char *word) {
    return text->size > 0 ? memmem(text->data, text->size, word, strlen(word)) : NULL;
}

static void skip_to(gnutls_datum_t *rest, unsigned char *place) {
    rest->size -= (unsigned)(place - rest->data);
    rest->data = place;
}

/* The label between "BEGIN " and the dashes of the same line. False: no such line. */
static bool read_label(const gnutls_datum_t *text, char label[NWI_PEM_LABEL_MAX]) {
    const gnutls_datum_t behind = {.data = text->data + sizeof begin_mark - 1,
                                   .size = text->size - (unsigned)(sizeof begin_mark - 1)};
    const unsigned char *end = find(&behind, dashes);
    size_t length = end != NULL ? (size_t)(end - behind.data) : 0;
    if (length == 0 || length >= NWI_PEM_LABEL_MAX || memchr(behind.data, '\n', length) != NULL)
        return false;
    for (size_t i = 0; i < length; i++) /* it goes into reasons and logs */
        label[i] = behind.data[i] >= ' ' && behind.data[i] < 0x7f ? (char)behind.data[i] : '?';
    label[length] = '\0';
    return true;
}

bool nwi_pem_take(gnutls_datum_t *rest, struct nwi_pem *block) {
    char end_line[NWI_PEM_LABEL_MAX + 20];
    unsigned char *begin;
    while ((begin = find(rest, begin_mark)) != NULL) {
        skip_to(rest, begin);
        if (read_label(rest, block->label))
            break;
        skip_to(rest, begin + 1);
    }
    if (begin == NULL)
        return false;
    snprintf(end_line, sizeof end_line, "-----END %s-----", block->label);
    unsigned char *end = find(rest, end_line);
    block->number++;
    block->cut_off = end == NULL;
    block->whole.data = begin;
    block->whole.size =
        end != NULL ? (unsigned)(end - begin + (ptrdiff_t)strlen(end_line)) : rest->size;
    skip_to(rest, begin + block->whole.size);
    return true;
}
