#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmactl against a stand-in for vmad: what it asks, what it shows, and how it ends."""
import atexit
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
TOP_BUILDDIR = os.environ.get('TOP_BUILDDIR', TOP_SRCDIR)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402
from fake_vmad import Canned, FakeVmad, problem  # noqa: E402

VMACTL = os.path.join(TOP_BUILDDIR, 'client/vmactl')
SECONDS = 30        # for anything that should take none
ENVIRONMENT = {key: value for key, value in os.environ.items()
               if not key.startswith('VMACTL_') and key not in ('NO_COLOR', 'PAGER', 'LESS')} | {'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'}

LIBC = '/usr/lib/x86_64-linux-gnu/libc.so.6'


def vma(start, end, perms, kind, **members):
    """A VMA as vmad writes it."""
    return {'start': hex(start), 'end': hex(end), 'size_bytes': end - start, 'perms': perms, 'offset_bytes': 0, 'device': '00:00',
            'inode': '0', 'deleted': False, 'kind': kind, **members}


HEAD = {'pid': 4242, 'start_time_ticks': 991, 'comm': 'nginx', 'source': 'maps'}
ROWS = [
    vma(0x55d0c0a1f000, 0x55d0c0a20000, 'r--p', 'private-file', path='/usr/sbin/nginx', inode='247134', device='fe:00'),
    vma(0x55d0c1a20000, 0x55d0c1bb5000, 'rw-p', 'heap', name='[heap]'),
    vma(0x7f10a2c00000, 0x7f10a2c28000, 'r--p', 'private-file', path=LIBC, inode='99', device='fe:00'),
    vma(0x7f10a2c28000, 0x7f10a2dbd000, 'r-xp', 'private-file', path=LIBC, inode='99', device='fe:00', offset_bytes=0x28000),
    vma(0x7f10a2e00000, 0x7f10a2e01000, 'rwxp', 'private-file', path='/tmp/gone.so', inode='7', device='fe:00', deleted=True),
    vma(0x7ffe00000000, 0x7ffe00021000, 'rw-p', 'stack', name='[stack]'),
]
USAGE = [{**row, 'rss_bytes': 4096 * number, 'pss_bytes': 2048 * number, 'private_dirty_bytes': 0, 'swap_bytes': 0, 'zork_bytes': 8192,
          'flags': ['rd', 'mr', 'ex', 'zz']} for number, row in enumerate(ROWS)]
PROCESSES = [
    {'pid': 1, 'start_time_ticks': 5, 'ppid': 0, 'comm': 'systemd', 'uid': 0, 'user': 'root', 'unit': 'init.scope', 'state': 'S', 'threads': 1,
     'vm_size_bytes': 170 << 20, 'rss_bytes': 12 << 20, 'swap_bytes': 0, 'vma_count': 151, 'vma_limit_ratio': 0.0023},
    {'pid': 4242, 'start_time_ticks': 991, 'ppid': 1, 'comm': 'nginx', 'uid': 33, 'user': 'www-data', 'unit': 'nginx.service', 'state': 'S',
     'threads': 4, 'vm_size_bytes': 56 << 20, 'rss_bytes': 6 << 20, 'vma_count': 97, 'vma_limit_ratio': 0.00148},
    {'pid': 4243, 'start_time_ticks': 992, 'ppid': 1, 'comm': 'nginx', 'uid': 33, 'user': 'www-data', 'unit': 'nginx.service', 'state': 'S',
     'threads': 4, 'vm_size_bytes': 57 << 20, 'rss_bytes': 7 << 20, 'vma_count': 60000, 'vma_limit_ratio': 0.9156},
]
LOOKUP = {**HEAD, 'source': 'procmap-query', 'address': '0x7f10a2c4d123', 'vma': ROWS[3], 'previous': ROWS[2], 'next': ROWS[4],
          'file_offset_bytes': 0x4d123, 'exact': True}
GAP = {**HEAD, 'address': '0x7ffd00000000', 'gap': {'start': '0x7f10a2e01000', 'end': '0x7ffe00000000', 'size_bytes': 0x7ffe00000000 - 0x7f10a2e01000},
       'previous': ROWS[4], 'next': ROWS[5], 'exact': False}
CAPABILITIES = [
    {'name': 'procmap_query', 'available': True, 'why': 'finds the VMA of one address in a microsecond'},
    {'name': 'other_users', 'available': False, 'why': 'the kernel would not show them to you either', 'mend': 'ask as root'},
    {'name': 'hidepid', 'available': True, 'value': '0', 'why': 'all processes are listed'},
]
ENVIRON = {'kernel': '6.12.117', 'machine': 'x86_64', 'page_size_bytes': 4096, 'procfs': '/proc', 'daemon_uid': 0, 'caller_uid': 1000,
           'caller_gid': 1000, 'caller_class': 'user', 'listener': 'unix'}
GAPS = [{'start': '0x0', 'end': '0x10000', 'size_bytes': 65536, 'reason': 'below vm.mmap_min_addr'},
        {'start': '0x10000', 'end': '0x7f10a2c00000', 'size_bytes': 0x7f10a2bf0000},
        {'start': '0x7ffe1c2a0000', 'end': '0x7ffe1c3a0000', 'size_bytes': 1 << 20, 'reason': 'stack guard gap'}]
PLACEMENT = {'length_bytes': 1 << 30, 'start': '0x7f1062c00000', 'certain': True, 'mmap_base': '0x7f10a3000000',
             'why': ['top-down from mmap_base 7f10a3000000', 'aligned to 2 MiB']}
DOUBT = {'length_bytes': 4096, 'align_bytes': 1 << 21, 'start': '0x7f1000000000', 'certain': False, 'why': ['not certain: who knows'],
         'candidates': ['0x7f1000000000', '0x7f2000000000']}
REFUSED = {'length_bytes': 1 << 47, 'certain': True, 'errno': 'ENOMEM', 'why': ['refused: no hole is large enough']}
HOST_ROWS = [{'pid': 4242, 'start_time_ticks': 991, 'comm': 'nginx', **ROWS[4]}, {'pid': 1, 'start_time_ticks': 5, 'comm': 'systemd', **ROWS[5]}]


FACTS = {'vm_flags': '0x8000075', 'page_prot': '0x25', 'pgoff_pages': 40, 'has_vm_ops': True, 'vm_ops': 'ext4_file_vm_ops', 'vm_ops_module': 'ext4',
         'f_op': 'ext4_file_operations', 'a_ops': 'ext4_da_aops', 'has_anon_vma': False, 'has_private_data': False}
KERNEL = [{**row, **FACTS} if i == 3 else {**row, 'has_vm_ops': False} if i == 4 else row for i, row in enumerate(ROWS)]
OPS = {**{key: HEAD[key] for key in ('pid', 'start_time_ticks', 'comm')}, 'source': 'helper', 'address': '0x7f10a2c4d123', 'vma': ROWS[3], **FACTS}
MEMBERS = [
    {'member': 'open', 'null': True, 'called': 'the VMA got a second one', 'otherwise': 'nothing is counted'},
    {'member': 'fault', 'null': False, 'symbol': 'filemap_fault', 'called': 'a page is touched'},
    {'member': 'page_mkwrite', 'null': False, 'symbol': 'ext4_page_mkwrite', 'module': 'ext4', 'called': 'the first write'},
    {'member': 'brand_new', 'null': False},
]


def processes(rows):
    """A list of processes."""
    return Canned({}, 'processes', rows, {'vma_limit': 65530, 'count': len(rows), 'complete': True}, record='process')


def gaps(placement=None):
    """A list of gaps."""
    tail = {'gap_count': 3, 'largest': GAPS[1], **({'placement': placement} if placement else {}), 'count': 3, 'complete': True}
    return Canned(HEAD, 'gaps', GAPS, tail, record='gap')


def answers():
    """What the stand-in knows; cases change their own copy."""
    usage = Canned({**HEAD, 'source': 'smaps'}, 'vmas', USAGE)
    one = Canned({**HEAD, 'source': 'smaps'}, 'vmas', [USAGE[3]])
    return {
        '/v1/processes': processes(PROCESSES),
        '/v1/processes?comm=nginx': processes(PROCESSES[1:]),
        '/v1/processes?comm=systemd': processes(PROCESSES[:1]),
        '/v1/processes?comm=nobody': processes([]),
        '/v1/processes?unit=init.scope': processes(PROCESSES[:1]),
        '/v1/processes/4242': Canned({**PROCESSES[1], 'age_ms': 0}),
        '/v1/processes/4242/vmas': Canned(HEAD, 'vmas', ROWS),
        '/v1/processes/4242/vmas?detail=usage': usage,
        '/v1/processes/4242/vmas?detail=usage&start=0x7f10a2c4d123&end=0x7f10a2c4d124': one,
        '/v1/processes/4242/vmas?limit=2': Canned(HEAD, 'vmas', ROWS[:2], {'count': 2, 'complete': False, 'reason': 'limit', 'next': '/v1/x'}),
        '/v1/processes/4243/vmas': Canned({**HEAD, 'pid': 4243}, 'vmas', ROWS[:1]),
        '/v1/processes/1/vmas': Canned({**HEAD, 'pid': 1, 'comm': 'systemd'}, 'vmas', ROWS[-1:]),
        '/v1/processes/4242/pages/0x7f10a2c4d123': Canned(LOOKUP),
        '/v1/processes/4242/pages/0x7ffd00000000': Canned(GAP),
        '/v1/processes/4242/gaps': gaps(),
        '/v1/processes/4242/gaps?length=1073741824': gaps(PLACEMENT),
        '/v1/processes/4242/gaps?length=4096&align=2097152': gaps(DOUBT),
        '/v1/processes/4242/gaps?length=140737488355328': gaps(REFUSED),
        '/v1/processes/4242/vmas?detail=kernel': Canned({**HEAD, 'source': 'maps+helper'}, 'vmas', KERNEL),
        '/v1/processes/7': problem('no-such-process', 404, 'no such process', detail='process 7', errno='ESRCH'),
        '/v1/processes/7/vmas': problem('no-such-process', 404, 'no such process', errno='ESRCH'),
        '/v1/vmas': Canned({'source': 'maps'}, 'vmas', HOST_ROWS,
                           {'processes_read': 81, 'processes_unreadable': 3, 'processes_gone': 0, 'count': 2, 'complete': True}),
        '/v1/capabilities': Canned(ENVIRON, 'capabilities', CAPABILITIES, record='capability'),
    }


FAKE = FakeVmad(answers())
atexit.register(FAKE.stop)


class Ran:
    """What a run of vmactl said and how it ended."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def text(self):
        return self.out.decode()

    def lines(self):
        return self.text().splitlines()

    def said(self):
        return self.err.decode()


def run(*arguments, place=None, environment=None, stdin=None, **more):
    """Runs vmactl against the stand-in, or the socket at place ('': it finds one itself); its output is no terminal."""
    where = ['--socket', FAKE.socket] if place is None else ['--socket', place] if place else []
    return Ran(subprocess.run([VMACTL, *where, *arguments], env={**ENVIRONMENT, **(environment or {})}, capture_output=True, timeout=SECONDS,
                              check=False, **({'input': stdin} if stdin is not None else {'stdin': subprocess.DEVNULL}), **more))


def expect(ran, code, *said):
    """The exit code, and what stderr must hold."""
    tap.equal(ran.code, code, f'exit code (stderr {ran.said()!r})')
    for text in said:
        tap.truth(text in ran.said(), f'{text!r} is not in {ran.said()!r}')


def with_answers(**changed):
    """Runs a case with other answers: keys are paths without /v1/."""
    class Changed:
        def __enter__(self):
            FAKE.answers = {**answers(), **{'/v1/' + path: canned for path, canned in changed['paths'].items()}}
            FAKE.requests.clear()

        def __exit__(self, *_):
            FAKE.answers = answers()
    return Changed()


def unchanged():
    """The usual answers, and a clean list of requests."""
    return with_answers(paths={})


def cells(line):
    return line.split()


# What each verb shows


def ps_shows_processes():
    """ps: the limit first, then the processes with their VMAs"""
    ran = run('ps')
    expect(ran, 0)
    tap.equal(ran.lines()[0], '3 processes, each may have 65530 VMAs (vm.max_map_count), complete', 'first line')
    tap.equal(cells(ran.lines()[2]), ['PID', 'USER', 'COMM', 'VMAS', 'LIMIT%', 'SIZE', 'RSS', 'SWAP', 'UNIT'], 'headings')
    tap.equal(cells(ran.lines()[4]), ['4242', 'www-data', 'nginx', '97', '0.1', '56M', '6M', '-', 'nginx.service'], 'a row')
    tap.equal(cells(ran.lines()[5])[3:5], ['60000', '91.6'], 'near the limit')


def ps_asks_for_counts():
    """ps asks for VMA counts unless told not to, and hands its filters on"""
    with unchanged():
        run('ps', '--comm', 'ng*', '--uid', '33', '--unit', 'nginx.service', '--limit', '5')
        run('ps', '--no-vmas')
        run('ps', '--usage')
        tap.equal(FAKE.paths(), ['/v1/processes?detail=vmas&comm=ng%2A&uid=33&unit=nginx.service&limit=5', '/v1/processes',
                                 '/v1/processes?detail=usage&deadline_ms=30000'], 'requests')


def ps_shows_what_is_resident():
    """ps --usage: the sums of smaps_rollup; a dash where the caller may not read them"""
    rows = [{**PROCESSES[0], 'rss_bytes': 5 << 20, 'pss_bytes': 3 << 20, 'private_dirty_bytes': 1 << 20, 'swap_bytes': 0}, PROCESSES[1]]
    canned = Canned({'source': 'smaps_rollup'}, 'processes', rows, {'vma_limit': 65530, 'count': 2, 'complete': True}, record='process')
    with with_answers(paths={'processes': canned}):
        lines = run('ps', '--usage').lines()
        tap.equal(cells(lines[2]), ['PID', 'USER', 'COMM', 'SIZE', 'RSS', 'PSS', 'PRIVATE_DIRTY', 'SWAP', 'UNIT'], 'headings')
        tap.equal(cells(lines[3])[4:8], ['5M', '3M', '1M', '0B'], 'a row')
        tap.equal(cells(lines[4])[4:8], ['6M', '-', '-', '-'], 'a row without')
        tap.truth('(smaps_rollup)' in lines[0], lines[0])
        run('--json', 'ps', '--usage', '4242')
        tap.equal(FAKE.paths()[-1], '/v1/processes/4242?detail=usage', 'of one, unchanged')


def ps_of_targets():
    """ps of some targets shows these, and says who is not there"""
    ran = run('ps', '1', 'name:nginx', '-n', '-o', 'pid')
    tap.equal((ran.code, cells(ran.text())), (0, ['1', '4242', '4243']), 'pids')
    ran = run('ps', '1', '7', '-n', '-o', 'pid')
    expect(ran, 3, 'vmactl: process 7: no such process\n')
    tap.equal(cells(ran.text()), ['1'], 'pids')
    tap.equal(run('ps', '7').out, b'', 'output where there is nobody')
    expect(run('ps', '7', '--json'), 3, 'vmactl: process 7: no such process\n')


def maps_shows_vmas():
    """maps: whose they are and how far to trust it, then the VMAs"""
    ran = run('maps', '4242')
    expect(ran, 0)
    tap.equal(ran.lines()[:2], ['process 4242, nginx: 6 VMAs, complete (maps)', ''], 'first lines')
    tap.equal(cells(ran.lines()[2]), ['VMA', 'PERMS', 'SIZE', 'OFFSET', 'KIND', 'MAPPING'], 'headings')
    tap.equal(cells(ran.lines()[6]), ['7f10a2c28000-7f10a2dbd000', 'r-xp', '1.6M', '28000', 'private-file', LIBC], 'a file')
    tap.equal(cells(ran.lines()[7])[-2:], ['/tmp/gone.so', '(deleted)'], 'a deleted file')
    tap.equal(cells(ran.lines()[8])[-1], '[stack]', 'an area with a name')


def maps_usage():
    """maps --usage asks for smaps, and so does a column that only smaps knows"""
    with unchanged():
        ran = run('maps', '--usage', '4242')
        tap.equal(cells(ran.lines()[2])[2:7], ['SIZE', 'RSS', 'PSS', 'PRIVATE_DIRTY', 'SWAP'], 'headings')
        tap.truth('complete (smaps)' in ran.lines()[0], ran.lines()[0])
        run('maps', '4242', '-o', '+rss')
        run('maps', '4242', '--sort', '-pss_bytes')
        tap.equal(FAKE.paths(), ['/v1/processes/4242/vmas?detail=usage'] * 3, 'requests')


def maps_filters():
    """maps hands its filters on, a range in either way"""
    with unchanged():
        run('maps', '4242', '--kind', 'heap,stack', '--perms', '.w..', '--path', '*lib c*', '--deleted', '--min-size', '4K')
        run('maps', '4242', '7f10a2c00000-7f10a2c28000')
        run('maps', '4242', '1000+1M')
        run('maps', '4242', '--start', '1000', '--end', '0x2000')
        tap.equal([path.split('?')[1] for path in FAKE.paths()], [
            'kind=heap,stack&perms=.w..&path=%2Alib%20c%2A&deleted=true&min_size_bytes=4096', 'start=0x7f10a2c00000&end=0x7f10a2c28000',
            'start=0x1000&end=0x101000', 'start=0x1000&end=0x2000'], 'queries')


def maps_of_several():
    """maps of several targets: a table each; with -n the pid tells them apart"""
    ran = run('maps', '4242', '1')
    expect(ran, 0)
    tap.equal([line for line in ran.lines() if 'VMA' in line and line.startswith('process')],
              ['process 4242, nginx: 6 VMAs, complete (maps)', 'process 1, systemd: 1 VMA, complete (maps)'], 'tables')
    ran = run('maps', '4242', '1', '-n')
    tap.equal([cells(line)[0] for line in ran.lines()], ['4242'] * 6 + ['1'], 'pids')


def maps_goes_on():
    """maps of several targets: one that is gone does not keep the others away"""
    ran = run('maps', '7', '1', '-n')
    expect(ran, 3, 'vmactl: process 7: no such process\n')
    tap.equal(len(ran.lines()), 1, 'rows')


def a_name_is_a_target():
    """name:, unit: and a bare name find their processes, and pin them by their start time"""
    with unchanged():
        for target in ('name:systemd', 'systemd', 'unit:init.scope'):
            FAKE.requests.clear()
            ran = run('maps', target)
            expect(ran, 0)
            tap.equal(FAKE.paths()[1], '/v1/processes/1/vmas?start_time_ticks=5', 'second request')
    tap.equal(len(run('maps', 'name:nginx', '-n').lines()), 7, 'rows of both')
    expect(run('maps', 'name:nobody'), 3, 'vmactl: nobody: no process of that name\n')


def one_of_several():
    """a verb that takes one process lists several on stderr and exits 2"""
    ran = run('show', 'name:nginx', '7f10a2c4d123')
    expect(ran, 2, 'pid 4242, nginx\n', 'pid 4243, nginx\n', '2 processes')
    tap.equal(ran.out, b'', 'output')


def show_explains_an_address():
    """show: what the address is, the VMA, the arithmetic, the neighbours; and no walk"""
    with unchanged():
        ran = run('show', '4242', '7f10a2c4d123')
        expect(ran, 0)
        tap.equal(FAKE.paths(), ['/v1/processes/4242/pages/0x7f10a2c4d123', '/v1/processes/4242/vmas/0x7f10a2c4d123/ops'], 'requests')
    tap.equal(ran.lines()[0], '7f10a2c4d123   libc.so.6 + 0x4d123      pid 4242, nginx', 'first line')
    tap.equal(ran.lines()[1], 'exact: true at one moment (procmap-query)', 'second line')
    labels = [cells(line)[0] for line in ran.lines()[3:]]
    tap.equal(labels, ['VMA', 'file', 'before', 'after'], 'labels')
    tap.equal(cells(ran.lines()[3]), ['VMA', '7f10a2c28000-7f10a2dbd000', 'r-xp', '1.6M', 'private-file', LIBC], 'VMA')
    tap.equal(ran.lines()[4], 'file     offset 0x4d123 = 0x28000 (pgoff 0x28) + (0x7f10a2c4d123 - 0x7f10a2c28000)', 'arithmetic')
    tap.equal(cells(ran.lines()[5])[-1], 'libc.so.6', 'neighbour')


def one_address_is_not_a_sum():
    """START+SIZE is refused where one address is wanted, and nothing is asked; START-END means its first address"""
    for verb in ('show', 'rmap', 'ops'):
        FAKE.requests.clear()
        expect(run(verb, '4242', '7f10a2c4d000+0x123'), 2, 'one address is wanted', '0x7f10a2c4d123')
        tap.equal(FAKE.paths(), [], 'requests')
    expect(run('show', '4242', '7f10a2c4d123-7f10a2c4e000'), 0)


def show_usage():
    """show --usage walks that one VMA, explains its flags, and keeps what it does not know"""
    with unchanged():
        ran = run('show', '--usage', '4242', '0x7f10a2c4d123')
        tap.equal(FAKE.paths()[1], '/v1/processes/4242/vmas?detail=usage&start=0x7f10a2c4d123&end=0x7f10a2c4d124', 'second request')
    flags = next(line for line in ran.lines() if line.startswith('flags'))
    tap.truth('rd mr ex zz' in flags and 'readable, may be made readable, executable, (not known' in flags, flags)
    usage = next(line for line in ran.lines() if line.startswith('usage'))
    tap.equal(cells(usage), ['usage', 'rss', '12K', 'pss', '6K', 'zork', '8K'], 'usage')


def show_explains_a_gap():
    """show of an unmapped address: the gap, and that the stack may grow into it"""
    ran = run('show', '4242', '7ffd00000000')
    expect(ran, 0)
    tap.truth(ran.lines()[0].startswith('7ffd00000000   unmapped '), ran.lines()[0])
    tap.truth(ran.lines()[1].startswith('estimate'), ran.lines()[1])
    gap = next(line for line in ran.lines() if line.startswith('gap'))
    tap.equal(cells(gap)[1:3], ['7f10a2e01000-7ffe00000000', '949.5G'], 'gap')
    tap.truth('stack above may grow' in gap, gap)
    beyond = {**GAP, 'gap': {'start': '0x1000', 'end': '0xffffffffffffffff', 'size_bytes': 2 ** 64 - 1 - 0x1000}}
    with with_answers(paths={'processes/4242/pages/0x7ffd00000000': Canned(beyond)}):
        tap.truth('1000-ffffffffffffffff  16E ' in run('show', '4242', '7ffd00000000').text(), 'a size that fills 64 bits')
        tap.truth(f'  {2 ** 64 - 1 - 0x1000}  ' in run('show', '-b', '4242', '7ffd00000000').text(), 'the same, exact')


def show_finds_a_file_offset():
    """show of FILE+OFFSET finds the address through the VMAs"""
    with unchanged():
        ran = run('show', '4242', 'libc.so.6+0x4d123')
        expect(ran, 0)
        tap.equal(FAKE.paths(), ['/v1/processes/4242/vmas?path=%2Alibc.so.6', '/v1/processes/4242/pages/0x7f10a2c4d123',
                                 '/v1/processes/4242/vmas/0x7f10a2c4d123/ops'], 'requests')
    expect(run('show', '4242', 'libc.so.6+0xfffffff'), 3, 'process 4242: libc.so.6 is mapped, but not its offset 0xfffffff')
    expect(run('show', '4242', 'libm.so.6+0'), 3, 'process 4242: libm.so.6 is not mapped')


def find_searches_the_host():
    """find: filters on VMAs and processes, and what it could not look into"""
    with unchanged():
        ran = run('find', '--deleted', '--perms', '.wx.', '--comm', 'nginx', '--uid', '33')
        tap.equal(FAKE.paths(), ['/v1/vmas?perms=.wx.&deleted=true&comm=nginx&uid=33'], 'requests')
    tap.equal(ran.lines()[0], '2 VMAs in 81 processes read, 3 not readable, complete (maps)', 'first line')
    tap.equal(cells(ran.lines()[2]), ['PID', 'COMM', 'VMA', 'PERMS', 'SIZE', 'KIND', 'MAPPING'], 'headings')
    tap.equal(cells(ran.lines()[3])[:2], ['4242', 'nginx'], 'row')


OPS_ANSWER = Canned(OPS, 'members', MEMBERS, record='vma_op')
NO_MODULE = problem('not-available', 501, 'not available here', detail='/dev/vmad is missing: the helper module is not loaded',
                    mend='build it and load it')


def ops_of_an_address():
    """ops TARGET ADDR: the VMA, the tables by symbol, then each member with what it is good for"""
    with with_answers(paths={'processes/4242/vmas/0x7f10a2c4d123/ops': OPS_ANSWER}):
        ran = run('ops', '4242', '7f10a2c4d123')
        expect(ran, 0)
        tap.equal(ran.lines()[0], f'7f10a2c28000-7f10a2dbd000  r-xp  private-file  {LIBC}', 'the VMA')
        tap.equal(ran.lines()[1], 'process 4242, nginx: vm_ops ext4_file_vm_ops [ext4]   a_ops ext4_da_aops   f_op ext4_file_operations: '
                                  'complete (helper)', 'the tables')
        tap.equal(cells(ran.lines()[3]), ['MEMBER', 'FUNCTION', 'WHAT'], 'headings')
        tap.equal([line.split(None, 2) for line in ran.lines()[4:7]],
                  [['open', 'NULL', 'nothing is counted'], ['fault', 'filemap_fault', 'a page is touched'],
                   ['page_mkwrite', 'ext4_page_mkwrite', '[ext4] the first write']], 'members')
        tap.equal(ran.lines()[7].split(), ['brand_new', '(no', 'symbol)', '-'], 'one that nobody knows')
        tap.equal(run('--json', 'ops', '4242', '7f10a2c4d123').out, OPS_ANSWER.document(), 'json')
        saved = run('ops', '4242', '7f10a2c4d123', '-rn', '-o', 'member,symbol').lines()
        tap.equal(saved[:2], ['open -', 'fault filemap_fault'], 'raw')
    note = Canned({**OPS, 'vm_ops': None, 'has_vm_ops': False, 'note': 'vm_ops is NULL: anonymous'}, 'members', [], record='vma_op')
    del note.head['vm_ops']
    with with_answers(paths={'processes/4242/vmas/0x7f10a2c4d123/ops': note}):
        lines = run('ops', '4242', '7f10a2c4d123').lines()
        tap.truth(lines[0] == 'vm_ops is NULL: anonymous' and ': vm_ops NULL ' in lines[2], lines)


def ops_of_all_vmas():
    """ops TARGET, and maps --kernel: each VMA with its symbols; a dash where the module has none"""
    with unchanged():
        ran = run('ops', '4242')
        expect(ran, 0)
        tap.equal(FAKE.paths(), ['/v1/processes/4242/vmas?detail=kernel'], 'requests')
    tap.truth(ran.lines()[0].endswith('complete (maps+helper)'), ran.lines()[0])
    tap.equal(cells(ran.lines()[2]), ['VMA', 'PERMS', 'KIND', 'VM_OPS', 'F_OP', 'A_OPS', 'MAPPING'], 'headings')
    tap.equal(cells(ran.lines()[6]), ['7f10a2c28000-7f10a2dbd000', 'r-xp', 'private-file', 'ext4_file_vm_ops', '[ext4]', 'ext4_file_operations', 'ext4_da_aops',
                                      LIBC], 'a row')
    tap.equal(cells(ran.lines()[3])[3:6], ['-', '-', '-'], 'one that changed meanwhile')
    tap.equal(cells(ran.lines()[7])[3:6], ['NULL', '-', '-'], 'one without')
    row = cells(run('maps', '--kernel', '4242', '-n').lines()[3])
    tap.equal(row, ['7f10a2c28000-7f10a2dbd000', 'r-xp', '1.6M', '40', '8000075', 'private-file', 'ext4_file_vm_ops', '[ext4]', LIBC], 'maps --kernel')
    with unchanged():
        tap.equal(run('maps', '4242', '-n', '-o', 'vm_ops').lines()[3].strip(), 'ext4_file_vm_ops', 'a column asks for it')
        tap.equal(FAKE.paths(), ['/v1/processes/4242/vmas?detail=kernel'], 'requests')
    expect(run('maps', '--kernel', '--usage', '4242'), 2, 'exclude each other')
    for wrong in (['ops'], ['ops', '4242', 'zz'], ['ops', '4242', '1000', '2000']):
        expect(run(*wrong), 2)
    with with_answers(paths={'processes/4242/vmas?detail=kernel': NO_MODULE, 'processes/4242/vmas/0x7f10a2c4d123/ops': NO_MODULE}):
        expect(run('ops', '4242'), 1, '/dev/vmad is missing', 'mend: build it and load it')
        expect(run('ops', '4242', '7f10a2c4d123'), 1, '/dev/vmad is missing')
        ran = run('show', '4242', '7f10a2c4d123')
        expect(ran, 0)
        tap.truth('vm_ops' not in ran.text() and not ran.err, 'show goes on without')


def show_tells_the_operations():
    """show: the operations that are there, the file's tables, and the raw flags"""
    with with_answers(paths={'processes/4242/vmas/0x7f10a2c4d123/ops': OPS_ANSWER}):
        lines = run('show', '4242', '7f10a2c4d123').lines()
    tap.truth('ops      ext4_file_vm_ops [ext4]   fault filemap_fault   page_mkwrite ext4_page_mkwrite [ext4]   brand_new (no symbol)' in lines, lines)
    tap.truth('mapping  a_ops ext4_da_aops   f_op ext4_file_operations' in lines, lines)
    tap.truth('kernel   vm_flags 0x8000075, vm_pgoff 0x28' in lines, lines)


def gaps_lists_what_is_unmapped():
    """gaps: the largest in words, then each with its reason"""
    ran = run('gaps', '4242')
    expect(ran, 0)
    tap.equal(ran.lines()[0], 'process 4242, nginx: 3 gaps, the largest 127.1T at 10000, complete (maps)', 'summary')
    tap.equal([line.split(None, 3) for line in ran.lines()[2:4]],
              [['START', 'END', 'SIZE', 'WHY'], ['0', '10000', '64K', 'below vm.mmap_min_addr']], 'table')
    tap.equal(ran.lines()[4].split(), ['10000', '7f10a2c00000', '127.1T', '-'], 'a gap without a reason')
    tap.equal(run('gaps', '4242', '-rn').lines()[2], '7ffe1c2a0000 7ffe1c3a0000 1M stack\\x20guard\\x20gap', 'raw')


def gaps_says_where_mmap_goes():
    """gaps --length: where, how certain, and why; every candidate; or that it is refused"""
    lines = run('gaps', '4242', '--length', '1G').lines()
    tap.equal(lines[:3], ['an mmap of 1G (private, anonymous, no hint) would be placed at 7f1062c00000: certain',
                          '  top-down from mmap_base 7f10a3000000', '  aligned to 2 MiB'], 'certain')
    tap.truth(lines[3].startswith('process 4242, nginx: 3 gaps'), lines)
    lines = run('gaps', '4242', '--length', '4K', '--align', '2M', '-b').lines()
    tap.equal(lines[:2], ['an mmap of 4096 (private, anonymous, no hint; trimmed to a multiple of 2097152) would be placed at 7f1000000000 or '
                          '7f2000000000: not certain', '  not certain: who knows'], 'not certain')
    tap.equal(run('gaps', '4242', '--length', '128T').lines()[:2], ['an mmap of 128T (private, anonymous, no hint) would be refused (ENOMEM): certain',
                                                                      '  refused: no hole is large enough'], 'refused')
    saved = run('gaps', '4242', '--length', '1G', '--json').out
    tap.equal(run('gaps', '-', stdin=saved, place='/nowhere').out, run('gaps', '4242', '--length', '1G').out, 'a saved answer')


def doctor_says_what_works():
    """doctor: who you are, what works, what does not and what would mend it"""
    ran = run('doctor')
    expect(ran, 0)
    tap.equal(ran.lines()[0].split(None, 1), ['kernel', '6.12.117 x86_64, pages of 4096 bytes'], 'kernel')
    tap.equal(ran.lines()[1].split(None, 2), ['you', 'are', 'uid 1000, gid 1000 (user), through the unix listener'], 'caller')
    tap.equal(ran.lines()[3].split(None, 2), ['procmap_query', 'yes', 'finds the VMA of one address in a microsecond'], 'what works')
    tap.equal(ran.lines()[5].strip(), 'mend: ask as root', 'mend')
    tap.equal(cells(ran.lines()[6])[:2], ['hidepid', '0'], 'a setting')


def doctor_without_vmad():
    """doctor without a daemon: what to do about that, and exit 5"""
    ran = run('doctor', place='/nowhere/vmad.sock')
    expect(ran, 5, 'vmactl: vmad is not reachable: /nowhere/vmad.sock: No such file or directory\n')
    tap.truth('vmactl --local doctor' in ran.text() and 'systemctl start vmad' in ran.text(), ran.text())


# Forms of output

EACH_VERB = [('ps', '/v1/processes', ['ps']), ('maps', '/v1/processes/4242/vmas', ['maps', '4242']),
             ('show', '/v1/processes/4242/pages/0x7f10a2c4d123', ['show', '4242', '7f10a2c4d123']), ('find', '/v1/vmas', ['find']),
             ('doctor', '/v1/capabilities', ['doctor']), ('ps PID', '/v1/processes/4242', ['ps', '4242']),
             ('gaps', '/v1/processes/4242/gaps?length=1073741824', ['gaps', '4242', '--length', '1G'])]


def json_is_unchanged():
    """--json prints vmad's document byte for byte, for each verb"""
    for name, path, arguments in EACH_VERB:
        for option in ('-J', '--json'):
            ran = run(option, *arguments)
            expect(ran, 0)
            tap.equal(ran.out, answers()[path].document(), name)


def ndjson_is_unchanged():
    """--ndjson prints vmad's lines byte for byte, for each verb"""
    for name, path, arguments in EACH_VERB:
        ran = run(*arguments, '--ndjson')
        expect(ran, 0)
        tap.equal(ran.out, answers()[path].ndjson(), name)


def json_ignores_columns_aloud():
    """--json says that -o and --sort have no effect on it"""
    ran = run('maps', '4242', '--json', '-o', 'start', '--sort', 'size')
    expect(ran, 0, 'unchanged: -o and --sort have no effect')
    tap.equal(ran.out, answers()['/v1/processes/4242/vmas'].document(), 'document')


def columns_by_name():
    """-o takes JSON names and headings, replaces or extends, before or behind the verb"""
    tap.equal(run('maps', '4242', '-n', '-o', 'start,INODE').lines()[0].split(), ['55d0c0a1f000', '247134'], 'row')
    tap.equal(run('-n', '-o', 'Start', 'maps', '4242').lines()[0].strip(), '55d0c0a1f000', 'row')
    tap.equal(cells(run('maps', '4242', '-o', '+inode,pid').lines()[2])[-2:], ['INODE', 'PID'], 'headings')


def columns_unknown():
    """-o and --sort with an unknown column: exit 2, and its name"""
    expect(run('maps', '4242', '-o', 'start,nonsense'), 2, "vmactl: unknown column 'nonsense'\n", 'mend: -o help')
    expect(run('ps', '--sort', '-nonsense'), 2, "vmactl: --sort: unknown column 'nonsense'\n")


def columns_come_from_the_table():
    """-o help lists every member that fields.def has for a VMA and its usage, and each can be shown"""
    with open(os.path.join(TOP_SRCDIR, 'include/vmad/fields.def'), encoding='utf-8') as file:
        names = re.findall(r'^FIELD\((?:vma|usage), \w+, \w+, \w+, "(\w+)"', file.read(), re.M)
    tap.truth(len(names) > 30, f'{len(names)} names')
    listed = [cells(line)[1] for line in run('maps', '-o', 'help').lines()]
    tap.equal([name for name in names if name not in listed], [], 'missing from the help')
    expect(run('maps', '4242', '-o', ','.join(names)), 0)
    tap.equal(run('-o', 'help').code, 0, 'without a verb')


FRAME = {'pfn': '0x1a2b3c', 'flags': ['referenced', 'lru', 'anon'], 'mapcount': 3}
MAPPED = {**{key: HEAD[key] for key in ('pid', 'start_time_ticks', 'comm')}, 'address': '0x7f10a2c4d123', 'page': FRAME}
MAPPERS = [
    {'pids': [4242, 4300], 'comm': 'nginx', 'address': '0x7f10a2c4d000', 'vma_start': '0x7f10a2c28000', 'vma_end': '0x7f10a2dbd000',
     'perms': 'r-xp', 'path': LIBC, 'kind': 'private-file'},
    {'pids': [1], 'comm': 'sys\x1btemd', 'address': '0x7f20a2c4d000', 'vma_start': '0x7f20a2c28000', 'vma_end': '0x7f20a2dbd000',
     'perms': 'r-xp', 'path': LIBC, 'kind': 'private-file'},
    {'pids': [77], 'address': '0x1000'},
]


def mapped(rows, **tail):
    """A reverse look-up."""
    verdict = {'mappings_found': len(rows), 'processes_found': len(rows), 'method': 'file-offset', 'count': len(rows), 'complete': True}
    return Canned(MAPPED, 'mappings', rows, {**verdict, **tail}, record='mapping')


def mappings_at(canned):
    return with_answers(paths={'processes/4242/pages/0x7f10a2c4d123/mappings': canned, 'frames/0x1a2b3c/mappings': canned})


def rmap_shows_the_page_first():
    """rmap: the page, the proof, then the mappings, all pids of each; what is not known of one is a dash"""
    with mappings_at(mapped(MAPPERS)):
        for what in (['4242', '7f10a2c4d123'], ['pfn:0x1a2b3c'], ['pfn:1a2b3c']):
            ran = run('rmap', *what)
            expect(ran, 0)
            tap.equal(ran.lines()[:3], ['page 0x1a2b3c  referenced, lru, anon', 'mapped 3 times, found 3 in 3 processes: complete (file-offset)', ''],
                      'above the table')
            tap.equal(cells(ran.lines()[3]), ['PID', 'COMM', 'ADDRESS', 'VMA', 'PERMS', 'SIZE', 'KIND', 'MAPPING'], 'headings')
            tap.equal(cells(ran.lines()[4]), ['4242', '4300', 'nginx', '7f10a2c4d000', '7f10a2c28000-7f10a2dbd000', 'r-xp', '1.6M', 'private-file', LIBC],
                      'a row')
            tap.equal(cells(ran.lines()[5])[1], r'sys\x1btemd', 'no terminal is talked to')
            tap.equal(cells(ran.lines()[6]), ['77', '-', '1000', '-', '-', '-', '-', '-'], 'a bare row')
        tap.equal(cells(run('-b', '-n', 'rmap', '4242', '7f10a2c4d123').lines()[0])[6], str(0x195000), '--bytes')
    with mappings_at(mapped(MAPPERS[:1], mappings_found=1)):
        tap.truth('found 1 in 1 process: complete' in run('rmap', '4242', '7f10a2c4d123').text(), 'one')


ORIGINS = [
    {'path': '/usr/lib/libc.so.6', 'kind': 'private-file', 'anonymous': False, 'shared_bytes': 1376256, 'shared_page_count': 336},
    {'name': '[heap]', 'kind': 'heap', 'anonymous': True, 'shared_bytes': 262144, 'shared_page_count': 64},
    {'path': '/usr/lib/libc.so.6', 'kind': 'private-file', 'anonymous': True, 'shared_bytes': 8192, 'shared_page_count': 2},
    {'kind': 'private-anon', 'anonymous': True, 'shared_bytes': 4096, 'shared_page_count': 1},
    {'path': '/tmp/a\nb', 'kind': 'shared-file', 'anonymous': False, 'shared_bytes': 4096, 'shared_page_count': 1},
]
SHARES = [
    {'pids': [4300, 4301], 'comm': 'worker', 'shared_bytes': 1654784, 'shared_page_count': 404, 'origins': ORIGINS},
    {'pids': [17], 'comm': 'cron', 'shared_bytes': 1376256, 'shared_page_count': 336, 'origins': ORIGINS[:1]},
]
SHARING_HEAD = {**{key: HEAD[key] for key in ('pid', 'start_time_ticks', 'comm')}, 'source': 'PAGEMAP_SCAN', 'pids': [4242],
                'rss_bytes': 4194304, 'uss_bytes': 2097152, 'pss_bytes': 3145728, 'usage_source': 'smaps_rollup',
                'shared_with_others_bytes': 1654784}
def shares(**tail):
    """A list of those who share memory with 4242."""
    canned = Canned(SHARING_HEAD, 'sharing', SHARES, {'count': 2, 'complete': True, **tail}, record='sharing')
    return with_answers(paths={'processes/4242/sharing': canned})


def sharing_says_with_whom_and_what_of_it():
    """sharing: the sums first, then a row a process, with the largest of what it is"""
    with shares():
        ran = run('sharing', '4242')
        expect(ran, 0)
        tap.equal(ran.lines()[0], 'process 4242, nginx: 2 processes sharing 1.6M of its 4M (USS 2M, PSS 3M), complete (PAGEMAP_SCAN)', 'summary')
        tap.equal(cells(ran.lines()[2]), ['PID', 'COMM', 'SHARED', 'ORIGINS'], 'headings')
        tap.equal(ran.lines()[3].split(), '4300 4301 worker 1.6M 1.3M libc.so.6, 256K [heap], 8K libc.so.6 (anonymous), and 2 more'.split(), 'a row')
        tap.equal(ran.lines()[4].split(), '17 cron 1.3M 1.3M libc.so.6'.split(), 'another')
        tap.truth(any('deadline_ms=' in path for path, _ in FAKE.requests if path.startswith('/v1/processes/4242/sharing')), 'who waits has time')
        raw = run('--raw', '-b', '-o', 'pids,origins', 'sharing', '4242').lines()[1].split(' ')
        tap.equal(raw[0], '4300,4301', 'raw: pids')
        tap.truth(raw[1].startswith(r'1376256\x20/usr/lib/libc.so.6,262144\x20[heap],8192\x20'), raw[1])
        tap.truth(r'4096\x20private-anon,' in raw[1] and r'a\x0ab' in raw[1], raw[1])
        tap.equal(cells(run('-n', '--sort', 'shared', 'sharing', '4242').lines()[0])[0], '17', '--sort')


def sharing_ends_as_its_answer_does():
    """sharing: 6 where it is not complete, 2 without a target, 4 for who may not"""
    for reason, words in (('memory-ceiling', 'it takes more memory than vmad allows itself'), ('deadline', 'it took too long')):
        with shares(complete=False, reason=reason):
            expect(run('sharing', '4242'), 6, f'vmactl: process 4242: answered in part: {words}\n')
    with shares(complete=False, reason='deadline'):
        ran = run('sharing', '4242', '--limit', '1')
        expect(ran, 6)
        tap.equal(ran.lines()[0], 'process 4242, nginx: 1 process sharing 1.6M of its 4M (USS 2M, PSS 3M), '
                  'the first ones only, and incomplete: it took too long (--limit, PAGEMAP_SCAN)', 'what is said of both')
    expect(run('sharing'), 2, 'vmactl: sharing: it takes one target')
    with with_answers(paths={'processes/4242/sharing': problem('not-allowed', 403, 'not allowed', detail='root', mend='be root')}):
        expect(run('sharing', '4242'), 4, 'vmactl: not allowed: root')


def rmap_hands_on_what_vmad_says():
    """rmap --json is vmad's own document, and the process is named by its start"""
    with mappings_at(mapped(MAPPERS)):
        FAKE.requests.clear()
        ran = run('--json', 'rmap', '4242', '0x7f10a2c4d123')
        expect(ran, 0)
        tap.equal(json.loads(ran.text())['mappings'], MAPPERS, 'mappings')
        path = '/v1/processes/4242/pages/0x7f10a2c4d123/mappings'
        tap.truth(any(asked.split('?')[0] == path for asked in FAKE.paths()), f'{FAKE.paths()}')


def rmap_ends_as_its_answer_does():
    """rmap: 6 where it is not proved to be all, 4 for who may not, 3 for no such frame, 2 for what is no page"""
    with mappings_at(mapped(MAPPERS[:1], complete=False, reason='unreadable-process')):
        for form in ([], ['--json'], ['--ndjson']):
            expect(run('rmap', '4242', '7f10a2c4d123', *form), 6,
                   'answered in part: something may be missing: a process could not be looked into')
    empty = Canned({**MAPPED, 'page': None}, 'mappings', [], {'mappings_found': 0, 'processes_found': 0, 'method': 'same-address', 'count': 0,
                                                             'complete': False, 'reason': 'not-present'}, record='mapping')
    del empty.head['page']
    with mappings_at(empty):
        expect(run('rmap', '4242', '7f10a2c4d123'), 6, 'no page is present at that address')
    refused = problem('not-allowed', 403, 'not allowed', detail='page -> mappings needs a root caller', mend='run it as root')
    with mappings_at(refused):
        expect(run('rmap', '4242', '7f10a2c4d123'), 4, 'page -> mappings needs a root caller', 'run it as root')
    with mappings_at(problem('no-such-frame', 404, 'no such page frame')):
        expect(run('rmap', 'pfn:1a2b3c'), 3)
    for wrong in (['4242'], ['pfn:'], ['pfn:zz'], ['4242', 'zz'], [], ['4242', '1000', '2000']):
        expect(run('rmap', *wrong), 2)


def rmap_with_the_module():
    """rmap: what the helper module says of the page; --candidates asks for more rows, with what is there instead"""
    by_helper = {'method': 'helper', 'candidates_found': 1, 'mappings_found': 3, 'processes_found': 3}
    rows = [{**row, 'state': 'mapped'} for row in MAPPERS] + [{'pids': [78], 'address': '0x2000', 'state': 'no-page'}]
    one = mapped(rows, **by_helper)
    one.head = {**one.head, 'page_kind': 'file', 'index_pages': 77, 'a_ops': 'ext4_da_aops', 'reference_count': 5}
    with with_answers(paths={'processes/4242/pages/0x7f10a2c4d123/mappings?candidates=true': one,
                             'frames/0x1a2b3c/mappings?candidates=true': one}):
        for what in (['4242', '7f10a2c4d123'], ['pfn:1a2b3c']):
            ran = run('rmap', '--candidates', *what)
            expect(ran, 0)
            tap.equal(ran.lines()[:2], ['page 0x1a2b3c  referenced, lru, anon; file, index 0x4d, a_ops ext4_da_aops, reference count 5',
                                        'mapped 3 times, found 3 in 3 processes (and 1 candidate): complete (helper)'], 'above the table')
            tap.equal(cells(ran.lines()[3])[:3], ['STATE', 'PID', 'COMM'], 'headings')
            tap.equal(cells(ran.lines()[7])[:2], ['no-page', '78'], 'a candidate')


def raw_is_for_programs():
    """-r: one blank between cells, blanks inside of them as \\x20"""
    lines = run('-r', 'maps', '4242').lines()
    tap.equal(lines[0], 'VMA PERMS SIZE OFFSET KIND MAPPING', 'headings')
    tap.equal(lines[5], '7f10a2e00000-7f10a2e01000 rwxp 4K 0 private-file /tmp/gone.so\\x20(deleted)', 'row')
    tap.truth(all(len(line.split(' ')) == 6 for line in lines), lines)


def bytes_are_exact():
    """-b: exact sizes"""
    tap.equal(cells(run('maps', '-b', '-n', '4242').lines()[3])[2:4], ['1658880', '163840'], 'cells')


def sorting():
    """--sort by number or word, either way"""
    def column(*arguments):
        return cells(run('ps', '-n', '-o', 'pid', *arguments).text())
    tap.equal(column('--sort', 'vmas'), ['4242', '1', '4243'], 'ascending')
    tap.equal(column('--sort', '-VMA_COUNT'), ['4243', '1', '4242'], 'descending')
    tap.equal(column('--sort', 'comm'), ['4242', '4243', '1'], 'words; equal ones keep their order')
    tap.equal(column('--sort', 'swap'), ['4242', '4243', '1'], 'unknown comes first')


def limits():
    """--limit that was asked for is no partial answer; with --sort all rows are seen first"""
    with unchanged():
        ran = run('maps', '4242', '--limit', '2')
        expect(ran, 0)
        tap.equal(ran.lines()[0], 'process 4242, nginx: 2 VMAs, the first ones only (--limit, maps)', 'first line')
        ran = run('maps', '4242', '--limit', '1', '--sort', '-size', '-n', '-o', 'kind')
        tap.equal((ran.code, cells(ran.text())), (0, ['heap']), 'the largest')
        tap.equal(FAKE.paths(), ['/v1/processes/4242/vmas?limit=2', '/v1/processes/4242/vmas'], 'requests')
        tap.equal(run('maps', '4242', '--limit', '2', '--json').code, 0, 'exit code with --json')


# Endings


def problem_types():
    """The rows of problems.def."""
    with open(os.path.join(TOP_SRCDIR, 'include/vmad/problems.def'), encoding='utf-8') as file:
        return [(kind, int(status), int(code), title)
                for kind, status, code, title in re.findall(r'^PROBLEM\(\w+, "([a-z-]+)", (\d+), (\d), "(.*)"\)$', file.read(), re.M)]


def every_problem_has_its_code():
    """each problem ends with its own exit code, one line, and the line that mends it"""
    tap.truth(len(problem_types()) > 15, 'too few rows')
    for kind, status, code, title in problem_types():
        with with_answers(paths={'processes/4242/vmas': problem(kind, status, title, mend='do this')}):
            for form in ([], ['--json'], ['--ndjson'], ['-r']):
                ran = run('maps', '4242', *form)
                mend = 'do this' if status != 401 else '--token-file FILE; or ask over the Unix socket'
                tap.equal((ran.code, ran.said(), ran.out), (code, f'vmactl: process 4242: {title}\n  mend: {mend}\n', b''), kind)


def problems_with_a_detail():
    """a problem's detail is said once"""
    rows = [('not allowed', 'frame numbers are for root', 'not allowed: frame numbers are for root'),
            ('no such process', 'process 4242: no such process', 'process 4242: no such process'),
            ('no such process', 'process 4242', 'process 4242: no such process')]
    for title, detail, expected in rows:
        with with_answers(paths={'processes/4242/vmas': problem('not-allowed', 403, title, detail=detail)}):
            tap.equal(run('maps', '4242').said(), f'vmactl: {expected}\n', title)


def problems_from_elsewhere():
    """an error that is not vmad's own ends by its status"""
    html = b'<html>502</html>'
    for status, code in ((502, 1), (503, 7), (404, 3), (403, 4), (500, 1), (418, 1)):
        with with_answers(paths={'processes/4242/vmas': Canned(body=html, status=status, kind='text/html')}):
            expect(run('maps', '4242'), code, f'HTTP status {status}, without an answer of vmad')
    with with_answers(paths={'processes/4242/vmas': problem('from-the-future', 403, 'not yet')}):
        expect(run('maps', '4242'), 4, 'process 4242: not yet')
    with with_answers(paths={'processes/4242/vmas': Canned(body=html)}):
        expect(run('maps', '4242'), 1, "vmactl: the answer is not vmad's")
    with tempfile.NamedTemporaryFile('w') as file:
        file.write('root:x:0:0::/root:/bin/bash\n')
        file.flush()
        expect(run('maps', file.name), 1, f"vmactl: {file.name}: the answer is not vmad's")
    with socket.create_server(('127.0.0.1', 0)) as server:
        url = f'https://127.0.0.1:{server.getsockname()[1]}'
        expect(run('maps', '1', '--cacert', '/nowhere.pem', '--url', url, place=''), 1, 'vmactl: /nowhere.pem: no certificates')


def not_reachable():
    """no daemon: exit 5, where it was looked for, and --local as a way out"""
    expect(run('maps', '1', place='/nowhere/vmad.sock'), 5, '/nowhere/vmad.sock: No such file or directory', 'mend:', '--local')
    with tempfile.TemporaryDirectory() as directory:
        stale = os.path.join(directory, 'stale.sock')
        with FakeVmad() as gone:
            os.link(gone.socket, stale)
        expect(run('ps', place=stale), 5, f'{stale}: Connection refused')
    expect(run('ps', '--url', 'http://127.0.0.1:1', place=''), 5, 'http://127.0.0.1:1: Connection refused')


def hung_up():
    """a connection that is closed without an answer is said to be that"""
    with with_answers(paths={'processes/4242/vmas': Canned(hang_up=True)}):
        expect(run('maps', '4242'), 1, 'closed the connection without an answer')


def cut_anywhere():
    """an answer that is cut in the middle is never presented as whole: exit 6"""
    for form in ('ndjson', 'document'):
        body = getattr(Canned(HEAD, 'vmas', ROWS), form)()
        for share in (30, 50, 95):
            cut = len(body) * share // 100
            with with_answers(paths={'processes/4242/vmas': Canned(HEAD, 'vmas', ROWS, cut=cut)}):
                ran = run('maps', '4242', *(['--json'] if form == 'document' else []))
                expect(ran, 6, 'vmactl: process 4242: answered in part: the answer was cut off\n')
                tap.truth('complete (' not in ran.text() or 'incomplete' in ran.text(), ran.text())
                if form == 'document':
                    tap.equal(ran.out, body[:cut], 'bytes')
                else:
                    tap.truth('incomplete: the answer was cut off' in ran.lines()[0], ran.lines()[0])


def cut_before_anything():
    """an answer without a first line is a failure"""
    with with_answers(paths={'processes/4242/vmas': Canned(HEAD, 'vmas', ROWS, cut=5)}):
        expect(run('maps', '4242'), 1, 'process 4242: the answer was cut off before it said anything')


def told_to_be_incomplete():
    """what vmad says is incomplete ends with 6, and why"""
    rows = [({'reason': 'target-gone'}, 'the process ended, or ran another program, while it was read'),
            ({'reason': 'deadline'}, 'it took too long'), ({'reason': 'brand-new'}, 'brand-new'),
            ({'reason': 'failed', 'problem': {'detail': 'smaps: I/O error'}}, 'vmad failed on the way: smaps: I/O error')]
    for members, words in rows:
        tail = {'count': 1, 'complete': False, **members}
        with with_answers(paths={'processes/4242/vmas': Canned(HEAD, 'vmas', ROWS[:1], tail)}):
            for form in ([], ['--json'], ['--ndjson'], ['-n']):
                expect(run('maps', '4242', *form), 6, f'vmactl: process 4242: answered in part: {words}\n')


def a_lost_record_is_noticed():
    """fewer records than vmad counted are not a whole answer"""
    with with_answers(paths={'processes/4242/vmas': Canned(HEAD, 'vmas', ROWS[:5], {'count': 6, 'complete': True})}):
        for form in ([], ['--json'], ['--ndjson']):
            expect(run('maps', '4242', *form), 6, 'answered in part')


def usage_errors():
    """what is wrong on the command line ends with 2 and asks nobody"""
    rows = [[], ['nonsense'], ['--nonsense'], ['maps'], ['maps', '0'], ['maps', '-1'], ['maps', '99999999999'], ['show', '4242'],
            ['show', '4242', 'xyz'], ['show', '4242', '10000000000000000'], ['show', '4242', '1', '2'], ['maps', '4242', '--limit', '0'],
            ['maps', '4242', '--kind', 'heep'], ['maps', '4242', '--perms', 'rwx'], ['find', 'a', 'b'], ['maps', '4242', '--comm', 'x'],
            ['--json', '--ndjson', 'ps'], ['--local', 'ps'], ['show', '4242', '7f00', '-o', 'start'], ['maps', '4242', '--start', '2', '--end', '1'],
            ['--url', 'ftp://x', 'ps'], ['ps', '--uid', 'no-such-user-here'], ['gaps'], ['gaps', '1', '2'], ['gaps', '1', '--align', '2M'],
            ['gaps', '1', '--length', 'much'], ['maps', '1', '--length', '1G']]
    with unchanged():
        for row in rows:
            ran = run(*row)
            expect(ran, 2, 'vmactl: ')
            tap.equal(ran.out, b'', f'output of {row}')
        tap.equal(FAKE.requests, [], 'requests')


def help_and_version():
    """--help and --version, with and without a verb"""
    for row in (['--help'], ['-h'], ['maps', '--help'], ['ps', '-h']):
        ran = run(*row)
        expect(ran, 0)
        tap.truth(ran.text().startswith('usage: vmactl '), ran.text())
    tap.truth('--usage' in run('maps', '--help').text() and '--comm' not in run('maps', '--help').text(), 'options of maps')
    for verb, words in (('maps', 'TARGET ADDR RANGE SIZE KIND'), ('frames', 'PFN'), ('file', 'PATH PART SIZE'), ('web', '')):
        said = run(verb, '--help').text()
        tap.equal(re.findall(r'^([A-Z]+): ', said, re.M), words.split(), f'words that the help of {verb} explains')
        tap.truth('\n\n\n' not in said and not re.search(r' $', said, re.M), f'blanks in the help of {verb}')
    tap.truth(re.match(r'vmactl \d+\.\d+', run('-V').text()), 'version')


# What processes name themselves

NASTY = '\x1b]0;owned\x07\x1b[31m\u202e\u009bz\nq'


def nothing_nasty_gets_through():
    """control characters in a name or a path reach neither a table nor an error"""
    row = {**ROWS[0], 'path': '/tmp/' + NASTY}
    escaped = {**ROWS[0], 'path': '/tmp/\\xff\\\\x', 'path_escaped': True}
    lookup = {**LOOKUP, 'comm': NASTY, 'vma': row, 'previous': row}
    changed = {'processes/4242/vmas': Canned({**HEAD, 'comm': NASTY, 'source': NASTY}, 'vmas', [row, escaped]),
               'processes': processes([{**PROCESSES[0], 'comm': NASTY, 'unit': NASTY, 'user': NASTY}]),
               'processes?comm=nginx': processes([{**one, 'comm': NASTY} for one in PROCESSES]),
               'processes/4242/pages/0x7f10a2c4d123': Canned(lookup), 'vmas': Canned({'source': 'maps'}, 'vmas', [{**HOST_ROWS[0], **row, 'comm': NASTY}]),
               'capabilities': Canned({**ENVIRON, 'kernel': NASTY}, 'capabilities', [{'name': NASTY, 'available': True, 'why': NASTY, 'mend': NASTY}]),
               'processes/4242/gaps?length=1073741824': gaps({**PLACEMENT, 'why': [NASTY], 'errno': NASTY}),
               'processes/9/vmas': problem('failed', 500, 'vmad failed', detail=NASTY, mend=NASTY)}
    commands = [['maps', '4242'], ['maps', '4242', '-r'], ['ps'], ['ps', '-r'], ['show', '4242', '7f10a2c4d123'], ['find'], ['doctor'],
                ['gaps', '4242', '--length', '1G'], ['maps', '9'], ['show', 'name:nginx', '1'], ['doctor', '-o', 'name,why']]
    with with_answers(paths=changed):
        for command in commands:
            ran = run(*command)
            for stream in (ran.out, ran.err):
                found = re.findall('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]', stream.decode())
                tap.equal(found, [], f'in {command}: {stream!r}')
                tap.truth(all(not line.startswith('q') for line in stream.decode().splitlines()), f'a line of its own in {command}')
        tap.truth('/tmp/\\xff' in run('maps', '4242', '-n', '-o', 'path').text(), 'bytes that are no text')
        tap.equal(run('maps', '4242', '-rn', '-o', 'path').lines()[1], '/tmp/\\xff\\x5cx', 'the bytes themselves, in raw')


# Where vmad is


def environment_and_token():
    """VMACTL_SOCKET is honoured, --socket wins, and the token goes with the request"""
    tap.equal(run('ps', place='', environment={'VMACTL_SOCKET': FAKE.socket}).code, 0, 'VMACTL_SOCKET')
    tap.equal(run('ps', environment={'VMACTL_SOCKET': '/nowhere', 'VMACTL_URL': 'http://127.0.0.1:1'}).code, 0, '--socket wins')
    tap.equal(run('ps', place='', environment={'VMACTL_URL': 'http://127.0.0.1:1'}).code, 5, 'VMACTL_URL')
    with tempfile.NamedTemporaryFile('w') as file, unchanged():
        file.write('s3cret\n')
        file.flush()
        expect(run('ps', '--token-file', file.name), 0)
        tap.equal(FAKE.requests[0][1].get('Authorization'), 'Bearer s3cret', 'header')
    expect(run('ps', '--token-file', '/nowhere/token'), 1, '/nowhere/token: No such file or directory')


# Saved documents


def saved():
    """(file name, bytes) of the same answer in both forms."""
    canned = Canned(HEAD, 'vmas', ROWS)
    return [('saved.json', canned.document()), ('saved.ndjson', canned.ndjson())]


def saved_documents():
    """a saved document is shown as if it were live, without a daemon"""
    live = run('maps', '4242')
    for name, body in saved():
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, name)
            with open(path, 'wb') as file:
                file.write(body)
            nowhere = {'place': '/nowhere'}
            tap.equal(run('maps', path, **nowhere).out, live.out, name)
            tap.equal(run('maps', name, cwd=directory, **nowhere).out, live.out, f'{name} by its name alone')
            tap.equal(run('maps', '-', stdin=body, **nowhere).out, live.out, f'{name} on standard input')
            tap.equal(run('maps', path, '-n', '-o', 'perms', '--kind', 'stack,heap', '--perms', 'rw..', **nowhere).lines(), ['rw-p', 'rw-p'], 'filters')
            ran = run('maps', path, '--sort', '-size', '--limit', '1', '-n', '-o', 'start', **nowhere)
            tap.equal((ran.code, ran.text().strip()), (0, '55d0c1a20000'), 'sorted and limited')
            tap.equal(run('show', path, '7f10a2c4d123', **nowhere).lines()[3:], run('show', '4242', '7f10a2c4d123').lines()[3:], 'show')
            tap.truth('55d0c1bb5000-7f10a2c00000' in run('show', path, '7f0000000000', **nowhere).text(), 'a gap')
            tap.equal(run('show', path, 'libc.so.6+4d123', **nowhere).lines()[0].split()[0], '7f10a2c4d123', 'FILE+OFFSET')
            form = '--json' if name == 'saved.json' else '--ndjson'
            tap.equal(run('maps', path, form, **nowhere).out, body, 'the bytes')


def saved_and_cut():
    """a saved document that was cut says so; one that is missing or something else is an error"""
    for name, body in saved():
        ran = run('maps', '-', stdin=body[:len(body) // 2])
        expect(ran, 6, 'the answer was cut off')
        tap.truth('incomplete' in ran.lines()[0], name)
    expect(run('maps', '/nowhere/saved.json'), 3, '/nowhere/saved.json: No such file or directory')
    expect(run('maps', '-', stdin=b'hello world, this is text\n'), 1, "not vmad's")
    expect(run('maps', '-', stdin=b''), 1, 'before it said anything')
    body = saved()[0][1]
    expect(run('maps', '-', stdin=body + body), 1, 'more than one document')


def saved_processes_and_lookups():
    """ps, find, doctor and show take their own answers back"""
    everything = answers()
    for verb, path in (('ps', '/v1/processes'), ('find', '/v1/vmas'), ('doctor', '/v1/capabilities')):
        tap.equal(run(verb, '-', stdin=everything[path].document(), place='/nowhere').out, run(verb).out, verb)
    lookup = everything['/v1/processes/4242/pages/0x7f10a2c4d123'].document()
    tap.equal(run('show', '-', '7f10a2c4d123', stdin=lookup, place='/nowhere').out, run('show', '4242', '7f10a2c4d123').out, 'show')
    expect(run('show', '-', '1000', stdin=lookup), 3, 'it is about another address')


# Terminals


class Terminal:
    """vmactl on a terminal of its own."""

    def __init__(self, *arguments, environment=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(VMACTL, [VMACTL, '--socket', FAKE.socket, *arguments], {**ENVIRONMENT, 'PAGER': 'cat', **(environment or {})})
        self.seen = b''

    def read_until(self, wanted):
        """Reads until wanted, a regular expression, was seen; False where the output ended first."""
        while not re.search(wanted, self.seen):
            if not select.select([self.fd], [], [], SECONDS)[0]:
                raise AssertionError(f'{wanted!r} did not come: {self.seen!r}')
            try:
                data = os.read(self.fd, 65536)
            except OSError:     # the other side was closed
                return False
            if not data:
                return False
            self.seen += data
        return True

    def end(self):
        """Everything that it said, and its exit status."""
        self.read_until(rb'(?!)')
        os.close(self.fd)
        return self.seen.decode(), os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def colour_on_a_terminal():
    """colour on a terminal only, and not with NO_COLOR"""
    text, code = Terminal('maps', '4242').end()
    tap.equal(code, 0, 'exit code')
    coloured = [line for line in text.splitlines() if '\x1b[31m' in line]
    tap.truth(len(coloured) == 1 and 'rwxp' in coloured[0], text)
    tap.truth('\x1b' not in Terminal('maps', '4242', environment={'NO_COLOR': '1'}).end()[0], 'NO_COLOR')
    tap.truth('\x1b' not in Terminal('maps', '4242', environment={'TERM': 'dumb'}).end()[0], 'a dumb terminal')
    tap.truth('\x1b[33m' in Terminal('maps', '4242', environment={'NO_COLOR': ''}).end()[0] or
              '\x1b[31m' in Terminal('maps', '4242', environment={'NO_COLOR': ''}).end()[0], 'an empty NO_COLOR')
    tap.truth(b'\x1b' not in run('maps', '4242').out, 'not a terminal')


def pager_on_a_terminal():
    """$PAGER on a terminal only; not for --watch"""
    mark = {'PAGER': 'sed s/^/paged:/'}
    text, code = Terminal('maps', '4242', environment=mark).end()
    tap.equal(code, 0, 'exit code')
    tap.truth('paged:process 4242' in text, text)
    tap.truth(b'paged' not in run('maps', '4242', environment=mark).out, 'not a terminal')
    text, code = Terminal('maps', '7', environment=mark).end()
    tap.equal((code, 'paged' in text, 'no such process' in text), (3, False, True), 'an error needs no pager')
    text, code = Terminal('maps', '4242', environment={'PAGER': 'true'}).end()
    tap.equal(code, 0, 'a pager that is left at once')


def watch_redraws():
    """--watch on a terminal redraws; ^C ends it with 0"""
    terminal = Terminal('maps', '4242', '--watch=0.1')
    tap.truth(terminal.read_until(rb'(?s)(\x1b\[H\x1b\[2J.*){3}'), 'three screens')
    os.write(terminal.fd, b'\x03')
    tap.equal(terminal.end()[1], 0, 'exit code')


def watch_repeats():
    """--watch elsewhere repeats with an empty line between; ^C ends it with 0"""
    watch = subprocess.Popen([VMACTL, '--socket', FAKE.socket, 'maps', '-n', '-o', 'kind', '1', '--watch=0.1'], stdout=subprocess.PIPE,
                             env=ENVIRONMENT)
    lines = [watch.stdout.readline() for _ in range(5)]
    tap.equal(lines, [b'stack\n', b'\n', b'stack\n', b'\n', b'stack\n'], 'lines')
    watch.send_signal(signal.SIGINT)
    watch.stdout.read()
    tap.equal(watch.wait(SECONDS), 0, 'exit code')


def watch_ends():
    """--watch ends where the process is gone, and quietly where nobody reads any more"""
    expect(run('maps', '7', '--watch=0.1'), 3, 'process 7: no such process')
    watch = subprocess.Popen([VMACTL, '--socket', FAKE.socket, 'maps', '4242', '--watch=0.1'], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=ENVIRONMENT)
    watch.stdout.readline()
    watch.stdout.close()
    tap.equal((watch.wait(SECONDS), watch.stderr.read()), (0, b''), 'end')


def a_full_disk_is_an_error():
    """what could not be written is an error; a reader that went away is none"""
    for form in ([], ['--json']):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([VMACTL, '--socket', FAKE.socket, 'maps', '4242', *form], stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT,
                                  timeout=SECONDS, check=False)
        tap.equal((done.returncode, done.stderr), (1, b'vmactl: cannot write: No space left on device\n'), f'/dev/full {form}')
    big = Canned(HEAD, 'vmas', ROWS * 5000)
    with with_answers(paths={'processes/4242/vmas': big}):
        for form in ('--json', '--ndjson', '-r'):
            command = subprocess.Popen([VMACTL, '--socket', FAKE.socket, 'maps', '4242', form], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       env=ENVIRONMENT)
            command.stdout.readline()
            command.stdout.close()
            tap.equal((command.wait(SECONDS), command.stderr.read()), (0, b''), form)


def a_signal_ends_it():
    """^C while vmad is silent ends vmactl by that signal"""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'silent.sock')
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(path)
            silent.listen()
            command = subprocess.Popen([VMACTL, '--socket', path, 'ps'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
            connection, _ = silent.accept()
            connection.recv(10)
            command.send_signal(signal.SIGINT)
            tap.equal((command.wait(SECONDS), command.stderr.read()), (-signal.SIGINT, b''), 'end')
            connection.close()


def sixty_thousand_vmas():
    """60,000 VMAs: all of them, in a copy's case without holding them"""
    rows = [vma(0x7f0000000000 + 8192 * i, 0x7f0000000000 + 8192 * i + 4096, 'rw-p', 'private-anon') for i in range(60000)]
    with with_answers(paths={'processes/4242/vmas': Canned(HEAD, 'vmas', rows)}):
        ran = run('maps', '4242')
        tap.equal((ran.code, ran.lines()[0], len(ran.lines())), (0, 'process 4242, nginx: 60000 VMAs, complete (maps)', 60003), 'table')
        tap.equal(json.loads(run('maps', '4242', '--json').out)['count'], 60000, 'document')


tap.run([
    ps_shows_processes, ps_asks_for_counts, ps_shows_what_is_resident, ps_of_targets, maps_shows_vmas, maps_usage, maps_filters, maps_of_several, maps_goes_on,
    a_name_is_a_target, one_of_several, show_explains_an_address, one_address_is_not_a_sum, show_usage, show_explains_a_gap, show_finds_a_file_offset,
    ops_of_an_address, ops_of_all_vmas, show_tells_the_operations, rmap_with_the_module, find_searches_the_host, gaps_lists_what_is_unmapped, gaps_says_where_mmap_goes, doctor_says_what_works, doctor_without_vmad, json_is_unchanged, ndjson_is_unchanged, json_ignores_columns_aloud,
    columns_by_name, columns_unknown, columns_come_from_the_table, rmap_shows_the_page_first, sharing_says_with_whom_and_what_of_it,
    sharing_ends_as_its_answer_does, rmap_hands_on_what_vmad_says, rmap_ends_as_its_answer_does, raw_is_for_programs, bytes_are_exact, sorting, limits,
    every_problem_has_its_code, problems_with_a_detail, problems_from_elsewhere, not_reachable, hung_up, cut_anywhere, cut_before_anything,
    told_to_be_incomplete, a_lost_record_is_noticed, usage_errors, help_and_version, nothing_nasty_gets_through, environment_and_token,
    saved_documents, saved_and_cut, saved_processes_and_lookups, colour_on_a_terminal, pager_on_a_terminal, watch_redraws, watch_repeats,
    watch_ends, a_full_disk_is_an_error, a_signal_ends_it, sixty_thousand_vmas,
])
