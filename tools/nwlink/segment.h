/*
 * segment.h - frames as a driver would have to send them.
 * What:   the kernel hands a packet socket what it would hand a clever network card: up to 64 KiB of
 *         TCP or UDP in one piece, and checksums left open. This makes of it the frames that a
 * plain card puts on the wire. Source: the kernel's include/uapi/linux/virtio_net.h; RFC 9293
 * section 3.1, RFC 768.
 * Runs:   pure.
 */
#ifndef NWLINK_SEGMENT_H
#define NWLINK_SEGMENT_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    NWLINK_FRAME_MAX = 65535 + 14 + 4
}; /* octets of the largest frame that the kernel hands out */

/* Calls `put` for each frame, in order. `frame` is changed and lent for the call. False: the header
 * and the frame do not fit each other, and there was no call. */
bool nwlink_segment(uint8_t *frame, uint32_t size, const struct virtio_net_hdr *header,
                    void *context, void (*put)(void *context, const uint8_t *frame, uint32_t size));

#endif
