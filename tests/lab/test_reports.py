"""Both reports against known values: a scripted TCP peer, a wire of known delay and loss, scripted name servers."""
import socket
import struct
import threading
import unittest

import lab
import script_tcp
from script_dns import A, AAAA, SILENT, ScriptDns

V4, V6 = '10.77.0.2', '2001:db8:77::2'


class Reports:
    def reports(self, *words, **options):
        report = self.nwcat('--report', *words, **options)
        return report.one('establishment_report'), report.one('data_transfer_report')

    def assert_ms(self, value, seconds):
        """As long as that, and no more longer than a busy machine makes it."""
        self.assertGreaterEqual(value, int(seconds * 1000))
        self.assertLess(value, (seconds + lab.SLACK) * 1000)


class Scripted(Reports, lab.Lab):
    ADDRESS, DELAY = '10.77.0.9', 0.06

    def play(self, script):
        """Runs script(peer) in a thread; returns the peer and a function that waits for the script's end."""
        def open_socket():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(script_tcp.ETH_P_IP))
            s.bind(('nws', script_tcp.ETH_P_IP))
            s.settimeout(lab.DEADLINE)
            return s
        packets = self.server.call(open_socket)
        self.addCleanup(packets.close)
        self.add_neighbour(self.ADDRESS)
        peer = script_tcp.ScriptTcp(packets, bytes.fromhex('020000007701'), self.ADDRESS, '10.77.0.1')
        failures = []

        def run():
            try:
                script(peer)
            except Exception as error:  # told by the test's thread
                failures.append(error)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def end():
            thread.join(lab.DEADLINE)
            self.assertEqual(failures, [])
            self.assertFalse(thread.is_alive())
        return peer, end

    def test_each_number(self):
        """1000 octets out, of which 536 have to go again; 300 octets in, of which 100 come too early."""
        def script(peer):
            peer.shake_hands(self.DELAY)
            peer.wait_data(1000)
            peer.wait_data(1000 + script_tcp.MSS)  # nothing was acknowledged: the first segment comes again
            peer.acknowledge(1000)
            peer.say(b'b' * 100, at=100)
            peer.say(b'a' * 100)
            peer.next += 200
            peer.say(b'c' * 100)
            peer.next += 100
            peer.finish()
            peer.wait_end()
        peer, end = self.play(script)
        establishment, transfer = self.reports('--no-shutdown', self.ADDRESS, 7000, data=b'x' * 1000)
        end()
        handshake, = establishment['protocols']
        self.assertEqual(handshake['name'], 'tcp')
        self.assert_ms(handshake['handshake_ms'], self.DELAY)
        self.assert_ms(handshake['rtt_ms'], self.DELAY)
        self.assert_ms(establishment['duration_ms'], self.DELAY)
        path, = transfer['paths']
        self.assertEqual((path['sent_application_bytes'], path['received_application_bytes']), (1000, 300))
        self.assertEqual((path['sent_transport_bytes'], path['received_transport_bytes']),
                         (1000 + script_tcp.MSS, 300))
        self.assertEqual(path['retransmitted_bytes'], script_tcp.MSS)
        self.assertEqual(path['out_of_order_bytes'], script_tcp.MSS)  # one segment, of the typical size
        self.assertEqual(path['duplicate_bytes'], 0)
        self.assertEqual((path['sent_packets'], path['received_packets']), (peer.segments_in, peer.segments_out))
        self.assert_ms(path['smoothed_rtt_ms'], self.DELAY)
        self.assert_ms(path['minimum_rtt_ms'], self.DELAY)
        self.assertEqual((path['interface'], path['interface_type']), ('nwc', 'wired'))


class Wired(Reports, lab.WiredLab):
    RTT = 0.1
    conditions = {'both': 'delay=50ms'}

    def swallow(self, s):
        while s.recv(65536):
            pass

    def test_delay(self):
        self.listen(V4, self.swallow)
        establishment, transfer = self.reports(V4, 7000, data=b'x' * 5000)
        self.assert_ms(establishment['protocols'][0]['handshake_ms'], self.RTT)
        self.assert_ms(establishment['protocols'][0]['rtt_ms'], self.RTT)
        path, = transfer['paths']
        self.assert_ms(path['minimum_rtt_ms'], self.RTT)
        self.assert_ms(path['smoothed_rtt_ms'], self.RTT)
        self.assertLess(path['rtt_variance_ms'], 1000 * lab.SLACK)
        self.assertEqual(path['retransmitted_bytes'], 0)
        self.assertEqual(path['sent_application_bytes'], 5000)

    def test_loss_and_reordering(self):
        size = 400000
        self.wire.set(up='delay=5ms,loss=4%', down='delay=5ms,reorder=20%/10ms')

        def exchange(s):
            self.swallow(s)
            s.sendall(b'y' * size)
        self.listen(V4, exchange)
        _, transfer = self.reports(V4, 7000, data=b'x' * size)
        path, = transfer['paths']
        self.assertEqual((path['sent_application_bytes'], path['received_application_bytes']), (size, size))
        self.assertGreater(path['retransmitted_bytes'], 0)
        self.assertEqual(path['sent_transport_bytes'], size + path['retransmitted_bytes'])
        self.assertEqual(path['received_transport_bytes'], size)
        self.assertGreater(path['out_of_order_bytes'], 0)
        up = self.wire.stats()['up']
        lost = sum(up['dropped'].values()) if isinstance(up['dropped'], dict) else up['dropped']
        self.assertGreater(lost, 0)
        # The wire saw what was sent before the handshake's end and after the report, too: a few packets, and
        # with losses a few more that acknowledge what came again.
        self.assertLessEqual(abs(up['packets_in'] - path['sent_packets']), path['sent_packets'] / 20 + 5)


class Names(Reports, lab.Lab):
    def setUp(self):
        super().setUp()
        self.client.write('resolv.conf', 'nameserver 10.77.0.2\n')
        for address in (V4, V6):
            self.listen(address, self.say('hello'))

    def dns(self, **rules):
        table = {('name.lab.test', {'a': A, 'aaaa': AAAA}[key]): value for key, value in rules.items()}
        self.listen(V4, lambda s: ScriptDns(s, table).run(), port=53, kind=socket.SOCK_DGRAM)
        return table

    def resolution(self):
        establishment, _ = self.reports('name.lab.test', 7000)
        resolution, = establishment['resolutions']
        return resolution

    def test_by_udp(self):
        """The time is that of the answer which brought the address."""
        self.dns(a=(SILENT, []), aaaa=(0.15, [V6, '2001:db8:77::3']))
        resolution = self.resolution()
        self.assert_ms(resolution.pop('milliseconds'), 0.15)
        self.assertEqual(resolution, {'source': 'query', 'protocol': 'udp', 'endpoint_count': 2,
                                      'preferred': '[%s]:7000' % V6, 'successful': '[%s]:7000' % V6})

    def test_preferred_is_not_successful(self):
        self.add_neighbour('2001:db8:77::9')
        self.dns(a=(0, [V4]), aaaa=(0, ['2001:db8:77::9']))
        resolution = self.resolution()
        self.assertEqual((resolution['preferred'], resolution['successful'], resolution['endpoint_count']),
                         ('[2001:db8:77::9]:7000', V4 + ':7000', 2))

    def test_by_tcp(self):
        """Over UDP the answers are cut off (TC, RFC 1035 section 4.1.1), so they are asked for over TCP."""
        table = {A: [V4], AAAA: [V6]}

        def cut_off(s):
            while True:
                message, sender = s.recvfrom(4096)
                if len(message) < 12:
                    return
                _, _, end = ScriptDns.read_question(message)
                s.sendto(message[:2] + struct.pack('!HHHHH', 0x8380, 1, 0, 0, 0) + message[12:end], sender)

        def answer(s):
            stream = s.makefile('rb')
            while True:
                length = stream.read(2)
                if len(length) < 2:
                    return
                message = stream.read(struct.unpack('!H', length)[0])
                _, kind, end = ScriptDns.read_question(message)
                whole = ScriptDns.make_answer(message, end, kind, table[kind], 0)
                s.sendall(struct.pack('!H', len(whole)) + whole)
        self.listen(V4, cut_off, port=53, kind=socket.SOCK_DGRAM)
        self.listen(V4, answer, port=53)
        resolution = self.resolution()
        self.assertEqual((resolution['source'], resolution['protocol']), ('query', 'tcp'))

    def test_hosts_file(self):
        self.client.write('hosts', '127.0.0.1 localhost\n%s name.lab.test\n' % V4)
        resolution = self.resolution()
        self.assertEqual((resolution['source'], resolution['protocol'], resolution['endpoint_count']),
                         ('cache', None, 1))


if __name__ == '__main__':
    lab.main()
