/*
 * fuzz_link_profile.c - any octets as a file of nwlink's profiles, as a list of conditions, as a
 *                       packet on its wire, as a large frame of the kernel's.
 * What:   what is refused is explained and changes nothing; what is taken can be written, reads as
 *         the same again, and makes a link that lets packets through or drops them; the answer to a
 *         packet too large fits where it is written.
 */
#include "fuzz.h"
#include "link.h"
#include "packet.h"
#include "profiles.h"
#include "segment.h"

static void check_conditions(const struct nwlink_conditions *conditions) {
    struct nwlink_conditions again = {0};
    char text[NWLINK_CONDITIONS_TEXT], text_again[NWLINK_CONDITIONS_TEXT], why[NWLINK_WHY];
    nwlink_conditions_write(conditions, text);
    CHECK(strlen(text) < sizeof text - 1); /* it was not cut off */
    CHECK(nwlink_conditions_read(&again, text, why));
    nwlink_conditions_write(&again, text_again);
    CHECK(strcmp(text, text_again) == 0);
    struct nwlink_link link;
    nwlink_link_init(&link, 1);
    link.conditions = *conditions;
    for (int64_t now = 0; now < 64; now++) {
        struct nwlink_fate fate = nwlink_link_offer(&link, now, 1500, 1486, now % 2);
        CHECK(fate.copies <= 2 && fate.corrupt_bit < 1500 * 8);
        CHECK(fate.copies == 0 ? fate.cause < NWLINK_CAUSE_COUNT : fate.at >= now);
    }
    nwlink_link_free(&link);
}

static void check_file(const char *text) {
    struct nwlink_profiles profiles = {0};
    char why[NWLINK_WHY] = "";
    bool good = nwlink_profiles_parse(&profiles, text, "file", why);
    CHECK(good || (strncmp(why, "file:", 5) == 0 && profiles.count == 0));
    for (size_t i = 0; i < profiles.count; i++)
        for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++)
            check_conditions(&profiles.own[i].conditions[d]);
    nwlink_profiles_free(&profiles);
}

static void check_list(const char *text) {
    struct nwlink_conditions conditions = {.delay = 7}, before = conditions;
    char why[NWLINK_WHY] = "";
    if (nwlink_conditions_read(&conditions, text, why))
        check_conditions(&conditions);
    else
        CHECK(why[0] != '\0' && memcmp(&conditions, &before, sizeof before) == 0);
}

static void check_packet(const uint8_t *data, size_t size, bool ethernet) {
    struct nwlink_packet packet;
    uint8_t *out = malloc(NWLINK_SIGNAL_MAX); /* of its own, so that a sanitizer sees its end */
    CHECK(out != NULL);
    nwlink_packet_read(&packet, data, (uint32_t)size, ethernet);
    CHECK(packet.link + packet.ip_size == size);
    CHECK(nwlink_packet_signal(&packet, 1280, out) <= NWLINK_SIGNAL_MAX);
    free(out);
}

static void take_frame(void *context, const uint8_t *frame, uint32_t size) {
    size_t *octets = context;
    CHECK(size <= NWLINK_FRAME_MAX + 256 && frame[size - 1] <= UINT8_MAX); /* all of it is there */
    *octets += size;
}

/* The first octets are what the kernel says of the frame, the rest is the frame. */
static void check_segments(const uint8_t *data, size_t size) {
    struct virtio_net_hdr header;
    size_t octets = 0;
    if (size <= sizeof header)
        return;
    memcpy(&header, data, sizeof header);
    size -= sizeof header;
    uint8_t *frame = malloc(size);
    CHECK(frame != NULL);
    memcpy(frame, data + sizeof header, size);
    bool good = nwlink_segment(frame, (uint32_t)size, &header, &octets, take_frame);
    CHECK(good ? octets >= size : octets == 0);
    free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_file(text);
    check_list(text);
    check_packet(data, size, false);
    check_packet(data, size, true);
    check_segments(data, size);
    free(text);
    return 0;
}
