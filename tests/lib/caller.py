# SPDX-License-Identifier: GPL-2.0-or-later
"""A process of another identity, which asks vmad and the kernel alike, and says what each told it.

    with Caller(uid=1001, gid=1001, groups=[4]) as caller:
        caller.ask(vmad.socket, ['/v1/processes/1/vmas'])       [{'status': 403, ...}]
        caller.read([(1, 'stat'), (1, 'maps')])                 [0, 'EACCES']

Whoever is not root has no capability: what it opens is what the kernel lets its ids open. Slow, and obviously right.
"""
import contextlib
import ctypes
import errno
import http.client
import json
import os
import re
import socket
import sys
import time
import traceback

from vmad import PR_SET_DUMPABLE, UnixConnection, request

PATIENCE = 20
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
# What only root may be told: of page frames, and where a page is swapped out to.
FRAMES = re.compile(rb'"(pfn|folio_head_pfn|frame|swap|kpageflags)":')
PASSING = {'date', 'server-timing', 'x-request-id', 'content-length'}     # fields that differ from reply to reply, or with the pid


def libc(name, *arguments):
    """A call of the C library's; an errno is raised."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), f'{name}: {os.strerror(ctypes.get_errno())}')


def last(pattern, body):
    """What a member of a list's verdict says, which stands at its end."""
    found = re.findall(pattern, body[-512:])
    return json.loads(found[-1]) if found else None


def summary(reply, path):
    """What the parent compares of a reply: the body of a problem as bytes, with the pid that was asked for left out. By patterns: to
    take each of some thousand documents apart would take most of the time."""
    if reply.status < 400:
        return {'status': reply.status, 'frames': sorted({name.decode() for name in FRAMES.findall(reply.body)}),
                'complete': last(rb'"complete":(true|false)', reply.body), 'count': last(rb'"count":(\d+)', reply.body)}
    pid = (re.findall(r'/processes/(\d+)', path) or ['0'])[0]
    fields = sorted((name.lower(), value) for name, value in reply.headers.items() if name.lower() not in PASSING)
    return {'status': reply.status, 'bytes': re.sub(rf'\b{pid}\b', 'PID', f'{fields} {reply.body.decode()}')}


class Caller:
    """groups: supplementary ones. uid None: this process's own identity, with all that it may. inside: before that, namespaces of its own."""

    def __init__(self, uid=None, gid=None, groups=(), inside=0):
        self.identity = uid, uid if gid is None else gid, list(groups)
        self.inside = inside
        self.ours, theirs = socket.socketpair()
        self.child = os.fork()
        if self.child == 0:
            self.ours.close()
            self._child(theirs)
        theirs.close()
        self.replies = self.ours.makefile('r')

    def _child(self, wire):
        status = 1
        try:
            self._become()
            self._serve(wire.makefile('rw'))
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _become(self):
        uid, gid, groups = self.identity
        if uid is not None:
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            libc('prctl', PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after an exec; else its namespaces are hidden
        if self.inside:
            libc('unshare', self.inside)
        if self.inside & CLONE_NEWUSER:
            with open('/proc/self/uid_map', 'w', encoding='ascii') as file:
                file.write(f'0 {uid or 0} 1')
        if self.inside & CLONE_NEWPID:
            child = os.fork()   # only children live in it
            if child:
                os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    def _serve(self, wire):
        for line in wire:
            name, arguments = json.loads(line)
            wire.write(json.dumps(getattr(self, f'_{name}')(*arguments)) + '\n')
            wire.flush()

    @staticmethod
    def _connection(where):
        plain = UnixConnection(where) if isinstance(where, str) else http.client.HTTPConnection(*where, timeout=30)
        return contextlib.closing(plain)

    def _do_ask(self, where, paths, method, headers):
        with self._connection(where) as connection:
            return [summary(request(connection, path, method, headers), path) for path in paths]

    def _do_json(self, where, path, method):
        with self._connection(where) as connection:
            return request(connection, path, method).json()

    def _do_read(self, files):
        return [self._outcome(f'/proc/{pid}/{name}') for pid, name in files]

    def _do_lines(self, path):
        with open(path, 'rb') as file:
            return [line.decode(errors='replace') for line in file.read().split(b'\n') if line]

    def _do_hold(self, where, count):
        self.held = [self._one_that_counts(where) for _ in range(count)]

    def _one_that_counts(self, where):
        """A connection within the quota: vmad may not have seen yet that those of before are closed."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            connection = self._connection(where)
            if request(connection.thing, '/v1/health').status == 200:
                return connection
            connection.thing.close()
        raise TimeoutError('no connection counts')

    def _do_let_go(self):
        for connection in self.held:
            connection.thing.close()

    def _do_pids(self):
        return sorted(int(name) for name in os.listdir('/proc') if name.isdigit())

    def _do_outcome(self, path):
        return self._outcome(path)

    def _do_may_know_cache(self, path):
        """May it know what of a file is in the page cache? cachestat(2): its owner, or who may write to it."""
        return os.stat(path).st_uid == os.geteuid() or os.access(path, os.W_OK, effective_ids=True)

    @staticmethod
    def _outcome(path):
        """0 where the file opens and can be read, else the errno's name."""
        try:
            with open(path, 'rb', buffering=0) as file:
                file.read(4096)
            return 0
        except OSError as error:
            return errno.errorcode[error.errno]

    def _send(self, name, *arguments):
        self.ours.sendall(json.dumps([name, arguments]).encode() + b'\n')

    def _call(self, name, *arguments):
        self._send(name, *arguments)
        return self.answer()

    def ask(self, where, paths, method='GET', headers=None):
        """Requests on one connection: of each reply its summary()."""
        return self._call('do_ask', where, paths, method, headers or {})

    def start_asking(self, where, paths):
        """The same; the replies come from answer()."""
        self._send('do_ask', where, paths, 'GET', {})

    def answer(self):
        line = self.replies.readline()
        if not line:
            raise RuntimeError(f'the caller {self.identity} has ended')
        return json.loads(line)

    def json(self, where, path, method='GET'):
        """The document of one request."""
        return self._call('do_json', where, path, method)

    def read(self, files):
        """files: (pid, name): of each 0, or an errno's name."""
        return self._call('do_read', files)

    def lines(self, path):
        return self._call('do_lines', path)

    def pids(self):
        """Those that procfs lists for it."""
        return set(self._call('do_pids'))

    def outcome(self, path):
        return self._call('do_outcome', path)

    def may_know_cache(self, path):
        return self._call('do_may_know_cache', path)

    def hold(self, where, count):
        """So many connections, each answered once, and silent from then on, until let_go()."""
        self._call('do_hold', where, count)

    def let_go(self):
        self._call('do_let_go')

    def close(self):
        self.replies.close()
        self.ours.close()
        os.waitpid(self.child, 0)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()
