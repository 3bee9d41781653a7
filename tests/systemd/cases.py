# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of vmad as systemd runs it, wherever that systemd is: in a container (boot.py), or in a machine with a kernel of its own
(kernels.py). Who runs them sets box.
"""
import hashlib
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '../lib'))
import container  # noqa: E402
import tap  # noqa: E402
import wire  # noqa: E402
import workdir  # noqa: E402

box = None      # the system: a Root with run() and init, the pid here of its first process
SERVICES = ('vmad.service', 'vmad-opener.service')
SOCKETS = ('vmad.socket', 'vmad-root.socket', 'vmad-tcp.socket', 'vmad-worker.socket')
AGAIN_SECONDS = 2       # who is killed is there again
AT_ONCE_SECONDS = 2     # clients hear that there is no opener
TRIES = 5               # what else runs on this host may take its time; not each time
WAIT_SECONDS = 60       # for anything else, and for a reply
STRANGER = 4242
# Three connections of one user's, all served, and then how nice the threads of the one process are that takes them.
CONNECT_AND_LOOK = """
import glob, socket
wires = [socket.socket(socket.AF_UNIX) for _ in range(3)]
for wire in wires:
    wire.connect('/run/vmad/root.sock')
    wire.send(b'GET /v1/health HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
    wire.recv(9)
worker, = (path[:-4] for path in glob.glob('/proc/[0-9]*/comm') if open(path).read() == 'vmad-worker\\n')
print(*(open(path).read().rpartition(')')[2].split()[16] for path in glob.glob(worker + 'task/*/stat')))
"""
COME_TO_WORKER = 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("/run/vmad/worker.sock")'
# capabilities(7), by their numbers
OPENER = {'SETGID': 6, 'SETUID': 7, 'READ_SEARCH': 2, 'PTRACE': 19, 'SYS_ADMIN': 21}
STATUS = ('--output', '/dev/null', '--write-out', '%{http_code}')


def install(drop_in):
    """What make install makes, and what README says to do then; with a drop-in for both services."""
    done = subprocess.run(['make', '-C', os.environ['TOP_BUILDDIR'], 'install', f'DESTDIR={box.root}'], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])
    subprocess.run(['systemd-sysusers', f'--root={box.root}'], check=True, stderr=subprocess.DEVNULL)
    box.write('/etc/default/vmad', 'VMAD_OPTIONS="--log requests --token-file /etc/vmad/tokens'
              ' --tls-cert /etc/vmad/cert.pem --tls-key /etc/vmad/key.pem"\n')
    for service in SERVICES:
        box.write(f'/etc/systemd/system/{service}.d/test.conf', drop_in)
    write_tokens('first')
    write_certificate('first')
    subprocess.run(['systemctl', f'--root={box.root}', '--quiet', 'enable', 'vmad.service'], check=True)


def write_tokens(token):
    """Root's alone."""
    text = f'sha256:{hashlib.sha256(token.encode()).hexdigest()} uid=0 gid=0 root=yes\n'
    box.write('/etc/vmad/tokens', text, 0o600)


def write_certificate(name):
    """For user vmad alone, who is no other process."""
    cert, key = box.path('/etc/vmad/cert.pem'), box.path('/etc/vmad/key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
                    f'/CN={name}', '-keyout', key, '-out', cert], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for path in (cert, key):
        os.chown(path, *box.owner('vmad'))
    os.chmod(key, 0o400)


def wait_until(holds, what, seconds=None):
    return wire.wait_until(holds, what, seconds or WAIT_SECONDS)


def curl(*more):
    return ['curl', '--silent', '--max-time', str(WAIT_SECONDS), *more]


def status(path, *more, socket='/run/vmad/root.sock', identity=()):
    """The status that curl gets; 0: none."""
    return int(box.run(*identity, *curl(*STATUS), '--unix-socket', socket, *more, f'http://localhost{path}', check=False).stdout or 0)


def get(path, socket='/run/vmad/root.sock'):
    return json.loads(box.run(*curl('--fail'), '--unix-socket', socket, f'http://localhost{path}').stdout)


def by_token(token):
    """The same over TCP and TLS."""
    done = box.run(*curl(*STATUS), '--insecure', '--header', f'Authorization: Bearer {token}', 'https://127.0.0.1:8623/v1/processes?limit=1', check=False)
    return int(done.stdout or 0)


def new_token():
    return json.loads(box.run('curl', '--silent', '--fail', '--unix-socket', '/run/vmad/root.sock', '--request', 'POST',
                              'http://localhost/v1/tokens').stdout)['token']


def subject():
    done = box.run(*curl('--insecure', '--verbose'), 'https://127.0.0.1:8623/v1/health', check=False)
    return next((line.split('CN=')[1] for line in done.stderr.splitlines() if 'subject:' in line), done.stderr)


def as_user(uid, *groups):
    numbers = ['--clear-groups'] if not groups else ['--groups', ','.join(str(group) for group in groups)]
    return ['setpriv', f'--reuid={uid}', f'--regid={uid}', *numbers, '--']


def group_of_vmad():
    return int(box.run('getent', 'group', 'vmad').stdout.split(':')[2])


def states():
    """{unit: (active state, result)}"""
    def state(unit):
        said = dict(line.split('=', 1) for line in box.run('systemctl', 'show', unit).stdout.splitlines())
        return said['ActiveState'], said['Result']

    return {unit: state(unit) for unit in SERVICES}


def processes():
    """{comm: pid as this host has it}; the first of the opener's is vmad."""
    found = {}
    for pid in everybody(box.init):
        try:
            with open(f'/proc/{pid}/comm', encoding='utf-8') as file:
                name = file.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name == 'vmad' or name.startswith('vmad-'):
            found[name] = pid
    return found


def everybody(pid):
    for child in container.children(pid):
        yield child
        yield from everybody(child)


def field(pid, name):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return next(line.split(':', 1)[1].strip() for line in file if line.startswith(f'{name}:'))


def capabilities(pid, which):
    mask = int(field(pid, which), 16)
    return {bit for bit in range(64) if mask >> bit & 1}


def all_are_there():
    wait_until(lambda: set(processes()) == {'vmad', 'vmad-opener', 'vmad-worker', 'vmad-sampler'} and
               field(processes()['vmad-sampler'], 'Uid').split()[0] != '0', 'four processes')


def they_start():
    """systemd starts both units at boot, and knows when they are ready"""
    box.run('systemctl', 'start', 'vmad.service')
    tap.equal(states(), {unit: ('active', 'success') for unit in SERVICES}, 'states')
    for unit in SOCKETS:
        tap.equal(box.run('systemctl', 'is-active', unit).stdout, 'active\n', unit)
    all_are_there()


def what_each_may():
    """within the units' bounds: the opener has five capabilities, the others none; each has a user of its own"""
    own = processes()
    tap.equal(capabilities(own['vmad-opener'], 'CapEff'), set(OPENER.values()), 'of the opener')
    tap.equal(capabilities(own['vmad-opener'], 'CapBnd'), set(OPENER.values()), 'its bounds')
    for name in ('vmad-worker', 'vmad-sampler'):
        tap.equal((capabilities(own[name], 'CapPrm'), capabilities(own[name], 'CapEff')), (set(), set()), name)
    tap.equal(capabilities(own['vmad-worker'], 'CapBnd'), set(), 'bounds of the worker')
    users = {name: field(own[name], 'Uid').split()[0] for name in ('vmad-opener', 'vmad-worker', 'vmad-sampler')}
    tap.equal((users['vmad-opener'], len(set(users.values()))), ('0', 3), f'users {users}')
    for name, pid in own.items():
        tap.equal(field(pid, 'NoNewPrivs'), '1', f'{name} no_new_privs')
        tap.equal(field(pid, 'Seccomp'), '2', f'{name} seccomp')


def niceness(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as stat:
        return int(stat.read().rpartition(')')[2].split()[16])


def who_gives_way():
    """the sampler is nicer than the others by 5, and of one user's connections each one's thread than those before it"""
    own = processes()
    tap.equal(niceness(own['vmad-sampler']) - niceness(own['vmad-opener']), 5, 'the sampler')
    first = niceness(own['vmad-worker'])
    threads = {int(nice) - first for nice in box.run('/usr/bin/python3', '-c', CONNECT_AND_LOOK).stdout.split()}
    tap.equal(threads, {0, 1, 2}, "the worker's threads")


def root_asks():
    """root is told of process 1 by curl and by vmactl: maps, usage, one page with its frame, files wherever they are"""
    tap.truth(get('/v1/processes/1/vmas')['complete'], 'vmas')
    document = get('/v1/processes/1/vmas?detail=usage&kind=heap')
    tap.truth(document['vmas'][0]['rss_bytes'] > 0, 'usage')
    page = get(f'/v1/processes/1/pages/{document["vmas"][0]["start"]}')
    tap.truth(int(page['frame']['pfn'], 16) > 0, f'frame {page}')
    tap.truth(workdir.some_have_own(processes()['vmad-opener']) in (True, None), 'who opens files has a working directory of its own')
    for directory in ('/tmp', '/root', '/usr/lib/modules', '/var/tmp'):
        box.run('sh', '-c', f'mkdir -p {directory} && echo text >{directory}/vmad-test')
        tap.equal(status(f'/v1/files/pages?path={directory}/vmad-test'), 200, directory)
    tap.truth('systemd' in box.run('vmactl', 'ps').stdout, 'vmactl ps')
    tap.truth(box.run('vmactl', 'maps', '1').stdout, 'vmactl maps')


def members_ask():
    """a member of group vmad is told of its own processes; others cannot even connect; nobody but root comes to the worker"""
    member, stranger = as_user(STRANGER, group_of_vmad()), as_user(STRANGER)
    own = box.run(*member, 'vmactl', 'maps', 'self').stdout
    tap.truth('[stack]' in own, own)
    everywhere = '/run/vmad/vmad.sock'
    tap.equal(status('/v1/processes/1/vmas', socket=everywhere, identity=member), 403, 'of process 1')
    tap.equal(status('/v1/health', socket=everywhere, identity=stranger), 0, 'a stranger')
    tap.equal(status('/v1/health', identity=member), 0, 'root.sock')
    worker = as_user(box.run('id', '-u', 'vmad').stdout.strip(), group_of_vmad())
    for identity in (member, worker):
        said = box.run(*identity, '/usr/bin/python3', '-c', COME_TO_WORKER,
                       check=False).stderr
        tap.truth('PermissionError' in said, said)


def tokens_are_given():
    """POST /v1/tokens gives a token, with which the same is answered over TLS"""
    tap.equal((by_token(new_token()), by_token('first'), by_token('wrong')), (200, 200, 401), 'answers')


def metrics_are_there():
    """the sampler's numbers reach the worker"""
    wait_until(lambda: 'group="init.scope"' in box.run('curl', '--silent', '--unix-socket', '/run/vmad/root.sock',
                                                      'http://localhost/metrics').stdout, 'groups')


def it_is_told():
    """a request is a record of the journal, with its fields"""
    get('/v1/processes/1/vmas?kind=stack')

    def record():
        said = box.run('journalctl', '--unit=vmad.service', '--output=json', 'VMAD_ROUTE=/v1/processes/{pid}/vmas', check=False).stdout
        return json.loads(said.splitlines()[-1]) if said else None

    found = wait_until(record, 'a record')
    tap.equal((found['VMAD_STATUS'], found['VMAD_UID'], found['VMAD_METHOD']), ('200', '0', 'GET'), 'fields')
    tap.truth(int(found['VMAD_DURATION_US']) > 0 and found['VMAD_REQUEST'], f'{found}')


def serves():
    return status('/v1/processes/1/vmas?kind=stack') == 200


def time_to_serve_again(name):
    all_are_there()
    pid = processes()[name]
    began = time.monotonic()
    os.kill(pid, 9)
    wait_until(lambda: processes().get(name, pid) != pid and serves(), f'an answer after {name}')
    print(f'# {name}: served again after {time.monotonic() - began:.2f} s', flush=True)
    return time.monotonic() - began


def is_quick(seconds, most, what):
    """seconds() is less than that in one of some tries."""
    took = []
    while not took or (took[-1] >= most and len(took) < TRIES):
        took.append(seconds())
    tap.truth(took[-1] < most, f'{what}: {took} s')


def each_is_killed():
    """kill -9 of each process: it serves again, within two seconds where nothing is emulated"""
    for name in ('vmad-worker', 'vmad-opener', 'vmad-sampler', 'vmad'):
        is_quick(lambda name=name: time_to_serve_again(name), AGAIN_SECONDS, name)


def the_opener_outlives_its_worker():
    """a worker that ends takes nothing along: the same opener has another one at once, and a token that it gave is good still"""
    all_are_there()
    before = processes()
    token = new_token()
    os.kill(before['vmad-worker'], 9)
    wait_until(lambda: processes().get('vmad-worker', before['vmad-worker']) != before['vmad-worker'] and serves(), 'another worker')
    tap.equal(by_token(token), 200, 'by the token')
    after = processes()
    tap.equal({name for name in before if before[name] != after.get(name)}, {'vmad-worker'}, 'who is new')


def time_to_turn_away():
    began = time.monotonic()
    tap.equal((status('/v1/processes/1/vmas'), status('/v1/health')), (503, 503), 'without')
    tap.equal(box.run(*curl(*STATUS), '--insecure', 'https://127.0.0.1:8623/v1/health').stdout, '503', 'over TCP')
    return time.monotonic() - began


def without_an_opener():
    """while the opener is away clients are told to come again, at once; when it is back, the same worker answers"""
    all_are_there()
    worker = processes()['vmad-worker']
    box.run('systemctl', 'stop', 'vmad-opener.service')
    is_quick(time_to_turn_away, AT_ONCE_SECONDS, 'at once')
    box.run('systemctl', 'start', 'vmad-opener.service')
    wait_until(serves, 'an answer')
    tap.equal(processes()['vmad-worker'], worker, 'the worker')
    metrics_are_there()


def they_read_again():
    """systemctl reload: new tokens and a new certificate are known, what is wrong changes nothing"""
    all_are_there()
    own = processes()
    write_tokens('second')
    write_certificate('second')
    box.run('systemctl', 'reload', 'vmad.service')
    wait_until(lambda: (by_token('first'), by_token('second'), subject()) == (401, 200, 'second'), 'the new ones')
    box.write('/etc/vmad/tokens', 'nonsense\n', 0o600)
    box.write('/etc/vmad/cert.pem', 'nonsense\n')
    box.run('systemctl', 'reload', 'vmad.service')
    wait_until(lambda: 'the certificate stays as it was' in box.run('journalctl', '--unit=vmad.service', '--output=cat').stdout, 'a line')
    tap.equal((by_token('second'), subject(), processes()), (200, 'second', own), 'as before')
    write_tokens('first')
    write_certificate('first')


def the_first_client_starts_it():
    """stopped, it comes back when a client comes to its socket"""
    box.run('systemctl', 'stop', 'vmad.service')
    wait_until(lambda: not processes(), 'the end of all')
    tap.equal(status('/v1/processes/1/vmas'), 200, 'the first client')


def what_is_hidden_stays_so():
    """where the host's /proc has hidepid=2, it is in the units, too: a member sees its own processes alone, and nobody /metrics"""
    box.run('mount', '-o', 'remount,hidepid=2', '/proc')
    box.run('systemctl', 'restart', 'vmad.service')
    socket, member = '/run/vmad/vmad.sock', as_user(STRANGER, group_of_vmad())
    tap.equal(status('/v1/processes/1', socket=socket, identity=member), 404, 'process 1')
    listed = json.loads(box.run(*member, 'curl', '--silent', '--unix-socket', socket, 'http://localhost/v1/processes').stdout)
    tap.equal({one['comm'] for one in listed['processes']}, {'curl'}, 'the list')
    tap.equal(box.run(*curl(*STATUS), '--insecure', 'https://127.0.0.1:8623/metrics').stdout, '401', 'metrics without a token')
    tap.truth(serves(), 'root')
    box.run('mount', '-o', 'remount,hidepid=0', '/proc')
    box.run('systemctl', 'restart', 'vmad.service')
    tap.equal(status('/v1/processes/1', socket=socket, identity=member), 200, 'process 1, when nothing is hidden')
    tap.equal(box.run(*curl(*STATUS), '--insecure', 'https://127.0.0.1:8623/metrics').stdout, '200', 'metrics then')


def why_no_helper():
    """What /v1/capabilities says of the module to units that have just been started."""
    box.run('systemctl', 'restart', 'vmad.service')
    return next(one['why'] for one in get('/v1/capabilities')['capabilities'] if one['name'] == 'helper')


def the_device_needs_its_line():
    """the helper module's device can be opened within the unit's device policy, which would refuse it otherwise"""
    refused = 'the kernel does not let vmad open /dev/vmad'
    drop_in = '/run/systemd/system/vmad-opener.service.d'
    why = why_no_helper()
    tap.truth(why != refused and 'missing' not in why, why)
    box.run('sh', '-c', f'mkdir -p {drop_in} && echo "[Service]\nDeviceAllow=" >{drop_in}/none.conf && systemctl daemon-reload')
    tap.equal(why_no_helper(), refused, 'without DeviceAllow=')
    box.run('sh', '-c', f'rm -r {drop_in} && systemctl daemon-reload')


def they_stop():
    """systemctl stop ends all, and nothing has failed, as what does not end in time would have"""
    began = time.monotonic()
    box.run('systemctl', 'stop', *SOCKETS, 'vmad.service')
    print(f'# stopped within {time.monotonic() - began:.1f} s', flush=True)
    tap.equal(processes(), {}, 'processes')
    tap.equal({state for state, _ in states().values()}, {'inactive'}, f'{states()}')
    failed = box.run('systemctl', 'list-units', '--failed', '--plain', '--no-legend', 'vmad*').stdout
    tap.equal(failed, '', 'failed')
