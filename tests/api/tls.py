# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS: what is beyond loopback is encrypted and needs a token, or vmad does not start."""
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import warnings

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from memory import holds  # noqa: E402
from vmad import BINARY, TOP_BUILDDIR, Vmad  # noqa: E402
from wire import wait_until  # noqa: E402

TOKEN = 'a token for the wire'
VMACTL = os.path.join(TOP_BUILDDIR, 'client/vmactl')


def openssl(*arguments):
    subprocess.run(['openssl', *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_pair(name):
    """A key and a certificate of its own for localhost, as PEM files."""
    cert, key = path(f'{name}.crt'), path(f'{name}.key')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
            '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert)
    return cert, key


def path(name):
    return os.path.join(directory, name)


def write(name, text):
    with open(path(name), 'w', encoding='ascii') as file:
        file.write(text)
    return path(name)


def port(vmad):
    return next(int(re.search(r':(\d+)$', line).group(1)) for line in vmad.log if 'tcp:' in line)


def context(**minimum):
    made = ssl.create_default_context(cafile=cert)
    for name, value in minimum.items():
        setattr(made, name, value)
    return made


def get(vmad, target, token=TOKEN, address='127.0.0.1', host=None, tls=None):
    tls = tls or context()
    tls.check_hostname = False
    connection = http.client.HTTPSConnection(address, port(vmad), context=tls, timeout=30)
    try:
        headers = {'Authorization': f'Bearer {token}'} if token else {}
        connection.request('GET', target, headers=headers | ({'Host': host} if host else {}))
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def with_tls(*listen, more=()):
    return Vmad(listen=list(listen), arguments=['--token-file', tokens, '--tls-cert', cert, '--tls-key', key, *more])


def over_loopback():
    """over TLS as over TCP: health for all, the rest for those who have a token"""
    with with_tls('tcp:127.0.0.1:0') as vmad:
        tap.equal(get(vmad, '/v1/health', token=None), (200, {'status': 'ok'}), 'health')
        tap.equal(get(vmad, '/v1/capabilities', token=None)[0], 401, 'no token')
        tap.equal(get(vmad, '/v1/capabilities', token='wrong')[0], 401, 'a wrong token')
        status, document = get(vmad, '/v1/capabilities')
        tap.equal((status, document['caller_uid']), (200, os.geteuid()), 'a token')


def a_long_list():
    """a list of many records comes whole"""
    with with_tls('tcp:127.0.0.1:0') as vmad:
        status, document = get(vmad, '/v1/vmas')
        tap.equal((status, document['complete'], document['count']), (200, True, len(document['vmas'])), 'vmas')


def not_in_the_clear():
    """who speaks plain HTTP to it is not answered"""
    with with_tls('tcp:127.0.0.1:0') as vmad:
        connection = http.client.HTTPConnection('127.0.0.1', port(vmad), timeout=30)
        try:
            connection.request('GET', '/v1/health')
            connection.getresponse()
        except (http.client.HTTPException, OSError):
            return
        finally:
            connection.close()
        raise AssertionError('an answer in the clear')


def old_versions():
    """TLS 1.2 is spoken, 1.1 is not"""
    with with_tls('tcp:127.0.0.1:0') as vmad:
        tls = context(maximum_version=ssl.TLSVersion.TLSv1_2)
        tap.equal(get(vmad, '/v1/health', tls=tls)[0], 200, 'TLS 1.2')
        warnings.simplefilter('ignore', DeprecationWarning)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers('ALL:@SECLEVEL=0')
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            get(vmad, '/v1/health', tls=old)
        except OSError:
            return
        raise AssertionError('TLS 1.1 is spoken')


def beyond_loopback():
    """all addresses: the address that was connected to is a Host, another name is not, --allow-host adds one"""
    address = '127.0.0.5'  # stands for any that is not among those that are always served
    with with_tls('tcp:0.0.0.0:0', more=['--allow-host', 'box.example']) as vmad:
        for host, status in ((None, 200), (f'{address}:{port(vmad)}', 200), ('box.example', 200), ('evil.example', 421), ('192.0.2.1', 421)):
            tap.equal(get(vmad, '/v1/health', address=address, host=host)[0], status, f'Host {host}')
        tap.equal(get(vmad, '/v1/processes', address=address)[0], 200, 'with a token')


def over_unix():
    """the Unix socket speaks no TLS"""
    with Vmad(arguments=['--token-file', tokens, '--tls-cert', cert, '--tls-key', key]) as vmad:
        tap.equal(vmad.get('/v1/health').status, 200, 'health')


def vmactl(*arguments):
    return subprocess.run([VMACTL, *arguments], capture_output=True, text=True, timeout=60, check=False)


def by_vmactl():
    """vmactl --url https://... with --cacert; without it the certificate is not trusted: exit 5"""
    with with_tls('tcp:127.0.0.1:0') as vmad:
        where = ['--url', f'https://127.0.0.1:{port(vmad)}', '--token-file', write('mine', TOKEN)]
        done = vmactl(*where, '--cacert', cert, 'maps', str(os.getpid()))
        tap.equal(done.returncode, 0, done.stderr)
        done = vmactl(*where, 'maps', str(os.getpid()))
        tap.equal(done.returncode, 5, done.stderr)
        tap.truth('certificate' in done.stderr and 'mend: --cacert' in done.stderr, done.stderr)


def where_there_is_none():
    """vmactl --url https://... where vmad has no certificate: exit 5, and http:// would help"""
    with Vmad(listen=['tcp:127.0.0.1:0']) as vmad:
        done = vmactl('--url', f'https://127.0.0.1:{port(vmad)}', 'maps', str(os.getpid()))
        tap.equal(done.returncode, 5, done.stderr)
        tap.truth('mend: http://' in done.stderr, done.stderr)


def refused(arguments, said):
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30, check=False)
    tap.equal((done.returncode, done.stderr), (1, f'vmad: {said}\n'), f'{arguments}')


def needs_all_three():
    """an address beyond loopback needs certificate, key and tokens, or vmad does not start"""
    what = 'tcp:0.0.0.0:0: not a loopback address: that needs --tls-cert, --tls-key and --token-file'
    listen, tls, token = ['--listen', 'tcp:0.0.0.0:0'], ['--tls-cert', cert, '--tls-key', key], ['--token-file', tokens]
    refused(listen, what)
    refused(listen + tls, what)
    refused(listen + token, what)
    for one in (tls[:2], tls[2:]):
        refused(listen + token + one, '--tls-cert and --tls-key need each other')


def bad_files():
    """files that are no certificate and no key of it: one line that names the file"""
    other = make_pair('other')
    plain = write('plain', 'not PEM\n')
    for pair, named, said in (
        ((cert, other[1]), other[1], 'not the key of that certificate'),
        ((path('nowhere'), key), path('nowhere'), 'No such file or directory'),
        ((cert, directory), directory, 'not a regular file'),
        ((cert, write('empty', '')), path('empty'), 'a PEM file has 1 byte to 1 MiB'),
        ((cert, '/dev/null'), '/dev/null', 'not a regular file'),
    ):
        refused(['--tls-cert', pair[0], '--tls-key', pair[1]], f'{named}: {said}')
    done = subprocess.run([BINARY, '--tls-cert', plain, '--tls-key', key], capture_output=True, text=True, timeout=30, check=False)
    tap.equal(done.returncode, 1, 'a certificate that is none')
    tap.truth(plain in done.stderr or key in done.stderr, done.stderr)


def subject(vmad):
    """What a new client is shown: the certificate, as PEM."""
    return ssl.get_server_certificate(('127.0.0.1', port(vmad)), timeout=30).strip()


def text_of(name):
    with open(name, encoding='ascii') as file:
        return file.read().strip()


def put(pair, names):
    for source, name in zip(pair, names):
        shutil.copyfile(source, name + '.new')
        os.rename(name + '.new', name)


def read_again():
    """SIGHUP: new clients are shown the new certificate, old ones go on; a file that is wrong changes nothing, and a line says so"""
    old, new, used = make_pair('old'), make_pair('new'), (path('used.crt'), path('used.key'))
    put(old, used)
    os.chmod(used[1], 0o600)
    with Vmad(listen=['tcp:127.0.0.1:0'], arguments=['--token-file', tokens, '--tls-cert', used[0], '--tls-key', used[1]]) as vmad:
        tap.equal(subject(vmad), text_of(old[0]), 'at first')
        tls = ssl.create_default_context(cafile=old[0])
        tls.check_hostname = False
        connection = http.client.HTTPSConnection('127.0.0.1', port(vmad), context=tls, timeout=30)
        connection.request('GET', '/v1/health')
        connection.getresponse().read()
        put(new, used)
        vmad.process.send_signal(signal.SIGHUP)
        wait_until(lambda: subject(vmad) == text_of(new[0]), 'the new one')
        connection.request('GET', '/v1/health')
        tap.equal(connection.getresponse().status, 200, 'who came before')
        connection.close()
        for pair, named in (((new[0], old[1]), used[1]), ((write('nonsense', 'nonsense'), new[1]), used[0])):
            lines = len(vmad.log)
            put(pair, used)
            vmad.process.send_signal(signal.SIGHUP)
            wait_until(lambda: [line for line in vmad.log[lines:] if line.startswith(f'vmad: {named}: ') and 'stays as it was' in line], named)
            tap.equal(subject(vmad), text_of(new[0]), 'as before')
        os.unlink(used[0])
        vmad.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any('No such file' in line for line in vmad.log), 'a line on a file that is gone')
        put(old, used)
        if set(vmad.processes()) >= {'vmad-worker'}:
            # A worker that takes the place of another has read what is there now, and not what there was when vmad was started.
            put(new, used)
            vmad.process.send_signal(signal.SIGHUP)
            os.kill(vmad.pid, signal.SIGKILL)
            wait_until(lambda: shown(vmad) == text_of(new[0]), 'another worker')


def shown(vmad):
    try:
        return subject(vmad)
    except OSError:     # between two workers
        return None


def secrets_of(pem):
    """What a key of make_pair() is known by: each line of its file but the first, which is the same in all; its number, either way round."""
    text = subprocess.run(['openssl', 'pkey', '-in', pem, '-text', '-noout'], check=True, capture_output=True, text=True).stdout
    number = bytes.fromhex(re.search(r'^priv:\n((?:    .*\n)+)', text, re.M).group(1).translate(str.maketrans('', '', ' :\n'))).lstrip(b'\0')
    return [line.encode() for line in text_of(pem).splitlines()[2:-1]] + [number, number[::-1]]


def who_knows(vmad, pem):
    """{process: has it that key in its memory?}"""
    all_of = {'vmad', 'vmad-opener', 'vmad-worker', 'vmad-sampler'}
    wait_until(lambda: set(vmad.processes()) == all_of, 'all of them')
    return {name: holds(pid, secrets_of(pem)) for name, pid in vmad.processes().items()}


def the_worker_knows_the_key():
    """the key is in the worker's memory alone, also when it was read again; a worker in the place of another needs no file for it"""
    used, pairs = (path('known.crt'), path('known.key')), [make_pair(name) for name in ('first', 'second')]
    put(pairs[0], used)
    with Vmad(listen=['tcp:127.0.0.1:0'], arguments=['--token-file', tokens, '--tls-cert', used[0], '--tls-key', used[1]]) as vmad:
        if 'vmad-worker' not in vmad.processes():
            raise tap.Skip("an ordinary user's vmad is one process")
        alone = {'vmad': False, 'vmad-opener': False, 'vmad-worker': True, 'vmad-sampler': False}
        tap.equal(who_knows(vmad, pairs[0][1]), alone, 'who knows it')
        os.unlink(used[1])
        os.kill(vmad.pid, signal.SIGKILL)
        wait_until(lambda: shown(vmad) == text_of(pairs[0][0]), 'another worker')
        tap.equal(who_knows(vmad, pairs[0][1]), alone, 'who knows it then')
        put(pairs[1], used)
        vmad.process.send_signal(signal.SIGHUP)
        wait_until(lambda: shown(vmad) == text_of(pairs[1][0]), 'the second pair')
        tap.equal(who_knows(vmad, pairs[1][1]), alone, 'who knows the second one')


def nothing_is_logged():
    """neither the token nor the key stands in the log"""
    with with_tls('tcp:127.0.0.1:0') as vmad:
        get(vmad, '/v1/capabilities')
        get(vmad, '/v1/capabilities', token='wrong')
        tap.equal([line for line in vmad.log if not re.match(r'vmad: (listening on (unix|tcp):|ready$)', line)], [], 'log')


directory = tempfile.mkdtemp(prefix='vmad-tls-')
try:
    cert, key = make_pair('vmad')
    rights = f'uid={os.geteuid()} gid={os.getegid()}' + (' root=yes' if os.geteuid() == 0 else '')
    tokens = write('tokens', f'sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()} {rights}\n')
    tap.run([
        over_loopback,
        a_long_list,
        not_in_the_clear,
        old_versions,
        beyond_loopback,
        over_unix,
        by_vmactl,
    where_there_is_none,
        needs_all_three,
        bad_files,
        read_again,
        the_worker_knows_the_key,
        nothing_is_logged,
    ])
finally:
    shutil.rmtree(directory)
