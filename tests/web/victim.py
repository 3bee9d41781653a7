# SPDX-License-Identifier: GPL-2.0-or-later
"""victim.py DIRECTORY: a process to look at. It names itself in HTML, maps a file whose name is HTML, touches half of a private
area, and has two children that share those pages. It prints one line of JSON, and ends, with them, at the end of its input."""
import ctypes
import json
import mmap
import os
import signal
import sys

NAME = '<img src=x>&<b>'
PAGES = 512

with open('/proc/self/comm', 'w', encoding='ascii') as comm:
    comm.write(NAME)
path = os.path.join(sys.argv[1], '<img src=x onerror=alert(1)>\x1b[31m')
with open(path, 'w+b') as file:
    file.truncate(4 * mmap.PAGESIZE)
    shown = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED)
area = mmap.mmap(-1, PAGES * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
area.madvise(mmap.MADV_NOHUGEPAGE)
for page in range(PAGES // 2):
    area[page * mmap.PAGESIZE] = 1
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        signal.pause()
    children.append(child)
print(json.dumps({
    'pid': os.getpid(), 'name': NAME, 'children': children, 'path': path, 'pages': PAGES,
    'area': hex(ctypes.addressof(ctypes.c_char.from_buffer(area))),
    'shown': hex(ctypes.addressof(ctypes.c_char.from_buffer(shown))),
}), flush=True)
sys.stdin.read()
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
