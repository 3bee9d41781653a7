# SPDX-License-Identifier: GPL-2.0-or-later
"""Page frames by kind, and one frame, against /proc/kpageflags read directly."""
import array
import collections
import mmap
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import NOBODY, Vmad, as_user  # noqa: E402

PAGE = os.sysconf('SC_PAGE_SIZE')
RESERVED = 32  # bit, and one of the few that do not come and go


def needs_frames():
    if os.geteuid() != 0:
        raise tap.Skip('needs root')
    if not os.path.exists('/proc/kpageflags'):
        raise tap.Skip('this kernel has no kpageflags')


def ranges():
    for first, last in re.findall(r'^([0-9a-f]+)-([0-9a-f]+) : System RAM$', open('/proc/iomem').read(), re.M):
        yield -(-int(first, 16) // PAGE), (int(last, 16) + 1) // PAGE


def words(name, pfn, count):
    with open(f'/proc/{name}', 'rb', buffering=0) as file:
        return array.array('Q', os.pread(file.fileno(), count * 8, pfn * 8))


def all_frames():
    """every frame of memory is counted once; the reserved ones are as many as kpageflags says"""
    needs_frames()
    reserved = 0
    for first, end in ranges():
        for pfn in range(first, end, 1 << 16):
            reserved += sum(flags >> RESERVED & 1 for flags in words('kpageflags', pfn, min(1 << 16, end - pfn)))
    with Vmad() as vmad:
        answer = vmad.get('/v1/frames?deadline_ms=60000').json()
    tap.equal(answer['complete'], True, 'complete')
    tap.equal(answer['total_page_count'], sum(end - first for first, end in ranges()), 'total_page_count')
    tap.equal(sum(kind['page_count'] for kind in answer['frames']), answer['total_page_count'], 'sum of the kinds')
    tap.equal(len({tuple(kind['flags']) for kind in answer['frames']}), answer['count'], 'kinds that differ')
    tap.truth(all(kind['size_bytes'] == kind['page_count'] * PAGE for kind in answer['frames']), 'sizes')
    found = sum(kind['page_count'] for kind in answer['frames'] if 'reserved' in kind['flags'])
    tap.truth(abs(found - reserved) < 4096, f'reserved: {found} of {reserved}')


def by_node():
    """by node: every frame once, those of each block of memory with the node that sysfs has it in"""
    needs_frames()
    if not os.path.exists('/sys/devices/system/node'):
        raise tap.Skip('this kernel knows of no nodes')
    with Vmad() as vmad:
        answer = vmad.get('/v1/frames?by=node&deadline_ms=60000').json()
    whole = sum(end - first for first, end in ranges())
    tap.equal((answer['complete'], answer['total_page_count']), (True, whole), 'all frames')
    tap.equal(sum(kind['page_count'] for kind in answer['frames']), whole, 'sum of the nodes')
    tap.truth(not any('flags' in kind or 'cgroup' in kind for kind in answer['frames']), 'nothing but nodes')
    if not os.path.exists('/sys/devices/system/memory/block_size_bytes'):
        return
    block = int(open('/sys/devices/system/memory/block_size_bytes').read(), 16) // PAGE
    expected = collections.Counter()
    for first, end in ranges():
        for at in range(first // block, (end - 1) // block + 1):
            nodes = [name[4:] for name in os.listdir(f'/sys/devices/system/memory/memory{at}') if re.fullmatch(r'node\d+', name)]
            expected[int(nodes[0]) if len(nodes) == 1 else None] += min(end, (at + 1) * block) - max(first, at * block)
    tap.equal({kind.get('node'): kind['page_count'] for kind in answer['frames']}, expected, 'nodes')


def memory_cgroup():
    """The path and directory of our own memory control group."""
    groups = {}
    for line in open('/proc/self/cgroup'):
        _, controllers, path = line.rstrip('\n').split(':', 2)
        groups[controllers] = path
    if os.path.exists('/sys/fs/cgroup/cgroup.controllers'):
        return groups[''], '/sys/fs/cgroup' + groups['']
    memory = next((path for controllers, path in groups.items() if 'memory' in controllers.split(',')), None)
    if memory is None:
        raise tap.Skip('no memory control groups')
    return memory, '/sys/fs/cgroup/memory' + memory


def by_cgroup():
    """by control group: the memory that we take is counted for ours, under its path"""
    needs_frames()
    if not os.path.exists('/proc/kpagecgroup'):
        raise tap.Skip('this kernel has no kpagecgroup')
    path, directory = memory_cgroup()
    if not os.path.isdir(directory):
        raise tap.Skip(f'no {directory}')
    memory = mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(b'x' * len(memory))
    with Vmad() as vmad:
        answer = vmad.get('/v1/frames?by=cgroup&deadline_ms=60000').json()
        tap.truth(not any('flags' in kind or 'node' in kind for kind in answer['frames']), 'nothing but groups')
        whole = sum(end - first for first, end in ranges())
        tap.equal((answer['complete'], answer['total_page_count']), (True, whole), 'all frames')
        tap.equal(sum(kind['page_count'] for kind in answer['frames']), whole, 'sum of the groups')
        tap.equal(len({kind.get('cgroup_inode') for kind in answer['frames']}), answer['count'], 'groups that differ')
        counts = collections.Counter()
        for first, end in ranges():
            for pfn in range(first, end, 1 << 16):
                counts.update(words('kpagecgroup', pfn, min(1 << 16, end - pfn)))
    inode = os.stat(directory).st_ino
    ours = next(kind for kind in answer['frames'] if kind.get('cgroup_inode') == str(inode))
    tap.equal(ours['cgroup'], path, 'path')
    tap.truth(ours['page_count'] * PAGE >= len(memory), f'{ours} of {len(memory)} bytes')
    # others take and give memory meanwhile
    tap.truth(counts[inode] * PAGE >= len(memory) and abs(ours['page_count'] - counts[inode]) < whole // 10, f'{ours}, {counts[inode]}')
    memory.close()


def one_frame():
    """one frame: flags by name, and the map count; frames of nobody's memory are 404"""
    needs_frames()
    first = next(iter(ranges()))[0]
    with Vmad() as vmad:
        answer = vmad.get(f'/v1/frames/{first:x}').json()
        tap.equal(answer['pfn'], hex(first), 'pfn')
        tap.equal(answer['mapcount'], words('kpagecount', first, 1)[0], 'mapcount')
        tap.equal('reserved' in answer['flags'], bool(words('kpageflags', first, 1)[0] >> RESERVED & 1), 'reserved')
        beyond = vmad.get('/v1/frames/ffffffffff')
        tap.equal((beyond.status, beyond.json()['type']), (404, 'urn:vmad:problem:no-such-frame'), 'beyond')
        for bad in ('/v1/frames/xyz', '/v1/frames?by=', '/v1/frames?by=nodes', '/v1/frames?by=node&by=node', f'/v1/frames/{first:x}?by=node'):
            tap.equal(vmad.get(bad).status, 400, bad)


def for_root_alone():
    """frames are told to root alone"""
    needs_frames()
    with Vmad(open_to_all=True) as vmad:
        for path in ('/v1/frames', '/v1/frames?by=node', '/v1/frames?by=cgroup', '/v1/frames/1'):
            status, kind = as_user(NOBODY, lambda: (lambda reply: (reply.status, reply.json()['type']))(vmad.get(path)))
            tap.equal((status, kind), (403, 'urn:vmad:problem:not-allowed'), path)


def in_time():
    """a deadline that is too short: in part, and said so"""
    needs_frames()
    with Vmad() as vmad:
        answer = vmad.get('/v1/frames?deadline_ms=1').json()
    if answer['complete']:
        raise tap.Skip('this host has so little memory that a millisecond is enough')
    tap.equal(answer['reason'], 'deadline', 'reason')
    tap.equal(sum(kind['page_count'] for kind in answer['frames']), answer['total_page_count'], 'sum of the kinds')


tap.run([all_frames, by_node, by_cgroup, one_frame, for_root_alone, in_time])
