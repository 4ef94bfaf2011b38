/*
 * radio.c - see radio.h.
 * What:   remembers the quality of each interface asked for, and asks the kernel again when nl80211
 *         tells of something. Nothing is opened before the first Wi-Fi interface is asked for.
 * Source: linux/nl80211.h.
 * Runs:   questions to the kernel in a serial context of our own: a driver may take its time.
 * Owns:   the list, under `lock`; a `listener`, from the first question to the end of the watch.
 */
#include "path/radio.h"
#include "base/log.h"
#include "base/object.h"
#include "dispatch/watch.h"
#include "path/quality.h"
#include "sys/nl80211.h"
#include "sys/sockets.h"
#include <errno.h>
#include <pthread.h>

enum { RADIOS_MAX = 16 };

struct radio {
    unsigned index;
    nw_link_quality_t quality;
};

struct listener {
    struct nwi_object base;
    int fd;
    struct nwi_nl80211 wifi;
    struct nwi_watch watch;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct radio radios[RADIOS_MAX]; /* under lock */
static unsigned radio_count;            /* under lock */
static unsigned watches;                /* under lock */
static bool look_travels;               /* the task is pushed and has not run; under lock */
static struct nwi_task look_task;
static struct listener *listener; /* own context only */
static _Atomic(void (*)(void)) hook;
static struct nwi_serial own_context; /* never ends */
static pthread_once_t own_context_once = PTHREAD_ONCE_INIT;

static void listener_destroy(void *object) {
    nwi_socket_close(((struct listener *)object)->fd);
}
static const struct nwi_type listener_type = {
    .name = "radio listener", .size = sizeof(struct listener), .destroy = listener_destroy};

/* --- in our context --- */
static unsigned copy_radios(struct radio *copy) {
    pthread_mutex_lock(&lock);
    unsigned count = radio_count;
    for (unsigned i = 0; i < count; i++)
        copy[i] = radios[i];
    pthread_mutex_unlock(&lock);
    return count;
}

/* `gone`: the interface is, or is no radio; should it be asked for again, it is looked for again.
 * True: the quality is another one than before. */
static bool store(unsigned index, nw_link_quality_t quality, bool gone) {
    bool changed = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < radio_count; i++) {
        if (radios[i].index != index)
            continue;
        changed = radios[i].quality != quality;
        radios[i].quality = quality;
        if (gone)
            radios[i] = radios[--radio_count];
        break;
    }
    pthread_mutex_unlock(&lock);
    return changed;
}

static void ask_all(void) {
    struct radio copy[RADIOS_MAX];
    unsigned count = copy_radios(copy);
    bool changed = false;
    for (unsigned i = 0; i < count; i++) {
        int dbm;
        nw_link_quality_t quality = nw_link_quality_unknown;
        nwi_err err = nwi_nl80211_signal(&listener->wifi, copy[i].index, &dbm);
        if (err == 0)
            quality = nwi_quality_next(copy[i].quality, nwi_quality_percent(dbm));
        else
            nwi_log(NWI_LOG_DEBUG, "path", "radio", "no signal of interface %u: %s", copy[i].index,
                    nwi_err_text(err));
        changed |= store(copy[i].index, quality, err == nwi_posix(ENODEV));
    }
    void (*tell)(void) = atomic_load(&hook);
    if (changed && tell != NULL)
        tell();
}

static void on_ready(struct nwi_watch *watch, unsigned events) {
    struct listener *told = nwi_container_of(watch, struct listener, watch);
    (void)events;
    nwi_err err = nwi_nl80211_drain(told->fd);
    if (err != 0)
        nwi_log(NWI_LOG_DEBUG, "path", "radio", "cannot read events: %s", nwi_err_text(err));
    if (told == listener)
        ask_all();
}

static nwi_err listen_to_kernel(void) {
    struct listener *fresh = nwi_object_create(&listener_type, 0);
    if (fresh == NULL)
        return NWI_ERR_NOMEM;
    fresh->fd = -1;
    nwi_err err = nwi_nl80211_find(&fresh->wifi);
    if (err == 0)
        err = nwi_nl80211_subscribe(&fresh->wifi, &fresh->fd);
    if (err == 0)
        err = nwi_watch_start_reading(&fresh->watch, &own_context, nwi_loop_pick(), fresh->fd,
                                      fresh, on_ready);
    if (err != 0)
        nwi_release(fresh);
    else
        listener = fresh;
    return err;
}

static void stop_listening(void) {
    if (listener != NULL)
        nwi_watch_stop(&listener->watch);
    listener = nwi_release(listener);
}

/* Runs after the first question about an interface, and after the watch began or ended. */
static void look_run(struct nwi_task *task) {
    (void)task;
    pthread_mutex_lock(&lock);
    look_travels = false;
    bool wanted = watches > 0 && radio_count > 0;
    if (watches == 0)
        radio_count = 0;
    pthread_mutex_unlock(&lock);
    if (!wanted) {
        stop_listening();
        return;
    }
    nwi_err err = listener == NULL ? listen_to_kernel() : 0;
    if (err == 0)
        ask_all();
    else
        nwi_log(NWI_LOG_DEBUG, "path", "radio", "the kernel tells no signals: %s",
                nwi_err_text(err));
}

static void look(void) { /* under lock */
    if (look_travels)
        return;
    look_travels = true;
    nwi_serial_push(&own_context, &look_task);
}

/* --- the face --- */
static void init_own_context(void) {
    nwi_serial_init(&own_context, NULL, NULL);
    look_task.run = look_run;
}

void nwi_radio_watch_begin(void (*changed)(void)) {
    pthread_once(&own_context_once, init_own_context);
    atomic_store(&hook, changed);
    pthread_mutex_lock(&lock);
    if (watches++ == 0 && radio_count > 0)
        look();
    pthread_mutex_unlock(&lock);
}

void nwi_radio_watch_end(void) {
    pthread_mutex_lock(&lock);
    if (watches > 0 && --watches == 0)
        look();
    pthread_mutex_unlock(&lock);
}

nw_link_quality_t nwi_radio_of(unsigned index) {
    nw_link_quality_t quality = nw_link_quality_unknown;
    bool known = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < radio_count && !known; i++) {
        known = radios[i].index == index;
        if (known)
            quality = radios[i].quality;
    }
    if (!known && watches > 0 && radio_count < RADIOS_MAX) {
        radios[radio_count++] = (struct radio){.index = index};
        look();
    }
    pthread_mutex_unlock(&lock);
    return quality;
}
