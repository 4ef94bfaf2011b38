/*
 * trust_settings.c - see trust_settings.h and <Security/trust_settings.h>.
 * Runs:   unsynchronised, as the public calls say.
 */
#include "model/trust_settings.h"
#include "base/alloc.h"
#include "base/log.h"
#include "model/sec_options.h"
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <string.h>

static void list_clear(struct nwi_trust_list *list) {
    for (size_t i = 0; i < list->count; i++)
        nwi_release(list->items[i]);
    nwi_free(list->items);
}

static void settings_destroy(void *object) {
    struct nwi_trust_settings *settings = object;
    list_clear(&settings->anchors);
    list_clear(&settings->accepted);
    list_clear(&settings->pinned);
    nwi_free(settings->pins);
}

static const struct nwi_type settings_type = {
    .name = "trust_settings",
    .size = sizeof(struct nwi_trust_settings),
    .destroy = settings_destroy,
};

/* --- a copy of one's own --- */

static bool list_copy(const struct nwi_trust_list *from, struct nwi_trust_list *to) {
    if (from->count == 0)
        return true;
    to->items = nwi_alloc(from->count * sizeof to->items[0]);
    if (to->items == NULL)
        return false;
    for (; to->count < from->count; to->count++)
        to->items[to->count] = nwi_retain(from->items[to->count]);
    return true;
}

static bool copy_pins(const struct nwi_trust_settings *from, struct nwi_trust_settings *to) {
    if (from->pin_count == 0)
        return true;
    to->pins = nwi_alloc_raw(from->pin_count * sizeof to->pins[0]);
    if (to->pins == NULL)
        return false;
    memcpy(to->pins, from->pins, from->pin_count * sizeof to->pins[0]);
    to->pin_count = from->pin_count;
    return true;
}

/* Makes `*settings` one that nobody else sees. */
static bool make_own(struct nwi_trust_settings **settings) {
    struct nwi_trust_settings *old = *settings;
    if (old != NULL && atomic_load_explicit(&old->base.refs, memory_order_acquire) == 1)
        return true;
    struct nwi_trust_settings *fresh = nwi_object_create(&settings_type, 0);
    if (fresh == NULL)
        return false;
    if (old != NULL) {
        fresh->system = old->system;
        fresh->staple_required = old->staple_required;
        if (!list_copy(&old->anchors, &fresh->anchors) ||
            !list_copy(&old->accepted, &fresh->accepted) ||
            !list_copy(&old->pinned, &fresh->pinned) || !copy_pins(old, fresh)) {
            nwi_release(fresh);
            return false;
        }
    }
    *settings = fresh;
    nwi_release(old);
    return true;
}

static struct nwi_trust_list *list_of(struct nwi_trust_settings *settings,
                                      enum nwi_trust_kind kind) {
    switch (kind) {
    case NWI_TRUST_ACCEPTED:
        return &settings->accepted;
    case NWI_TRUST_PINNED:
        return &settings->pinned;
    case NWI_TRUST_ANCHOR:
    default:
        return &settings->anchors;
    }
}

static bool try_add(struct nwi_trust_settings **settings, enum nwi_trust_kind kind,
                    sec_certificate_t certificate) {
    if (!make_own(settings))
        return false;
    struct nwi_trust_list *list = list_of(*settings, kind);
    sec_certificate_t *grown = nwi_realloc(list->items, (list->count + 1) * sizeof grown[0]);
    if (grown == NULL)
        return false;
    list->items = grown;
    list->items[list->count++] = nwi_retain(certificate);
    return true;
}

static bool try_add_pin(struct nwi_trust_settings **settings, const uint8_t *sha256) {
    if (!make_own(settings))
        return false;
    struct nwi_trust_settings *own = *settings;
    void *grown = nwi_realloc(own->pins, (own->pin_count + 1) * sizeof own->pins[0]);
    if (grown == NULL)
        return false;
    own->pins = grown;
    memcpy(own->pins[own->pin_count++], sha256, sizeof own->pins[0]);
    return true;
}

void nwi_trust_settings_add(struct nwi_trust_settings **settings, enum nwi_trust_kind kind,
                            sec_certificate_t certificate) {
    while (!try_add(settings, kind, certificate)) {
        if (kind != NWI_TRUST_PINNED) {
            nwi_log(NWI_LOG_ERROR, "trust", "certificate", "out of memory: it is not %s",
                    kind == NWI_TRUST_ACCEPTED ? "accepted" : "trusted");
            return;
        }
        nwi_alloc_wait("a pinned certificate");
    }
}

void nwi_trust_settings_add_pin(struct nwi_trust_settings **settings, const uint8_t *sha256) {
    while (!try_add_pin(settings, sha256))
        nwi_alloc_wait("a pin");
}

/* make_own, however long it takes. */
static struct nwi_trust_settings *own_settings(struct nwi_trust_settings **settings) {
    while (!make_own(settings))
        nwi_alloc_wait("a setting of trust");
    return *settings;
}

void nwi_trust_settings_set_system(struct nwi_trust_settings **settings, bool enabled) {
    own_settings(settings)->system = enabled ? NWI_TRUST_SYSTEM_ON : NWI_TRUST_SYSTEM_OFF;
}

void nwi_trust_settings_require_staple(struct nwi_trust_settings **settings, bool required) {
    own_settings(settings)->staple_required = required;
}

/* --- comparison --- */

static bool same_list(const struct nwi_trust_list *a, const struct nwi_trust_list *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!sec_certificate_are_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

bool nwi_trust_settings_equal(const struct nwi_trust_settings *a,
                              const struct nwi_trust_settings *b) {
    static const struct nwi_trust_settings nothing = {0};
    if (a == b)
        return true;
    a = a != NULL ? a : &nothing;
    b = b != NULL ? b : &nothing;
    return a->system == b->system && a->staple_required == b->staple_required &&
           a->pin_count == b->pin_count &&
           (a->pin_count == 0 || memcmp(a->pins, b->pins, a->pin_count * sizeof a->pins[0]) == 0) &&
           same_list(&a->anchors, &b->anchors) && same_list(&a->accepted, &b->accepted) &&
           same_list(&a->pinned, &b->pinned);
}

/* --- the public calls --- */

static bool checked(sec_protocol_options_t options, bool with_value, const char *function) {
    if (options == NULL || !with_value)
        nwi_log_misuse(function, options == NULL ? "options are NULL" : "an argument is NULL");
    return options != NULL && with_value;
}

SEC_EXPORT void sec_protocol_options_add_trust_anchor(sec_protocol_options_t options,
                                                      sec_certificate_t certificate) {
    if (checked(options, certificate != NULL, __func__))
        nwi_trust_settings_add(&options->trust, NWI_TRUST_ANCHOR, certificate);
}

SEC_EXPORT void sec_protocol_options_add_accepted_certificate(sec_protocol_options_t options,
                                                              sec_certificate_t certificate) {
    if (checked(options, certificate != NULL, __func__))
        nwi_trust_settings_add(&options->trust, NWI_TRUST_ACCEPTED, certificate);
}

SEC_EXPORT void sec_protocol_options_add_pin(sec_protocol_options_t options,
                                             const uint8_t *sha256) {
    if (checked(options, sha256 != NULL, __func__))
        nwi_trust_settings_add_pin(&options->trust, sha256);
}

SEC_EXPORT void sec_protocol_options_add_pinned_certificate(sec_protocol_options_t options,
                                                            sec_certificate_t certificate) {
    if (checked(options, certificate != NULL, __func__))
        nwi_trust_settings_add(&options->trust, NWI_TRUST_PINNED, certificate);
}

SEC_EXPORT void sec_protocol_options_set_system_anchors_enabled(sec_protocol_options_t options,
                                                                bool enabled) {
    if (checked(options, true, __func__))
        nwi_trust_settings_set_system(&options->trust, enabled);
}

SEC_EXPORT void sec_protocol_options_set_stapled_status_required(sec_protocol_options_t options,
                                                                 bool required) {
    if (checked(options, true, __func__))
        nwi_trust_settings_require_staple(&options->trust, required);
}

SEC_EXPORT void sec_protocol_options_set_local_stapled_status(sec_protocol_options_t options,
                                                              dispatch_data_t response) {
    if (!checked(options, true, __func__))
        return;
    dispatch_data_t old = options->local_status;
    options->local_status = nwi_retain(response);
    nwi_release(old);
}
