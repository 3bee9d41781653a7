#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""without.py cachestat|ioctls COMMAND...: on a kernel that seems to be 6.1, which has no cachestat (6.5), no PAGEMAP_SCAN (6.7)
and no PROCMAP_QUERY (6.11): a seccomp filter answers the one, or the other two, as that kernel does."""
import ctypes
import errno
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
IOCTL, CACHESTAT = 16, 451  # x86-64
PAGEMAP_SCAN, PROCMAP_QUERY = 0xC0606610, 0xC0686611  # include/uapi/linux/fs.h

# linux/filter.h
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
# Offsets in struct seccomp_data: the number of the system call, the low half of its second argument.
NUMBER, ARGUMENT = (LOAD, 0, 0, 0), (LOAD, 0, 0, 24)
FILTERS = {
    'cachestat': [
        NUMBER,
        (IF_EQUAL, 0, 1, CACHESTAT),
        (RETURN, 0, 0, FAIL | errno.ENOSYS),
        (RETURN, 0, 0, ALLOW),
    ],
    'ioctls': [
        NUMBER,
        (IF_EQUAL, 0, 4, IOCTL),
        ARGUMENT,
        (IF_EQUAL, 1, 0, PAGEMAP_SCAN),
        (IF_EQUAL, 0, 1, PROCMAP_QUERY),
        (RETURN, 0, 0, FAIL | errno.ENOTTY),
        (RETURN, 0, 0, ALLOW),
    ],
}

if os.uname().machine != 'x86_64':
    sys.exit('seccomp: these filters are for x86-64')
rows = FILTERS[sys.argv[1]]
libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *row) for row in rows))
program = struct.pack('HxxxxxxP', len(rows), ctypes.addressof(code))
# Root needs no no_new_privs, which would be in its way.
if os.geteuid() != 0:
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0:
    sys.exit(f'seccomp: {os.strerror(ctypes.get_errno())}')
os.execv(sys.argv[2], sys.argv[2:])
