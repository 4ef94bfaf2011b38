/*
 * fuzz_hosts.c - hosts files: any octets make a table, and what the table gives is well formed.
 */
#include "fuzz.h"
#include "resolver/hosts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct nwi_hosts *hosts = nwi_hosts_parse((const char *)data, size);
    union nwi_inet found[4];
    char name[NWI_NAME_SIZE], again[NWI_NAME_SIZE];
    CHECK(hosts != NULL);
    /* Every word of the file is looked up. */
    for (size_t start = 0; start < size; start++) {
        size_t end = start;
        while (end < size && data[end] > ' ')
            end++;
        if (nwi_name_normalize((const char *)data + start, end - start, name)) {
            CHECK(strlen(name) < NWI_NAME_SIZE);
            CHECK(name[0] != '\0');
            if (name[strlen(name) - 1] != '.') { /* "a.." loses one dot a time */
                CHECK(nwi_name_normalize(name, strlen(name), again));
                CHECK(strcmp(name, again) == 0);
            }
            size_t count = nwi_hosts_find(hosts, name, found, 4);
            CHECK(count <= 4);
            for (size_t i = 0; i < count; i++)
                CHECK(found[i].sa.sa_family == AF_INET || found[i].sa.sa_family == AF_INET6);
        }
        start = end;
    }
    nwi_hosts_free(hosts);
    return 0;
}
