# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts the vmad that was built, and talks to it: HTTP over a Unix socket (or TCP) with the standard library.

    with Vmad() as vmad:
        reply = vmad.get('/v1/health')
        reply.status, reply.headers, reply.body, reply.json()
"""
import ctypes
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
TOP_BUILDDIR = os.environ.get('TOP_BUILDDIR', TOP_SRCDIR)
BINARY = os.path.join(TOP_BUILDDIR, 'daemon/vmad')
PREFIX = os.environ.get('VMAD_TEST_PREFIX', '').split()  # before every vmad: a command that execs its arguments
READY_SECONDS = 60  # sanitizers on a loaded machine; an ordinary start takes some milliseconds
NOBODY = 65534
PR_SET_DUMPABLE = 4

sys.dont_write_bytecode = True


class UnixConnection(http.client.HTTPConnection):
    """http.client over a Unix socket."""

    def __init__(self, path, timeout=30):
        super().__init__('localhost', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def distinct(members):
    """An object's members, no name twice: json takes the last one without a word."""
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        raise AssertionError(
            f'members that are there twice: {sorted(name for name in set(names) if names.count(name) > 1)}'
        )
    return dict(members)


class Reply:
    """One reply, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def text(self):
        """The body's bytes, unpacked where they came as gzip."""
        return gzip.decompress(self.body) if self.headers.get('Content-Encoding') == 'gzip' else self.body

    def json(self):
        return json.loads(self.text(), object_pairs_hook=distinct)

    def lines(self):
        """An NDJSON body, an object a line."""
        return [json.loads(line, object_pairs_hook=distinct) for line in self.text().splitlines()]


def request(connection, path, method='GET', headers=None, body=None):
    """One request on an open connection; the connection stays open where vmad keeps it."""
    connection.request(method, path, body=body, headers=headers or {})
    return Reply(connection.getresponse())


def children(pid):
    """A process's children: {comm: pid}."""
    found = {}
    try:
        with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
            pids = [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return found
    for child in pids:
        try:
            with open(f'/proc/{child}/comm', encoding='utf-8') as comm:
                found[comm.read().strip()] = child
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


class Vmad:
    """A running vmad with a socket in a directory of its own.

    listen: further --listen values (for a tcp port ask free_port()). arguments: further options. uid: run it as that
    user (needs root). open_to_all: the socket is 0666, as an administrator's drop-in would have it. prefix: a command
    that execs its arguments. binary: another vmad.
    """

    def __init__(self, listen=(), arguments=(), uid=None, open_to_all=False, environment=None, prefix=(), binary=BINARY):
        self.binary = binary
        self.directory = tempfile.mkdtemp(prefix='vmad-test-')
        self.socket = os.path.join(self.directory, 'vmad.sock')
        self.log = []
        self.passed = ()  # descriptors that it inherits
        self._ready = threading.Event()
        self._open_to_all = open_to_all
        self._start(uid, [f'unix:{self.socket}', *listen], [*arguments], [*prefix], environment or {})

    def _binary(self, uid):
        """Another user may not reach the build tree: it gets a copy."""
        if uid is None:
            return self.binary
        os.chown(self.directory, uid, uid)
        return shutil.copy(self.binary, os.path.join(self.directory, 'vmad'))

    def _start(self, uid, listen, arguments, prefix, environment):
        command = [*PREFIX, *prefix, self._binary(uid), *arguments]
        for where in listen:
            command += ['--listen', where]
        identity = {} if uid is None else {'user': uid, 'group': uid, 'extra_groups': []}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            cwd='/',
            pass_fds=self.passed,
            **identity,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._ready.wait(READY_SECONDS) or 'vmad: ready' not in self.log:
            self.stop()
            raise RuntimeError('vmad did not get ready: ' + '; '.join(self.log))
        if self._open_to_all:
            os.chmod(self.directory, 0o755)
            os.chmod(self.socket, 0o666)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors='backslashreplace').rstrip('\n'))
            if self.log[-1] == 'vmad: ready':
                self._ready.set()
        self._ready.set()  # it ended: nobody needs to wait any longer

    @property
    def main_pid(self):
        return self.process.pid

    def processes(self):
        """Its processes: {comm: pid}. As root the one that was started has an opener, a worker and a sampler; else it may have a sampler."""
        return {'vmad': self.main_pid, **children(self.main_pid)}

    @property
    def pid(self):
        """The process that talks to clients."""
        return self.processes().get('vmad-worker', self.main_pid)

    def connect(self, timeout=30):
        return UnixConnection(self.socket, timeout)

    def get(self, path, headers=None, method='GET', body=None, timeout=30):
        """One request on a connection of its own."""
        connection = self.connect(timeout)
        try:
            return request(connection, path, method, headers, body)
        finally:
            connection.close()

    def memory(self, field='VmHWM'):
        """A field of the daemon's own status, in bytes."""
        with open(f'/proc/{self.pid}/status', encoding='ascii', errors='replace') as status:
            return int(re.search(rf'^{field}:\s+(\d+)', status.read(), re.M).group(1)) * 1024

    def stop(self, signum=signal.SIGTERM, timeout=READY_SECONDS):
        """Ends it and returns its exit status (negative: the signal that killed it)."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._reader.join(5)
        shutil.rmtree(self.directory, ignore_errors=True)
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        status = self.stop()
        if status != 0:
            print(*(f'# {line}' for line in self.log[-80:]), sep='\n', flush=True)
        fine = kind is None or (kind is SystemExit and not error.code)
        if fine and status != 0:
            raise RuntimeError(f'vmad ended with {status}')


def is_sanitized():
    """Was vmad built with a sanitizer that has an allocator of its own?"""
    with open(BINARY, 'rb') as binary:
        text = binary.read()
    return b'__asan_init' in text or b'__tsan_init' in text


def free_port(host='127.0.0.1'):
    """A TCP port that is free just now."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def as_user(uid, function, gid=None, groups=()):
    """Runs function() in a child that is that user without any capability; what it returns must be JSON."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(receive)
            os.setgroups(list(groups))
            os.setgid(uid if gid is None else gid)
            os.setuid(uid)
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after an exec; else its namespaces are hidden
            with os.fdopen(send, 'w') as out:
                json.dump(function(), out)
            status = 0
        except Exception as error:  # told by the exit status and on stderr
            print(f'# as uid {uid}: {error!r}', file=sys.stderr, flush=True)
        finally:
            os._exit(status)
    os.close(send)
    with os.fdopen(receive) as answer:
        text = answer.read()
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError(f'the child as uid {uid} failed')
    return json.loads(text)
