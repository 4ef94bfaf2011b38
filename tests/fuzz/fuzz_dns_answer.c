/*
 * fuzz_dns_answer.c - DNS messages into the resolver: what c-ares makes of them, and what we make
 * of that.
 * What:   the first octet chooses family and status, the rest is the message. Whatever it holds: an
 *         answer comes, its parts agree, the ranked result holds the same addresses, and refusals
 *         are well formed. At the first call the shared packets of NW_TEST_DATA/dns-packets are run
 *         too, where they exist.
 */
#include "fuzz.h"
#include "resolver/answer.h"
#include "resolver/refusal.h"
#include <ares.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_answer(int family, int status, const uint8_t *message, size_t size) {
    struct nwi_answer *answer = nwi_answer_from_message(family, status, message, size);
    CHECK(answer != NULL);
    CHECK(answer->family == family);
    CHECK((answer->err == 0) == (answer->count > 0));
    CHECK(answer->count <= NWI_ANSWER_MAX);
    CHECK(answer->ttl <= NWI_ANSWER_TTL_MAX);
    CHECK(answer->err == 0 || nwi_err_domain(answer->err) == NWI_DOMAIN_DNS);
    CHECK(answer->err == 0 || answer->ttl <= NWI_ANSWER_TTL_NEGATIVE);
    for (size_t i = 0; i < answer->count; i++) {
        CHECK(answer->addresses[i].sa.sa_family == family);
        CHECK(answer->addresses[i].in.sin_port == 0);
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(&answer->addresses[i], &answer->addresses[j],
                         sizeof answer->addresses[i]) != 0);
    }
    nwi_release(answer);
}

static void check_refusal(const uint8_t *message, size_t size) {
    struct nwi_refusal refusal;
    memset(&refusal, 0x5a, sizeof refusal);
    if (!nwi_refusal_read(message, size, &refusal))
        return;
    CHECK(size > 12);
    CHECK(memchr(refusal.name, '\0', sizeof refusal.name) != NULL);
    CHECK(refusal.status == ARES_ESERVFAIL || refusal.status == ARES_ENOTIMP ||
          refusal.status == ARES_EREFUSED);
    CHECK(refusal.type >= 0 && refusal.type <= UINT16_MAX);
}

static void run(const uint8_t *message, size_t size) {
    check_answer(AF_INET, ARES_SUCCESS, message, size);
    check_answer(AF_INET6, ARES_SUCCESS, message, size);
    check_refusal(message, size);
}

/* A line is "name hex". */
static void run_line(char *line) {
    static uint8_t message[65536];
    char *hex = strchr(line, ' ');
    size_t size = 0;
    unsigned octet;
    for (hex = hex != NULL ? hex + 1 : line;
         size < sizeof message && sscanf(hex, "%2x", &octet) == 1; hex += 2)
        message[size++] = (uint8_t)octet;
    uint8_t *exact = malloc(size > 0 ? size : 1); /* so ASan sees a read past the end */
    CHECK(exact != NULL);
    memcpy(exact, message, size);
    run(exact, size);
    free(exact);
}

static void run_shared_packets(void) {
    const char *data = getenv("NW_TEST_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/dns-packets", data != NULL ? data : "/nonexistent");
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        char file_path[4096 + 256];
        if (length < 4 || strcmp(entry->d_name + length - 4, ".hex") != 0)
            continue;
        snprintf(file_path, sizeof file_path, "%s/%s", path, entry->d_name);
        FILE *file = fopen(file_path, "r");
        char *line = NULL;
        size_t room = 0, lines = 0;
        for (; file != NULL && getline(&line, &room, file) >= 0; lines++)
            run_line(line);
        printf("%s: %zu packets\n", entry->d_name, lines);
        free(line);
        if (file != NULL)
            fclose(file);
    }
    closedir(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool started;
    if (!started) {
        started = true;
        run_shared_packets();
    }
    if (size == 0)
        return 0;
    if (data[0] == 0)
        run(data + 1, size - 1);
    else
        check_answer(data[0] & 1 ? AF_INET : AF_INET6, data[0] & 2 ? ARES_SUCCESS : data[0] >> 2,
                     data + 1, size - 1);
    return 0;
}
