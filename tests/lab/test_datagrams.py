"""UDP through a network: questions and answers, and ICMP errors that end nothing."""
import socket
import unittest

import lab


def echo(s):
    while True:
        try:
            data, sender = s.recvfrom(65536)
        except OSError:
            return
        if sender is None:
            return  # shut down
        s.sendto(b'<' + data + b'>', sender)


class Datagrams(lab.Lab):
    def test_question_and_answer(self):
        for address in ('10.77.0.2', '2001:db8:77::2'):
            with self.subTest(address=address):
                self.listen(address, echo, kind=socket.SOCK_DGRAM)
                peer = self.peer('-u', address, 7000)
                peer.wait_for('state ready')
                for text in ('a', 'bcd'):
                    peer.tell('send ' + text)
                    self.assertEqual(peer.wait_for('received'), 'received %d' % (len(text) + 2))
                peer.tell('cancel')
                peer.wait_for('cancelled')

    def test_by_name(self):
        """UDP has no handshake, so the first address of the order is the one: IPv6."""
        self.dnsmasq('--host-record=dual.lab.test,10.77.0.2,2001:db8:77::2')
        self.listen('2001:db8:77::2', echo, kind=socket.SOCK_DGRAM)
        report = self.nwcat('-u', '-q', '1', 'dual.lab.test', 7000, data=b'x')
        self.assertEqual(report.remote, '[2001:db8:77::2]:7000')
        self.assertEqual(report.out, b'<x>')

    def test_port_unreachable(self):
        """The ICMP answer surfaces as an error of the next call, once; a server that appears is talked to all the same."""
        peer = self.peer('-u', '10.77.0.2', 7000)
        peer.wait_for('state ready')
        peer.tell('send nobody')
        self.assertEqual(peer.wait_for('sent'), 'sent none 0')
        peer.wait_for('broken posix 111')
        self.listen('10.77.0.2', echo, kind=socket.SOCK_DGRAM)
        peer.tell('send somebody')
        self.assertEqual(peer.wait_for('sent'), 'sent none 0')
        peer.tell('receive')
        self.assertEqual(peer.wait_for('received'), 'received %d' % len('<somebody>'))
        self.assertNotIn('state failed posix 111', peer.lines)


if __name__ == '__main__':
    lab.main()
