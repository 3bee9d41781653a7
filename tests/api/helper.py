#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the helper module adds: detail=kernel, the operations of a VMA, capabilities; and what is said where it is not there."""
import contextlib
import ctypes
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from standin import StandIn  # noqa: E402
from vmad import NOBODY, TOP_BUILDDIR, as_user  # noqa: E402

SELF = os.getpid()
TABLE = ('table ext4_file_vm_ops ext4 open=- fault=filemap_fault map_pages=filemap_map_pages page_mkwrite=ext4_page_mkwrite '
         'brand_new=? other_new=-')
PAGE = mmap.PAGESIZE
with open('/proc/self/comm', encoding='utf-8') as name:
    COMM = name.read().rstrip('\n')
HELPERS = ['helper', 'helper-vmas', 'helper-rmap', 'helper-files']


def maps(pid=SELF):
    """[(start, end, has a file)] of a process, without what lies beyond user space."""
    with open(f'/proc/{pid}/maps', encoding='utf-8', errors='surrogateescape') as lines:
        parts = [line.split() for line in lines]
    ranges = [(*(int(word, 16) for word in part[0].split('-')), int(part[4]) != 0) for part in parts]
    return [one for one in ranges if one[0] < 1 << 63]


def vma_line(vma, pid=SELF):
    start, end, has_file = vma
    names = 'ext4_file_vm_ops ext4_file_operations ext4_da_aops 0x1' if has_file else '- - - 0x2'
    return f'vma {pid} {start:#x} {end:#x} {0x8000000075:#x} {start // PAGE if not has_file else 3} {names}'


def vmas(more='', **options):
    return vmad.get(f'/v1/processes/{SELF}/vmas?detail=kernel{more}', **options)


def check(reply, status, kind):
    """A problem that says what to do."""
    tap.equal(reply.status, status, 'status')
    problem = reply.json()
    tap.equal(problem['type'], f'urn:vmad:problem:{kind}', 'type')
    return problem


def capabilities(headers=None):
    return {one['name']: one for one in vmad.get('/v1/capabilities', headers).json()['capabilities'] if one['name'] in HELPERS}


def each_vma_with_what_the_kernel_says():
    """detail=kernel joins what the module says to each VMA of maps"""
    area = mmap.mmap(-1, 5 * PAGE)
    known = maps()
    vmad.answer(TABLE, *map(vma_line, known))
    document = vmas().json()
    tap.equal(document['source'], 'maps+helper', 'source')
    tap.truth(document['complete'], 'complete')
    found = {(int(vma['start'], 16), int(vma['end'], 16)): vma for vma in document['vmas']}
    tap.truth(set(found) >= {vma[:2] for vma in known if vma in maps()}, 'every VMA is there')
    joined = [(vma, found[vma[:2]]) for vma in known if vma[:2] in found]
    tap.truth(len(joined) > 20, 'some have not changed')
    for (start, _, has_file), vma in joined:
        tap.equal(vma['vm_flags'], '0x8000000075', 'vm_flags')
        tap.equal(vma['page_prot'], '0x8000000000000025', 'page_prot')
        tap.equal(vma['pgoff_pages'], 3 if has_file else start // PAGE, 'pgoff')
        tap.equal(vma['has_vm_ops'], has_file, 'has_vm_ops')
        tap.equal(vma.get('vm_ops'), 'ext4_file_vm_ops' if has_file else None, 'vm_ops')
        tap.equal(vma.get('vm_ops_module'), 'ext4' if has_file else None, 'vm_ops_module')
        tap.equal(vma.get('a_ops'), 'ext4_da_aops' if has_file else None, 'a_ops')
        tap.equal(vma.get('f_op'), 'ext4_file_operations' if has_file else None, 'f_op')
        tap.equal('file_inode' in vma, has_file, 'file_inode')
    area.close()


def what_does_not_match_is_absent():
    """a VMA that the module has otherwise, or not at all, stands as maps has it"""
    known = maps()
    moved = [(start, end - PAGE, has_file) if i % 3 == 0 else (start, end, has_file) for i, (start, end, has_file) in enumerate(known)]
    lines = [vma_line(vma) for i, vma in enumerate(moved) if i % 3 != 1 and vma[0] < vma[1]]
    vmad.answer(TABLE, *lines)
    document = vmas().json()
    expected = {vma[:2] for i, vma in enumerate(known) if i % 3 == 2}
    found = {(int(vma['start'], 16), int(vma['end'], 16)) for vma in document['vmas'] if 'vm_flags' in vma}
    tap.truth(found <= expected and len(found) > 3, f'joined: {len(found)} of {len(expected)}')
    tap.truth(len(document['vmas']) >= len(known) - 2, 'and all of maps is there')


def filters_and_pages_of_the_list():
    """filters, limit and next go on as for maps"""
    vmad.answer(TABLE, *map(vma_line, maps()))
    all_of_it = vmas('&kind=private-file').json()['vmas']
    path, found = f'/v1/processes/{SELF}/vmas?detail=kernel&kind=private-file&limit=3', []
    while path:
        document = vmad.get(path).json()
        found += document['vmas']
        path = document.get('next')
    tap.equal([vma['start'] for vma in found], [vma['start'] for vma in all_of_it], 'the same VMAs')
    tap.truth(all('vm_ops' in vma for vma in found), 'each with its vm_ops')
    one = all_of_it[len(all_of_it) // 2]
    part = vmas(f'&start={one["start"]}&end={one["end"]}').json()['vmas']
    tap.equal([(vma['start'], vma.get('vm_ops')) for vma in part], [(one['start'], 'ext4_file_vm_ops')], 'a range')
    lines = vmas(headers={'Accept': 'application/x-ndjson'}).lines()
    tap.truth(lines[0]['begin'] and lines[-1]['complete'] and any('vm_flags' in line for line in lines), 'in lines')
    head = vmas(method='HEAD')
    tap.equal((head.status, head.body), (200, b''), 'HEAD')


def a_module_that_fails_is_said():
    """a module that answers nonsense: maps' VMAs, and complete is false"""
    vmad.answer(TABLE, *map(vma_line, maps()), 'fail VMAS 71 1000')
    document = vmas().json()
    tap.equal((document['complete'], document['reason']), (False, 'module-failed'), 'verdict')
    tap.truth(document['count'] > 20 and not any('vm_flags' in vma for vma in document['vmas']), 'rows')


def the_operations_of_a_vma():
    """ops: each member by symbol, when the kernel calls it, and what it does where it is NULL"""
    file = next(vma for vma in maps() if vma[2])
    vmad.answer(TABLE, *map(vma_line, maps()))
    document = vmad.get(f'/v1/processes/{SELF}/vmas/{file[0] + 1:#x}/ops').json()
    tap.equal(document['source'], 'helper', 'source')
    tap.equal(document['address'], f'{file[0] + 1:#x}', 'address')
    tap.equal(document['vma']['start'], f'{file[0]:#x}', 'the VMA as maps has it')
    tap.equal((document['vm_ops'], document['vm_ops_module']), ('ext4_file_vm_ops', 'ext4'), 'table')
    tap.truth('note' not in document, 'no note')
    members = {member['member']: member for member in document['members']}
    tap.equal(list(members), ['open', 'fault', 'map_pages', 'page_mkwrite', 'brand_new', 'other_new'], 'order of the struct')
    tap.equal((members['fault']['symbol'], members['fault']['module'], members['fault']['null']),
              ('filemap_fault', 'ext4', False), 'fault')
    tap.truth('page table' in members['fault']['called'] and 'otherwise' not in members['fault'], 'help of fault')
    tap.truth(members['open']['null'] and members['open']['otherwise'] and 'symbol' not in members['open'], 'open is NULL')
    tap.equal(members['brand_new'], {'member': 'brand_new', 'null': False}, 'an unknown one without a name')
    tap.equal(members['other_new'], {'member': 'other_new', 'null': True}, 'an unknown one that is NULL')


def anonymous_memory_has_no_table():
    """ops of anonymous memory: no table, and what the kernel does instead"""
    area = next(vma for vma in maps() if not vma[2])
    vmad.answer(TABLE, *map(vma_line, maps()))
    document = vmad.get(f'/v1/processes/{SELF}/vmas/{area[0]:#x}/ops').json()
    tap.equal((document['has_vm_ops'], document['members'], document['complete']), (False, [], True), 'nothing')
    tap.truth('anonymous' in document['note'], document['note'])


def where_nothing_is_mapped():
    """ops of an address in a gap: 404 no-such-vma; of a process that is not there: 404"""
    vmad.answer(TABLE, *map(vma_line, maps()))
    check(vmad.get(f'/v1/processes/{SELF}/vmas/0x1000/ops'), 404, 'no-such-vma')
    check(vmad.get('/v1/processes/4194304/vmas/0x1000/ops'), 404, 'no-such-process')
    check(vmad.get(f'/v1/processes/{SELF}/vmas/0x1000/ops?start_time_ticks=1'), 409, 'pid-reused')
    check(vmad.get('/v1/processes/4194304/vmas?detail=kernel'), 404, 'no-such-process')


def a_vma_that_changes_all_the_time():
    """ops of a VMA that maps has otherwise: the module's answer, without the VMA of maps"""
    start, end, has_file = next(vma for vma in maps() if vma[2] and vma[1] - vma[0] > PAGE)
    vmad.answer(TABLE, vma_line((start, end - PAGE, has_file)))
    document = vmad.get(f'/v1/processes/{SELF}/vmas/{start:#x}/ops').json()
    tap.truth('vma' not in document and document['vm_ops'] == 'ext4_file_vm_ops', 'what there is')


def nobody_but_root():
    """other callers get 403 with the reason, module or not, and learn nothing of it"""
    for lines, info in (([TABLE], 'info 1 0x7f'), ([], None)):
        vmad.answer(*lines, info=info)
        for path in (f'/v1/processes/{SELF}/vmas?detail=kernel', '/v1/processes/4194304/vmas?detail=kernel',
                     f'/v1/processes/{SELF}/vmas/0x1000/ops'):
            status, problem = as_user(NOBODY, lambda path=path: (lambda reply: (reply.status, reply.json()))(vmad.get(path)))
            tap.equal((status, problem['type']), (403, 'urn:vmad:problem:not-allowed'), path)
            tap.truth('root' in problem['detail'] and 'root' in problem['mend'], f'{problem}')
        told = as_user(NOBODY, capabilities)
        tap.equal([told[name]['available'] for name in HELPERS], [False] * 4, 'capabilities')
        tap.equal(told['helper']['mend'], 'ask as root', 'mend')


def why_not():
    """501 and capabilities name the reason: no device, another version, another driver, a missing capability"""
    cases = [
        (None, 'is missing', 'contrib/kmod'),
        ('info 2 0x7f', 'speaks version 2 of the protocol, this vmad version 1', 'same release'),
        ('nothing', 'is not the helper module', 'same release'),
    ]
    for info, why, mend in cases:
        vmad.answer(info=info)
        problem = check(vmas(), 501, 'not-available')
        tap.truth(why in problem['detail'] and mend in problem['mend'], f'{problem}')
        check(vmad.get(f'/v1/processes/{SELF}/vmas/0x1000/ops'), 501, 'not-available')
        told = capabilities()
        tap.equal([told[name]['available'] for name in HELPERS], [False] * 4, f'{info}')
        tap.truth(why in told['helper']['why'] and mend in told['helper']['mend'], f'{told}')
        tap.equal(vmad.get(f'/v1/processes/{SELF}/vmas').status, 200, 'all else is as ever')
    vmad.answer('reason 0x2 the kernel has no table of its symbols', info='info 1 0x01')
    tap.equal(vmas().status, 200, 'what it can do')
    problem = check(vmad.get(f'/v1/processes/{SELF}/vmas/0x1000/ops'), 501, 'not-available')
    tap.truth('no table of its symbols' in problem['detail'], f'{problem}')
    told = capabilities()
    tap.equal([told[name]['available'] for name in HELPERS], [True, False, False, False], 'capabilities')
    tap.truth('no table of its symbols' in told['helper-vmas']['why'], f'{told}')


def what_it_can_do():
    """capabilities of a module that can do all"""
    vmad.answer()
    told = capabilities()
    tap.equal([told[name]['available'] for name in HELPERS], [True] * 4, 'available')
    tap.equal(told['helper']['value'], '0.1', 'its version')


def what_it_can_do_in_part():
    """capabilities of a module that can look up some kinds of pages only"""
    for bits, words in ((0x77, 'not of anonymous memory'), (0x6f, 'not of hugetlb'), (0x5f, 'not of KSM')):
        vmad.answer('reason 0x38 keyed otherwise on this kernel', info=f'info 1 {bits:#x}')
        told = capabilities()['helper-rmap']
        tap.truth(told['available'] and words in told['why'], f'{told}')
    vmad.answer('reason 0x4 keyed otherwise on this kernel', info='info 1 0x7b')
    told = capabilities()['helper-rmap']
    tap.truth(not told['available'] and 'keyed otherwise' in told['why'], f'{told}')


def it_comes_and_goes():
    """the module may be loaded and unloaded while vmad runs"""
    for _ in range(3):
        vmad.answer(info=None)
        tap.equal(vmas().status, 501, 'gone')
        vmad.answer(TABLE, *map(vma_line, maps()))
        tap.equal(vmas().status, 200, 'there')


class Shared:
    """A page of this process that some children map too."""

    def __init__(self, children):
        self.area = mmap.mmap(-1, PAGE)
        self.area[0] = 1
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.area))
        self.pids = [SELF, *(self._fork() for _ in range(children))]
        with open('/proc/self/pagemap', 'rb', buffering=0) as pagemap:
            entry = struct.unpack('Q', os.pread(pagemap.fileno(), 8, self.address // PAGE * 8))[0]
        self.pfn = entry & (1 << 55) - 1
        start, end, _ = next(vma for vma in maps() if vma[0] <= self.address < vma[1])
        self.vma = f'{start:#x} {end:#x}'

    def _fork(self):
        """A child that has touched the page."""
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(send, bytes([self.area[0]]))
            signal.pause()
            os._exit(0)
        os.close(send)
        os.read(receive, 1)
        os.close(receive)
        return child

    def stop(self):
        for child in self.pids[1:]:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def page(self, count, kind=2):
        return f'page {SELF} {self.address:#x} {self.pfn:#x} {kind} {count} shmem_aops'

    def mapping(self, mm, state=1, vma=None):
        return f'mapping {self.pfn:#x} {self.address:#x} {vma or self.vma} 0xfb 0x7 {mm} {state} shmem_vm_ops'

    def lines(self, count=None):
        """What a module would say."""
        count = len(self.pids) if count is None else count
        return ['table shmem_vm_ops - fault=shmem_fault', self.page(count), *(self.mapping(mm) for mm in range(count)),
                *(f'pid {mm} {pid}' for mm, pid in enumerate(self.pids))]

    def ask(self, more=''):
        return vmad.get(f'/v1/processes/{SELF}/pages/{self.address:#x}/mappings{more}')


@contextlib.contextmanager
def shared(children):
    one = Shared(children)
    try:
        yield one
    finally:
        one.stop()


def who_maps_a_page():
    """reverse look-ups are the module's where its mappings are as many as the kernel counts"""
    with shared(70) as page:
        vmad.answer(*page.lines())
        for target in (f'/v1/processes/{SELF}/pages/{page.address:#x}/mappings', f'/v1/frames/{page.pfn:#x}/mappings'):
            document = vmad.get(target).json()
            tap.equal((document['method'], document['complete'], document.get('reason')), ('helper', True, None), target)
            tap.equal((document['mappings_found'], document['processes_found'], document['candidates_found']), (71, 71, 0), 'found')
            tap.equal(document['page']['mapcount'], 71, 'mapcount')
            tap.equal((document['page_kind'], document['a_ops'], document['index_pages'], document['reference_count']),
                      ('file', 'shmem_aops', 0, 72), 'the page')
            rows = document['mappings']
            tap.equal([row['pids'] for row in rows], [[pid] for pid in sorted(page.pids)], 'by pid')
            for row in rows:
                tap.equal((row['address'], row['perms'], row['state'], row['vm_ops']),
                          (f'{page.address:#x}', 'rw-s', 'mapped', 'shmem_vm_ops'), 'row')
                tap.equal((row['comm'], row['kind']), (COMM, 'shared-anon'), 'what /proc adds')


def candidates():
    """candidates=true lists what the trees name and what does not map the page, with what is there instead"""
    with shared(4) as page:
        lines = page.lines()
        lines += [page.mapping(mm, state) for mm, state in ((5, 2), (6, 3), (7, 4), (8, 5))]
        vmad.answer(*lines, 'pid 5 1')
        document = page.ask().json()
        tap.equal((document['complete'], document['mappings_found'], document['candidates_found'], document['count']),
                  (True, 5, 4, 5), 'without them')
        document = page.ask('?candidates=true').json()
        tap.equal((document['complete'], document['mappings_found'], document['count']), (True, 5, 9), 'with them')
        rows = [row for row in document['mappings'] if row['state'] != 'mapped']
        tap.equal([(row['pids'], row['state']) for row in rows],
                  [([1], 'other-page'), ([], 'no-page'), ([], 'swapped'), ([], 'migrating')], 'states')
        tap.truth(all('comm' not in row and 'kind' not in row for row in rows), 'none of them is what /proc has there')
        vmad.answer(info=None)
        check(page.ask('?candidates=true'), 501, 'not-available')
        check(vmad.get(f'/v1/frames/{page.pfn:#x}/mappings?candidates=true'), 501, 'not-available')


def pids_of_one_address_space():
    """processes that share an address space are one mapping with all of their pids"""
    with shared(2) as page:
        lines = page.lines()[:-1]
        vmad.answer(*lines, f'pid 2 {page.pids[2]}', f'pid 0 {page.pids[1] + 100000}')
        rows = page.ask().json()['mappings']
        tap.equal(rows[0]['pids'] if rows[0]['pids'][0] == SELF else None, [SELF, page.pids[1] + 100000], 'two of one')


def what_is_not_proved_goes_on():
    """where the module has fewer or more than the kernel counts, was held up, or cannot do it, the other steps answer"""
    with shared(3) as page:
        spoiled = {
            'fewer': page.lines(3), 'more': [*page.lines(), page.mapping(9)], 'contended': [*page.lines(), 'set RMAP 2 1000'],
            'changed': [*page.lines(), 'set RMAP 16 1000'], 'no scan': [*page.lines(), 'set RMAP 8 1000'],
            'nonsense': [*page.lines(), 'fail RMAP 71 1000'], 'busy': [*page.lines(), 'fail RMAP 11 1000'], 'nothing': [],
        }
        for name, lines in spoiled.items():
            vmad.answer(*lines)
            document = page.ask().json()
            tap.equal((document['method'], document['complete'], document['mappings_found']), ('same-address', True, 4), name)
            tap.truth('candidates_found' not in document and 'page_kind' not in document, name)
        vmad.answer(*page.lines(), info='info 1 0x03')
        tap.equal(page.ask().json()['method'], 'same-address', 'a module that cannot do it')
        vmad.answer(*page.lines(), 'set RMAP 16 2')
        tap.equal(page.ask().json()['method'], 'helper', 'one that stands still at last')


def only_a_scan_tells():
    """what only a search through all page tables can tell, the module is asked for once more"""
    with shared(1) as page:
        vmad.answer(*page.lines(), 'set RMAP 8 1')
        document = page.ask().json()
        tap.equal((document['method'], document['complete']), ('helper', True), 'the second answer')


def vmas_that_changed():
    """a mapper whose VMA is another one by now has what the module told, and nothing of /proc"""
    with shared(1) as page:
        start, end = (int(word, 16) for word in page.vma.split())
        lines = page.lines()
        lines[3] = page.mapping(1, vma=f'{start - PAGE:#x} {end:#x}')
        vmad.answer(*lines)
        rows = page.ask().json()['mappings']
        tap.equal((rows[1]['vma_start'], 'comm' in rows[1], 'kind' in rows[1]), (f'{start - PAGE:#x}', False, False), 'the second')
        tap.equal((rows[0]['comm'], rows[0]['kind']), (COMM, 'shared-anon'), 'the first')


def mapped_at(path):
    """Where this process maps a file."""
    with open('/proc/self/maps', encoding='utf-8') as lines:
        return next(int(line.split('-')[0], 16) for line in lines if line.rstrip('\n').endswith(path))


@contextlib.contextmanager
def mapped_file(children):
    """A file of four pages that this process and some children map: (path, [pid], the module's lines for each)."""
    with tempfile.NamedTemporaryFile(prefix='vmad-test-') as file:
        file.write(b'x' * 4 * PAGE)
        file.flush()
        area = mmap.mmap(file.fileno(), 2 * PAGE, offset=PAGE, prot=mmap.PROT_READ)
        start = mapped_at(file.name)
        receive, send = os.pipe()
        pids = [SELF]
        for _ in range(children):
            child = os.fork()
            if child == 0:
                os.close(send)
                os.read(receive, 1)
                os._exit(0)
            pids.append(child)
        os.close(receive)
        inode = os.stat(file.name).st_ino
        lines = [f'filemapping {inode} {start:#x} {start + 2 * PAGE:#x} 0x71 1 {mm} ext4_file_vm_ops' for mm in range(len(pids))]
        try:
            yield file.name, pids, [TABLE, *lines, *(f'pid {mm} {pid}' for mm, pid in enumerate(pids))]
        finally:
            os.close(send)
            for child in pids[1:]:
                os.waitpid(child, 0)
            area.close()


def who_maps_a_file():
    """mappings of a file: only the processes that the module names are looked into"""
    with mapped_file(5) as (path, pids, lines):
        target = f'/v1/files/mappings?path={path}'
        vmad.answer(info=None)
        expected = vmad.get(target).json()
        tap.equal((expected['source'], expected['count']), ('maps', 6), 'without the module')
        vmad.answer(*lines)
        document = vmad.get(target).json()
        tap.equal((document['source'], document['complete'], document['exact']), ('helper+maps', True, True), 'with it')
        tap.equal(document['mappings'], expected['mappings'], 'the same rows')
        tap.equal(document['processes_read'], 6, 'and no other process was read')
        tap.equal(vmad.get(f'{target}&offset=0&length=4096').json()['count'], 0, 'a page in front of it')
        tap.equal(vmad.get(f'{target}&offset=8192&length=1').json()['count'], 6, 'one of its pages')
        found, path = [], f'{target}&limit=4'
        while path:
            document = vmad.get(path).json()
            found += document['mappings']
            path = document.get('next')
        tap.equal(found, expected['mappings'], 'in parts')


def files_where_the_module_cannot_tell():
    """where the module was held up, had no room, or fails, the maps of all processes are read"""
    with mapped_file(1) as (path, _, lines):
        for spoiled in (['set FILEMAP 2 1000'], ['set FILEMAP 1 1000'], ['fail FILEMAP 71 1000'], ['fail FILEMAP 95 1000']):
            vmad.answer(*lines, *spoiled)
            document = vmad.get(f'/v1/files/mappings?path={path}').json()
            tap.equal((document['source'], document['count']), ('maps', 2), spoiled[0])
        vmad.answer(*lines)
        document = as_user(NOBODY, lambda: vmad.get('/v1/files/mappings?path=/etc/passwd').json())
        tap.equal(document['source'], 'maps', 'of others')


def vmactl(*arguments, code=0):
    """What vmactl prints; with its exit status."""
    done = subprocess.run([os.path.join(TOP_BUILDDIR, 'client/vmactl'), '--socket', vmad.socket, *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    tap.equal(done.returncode, code, f'vmactl {" ".join(arguments)}: {done.stderr}')
    return done.stdout + done.stderr


def vmactl_shows_it():
    """vmactl: ops, maps --kernel, show, rmap and doctor, all the way"""
    with shared(2) as page:
        known = maps()
        file = next(vma for vma in known if vma[2])
        vmad.answer(TABLE, *map(vma_line, known), *page.lines())
        pid, address, start = str(SELF), f'{page.address:x}', f'{file[0]:x}'
        tap.truth('ext4_da_aops' in vmactl('ops', pid), 'ops')
        text = vmactl('ops', pid, start)
        tap.truth('vm_ops ext4_file_vm_ops [ext4]   a_ops ext4_da_aops   f_op ext4_file_operations: complete (helper)' in text, text)
        tap.truth('open         NULL' in text and 'page_mkwrite ext4_page_mkwrite [ext4]' in text, text)
        tap.truth('ext4_file_vm_ops' in vmactl('maps', '--kernel', pid), 'maps --kernel')
        text = vmactl('show', pid, start)
        tap.truth('ops      ext4_file_vm_ops [ext4]   fault filemap_fault' in text and 'kernel   vm_flags 0x8000000075' in text, text)
        text = vmactl('rmap', pid, address)
        tap.truth('mapped 3 times, found 3 in 3 processes: complete (helper)' in text, text)
        tap.truth('STATE' in vmactl('rmap', '--candidates', pid, address), 'candidates')
        tap.truth('the helper module: what' in vmactl('doctor'), 'doctor')
        vmad.answer(info=None)
        tap.truth('/dev/vmad is missing' in vmactl('ops', pid, code=1), 'without the module')
        tap.truth('complete (same-address)' in vmactl('rmap', pid, address), 'rmap without it')
        tap.truth('/dev/vmad is missing: the helper module is not loaded' in vmactl('doctor'), 'doctor without it')
        tap.truth('vm_ops' not in vmactl('show', pid, start), 'show without it')


def descriptors_are_given_back():
    """no descriptor stays open, whatever the answers were"""
    vmad.answer(TABLE, *map(vma_line, maps()))

    def count():
        return len(os.listdir(f'/proc/{vmad.pid}/fd'))

    area = mmap.mmap(-1, PAGE)
    area[0] = 1
    vmas()
    before = count()
    for _ in range(50):
        vmas()
        vmad.get(f'/v1/processes/{SELF}/vmas/0x1000/ops')
        vmad.get('/v1/capabilities')
    tap.settled(lambda: tap.truth(count() <= before + 4, f'{count()} descriptors, {before} before'))


if os.geteuid() != 0:
    print('1..0 # SKIP the helper module answers root only')
    sys.exit(0)
vmad = StandIn(open_to_all=True)
with vmad:
    tap.run([
        each_vma_with_what_the_kernel_says, what_does_not_match_is_absent, filters_and_pages_of_the_list,
        a_module_that_fails_is_said, the_operations_of_a_vma, anonymous_memory_has_no_table, where_nothing_is_mapped,
        a_vma_that_changes_all_the_time, nobody_but_root, why_not, what_it_can_do, what_it_can_do_in_part, it_comes_and_goes,
        who_maps_a_page, candidates, pids_of_one_address_space, what_is_not_proved_goes_on, only_a_scan_tells, vmas_that_changed,
        who_maps_a_file, files_where_the_module_cannot_tell, vmactl_shows_it, descriptors_are_given_back,
    ])
