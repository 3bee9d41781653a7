#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""GET /metrics of a running vmad: its numbers are the sums of /proc, its series are few, and its sampler can do nothing."""
import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from metrics import program, scrape, wait_for  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import NOBODY, TOP_SRCDIR, Vmad, as_user  # noqa: E402
from wire import wait_until  # noqa: E402

ROOT = os.geteuid() == 0
QUICK = ['--sample-interval', '1']
TYPES = {'anon': 'RssAnon', 'file': 'RssFile', 'shmem': 'RssShmem'}
FIELDS = {'vmad_virtual_bytes': 'VmSize', 'vmad_swap_bytes': 'VmSwap', 'vmad_page_table_bytes': 'VmPTE', 'vmad_locked_bytes': 'VmLck',
          'vmad_hugetlb_bytes': 'HugetlbPages'}
ANONYMOUS = {'private-anon', 'shared-anon', 'heap', 'stack', 'memfd'}
MINE = f'mine-{os.getpid()}'  # others' tests may have victims, too
SERIES_MAX = 1200
GROUPS_MAX = 64


def kib(pids, field):
    """The sum of a field of status, in bytes."""
    return sum(int(procfs.status(pid, field)) for pid in pids) * 1024


def of_maps(pids):
    """What the metrics say of VMAs, from /proc/PID/maps."""
    areas = [procfs.maps(pid) for pid in pids]
    limit = int(procfs.read('sys', 'vm/max_map_count'))
    every = [area for one in areas for area in one]
    deleted = [area for area in every if area['deleted'] and area['kind'] in ('private-file', 'shared-file')]
    return {
        'vmad_vmas': len(every),
        'vmad_process_vmas_max': max(map(len, areas)),
        'vmad_vma_limit_ratio_max': max(map(len, areas)) / limit,
        'vmad_wx_vmas': sum(area['perms'][1:3] == 'wx' for area in every),
        'vmad_exec_anon_bytes': sum(area['size_bytes'] for area in every if area['perms'][2] == 'x' and area['kind'] in ANONYMOUS),
        'vmad_deleted_bytes': sum(area['size_bytes'] for area in deleted),
        'vmad_deleted_exec_processes': sum(
            any(area['deleted'] and area['kind'] in ('private-file', 'shared-file') and area['perms'][2] == 'x' for area in one)
            for one in areas),
    }


def close_to(found, expected):
    return abs(found - expected) <= 1e-9 * max(1, abs(expected))


@contextlib.contextmanager
def frozen(count):
    """So many victims, stopped: nothing of them changes."""
    with contextlib.ExitStack() as stack:
        victims = [stack.enter_context(Victim(comm=MINE)) for _ in range(count)]
        for victim in victims:
            victim.freeze()
        yield [victim.pid for victim in victims]


def is_sampled(count, more=()):
    """Has every process of the group been read, by each tier?"""
    def holds(found):
        if found.get('vmad_processes', group='mine') != count:
            return False
        maximum = found.get('vmad_process_vmas_max', group='mine')
        return maximum and all(found.get(name, group='mine') for name in ('vmad_maps_age_seconds', *more))
    return holds


def numbers_are_those_of_proc():
    """the numbers of a group are the sums of /proc over its processes"""
    with frozen(3) as pids, Vmad(arguments=[*QUICK, '--group', f'comm:{MINE}=mine']) as vmad:
        expected = of_maps(pids)
        found = wait_for(vmad, lambda found: is_sampled(3)(found) and found.get('vmad_vmas', group='mine') == expected['vmad_vmas'])
        for name, number in expected.items():
            value = found.get(name, group='mine')
            tap.truth(value is not None and close_to(value, number), f'{name}: found {value}, expected {number}')
        tap.equal(found.get('vmad_threads', group='mine'), sum(procfs.stat(pid)['threads'] for pid in pids), 'threads')
        for name, field in FIELDS.items():
            tap.equal(found.get(name, group='mine'), kib(pids, field), name)
        for kind, field in TYPES.items():
            tap.equal(found.get('vmad_resident_bytes', group='mine', type=kind), kib(pids, field), field)
        tap.equal(found.get('vmad_vma_limit'), int(procfs.read('sys', 'vm/max_map_count')), 'limit')
        tap.equal([name for name in found.names() if 'ss_bytes' in name], [], 'usage metrics without --sample-usage')


def usage_is_that_of_proc():
    """with --sample-usage, PSS and USS of what is small enough"""
    with frozen(2) as pids, Vmad(arguments=[*QUICK, '--group', f'comm:{MINE}=mine', '--sample-usage', '512M']) as vmad:
        usage = {}

        def holds(found):
            rollups = [procfs.rollup(pid) for pid in pids]
            usage['pss'] = sum(one['pss_bytes'] for one in rollups)
            usage['uss'] = sum(one['private_clean_bytes'] + one['private_dirty_bytes'] for one in rollups)
            pss = found.get('vmad_pss_bytes', group='mine')
            # who else maps the libraries changes a share a little, all the time
            return pss and abs(pss / usage['pss'] - 1) < 0.05 and is_sampled(2, ['vmad_usage_age_seconds'])(found)

        found = wait_for(vmad, holds)
        tap.truth(abs(found.get('vmad_uss_bytes', group='mine') / usage['uss'] - 1) < 0.05, f'USS {usage}')
        big = [labels for labels, number in found.all('vmad_usage_age_seconds') if number > 60]
        tap.equal(big, [], 'old readings')


def named(names):
    """A process for each name, which is what it calls itself."""
    children = []
    for name in names:
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
            while True:
                signal.pause()
        children.append(child)
    return children


def end(children):
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def few_series():
    """however many groups there are: at most 64 and 1,200 series, the rest is one; promtool has nothing to say"""
    names = [f'vt{chr(97 + i // 26)}{chr(97 + i % 26)}' for i in range(64)]
    arguments = [word for name in names for word in ('--group', f'comm:{name}=a longer name of a group, {name}')]
    children = named(names)
    try:
        with Vmad(arguments=[*QUICK, *arguments]) as vmad:
            for path in ('/v1/processes', '/v1/processes/abc', '/v1/processes/4194303', '/nothing', '/v1/vmas?limit=1', '/v1/health'):
                vmad.get(path)
            found = wait_for(vmad, lambda found: (found.get('vmad_groups_folded') or 0) > 0 and found.all('vmad_maps_age_seconds'))
            tap.truth(len(found.samples) <= SERIES_MAX, f'{len(found.samples)} series')
            groups = {labels['group'] for labels, _ in found.all('vmad_processes')}
            tap.truth(30 < len(groups) <= GROUPS_MAX and 'other' in groups, f'{len(groups)} groups')
            tap.truth(found.get('vmad_processes', group='other') >= found.get('vmad_groups_folded'), 'processes in other')
            promtool(found)
        with Vmad(arguments=[*QUICK, *arguments, '--sample-usage', '1G']) as vmad:
            found = wait_for(vmad, lambda found: len(found.all('vmad_pss_bytes')) > 30)
            tap.truth(len(found.samples) <= SERIES_MAX, f'{len(found.samples)} series with usage')
        with Vmad(arguments=[*QUICK, *arguments, '--sample-groups', '3']) as vmad:
            found = wait_for(vmad, lambda found: (found.get('vmad_groups_folded') or 0) > 60)
            tap.equal(len(found.all('vmad_processes')), 3, 'groups')
    finally:
        end(children)


def promtool(found):
    """Not one warning."""
    if not program('promtool'):
        tap._diagnose('promtool is not here')
        return
    done = subprocess.run([program('promtool'), 'check', 'metrics'], input=found.text, capture_output=True, text=True, check=False)
    tap.equal((done.returncode, done.stdout + done.stderr), (0, ''), 'promtool check metrics')


def each_row_is_documented():
    """every metric has its help and its type, once, before its samples"""
    with Vmad(arguments=QUICK) as vmad:
        found = wait_for(vmad, lambda found: found.all('vmad_maps_age_seconds'))
        heads = re.findall(r'^# TYPE (\S+) (\S+)$', found.text, re.M)
        tap.equal(re.findall(r'^# HELP (\S+) \S', found.text, re.M), [name for name, _ in heads], 'HELP and TYPE')
        tap.equal(len({name for name, _ in heads}), len(heads), 'once each')
        with open(os.path.join(TOP_SRCDIR, 'include/vmad/metrics.def'), encoding='utf-8') as table:
            rows = set(re.findall(r'^(?:GROUP|HOST|OWN)\(\w+, "(\w+)"', table.read(), re.M))
        tap.equal({name for name, _ in heads} - rows, set(), 'metrics that metrics.def does not have')
        suffixes = re.compile(r'_(bucket|sum|count)$')
        tap.equal({suffixes.sub('', name) if suffixes.sub('', name) in rows else name for name in found.names()} - rows, set(), 'samples')
        promtool(found)


def labels_tell_nothing():
    """no label holds a pid, an address or a path"""
    children = named(['pid-4242424', '/usr/bin/thing', 'at 7f3713ddf000', 'two\nlines'])
    try:
        with Vmad(arguments=QUICK) as vmad:
            found = wait_for(vmad, lambda found: found.all('vmad_maps_age_seconds'))
            for _, labels, _ in found.samples:
                group = labels.get('group', '')
                tap.truth('/' not in group and '\n' not in group, f'a path: {group!r}')
                tap.truth(not re.search(r'(?<![.\w])\d{3,}(?![.\w])|[0-9a-f]{12,}', group), f'a number: {group!r}')
                tap.equal(set(labels) - {'group', 'type', 'tier', 'reason', 'event', 'result', 'route', 'code', 'class', 'le', 'kind',
                                         'version'}, set(), 'labels')
    finally:
        end(children)


def ended_groups_disappear():
    """a group that ended has no series any more"""
    children = named(['vt-ends'])
    with Vmad(arguments=[*QUICK, '--group', 'comm:vt-ends=ends']) as vmad:
        try:
            wait_for(vmad, lambda found: found.get('vmad_processes', group='ends') == 1)
        finally:
            end(children)
        wait_for(vmad, lambda found: 'group="ends"' not in found.text)


def own_counts():
    """requests, classes, what was cut short and what was opened are counted"""
    with Vmad(arguments=[*QUICK]) as vmad:
        vmad.get('/v1/health')
        vmad.get('/v1/health')
        vmad.get('/v1/processes/abc')
        vmad.get('/nothing')
        vmad.get(f'/v1/processes/{os.getpid()}?detail=usage')
        # Each is counted by a thread of its own, when the reply has gone: the last one not always as the last.
        right = {('health', '200'): 2, ('process', '400'): 1, ('none', '404'): 1, ('process', '200'): 1}
        found = wait_for(vmad, lambda found: all(found.get('vmad_http_requests_total', route=route, code=code) == count
                                                 for (route, code), count in right.items()))
        tap.equal(found.get('vmad_http_request_duration_seconds_count', **{'class': 'walk'}), 1, 'walks')
        tap.truth(found.get('vmad_walk_seconds_total', kind='process') > 0, 'time of walks')
        tap.truth(found.get('vmad_http_response_bytes_total', **{'class': 'cheap'}) > 30, 'bytes')
        tap.truth(found.get('vmad_opener_requests_total', result='ok') >= 1, 'opener')
        tap.equal(found.get('vmad_http_requests_in_flight', **{'class': 'walk'}), 0, 'in flight')
        for name in ('process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds', 'vmad_module_loaded',
                     'vmad_opener_restarts_total'):
            tap.truth(found.get(name) is not None, name)
        plain, packed = vmad.get('/metrics'), vmad.get('/metrics', {'Accept-Encoding': 'gzip'})
        tap.equal(packed.headers['Content-Encoding'], 'gzip', 'gzip')
        tap.truth(len(packed.body) < len(plain.body) / 3, f'{len(packed.body)} of {len(plain.body)} bytes')
        tap.equal(packed.text().startswith(b'# HELP '), True, 'text')


def sampler_of(vmad):
    """The pid of its sampler."""
    children = procfs.read(vmad.main_pid, f'task/{vmad.main_pid}/children').split()
    found = [int(pid) for pid in children if procfs.stat(int(pid))['comm'] == 'vmad-sampler']
    tap.equal(len(found), 1, f'samplers among {children}')
    return found[0]


SEQPACKET = '0005'     # in /proc/net/unix


def unix_sockets():
    """(inode, type, has a name) of each."""
    with open('/proc/net/unix', encoding='utf-8', errors='replace') as file:
        rows = [line.split() for line in file][1:]
    return [(row[6], row[4], len(row) > 7) for row in rows]


def the_sampler_can_nothing():
    """the sampler has no socket but to the opener; what parses in it has neither root's uid nor a capability, and it ends with vmad, however that ends"""
    with Vmad(arguments=QUICK) as vmad:
        wait_for(vmad, lambda found: found.all('vmad_maps_age_seconds'))
        pid = sampler_of(vmad)
        if ROOT:
            files = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]
            inodes = [name[8:-1] for name in files if name.startswith('socket:')]
            tap.equal([kind for inode, kind, named in unix_sockets() if inode in inodes and (kind, named) == (SEQPACKET, False)],
                      [SEQPACKET] * len(inodes), 'sockets are those to the opener')
            identities = [(procfs.status(pid, 'Uid'), procfs.status(pid, 'CapEff'), procfs.status(pid, 'CapPrm'))]
            tap.equal(identities[0][1:], ('0' * 16, '0' * 16), 'capabilities of the thread that parses')
            tap.truth(identities[0][0] != '0', 'its uid')
        os.kill(vmad.main_pid, signal.SIGKILL)
        vmad.process.wait()
        wait_until(lambda: (procfs.stat(pid) or {'state': 'Z'})['state'] == 'Z', 'the end of the sampler')
        vmad.process.returncode = 0     # as asked for


def an_ordinary_user_counts_its_own():
    """as an ordinary user: that user's processes, and no others"""
    if not ROOT:
        raise tap.Skip('only root can run vmad as another user')
    with Vmad(arguments=QUICK, uid=NOBODY) as vmad:
        def ask():
            found = wait_for(vmad, lambda found: found.all('vmad_maps_age_seconds'))
            return sum(number for _, number in found.all('vmad_processes'))
        # processes of nobody's may come and go: but not all of this host's are
        mine = as_user(NOBODY, ask)
        tap.truth(2 <= mine < len(procfs.pids()) / 2, f'{mine} processes')


def a_captured_tree():
    """a captured tree is sampled as it is"""
    tree = os.path.join(TOP_SRCDIR, 'tests/proc/linux-6.18')
    with Vmad(arguments=[*QUICK, '--procfs', tree]) as vmad:
        found = wait_for(vmad, lambda found: found.all('vmad_maps_age_seconds'))
        with open(os.path.join(tree, '4242/maps'), 'rb') as maps:
            lines = len(maps.readlines())
        tap.truth(lines in [number for _, number in found.all('vmad_vmas')], f'{lines} VMAs: {found.all("vmad_vmas")}')
        tap.equal(found.get('vmad_thp_events_total', event='fault_alloc'), None, 'what the running kernel counts')


tap.run([
    numbers_are_those_of_proc,
    usage_is_that_of_proc,
    few_series,
    each_row_is_documented,
    labels_tell_nothing,
    ended_groups_disappear,
    own_counts,
    the_sampler_can_nothing,
    an_ordinary_user_counts_its_own,
    a_captured_tree,
])
