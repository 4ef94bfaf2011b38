/*
 * interface.h - one network interface of this machine, as a path or a listener shows it.
 * An interface object is a snapshot: it never changes and may be used from any thread.
 */
#ifndef NETWORK_INTERFACE_H
#define NETWORK_INTERFACE_H

#include <Network/nw_object.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_interface);

/** The kind of link. VPN, tunnel and bridge interfaces are `other`. */
typedef enum {
    nw_interface_type_other = 0,
    nw_interface_type_wifi = 1,
    nw_interface_type_cellular = 2,
    nw_interface_type_wired = 3,
    nw_interface_type_loopback = 4,
} nw_interface_type_t;

/** The radio technology of a Wi-Fi or cellular interface. */
typedef enum {
    nw_interface_radio_type_unknown = 0,
    nw_interface_radio_type_wifi_b = 1,
    nw_interface_radio_type_wifi_a = 2,
    nw_interface_radio_type_wifi_g = 3,
    nw_interface_radio_type_wifi_n = 4,
    nw_interface_radio_type_wifi_ac = 5,
    nw_interface_radio_type_wifi_ax = 6,
    nw_interface_radio_type_cell_lte = 0x80,
    nw_interface_radio_type_cell_endc_sub6 = 0x81,
    nw_interface_radio_type_cell_endc_mmw = 0x82,
    nw_interface_radio_type_cell_nr_sa_sub6 = 0x83,
    nw_interface_radio_type_cell_nr_sa_mmw = 0x84,
    nw_interface_radio_type_cell_wcdma = 0x85,
    nw_interface_radio_type_cell_gsm = 0x86,
    nw_interface_radio_type_cell_cdma = 0x87,
    nw_interface_radio_type_cell_evdo = 0x88,
} nw_interface_radio_type_t;

/** The interface's type; nw_interface_type_other for NULL. */
NW_EXPORT nw_interface_type_t nw_interface_get_type(nw_interface_t interface);

/** The interface's name ("eth0"); NULL for NULL. Lent: lives as long as the interface object. */
NW_EXPORT const char *nw_interface_get_name(nw_interface_t interface);

/** The kernel's number of the interface, as if_nametoindex() gives it; 0 for NULL. */
NW_EXPORT uint32_t nw_interface_get_index(nw_interface_t interface);

NW_EXTERN_C_END

#endif
