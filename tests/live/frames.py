# SPDX-License-Identifier: GPL-2.0-or-later
"""Page frames by kind, and one frame, against /proc/kpageflags read directly."""
import array
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
        answer = vmad.get('/v1/frames').json()
    tap.equal(answer['complete'], True, 'complete')
    tap.equal(answer['total_page_count'], sum(end - first for first, end in ranges()), 'total_page_count')
    tap.equal(sum(kind['page_count'] for kind in answer['frames']), answer['total_page_count'], 'sum of the kinds')
    tap.equal(len({tuple(kind['flags']) for kind in answer['frames']}), answer['count'], 'kinds that differ')
    tap.truth(all(kind['size_bytes'] == kind['page_count'] * PAGE for kind in answer['frames']), 'sizes')
    found = sum(kind['page_count'] for kind in answer['frames'] if 'reserved' in kind['flags'])
    tap.truth(abs(found - reserved) < 4096, f'reserved: {found} of {reserved}')


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
        tap.equal(vmad.get('/v1/frames/xyz').status, 400, 'not hex')


def for_root_alone():
    """frames are told to root alone"""
    needs_frames()
    with Vmad(open_to_all=True) as vmad:
        for path in ('/v1/frames', '/v1/frames/1'):
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


tap.run([all_frames, one_frame, for_root_alone, in_time])
