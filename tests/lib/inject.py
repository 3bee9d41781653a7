# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/faults/inject.so, and the page by which a test tells it what is to fail.

    with injection() as (control, environment):
        Vmad(environment=environment)
        control.begin(READ, errno.EIO, 3)
"""
import contextlib
import ctypes
import mmap
import os
import tempfile

from vmad import TOP_BUILDDIR

INJECT = os.path.join(TOP_BUILDDIR, 'tests/faults/inject.so')
MALLOC, OPEN, READ, MMAP, THREAD, SEND, IOCTL, RECEIVE, IDENTITY, DIRECTORY = range(1, 11)
SHORT, NEVER_BACK = 0, -1


class Control(ctypes.Structure):
    """The page; struct control of inject.c says what its members mean."""

    _fields_ = [('call', ctypes.c_int32), ('error', ctypes.c_int32), ('fail_at', ctypes.c_int64), ('count', ctypes.c_int64),
                ('live', ctypes.c_int64), ('only', ctypes.c_int32), ('lost', ctypes.c_int32), ('kept', ctypes.c_int64)]

    def begin(self, call, error, fail_at, only=0):
        """From now on the fail_at-th call of this kind fails; each such, where it is negative."""
        self.count, self.fail_at, self.error, self.only, self.call = 0, fail_at, error, only, call

    def end(self):
        self.call = 0


@contextlib.contextmanager
def injection():
    """The page, and the environment of a vmad that looks at it."""
    with tempfile.NamedTemporaryFile() as page:
        page.truncate(mmap.PAGESIZE)
        yield Control.from_buffer(mmap.mmap(page.fileno(), mmap.PAGESIZE)), {'LD_PRELOAD': INJECT, 'VMAD_FAULTS': page.name}
