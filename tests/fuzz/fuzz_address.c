/*
 * fuzz_address.c - text into socket addresses: what is accepted prints as text that reads as the
 * same address.
 */
#include "fuzz.h"
#include "sys/address.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Random octets are seldom an address: each is taken for a character that may stand in one. */
static const char alphabet[] = "0123456789abcdefABCDEF:::::....%lo/[]x ";

static void try(const char *text) {
    struct sockaddr_storage first, second;
    socklen_t length, again;
    char printed[NWI_ADDRESS_TEXT_SIZE], small[9];
    if (!nwi_address_parse(text, 443, &first, &length))
        return;
    CHECK(length == nwi_address_length(first.ss_family));
    CHECK(nwi_address_port((struct sockaddr *)&first) == 443);
    nwi_address_text((struct sockaddr *)&first, printed, sizeof printed);
    CHECK(nwi_address_parse(printed, 443, &second, &again));
    CHECK(again == length);
    CHECK(nwi_address_equal((struct sockaddr *)&first, (struct sockaddr *)&second));
    CHECK(strlen(nwi_address_text_port((struct sockaddr *)&first, small, sizeof small)) <
          sizeof small);
    struct sockaddr_storage other = first;
    if (nwi_address_unmap(&other, &again))
        CHECK(again == sizeof(struct sockaddr_in) && !nwi_address_unmap(&other, &again) &&
              nwi_address_port((struct sockaddr *)&other) == 443);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[256];
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;
    if (length > 0)
        memcpy(text, data, length);
    text[length] = '\0';
    try(text);
    for (size_t i = 0; i < length; i++)
        text[i] = alphabet[data[i] % (sizeof alphabet - 1)];
    try(text);
    return 0;
}
