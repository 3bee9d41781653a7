#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command on a kernel that seems to have no PROCMAP_QUERY and no PAGEMAP_SCAN, such as 6.1: a seccomp filter
answers these two ioctls with ENOTTY."""
import ctypes
import errno
import os
import struct
import sys

IOCTL = 16  # x86-64
PAGEMAP_SCAN, PROCMAP_QUERY = 0xC0606610, 0xC0686611  # include/uapi/linux/fs.h
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000 | errno.ENOTTY
# linux/filter.h, offsets in struct seccomp_data: the number of the system call, then the low half of its second argument.
CODE = [
    (LOAD, 0, 0, 0),
    (IF_EQUAL, 0, 4, IOCTL),
    (LOAD, 0, 0, 24),
    (IF_EQUAL, 1, 0, PAGEMAP_SCAN),
    (IF_EQUAL, 0, 1, PROCMAP_QUERY),
    (RETURN, 0, 0, FAIL),
    (RETURN, 0, 0, ALLOW),
]

if os.uname().machine != 'x86_64':
    sys.exit('seccomp: this filter is for x86-64')
libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *row) for row in CODE))
program = struct.pack('HxxxxxxP', len(CODE), ctypes.addressof(code))
if os.geteuid() != 0:
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0:
    sys.exit(f'seccomp: {os.strerror(ctypes.get_errno())}')
os.execv(sys.argv[1], sys.argv[1:])
