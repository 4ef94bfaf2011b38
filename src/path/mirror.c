/*
 * mirror.c - see mirror.h.
 * What:   one table says which property of which interface is of which type and where it goes;
 *         whatever else a message holds is stepped over.
 * Source: D-Bus Specification; NetworkManager's NMMetered and NMDeviceType; ModemManager's
 *         MMModemPortType.
 * Runs:   one call at a time.
 * Owns:   the objects.
 */
#include "path/mirror.h"
#include "base/alloc.h"
#include "path/quality.h"
#include <net/if.h>
#include <stdint.h>
#include <string.h>

enum { OBJECTS_MAX = 4096, PORTS_MAX = 4, PATH_SIZE = 128 };

/* NetworkManager */
enum { METERED_YES = 1, METERED_NO = 2, METERED_GUESS_YES = 3, METERED_GUESS_NO = 4 };
enum { DEVICE_WIFI = 2, DEVICE_MODEM = 8 };
/* ModemManager */
enum { PORT_NET = 2 };

struct nwi_mirror_object {
    LIST_ENTRY(nwi_mirror_object) entry;
    /* A device: */
    char name[IF_NAMESIZE], ip_name[IF_NAMESIZE]; /* a modem's packets go by the latter */
    uint32_t metered, device_type;
    char access_point[PATH_SIZE]; /* its object; too long a path counts as none */
    /* A modem: */
    char ports[PORTS_MAX][IF_NAMESIZE];
    /* An access point or a modem: */
    nw_link_quality_t quality;
    char path[];
};

static struct nwi_mirror_object *find(const struct nwi_mirror *mirror, const char *path) {
    struct nwi_mirror_object *object;
    LIST_FOREACH (object, &mirror->objects, entry) {
        if (strcmp(object->path, path) == 0)
            return object;
    }
    return NULL;
}

static void drop(struct nwi_mirror *mirror, struct nwi_mirror_object *object) {
    LIST_REMOVE(object, entry);
    nwi_free(object);
    mirror->count--;
}

/* NULL: no memory, or one too many. */
static struct nwi_mirror_object *find_or_add(struct nwi_mirror *mirror, const char *path) {
    struct nwi_mirror_object *object = find(mirror, path);
    if (object != NULL || mirror->count == OBJECTS_MAX)
        return object;
    size_t size = strlen(path) + 1;
    object = nwi_alloc(sizeof *object + size);
    if (object == NULL)
        return NULL;
    memcpy(object->path, path, size);
    LIST_INSERT_HEAD(&mirror->objects, object, entry);
    mirror->count++;
    return object;
}

/* --- properties: each reads the content of a variant, whose type has been checked --- */
static bool set_text(char *to, size_t size, const char *text) {
    char fresh[PATH_SIZE] = "";
    if (strlen(text) < size)
        memcpy(fresh, text, strlen(text));
    if (strcmp(to, fresh) == 0)
        return false;
    memcpy(to, fresh, size);
    return true;
}
static bool set_number(uint32_t *to, uint32_t number) {
    bool changed = *to != number;
    *to = number;
    return changed;
}
static bool set_quality(struct nwi_mirror_object *object, uint32_t percent) {
    nw_link_quality_t before = object->quality;
    object->quality = nwi_quality_next(before, percent);
    return object->quality != before;
}

static bool take_interface(struct nwi_mirror_object *object, sd_bus_message *m) {
    const char *text;
    return sd_bus_message_read(m, "s", &text) > 0 &&
           set_text(object->name, sizeof object->name, text);
}
static bool take_ip_interface(struct nwi_mirror_object *object, sd_bus_message *m) {
    const char *text;
    return sd_bus_message_read(m, "s", &text) > 0 &&
           set_text(object->ip_name, sizeof object->ip_name, text);
}
static bool take_device_type(struct nwi_mirror_object *object, sd_bus_message *m) {
    uint32_t number;
    return sd_bus_message_read(m, "u", &number) > 0 && set_number(&object->device_type, number);
}
static bool take_metered(struct nwi_mirror_object *object, sd_bus_message *m) {
    uint32_t number;
    return sd_bus_message_read(m, "u", &number) > 0 && set_number(&object->metered, number);
}
static bool take_access_point(struct nwi_mirror_object *object, sd_bus_message *m) {
    const char *path;
    return sd_bus_message_read(m, "o", &path) > 0 &&
           set_text(object->access_point, sizeof object->access_point, path);
}
static bool take_strength(struct nwi_mirror_object *object, sd_bus_message *m) {
    uint8_t percent;
    return sd_bus_message_read(m, "y", &percent) > 0 && set_quality(object, percent);
}
static bool take_signal_quality(struct nwi_mirror_object *object, sd_bus_message *m) {
    uint32_t percent;
    int recent;
    return sd_bus_message_read(m, "(ub)", &percent, &recent) > 0 && set_quality(object, percent);
}
static bool take_ports(struct nwi_mirror_object *object, sd_bus_message *m) {
    char ports[PORTS_MAX][IF_NAMESIZE] = {{0}};
    const char *name;
    uint32_t type;
    if (sd_bus_message_enter_container(m, 'a', "(su)") <= 0)
        return false;
    for (int count = 0; sd_bus_message_read(m, "(su)", &name, &type) > 0;) {
        if (type == PORT_NET && count < PORTS_MAX)
            set_text(ports[count++], IF_NAMESIZE, name);
    }
    sd_bus_message_exit_container(m);
    if (memcmp(object->ports, ports, sizeof ports) == 0)
        return false;
    memcpy(object->ports, ports, sizeof ports);
    return true;
}

#define DEVICE "org.freedesktop.NetworkManager.Device"
#define MODEM "org.freedesktop.ModemManager1.Modem"
static const struct property {
    const char *interface, *name, *type;
    bool (*take)(struct nwi_mirror_object *object, sd_bus_message *m); /* true: changed */
} properties[] = {
    {DEVICE, "Interface", "s", take_interface},
    {DEVICE, "IpInterface", "s", take_ip_interface},
    {DEVICE, "DeviceType", "u", take_device_type},
    {DEVICE, "Metered", "u", take_metered},
    {DEVICE ".Wireless", "ActiveAccessPoint", "o", take_access_point},
    {"org.freedesktop.NetworkManager.AccessPoint", "Strength", "y", take_strength},
    {MODEM, "Ports", "a(su)", take_ports},
    {MODEM, "SignalQuality", "(ub)", take_signal_quality},
};
enum { PROPERTY_COUNT = sizeof properties / sizeof properties[0] };

static bool is_wanted(const char *interface) {
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        if (strcmp(properties[i].interface, interface) == 0)
            return true;
    }
    return false;
}

static const struct property *find_property(const char *interface, const char *name) {
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        if (strcmp(properties[i].interface, interface) == 0 &&
            strcmp(properties[i].name, name) == 0)
            return &properties[i];
    }
    return NULL;
}

/* --- containers --- */
/* One variant. A negative number: the message cannot be read on. */
static int take_variant(const struct property *property, struct nwi_mirror_object *object,
                        sd_bus_message *m, bool *changed) {
    const char *type;
    char kind;
    int result = sd_bus_message_peek_type(m, &kind, &type);
    if (result <= 0 || kind != 'v')
        return -1;
    if (property == NULL || strcmp(property->type, type) != 0)
        return sd_bus_message_skip(m, "v");
    result = sd_bus_message_enter_container(m, 'v', type);
    if (result < 0)
        return result;
    *changed |= property->take(object, m);
    return sd_bus_message_exit_container(m);
}

/* a{sv}: properties of one interface of one object. */
static int take_properties(const char *interface, struct nwi_mirror_object *object,
                           sd_bus_message *m, bool *changed) {
    int result = sd_bus_message_enter_container(m, 'a', "{sv}");
    while (result >= 0 && (result = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        const char *name;
        result = sd_bus_message_read(m, "s", &name);
        if (result > 0)
            result = take_variant(find_property(interface, name), object, m, changed);
        if (result >= 0)
            result = sd_bus_message_exit_container(m);
    }
    return result < 0 ? result : sd_bus_message_exit_container(m);
}

/* a{sa{sv}}: interfaces of one object. */
static int take_interfaces(struct nwi_mirror *mirror, const char *path, sd_bus_message *m,
                           bool *changed) {
    int result = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
    while (result >= 0 && (result = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
        const char *interface;
        result = sd_bus_message_read(m, "s", &interface);
        struct nwi_mirror_object *object =
            result > 0 && is_wanted(interface) ? find_or_add(mirror, path) : NULL;
        if (object != NULL)
            result = take_properties(interface, object, m, changed);
        else if (result > 0)
            result = sd_bus_message_skip(m, "a{sv}");
        if (result >= 0)
            result = sd_bus_message_exit_container(m);
    }
    return result < 0 ? result : sd_bus_message_exit_container(m);
}

/* --- messages --- */
/* What the answer does not name is gone. */
static bool take_all(struct nwi_mirror *mirror, sd_bus_message *m) {
    bool changed = nwi_mirror_clear(mirror);
    int result = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
    while (result >= 0 && (result = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
        const char *path;
        result = sd_bus_message_read(m, "o", &path);
        if (result > 0)
            result = take_interfaces(mirror, path, m, &changed);
        if (result >= 0)
            result = sd_bus_message_exit_container(m);
    }
    return changed;
}

static bool take_added(struct nwi_mirror *mirror, sd_bus_message *m) {
    bool changed = false;
    const char *path;
    if (sd_bus_message_read(m, "o", &path) > 0)
        (void)take_interfaces(mirror, path, m, &changed);
    return changed;
}

/* An object without the interface that made it known is as good as gone. */
static bool take_removed(struct nwi_mirror *mirror, sd_bus_message *m) {
    const char *path, *interface;
    if (sd_bus_message_read(m, "o", &path) <= 0)
        return false;
    struct nwi_mirror_object *object = find(mirror, path);
    if (object == NULL || sd_bus_message_enter_container(m, 'a', "s") <= 0)
        return false;
    while (sd_bus_message_read(m, "s", &interface) > 0) {
        if (is_wanted(interface)) {
            drop(mirror, object);
            return true;
        }
    }
    return false;
}

/* Of an object that is not known yet the answer to GetManagedObjects is on its way, or the signal
 * that it was added. */
static bool take_changed(struct nwi_mirror *mirror, sd_bus_message *m) {
    const char *path = sd_bus_message_get_path(m), *interface;
    struct nwi_mirror_object *object = path != NULL ? find(mirror, path) : NULL;
    bool changed = false;
    if (object != NULL && sd_bus_message_read(m, "s", &interface) > 0 && is_wanted(interface))
        (void)take_properties(interface, object, m, &changed);
    return changed;
}

bool nwi_mirror_take(struct nwi_mirror *mirror, sd_bus_message *message) {
    static const char manager[] = "org.freedesktop.DBus.ObjectManager";
    uint8_t type = 0;
    if (sd_bus_message_get_type(message, &type) < 0)
        return false;
    if (type == SD_BUS_MESSAGE_METHOD_RETURN)
        return take_all(mirror, message);
    if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Properties", "PropertiesChanged") >
        0)
        return take_changed(mirror, message);
    if (sd_bus_message_is_signal(message, manager, "InterfacesAdded") > 0)
        return take_added(mirror, message);
    if (sd_bus_message_is_signal(message, manager, "InterfacesRemoved") > 0)
        return take_removed(mirror, message);
    return false;
}

bool nwi_mirror_clear(struct nwi_mirror *mirror) {
    bool had = !LIST_EMPTY(&mirror->objects);
    while (!LIST_EMPTY(&mirror->objects))
        drop(mirror, LIST_FIRST(&mirror->objects));
    return had;
}

/* --- questions --- */
static void add_device(const struct nwi_mirror *mirror, const struct nwi_mirror_object *device,
                       struct nwi_manager_facts *facts) {
    if (device->metered >= METERED_YES && device->metered <= METERED_GUESS_NO) {
        facts->has_metered = true;
        facts->metered = device->metered == METERED_YES || device->metered == METERED_GUESS_YES;
    }
    if (device->device_type == DEVICE_WIFI)
        facts->type = nw_interface_type_wifi;
    else if (device->device_type == DEVICE_MODEM)
        facts->type = nw_interface_type_cellular;
    const struct nwi_mirror_object *point =
        device->access_point[0] != '\0' ? find(mirror, device->access_point) : NULL;
    if (point != NULL && facts->quality == nw_link_quality_unknown)
        facts->quality = point->quality;
}

static void add_modem(const struct nwi_mirror_object *modem, struct nwi_manager_facts *facts) {
    facts->type = nw_interface_type_cellular;
    if (modem->quality != nw_link_quality_unknown)
        facts->quality = modem->quality;
}

void nwi_mirror_ask(const struct nwi_mirror *mirror, const char *interface,
                    struct nwi_manager_facts *facts) {
    const struct nwi_mirror_object *object;
    if (*interface == '\0')
        return;
    LIST_FOREACH (object, &mirror->objects, entry) {
        if (strcmp(object->name, interface) == 0 || strcmp(object->ip_name, interface) == 0)
            add_device(mirror, object, facts);
        for (int i = 0; i < PORTS_MAX; i++) {
            if (strcmp(object->ports[i], interface) == 0)
                add_modem(object, facts);
        }
    }
}
