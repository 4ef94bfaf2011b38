/*
 * txt_record.h - the TXT record of a Bonjour service (RFC 6763 section 6).
 */
#ifndef NETWORK_TXT_RECORD_H
#define NETWORK_TXT_RECORD_H

#include <Network/nw_object.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_txt_record);

NW_EXTERN_C_END

#endif
