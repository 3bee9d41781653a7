# SPDX-License-Identifier: GPL-2.0-or-later
"""make bench: vmad beside its peers on this machine, in one run; one table, each figure with its goal.

bench.py [--list] [SECTION]...: without a section, all. Environment: BENCH_ROUNDS (21), the interleaved rounds that a
median is taken of; BENCH_FULL=1 gives the slow peers (pmap -x, pmap -X, psutil) as many rounds, otherwise they get a
seventh; PAGE_TYPES, the kernel's page-types where it is not in PATH. Goals are those of a quiet machine; missing one is said and is no failure.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '../lib'))
sys.dont_write_bytecode = True
from crowd import Crowd  # noqa: E402
from metrics import program, scrape, wait_for  # noqa: E402
from vmad import TOP_BUILDDIR, Vmad, free_port  # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))
MEASURE = os.path.join(TOP_BUILDDIR, 'tests/bench/measure')
WORKLOAD = os.path.join(TOP_BUILDDIR, 'tests/bench/workload')
ROUNDS = int(os.environ.get('BENCH_ROUNDS', '21'))
SLOW_EVERY = 1 if os.environ.get('BENCH_FULL') else 7
SLICE_MS = 100
MIB = 1 << 20

# shape and VMAs of each workload
WORKLOADS = {
    'long paths': ('long', 60000),
    'half and half': ('half', 60000),
    'all anonymous': ('anon', 60000),
    '1,000 VMAs': ('half', 1000),
    '200 over 5 GiB': ('touched', 200),
}

NGINX = '/usr/sbin/nginx'
NGINX_CONF = """daemon off;
worker_processes 1;
worker_rlimit_nofile 4096;
user root;
pid {0}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    default_type application/json;
    client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f;
    uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
    server {{ listen unix:{0}/nginx.sock; {1} root {0}/www; }}
}}
"""


# --- what runs beside ---


def numbers(text):
    """The "name=value" words of measure."""
    return {name: int(value) for name, value in (word.split('=') for word in text.split())}


def measure(*arguments):
    """One run of measure."""
    done = subprocess.run([MEASURE, *map(str, arguments)], stdout=subprocess.PIPE, check=True, text=True)
    return numbers(done.stdout)


class Workload:
    """A running workload process."""

    def __init__(self, name, directory):
        self.name = name
        shape, self.count = WORKLOADS[name]
        self.process = subprocess.Popen(
            [WORKLOAD, shape, str(self.count), directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ready = self.process.stdout.readline().split()
        if not ready:
            raise RuntimeError(f'the workload "{name}" did not start')
        self.start, self.end = (int(word, 16) for word in ready[1:])
        self.pid = self.process.pid

    def file(self, name):
        return f'/proc/{self.pid}/{name}'

    def uri(self, rest=''):
        return f'/v1/processes/{self.pid}{rest}'

    def churn(self, milliseconds=SLICE_MS):
        """mmap and munmap in a loop: (operations a second, share of a CPU that it got)."""
        self.process.stdin.write(f'churn {milliseconds}\n')
        self.process.stdin.flush()
        operations, wall, cpu = map(int, self.process.stdout.readline().split()[1:])
        return operations * 1e9 / wall, cpu / wall

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Bench:
    """The daemon, the workloads that were started so far, and the table."""

    def __init__(self, directory):
        self.directory = directory
        self.vmad = Vmad()
        self.workloads = {}

    def workload(self, name):
        if name not in self.workloads:
            self.workloads[name] = Workload(name, self.directory)
        return self.workloads[name]

    def stop(self):
        for workload in self.workloads.values():
            workload.stop()
        self.vmad.stop()


@contextlib.contextmanager
def load(*arguments, pin=None, patient=True):
    """A load in the background, from its first byte on. patient: it may end its last list, and tells its counts."""
    command = [MEASURE, *map(str, arguments)]
    if pin is not None:
        command = ['taskset', '-c', str(pin), *command]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        yield process
    finally:
        process.stdin.close()
        if not patient:
            process.kill()
        process.wait()


# --- the table ---

COLUMNS = '{:<44} {:<15} {:>14} {:>7}  {:<20} {:>6}'


def head():
    machine = os.uname()
    print(
        f'{machine.sysname} {machine.release} {machine.machine}, {len(os.sched_getaffinity(0))} CPUs; '
        f'load average {os.getloadavg()[0]:.2f} before the first round'
    )
    print(COLUMNS.format('WHAT', 'ON', 'FIGURE', 'RATIO', 'GOAL', 'ROUNDS'))


def row(what, on, figure, ratio=None, goal=None, reached=None, rounds=1):
    """One line. goal is said in words; reached: True, False, or None where there is none."""
    said = '' if goal is None else f'{goal} {"ok" if reached else "MISSED"}'
    digits = '' if ratio is None else f'{ratio:.3f}' if ratio >= 0.01 else f'{ratio:.4f}'
    print(COLUMNS.format(what, on, figure, digits, said, rounds), flush=True)


def ms(ns):
    return f'{ns / 1e6:.2f} ms'


def us(ns):
    return f'{ns / 1e3:.1f} us'


def most(ratio, goal):
    """The last three columns' values for a figure that is to be at most so much."""
    return {'ratio': ratio, 'goal': f'<= {goal}', 'reached': ratio <= goal}


def least(ratio, goal):
    return {'ratio': ratio, 'goal': f'>= {goal}', 'reached': ratio >= goal}


# --- lists ---


def get_list(bench, workload, rest):
    result = measure('get', bench.vmad.socket, workload.uri(rest))
    if result['status'] != 200 or not result['complete'] or result['count'] != workload.count:
        raise RuntimeError(f'{workload.name}{rest}: {result}')
    return result['ns']


def run_psutil(workload, field='ns'):
    done = subprocess.run(
        ['/usr/bin/python3', f'{HERE}/psutil_json.py', str(workload.pid)], stdout=subprocess.PIPE, check=True, text=True
    )
    return numbers(done.stdout)[field]


def rounds_of(contestants, rounds=ROUNDS):
    """Interleaved: each round runs every contestant once, the slow ones in every SLOW_EVERY-th. name -> its figures."""
    figures = {name: [] for name, _, _ in contestants}
    for number in range(rounds):
        for name, slow, run in contestants:
            if not slow or number % SLOW_EVERY == 0:
                figures[name].append(run())
    return figures


def compare_lists(bench, name, file, rest, peers, goal):
    """Reading the procfs file and throwing it away, vmad, and its peers."""
    workload = bench.workload(name)
    contestants = [
        (f'read {file}', False, lambda: measure('read', workload.file(file))['ns']),
        (f'vmad {rest or "maps"}', False, lambda: get_list(bench, workload, '/vmas' + rest)),
    ]
    contestants += [(peer, slow, lambda run=run: run(workload)) for peer, slow, run in peers]
    figures = rounds_of(contestants)
    base = statistics.median(figures[f'read {file}'])
    for what, values in figures.items():
        median = statistics.median(values)
        judged = most(median / base, goal) if what.startswith('vmad') and goal else {'ratio': median / base}
        row(what, name, ms(median), rounds=len(values), **judged)


def run_peer(*command):
    return lambda workload: measure('run', *command, workload.pid)['ns']


def installed(peers):
    """Those of the peers that this machine has; the others are said."""
    for name, slow, run in peers:
        needed = 'import psutil' if run is run_psutil else None
        found = (
            subprocess.run(['/usr/bin/python3', '-c', needed], check=False, stderr=subprocess.DEVNULL).returncode == 0
            if needed
            else shutil.which(name.split()[0])
        )
        if found:
            yield name, slow, run
        else:
            row(name, '', 'not installed', rounds=0)


def list_maps(bench):
    """the list, to reading maps and throwing it away"""
    peers = list(installed([('pmap', False, run_peer('pmap'))]))
    goals = {'long paths': 1.3, 'half and half': 1.4, 'all anonymous': 1.8, '1,000 VMAs': None}
    for name, goal in goals.items():
        compare_lists(bench, name, 'maps', '', peers, goal)


def list_usage(bench):
    """the list with usage, to reading smaps and throwing it away"""
    peers = list(
        installed(
            [
                ('pmap -x', True, run_peer('pmap', '-x')),
                ('pmap -X', True, run_peer('pmap', '-X')),
                ('psutil + json', True, run_psutil),
            ]
        )
    )
    for name in WORKLOADS:
        compare_lists(bench, name, 'smaps', '?detail=usage', peers, 1.35 if WORKLOADS[name][1] == 60000 else None)


# --- memory, latency, look-up, count ---


def memory(bench):
    """growth of the daemon's peak while it streams the usage list of 60,000 VMAs"""
    for on, pause_us in (('a quick reader', 0), ('a slow reader', 2000)):
        workload = bench.workload('all anonymous')
        with Vmad() as fresh:
            fresh.get('/v1/health')
            with open(f'/proc/{fresh.pid}/clear_refs', 'w', encoding='ascii') as reset:
                reset.write('5')  # the peak begins anew: proc_pid_clear_refs(5)
            before = fresh.memory()
            result = measure('get', fresh.socket, workload.uri('/vmas?detail=usage'), pause_us)
            growth = (fresh.memory() - before) / MIB
        row(
            f'vmad, {result["bytes"] / 1e6:.1f} MB of usage',
            on,
            f'{growth:.2f} MiB',
            goal='<= 8 MiB',
            reached=growth <= 8,
        )
    for name, _, _ in installed([('psutil + json', True, run_psutil)]):
        row(name, 'all anonymous', f'{run_psutil(bench.workload("all anonymous"), "growth_bytes") / MIB:.0f} MiB')


def latency(bench):
    """p99 of a small GET while two usage lists of a 5 GiB process run in a loop"""
    workload, small = bench.workload('200 over 5 GiB'), bench.workload('1,000 VMAs')
    usage = ('load-get', bench.vmad.socket, workload.uri('/vmas?detail=usage'))
    for uri in ('/v1/health', small.uri()):
        row(f'p50/p99 {uri.replace(str(small.pid), "PID")}', 'no load', latency_of(bench, uri, 'keep'))
    with load(*usage) as first, load(*usage) as second:
        for uri in ('/v1/health', small.uri()):
            for how in ('keep', 'new'):
                said = (
                    f'p50/p99 {uri.replace(str(small.pid), "PID")}, {"keep-alive" if how == "keep" else "connecting"}'
                )
                latency_of(bench, uri, how, said)
        loads = [first, second]
    counts = [process.stdout.read().strip() for process in loads]
    print('  the two loads: ' + '; '.join(counts))


def latency_of(bench, uri, how, said=None):
    """Requests at a fixed pace for three seconds; prints a row with the goal where `said` names it."""
    result = measure('latency', bench.vmad.socket, uri, how, 3000, 1000 if how == 'keep' else 5000)
    if result['failed']:
        print(f'  {uri}: {result["failed"]} of {result["requests"]} failed')
    figure = f'{result["p50_ns"] / 1e6:.3f}/{result["p99_ns"] / 1e6:.3f} ms'
    if said:
        row(
            said, 'under load', figure, goal='p99 <= 10 ms', reached=result['p99_ns'] <= 10e6, rounds=result['requests']
        )
    return figure


def lookup(bench):
    """the VMA at one address of a 60,000-VMA process, to a whole listing"""
    for name in ('long paths', 'all anonymous'):
        workload = bench.workload(name)
        middle = f'/vmas/{(workload.start + workload.end) // 2:#x}'
        figures = rounds_of(
            [
                ('the list', False, lambda: get_list(bench, workload, '/vmas')),
                (
                    'connecting',
                    False,
                    lambda: measure('latency', bench.vmad.socket, workload.uri(middle), 'new', 30, 0)['p50_ns'],
                ),
                (
                    'keep-alive',
                    False,
                    lambda: measure('latency', bench.vmad.socket, workload.uri(middle), 'keep', 30, 0)['p50_ns'],
                ),
            ]
        )
        base = statistics.median(figures.pop('the list'))
        row('the whole list', name, ms(base), rounds=ROUNDS)
        for how, values in figures.items():
            median = statistics.median(values)
            row(f'one address, {how}', name, us(median), rounds=len(values), **most(median / base, 0.01))


def count(bench):
    """the count of VMAs"""
    for name in ('long paths', 'half and half', 'all anonymous'):
        workload = bench.workload(name)
        for detail in ('maps', 'usage'):
            listed = bench.vmad.get(workload.uri(f'/vmas?detail={detail}'), timeout=120).json()
            exact = listed['count'] == len(listed['vmas']) == workload.count and listed['complete']
            row(f'VMAs by detail={detail}', name, str(listed['count']), goal=str(workload.count), reached=exact)
    processes = bench.vmad.get('/v1/processes?detail=vmas', timeout=120).json()['processes']
    for process in processes:
        for workload in bench.workloads.values():
            if process['pid'] == workload.pid:
                row(
                    'vma_count of /v1/processes?detail=vmas',
                    workload.name,
                    str(process.get('vma_count')),
                    goal=str(workload.count),
                    reached=process.get('vma_count') == workload.count,
                )


# --- the target, and many requests ---


def pin_vmad(bench, cpus):
    for thread in os.listdir(f'/proc/{bench.vmad.pid}/task'):
        os.sched_setaffinity(int(thread), cpus)


def churn_under(workload, arguments, pin):
    if not arguments:
        return workload.churn()[0]
    with load(*arguments, pin=pin, patient=False):
        return workload.churn()[0]


def target_on(bench, name, pinned):
    """pinned: the target has CPU 0 for itself, so that only locks are left to slow it down."""
    workload = bench.workload(name)
    socket = bench.vmad.socket
    cases = [
        ('alone', (), None),
        ('cat maps in a loop', ('load-read', workload.file('maps')), None),
        ('vmad list in a loop', ('load-get', socket, workload.uri('/vmas')), 0.90),
        ('cat smaps in a loop', ('load-read', workload.file('smaps')), None),
        ('vmad usage in a loop', ('load-get', socket, workload.uri('/vmas?detail=usage')), 0.60),
        ('vmad pages in a loop', ('load-get', socket, workload.uri('/pages?max_age_ms=0')), 0.60),
        ('vmad page flags in a loop', ('load-get', socket, workload.uri('/pages?detail=flags&max_age_ms=0')), 0.60),
        ('vmad page summary in a loop', ('load-get', socket, workload.uri('/pages/summary?detail=flags&max_age_ms=0')), 0.60),
    ]
    figures = rounds_of(
        [
            (what, False, lambda arguments=arguments: churn_under(workload, arguments, 1 if pinned else None))
            for what, arguments, _ in cases
        ]
    )
    base = statistics.median(figures['alone'])
    for what, _, goal in cases:
        median = statistics.median(figures[what])
        judged = least(median / base, goal) if goal else {'ratio': median / base}
        row(
            f'mmap+munmap{", own CPU" if pinned else ""}: {what}',
            name,
            f'{median / 1e3:.0f} k/s',
            rounds=len(figures[what]),
            **judged,
        )


def target(bench):
    """the target's mmap throughput while it is looked at"""
    every = os.sched_getaffinity(0)
    for name in ('half and half', '200 over 5 GiB'):
        target_on(bench, name, False)
        if len(every) < 2:
            continue
        os.sched_setaffinity(bench.workload(name).pid, {0})
        pin_vmad(bench, every - {0})
        target_on(bench, name, True)
        os.sched_setaffinity(bench.workload(name).pid, every)
        pin_vmad(bench, every)


@contextlib.contextmanager
def nginx(body, port=None):
    """One nginx worker that serves body at /file over a Unix socket, and over TCP."""
    tcp = f'listen 127.0.0.1:{port};' if port else ''
    with tempfile.TemporaryDirectory(prefix='vmad-bench-') as directory:
        os.mkdir(f'{directory}/www')
        for path, content in (('nginx.conf', NGINX_CONF.format(directory, tcp).encode()), ('www/file', body)):
            with open(f'{directory}/{path}', 'wb') as file:
                file.write(content)
        process = subprocess.Popen([NGINX, '-p', directory, '-c', f'{directory}/nginx.conf'], stderr=subprocess.PIPE)
        try:
            if not any(b'start worker process ' in line for line in process.stderr):
                raise RuntimeError('nginx did not start')
            yield f'{directory}/nginx.sock'
        finally:
            process.terminate()
            process.wait()


def flood(bench):
    """/v1/processes/{pid}, 16 keep-alive connections, to one nginx worker serving a static file of that size"""
    if not os.access(NGINX, os.X_OK):
        row('one nginx worker, static file', '', 'not installed', rounds=0)
        return
    workload = bench.workload('1,000 VMAs')
    body = bench.vmad.get(workload.uri()).body
    with nginx(body) as nginx_socket:

        def rate(socket, uri):
            result = measure('flood', socket, uri, 16, SLICE_MS)
            if result['failed']:
                raise RuntimeError(f'{uri}: {result["failed"]} of {result["requests"]} failed')
            return result['requests'] * 1e9 / result['ns']

        figures = rounds_of(
            [
                ('one nginx worker, static file', False, lambda: rate(nginx_socket, '/file')),
                ('vmad /v1/processes/{pid}', False, lambda: rate(bench.vmad.socket, workload.uri())),
                ('vmad /v1/health', False, lambda: rate(bench.vmad.socket, '/v1/health')),
            ]
        )
    base = statistics.median(figures['one nginx worker, static file'])
    for what, values in figures.items():
        median = statistics.median(values)
        judged = least(median / base, 1) if '{pid}' in what else {'ratio': median / base}
        row(what, f'{len(body)} bytes', f'{median / 1e3:.1f} k/s', rounds=len(values), **judged)


# --- one caller beside others ---

GREEDY, MODEST = 61001, 61002   # uids
QUOTA_ROUNDS = min(5, ROUNDS)
QUOTA_MS = {'cheap': 1500, 'walk': 3000}    # so that a p99 is not the slowest of all


@contextlib.contextmanager
def someone_elses(uid, measure_path, *arguments):
    """A load in the background, as that user; its counts are said."""
    process = subprocess.Popen([measure_path, 'load-crowd', *map(str, arguments)], user=uid, group=uid, extra_groups=[],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        yield process
    finally:
        process.stdin.close()
        process.wait()


def one_callers_latency(measure_path, where, uri, interval_us, for_ms):
    done = subprocess.run([measure_path, 'latency', where, uri, 'keep', str(for_ms), str(interval_us)], user=MODEST, group=MODEST,
                          extra_groups=[], stdout=subprocess.PIPE, check=True, text=True)
    return numbers(done.stdout)


@contextlib.contextmanager
def closer(path):
    """One that takes connections and closes them at once: what a crowd costs that is turned away at no cost."""
    process = subprocess.Popen([MEASURE, 'close', path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        os.chmod(path, 0o666)
        yield
    finally:
        process.stdin.close()
        process.wait()


def controls_of(stack, tool):
    """The same clients with another server: what they cost by being there, on these CPUs. Name -> load."""
    if not os.access(NGINX, os.X_OK):
        row('nginx', '', 'not installed', rounds=0)
        return {}
    port, directory = free_port(), stack.enter_context(tempfile.TemporaryDirectory(prefix='vmad-bench-'))
    unix = stack.enter_context(nginx(b'x' * 200, port))
    os.chmod(os.path.dirname(unix), 0o755)
    os.chmod(unix, 0o666)
    os.chmod(directory, 0o755)
    stack.enter_context(closer(f'{directory}/sock'))
    tcp = (GREEDY, tool, f'tcp:{port}', '/file')
    return {
        'nginx, TCP: 16 connections, no rest': (*tcp, 16, 0),
        'nginx, TCP: 200 clients': (*tcp, 200, 0),
        'nginx, TCP: 1,000 that trickle': (*tcp, 1000, 200),
        'nginx, Unix: 1,000 that trickle': (GREEDY, tool, unix, '/file', 1000, 200),
        'closed at once, Unix: 1,000': (GREEDY, tool, f'{directory}/sock', '/', 1000, 200),
        'nginx, Unix: 100': (GREEDY, tool, unix, '/file', 100, 0),
    }


def quotas_of(what, interval_us, uri):
    """One user's requests of a kind: alone, beside crowds that ask vmad, and beside crowds that ask nginx."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix='vmad-bench-'))
        os.chmod(directory, 0o755)
        tool = shutil.copy(MEASURE, directory)
        vmad = stack.enter_context(Vmad(listen=[f'tcp:127.0.0.1:{port}'], open_to_all=True))
        mine, theirs = stack.enter_context(Crowd(1000, MODEST)), stack.enter_context(Crowd(6000, GREEDY))
        controls = controls_of(stack, tool)
        tcp, unix = (GREEDY, tool, f'tcp:{port}', '/v1/health'), (GREEDY, tool, vmad.socket)
        # Each with its control.
        loads = {
            'TCP: 16 connections, no rest': ((*tcp, 16, 0), 'nginx, TCP: 16 connections, no rest'),
            'TCP: 200 clients': ((*tcp, 200, 0), 'nginx, TCP: 200 clients'),
            'TCP: 1,000 that trickle': ((*tcp, 1000, 200), 'nginx, TCP: 1,000 that trickle'),
            'Unix: 1,000 that trickle': ((*unix, '/v1/health', 1000, 200), 'nginx, Unix: 1,000 that trickle'),
            "Unix: another's 100, cheap": ((*unix, f'/v1/processes/{theirs.pid}', 100, 0), 'nginx, Unix: 100'),
            "Unix: another's 100, walks": ((*unix, WALK.format(theirs.pid), 100, 0), 'nginx, Unix: 100'),
        }

        def run(load_of):
            with someone_elses(*load_of) if load_of else contextlib.nullcontext():
                return one_callers_latency(tool, vmad.socket, uri.format(mine.pid), interval_us, QUOTA_MS[what])

        every = {'alone': None, **controls, **{name: load_of for name, (load_of, _) in loads.items()}}
        figures = rounds_of([(name, False, lambda load_of=load_of: run(load_of)) for name, load_of in every.items()], QUOTA_ROUNDS)
    p99 = {name: statistics.median(value['p99_ns'] for value in values) for name, values in figures.items()}
    for name, values in figures.items():
        p50 = statistics.median(value['p50_ns'] for value in values)
        failed = sum(value['failed'] for value in values)
        asked = statistics.median(value['requests'] for value in values)
        control = loads[name][1] if name in loads else None
        judged = most(p99[name] / p99[control], 1.2) if control in p99 else {'ratio': p99[name] / p99['alone']}
        row(f'{what}: {name}', f'{failed} refused' if failed else f'p50/p99 of {asked:.0f}', f'{p50 / 1e6:.2f}/{ms(p99[name])}',
            rounds=len(values), **judged)


WALK = '/v1/processes/{}/vmas?detail=usage&min_size_bytes=1T&max_age_ms=0'


def quotas(_):
    """p99 of one user's small requests beside others' floods of vmad, to beside the same clients at nginx"""
    quotas_of('cheap', 1000, '/v1/processes/{}')


def quotas_walks(_):
    """the same of walks, 50 a second"""
    quotas_of('walk', 20000, WALK)


# --- who maps a page ---

FAMILY = os.path.join(TOP_BUILDDIR, 'tests/bench/family')
READ_MAPPERS = os.path.join(TOP_BUILDDIR, 'tests/bench/mappers')
MAPPERS = 301
COLD_PER_SCAN = 5  # a scan takes far longer than vmad to start and to answer
# name: MiB of COW memory, percent of it that each child has written to, MiB of memfd. 39.45 million mappings in both:
# copies of 30 % of 256 MiB would be 23 GiB.
FAMILIES = {
    '256 MiB COW, memfd': (256, 0, 256),
    '64 MiB, 30 % own': (64, 30, 448),
}


@contextlib.contextmanager
def family(cow_mib, percent, memfd_mib):
    """301 processes that share memory: (pid, addresses of two pages that all of them map)."""
    command = [FAMILY, str(MAPPERS - 1), str(cow_mib), str(percent), str(memfd_mib)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        ready = process.stdout.readline().split()
        if not ready:
            raise RuntimeError('the family did not start')
        yield int(ready[1]), {'COW': int(ready[2], 16), 'memfd': int(ready[3], 16)}
    finally:
        process.stdin.close()
        process.wait()


def scan_all(pid, address):
    """Every pagemap of every process, read and compared."""
    done = subprocess.run([FAMILY, 'scan', str(pid), f'{address:x}'], stdout=subprocess.PIPE, check=True, text=True)
    result = numbers(done.stdout)
    if result['found'] < MAPPERS:
        raise RuntimeError(f'the scan found {result}')
    return result['ns']


def open_and_read(pid, address):
    """What the kernel takes for the answer, whoever asks: the same files opened and read, and nothing else."""
    done = subprocess.run([READ_MAPPERS, str(pid), f'{address:x}'], stdout=subprocess.PIPE, check=True, text=True)
    result = numbers(done.stdout)
    if result['found'] != MAPPERS:
        raise RuntimeError(f'mappers found {result}')
    return result['ns']


def look_up_page(socket, pid, address):
    result = measure('get', socket, f'/v1/processes/{pid}/pages/{address:#x}/mappings')
    if (result['status'], result['complete'], result['count']) != (200, 1, MAPPERS):
        raise RuntimeError(f'{pid} {address:#x}: {result}')
    return result['ns']


def rmap(_):
    """one page -> its 301 mappers, cold (a vmad that was never asked before), to scanning every pagemap"""
    for name, shape in FAMILIES.items():
        with family(*shape) as (pid, pages):
            scans, reads, figures = [], [], {}
            for _ in range(max(3, ROUNDS // 3)):
                scans.append(scan_all(pid, pages['COW']))
                for page, address in [*pages.items()] * COLD_PER_SCAN:
                    reads.append(open_and_read(pid, address))
                    with Vmad() as fresh:
                        for how in ('cold', 'warm'):
                            figures.setdefault(f'a {page} page, {how}', []).append(
                                look_up_page(fresh.socket, pid, address)
                            )
        base, own = statistics.median(scans), statistics.median(reads)
        row('every pagemap, read', name, ms(base), rounds=len(scans))
        row("the kernel's own cost of the answer", name, ms(own), ratio=own / base, rounds=len(reads))
        for what, values in figures.items():
            median = statistics.median(values)
            row(f'vmad, {what}, complete', name, ms(median), rounds=len(values), **most(median / base, 0.005))


# --- sharing ---

INDEX = os.path.join(TOP_BUILDDIR, 'tests/bench/index')
SMEM = program('smem')
UNRELATED = 50  # programs that share nothing but libraries, each with some memory of its own
IMPORTS = ['json', 'ssl', 'sqlite3', 'decimal', 'xml.etree.ElementTree']


def run_index(*arguments):
    return numbers(subprocess.run([INDEX, *arguments], stdout=subprocess.PIPE, check=True, text=True).stdout)


@contextlib.contextmanager
def unrelated():
    """Programs that nobody forked from each other: their pids."""
    programs = []
    for number in range(UNRELATED):
        what = IMPORTS[number % len(IMPORTS)]
        script = f'import sys, {what}; x = bytearray({number % 10 << 20}); print(1, flush=True); sys.stdin.read()'
        programs.append(subprocess.Popen(['/usr/bin/python3', '-c', script], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    try:
        for process in programs:
            process.stdout.readline()
        yield [process.pid for process in programs]
    finally:
        for process in programs:
            process.stdin.close()
            process.wait()
            process.stdout.close()


def compare_index(on, goal):
    """The index of all mappers, without its pauses, to reading every pagemap and throwing it away."""
    rounds = max(3, ROUNDS // 3)
    raw, built = [], []
    for _ in range(rounds):
        raw.append(run_index('raw')['ns'])
        built.append(run_index('build'))
    base, median = statistics.median(raw), statistics.median(one['ns'] for one in built)
    row('every pagemap, read and thrown away', on, ms(base), rounds=rounds)
    row('index of all mappers, unpaced', on, ms(median), rounds=rounds, **(most(median / base, 1.2) if goal else {'ratio': median / base}))
    row('the same with its pauses', on, ms(run_index('build', 'paced')['ns']))
    last = built[-1]
    each = last['bytes'] / last['mappings']
    judged = {'goal': '<= 0.5 B', 'reached': each <= 0.5} if goal else {}
    row('its memory for a mapping', on, f'{each:.3f} B', **judged)
    row('its memory', on, f'{last["bytes"] / MIB:.1f} MiB')


def ask_sharing(bench, on, pid, least_rows):
    result = measure('get', bench.vmad.socket, f'/v1/processes/{pid}/sharing?deadline_ms=60000')
    if result['status'] != 200 or result['count'] < least_rows:
        raise RuntimeError(f'{on}: {result}')
    row(f'vmad sharing of one, {result["count"]} others', on, ms(result['ns']))


def sharing(bench):
    """an index of all mappers, to a raw scan of all pagemaps; with whom one process shares"""
    for name, shape in FAMILIES.items():
        with family(*shape) as (pid, _):
            compare_index(name, True)
            ask_sharing(bench, name, pid, MAPPERS - 1)
    with unrelated() as pids:
        compare_index(f'{UNRELATED} programs', False)
        ask_sharing(bench, f'{UNRELATED} programs', pids[0], UNRELATED - 1)


def read_rollups():
    """What it costs to read smaps_rollup of every process; of those that have one."""
    return run_index('rollups')['ns']


def get_usage(bench):
    result = measure('get', bench.vmad.socket, '/v1/processes?detail=usage&deadline_ms=60000')
    if result['status'] != 200 or not result['complete']:
        raise RuntimeError(f'usage of all: {result}')
    return result['ns']


def usage_of_all(bench):
    """usage of all processes, to the sum of reading their smaps_rollup"""
    with unrelated(), family(64, 30, 1):
        contestants = [
            ('every smaps_rollup, read and thrown away', False, read_rollups),
            ('vmad processes?detail=usage', False, lambda: get_usage(bench)),
        ]
        if SMEM:
            contestants.append(('smem', True, lambda: measure('run', SMEM, '-H')['ns']))
        else:
            row('smem', '', 'not installed', rounds=0)
        figures = rounds_of(contestants)
    base = statistics.median(figures['every smaps_rollup, read and thrown away'])
    for what, values in figures.items():
        median = statistics.median(values)
        judged = most(median / base, 1.1) if what.startswith('vmad') else {'ratio': median / base}
        row(what, 'every process', ms(median), rounds=len(values), **judged)


# --- metrics ---

PROCESSES = 1000
NAMES = 40          # of those processes: as many groups, where they are in no unit
SETTLE_SECONDS = 20
WATCH_SECONDS = 45  # three times the sampler's interval
NODE_EXPORTER = program('prometheus-node-exporter')


@contextlib.contextmanager
def many_processes():
    """So many processes with the VMAs of a Python program, forked from this one."""
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(15, f'crowd-{chr(97 + number % NAMES // 26)}{chr(97 + number % NAMES % 26)}'.encode(), 0, 0, 0)
            while True:
                signal.pause()
        children.append(child)
    try:
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


@contextlib.contextmanager
def node_exporter():
    """With its defaults, on a port of its own."""
    port = free_port()
    process = subprocess.Popen([NODE_EXPORTER, f'--web.listen-address=127.0.0.1:{port}', '--log.level=error'],
                               stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield f'tcp:{port}'
    finally:
        process.terminate()
        process.wait()


def sampler_cost(vmad):
    """Shares of a CPU that the tiers take at a thousand processes."""
    wait_for(vmad, lambda found: (found.get('vmad_sampler_duration_seconds', tier='maps') or 0) > 0)
    time.sleep(SETTLE_SECONDS)
    before = scrape(vmad)
    time.sleep(WATCH_SECONDS)
    after = scrape(vmad)
    for tier, goal in (('status', None), ('maps', 0.01)):
        share = (after.get('vmad_sampler_cpu_seconds_total', tier=tier) - before.get('vmad_sampler_cpu_seconds_total', tier=tier)) / WATCH_SECONDS
        judged = {} if goal is None else {'goal': f'<= {goal:.0%} of a CPU', 'reached': share <= goal}
        row(f'sampler: {tier}', f'{PROCESSES} processes', f'{share:.2%}', **judged)
    age = max(number for _, number in after.all('vmad_maps_age_seconds'))
    row('sampler: oldest reading of maps', f'{PROCESSES} processes', f'{age:.1f} s')
    row('series of a scrape', f'{PROCESSES} processes', str(len(after.samples)), goal='<= 1200', reached=len(after.samples) <= 1200)


def scrape_latency(where, what, goal_ns=None):
    """As Prometheus asks: compressed, a connection that is kept; ten a second, so that the text is made anew each time."""
    result = measure('latency', where, 'gzip:/metrics', 'keep', 5000, 250000)
    judged = {} if goal_ns is None else {'goal': f'<= {goal_ns / 1e6:.0f} ms', 'reached': result['p50_ns'] <= goal_ns}
    row(f'median scrape: {what}', f'{PROCESSES} processes', ms(result['p50_ns']), rounds=result['requests'], **judged)


def scrapes_a_second(where, uri):
    result = measure('flood', where, uri, 4, SLICE_MS * 2)
    if result['failed']:
        raise RuntimeError(f'{where}: {result["failed"]} of {result["requests"]} failed')
    return result['requests'] * 1e9 / result['ns']


def metrics(_):
    """GET /metrics at a thousand processes: the sampler's cost, a scrape, and scrapes a second beside node_exporter's"""
    port = free_port()
    with many_processes(), Vmad(listen=[f'tcp:127.0.0.1:{port}']) as vmad:
        sampler_cost(vmad)
        scrape_latency(f'tcp:{port}', 'vmad', 5e6)
        if not NODE_EXPORTER:
            row('node_exporter', '', 'not installed', rounds=0)
            return
        with node_exporter() as other:
            scrape_latency(other, 'node_exporter')
            for uri, how in (('/metrics', 'plain'), ('gzip:/metrics', 'gzip')):
                figures = rounds_of([
                    ('node_exporter', False, lambda uri=uri: scrapes_a_second(other, uri)),
                    ('vmad', False, lambda uri=uri: scrapes_a_second(f'tcp:{port}', uri)),
                ])
                base = statistics.median(figures['node_exporter'])
                for what, values in figures.items():
                    median = statistics.median(values)
                    judged = least(median / base, 20) if what == 'vmad' else {'ratio': 1.0}
                    row(f'scrapes: {what}, {how}', '4 connections', f'{median:.0f} /s', rounds=len(values), **judged)


# --- pages, frames and files ---

SPARSE_BYTES, SPARSE_PAGES = 1 << 40, 20000
SPARSE = f"""
import mmap, sys
memory = mmap.mmap(-1, {SPARSE_BYTES}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
memory.madvise(mmap.MADV_NOHUGEPAGE)
for i in range({SPARSE_PAGES}):
    memory[i * ({SPARSE_BYTES} // {SPARSE_PAGES})] = 1
print("ready", flush=True)
sys.stdin.read()
"""  # 0x4000: MAP_NORESERVE
HUGE_BYTES = 5 << 30
HUGE = f"""
import mmap, sys
memory = mmap.mmap(-1, {HUGE_BYTES}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_HUGEPAGE)
for i in range(0, {HUGE_BYTES}, mmap.PAGESIZE):
    memory[i] = 1
print("ready", flush=True)
sys.stdin.read()
"""
FRAMES = os.path.join(TOP_BUILDDIR, 'tests/bench/frames')
PAGEMAP_READ = 1 << 20  # bytes of pagemap at a time
CACHED_BYTES = 1 << 30


def page_types():
    """The kernel's own tool: tools/mm/page-types.c, which Debian has in linux-source only."""
    return shutil.which(os.environ.get('PAGE_TYPES', 'page-types'))


@contextlib.contextmanager
def with_memory(text):
    """The pid of a program that says when it has its memory, and ends with its stdin."""
    process = subprocess.Popen(
        ['/usr/bin/python3', '-c', text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        process.stdin.close()
        process.wait()


@contextlib.contextmanager
def sparse_terabyte():
    """(pid, address) of 1 TiB of which 20,000 pages were touched."""
    with with_memory(SPARSE) as pid:
        with open(f'/proc/{pid}/maps', encoding='utf-8', errors='replace') as maps:
            areas = [[int(word, 16) for word in line.split(' ', 1)[0].split('-')] for line in maps]
        yield pid, max(areas, key=lambda area: area[1] - area[0])[0]


def read_pagemap(pid, start, size):
    buffer, began, page = bytearray(PAGEMAP_READ), time.monotonic_ns(), os.sysconf('SC_PAGESIZE')
    with open(f'/proc/{pid}/pagemap', 'rb', buffering=0) as pagemap:
        for at in range(start // page * 8, (start + size) // page * 8, PAGEMAP_READ):
            os.preadv(pagemap.fileno(), [buffer], at)
    return time.monotonic_ns() - began


def complete(bench, uri):
    """Nanoseconds of one GET, which has to be whole."""
    result = measure('get', bench.vmad.socket, uri)
    if result['status'] != 200 or not result['complete']:
        raise RuntimeError(f'{uri}: {result}')
    return result['ns']


def beside(what, on, base, others, rounds=ROUNDS):
    """base: (name, function); others: (name, function, goal or None). Rows of medians, interleaved."""
    figures = rounds_of([(base[0], False, base[1]), *((name, False, run) for name, run, _ in others)], rounds)
    median = statistics.median(figures[base[0]])
    row(base[0], on, ms(median), rounds=rounds)
    for name, _, goal in others:
        own = statistics.median(figures[name])
        judged = most(own / median, goal) if goal else {'ratio': own / median}
        row(f'{what}{name}', on, ms(own), rounds=rounds, **judged)


def kernel_alone(pid):
    """What the kernel takes to tell the flags of its pages, where the CPUs share that perfectly: nobody can be quicker."""
    return numbers(subprocess.run([FRAMES, str(pid)], stdout=subprocess.PIPE, check=True, text=True).stdout)['ns']


def pages(bench):
    """pages of a process and of the host, to page-types; the sparse TiB, to reading its whole pagemap"""
    few = max(3, ROUNDS // 5)
    tool, workload = page_types(), bench.workload('200 over 5 GiB')
    rest = '?detail=flags&max_age_ms=0&deadline_ms=20000'
    flags = [
        (f'vmad {path}?detail=flags', lambda path=path: complete(bench, workload.uri(f'/{path}{rest}')), goal)
        for path, goal in (('pages/summary', 0.15), ('pages', None))
    ]
    frames = ('vmad frames', lambda: complete(bench, '/v1/frames?deadline_ms=20000'), 0.8)
    if tool:
        peer = lambda *options: lambda: measure('run', tool, *options)['ns']  # noqa: E731
        kernel = ("the kernel's own cost, shared by the CPUs", lambda: kernel_alone(workload.pid), None)
        beside('', '5 GiB', ('page-types -p', peer('-p', str(workload.pid))), [kernel, *flags], few)
        with with_memory(HUGE) as pid:
            huge = ('vmad pages/summary?detail=flags', lambda: complete(bench, f'/v1/processes/{pid}/pages/summary{rest}'), 0.15)
            beside('', '5 GiB, huge', ('page-types -p', peer('-p', str(pid))), [huge], few)
        beside('', 'the host', ('page-types', peer()), [frames], few)
    else:
        row('page-types', '', 'not installed', rounds=0)
        for name, run, _ in (*flags, frames):
            row(name, '', ms(statistics.median(run() for _ in range(few))), rounds=few)
    with sparse_terabyte() as (pid, start):
        end = f'{start + SPARSE_BYTES:x}'
        uri = f'/v1/processes/{pid}/pages?start={start:x}&end={end}&max_age_ms=0&deadline_ms=20000'
        whole = ('pagemap, read', lambda: read_pagemap(pid, start, SPARSE_BYTES))
        beside('', 'sparse TiB', whole, [('vmad pages', lambda: complete(bench, uri), 0.08)], few)


def files(bench):
    """what of a cached file of 1 GiB is in the page cache, to fincore"""
    path = f'{bench.directory}/cached'
    with open(path, 'wb') as file:
        for _ in range(CACHED_BYTES >> 20):
            file.write(os.urandom(1 << 20))
    own = ('vmad files/pages', lambda: complete(bench, f'/v1/files/pages?path={path}&max_age_ms=0'), 1)
    peers = [
        (name, lambda name=name: measure('run', program(name), path)['ns']) for name in ('fincore', 'vmtouch') if program(name)
    ]
    for name in {'fincore', 'vmtouch'} - {name for name, _ in peers}:
        row(name, '', 'not installed', rounds=0)
    for peer in peers:
        beside('', '1 GiB cached', peer, [own if peer[0] == 'fincore' else (*own[:2], None)])
    os.unlink(path)


SECTIONS = {
    'rmap': rmap,
    'pages': pages,
    'files': files,
    'list-maps': list_maps,
    'list-usage': list_usage,
    'memory': memory,
    'latency': latency,
    'lookup': lookup,
    'target': target,
    'flood': flood,
    'quotas': quotas,
    'quotas-walks': quotas_walks,
    'count': count,
    'sharing': sharing,
    'usage-of-all': usage_of_all,
    'metrics': metrics,
}


def main(names):
    if names == ['--list']:
        for name, section in SECTIONS.items():
            print(f'{name:<12} {section.__doc__}')
        return 0
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f'bench: no such section: {unknown[0]} (there are {", ".join(SECTIONS)})', file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix='vmad-bench-') as directory:
        bench = Bench(directory)
        try:
            head()
            for name in names or SECTIONS:
                print(f'-- {name}: {SECTIONS[name].__doc__}', flush=True)
                SECTIONS[name](bench)
        finally:
            bench.stop()
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
