# SPDX-License-Identifier: GPL-2.0-or-later
"""How vmad starts and ends: options, files, sockets (its own and systemd's), readiness, draining; one clear line where it cannot."""
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from activated import Activated, listen_tcp, listen_unix  # noqa: E402
from crowd import Crowd, at_once, checked  # noqa: E402
from vmad import BINARY, Vmad  # noqa: E402
from wire import Closed, Wire, wait_until  # noqa: E402

NEVER = 'unix:/nowhere/vmad.sock'
SO_TIMESTAMPNS = 35     # <asm-generic/socket.h>; socket does not name it


def run(*arguments, environment=None):
    """vmad that does not start: status, stdout, stderr."""
    process = subprocess.run(
        [BINARY, *arguments], capture_output=True, timeout=30, check=False, env={**os.environ, **(environment or {})}
    )
    return process.returncode, process.stdout.decode(), process.stderr.decode()


def refuses(status, *words, arguments, lines=1):
    """vmad ends with that status, and says these words in so many lines, each of them its own."""
    found, out, said = run(*arguments)
    tap.equal((found, out), (status, ''), f'{arguments}: {said}')
    tap.equal(said.count('\n'), lines, f'{arguments}: {said}')
    tap.truth(said.startswith('vmad: ') or status == 2, said)
    for word in words:
        tap.truth(word in said, f'{arguments}: {word!r} is not in {said!r}')


def usage():
    """what is wrong on the command line: exit 2, and what it was"""
    refuses(2, '--listen', 'argument', arguments=['--listen'], lines=2)
    refuses(2, 'colour', arguments=['--colour'], lines=2)
    refuses(2, 'extra', arguments=['extra'], lines=2)
    refuses(2, '--user', 'too often', arguments=['--user', 'a', '--user', 'b'], lines=2)
    refuses(2, '--listen', 'needs a value', arguments=['--listen', ''], lines=2)
    refuses(2, '--listen', 'too often', arguments=['--listen', NEVER] * 17, lines=2)


def help_and_version():
    """--help and --version: on stdout, exit 0"""
    status, out, said = run('--help')
    tap.equal((status, said), (0, ''), '--help')
    for name in ('--listen', '--token-file', '--allow-host', '--user', '--procfs', '--config'):
        tap.truth(name in out, f'{name} in --help')
    status, out, said = run('--version')
    tap.truth(status == 0 and not said and re.fullmatch(r'vmad \d+\.\d+\.\d+\S*\n', out), out)


def listeners_that_are_none():
    """what is wrong with a --listen: exit 1 and what"""
    for spec, word in (
        ('vmad.sock', 'unix:PATH'), ('unix:', '1 to 107'), ('unix:/' + 'a' * 107, '1 to 107'), ('tcp:', 'address and a port'),
        ('tcp:8623', 'address and a port'), ('tcp:127.0.0.1:', 'address and a port'), ('tcp:127.0.0.1:65536', 'address and a port'),
        ('tcp:127.0.0.1:-1', 'address and a port'), ('tcp:example.com:80', 'address and a port'), ('tcp:::1:80', 'address and a port'),
        ('tcp:[::1]', 'address and a port'), ('tcp:0.0.0.0:0', 'loopback'), ('tcp:[::]:0', 'loopback'), ('tcp:192.0.2.1:0', 'loopback'),
        (NEVER, 'No such file'), ('unix:/dev/null/x', 'Not a directory'),
    ):
        refuses(1, f'vmad: {spec}: ', word, arguments=['--listen', spec])


def a_port_in_use():
    """a port that somebody listens on: one line, exit 1"""
    with listen_tcp() as taken:
        spec = f'tcp:127.0.0.1:{taken.getsockname()[1]}'
        refuses(1, f'vmad: {spec}: ', 'another program', arguments=['--listen', spec])


def unknown_users():
    """--user of nobody that is here: one line, exit 1"""
    refuses(1, '--user', 'no-such-user', arguments=['--user', 'no-such-user', '--listen', NEVER])


def procfs_that_is_none():
    """--procfs of no directory: one line, exit 1"""
    refuses(1, '/nowhere', arguments=['--procfs', '/nowhere', '--listen', NEVER])


def config_file():
    """--config: the options, a line each; what the command line says comes first"""
    with tempfile.TemporaryDirectory() as directory:
        path = f'{directory}/from-config.sock'
        config = tempfile_of(directory, f'# a comment\n\n  listen =  tcp:127.0.0.1:0  \nallow-host=box.example\nlisten=unix:{path}\n')
        with Vmad(arguments=['--config', config]) as vmad:
            tap.equal(sum('listening' in line for line in vmad.log), 3, 'the command line\'s and its own')
            with Wire(path) as wire:
                tap.equal(wire.get('/v1/health').status, 200, 'its socket')
            port = int(next(re.search(r':(\d+)$', line).group(1) for line in vmad.log if 'tcp:' in line))
            with Wire(('127.0.0.1', port)) as wire:
                wire.send(b'GET /v1/health HTTP/1.1\r\nHost: box.example\r\n\r\n')
                tap.equal(wire.reply().status, 200, 'its allow-host')


def tempfile_of(directory, text):
    path = os.path.join(directory, 'config')
    with open(path, 'w', encoding='ascii') as out:
        out.write(text)
    return path


def bad_config_files():
    """a line of --config that is wrong: exit 1 with file and line; a file that cannot be read: exit 1"""
    for text, line, word in (
        ('listen\n', 1, 'name = value'), ('\n\ncolour = red\n', 3, 'colour'), ('user = a\nuser = b\n', 2, 'too often'),
        ('listen =\n', 1, 'needs a value'), ('config = x\n', 1, 'config'), ('# x\n= x\n', 2, 'not known'),
    ):
        with tempfile.TemporaryDirectory() as directory:
            config = tempfile_of(directory, text)
            refuses(1, f'vmad: {config}:{line}: ', word, arguments=['--config', config])
    refuses(1, '/nowhere/config', 'No such file', arguments=['--config', '/nowhere/config'])
    refuses(1, 'vmad: /: ', arguments=['--config', '/'])


def mode_of_the_socket():
    """root's socket is 0660, an ordinary user's 0600"""
    with Vmad() as vmad:
        tap.equal(stat.S_IMODE(os.stat(vmad.socket).st_mode), 0o660 if os.geteuid() == 0 else 0o600, 'mode')


def a_second_vmad():
    """a second vmad on the same socket: one line, exit 1; the first is left alone"""
    with Vmad() as vmad:
        refuses(1, f'unix:{vmad.socket}', 'another program', arguments=['--listen', f'unix:{vmad.socket}'])
        tap.equal(vmad.get('/v1/health').status, 200, 'the first')


def a_stale_socket():
    """a socket that nobody answers on any more is replaced, and removed at the end"""
    vmad = Vmad()
    try:
        own = vmad.processes().values()
        vmad.process.kill()
        vmad.process.wait()
        wait_until(lambda: not any(os.path.exists(f'/proc/{pid}/fd/0') for pid in own), 'those that it started have ended, too')
        tap.truth(stat.S_ISSOCK(os.stat(vmad.socket).st_mode), 'the first left it behind')
        path = vmad.socket
        second = subprocess.Popen([BINARY, '--listen', f'unix:{path}'], stderr=subprocess.PIPE)
        said = []
        for line in second.stderr:
            said.append(line)
            if line == b'vmad: ready\n':
                break
        tap.equal(said[-1:], [b'vmad: ready\n'], f'the second is ready: {said}')
        with Wire(path) as wire:
            tap.equal(wire.get('/v1/health').status, 200, 'and answers there')
        second.terminate()
        tap.equal((second.wait(20), os.path.exists(path)), (0, False), 'exit status, and the socket is gone')
        second.stderr.close()
    finally:
        vmad.stop()


def other_files_in_the_way():
    """what is not a socket is never removed: one line, exit 1"""
    with tempfile.TemporaryDirectory() as directory:
        for name, make in (('file', lambda path: open(path, 'w', encoding='ascii').close()), ('directory', os.mkdir),
                           ('link', lambda path: os.symlink('/dev/null', path)), ('fifo', os.mkfifo)):
            path = os.path.join(directory, name)
            make(path)
            refuses(1, f'unix:{path}', 'not a socket', arguments=['--listen', f'unix:{path}'])
            tap.truth(os.path.lexists(path), f'the {name} is still there')


def nothing_is_left_after_a_failure():
    """when one of several listeners fails, the sockets of the others are removed"""
    with tempfile.TemporaryDirectory() as directory:
        refuses(1, NEVER, arguments=['--listen', f'unix:{directory}/first.sock', '--listen', NEVER])
        tap.equal(os.listdir(directory), [], 'left behind')


def a_port_of_its_choice():
    """port 0: the log says which it is"""
    with Vmad(listen=['tcp:127.0.0.1:0', 'tcp:[::1]:0', 'tcp:localhost:0']) as vmad:
        names = [line for line in vmad.log if 'tcp:' in line]
        tap.equal(len(names), 3, 'listeners')
        for name in names:
            host, port = re.fullmatch(r'vmad: listening on tcp:(.*):(\d+)', name).groups()
            with Wire((host.strip('[]'), int(port))) as wire:
                tap.equal(wire.get('/v1/health').status, 200, name)


def sockets_from_systemd():
    """sockets of systemd's win over --listen, are known by name, and stay after the end"""
    made = {
        'vmad-unix': lambda directory: listen_unix(f'{directory}/vmad.sock'),
        'vmad-root': lambda directory: listen_unix(f'{directory}/root.sock'),
        'vmad-tcp': lambda directory: listen_tcp(),
    }
    with Activated(made, arguments=['--listen', NEVER]) as vmad:
        tap.equal(sum('listening on' in line for line in vmad.log), 3, vmad.log)
        with Wire(vmad.socket) as wire:
            tap.equal(wire.get('/v1/capabilities').json()['listener'], 'unix', 'the first')
        with Wire(vmad.root_socket) as wire:
            reply = wire.get('/v1/capabilities')
            if os.geteuid() == 0:
                tap.equal(reply.json()['listener'], 'unix-root', 'the second')
            else:
                tap.equal(reply.status, 403, 'the second')
        port = int(next(re.search(r':(\d+)$', line).group(1) for line in vmad.log if 'tcp:' in line))
        with Wire(('127.0.0.1', port)) as wire:
            tap.equal((wire.get('/v1/health').status, wire.get('/v1').status), (200, 401), 'the third')
        vmad.process.terminate()
        tap.equal(vmad.process.wait(20), 0, 'exit status')
        tap.truth(os.path.exists(vmad.socket), "the socket's file is systemd's to remove")


def sockets_without_names():
    """sockets without LISTEN_FDNAMES are ordinary ones"""
    with Activated({'x': lambda directory: listen_unix(f'{directory}/vmad.sock')}, names='') as vmad:
        with Wire(vmad.socket) as wire:
            tap.equal(wire.get('/v1/capabilities').json()['listener'], 'unix', 'listener')


def not_listening(directory):
    return socket.socket(socket.AF_UNIX)


def datagram(directory):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(f'{directory}/vmad.sock')
    return made


def everywhere(directory):
    made = socket.socket()
    made.bind(('0.0.0.0', 0))
    made.listen()
    return made


def sockets_that_are_not_there():
    """LISTEN_FDS of descriptors that are not open: one line, exit 1, and not the default listeners"""
    command = 'LISTEN_PID=$$ LISTEN_FDS=3 exec "$0" "$@"'
    process = subprocess.run(['sh', '-c', command, BINARY], capture_output=True, timeout=20, check=False)
    said = process.stderr.decode()
    tap.equal((process.returncode, said.count('\n')), (1, 1), said)
    tap.truth('systemd' in said, said)


def bad_sockets_from_systemd():
    """what systemd hands over and cannot be served: one line with its name, exit 1"""
    for make, word in ((not_listening, 'no listening socket'), (datagram, 'no listening socket'), (everywhere, 'loopback'),
                       (lambda directory: open('/dev/null', encoding='ascii'), 'no listening socket')):
        try:
            Activated({'odd': make}).stop()
            tap.truth(False, 'it started')
        except RuntimeError as error:
            tap.truth('vmad: socket odd: ' in str(error) and word in str(error), str(error))


class Notified:
    """The other end of NOTIFY_SOCKET: everything that was said, in order."""

    def __init__(self, directory):
        self.path = os.path.join(directory, 'notify')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def timed(self):
        """What is said next, and when it was: not when this program came to read it."""
        said, ((_, _, stamp),), *_ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
        seconds, nanoseconds = struct.unpack('qq', stamp)
        return dict(line.split('=', 1) for line in said.decode().splitlines()), seconds + nanoseconds / 1e9

    def next(self):
        return self.timed()[0]

    def beats(self, seconds):
        """How often WATCHDOG=1 is said in that time."""
        end, count = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                count += self.next() == {'WATCHDOG': '1'}
            except TimeoutError:
                break
        return count


def readiness():
    """NOTIFY_SOCKET: READY=1 with a status when it serves, STOPPING=1 when it drains"""
    with tempfile.TemporaryDirectory() as directory:
        notified = Notified(directory)
        with Vmad(environment={'NOTIFY_SOCKET': notified.path}) as vmad:
            said = notified.next()
            tap.equal(said['READY'], '1', 'at the start')
            tap.truth(said['STATUS'], 'a status')
            tap.equal(vmad.get('/v1/health').status, 200, 'and it is ready')
            vmad.process.terminate()
            said = notified.next()
            tap.equal(said['STOPPING'], '1', 'at the end')
        notified.socket.close()


def watchdog():
    """WATCHDOG_USEC: WATCHDOG=1 twice in that time, until the end"""
    with tempfile.TemporaryDirectory() as directory:
        notified = Notified(directory)
        with Vmad(environment={'NOTIFY_SOCKET': notified.path, 'WATCHDOG_USEC': '200000'}):
            _, began = notified.timed()
            beats = [notified.timed() for _ in range(4)]
            tap.equal([said for said, _ in beats], [{'WATCHDOG': '1'}] * 4, 'beats')
            tap.truth(beats[-1][1] - began >= 0.3, f'four within {beats[-1][1] - began:.2f} s')
        notified.socket.close()


def no_beat_for_the_dead():
    """WATCHDOG_USEC: no WATCHDOG=1 while the opener, or the worker, does not get on; one each again when it does"""
    if os.geteuid() != 0:
        raise tap.Skip('an ordinary user\'s vmad is one process')
    with tempfile.TemporaryDirectory() as directory:
        notified = Notified(directory)
        with Vmad(environment={'NOTIFY_SOCKET': notified.path, 'WATCHDOG_USEC': '400000'}) as vmad:
            for member in ('vmad-opener', 'vmad-worker'):
                wait_until(lambda: notified.beats(0.2), f'a beat before {member} is stopped')
                pid = vmad.processes()[member]
                os.kill(pid, signal.SIGSTOP)
                # There are five in a second else; one or two are still under way.
                wait_until(lambda: not notified.beats(1), f'a second without one while {member} is stopped')
                os.kill(pid, signal.SIGCONT)
                wait_until(lambda: notified.beats(0.2), f'a beat after {member} goes on')
        notified.socket.close()


def seconds_to_end(vmad):
    began = time.monotonic()
    tap.equal(vmad.stop(), 0, 'exit status')
    return time.monotonic() - began


def a_reply_in_the_air_ends_whole():
    """SIGTERM: replies in the air end whole, who waits for nothing is let go, new clients are turned away; exit 0"""
    without_any = seconds_to_end(Vmad())
    with Crowd(4000) as crowd:
        for number in (signal.SIGTERM, signal.SIGINT):
            vmad = Vmad()
            idle = Wire(vmad.socket)
            idle.get('/v1/health')
            with Wire(vmad.socket, receive_buffer=4096) as wire:
                wire.send(f'GET /v1/processes/{crowd.pid}/vmas HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
                first = wire.receive(100)
                vmad.process.send_signal(number)
                wait_until(lambda: not os.path.exists(vmad.socket), 'the socket is gone')
                tap.equal(idle.rest(), b'', 'who was idle')
                wire.have = first
                reply = wire.reply()
                tap.equal((reply.status, reply.json()['complete']), (200, True), 'the reply in the air')
            idle.close()
            took = seconds_to_end(vmad)
            tap.truth(took < without_any + 4, f'{took:.1f} s and not {without_any:.1f} s: it waits for nobody')


def one_that_hangs_does_not_hold_it():
    """SIGTERM: a client that does not take its reply is cut after five seconds; exit 0"""
    with Crowd(60000) as crowd:
        vmad = Vmad()
        with Wire(vmad.socket, receive_buffer=4096) as wire:
            wire.send(f'GET /v1/processes/{crowd.pid}/vmas HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
            wire.receive(100)
            began = time.monotonic()
            tap.equal(vmad.stop(timeout=20), 0, 'exit status')
            tap.truth(time.monotonic() - began >= 4, f'{time.monotonic() - began:.1f} s')


def many_starts_and_ends():
    """starts and ends while clients come: always exit 0, and every reply is a whole one"""
    def hammer(path, stop, served):
        while not stop.is_set():
            try:
                with Wire(path) as wire:
                    while not stop.is_set():
                        if wire.get(f'/v1/processes/{os.getpid()}').status == 200:
                            served.append(1)
            except Closed as cut:
                tap.truth("b''" in str(cut), f'half a reply: {cut}')
            except OSError:
                pass

    for _ in range(10):
        vmad, stop, served = Vmad(), threading.Event(), []

        def end():
            wait_until(lambda: served, 'a first answer')
            time.sleep(0.05)
            status = vmad.stop()
            stop.set()
            return status

        *_, status = checked(at_once([lambda: hammer(vmad.socket, stop, served)] * 4 + [end]))
        tap.equal(status, 0, 'exit status')


def hangup_is_nothing():
    """SIGHUP and SIGPIPE do not end it"""
    with Vmad() as vmad:
        for number in (signal.SIGHUP, signal.SIGPIPE):
            vmad.process.send_signal(number)
            tap.equal(vmad.get('/v1/health').status, 200, number)


tap.run([
    usage,
    help_and_version,
    listeners_that_are_none,
    a_port_in_use,
    unknown_users,
    procfs_that_is_none,
    config_file,
    bad_config_files,
    mode_of_the_socket,
    a_second_vmad,
    a_stale_socket,
    other_files_in_the_way,
    nothing_is_left_after_a_failure,
    a_port_of_its_choice,
    sockets_from_systemd,
    sockets_without_names,
    sockets_that_are_not_there,
    bad_sockets_from_systemd,
    readiness,
    watchdog,
    no_beat_for_the_dead,
    a_reply_in_the_air_ends_whole,
    one_that_hangs_does_not_hold_it,
    many_starts_and_ends,
    hangup_is_nothing,
])
