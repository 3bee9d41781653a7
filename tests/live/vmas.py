# SPDX-License-Identifier: GPL-2.0-or-later
"""A victim with every kind of VMA: vmad's answers against /proc read directly, field by field."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from paged import one_huge_page  # noqa: E402
from vmad import Vmad  # noqa: E402
from victim import Victim  # noqa: E402

NDJSON = {'Accept': 'application/x-ndjson'}


def uri(rest=''):
    return f'/v1/processes/{victim.pid}{rest}'


def get(rest='', headers=None):
    """The reply to a question about the victim; it must be a 200."""
    reply = vmad.get(uri(rest), headers)
    tap.equal(reply.status, 200, uri(rest) + ': ' + reply.text().decode()[:400])
    return reply


def same_areas(found, expected):
    """Names the first VMA and member that differ."""
    for area, wanted in zip(found, expected):
        for member in {**area, **wanted}:
            tap.equal(area.get(member), wanted.get(member), f'{wanted["start"]} {member}')
    tap.equal(len(found), len(expected), 'number of VMAs')


def find(areas, address):
    """The VMA that holds an address, in a list of vmad's."""
    return next((area for area in areas if int(area['start'], 16) <= address < int(area['end'], 16)), None)


def the_envelope_names_the_process():
    """the reply says which process it is about, and from where it knows"""
    document = get('/vmas').json()
    stat = procfs.stat(victim.pid)
    for member in ('pid', 'start_time_ticks', 'comm'):
        tap.equal(document[member], stat[member], member)
    tap.equal(document['source'], 'maps', 'source')
    tap.equal((document['count'], document['complete']), (len(document['vmas']), True), 'verdict')
    tap.truth('reason' not in document and 'next' not in document, 'a complete list has neither reason nor next')


def maps_field_by_field():
    """every VMA as maps has it, in its order"""
    same_areas(get('/vmas').json()['vmas'], procfs.maps(victim.pid))


def every_area_has_its_kind():
    """what the victim made is what vmad says it is"""
    areas = get('/vmas').json()['vmas']
    for made in victim.areas.values():
        area = find(areas, made.start)
        tap.truth(area, f'{made.name} is not listed')
        tap.equal(area['kind'], made.kind, f'kind of {made.name}')
        if made.end is not None:
            tap.equal((int(area['start'], 16), int(area['end'], 16)), (made.start, made.end), f'range of {made.name}')
            tap.equal((area['perms'], area['deleted']), (made.perms, made.deleted), f'perms and deleted of {made.name}')


def every_area_has_its_path():
    """paths: newline, blanks, backslashes, not UTF-8, " (deleted)" in the name, longer than a page of maps"""
    areas = get('/vmas').json()['vmas']
    for made in victim.areas.values():
        area = find(areas, made.start)
        if made.end is None:
            continue
        wanted = {}
        if made.shown:
            procfs.text_member(
                wanted, 'path' if made.shown.startswith(b'/') else 'name', made.shown.replace(b'\n', b'\\012')
            )
        found = {member: area[member] for member in ('path', 'name', 'path_escaped', 'name_escaped') if member in area}
        tap.equal(found, wanted, made.name)


def kinds_are_covered():
    """between them the victim's areas show every kind"""
    shown = {area['kind'] for area in get('/vmas').json()['vmas']}
    missing = [kind for kind in procfs.KINDS if kind not in shown]
    absent = [kind for kind in missing if kind in ('hugetlb', 'vsyscall', 'device')]
    tap.equal(missing, absent, 'kinds that are missing')
    if missing:
        raise tap.Skip(f'this host has no {", ".join(missing)}: {victim.absent}')


def usage_field_by_field():
    """detail=usage is smaps, every key of it"""
    tap.settled(compare_usage)


def compare_usage():
    before = procfs.smaps(victim.pid)
    document = get('/vmas?detail=usage').json()
    after = procfs.smaps(victim.pid)
    tap.equal((document['source'], document['complete'], document['count']), ('smaps', True, len(after)), 'envelope')
    for area, one, other in zip(document['vmas'], before, after):
        for member in {**area, **other}:
            tap.truth(
                member in area and member in other, f'{other["start"]}: {member} is missing on one side: {area} {other}'
            )
            tap.truth(
                between(area[member], one[member], other[member]),
                f'{other["start"]} {member}: {area[member]} is not between {one[member]} and {other[member]}',
            )


def between(value, one, other):
    """The victim is frozen, but others that map its libraries come and go: a sum may have moved meanwhile."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value in (one, other)
    return min(one, other) <= value <= max(one, other)


def usage_sees_what_was_touched():
    """pages that the victim touches appear in its usage"""
    made = victim.areas['anon']
    before = find(get('/vmas?detail=usage').json()['vmas'], made.start)
    victim.thaw()
    victim.tell('touch anon')
    victim.freeze()
    after = find(get('/vmas?detail=usage').json()['vmas'], made.start)
    tap.equal(before['rss_bytes'], 0, 'before')
    for member in ('rss_bytes', 'pss_bytes', 'private_dirty_bytes', 'anonymous_bytes'):
        tap.equal(after[member], made.end - made.start, member)


def rollup_is_smaps_rollup():
    """one process with detail=usage is its smaps_rollup"""

    def agrees():
        """Pss also depends on who else maps a page."""
        before = procfs.rollup(victim.pid)
        document = get('?detail=usage').json()
        after = procfs.rollup(victim.pid)
        tap.equal(document['source'], 'smaps_rollup', 'source')
        for member, wanted in after.items():
            # rss_bytes stands in both records: the walked sum wins over the fast counter
            tap.truth(member in document, f'{member} is missing')
            tap.truth(
                between(document[member], before[member], wanted),
                f'{member}: {document[member]}, {before[member]} before, {wanted} after',
            )

    tap.settled(agrees)


def the_process_record():
    """one process is what stat and status say"""
    document = get().json()
    stat = procfs.stat(victim.pid)
    for member, wanted in stat.items():
        tap.equal(document[member], wanted, member)
    tap.equal(document['uid'], int(procfs.status(victim.pid, 'Uid')), 'uid')
    tap.equal(document['swap_bytes'], int(procfs.status(victim.pid, 'VmSwap')) * 1024, 'swap_bytes')
    resident = int(procfs.status(victim.pid, 'VmRSS')) * 1024
    tap.truth(abs(document['rss_bytes'] - resident) <= 1 << 20, f'rss_bytes {document["rss_bytes"]}, VmRSS {resident}')


def ndjson_is_json():
    """NDJSON holds the same records, with an envelope on either side"""
    for detail in ('maps', 'usage'):
        document = get(f'/vmas?detail={detail}').json()
        lines = get(f'/vmas?detail={detail}', NDJSON).lines()
        records = document.pop('vmas')
        tail = {member: document.pop(member) for member in ('count', 'complete')}
        document.pop('age_ms', None)
        lines[0].pop('age_ms', None)
        lines[-1].pop('age_ms', None)
        tap.equal(lines[0], {'begin': True, **document}, 'first line')
        tap.equal(lines[-1], {'end': True, **tail}, 'last line')
        tap.equal(len(lines) - 2, len(records), 'records')
        for line, record in zip(lines[1:-1], records):
            stable = {member: record[member] for member in record if 'pss' not in member}
            tap.equal(
                {member: line[member] for member in line if 'pss' not in member},
                {'record': 'vma', **stable},
                record['start'],
            )


def gzip_is_plain():
    """gzip, when asked for, packs the same bytes"""
    plain = get('/vmas')
    packed = get('/vmas', {'Accept-Encoding': 'gzip'})
    tap.equal(plain.headers.get('Content-Encoding'), None, 'not asked for')
    tap.equal(packed.headers.get('Content-Encoding'), 'gzip', 'asked for')
    tap.equal(packed.text(), plain.body, 'body')


def head_has_no_body():
    """HEAD answers as GET does, without a body"""
    reply = vmad.get(uri('/vmas'), method='HEAD')
    tap.equal((reply.status, reply.body), (200, b''), 'HEAD')


def lookup(address):
    return get(f'/vmas/{address:#x}').json()


def neighbour(areas, i):
    """The area above, as a look-up tells it: [vsyscall] lies beyond user space and is nobody's neighbour."""
    return areas[i] if i < len(areas) and areas[i]['kind'] != 'vsyscall' else None


def every_first_and_last_byte():
    """each VMA is found at its first and at its last byte, with its neighbours and the file's offset"""
    areas = procfs.maps(victim.pid)
    for i, area in enumerate(areas):
        start, end = int(area['start'], 16), int(area['end'], 16)
        for address in (start, end - 1):
            found = lookup(address)
            tap.equal(found['address'], f'{address:#x}', 'address')
            tap.equal(found.get('vma'), area, f'vma at {address:#x}')
            tap.equal(found.get('previous'), areas[i - 1] if i else None, f'previous of {address:#x}')
            tap.equal(found.get('next'), neighbour(areas, i + 1), f'next of {address:#x}')
            tap.truth('gap' not in found, f'{address:#x} lies in a VMA and in a gap')
            if area['kind'] in ('private-file', 'shared-file'):
                tap.equal(
                    found['file_offset_bytes'], area['offset_bytes'] + address - start, f'file offset at {address:#x}'
                )


def every_gap():
    """in each gap: its range, and what is below and above"""
    areas = procfs.maps(victim.pid)
    for below, above in zip(areas, areas[1:]):
        start, end = int(below['end'], 16), int(above['start'], 16)
        if start == end or above['kind'] == 'vsyscall':
            continue
        for address in (start, (start + end) // 2, end - 1):
            found = lookup(address)
            tap.equal(
                found.get('gap'),
                {'start': f'{start:#x}', 'end': f'{end:#x}', 'size_bytes': end - start},
                f'gap at {address:#x}',
            )
            tap.equal((found.get('previous'), found.get('next')), (below, above), f'neighbours of {address:#x}')
            tap.truth('vma' not in found, f'{address:#x} lies in a VMA and in a gap')


def the_gaps_that_the_victim_left():
    """gaps whose size the victim chose"""
    for start, end in victim.gaps:
        gap = lookup(start).get('gap')
        tap.truth(gap, f'no gap at {start:#x}')
        tap.truth(
            int(gap['start'], 16) == start and int(gap['end'], 16) >= end,
            f'gap at {start:#x}: {gap}, at least up to {end:#x}',
        )


def below_and_above_everything():
    """address 0 and the highest address are in gaps or VMAs like any other"""
    areas = procfs.maps(victim.pid)
    found = lookup(0)
    tap.equal((found.get('vma'), found.get('previous'), found.get('next')), (None, None, areas[0]), 'address 0')
    found = lookup(0xFFFFFFFFFFFFFFFF)
    tap.equal((found.get('vma'), found.get('previous'), found.get('next')), (None, areas[-1], None), 'the last address')


def unmapped_areas_disappear():
    """what is unmapped is a gap at once"""
    made = victim.areas['anon-executable']
    victim.thaw()
    victim.tell('unmap anon-executable')
    victim.freeze()
    tap.equal(find(get('/vmas').json()['vmas'], made.start), None, 'in the list')
    gap = lookup(made.start)['gap']
    tap.truth(int(gap['start'], 16) < made.start and int(gap['end'], 16) > made.end, f'{gap}')


def odd_names():
    """a process may call itself what it likes: parentheses, blanks, newlines, not UTF-8"""
    for comm in (b') R 1 (', b'a\nb\x1b[2J\t"\\', b'caf\xe9\\', b' ', b'\xf0\x9f\x90\xa7'):
        victim.thaw()
        victim.tell('comm ' + comm.hex())
        victim.freeze()
        stat, document, record = procfs.stat(victim.pid), get('/vmas').json(), get().json()
        wanted = {}
        procfs.text_member(wanted, 'comm', comm)
        for reply in (document, record):
            tap.equal(
                {member: reply[member] for member in ('comm', 'comm_escaped') if member in reply},
                wanted,
                f'comm {comm!r}',
            )
            tap.equal(
                (reply['pid'], reply['start_time_ticks']),
                (stat['pid'], stat['start_time_ticks']),
                f'identity of {comm!r}',
            )


def a_forked_child_is_its_own_process():
    """a child has the parent's layout, its own pid and start"""
    victim.thaw()
    child = int(victim.tell('fork')[0])
    victim.freeze()
    document = vmad.get(f'/v1/processes/{child}/vmas').json()
    tap.equal(
        (document['pid'], document['start_time_ticks']), (child, procfs.stat(child)['start_time_ticks']), 'identity'
    )
    same_areas(document['vmas'], procfs.maps(child))
    tap.equal(vmad.get(f'/v1/processes/{child}').json()['ppid'], victim.pid, 'ppid')


def the_leader_exits():
    """a process whose leader has exited still has its address space"""
    victim.thaw()
    victim.tell('leader')
    thread = next(thread for thread in os.listdir(f'/proc/{victim.pid}/task') if thread != str(victim.pid))  # numbers wrap
    tap.equal(procfs.maps(victim.pid), [], 'the leader\'s own maps')
    tap.equal(get().json()['state'], 'Z', 'state')
    for detail in ('maps', 'usage'):
        document = get(f'/vmas?detail={detail}').json()
        tap.equal(
            (document['count'], document['complete']), (len(procfs.maps(f'{victim.pid}/task/{thread}')), True), detail
        )
    made = victim.areas['shared-file']
    tap.equal(lookup(made.start)['vma']['kind'], 'shared-file', 'one address')


def a_kernel_thread():
    """a thread of the kernel has no VMAs, and that is an answer"""
    if procfs.stat(2) is None or procfs.stat(2)['comm'] != 'kthreadd':
        raise tap.Skip('no kthreadd in this pid namespace')
    for detail in ('maps', 'usage'):
        document = vmad.get(f'/v1/processes/2/vmas?detail={detail}').json()
        tap.equal(
            (document['comm'], document['vmas'], document['count'], document['complete']),
            ('kthreadd', [], 0, True),
            detail,
        )
    tap.equal(vmad.get('/v1/processes/2').json()['vm_size_bytes'], 0, 'vm_size_bytes')


def a_zombie():
    """a zombie is a process without an address space"""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    try:
        tap.equal(vmad.get(f'/v1/processes/{child}').json()['state'], 'Z', 'state')
        document = vmad.get(f'/v1/processes/{child}/vmas').json()
        tap.equal((document['vmas'], document['complete']), ([], True), 'VMAs')
    finally:
        os.waitpid(child, 0)
    for rest in ('', '/vmas', '/vmas?detail=usage', '/vmas/0x1000', '?detail=usage'):
        tap.equal(vmad.get(f'/v1/processes/{child}{rest}').status, 404, f'reaped: {rest}')


CASES = [
    the_envelope_names_the_process,
    maps_field_by_field,
    every_area_has_its_kind,
    every_area_has_its_path,
    kinds_are_covered,
    usage_field_by_field,
    usage_sees_what_was_touched,
    rollup_is_smaps_rollup,
    the_process_record,
    ndjson_is_json,
    gzip_is_plain,
    head_has_no_body,
    every_first_and_last_byte,
    every_gap,
    the_gaps_that_the_victim_left,
    below_and_above_everything,
    unmapped_areas_disappear,
    odd_names,
    a_forked_child_is_its_own_process,
    the_leader_exits,
    a_kernel_thread,
    a_zombie,
]

with one_huge_page(), Vmad() as vmad, Victim() as victim:
    victim.freeze()
    tap.run(CASES)
