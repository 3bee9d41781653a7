#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the helper module adds: detail=kernel, the operations of a VMA, capabilities; and what is said where it is not there."""
import mmap
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from standin import StandIn  # noqa: E402
from vmad import NOBODY, TOP_BUILDDIR, as_user  # noqa: E402

SELF = os.getpid()
TABLE = ('table ext4_file_vm_ops ext4 open=- fault=filemap_fault map_pages=filemap_map_pages page_mkwrite=ext4_page_mkwrite '
         'brand_new=? other_new=-')
PAGE = mmap.PAGESIZE
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


def it_comes_and_goes():
    """the module may be loaded and unloaded while vmad runs"""
    for _ in range(3):
        vmad.answer(info=None)
        tap.equal(vmas().status, 501, 'gone')
        vmad.answer(TABLE, *map(vma_line, maps()))
        tap.equal(vmas().status, 200, 'there')


def descriptors_are_given_back():
    """no descriptor stays open, whatever the answers were"""
    vmad.answer(TABLE, *map(vma_line, maps()))

    def count():
        return len(os.listdir(f'/proc/{vmad.pid}/fd'))

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
        a_vma_that_changes_all_the_time, nobody_but_root, why_not, what_it_can_do, it_comes_and_goes, descriptors_are_given_back,
    ])
