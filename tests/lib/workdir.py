# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the threads of a process are."""
import ctypes
import errno
import os

KCMP = {'x86_64': 312}.get(os.uname().machine, 272)     # that of many others
KCMP_FS = 3     # linux/kcmp.h
LIBC = ctypes.CDLL(None, use_errno=True)


def directories(pid):
    """The working directories of its threads, but for those that end meanwhile."""
    found = set()
    for tid in os.listdir(f'/proc/{pid}/task'):
        try:
            found.add(os.readlink(f'/proc/{pid}/task/{tid}/cwd'))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def has_own(pid, tid):
    """Has the thread a working directory of its own, and not the process's? None where the kernel does not tell."""
    differs = LIBC.syscall(KCMP, pid, tid, KCMP_FS, 0, 0)
    return None if differs < 0 and ctypes.get_errno() == errno.ENOSYS else differs > 0


def some_have_own(pid):
    """Have some of its threads?"""
    found = {has_own(pid, int(tid)) for tid in os.listdir(f'/proc/{pid}/task')}
    return None if None in found else True in found
