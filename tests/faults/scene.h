/*
 * scene.h - one conversation over loopback, every callback of which is accounted for.
 * What:   a listener that echoes and a client that connects, sends, receives, ends its stream and is
 *         cancelled; the scene notes what each was told and whether the rules of callbacks held.
 * Runs:   handlers on one serial queue; the test waits on its own thread.
 */
#ifndef NWI_FAULTS_SCENE_H
#define NWI_FAULTS_SCENE_H

#include <Network/Network.h>
#include <stdbool.h>
#include <stddef.h>

enum { SCENE_TEXT = 200, SCENE_GREETING = 14 };

struct scene_script {
    const char *name; /* of the test's case */
    const char *host; /* "127.0.0.1" or "localhost" */
    bool datagrams;
    bool secure;         /* over TLS, with certificates */
    size_t octets;       /* to be sent and echoed; 0: SCENE_GREETING */
    unsigned patience_s; /* until it counts as hung; 0: the usual */
};

/* Error codes that one party was told, 0 = none; the last of each kind. Cancellation aside. */
struct scene_told {
    int waiting, failed, completion;
};

struct scene_result {
    bool listener_ready, client_ready;
    bool echoed; /* all that was sent came back, as it was */
    bool ended;  /* TCP: the end came back, too */
    struct scene_told listener, client, peer;
    char complaint[SCENE_TEXT]; /* the first rule broken; "" = none */
};

/* Before the first scene that is secure. */
void scene_make_certificate(void);
/* Plays the scene once to its end. */
struct scene_result scene_play(const struct scene_script *script);

#endif
