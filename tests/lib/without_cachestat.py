#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command on a kernel that seems to have no cachestat: a seccomp filter answers it with ENOSYS."""
import ctypes
import errno
import os
import struct
import sys

CACHESTAT = 451
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
# linux/filter.h: load the number of the system call; if it is cachestat, fail; else allow. Root needs no no_new_privs,
# which would be in its way.
CODE = [(0x20, 0, 0, 0), (0x15, 0, 1, CACHESTAT), (0x06, 0, 0, 0x00050000 | errno.ENOSYS), (0x06, 0, 0, 0x7FFF0000)]

libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *row) for row in CODE))
program = struct.pack('HxxxxxxP', len(CODE), ctypes.addressof(code))
if os.geteuid() != 0:
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0:
    sys.exit(f'seccomp: {os.strerror(ctypes.get_errno())}')
os.execv(sys.argv[1], sys.argv[1:])
