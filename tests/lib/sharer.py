# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that share pages in a way that is known: tests/live/sharers, and what some of its cases need of the host."""
import contextlib
import os
import subprocess
import tempfile

import tap
from vmad import TOP_BUILDDIR

SHARER = os.path.join(TOP_BUILDDIR, 'tests/live/sharer')
KSM = '/sys/kernel/mm/ksm/run'
HUGE = '/proc/sys/vm/nr_hugepages'


class Asked:
    """A page that a sharer made: whom to ask about, and who maps it: {(pids, address)}."""

    def __init__(self, name, pid, address):
        self.name, self.pid, self.address, self.expected = name, int(pid), int(address, 16), set()

    def path(self, rest=''):
        return f'/v1/processes/{self.pid}/pages/{self.address:#x}/mappings{rest}'


class Sharer:
    """with Sharer('memfd') as sharer: sharer.pages."""

    def __init__(self, case):
        self.pages = []
        self.directory = tempfile.TemporaryDirectory(prefix='vmad-sharer-')
        self.process = subprocess.Popen(
            [SHARER, case], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.directory.name, text=True
        )
        self.absent = None
        self.wait()

    def wait(self):
        """Reads until it is ready."""
        for line in self.process.stdout:
            what, *words = line.rstrip('\n').split('\t')
            if what == 'ready':
                return
            if what == 'absent':
                self.absent = words[0]
            elif what == 'page':
                self.pages.append(Asked(*words))
            else:
                self.pages[-1].expected.add((tuple(sorted(map(int, words[1:]))), int(words[0], 16)))
        raise RuntimeError('the sharer did not get ready')

    def go_on(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.directory.cleanup()


@contextlib.contextmanager
def setting(path, change):
    """A setting of the kernel, as change(its text) says, and as it was before when that is over."""
    try:
        with open(path, encoding='ascii') as file:
            before = file.read()
        with open(path, 'w', encoding='ascii') as file:
            file.write(change(before))
    except OSError as error:
        raise tap.Skip(f'{path}: {error}') from None
    try:
        yield
    finally:
        with open(path, 'w', encoding='ascii') as file:
            file.write(before)


def huge_pages():
    """Two more pages of hugetlb, for as long as the case runs."""
    return setting(HUGE, lambda before: str(int(before) + 2))


def ksm():
    """KSM goes round, for as long as the case runs."""
    return setting(KSM, lambda before: '1')
