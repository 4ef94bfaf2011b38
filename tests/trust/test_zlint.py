"""Odd and bad certificates: none is too odd to be judged, and where a lint says what a rule of docs/trust.md says, both
agree. What a lint asks and no rule does stands in docs/trust.md, by kind. Names that are no host names match nothing."""
import base64
import json
import re
import unittest
from datetime import datetime, timezone

import cases

# A lint that a rule covers: what the rule says. An "error" must be refused, for this or an earlier rule; a "pass"
# must not be refused for this.
RULES = {
    'e_br_prohibit_dsa_usage': 'kind of key: DSA',
    'e_cert_sig_alg_not_match_tbs_sig_alg': 'not a certificate',
    'e_cert_unique_identifier_version_not_2_or_3': 'X.509 version',
    'e_dsa_correct_order_in_subgroup': 'kind of key: DSA',
    'e_ec_improper_curves': 'elliptic curve',
    'e_ext_aia_marked_critical': 'authorityInfoAccess must not be critical',
    'e_ext_authority_key_identifier_critical': 'authorityKeyIdentifier must not be critical',
    'e_ext_duplicate_extension': 'stands there twice',
    'e_ext_name_constraints_not_in_ca': 'nameConstraints are for CAs',
    'e_ext_subject_directory_attr_critical': '2.5.29.9 is not understood',
    'e_generalized_time_not_in_zulu': 'dates cannot be read',
    'e_issuer_field_empty': 'its issuer has no name',
    'e_mp_exponent_cannot_be_one': 'exponent',
    'e_mp_modulus_must_be_2048_bits_or_more': 'RSA key of',
    'e_old_root_ca_rsa_mod_less_than_2048_bits': 'RSA key of',
    'e_path_len_constraint_improperly_included': 'path length',
    'e_prohibit_dsa_usage': 'kind of key: DSA',
    'e_public_key_type_not_allowed': 'kind of key',
    'e_rsa_mod_less_than_2048_bits': 'RSA key of',
    'e_rsa_public_exponent_not_odd': 'exponent',
    'e_rsa_public_exponent_too_small': 'exponent',
    'e_serial_number_not_positive': 'serial number (zero|negative)|negative serial',
    'e_sub_cert_or_sub_ca_using_sha1': 'signature by RSA-SHA1',
    'e_subject_info_access_marked_critical': '1.3.6.1.5.5.7.1.11 is not understood',
    'e_validity_time_not_positive': 'expired',
}
ISSUER_RULES = {'e_ca_is_ca': 'not a CA'}  # as one that issued another
BEFORE_NAMES = 1500000000


def element(octets, at):
    """(tag, begin, end) of the DER element at this place."""
    length, header = octets[at + 1], 2
    if length & 0x80:
        header += length & 0x7f
        length = int.from_bytes(octets[at + 2:at + header], 'big')
    return octets[at], at + header, at + header + length


def valid_from(der):
    """A time just after the certificate begins to be valid; any when its dates cannot be read."""
    try:
        _, at, _ = element(der, 0)
        _, at, _ = element(der, at)
        tag, _, end = element(der, at)
        at = end if tag == 0xa0 else at
        for _ in range(3):  # serial number, algorithm, issuer
            _, _, at = element(der, at)
        _, at, _ = element(der, at)
        tag, begin, end = element(der, at)
        text = der[begin:end].decode()
        if tag == 0x17:
            text = ('19' if text[:2] >= '50' else '20') + text
        moment = datetime.strptime(text[:12], '%Y%m%d%H%M').replace(tzinfo=timezone.utc)
        return max(0, int(moment.timestamp()) + 60)
    except (ValueError, IndexError):
        return BEFORE_NAMES


def odd_names(der):
    """The dNSNames of the Subject Alternative Name that are no host names, nor wildcards of one."""
    at = der.find(b'\x06\x03\x55\x1d\x11')
    if at < 0:
        return []
    try:
        tag, begin, end = element(der, at + 5)
        if tag == 1:
            tag, begin, end = element(der, end)
        _, at, stop = element(der, begin)
        names = []
        while at < stop:
            tag, begin, end = element(der, at)
            if tag == 0x82:
                names.append(der[begin:end])
            at = end
    except IndexError:
        return []
    label = rb'[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
    sound = re.compile(rb'(\*\.' + label + rb'\.)?' + label + rb'(\.' + label + rb')*')
    return [name for name in names if not sound.fullmatch(name)]


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(cases.data('x509-zlint', 'certificates.json')) as file:
            cls.known = json.load(file)
        for case in cls.known:
            case['der'] = base64.b64decode(case['der_b64'])
            case['line'] = 'leaf=%s\ttime=%d' % (case['der'].hex(), valid_from(case['der']))

    def compare(self, rules, refused, said):
        """refused and said: for each certificate whether a rule refuses it, and what it says."""
        wrong = []
        for case, no, words in zip(self.known, refused, said):
            for lint, phrase in rules.items():
                answer = case['lints'].get(lint)
                if (answer == 'error' and not no) or (answer == 'pass' and re.search(phrase, words)):
                    wrong.append('%s: %s %s, we: %s' % (case['file'], lint, answer, words))
        self.assertEqual(wrong, [], '\n' + '\n'.join(wrong))

    def test_as_a_peer(self):
        answers = cases.evaluate([case['line'] for case in self.known])
        self.assertNotIn(0, [status for status, _ in answers])  # no anchor: trusted is none
        # Without an issuer at hand those that break no rule end so.
        self.compare(RULES, [status not in (-9812, -9813) for status, _ in answers], [words for _, words in answers])

    def test_as_an_issuer(self):
        peer = next(case for case in self.known if case['file'] == '27monthsEv.pem')['der'].hex()
        lines = ['leaf=%s\tchain=%s\ttime=%d' % (peer, case['der'].hex(), valid_from(case['der'])) for case in self.known]
        said = [answer[-1] for answer in cases.judge(lines)]
        self.compare(ISSUER_RULES, ['nothing is wrong' not in words for words in said], said)

    def test_odd_names_match_nothing(self):
        lines, names = [], []
        for case in self.known:
            for name in odd_names(case['der']):
                text = name.split(b'\0')[0].decode(errors='replace')
                if text and '\t' not in text and '\n' not in text:
                    lines.append('%s\tanchor=%s\thost=%s' % (case['line'], case['der'].hex(), text))
                    names.append((case['file'], text))
        self.assertGreater(len(lines), 10)
        matched = [name for name, (status, _) in zip(names, cases.evaluate(lines)) if status == 0]
        self.assertEqual(matched, [])


if __name__ == '__main__':
    unittest.main()
