# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults: each call of a kind fails once, in each kind of request: vmad lives, says what is true, and loses nothing."""
import ctypes
import errno
import http.client
import json
import mmap
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import TOP_BUILDDIR, UnixConnection, Vmad, is_sanitized  # noqa: E402

INJECT = os.path.join(TOP_BUILDDIR, 'tests/faults/inject.so')
MALLOC, OPEN, READ, MMAP, THREAD, SEND, IOCTL = range(1, 8)
SHORT = 0
DENSE = 150  # beyond so many calls not every one is tried, but one in fifty more each time
SECONDS = 30


class Control(ctypes.Structure):
    """The page that tests/faults/inject.c reads."""

    _fields_ = [('call', ctypes.c_int32), ('error', ctypes.c_int32), ('fail_at', ctypes.c_int64), ('count', ctypes.c_int64), ('live', ctypes.c_int64)]


def requests(victim):
    """What is asked: each way through the code once."""
    pid, address = victim.pid, next(iter(vmas(victim)))['start']
    return [
        '/v1/health',
        '/v1/capabilities',
        '/v1/processes?limit=5',
        f'/v1/processes/{pid}',
        f'/v1/processes/{pid}?detail=usage',
        f'/v1/processes/{pid}/vmas',
        f'/v1/processes/{pid}/vmas?detail=usage',
        f'/v1/processes/{pid}/vmas/{address}',
        f'/v1/processes/{pid}/pages',
        f'/v1/processes/{pid}/pages/{address}',
        f'/v1/processes/{pid}/gaps?length=4096',
        '/v1/files/pages?path=/bin/sh',
        *([f'/v1/processes/{pid}/pages/{address}/mappings?deadline_ms=2000'] if os.geteuid() == 0 else []),
    ]


def vmas(victim):
    return ask(f'/v1/processes/{victim.pid}/vmas')[1]['vmas']


def ask(target):
    """Status and document; None for what is no document, because the connection ended before its end."""
    connection = UnixConnection(vmad.socket, timeout=SECONDS)
    try:
        connection.request('GET', target)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    except (http.client.HTTPException, ConnectionError, json.JSONDecodeError):
        return 0, None
    finally:
        connection.close()


LOWEST = 1 << 20

# These differ from one moment to the next, whatever fails.
VOLATILE = ('age_ms', 'frame', 'source', 'page', 'mappings', 'processes_found', 'mappings_found', 'method')


def differs(found, expected):
    """In few words: lists are long."""
    if isinstance(found, list) and isinstance(expected, list):
        return f'{len(found)} and not {len(expected)}: ' + '; '.join(f'{a} and not {b}' for a, b in zip(found, expected) if a != b)[:400]
    return f'{found} and not {expected}'[:400]


def steady(document):
    """Without what smaps counts: other processes come and go, and share libraries with the victim."""
    rows = [{key: value for key, value in row.items() if 'rss_bytes' not in row or key in ('start', 'end', 'perms', 'kind', 'path', 'flags')}
            for row in document.get('vmas', ())]
    usage = 'pss_bytes' in document
    kept = {name: value for name, value in document.items() if name not in ('vmas', *VOLATILE) and not (usage and name.endswith('_bytes'))}
    if 'gaps' in kept:  # vm.mmap_min_addr may be what could not be read: then the lowest gap is one, and has no reason
        kept = {'gaps': [gap for gap in kept['gaps'] if int(gap['start'], 16) > LOWEST], 'placement': kept['placement']}
    return kept | {'vmas': rows}


def is_honest(status, document, whole, target):
    """No error that is not true of this request, and nothing that is not so; what is missing may be missing where it is not called complete."""
    if document is None:
        return
    tap.truth(status == 200 or status in (500, 503, 504, 507, 501), f'{target}: {status} {document}')
    if status != 200:
        tap.truth(document['type'].startswith('urn:vmad:problem:') and document['status'] == status, f'{target}: {document}')
        return
    if document.get('complete') is False:
        tap.truth(document['reason'], f'{target}: incomplete, without a reason')
        return
    if f'/{victim.pid}' in target:
        for name, value in steady(document).items():
            certain = name != 'placement' or value['certain']
            if certain and name in whole:
                tap.truth(value == whole[name], f'{target}: {name}: {differs(value, whole[name])}')


def tries(call, error, target):
    """One request for each call of the kind, in which that one fails; then one more that none does."""
    whole = steady(ask(target)[1])
    n = 1
    while True:
        control.count, control.fail_at, control.error, control.call = 0, n, error, call
        status, document = ask(target)
        control.call = 0
        try:
            is_honest(status, document, whole, target)
        except AssertionError as wrong:
            raise AssertionError(f'call {n}: {wrong}') from None
        if control.count < n:
            break
        n += 1 if n < DENSE else 1 + n // 50
    tap.equal(ask(target)[0], 200, f'{target}, after {n} faults')
    return n


def open_files():
    return len(os.listdir(f'/proc/{vmad.pid}/fd'))


def settles(read, most, what):
    """Connections end a moment after their last byte."""
    end = time.monotonic() + 10
    while read() > most:
        tap.truth(time.monotonic() < end, f'{what}: {read()}, and not {most} at most')
        time.sleep(0.02)


def faults(name, call, error):
    """A case: this call fails so, everywhere."""

    def case():
        total = 0
        for target in requests(victim):
            ask(target)
            settles(open_files, files_at_rest, f'{target}: descriptors before')
            live = control.live
            tried = tries(call, error, target)
            settles(open_files, files_at_rest, f'{target}: descriptors')
            total += tried
            # A cache may hold some; a leak would be one more each time.
            settles(lambda: control.live, live + 40 + tried // 4, f'{target}: allocations')
        print(f'# {total} requests', flush=True)
        tap.equal(vmad.process.poll(), None, 'vmad lives')

    case.__doc__ = f'{name}: vmad lives, tells nothing untrue, and loses nothing'
    return case


if is_sanitized():
    print('1..0 # SKIP a sanitizer has an allocator of its own; what is built without one is tried')
    sys.exit(0)
with tempfile.NamedTemporaryFile() as page:
    page.truncate(4096)
    shared = mmap.mmap(page.fileno(), 4096)
    control = Control.from_buffer(shared)
    with Vmad(arguments=['--metrics', 'off'], environment={'LD_PRELOAD': INJECT, 'VMAD_FAULTS': page.name}) as vmad, Victim() as victim:
        for first in requests(victim):
            ask(first)
        time.sleep(0.2)
        files_at_rest = open_files() + 2
        tap.run([
            faults('no memory', MALLOC, errno.ENOMEM),
            faults('no descriptor', OPEN, errno.EMFILE),
            faults('a read that fails', READ, errno.EIO),
            faults('a read that is interrupted', READ, errno.EINTR),
            faults('a read that brings half', READ, SHORT),
            faults('no room to map', MMAP, errno.ENOMEM),
            faults('no thread', THREAD, errno.EAGAIN),
            faults('a client that is gone', SEND, errno.ECONNRESET),
            faults('a send that is interrupted', SEND, errno.EINTR),
            faults('a send that takes half', SEND, SHORT),
            faults('an ioctl that fails', IOCTL, errno.ENOMEM),
        ])
