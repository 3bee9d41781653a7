# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/live/paged, a program with pages in every state; and what /proc says of pages, read here."""
import contextlib
import json
import os
import re
import signal
import struct
import subprocess
import tempfile
import time

import procfs
from vmad import TOP_BUILDDIR, TOP_SRCDIR

PAGED = os.path.join(TOP_BUILDDIR, 'tests/live/paged')
HUGE_PAGES = '/proc/sys/vm/nr_hugepages'
# Flags of frames that change by themselves, also while the process is stopped.
RESTLESS = {
    'locked', 'referenced', 'uptodate', 'dirty', 'lru', 'active', 'writeback', 'reclaim', 'idle', 'softdirty', 'ksm', 'private',
    'swapcache', 'owner-2', 'owner-private', 'arch', 'arch-2', 'arch-3', 'private-2',
}  # fmt: skip


class Paged:
    """A running tests/live/paged: areas {name: (start, letters)}."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix='vmad-paged-')
        self.process = subprocess.Popen(
            [PAGED, self.directory.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding='ascii'
        )
        self.pid = self.process.pid
        self.areas, self.absent = {}, {}
        for line in self.process.stdout:
            words = line.rstrip('\n').split('\t')
            if words[0] == 'ready':
                return
            if words[0] == 'area':
                self.areas[words[1]] = (int(words[2], 16), words[3])
            else:
                self.absent[words[1]] = words[2]
        raise RuntimeError('paged did not get ready')

    def tell(self, command, name):
        print(command, name, file=self.process.stdin, flush=True)
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    while procfs.stat(pid)['state'] != 'T':
        time.sleep(0.001)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def words(path, first, count):
    """64-bit words of a file of such."""
    with open(path, 'rb', buffering=0) as file:
        data = os.pread(file.fileno(), 8 * count, 8 * first)
    return struct.unpack(f'{len(data) // 8}Q', data)


def state_of(entry):
    """A second opinion on an entry of pagemap."""
    if entry >> 63:
        return 'present'
    if entry >> 62 & 1:
        kind, mark = entry & 31, entry >> 5 & 7
        if entry >> 58 & 1 or (kind == 31 and mark & 4):
            return 'guard'
        return 'marker' if kind >= 23 else 'swapped'
    return 'marker' if entry >> 57 & 1 else 'none'


def kpageflag_names():
    with open(os.path.join(TOP_SRCDIR, 'include/vmad/kpageflags.def'), encoding='ascii') as file:
        return {int(bit): name for bit, name in re.findall(r'^KPAGEFLAG\((\d+), \w+, "([^"]+)"', file.read(), re.M)}


@contextlib.contextmanager
def one_huge_page():
    """A page of hugetlbfs, where we may ask for one; the setting is put back."""
    try:
        with open(HUGE_PAGES, encoding='ascii') as file:
            before = file.read()
        with open(HUGE_PAGES, 'w', encoding='ascii') as file:
            file.write(str(int(before) + 1))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with open(HUGE_PAGES, 'w', encoding='ascii') as file:
            file.write(before)


class Child:
    """A process that runs a function of ours, then waits; what the function returns is `told`."""

    def __init__(self, function):
        receive, send = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.write(send, json.dumps(function()).encode() + b'\n')
                while True:
                    signal.pause()
            finally:
                os._exit(1)
        os.close(send)
        with os.fdopen(receive) as answer:
            self.told = json.loads(answer.readline())

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            self.end()
