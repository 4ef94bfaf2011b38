/*
 * fuzz_identity.c - certificates, keys and stores from outside, read as an identity.
 * What:   the input is two octets of length, that many octets of certificates, and then the key;
 *         without a key the certificates hold it. The password of the seeds is "open". Whatever
 *         they hold, an identity comes out, or one line that says why not. A password may cost
 *         little here, so that the fuzzer does not spend its time on hashing.
 */
#include "fuzz.h"
#include "trust/reading.h"
#include <Security/identity.h>
#include <dispatch/dispatch.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 4096 };

static void count(void *context, sec_certificate_t certificate) {
    CHECK(certificate != NULL);
    ++*(size_t *)context;
}

static void check_identity(sec_identity_t identity) {
    size_t seen = 0, shown = sec_identity_get_certificate_count(identity);
    CHECK(shown >= 1 && shown <= NWI_IDENTITY_CHAIN_MAX);
    CHECK(sec_identity_access_certificates_f(identity, &seen, count) && seen == shown);
    dispatch_data_t data = sec_identity_copy_certificates_data(identity);
    CHECK(data != NULL && dispatch_data_get_size(data) > 0);
    dispatch_release(data);
    sec_release(identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct nwi_reading reading;
    char *reason = NULL;
    if (size < 2)
        return 0;
    size_t length = (size_t)(data[0] << 8 | data[1]);
    data += 2, size -= 2;
    if (length > size)
        length = size;
    nwi_reading_begin(&reading, "a", "b", "open");
    reading.rounds = ROUNDS;
    if (nwi_reading_take(&reading, "a", data, length,
                         length < size ? NWI_READ_CERTIFICATES : NWI_READ_BOTH) &&
        length < size)
        nwi_reading_take(&reading, "b", data + length, size - length, NWI_READ_KEY);
    sec_identity_t identity = nwi_reading_finish(&reading, "fuzz", &reason);
    CHECK((identity == NULL) == (reason != NULL));
    if (identity != NULL)
        check_identity(identity);
    for (const char *c = reason; c != NULL && *c != '\0'; c++)
        CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
    free(reason);
    return 0;
}
