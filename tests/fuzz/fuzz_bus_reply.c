/*
 * fuzz_bus_reply.c - answers and signals of NetworkManager and ModemManager, made from the input:
 * right ones, ones with other types, ones that end early. The decoder takes them all, its answers
 * stay in their range, and what it keeps is freed.
 */
#include "base/alloc.h"
#include "fake/bus_messages.h"
#include "fuzz.h"
#include "path/manager.h"

struct input {
    const uint8_t *data;
    size_t size;
};
static unsigned next(struct input *in) {
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

static const char *const paths[] = {"/", "/d/1", "/d/2", "/a/1", "/m/0"};
static const char *const words[] = {
    "org.freedesktop.NetworkManager.Device",
    "org.freedesktop.NetworkManager.Device.Wireless",
    "org.freedesktop.NetworkManager.AccessPoint",
    "org.freedesktop.ModemManager1.Modem",
    "Interface",
    "IpInterface",
    "DeviceType",
    "Metered",
    "ActiveAccessPoint",
    "Strength",
    "Ports",
    "SignalQuality",
    "wlan0",
    "wwan0",
    "",
    "a-word-that-is-much-longer-than-the-name-of-an-interface-may-be",
};
static const char *const types[] = {"s",  "u",     "o",    "y",     "a(su)", "(ub)",
                                    "as", "a{sv}", "v",    "ay",    "t",     "a{oa{sa{sv}}}",
                                    "d",  "(sv)",  "aaas", "a{ss}", "b",     "a{sa{sv}}"};
#define PICK(in, list) list[next(in) % (sizeof(list) / sizeof(list)[0])]

static void put(struct input *in, sd_bus_message *m, const char *type, int depth);

/* The length of the first complete type. */
static size_t one(const char *type) {
    size_t at = 0;
    while (type[at] == 'a')
        at++;
    if (type[at] != '(' && type[at] != '{')
        return at + 1;
    int open = 0;
    do
        open += type[at] == '(' || type[at] == '{'   ? 1
                : type[at] == ')' || type[at] == '}' ? -1
                                                     : 0;
    while (open > 0 && type[++at] != '\0');
    return at + 1;
}

static void put_all(struct input *in, sd_bus_message *m, const char *type, size_t length,
                    int depth) {
    char part[64];
    while (length > 0 && length < sizeof part) {
        size_t size = one(type);
        memcpy(part, type, size);
        part[size] = '\0';
        put(in, m, part, depth);
        type += size;
        length -= size;
    }
}

/* A struct or entry: what stands between the brackets. */
static void put_group(struct input *in, sd_bus_message *m, char kind, const char *type, int depth) {
    char inner[64];
    size_t length = strlen(type) - 2;
    memcpy(inner, type + 1, length);
    inner[length] = '\0';
    if (sd_bus_message_open_container(m, kind, inner) < 0)
        return;
    put_all(in, m, inner, length, depth + 1);
    (void)sd_bus_message_close_container(m);
}

static void put_container(struct input *in, sd_bus_message *m, const char *type, int depth) {
    if (*type == 'a') {
        if (sd_bus_message_open_container(m, 'a', type + 1) < 0)
            return;
        for (unsigned count = next(in) % 5; count > 0; count--)
            put(in, m, type + 1, depth + 1);
        (void)sd_bus_message_close_container(m);
    } else if (*type == 'v') {
        const char *content = depth < 8 ? PICK(in, types) : "u";
        if (sd_bus_message_open_container(m, 'v', content) < 0)
            return;
        put(in, m, content, depth + 1);
        (void)sd_bus_message_close_container(m);
    } else {
        put_group(in, m, *type == '(' ? 'r' : 'e', type, depth);
    }
}

static void put(struct input *in, sd_bus_message *m, const char *type, int depth) {
    uint64_t number = next(in);
    int truth = (int)(number & 1);
    switch (*type) {
    case 's':
        (void)sd_bus_message_append_basic(m, 's', PICK(in, words));
        break;
    case 'o':
        (void)sd_bus_message_append_basic(m, 'o', PICK(in, paths));
        break;
    case 'b':
        (void)sd_bus_message_append_basic(m, 'b', &truth);
        break;
    case 'u':
    case 'y':
    case 't':
    case 'd':
        (void)sd_bus_message_append_basic(m, *type, &number);
        break;
    default:
        put_container(in, m, type, depth);
    }
}

static sd_bus_message *start(struct input *in, sd_bus *bus, const char **ret_type) {
    static const struct {
        const char *interface, *member, *type;
    } signals[] = {
        {"org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as"},
        {"org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}"},
        {"org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas"},
    };
    sd_bus_message *m = NULL;
    unsigned kind = next(in) % 4;
    *ret_type = kind < 3 ? signals[kind].type : "a{oa{sa{sv}}}";
    int result = kind < 3 ? sd_bus_message_new_signal(bus, &m, PICK(in, paths),
                                                      signals[kind].interface, signals[kind].member)
                          : sd_bus_message_new(bus, &m, SD_BUS_MESSAGE_METHOD_RETURN);
    CHECK(result >= 0);
    if (next(in) % 8 == 0) /* not what the documentation says */
        *ret_type = PICK(in, types);
    return m;
}

static void check(const char *name) {
    struct nwi_manager_facts facts;
    nwi_manager_of(name, &facts);
    CHECK(facts.has_metered || !facts.metered);
    CHECK(facts.type == nw_interface_type_other || facts.type == nw_interface_type_wifi ||
          facts.type == nw_interface_type_cellular);
    CHECK(facts.quality <= nw_link_quality_good && facts.quality % 10 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static sd_bus *bus;
    struct input in = {data, size};
    if (bus == NULL)
        bus = bus_for_messages();
    nwi_alloc_count(true);
    long live = nwi_alloc_live();
    for (int i = 0; i < 16 && in.size > 0; i++) {
        const char *type;
        unsigned service = next(&in) % 2;
        sd_bus_message *m = start(&in, bus, &type);
        put_all(&in, m, type, strlen(type), 0);
        m = bus_sealed(m);
        if (m == NULL)
            continue;
        (void)nwi_manager_take(service, m);
        sd_bus_message_unref(m);
        check("wlan0");
        check("wwan0");
        check("");
    }
    (void)nwi_manager_forget(0);
    (void)nwi_manager_forget(1);
    CHECK(nwi_alloc_live() == live);
    return 0;
}
