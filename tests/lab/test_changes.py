"""Changes of the network that come while an attempt to connect is under way."""
import unittest

import lab


class Changes(lab.Lab):
    def test_change_during_an_attempt(self):
        """Refused: it waits. The network changes: it tries, and hears nothing. The network changes once more: that
        attempt goes on, but when it has failed the next one follows by itself, although nothing changes any more."""
        self.client.ip('-6', 'addr', 'flush', 'dev', 'nwc')  # the link-local one becomes usable later: a change too
        process = self.start_nwcat('--wait', '-w', 15, '-d', '10.77.0.2', 7000)
        seen = []
        until = lab.lines_until(process.stderr, seen)
        until('preparing -> waiting, posix/ECONNREFUSED')
        self.server.ip('route', 'add', 'blackhole', '10.77.0.1')
        self.client.ip('addr', 'add', '10.77.0.3/24', 'dev', 'nwc')
        until('path changed')
        until('attempt-start')
        self.client.ip('addr', 'add', '10.77.0.4/24', 'dev', 'nwc')
        until('path changed')
        self.server.ip('route', 'del', 'blackhole', '10.77.0.1')  # the second SYN, a second later, is refused
        until('preparing -> waiting, posix/ECONNREFUSED')
        until('waiting -> preparing')
        until('preparing -> waiting, posix/ECONNREFUSED')
        self.listen('10.77.0.2', self.say('hello'))
        self.client.ip('addr', 'add', '10.77.0.5/24', 'dev', 'nwc')
        until('preparing -> ready')
        out, _ = process.communicate(timeout=lab.DEADLINE)
        self.assertEqual((out, process.returncode), (b'hello', 0))
        self.assertEqual(''.join(seen).count('attempt-start:'), 4)  # no round more: it never busy-loops


if __name__ == '__main__':
    lab.main()
