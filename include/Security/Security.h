/* Security.h - the TLS part of the Security framework, as the Network framework uses it. */
#ifndef SECURITY_SECURITY_H
#define SECURITY_SECURITY_H

#include <Security/CipherSuite.h>
#include <Security/SecProtocolMetadata.h>
#include <Security/SecProtocolObject.h>
#include <Security/SecProtocolOptions.h>
#include <Security/SecProtocolTypes.h>
#include <Security/SecureTransport.h>

#endif
