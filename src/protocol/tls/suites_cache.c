/*
 * suites_cache.c - parsed priorities, shared by all connections with the same string.
 * What:   some 9 KiB each in GnuTLS, so that connections of one kind should have one. The last few
 *         strings asked for stay in memory.
 * Runs:   any thread, under one lock; parsing is done without it.
 * Owns:   one reference to each entry.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/suites.h"
#include <Security/SecureTransport.h>
#include <pthread.h>
#include <string.h>

enum { ENTRIES = 8 };

struct entry {
    char *string;
    struct nwi_tls_priority *priority;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry entries[ENTRIES]; /* latest use first; under lock */

static void priority_destroy(void *object) {
    struct nwi_tls_priority *priority = object;
    gnutls_priority_deinit(priority->value);
}

static const struct nwi_type priority_type = {
    .name = "tls_priority",
    .size = sizeof(struct nwi_tls_priority),
    .destroy = priority_destroy,
};

static void move_to_front(size_t i) {
    struct entry found = entries[i];
    memmove(&entries[1], &entries[0], i * sizeof entries[0]);
    entries[0] = found;
}

static struct nwi_tls_priority *find(const char *string) {
    struct nwi_tls_priority *found = NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < ENTRIES && entries[i].string != NULL; i++)
        if (strcmp(entries[i].string, string) == 0) {
            move_to_front(i);
            found = nwi_retain(entries[0].priority);
            break;
        }
    pthread_mutex_unlock(&lock);
    return found;
}

/* Two threads may have parsed one string at a time: the entry that is there stays. A cache that
 * cannot hold it is no failure. */
static void keep(const char *string, struct nwi_tls_priority *priority) {
    struct entry old = {.string = nwi_strdup(string), .priority = nwi_retain(priority)};
    pthread_mutex_lock(&lock);
    bool known = old.string == NULL;
    for (size_t i = 0; i < ENTRIES && entries[i].string != NULL; i++)
        known |= old.string != NULL && strcmp(entries[i].string, string) == 0;
    if (!known) {
        struct entry fresh = old;
        old = entries[ENTRIES - 1];
        entries[ENTRIES - 1] = fresh;
        move_to_front(ENTRIES - 1);
    }
    pthread_mutex_unlock(&lock);
    nwi_free(old.string);
    nwi_release(old.priority);
}

struct nwi_tls_priority *nwi_tls_priority_get(const char *string, nwi_err *ret_err) {
    struct nwi_tls_priority *priority = find(string);
    const char *wrong = string;
    *ret_err = 0;
    if (priority != NULL)
        return priority;
    priority = nwi_object_create(&priority_type, 0);
    if (priority == NULL) {
        *ret_err = NWI_ERR_NOMEM;
        return NULL;
    }
    int code = gnutls_priority_init2(&priority->value, string, &wrong, 0);
    if (code < 0) {
        nwi_log(NWI_LOG_ERROR, "tls", "suites", "GnuTLS does not take \"%s\" at \"%s\": %s", string,
                wrong, gnutls_strerror(code));
        priority->value = NULL;
        *ret_err = code == GNUTLS_E_MEMORY_ERROR ? NWI_ERR_NOMEM : nwi_tls(errSSLBadConfiguration);
        return nwi_release(priority);
    }
    keep(string, priority);
    return priority;
}
