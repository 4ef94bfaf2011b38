/*
 * fault_scene.h - one conversation over loopback, every callback of which is accounted for.
 * What:   a listener that echoes and a client that connects, sends, receives, ends its stream and is
 *         cancelled; the scene notes what each was told and whether the rules of callbacks held.
 * Runs:   handlers on one serial queue; the test waits on its own thread.
 */
#ifndef NWI_FAULT_SCENE_H
#define NWI_FAULT_SCENE_H

#include <Network/Network.h>
#include <stdbool.h>

enum { SCENE_PEERS = 16, SCENE_TEXT = 160 };

struct scene_party {
    struct scene *scene;
    nw_connection_t connection; /* owned */
    nw_connection_state_t state;
    unsigned asked, answered; /* sends and receives */
    bool was_ready;
    int error;       /* code last told with waiting or failed */
    bool send_error; /* some completion told one, cancellation aside */
};

struct scene_result {
    bool listener_ready, client_ready;
    bool echoed;        /* all that was sent came back */
    bool ended;         /* TCP: the end came back, too */
    int listener_error; /* 0 or the code told with waiting or failed */
    int client_error;
    bool client_told_error;     /* by a completion or with a state */
    char complaint[SCENE_TEXT]; /* the first rule broken; "" = none */
};

/* Plays the scene once to its end. host: "127.0.0.1" or "localhost". */
struct scene_result scene_play(const char *host, bool datagrams);

#endif
