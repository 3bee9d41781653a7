# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of kernels.py: in a machine of its own, on the kernel that it was booted with, as a service of the systemd there."""
import errno
import functools
import mmap
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '../lib'))
import cases  # noqa: E402
import tap  # noqa: E402
from cases import get  # noqa: E402
from root import Root  # noqa: E402

GROUPS = '/sys/fs/cgroup'
DISK = '/dev/nvme0n1'
ELSEWHERE = '192.0.2.1'         # documentation's, RFC 5737
REACH_SECONDS = 2               # who is kept away by a filter hears nothing
EMULATED_SECONDS = 60           # an emulator on a busy host is no measure of time
# In force, by the files of the control group.
LIMITS = {
    'vmad.service': {'memory.high': 192 << 20, 'memory.max': 256 << 20, 'pids.max': 512, 'cpu.weight': 20},
    'vmad-opener.service': {'memory.high': 96 << 20, 'memory.max': 128 << 20, 'pids.max': 256, 'cpu.weight': 20},
}
# What came with which kernel.
NEWER = {'vma-queries': (6, 11), 'page-scan': (6, 7)}
CACHESTAT = (6, 5)
MAPPINGS = 3000


class Here(Root):
    """This machine, as cases.py wants it."""
    init = 1

    @staticmethod
    def run(*command, check=True, timeout=120):
        """A command, as root."""
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
        if check and done.returncode:
            raise AssertionError(f'{" ".join(command)}: status {done.returncode}: {done.stdout}{done.stderr}')
        return done


def show(unit, name):
    return box.run('systemctl', 'show', '--value', f'--property={name}', unit).stdout.strip()


@functools.cache
def group_of(unit):
    return GROUPS + show(unit, 'ControlGroup')


def inside(unit, attempt):
    """Calls a function by a process in a unit's control group, with nothing else of it: only what the group forbids is forbidden. No unit:
    anywhere. Returns None, or the name of the error."""
    back, forth = os.pipe()
    if not (pid := os.fork()):
        os.close(back)
        try:
            if unit:
                with open(f'{group_of(unit)}/cgroup.procs', 'w', encoding='ascii') as file:
                    file.write('0')
            attempt()
        except OSError as error:
            os.write(forth, (errno.errorcode.get(error.errno) or str(error)).encode())
        finally:
            os._exit(0)
    os.close(forth)
    with open(back, encoding='ascii') as file:
        said = file.read()
    os.waitpid(pid, 0)
    return said or None


def read_number(*path):
    with open(os.path.join(*path), encoding='ascii') as file:
        return int(file.read())


def release():
    return tuple(int(part) for part in os.uname().release.split('.')[:2])


def it_boots():
    """systemd reaches its target: the services and sockets are active, and nothing has failed"""
    def is_done():
        return 'starting' not in box.run('systemctl', 'is-system-running', check=False).stdout

    cases.wait_until(is_done, 'all jobs are done')
    tap.equal(box.run('systemctl', 'list-units', '--failed', '--plain', '--no-legend').stdout, '', 'failed')
    cases.they_start()


def the_module_comes_by_itself():
    """the helper module, where DKMS has put it, is loaded by the opener's unit, and again by its next start"""
    with open('/proc/modules', encoding='ascii') as file:
        tap.truth(any(line.startswith('vmad ') for line in file), 'not among the modules')
    box.run('rmmod', 'vmad')
    tap.equal(cases.why_no_helper(), 'the helper module: what the kernel\'s own structures say', 'after a restart')
    tap.equal(os.stat('/dev/vmad').st_mode & 0o777, 0o600, 'its mode')


def the_module_answers():
    """vmactl tells root the symbols of vm_ops, VMAs with the kernel's facts, and who maps a page, by the module"""
    ops = box.run('vmactl', 'ops', '1').stdout
    tap.truth('complete (maps+helper)' in ops and 'ext4_file_vm_ops' in ops and 'special_mapping_vmops' in ops, ops[:2000])
    kernel = box.run('vmactl', 'maps', '--kernel', '1').stdout
    tap.truth('ext4_file_vm_ops' in kernel, kernel[:2000])
    area = get('/v1/processes/1/vmas?kind=private-file&perms=r.x.&limit=1')['vmas'][0]
    one = box.run('vmactl', 'ops', '1', area['start'][2:]).stdout
    tap.truth('filemap_map_pages' in one and 'complete (helper)' in one, one)
    rmap = box.run('vmactl', 'rmap', '1', area['start'][2:]).stdout
    tap.truth('complete (helper)' in rmap and area['path'] in rmap, rmap)


def capability(name):
    return next(one for one in get('/v1/capabilities')['capabilities'] if one['name'] == name)


def what_this_kernel_has():
    """vmad knows what this kernel has, and does without the rest: PROCMAP_QUERY, PAGEMAP_SCAN, cachestat, frames"""
    for name, since in NEWER.items():
        tap.equal(capability(name)['available'], release() >= since, name)
    source = 'cachestat' if release() >= CACHESTAT else 'mincore'
    cached = get('/v1/files/pages?path=/usr/bin/curl')
    tap.equal((capability('page-cache')['value'], cached['source'], cached['cached_bytes'] > 0), (source, source, True), 'the page cache')
    heap = get('/v1/processes/1/vmas?kind=heap')['vmas'][0]
    address = hex(int(heap['end'], 16) - 1)
    tap.equal(get(f'/v1/processes/1/vmas/{address}')['vma']['start'], heap['start'], 'an address')
    tap.truth(get(f'/v1/processes/1/pages?start={heap["start"]}&end={heap["end"]}&deadline_ms=20000')['complete'], 'pages')
    frames = get('/v1/frames?deadline_ms=60000')
    counted = sum(kind['page_count'] for kind in frames['frames'])
    tap.truth(frames['complete'] and counted == frames['total_page_count'] > 1000, f'{frames}'[:500])


def the_limits_are_in_force():
    """the control groups have the units' limits"""
    for unit, limits in LIMITS.items():
        tap.equal({name: read_number(group_of(unit), name) for name in limits}, limits, unit)


def devices_are_refused():
    """the device policy holds: no disk, memory or kernel log; the module's device for the opener alone, to read; /dev/null for both"""
    worker, opener = cases.SERVICES

    def opened(unit, path, flags=os.O_RDONLY):
        return inside(unit, lambda: os.open(path, flags))

    for path in (DISK, '/dev/mem', '/dev/kmsg', '/dev/ttyS0'):
        tap.equal([opened(unit, path) for unit in (None, worker, opener)], [None, 'EPERM', 'EPERM'], path)
    tap.equal([opened(unit, '/dev/null', os.O_RDWR) for unit in (worker, opener)], [None, None], '/dev/null')
    tap.equal([opened(unit, '/dev/vmad') for unit in (None, worker, opener)], [None, 'EPERM', None], 'the module\'s')
    tap.equal([opened(unit, '/dev/vmad', os.O_RDWR) for unit in (None, opener)], [None, 'EPERM'], 'the module\'s, to write')


def the_network_is_refused():
    """the address filters hold: neither service reaches even this machine, and only loopback addresses reach vmad's port"""
    worker, opener = cases.SERVICES
    box.run('ip', 'address', 'add', f'{ELSEWHERE}/32', 'dev', 'lo')

    def reached(unit, port, address='127.0.0.1', source=None):
        return inside(unit, lambda: socket.create_connection((address, port), REACH_SECONDS, source and (source, 0)))

    with socket.create_server(('127.0.0.1', 0)) as server:
        port = server.getsockname()[1]
        tap.equal([reached(None, port), reached(None, port, source=ELSEWHERE)], [None, None], 'elsewhere')
        tap.equal([reached(worker, port), reached(opener, port)], ['timed out', 'timed out'], 'in the services')
    tap.equal([reached(None, 8623), reached(None, 8623, '::1')], [None, None], 'vmad, from loopback')
    tap.equal(reached(None, 8623, source=ELSEWHERE), 'timed out', f'vmad, from {ELSEWHERE}')


MANY = f'''
import mmap, sys, time
area = mmap.mmap(-1, {2 * MAPPINGS} * 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
area.madvise(mmap.MADV_NOHUGEPAGE)
for page in range(0, {2 * MAPPINGS}, 2):
    area[page * 4096] = 1
    area.madvise(mmap.MADV_DONTDUMP, page * 4096, 4096)
print('there', flush=True)
sys.stdin.read()
'''


EVERYTHING = (
    'vmas', 'processes?detail=vmas&deadline_ms=60000', 'frames?deadline_ms=60000', 'processes/{pid}/vmas?detail=usage&deadline_ms=60000',
    'processes/{pid}/vmas?detail=kernel&deadline_ms=60000', 'processes/{pid}/pages?deadline_ms=60000', 'processes/{pid}/sharing?deadline_ms=60000',
)


def memory_suffices():
    """what is asked about everything at once stays far below the limits: each service's memory and tasks, and no limit was hit"""
    with subprocess.Popen(['/usr/bin/python3', '-S', '-c', MANY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as many:
        many.stdout.readline()
        for path in EVERYTHING:
            path = path.format(pid=many.pid)
            document = get(f'/v1/{path}')
            print(f'# {path}: {document.get("count")} records', flush=True)
            tap.truth(document['complete'], f'{path}: {document.get("reason")}')
        many.stdin.close()
    for unit in cases.SERVICES:
        group = group_of(unit)
        peak, high = read_number(group, 'memory.peak'), LIMITS[unit]['memory.high']
        tasks = read_number(group, 'pids.current')
        print(f'# {unit}: {peak >> 10} KiB at most, of {high >> 10}; {tasks} tasks', flush=True)
        tap.truth(peak < high // 2, f'{unit}: {peak} bytes')
        with open(os.path.join(group, 'memory.events'), encoding='ascii') as file:
            events = dict(line.split() for line in file)
        tap.equal({name: events[name] for name in ('high', 'max', 'oom', 'oom_kill')},
                  {'high': '0', 'max': '0', 'oom': '0', 'oom_kill': '0'}, unit)


def memory_is_bounded():
    """who takes more than a service may is ended by the kernel; the service, as a whole, begins again"""
    unit = cases.SERVICES[0]
    before = show(unit, 'MainPID')
    # Up to there the kernel only slows it down, and takes its time.
    with open(os.path.join(group_of(unit), 'memory.high'), 'w', encoding='ascii') as file:
        file.write('max')
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    inside(unit, lambda: mmap.mmap(-1, LIMITS[unit]['memory.max'] + (64 << 20), flags))
    cases.wait_until(lambda: show(unit, 'MainPID') not in ('0', before) and cases.serves(), f'{unit} again')
    said = box.run('journalctl', f'--unit={unit}', '--output=cat').stdout
    tap.truth("Failed with result 'oom-kill'" in said, said[-1000:])


def timed(case):
    """The same case, and how long it takes."""
    @functools.wraps(case)
    def run():
        began = time.monotonic()
        try:
            case()
        finally:
            print(f'# {time.monotonic() - began:.1f} s: {case.__name__}', flush=True)
    return run


CASES = (
    it_boots, cases.what_each_may, cases.who_gives_way, the_module_comes_by_itself, cases.root_asks, the_module_answers, what_this_kernel_has,
    cases.members_ask, cases.tokens_are_given, cases.metrics_are_there, cases.it_is_told, the_limits_are_in_force, devices_are_refused,
    the_network_is_refused, memory_suffices, memory_is_bounded, cases.each_is_killed, cases.the_opener_outlives_its_worker,
    cases.without_an_opener, cases.they_read_again, cases.the_first_client_starts_it, cases.what_is_hidden_stays_so, cases.they_stop,
)

box = cases.box = Here()
cases.AGAIN_SECONDS = cases.AT_ONCE_SECONDS = cases.WAIT_SECONDS = EMULATED_SECONDS
try:
    tap.run([timed(case) for case in CASES])
finally:
    journal = box.run('journalctl', '--unit=vmad*', '--output=short-monotonic', check=False).stdout.splitlines()
    print(*(f'# {line}' for line in journal[-60:]), sep='\n', flush=True)
