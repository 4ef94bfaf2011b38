/*
 * test_manager.c - src/path/mirror.c by way of manager.h: what the messages of NetworkManager and
 * ModemManager say of an interface, and messages that are not as documented.
 */
#include "fake/bus_messages.h"
#include "path/manager.h"
#include "path/quality.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NM, MM };
#define DEVICE "org.freedesktop.NetworkManager.Device"
#define WIRELESS "org.freedesktop.NetworkManager.Device.Wireless"
#define POINT "org.freedesktop.NetworkManager.AccessPoint"
#define MODEM "org.freedesktop.ModemManager1.Modem"
#define DEVICE_PATH "/org/freedesktop/NetworkManager/Devices/1"
#define POINT_PATH "/org/freedesktop/NetworkManager/AccessPoint/7"

static sd_bus *bus;

static int set_up(void **state) {
    (void)state;
    bus = bus_for_messages();
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    nwi_manager_forget(NM);
    nwi_manager_forget(MM);
    bus = sd_bus_close_unref(bus);
    return 0;
}

static sd_bus_message *answer(void) {
    sd_bus_message *m = NULL;
    assert_true(sd_bus_message_new(bus, &m, SD_BUS_MESSAGE_METHOD_RETURN) >= 0);
    return m;
}
static sd_bus_message *signal_of(const char *path, const char *interface, const char *member) {
    sd_bus_message *m = NULL;
    assert_true(sd_bus_message_new_signal(bus, &m, path, interface, member) >= 0);
    return m;
}
static bool take(unsigned service, sd_bus_message *m) {
    m = bus_sealed(m);
    assert_non_null(m);
    bool changed = nwi_manager_take(service, m);
    sd_bus_message_unref(m);
    return changed;
}
#define APPEND(m, ...) assert_true(sd_bus_message_append(m, __VA_ARGS__) >= 0)

static struct nwi_manager_facts ask(const char *name) {
    struct nwi_manager_facts facts;
    nwi_manager_of(name, &facts);
    return facts;
}

/* One Wi-Fi device and its access point, as GetManagedObjects tells; with other things in it. */
static void tell_wifi(uint32_t metered, uint8_t strength) {
    sd_bus_message *m = answer();
    APPEND(m, "a{oa{sa{sv}}}", 3, "/org/freedesktop/NetworkManager", 1,
           "org.freedesktop.NetworkManager", 1, "Version", "s", "1.42.4", DEVICE_PATH, 2, DEVICE, 5,
           "Interface", "s", "wlan0", "Metered", "u", metered, "DeviceType", "u", 2, "Mtu", "u",
           1500, "Ports", "ao", 1, "/x", WIRELESS, 2, "ActiveAccessPoint", "o", POINT_PATH,
           "AccessPoints", "ao", 1, POINT_PATH, POINT_PATH, 1, POINT, 2, "Ssid", "ay", 2, 104, 105,
           "Strength", "y", strength);
    assert_true(take(NM, m));
}

static void wifi(void **state) {
    (void)state;
    static const struct {
        uint32_t metered;
        bool known, expensive;
    } cases[] = {{0, false, false}, {1, true, true},  {2, true, false},
                 {3, true, true},   {4, true, false}, {99, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tell_wifi(cases[i].metered, 70);
        struct nwi_manager_facts facts = ask("wlan0");
        assert_int_equal(facts.has_metered, cases[i].known);
        assert_int_equal(facts.metered, cases[i].expensive);
        assert_int_equal(facts.type, nw_interface_type_wifi);
        assert_int_equal(facts.quality, nw_link_quality_good);
    }
    struct nwi_manager_facts other = ask("wlan1"), none = ask("");
    assert_false(other.has_metered || none.has_metered);
    assert_int_equal(other.quality, nw_link_quality_unknown);
}

static void signals(void **state) {
    (void)state;
    static const char properties[] = "org.freedesktop.DBus.Properties",
                      manager[] = "org.freedesktop.DBus.ObjectManager";
    tell_wifi(2, 70);
    sd_bus_message *m = signal_of(DEVICE_PATH, properties, "PropertiesChanged");
    APPEND(m, "sa{sv}as", DEVICE, 1, "Metered", "u", 1, 0);
    assert_true(take(NM, m));
    assert_true(ask("wlan0").metered);
    m = signal_of(DEVICE_PATH, properties, "PropertiesChanged"); /* the same again */
    APPEND(m, "sa{sv}as", DEVICE, 2, "Metered", "u", 1, "State", "u", 100, 0);
    assert_false(take(NM, m));
    m = signal_of("/elsewhere", properties, "PropertiesChanged");
    APPEND(m, "sa{sv}as", DEVICE, 1, "Metered", "u", 2, 0);
    assert_false(take(NM, m));
    m = signal_of(POINT_PATH, properties, "PropertiesChanged");
    APPEND(m, "sa{sv}as", POINT, 1, "Strength", "y", 20, 0);
    assert_true(take(NM, m));
    assert_int_equal(ask("wlan0").quality, nw_link_quality_minimal);
    m = signal_of("/org/freedesktop", manager, "InterfacesAdded");
    APPEND(m, "oa{sa{sv}}", "/d/2", 1, DEVICE, 2, "Interface", "s", "eth0", "Metered", "u", 3);
    assert_true(take(NM, m));
    assert_true(ask("eth0").metered);
    assert_true(ask("wlan0").metered);
    m = signal_of("/org/freedesktop", manager, "InterfacesRemoved");
    APPEND(m, "oas", DEVICE_PATH, 2, "org.example", DEVICE);
    assert_true(take(NM, m));
    assert_false(ask("wlan0").has_metered);
    m = signal_of("/org/freedesktop", manager, "InterfacesRemoved");
    APPEND(m, "oas", DEVICE_PATH, 1, DEVICE);
    assert_false(take(NM, m));
    assert_true(nwi_manager_forget(NM));
    assert_false(nwi_manager_forget(NM));
    assert_false(ask("eth0").has_metered);
}

/* A modem is known to one by its control port, to the other by its net ports. */
static void modem(void **state) {
    (void)state;
    sd_bus_message *m = answer();
    APPEND(m, "a{oa{sa{sv}}}", 1, "/d/3", 1, DEVICE, 4, "Interface", "s", "cdc-wdm0", "IpInterface",
           "s", "wwan0", "Metered", "u", 3, "DeviceType", "u", 8);
    assert_true(take(NM, m));
    assert_int_equal(ask("wwan0").type, nw_interface_type_cellular);
    assert_true(ask("wwan0").metered);
    assert_int_equal(ask("wwan0").quality, nw_link_quality_unknown);
    m = answer();
    APPEND(m, "a{oa{sa{sv}}}", 1, "/org/freedesktop/ModemManager1/Modem/0", 1, MODEM, 2, "Ports",
           "a(su)", 3, "cdc-wdm0", 6, "wwan0", 2, "usb7", 2, "SignalQuality", "(ub)", 45, 1);
    assert_true(take(MM, m));
    assert_int_equal(ask("wwan0").quality, nw_link_quality_moderate);
    assert_int_equal(ask("usb7").type, nw_interface_type_cellular);
    assert_int_equal(ask("usb7").quality, nw_link_quality_moderate);
    assert_false(ask("usb7").has_metered);
}

/* Wrong types are left out, one by one; what can be read is. */
static void garbage(void **state) {
    (void)state;
    sd_bus_message *m = answer();
    APPEND(m, "a{oa{sa{sv}}}", 1, "/d/1", 2, DEVICE, 5, "Metered", "s", "yes", "Interface", "s",
           "eth0", "DeviceType", "t", (uint64_t)2, "Interface", "ay", 1, 9, "IpInterface", "s",
           "a-name-that-is-longer-than-a-name-of-an-interface-can-be", WIRELESS, 1,
           "ActiveAccessPoint", "s", POINT_PATH);
    assert_true(take(NM, m));
    assert_false(ask("eth0").has_metered);
    assert_int_equal(ask("eth0").type, nw_interface_type_other);
    assert_false(ask("a-name-that-is-").has_metered);
    m = answer(); /* another answer than asked for */
    APPEND(m, "as", 1, "eth0");
    assert_true(take(NM, m)); /* what was known before is gone */
    assert_false(take(NM, answer()));
    m = signal_of("/d/1", "org.freedesktop.DBus.Properties", "PropertiesChanged");
    assert_false(take(NM, m));
    m = signal_of("/d", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
    APPEND(m, "u", 3);
    assert_false(take(NM, m));
    m = signal_of("/d", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
    APPEND(m, "s", "/d/1");
    assert_false(take(NM, m));
    m = signal_of("/d", "org.example.Other", "Something");
    assert_false(take(NM, m));
}

/* 5,000 objects: 4,096 are kept, and the rest is no harm. */
static void huge(void **state) {
    (void)state;
    sd_bus_message *m = answer();
    assert_true(sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}") >= 0);
    for (int i = 0; i < 5000; i++) {
        char path[32], name[16];
        snprintf(path, sizeof path, "/d/%d", i);
        snprintf(name, sizeof name, "v%d", i);
        APPEND(m, "{oa{sa{sv}}}", path, 1, DEVICE, 2, "Interface", "s", name, "Metered", "u", 1);
    }
    assert_true(sd_bus_message_close_container(m) >= 0);
    assert_true(take(NM, m));
    assert_true(ask("v0").metered);
    assert_true(ask("v4095").metered);
    assert_false(ask("v4096").metered);
    assert_false(ask("v4999").metered);
}

/* Better only 5 above a threshold, worse at once. */
static void thresholds(void **state) {
    (void)state;
    static const struct {
        nw_link_quality_t before;
        unsigned percent;
        nw_link_quality_t after;
    } cases[] = {
        {nw_link_quality_unknown, 0, nw_link_quality_minimal},
        {nw_link_quality_unknown, 34, nw_link_quality_minimal},
        {nw_link_quality_unknown, 35, nw_link_quality_moderate},
        {nw_link_quality_unknown, 60, nw_link_quality_good},
        {nw_link_quality_minimal, 39, nw_link_quality_minimal},
        {nw_link_quality_minimal, 40, nw_link_quality_moderate},
        {nw_link_quality_minimal, 62, nw_link_quality_moderate},
        {nw_link_quality_moderate, 64, nw_link_quality_moderate},
        {nw_link_quality_moderate, 65, nw_link_quality_good},
        {nw_link_quality_good, 60, nw_link_quality_good},
        {nw_link_quality_good, 59, nw_link_quality_moderate},
        {nw_link_quality_good, 3, nw_link_quality_minimal},
        {nw_link_quality_minimal, 3, nw_link_quality_minimal},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(nwi_quality_next(cases[i].before, cases[i].percent), cases[i].after);
    assert_int_equal(nwi_quality_percent(-120), 0);
    assert_int_equal(nwi_quality_percent(-100), 0);
    assert_int_equal(nwi_quality_percent(-64), 60);
    assert_int_equal(nwi_quality_percent(-79), 35);
    assert_int_equal(nwi_quality_percent(-40), 100);
    assert_int_equal(nwi_quality_percent(0), 100);
}

/* Where there is a bus nothing is known before it was asked; where there is none, all is known. */
static void settled(void **state) {
    (void)state;
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/dev/null", 1);
    assert_false(nwi_manager_settled());
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
    assert_true(nwi_manager_settled());
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(wifi), T(signals), T(modem), T(garbage), T(huge), T(thresholds), T(settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
