/*
 * trust_case.c - evaluates one chain a line of standard input, and prints what came of it.
 * What:   a line is JSON without JSON's difficulties: fields with a tab between, each KEY=VALUE;
 *         leaf, chain, anchor, accepted, pin and staple hold hex (DER, or a digest), host and time
 *         text, purpose server or client, system 1, must-staple 1. The answer: the status, a tab,
 *         the reason, and for each certificate of the chain a tab and its verdict.
 */
#include <Security/trust_evaluation.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CERTIFICATES_MAX = 512 };

struct wanted {
    sec_certificate_t chain[CERTIFICATES_MAX], anchors[CERTIFICATES_MAX];
    sec_certificate_t accepted[1];
    size_t chain_count, anchor_count, accepted_count, pin_count;
    dispatch_data_t staple;
    unsigned char pins[8][32];
    const char *host;
    long long time;
    bool client, system, must_staple, unreadable;
};

static unsigned char digit(char hex) {
    return (unsigned char)(hex <= '9' ? hex - '0' : (hex | 0x20) - 'a' + 10);
}

static size_t from_hex(const char *hex, unsigned char *octets) {
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++)
        octets[i] = (unsigned char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return size;
}

static void add(struct wanted *wanted, const char *hex, sec_certificate_t *list, size_t *count,
                size_t max) {
    unsigned char *octets = malloc(strlen(hex) / 2 + 1);
    size_t size = from_hex(hex, octets);
    sec_certificate_t certificate = sec_certificate_create_with_bytes(octets, size);
    free(octets);
    if (certificate == NULL)
        wanted->unreadable = true;
    else if (*count < max)
        list[(*count)++] = certificate;
}

static void add_staple(struct wanted *wanted, const char *hex) {
    unsigned char *octets = malloc(strlen(hex) / 2 + 1);
    size_t size = from_hex(hex, octets);
    wanted->staple = dispatch_data_create_f(octets, size, NULL, NULL, NULL);
    free(octets);
}

static void take(struct wanted *wanted, const char *key, const char *value) {
    if (strcmp(key, "leaf") == 0 || strcmp(key, "chain") == 0)
        add(wanted, value, wanted->chain, &wanted->chain_count, CERTIFICATES_MAX);
    else if (strcmp(key, "anchor") == 0)
        add(wanted, value, wanted->anchors, &wanted->anchor_count, CERTIFICATES_MAX);
    else if (strcmp(key, "accepted") == 0)
        add(wanted, value, wanted->accepted, &wanted->accepted_count, 1);
    else if (strcmp(key, "staple") == 0)
        add_staple(wanted, value);
    else if (strcmp(key, "must-staple") == 0)
        wanted->must_staple = true;
    else if (strcmp(key, "host") == 0)
        wanted->host = value;
    else if (strcmp(key, "time") == 0)
        wanted->time = atoll(value);
    else if (strcmp(key, "purpose") == 0)
        wanted->client = strcmp(value, "client") == 0;
    else if (strcmp(key, "system") == 0)
        wanted->system = true;
    else if (strcmp(key, "pin") == 0 && wanted->pin_count < 8)
        from_hex(value, wanted->pins[wanted->pin_count++]);
}

static void answer(struct wanted *wanted) {
    if (wanted->unreadable || wanted->chain_count == 0) {
        puts("1\tnot a certificate");
        return;
    }
    sec_trust_t trust =
        sec_trust_create_with_chain(wanted->chain, wanted->chain_count, wanted->host);
    sec_trust_set_system_anchors_enabled(trust, wanted->system);
    if (wanted->client)
        sec_trust_set_purpose(trust, sec_trust_purpose_client);
    if (wanted->time >= 0)
        sec_trust_set_verify_time(trust, wanted->time);
    for (size_t i = 0; i < wanted->anchor_count; i++)
        sec_trust_add_anchor(trust, wanted->anchors[i]);
    for (size_t i = 0; i < wanted->pin_count; i++)
        sec_trust_add_pin(trust, wanted->pins[i]);
    if (wanted->accepted_count > 0)
        sec_trust_add_accepted_certificate(trust, wanted->accepted[0]);
    sec_trust_set_stapled_status(trust, wanted->staple);
    sec_trust_set_stapled_status_required(trust, wanted->must_staple);
    int status = sec_trust_evaluate(trust);
    char *reason = sec_trust_copy_reason(trust);
    printf("%d\t%s", status, reason != NULL ? reason : "");
    free(reason);
    for (size_t i = 0; i < sec_trust_get_chain_count(trust); i++) {
        char *verdict = sec_trust_copy_certificate_verdict(trust, i);
        printf("\t%s", verdict != NULL ? verdict : "");
        free(verdict);
    }
    putchar('\n');
    sec_release(trust);
}

int main(void) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct wanted *wanted = calloc(1, sizeof *wanted);
        wanted->time = -1;
        char *rest = line, *field;
        line[strcspn(line, "\n")] = '\0';
        while ((field = strsep(&rest, "\t")) != NULL) {
            char *value = strchr(field, '=');
            if (value != NULL) {
                *value = '\0';
                take(wanted, field, value + 1);
            }
        }
        answer(wanted);
        fflush(stdout);
        for (size_t i = 0; i < wanted->chain_count; i++)
            sec_release(wanted->chain[i]);
        for (size_t i = 0; i < wanted->anchor_count; i++)
            sec_release(wanted->anchors[i]);
        if (wanted->accepted_count > 0)
            sec_release(wanted->accepted[0]);
        sec_release(wanted->staple);
        free(wanted);
    }
    free(line);
    return 0;
}
