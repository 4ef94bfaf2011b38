"""What a path costs: a private bus with dbusmock's NetworkManager and ModemManager, and configuration files.

The interface is a veth called wlan0 in a namespace of the test's own; costs_peer says what the path table shows.
Needs the packages dbus and python3-dbusmock, and the Python that Debian installs them for.
"""
import errno
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

import lab

CLIENT = os.environ.get('LAB_PEER', 'build/tests/lab/lab_peer')
WATCHER = os.environ.get('PATH_WATCHER', 'build/tests/lab/path_watcher')
PEER = os.environ.get('COSTS_PEER', 'build/tests/lab/costs_peer')
PYTHON = '/usr/bin/python3'
NM, MM = 'org.freedesktop.NetworkManager', 'org.freedesktop.ModemManager1'
DEVICE, WIRELESS, POINT = NM + '.Device', NM + '.Device.Wireless', NM + '.AccessPoint'
DEVICE_PATH, POINT_PATH = '/org/freedesktop/NetworkManager/Devices/wlan0', '/org/freedesktop/NetworkManager/AccessPoint/1'
CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>'''


def check_tools():
    if shutil.which('dbus-daemon') is None:
        lab.refuse('dbus-daemon (package dbus) is not installed')
    found = subprocess.run([PYTHON, '-c', 'import dbusmock'], stderr=subprocess.DEVNULL)
    if found.returncode != 0:
        lab.refuse('python3-dbusmock is not installed')


# Runs under Debian's Python beside the mock service: a line of Python in, "ok" or the error out.
HAND = r'''
import sys, dbus
bus = dbus.bus.BusConnection(sys.argv[1])
def proxy(name, path): return bus.get_object(name, path)
def mock(name, path): return dbus.Interface(proxy(name, path), 'org.freedesktop.DBus.Mock')
for line in sys.stdin:
    try:
        exec(line.encode().decode('unicode_escape'))
        print('ok', flush=True)
    except Exception as error:
        print(repr(error), flush=True)
'''


class Costs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab.check_rights()
        check_tools()

    def setUp(self):
        self.processes, self.peer = [], None
        self.folder = tempfile.mkdtemp(prefix='nw-costs-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self.end_all)
        self.socket = os.path.join(self.folder, 'bus')
        self.address = 'unix:path=' + self.socket
        os.makedirs(os.path.join(self.folder, 'config', 'libnw'))
        self.space = lab.Namespace('nwcosts%d' % os.getpid())
        self.addCleanup(self.space.remove)
        self.space.ip('link', 'add', 'wlan0', 'type', 'veth', 'peer', 'name', 'far')
        self.space.ip('link', 'set', 'far', 'up')
        self.space.ip('link', 'set', 'wlan0', 'up')
        self.space.ip('addr', 'add', '10.77.0.1/24', 'dev', 'wlan0')
        self.space.ip('route', 'add', 'default', 'via', '10.77.0.2')

    # --- processes ---
    def start(self, *words, log=subprocess.DEVNULL):
        env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address, NW_LOG='off' if log == subprocess.DEVNULL else 'notice',
                   XDG_CONFIG_HOME=os.path.join(self.folder, 'config'), DBUS_SESSION_BUS_ADDRESS='disabled:')
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, stderr=log)
        self.processes.append(process)
        return process

    def end(self, process):
        process.stdin.close()
        process.send_signal(signal.SIGTERM)
        process.wait(lab.DEADLINE)
        if process is not self.peer:  # the thread that reads from it closes it
            process.stdout.close()
        self.processes.remove(process)

    def end_all(self):
        for process in list(self.processes):
            self.end(process)

    def start_bus(self):
        config = os.path.join(self.folder, 'bus.conf')
        with open(config, 'w') as out:
            out.write(CONFIG % self.socket)
        bus = self.start('dbus-daemon', '--nofork', '--print-address', '--config-file=' + config)
        bus.stdout.readline()
        self.hand = self.start(PYTHON, '-c', HAND, self.address)
        return bus

    def start_mock(self, *words):
        """Comes back when the service has its name."""
        name = NM if words[0] == '-t' else words[0]
        process = self.start(PYTHON, '-m', 'dbusmock', '--system', *words)
        lab.wait_until(lambda: self.try_do('bus.get_name_owner(%r)' % name) == 'ok', name)
        return process

    def add(self, name, root, path, interfaces):
        """An object of a mock with all its interfaces, told as a manager does: dbusmock tells nobody."""
        as_dictionary = ['%r: dbus.Dictionary({%s}, signature="sv")' % (i, p) for i, p in interfaces.items()]
        (first, properties), *others = interfaces.items()
        self.do('mock(%r, %r).AddObject(%r, %r, {%s}, [])' % (name, root, path, first, properties))
        for interface, properties in others:
            self.do('mock(%r, %r).AddProperties(%r, {%s})' % (name, path, interface, properties))
        self.do('mock(%r, %r).EmitSignal("org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}",'
                ' [dbus.ObjectPath(%r), dbus.Dictionary({%s}, signature="sa{sv}")])'
                % (name, root, path, ', '.join(as_dictionary)))

    def start_manager(self, metered, strength=70):
        manager = self.start_mock('-t', 'networkmanager')
        self.add(NM, '/org/freedesktop', POINT_PATH, {POINT: '"Ssid": dbus.ByteArray(b"x"), "Strength": dbus.Byte(%d)' % strength})
        self.add(NM, '/org/freedesktop', DEVICE_PATH, {
            DEVICE: '"Interface": "wlan0", "DeviceType": dbus.UInt32(2), "Metered": dbus.UInt32(%d)' % metered,
            WIRELESS: '"ActiveAccessPoint": dbus.ObjectPath(%r)' % POINT_PATH})
        return manager

    def try_do(self, statement):
        self.hand.stdin.write(statement.encode('unicode_escape') + b'\n')
        self.hand.stdin.flush()
        return self.hand.stdout.readline().decode().strip()

    def do(self, statement):
        self.assertEqual(self.try_do(statement), 'ok', statement)

    def update(self, path, interface, **properties):
        self.do('mock(%r, %r).UpdateProperties(%r, {%s})'
                % (NM, path, interface, ', '.join('%r: %s' % pair for pair in properties.items())))

    def start_peer(self):
        self.peer, self.lines = self.start(*self.space.inside(PEER, 'wlan0')), queue.Queue()
        threading.Thread(target=self.read_lines, args=(self.peer.stdout, self.lines), daemon=True).start()
        return self.line()

    @staticmethod
    def read_lines(stream, lines):
        for line in stream:
            lines.put(line.decode())
        stream.close()
        lines.put('')

    def line(self):
        """The next line, as a dictionary."""
        line = self.lines.get(timeout=lab.DEADLINE)
        return dict(pair.split('=') for pair in line.split()) if '=' in line else {'line': line}

    def wait_for(self, **wanted):
        while True:
            line = self.line()
            if 'line' in line:
                self.fail('%r instead of %r' % (line, wanted))
            if all(line[k] == v for k, v in wanted.items()):
                return line

    def config(self, text):
        path = os.path.join(self.folder, 'config', 'libnw', 'network.conf')
        with open(path + '.new', 'w') as out:
            out.write(text)
        os.rename(path + '.new', path)

    def start_monitor(self):
        """A path monitor of the public API: what its lines say first and last is told."""
        self.start_public(WATCHER, '-c')

    def start_public(self, *words, log=subprocess.DEVNULL):
        self.peer, self.lines = self.start(*self.space.inside(*words), log=log), queue.Queue()
        threading.Thread(target=self.read_lines, args=(self.peer.stdout, self.lines), daemon=True).start()

    def tell_first(self, words, read, wanted):
        """What a program tells first. A mock that took too long to answer, on a busy machine, is asked again by another one."""
        for _ in range(5):
            with tempfile.TemporaryFile() as log:
                self.start_public(*words, log=log)
                told = [read() for _ in wanted]
                log.seek(0)
                if told == wanted or b'not waited for' not in log.read():
                    break
                self.end(self.peer)
        self.assertEqual(told, wanted)

    def state(self):
        """The next state of a connection; what else it says is left out."""
        while True:
            line = self.lines.get(timeout=lab.DEADLINE).strip()
            if line.startswith('state ') or not line:
                return line

    def told(self):
        words = self.lines.get(timeout=lab.DEADLINE).split()
        return words[1:3] + words[-1:] if words[:1] == ['path'] else words

    def finish_monitor(self):
        self.peer.stdin.write(b'cancel\n')
        self.peer.stdin.flush()
        self.assertEqual(self.told(), ['cancelled'])
        self.end(self.peer)

    # --- tests ---
    def test_first_path_of_a_monitor(self):
        """The first path is expensive already, and nothing was told before NetworkManager had answered."""
        self.start_bus()
        self.start_manager(metered=1)
        self.tell_first([WATCHER, '-c'], self.told, [['satisfied', 'wlan0', 'expensive']])
        self.update(DEVICE_PATH, DEVICE, Metered='dbus.UInt32(2)')
        self.assertEqual(self.told(), ['satisfied', 'wlan0', 'free'])
        self.finish_monitor()

    def test_first_attempt_of_a_connection(self):
        """One that prohibits expensive interfaces does not begin on one that is about to be called so."""
        self.start_bus()
        self.start_manager(metered=1)
        self.tell_first([CLIENT, '-ue', '10.77.0.2', '7000'], self.state,
                        ['state preparing', 'state waiting posix %d' % errno.ENETDOWN])
        self.update(DEVICE_PATH, DEVICE, Metered='dbus.UInt32(2)')
        self.assertEqual([self.state() for _ in range(2)], ['state preparing', 'state ready'])
        self.end(self.peer)
        self.start_public(CLIENT, '-ue', '10.77.0.2', '7000')  # nothing is expensive: it does begin
        self.assertEqual([self.state() for _ in range(2)], ['state preparing', 'state ready'])

    def test_monitor_without_answers(self):
        """No bus, no service, nothing to say, and one that does not answer: the first path is told all the same."""
        free, dear = ['satisfied', 'wlan0', 'free'], ['satisfied', 'wlan0', 'expensive']
        for prepare in [lambda: None, self.start_bus, lambda: self.start_manager(metered=2)]:
            prepare()
            self.start_monitor()
            self.assertEqual(self.told(), free)
            self.finish_monitor()
        self.update(DEVICE_PATH, DEVICE, Metered='dbus.UInt32(1)')
        manager = self.processes[[p.args[-1] for p in self.processes].index('networkmanager')]
        manager.send_signal(signal.SIGSTOP)
        try:
            self.start_monitor()
            self.assertEqual(self.told(), free)
        finally:
            manager.send_signal(signal.SIGCONT)
        self.assertEqual(self.told(), dear)
        self.finish_monitor()

    def test_metered(self):
        """Metered makes the path expensive; a change is told; without the service it is not expensive."""
        self.start_bus()
        manager = self.start_manager(metered=1)
        if self.start_peer()['expensive'] == '0':
            self.wait_for(expensive='1', type='wifi', quality='30')
        self.update(DEVICE_PATH, DEVICE, Metered='dbus.UInt32(2)')
        self.assertEqual(self.line()['expensive'], '0')
        self.update(DEVICE_PATH, DEVICE, Metered='dbus.UInt32(3)')
        self.assertEqual(self.line()['expensive'], '1')
        self.update(POINT_PATH, POINT, Strength='dbus.Byte(40)')
        self.assertEqual(self.line()['quality'], '20')
        self.end(manager)
        line = self.line()
        self.assertEqual((line['expensive'], line['quality'], line['type']), ('0', '0', 'wired'))
        self.start_manager(metered=1)
        self.wait_for(expensive='1')

    def test_bus_comes_and_goes(self):
        """No bus at first; then one; it ends; another one takes its place."""
        self.assertEqual(self.start_peer()['expensive'], '0')
        for _ in range(2):
            bus = self.start_bus()
            manager = self.start_manager(metered=1)
            self.wait_for(expensive='1')
            self.end(manager)
            self.wait_for(expensive='0')
            self.end(self.hand)
            self.end(bus)
            if os.path.exists(self.socket):
                os.unlink(self.socket)

    def test_modem(self):
        """ModemManager's net port is cellular, and so expensive; its signal is the quality."""
        self.start_bus()
        self.start_mock(MM, '/org/freedesktop/ModemManager1', MM, '-m')
        self.add(MM, '/org/freedesktop/ModemManager1', '/org/freedesktop/ModemManager1/Modem/0', {
            MM + '.Modem': '"Ports": dbus.Array([("ttyUSB0", dbus.UInt32(3)), ("wlan0", dbus.UInt32(2))],'
                           ' signature="(su)"), "SignalQuality": dbus.Struct((dbus.UInt32(50), True), signature="ub")'})
        line = self.start_peer()
        while line['type'] != 'cellular':
            line = self.line()
        self.assertEqual((line['expensive'], line['quality']), ('1', '20'))

    def test_garbage(self):
        """Wrong types, missing properties, very many objects, an error as the answer: all survived."""
        self.start_bus()
        self.start_manager(metered=1)
        self.start_peer()
        self.update(DEVICE_PATH, DEVICE, Metered='"yes"')
        self.update(DEVICE_PATH, DEVICE, Interface='dbus.UInt64(7)')
        self.do('mock(%r, %r).EmitSignal("org.freedesktop.DBus.Properties", "PropertiesChanged", "u", [dbus.UInt32(1)])'
                % (NM, DEVICE_PATH))
        self.do('mock(%r, "/org/freedesktop").EmitSignal("org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "as",'
                ' [dbus.Array(["x"])])' % NM)
        self.do('for i in range(300): mock(%r, "/org/freedesktop").AddObject("/org/freedesktop/many/%%d" %% i, %r,'
                ' {"Interface": "v%%d" %% i, "Metered": dbus.UInt32(1)}, [])' % (NM, DEVICE))
        self.update(DEVICE_PATH, DEVICE, Metered='dbus.UInt32(2)')
        self.wait_for(expensive='0')
        self.assertIsNone(self.peer.poll())

    def test_configuration_overrules(self):
        """What the file says counts before NetworkManager, and at once."""
        self.start_bus()
        self.start_manager(metered=1)
        if self.start_peer()['expensive'] == '0':
            self.wait_for(expensive='1')
        self.config('[interface wl*]\nexpensive = no\nconstrained = yes\nquality = minimal\ntype = other\n')
        self.assertEqual(self.line(), {'expensive': '0', 'constrained': '1', 'ultra': '0', 'quality': '10',
                                       'type': 'other', 'denied': '0'})
        self.config('[interface wl*]\nultra_constrained = yes\n[local-network]\ndeny = costs_peer\n')
        self.assertEqual(self.line(), {'expensive': '1', 'constrained': '0', 'ultra': '1', 'quality': '30',
                                       'type': 'wifi', 'denied': '1'})
        self.config('')
        line = self.line()
        self.assertEqual((line['ultra'], line['denied'], line['expensive']), ('0', '0', '1'))


if __name__ == '__main__':
    unittest.main(verbosity=2)
