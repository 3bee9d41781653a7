# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults: each call of a kind fails once, in each kind of request, in whichever of vmad's processes makes it; and while it starts;
and many of them in the sampler. vmad lives, says what is true, and loses nothing.

Of the many calls of a long request not every one is tried, unless VMAD_EVERY_FAULT=1 says so.
"""
import errno
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from inject import DIRECTORY, IDENTITY, IOCTL, MALLOC, MMAP, OPEN, READ, RECEIVE, SEND, SHORT, THREAD, injection  # noqa: E402
from metrics import scrape, wait_for  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import BINARY, UnixConnection, Vmad, is_sanitized  # noqa: E402
from wire import PATIENCE, wait_until  # noqa: E402

EVERY = bool(os.environ.get('VMAD_EVERY_FAULT'))
ROOT = os.geteuid() == 0
DENSE = 100  # beyond so many calls not every one is tried, but one in twenty more each time
SECONDS = 30
KINDS = [
    ('no memory', MALLOC, errno.ENOMEM),
    ('no descriptor', OPEN, errno.EMFILE),
    ('a read that fails', READ, errno.EIO),
    ('a read that is interrupted', READ, errno.EINTR),
    ('a read that brings half', READ, SHORT),
    ('no room to map', MMAP, errno.ENOMEM),
    ('no thread', THREAD, errno.EAGAIN),
    ('a send that is interrupted', SEND, errno.EINTR),
    ('a send that takes half', SEND, SHORT),
    ('an ioctl that fails', IOCTL, errno.ENOMEM),
    ('a receiving that is interrupted', RECEIVE, errno.EINTR),
    ('an identity that cannot be had', IDENTITY, errno.EPERM),
    ('a directory that cannot be entered', DIRECTORY, errno.EACCES),
]
GONE = ('a client that is gone', SEND, errno.ECONNRESET)
# What connects vmad's processes does not work: then those behind it start again. More than ten times in 30 s, and vmad gives up: so
# not everywhere, and not so fast.
BROKEN = [
    ('a message that cannot be received', RECEIVE, errno.ENOMEM),
    ('an answer of the opener that cannot be sent', SEND, errno.ENOBUFS),
]
FEW, FEW_CALLS, SECONDS_APART = 2, 5, 3.2
IN_THE_SAMPLER, SAMPLER_SHARE = 1.2, 0.008  # of one CPU: sampler.h
RESTS = 'vmad: the sampler does not live: the next one in 30 s'


def following(n, dense):
    """Which call fails after the n-th."""
    return n + 1 if EVERY or n < dense else n + 1 + n // 20


def requests():
    """What is asked: each way through the code once."""
    own = f'/v1/processes/{victim.pid}'
    address = f'{victim.areas["anon"].start:#x}'
    host = ['/v1/health', '/v1/capabilities', '/v1/processes?limit=5', '/v1/vmas?limit=20', '/v1/files/pages?path=/bin/sh', '/metrics',
            f'/v1/vmas?comm=victim&uid={os.geteuid()}']
    one = ['', '?detail=usage', '/vmas', '/vmas?detail=usage', f'/vmas/{address}', f'/pages/{address}', '/gaps?length=4096',
           f'/pages?start={address}&end={int(address, 16) + (1 << 20):#x}']
    roots = [f'/pages/{address}/mappings?deadline_ms=2000', '/sharing?deadline_ms=200'] if ROOT else []
    return host + [own + rest for rest in one + roots]


def ask(target):
    """Status and document; None for what is no document, because the connection ended before its end."""
    connection = UnixConnection(vmad.socket, timeout=SECONDS)
    try:
        connection.request('GET', target)
        reply = connection.getresponse()
        body = reply.read()
        return reply.status, {} if target == '/metrics' and reply.status == 200 else json.loads(body)
    except (http.client.HTTPException, ConnectionError, json.JSONDecodeError):
        return 0, None
    finally:
        connection.close()


LOWEST = 1 << 20

# These differ from one moment to the next, whatever fails.
VOLATILE = ('age_ms', 'frame', 'source', 'page', 'mappings', 'processes_found', 'mappings_found', 'method', 'sharing')


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
    if f'/{victim.pid}' in target and 'sharing' not in target:
        for name, value in steady(document).items():
            certain = name != 'placement' or value['certain']
            if certain and name in whole:
                tap.truth(value == whole[name], f'{target}: {name}: {differs(value, whole[name])}')


def tries(call, error, target, only=0):
    """One request for each call of the kind, in which that one fails; then one more that none does."""
    whole = steady(ask(target)[1])
    n = tried = 1
    while True:
        control.begin(call, error, n, only)
        status, document = ask(target)
        control.end()
        try:
            is_honest(status, document, whole, target)
        except AssertionError as wrong:
            raise AssertionError(f'call {n}: {wrong}') from None
        if control.count < n:
            break
        n, tried = following(n, DENSE), tried + 1
    wait_until(lambda: ask(target)[0] == 200, f'{target}, after {tried} faults')
    return tried


def open_files():
    """Of each process; an ordinary user may not look at vmad's."""
    return {name: len(os.listdir(f'/proc/{pid}/fd')) for name, pid in vmad.processes().items()} if ROOT else {}


def are_closed(most):
    return all(count <= most.get(name, 0) + 2 for name, count in open_files().items())


def rest():
    """What is open once everything has been asked for: some of it is opened when it is needed."""
    for _ in range(2):
        for target in requests():
            ask(target)
    time.sleep(0.2)
    return open_files()


def settles(holds, what):
    """Connections end a moment after their last byte."""
    end = time.monotonic() + PATIENCE
    while not holds():
        tap.truth(time.monotonic() < end, what())
        time.sleep(0.02)


# libproc2 keeps blocks for as many processes as it has seen at once: up to a batch of them (FACTS_BATCH), some for each; and where it
# has no memory for one it loses what it had. None of these is among control.live.
KEPT = 128 * 6


def proc2_keeps():
    return control.kept - control.lost


def lost(live, tried, files, what, kept):
    """Raises where something is not given back. A cache may hold some memory; a leak would be one more each time."""
    settles(lambda: are_closed(files), lambda: f'{what}: descriptors: {open_files()}, and not {files}')
    settles(lambda: control.live <= live + 40 + tried // 4, lambda: f'{what}: {control.live} allocations after {live}')
    tap.truth(proc2_keeps() <= kept + KEPT, f'{what}: libproc2 keeps {proc2_keeps()} blocks after {kept}')


def faults(name, call, error, process=None):
    """A case: this call fails so, everywhere; or in one process only."""

    def case():
        total, pids, files, kept = 0, whole_family(), rest(), proc2_keeps()
        for target in requests():
            ask(target)
            live = control.live
            tried = tries(call, error, target, pids.get(process, 0))
            lost(live, tried, files, target, kept)
            total += tried
        print(f'# {total} requests', flush=True)
        tap.equal(vmad.processes(), pids, 'all of its processes live')

    case.__doc__ = f'{name}: vmad lives, tells nothing untrue, and loses nothing'
    return case


def whole_family():
    """Its processes, once each has its name."""
    wait_until(lambda: len(vmad.processes()) == (4 if ROOT else 2), 'all processes')
    return vmad.processes()


def not_too_often(pids):
    """Those that there are now; after a while, where they are others."""
    if whole_family() != pids:
        time.sleep(SECONDS_APART)
    return whole_family()


def broken(name, call, error):
    """A case: the same, where vmad may start again."""

    def case():
        pids = whole_family()
        for target in requests()[:FEW]:
            n, more = 1, True
            while more and n <= FEW_CALLS:  # there are more of them with each start
                control.begin(call, error, n)
                is_honest(*ask(target), {}, target)
                control.end()
                more, n, pids = control.count >= n, n + 1, not_too_often(pids)
            wait_until(lambda target=target: ask(target)[0] == 200, target)
        tap.equal(vmad.process.poll(), None, 'vmad lives')
        files, pids, live, kept = rest(), whole_family(), control.live, proc2_keeps()
        for target in requests():
            tap.equal(ask(target)[0], 200, target)
        lost(live, 0, files, 'afterwards', kept)
        tap.equal(vmad.processes(), pids, 'all of its processes live')

    case.__doc__ = f'{name}: vmad tells nothing untrue, starts again where it must, and is as before'
    return case


def in_the_sampler():
    """each fifth call of a kind fails in the sampler: what it could not read is counted; afterwards it reads all, and has lost nothing"""
    pid, files, live, kept = vmad.processes()['vmad-sampler'], open_files(), control.live, proc2_keeps()
    for name, call, error in KINDS + BROKEN:
        for each in (1, 2, 5, 17) if EVERY else (5,):
            control.begin(call, error, -each, only=pid)
            end = time.monotonic() + IN_THE_SAMPLER  # it looks once a second
            while time.monotonic() < end:
                scrape(vmad)
                time.sleep(0.05)
            control.end()
            tap.equal(vmad.processes().get('vmad-sampler'), pid, f'{name}: the sampler lives')
    errors = sum(number for _, number in scrape(vmad).all('vmad_sampler_errors_total'))
    tap.truth(errors > 0, 'errors that were counted')
    now = time.time()
    # What is interrupted each time is asked again until the fault ends, and then the tier earns back what that took.
    wait_for(vmad, lambda found: all(number > now for labels, number in found.all('vmad_sampler_last_success_timestamp_seconds')
                                     if labels['tier'] != 'usage'), seconds=60 + (IN_THE_SAMPLER / SAMPLER_SHARE if EVERY else 0))
    lost(live, 0, files, 'the sampler', kept)


def client_is_not_heard():
    """the opener cannot receive what follows on a channel that rests: nobody hears of it, not even the next who asks"""
    pids = whole_family()
    connection = UnixConnection(vmad.socket, timeout=SECONDS)
    connection.request('GET', '/v1/health')
    connection.getresponse().read()
    control.begin(RECEIVE, errno.ENOMEM, 1, only=pids['vmad-opener'])
    connection.close()  # the opener hears that, and listens again
    wait_until(lambda: control.count >= 1, 'the fault')
    control.end()
    for _ in range(3):
        tap.equal(ask('/v1/processes?limit=1')[0], 200, 'an answer')
    tap.equal({**whole_family(), 'vmad-sampler': 0}, {**pids, 'vmad-sampler': 0}, 'the others')  # it may have been the sampler's word


def sampler_is_not_heard():
    """the opener cannot receive what a sampler asks: the sampler is started again, if need be, and nothing else"""
    pids = whole_family()
    for n in range(1, 4):  # most often the first is the first word of the next sampler
        gone = whole_family()['vmad-sampler']
        control.begin(RECEIVE, errno.ENOMEM, n, only=pids['vmad-opener'])
        os.kill(gone, signal.SIGKILL)
        wait_until(lambda gone=gone: vmad.processes().get('vmad-sampler', gone) != gone, 'another sampler')
        wait_until(lambda n=n: control.count > n, 'the fault, and a call that follows')
        control.end()
    now = time.time()
    wait_for(vmad, lambda found: any(number > now for _, number in found.all('vmad_sampler_last_success_timestamp_seconds')))
    tap.equal({**vmad.processes(), 'vmad-sampler': 0}, {**pids, 'vmad-sampler': 0}, 'the others')


def sampler_does_not_live():
    """a sampler that ends again and again is started less often, and vmad answers meanwhile"""
    pids = whole_family()
    for _ in range(12):
        gone = vmad.processes().get('vmad-sampler')
        if not gone:
            break
        os.kill(gone, signal.SIGKILL)
        wait_until(lambda gone=gone: vmad.processes().get('vmad-sampler') != gone, 'its end')
        wait_until(lambda: 'vmad-sampler' in vmad.processes() or RESTS in vmad.log, 'another, or a rest')
    tap.equal(vmad.processes(), {name: pid for name, pid in pids.items() if name != 'vmad-sampler'}, 'the others')
    for target in requests()[:FEW]:
        tap.equal(ask(target)[0], 200, target)


def sampler_is_back():
    """after its rest it is there again"""
    wait_until(lambda: 'vmad-sampler' in vmad.processes(), 'a sampler', seconds=60)
    now = time.time()
    wait_for(vmad, lambda found: any(number > now for _, number in found.all('vmad_sampler_last_success_timestamp_seconds')))


def what_was_logged():
    """what was logged of all that: routes, statuses and times, and of nobody an address or a path"""
    request = re.compile(r'vmad: request=[0-9a-f]{16} method=(GET|none) route=[a-z0-9/{}]+ status=[0-9]+ duration_ms=[0-9.]+ uid=([0-9]+|none)')
    other = re.compile(r'vmad: ([0-9]+ requests were not logged|listening on .*|ready|.*: starting again|the sampler cannot start: .*|'
                       r'the sampler does not live: .*|(the opener|the worker|the sampler|fork|socketpair|privileges): [A-Z][A-Za-z ]*)')
    tap.equal([line for line in vmad.log if not request.fullmatch(line) and not other.fullmatch(line)], [], 'other lines')
    tap.truth(any(f'status={status}' in line for line in vmad.log for status in (500, 503)), 'errors')


def start(where):
    """Starts a vmad with this socket. Returns it and what it said until it was ready, or until it ended."""
    daemon = subprocess.Popen([BINARY, '--listen', f'unix:{where}', '--sample-interval', '3600'], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env={**os.environ, **environment}, cwd='/', start_new_session=True, text=True)
    said = []
    for line in daemon.stderr:
        said.append(line)
        if line == 'vmad: ready\n':
            break
    return daemon, said


def ends(daemon):
    """Its status, once nobody of its family is left."""
    daemon.send_signal(signal.SIGTERM)
    status = daemon.wait(SECONDS)
    daemon.stderr.close()

    def nobody():
        try:
            os.killpg(daemon.pid, 0)
        except ProcessLookupError:
            return True
        return False

    settles(nobody, lambda: 'processes that are left')
    return status


def answers(where):
    """Its status; 503 where what connects vmad's processes had to be made once more; 0 where who was to answer ended meanwhile."""
    connection = UnixConnection(where, timeout=SECONDS)
    try:
        connection.request('GET', '/v1/processes?limit=1')
        status = connection.getresponse().status
    except (http.client.HTTPException, ConnectionError):
        return 0
    finally:
        connection.close()
    tap.truth(status in (200, 503), f'{status}')
    return status


def starts(call, error, n, where):
    """One start in which the n-th call fails. False: there are not so many."""
    control.begin(call, error, n)
    daemon, said = start(where)
    made = control.count
    control.end()
    if said[-1:] == ['vmad: ready\n']:
        wait_until(lambda: answers(where) == 200, f'call {n}: it is ready; {said}')
        tap.equal(ends(daemon), 0, f'call {n}: it was ready; {said}')
    else:
        status = ends(daemon)
        tap.truth(status in (1, 2) and said and all(line.startswith('vmad: ') for line in said), f'call {n}: status {status}, it said {said}')
    tap.truth(not os.path.exists(where), f'call {n}: a socket that is left; {said}')
    return made >= n


def while_it_starts():
    """a call that fails while vmad starts: it starts all the same, or says why not, and leaves nothing behind"""
    total = 0
    with tempfile.TemporaryDirectory(prefix='vmad-faults-') as directory:
        for name, call, error in KINDS + BROKEN:
            n = 1
            try:
                while starts(call, error, n, f'{directory}/socket'):
                    n, total = n + 1 if EVERY or n < 8 else n + 1 + n // 3, total + 1
            except AssertionError as wrong:
                raise AssertionError(f'{name}: {wrong}') from None
    print(f'# {total} starts', flush=True)


if is_sanitized():
    print('1..0 # SKIP a sanitizer has an allocator of its own; what is built without one is tried')
    sys.exit(0)
with injection() as (control, environment):
    with Vmad(arguments=['--sample-interval', '1'], environment=environment) as vmad, Victim() as victim:
        tap.run([*(faults(*kind) for kind in KINDS), faults(*GONE, 'vmad-worker'), *(broken(*kind) for kind in BROKEN),
                 *([in_the_sampler, client_is_not_heard, sampler_is_not_heard, sampler_does_not_live] if ROOT else []), what_was_logged, while_it_starts,
                 *([sampler_is_back] if ROOT else [])])
