/* test_errors.c - every code of GnuTLS and every alert has an error that says what happened. */
#include "protocol/tls/errors.h"
#include <Security/SecureTransport.h>
#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { LOWEST = -1300 }; /* below it are codes of applications */

static int code_of(int gnutls_code, int alert) {
    return nwi_err_code(nwi_tls_error(gnutls_code, alert));
}

static void no_code_becomes_nonsense(void **state) {
    (void)state;
    unsigned known = 0;
    for (int code = -1; code >= LOWEST; code--) {
        nwi_err err = nwi_tls_error(code, -1);
        if (code == GNUTLS_E_MEMORY_ERROR) {
            assert_int_equal(err, NWI_ERR_NOMEM);
            continue;
        }
        assert_int_equal(nwi_err_domain(err), NWI_DOMAIN_TLS);
        assert_non_null(nwi_err_name(err));
        /* "try again" for what may be tried again, and for nothing that ends a session */
        if (nwi_err_code(err) == errSSLWouldBlock)
            assert_true(code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED ||
                        code == GNUTLS_E_INT_CHECK_AGAIN);
        known += gnutls_strerror_name(code) != NULL;
        /* "the peer sent an alert" only when it did */
        if (code != GNUTLS_E_FATAL_ALERT_RECEIVED && code != GNUTLS_E_WARNING_ALERT_RECEIVED) {
            assert_int_not_equal(nwi_err_code(err), errSSLFatalAlert);
            assert_int_not_equal(nwi_err_code(err), errSSLPeerHandshakeFail);
            assert_int_not_equal(nwi_err_code(err), errSSLClosedGraceful);
        }
    }
    assert_true(known > 150);
    assert_int_equal(nwi_tls_error(0, -1), 0);
    assert_int_equal(nwi_tls_error(17, -1), 0);
}

/* What is our own fault or GnuTLS's is not blamed on the peer: a code with which GnuTLS tells the
 * peer of an error of the peer's has an error of its own. */
static void alerts_have_reasons(void **state) {
    (void)state;
    for (int code = -1; code >= LOWEST; code--) {
        int level;
        if (gnutls_strerror_name(code) == NULL || !gnutls_error_is_fatal(code) ||
            gnutls_error_to_alert(code, &level) == GNUTLS_A_INTERNAL_ERROR)
            continue;
        if (code == GNUTLS_E_OPENPGP_GETKEY_FAILED) /* GnuTLS has no OpenPGP any more */
            continue;
        if (code_of(code, -1) == errSSLInternal)
            fail_msg("%s is errSSLInternal", gnutls_strerror_name(code));
    }
}

static void codes_mean_what_they_say(void **state) {
    (void)state;
    static const struct {
        int code, errssl;
    } cases[] = {
        {GNUTLS_E_AGAIN, errSSLWouldBlock},
        {GNUTLS_E_PREMATURE_TERMINATION, errSSLClosedNoNotify},
        {GNUTLS_E_NO_CIPHER_SUITES, errSSLNegotiation},
        {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, errSSLPeerProtocolVersion},
        {GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR, errSSLBadCert},
        {GNUTLS_E_CERTIFICATE_REQUIRED, errSSLCertificateRequired},
        {GNUTLS_E_DECRYPTION_FAILED, errSSLBadRecordMac},
        {GNUTLS_E_RECORD_OVERFLOW, errSSLRecordOverflow},
        {GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET, errSSLUnexpectedMessage},
        {GNUTLS_E_UNKNOWN_SRP_USERNAME, errSSLUnknownPSKIdentity},
        {GNUTLS_E_PKCS11_PIN_ERROR, errSSLCrypto},
        {GNUTLS_E_PKCS11_LOAD_ERROR, errSSLModuleAttach},
        {GNUTLS_E_TIMEDOUT, errSSLNetworkTimeout},
        {GNUTLS_E_INTERNAL_ERROR, errSSLInternal},
        {-64999, errSSLInternal},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(code_of(cases[i].code, -1), cases[i].errssl);
}

static void alerts_are_the_peers_words(void **state) {
    (void)state;
    static const struct {
        int alert, errssl;
    } cases[] = {
        {0, errSSLClosedGraceful},
        {10, errSSLPeerUnexpectedMsg},
        {20, errSSLPeerBadRecordMac},
        {40, errSSLPeerHandshakeFail},
        {42, errSSLPeerBadCert},
        {45, errSSLPeerCertExpired},
        {46, errSSLPeerCertUnknown},
        {48, errSSLPeerUnknownCA},
        {70, errSSLPeerProtocolVersion},
        {80, errSSLPeerInternalError},
        {86, errSSLInappropriateFallback},
        {109, errSSLMissingExtension},
        {112, errSSLUnrecognizedName},
        {113, errSSLBadCertificateStatusResponse},
        {115, errSSLUnknownPSKIdentity},
        {116, errSSLCertificateRequired},
        {120, errSSLPeerHandshakeFail},
        {199, errSSLFatalAlert},
        {-1, errSSLFatalAlert},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(code_of(GNUTLS_E_FATAL_ALERT_RECEIVED, cases[i].alert), cases[i].errssl);
        assert_int_equal(code_of(GNUTLS_E_WARNING_ALERT_RECEIVED, cases[i].alert), cases[i].errssl);
    }
    for (int alert = 0; alert < 256; alert++) /* every alert that GnuTLS knows has its own code */
        if (gnutls_alert_get_name((gnutls_alert_description_t)alert) != NULL)
            assert_int_not_equal(code_of(GNUTLS_E_FATAL_ALERT_RECEIVED, alert), errSSLFatalAlert);
}

static void refusals_are_told(void **state) {
    (void)state;
    static const struct {
        int errssl, alert;
    } cases[] = {
        {errSSLUnknownRootCert, 48},
        {errSSLNoRootCert, 48},
        {errSSLXCertChainInvalid, 42},
        {errSSLBadCert, 42},
        {errSSLCertExpired, 45},
        {errSSLCertNotYetValid, 45},
        {errSSLHostNameMismatch, 46},
        {errSSLPeerCertRevoked, 44},
        {errSSLCertificateRequired, 116},
        {errSSLNegotiation, 40},
        {errSSLUnknownPSKIdentity, 115},
        {errSSLBadCertificateStatusResponse, 113},
        {errSSLInternal, 80},
        {12345, 80},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(nwi_tls_alert_for(cases[i].errssl), cases[i].alert);
    for (int errssl = errSSLEarlyDataRejected; errssl <= errSSLProtocol; errssl++) {
        int alert = nwi_tls_alert_for(errssl);
        assert_true(alert > 0 && alert < 256);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_code_becomes_nonsense), cmocka_unit_test(alerts_have_reasons),
        cmocka_unit_test(codes_mean_what_they_say), cmocka_unit_test(alerts_are_the_peers_words),
        cmocka_unit_test(refusals_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
