# SPDX-License-Identifier: GPL-2.0-or-later
"""Filters, parts of lists, and the lists of the whole host, against /proc read directly."""
import fnmatch
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from vmad import NOBODY, UnixConnection, Vmad, as_user, request  # noqa: E402
from victim import Victim  # noqa: E402

FIRST = f'first-{os.getpid()}'  # a comm that no victim of another run has
NDJSON = {'Accept': 'application/x-ndjson'}


def vmas(query='', victim=None):
    reply = vmad.get(f'/v1/processes/{(victim or first).pid}/vmas{query}')
    tap.equal(reply.status, 200, query + ': ' + reply.body.decode()[:400])
    return reply.json()


def filtered(query, keep):
    """A filtered list is the whole one without those that keep() does not want; it must drop and keep something."""
    document, whole = vmas(query), procfs.maps(first.pid)
    wanted = [area for area in whole if keep(area)]
    tap.truth(0 < len(wanted) < len(whole), f'{query} does not tell anything: {len(wanted)} of {len(whole)}')
    tap.equal(document['vmas'], wanted, query)
    tap.equal((document['count'], document['complete']), (len(wanted), True), query)


def filter_by_kind():
    """kind=, one and several"""
    for kind in {area['kind'] for area in procfs.maps(first.pid)}:
        filtered(f'?kind={kind}', lambda area, kind=kind: area['kind'] == kind)
    filtered('?kind=memfd,sysv,stack', lambda area: area['kind'] in ('memfd', 'sysv', 'stack'))


def filter_by_perms():
    """perms=, . stands for any"""
    filtered('?perms=.wx.', lambda area: area['perms'][1:3] == 'wx')
    filtered('?perms=r--p', lambda area: area['perms'] == 'r--p')
    filtered('?perms=...s', lambda area: area['perms'][3] == 's')
    filtered('?perms=---p', lambda area: area['perms'] == '---p')


def filter_by_path():
    """path= matches paths and names"""

    def matches(pattern):
        return lambda area: any(
            fnmatch.fnmatchcase(area[member], pattern) for member in ('path', 'name') if member in area
        )

    filtered('?path=*libc*', matches('*libc*'))
    filtered('?path=*/gone', matches('*/gone'))
    filtered('?path=%5B%5B%5Dstack*', matches('[[]stack*'))
    filtered('?path=/memfd:*', matches('/memfd:*'))
    filtered('?path=*newline', matches('*newline'))


def filter_by_deleted():
    """deleted=true and deleted=false"""
    filtered('?deleted=true', lambda area: area['deleted'])
    filtered('?deleted=false', lambda area: not area['deleted'])


def filter_by_size():
    """min_size_bytes=, plain and with a unit"""
    filtered('?min_size_bytes=16384', lambda area: area['size_bytes'] >= 16384)
    filtered('?min_size_bytes=16K', lambda area: area['size_bytes'] >= 16384)
    filtered('?min_size_bytes=1M', lambda area: area['size_bytes'] >= 1 << 20)


def filter_by_range():
    """start= and end=: whatever overlaps the range"""
    areas = procfs.maps(first.pid)
    low, high = int(areas[5]['start'], 16), int(areas[-6]['start'], 16)
    for start in (low, low + 1, low - 1, int(areas[5]['end'], 16)):
        filtered(f'?start={start:#x}', lambda area, start=start: int(area['end'], 16) > start)
    for end in (high, high + 1):
        filtered(f'?end={end:x}', lambda area, end=end: int(area['start'], 16) < end)
    filtered(
        f'?start={low:#x}&end={high:#x}', lambda area: int(area['end'], 16) > low and int(area['start'], 16) < high
    )


def filters_together():
    """filters narrow each other, with usage too"""
    filtered(
        '?kind=private-file,shared-file&perms=r...&deleted=true',
        lambda area: area['kind'] in ('private-file', 'shared-file') and area['perms'][0] == 'r' and area['deleted'],
    )
    found = vmas('?kind=shared-file&detail=usage')['vmas']
    wanted = [area['start'] for area in procfs.maps(first.pid) if area['kind'] == 'shared-file']
    tap.equal([area['start'] for area in found], wanted, 'with usage')
    tap.truth(all('rss_bytes' in area for area in found), 'usage is there')


def nothing_matches():
    """a filter that nothing passes gives an empty, complete list"""
    document = vmas('?path=/no/such/file')
    tap.equal((document['vmas'], document['count'], document['complete']), ([], 0, True), 'empty')


def follow(path, name):
    """All records of a list that limit= cut, part by part."""
    records, parts = [], 0
    while path:
        document = vmad.get(path).json()
        tap.equal(document['count'], len(document[name]), path)
        tap.equal(document['complete'], 'next' not in document, f'{path}: complete and next')
        if not document['complete']:
            tap.equal(document['reason'], 'limit', path)
        records += document[name]
        path = document.get('next')
        parts += 1
        tap.truth(parts < 10000, 'next never ends')
    return records, parts


def parts_make_the_whole():
    """limit= and next: the parts, one after the other, are the whole"""
    whole = procfs.maps(first.pid)
    for limit in (1, 3, 7, len(whole) - 1, len(whole), len(whole) + 1):
        records, parts = follow(f'/v1/processes/{first.pid}/vmas?limit={limit}', 'vmas')
        tap.equal(records, whole, f'limit={limit}')
        tap.truth(parts in (-(-len(whole) // limit), -(-len(whole) // limit) + 1), f'limit={limit}: {parts} parts')


def parts_keep_their_filters():
    """next keeps the filters and the detail"""
    wanted = [
        area['start'] for area in procfs.maps(first.pid) if area['perms'][0] == 'r' and area['kind'] == 'private-file'
    ]
    for detail in ('maps', 'usage'):
        records, _ = follow(
            f'/v1/processes/{first.pid}/vmas?limit=2&kind=private-file&perms=r...&detail={detail}', 'vmas'
        )
        tap.equal([area['start'] for area in records], wanted, detail)
        tap.equal(all('rss_bytes' in area for area in records), detail == 'usage', detail)


def limit_in_ndjson():
    """NDJSON says next in its last line"""
    lines = vmad.get(f'/v1/processes/{first.pid}/vmas?limit=4', NDJSON).lines()
    tap.equal([line.get('record') for line in lines], [None] + ['vma'] * 4 + [None], 'lines')
    tap.equal((lines[-1]['complete'], lines[-1]['reason'], lines[-1]['count']), (False, 'limit', 4), 'verdict')
    lines = vmad.get(lines[-1]['next'], NDJSON).lines()
    tap.equal(lines[1]['start'], procfs.maps(first.pid)[4]['start'], 'the next part')


def start_time_is_a_guard():
    """start_time_ticks= answers only for that very process"""
    right = procfs.stat(first.pid)['start_time_ticks']
    for rest in ('?', '/vmas?', '/vmas/0x1000?'):
        path = f'/v1/processes/{first.pid}{rest}start_time_ticks='
        tap.equal(vmad.get(f'{path}{right}').status, 200, rest)
        wrong = vmad.get(f'{path}{right + 1}')
        tap.equal((wrong.status, wrong.json()['type']), (409, 'urn:vmad:problem:pid-reused'), rest)


def stable_processes():
    """Processes that are there before and after ask() with the same start: (what ask() said, their stats)."""
    before = {pid: procfs.stat(pid) for pid in procfs.pids()}
    answer = ask_processes()
    after = {pid: procfs.stat(pid) for pid in procfs.pids()}
    stable = {
        pid: stat
        for pid, stat in before.items()
        if stat and after.get(pid) and after[pid]['start_time_ticks'] == stat['start_time_ticks']
    }
    return answer, stable, set(before) | set(after)


def ask_processes():
    reply = vmad.get('/v1/processes?detail=vmas')
    tap.equal(reply.status, 200, '/v1/processes')
    return reply.json()


def processes_are_those_of_proc():
    """every process of /proc is listed, once, and nothing else is"""
    tap.settled(compare_listing)


def compare_listing():
    document, stable, known = stable_processes()
    listed = [process['pid'] for process in document['processes']]
    tap.equal(listed, sorted(set(listed)), 'ascending, once each')
    tap.equal(sorted(set(stable) - set(listed)), [], 'missing')
    tap.equal(document['count'], len(listed), 'count')
    tap.equal(document['complete'], True, 'complete')
    vanished = set(listed) - known
    tap.truth(len(vanished) <= 5, f'{vanished} are in no listing of /proc')
    for process in document['processes']:
        wanted = stable.get(process['pid'])
        # The kernel's workers take the name of what they work on, from one moment to the next.
        members = ('start_time_ticks', 'ppid') if process['comm'].startswith('kworker/') else ('start_time_ticks', 'ppid', 'comm')
        for member in members if wanted else ():
            tap.equal(process[member], wanted[member], f'{member} of {process["pid"]}')


def usage_of_all():
    """detail=usage: of each process what smaps_rollup says, whatever the filters; others than root get that of their own"""

    def check(query):
        wanted = {victim.pid: procfs.rollup(victim.pid) for victim in (first, second)}
        reply = vmad.get(f'/v1/processes?detail=usage&deadline_ms=60000{query}', timeout=120)
        tap.equal(reply.status, 200, query)
        document = reply.json()
        tap.equal((document['source'], document['complete'] or query.startswith('&limit')), ('smaps_rollup', True), 'source, complete')
        rows = {process['pid']: process for process in document['processes']}
        for pid in wanted if query != '&limit=1' else ():
            tap.equal({name: rows[pid].get(name) for name in STABLE}, {name: wanted[pid][name] for name in STABLE}, f'{query} {pid}')
            tap.truth(0 < rows[pid]['pss_bytes'] <= rows[pid]['rss_bytes'], 'PSS')
        for row in rows.values():
            tap.truth('rss_bytes' in row, f'{row["pid"]} is resident, counted or not')

    for query in ('', '&uid=0', f'&comm={procfs.stat(first.pid)["comm"]}', '&limit=1'):
        if query == '&uid=0' and os.geteuid() != 0:
            continue
        tap.settled(lambda query=query: check(query))
    head = vmad.get('/v1/processes?detail=usage', method='HEAD')
    tap.equal((head.status, head.body), (200, b''), 'HEAD')
    if os.geteuid() == 0:
        with Vmad(open_to_all=True) as open_vmad:
            rows = as_user(NOBODY, lambda: usage_of_nobody(open_vmad))
        tap.equal(rows, [True, False], 'of its own process, and of pid 1')


def usage_of_nobody(open_vmad):
    """Which of these has a sum for the caller: itself, the first process."""
    rows = request(UnixConnection(open_vmad.socket), '/v1/processes?detail=usage&deadline_ms=30000').json()['processes']
    sums = {row['pid']: 'pss_bytes' in row for row in rows}
    return [sums[os.getpid()], sums[1]]


# What stands still in smaps_rollup of a process that does.
STABLE = ('rss_bytes', 'anonymous_bytes', 'swap_bytes', 'locked_bytes')


def vma_counts_are_exact():
    """detail=vmas counts, and relates to the limit"""
    document = ask_processes()
    with open('/proc/sys/vm/max_map_count', encoding='ascii') as file:
        limit = int(file.read())
    tap.equal(document['vma_limit'], limit, 'vma_limit')
    counts = {process['pid']: process for process in document['processes']}
    for victim in (first, second):
        wanted = len(procfs.maps(victim.pid))
        tap.equal(counts[victim.pid]['vma_count'], wanted, 'vma_count')
        tap.truth(
            abs(counts[victim.pid]['vma_limit_ratio'] - wanted / limit) < 1e-6,
            f'ratio {counts[victim.pid]["vma_limit_ratio"]}',
        )


def process_filters():
    """comm=, uid= and the parts of the list of processes"""
    first.thaw()
    first.tell('comm ' + FIRST.encode().hex())
    first.freeze()
    found = vmad.get(f'/v1/processes?comm=f*{FIRST[3:]}').json()['processes']
    tap.equal([process['pid'] for process in found], [first.pid], 'comm=')
    mine = vmad.get(f'/v1/processes?uid={os.geteuid()}').json()['processes']
    tap.truth({first.pid, second.pid} <= {process['pid'] for process in mine}, 'uid= of the victims')
    tap.equal({process['uid'] for process in mine}, {os.geteuid()}, 'uid=')
    tap.equal(vmad.get('/v1/processes?uid=2718281828').json()['processes'], [], 'uid= of nobody here')
    records, _ = follow(f'/v1/processes?uid={os.geteuid()}&limit=3', 'processes')
    pids = [process['pid'] for process in records]
    tap.equal(pids, sorted(set(pids)), 'parts ascend')
    tap.truth({first.pid, second.pid} <= set(pids), 'parts hold the victims')


def host_list(query=''):
    reply = vmad.get(f'/v1/vmas{query}', timeout=60)
    tap.equal(reply.status, 200, '/v1/vmas: ' + reply.body.decode()[:300])
    return reply.json()


def union_once():
    def snapshot():
        return {pid: (procfs.stat(pid), areas_or_none(pid)) for pid in procfs.pids()}

    before, document, after = snapshot(), host_list(), snapshot()
    found = {}
    for area in document['vmas']:
        pid = area.pop('pid')
        found.setdefault(pid, []).append(
            {name: value for name, value in area.items() if name not in ('start_time_ticks', 'comm', 'comm_escaped')}
        )
    compared = 0
    for pid, (stat, areas) in before.items():
        if (
            pid not in vmad.processes().values()  # its own areas come and go with the connection that asks
            and stat
            and areas
            and after.get(pid)
            and after[pid][1] == areas
            and after[pid][0]['start_time_ticks'] == stat['start_time_ticks']
        ):
            tap.equal(found.get(pid), areas, f'VMAs of {pid} {stat["comm"]}')
            compared += 1
    tap.truth(compared >= 2, f'{compared} processes were compared')
    tap.equal((document['count'], document['complete']), (len(document['vmas']), True), 'verdict')


def the_host_is_the_union():
    """/v1/vmas holds the VMAs of every process, each with its process"""
    # what another one maps for a moment may be gone both before and after
    tap.settled(union_once)


def areas_or_none(pid):
    try:
        return procfs.maps(pid)
    except OSError:
        return None


def host_list_filters():
    """/v1/vmas takes the filters of VMAs and of processes at once"""
    found = host_list(f'?comm={FIRST}&kind=memfd')
    wanted = [area for area in procfs.maps(first.pid) if area['kind'] == 'memfd']
    stat = procfs.stat(first.pid)
    for area in found['vmas']:
        tap.equal(
            [area.pop(member) for member in ('pid', 'start_time_ticks', 'comm')],
            [first.pid, stat['start_time_ticks'], FIRST],
            'process',
        )
    tap.equal(found['vmas'], wanted, 'memfds of one process')
    executable = host_list('?perms=.wx.')
    tap.truth(all(area['perms'][1:3] == 'wx' for area in executable['vmas']), 'perms=')
    tap.truth(
        {first.pid, second.pid} <= {area['pid'] for area in executable['vmas']},
        'both victims have writable and executable memory',
    )


def host_list_in_parts():
    """/v1/vmas in parts: across processes nothing is lost and nothing comes twice"""
    wanted = [
        (victim.pid, area['start'])
        for victim in sorted((first, second), key=lambda v: v.pid)
        for area in procfs.maps(victim.pid)
        if area['deleted']
    ]
    pids = {first.pid, second.pid}
    for limit in (1, 4, 1000):
        records, _ = follow(f'/v1/vmas?deleted=true&limit={limit}&path=*', 'vmas')
        tap.equal([(area['pid'], area['start']) for area in records if area['pid'] in pids], wanted, f'limit={limit}')


CASES = [
    filter_by_kind,
    filter_by_perms,
    filter_by_path,
    filter_by_deleted,
    filter_by_size,
    filter_by_range,
    filters_together,
    nothing_matches,
    parts_make_the_whole,
    parts_keep_their_filters,
    limit_in_ndjson,
    start_time_is_a_guard,
    processes_are_those_of_proc,
    usage_of_all,
    vma_counts_are_exact,
    process_filters,
    the_host_is_the_union,
    host_list_filters,
    host_list_in_parts,
]

with Vmad() as vmad, Victim() as first, Victim() as second:
    first.freeze()
    second.freeze()
    tap.run(CASES)
