# SPDX-License-Identifier: GPL-2.0-or-later
"""The log: a line a request where wanted, fields for the journal; no address, path or token; bounded."""
import hashlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import BINARY, Vmad  # noqa: E402
from wire import Wire, wait_until  # noqa: E402

LINE = re.compile(r'vmad: request=([0-9a-f]{16}) method=(\S+) route=(\S+) status=(\d+) duration_ms=\d+\.\d{3} uid=(\S+)')
JOURNAL = '/run/systemd/journal/socket'
SELF = os.getpid()


def lines(vmad):
    return [found.groups() for found in map(LINE.fullmatch, vmad.log) if found]


def left_out(vmad):
    return sum(int(line.split()[1]) for line in vmad.log if line.endswith(' requests were not logged'))


def each_request():
    """--log=requests: a line each, with the route and not what stood in its place"""
    with Vmad(arguments=['--log', 'requests']) as vmad:
        for target in ('/v1/health', f'/v1/processes/{SELF}/vmas/0x7fff12345678', '/v1/files/pages?path=/etc/hostname', '/v1/%2e/nothing'):
            vmad.get(target)
        vmad.get('/v1/health', method='HEAD')
        found = wait_until(lambda: len(lines(vmad)) >= 5 and lines(vmad), 'five lines')
        # A line is written when the connection has got on, so two may change places.
        tap.equal(sorted((method, route, status) for _, method, route, status, _ in found),
                  sorted([('GET', '/v1/health', '200'), ('GET', '/v1/processes/{pid}/vmas/{addr}', '200'), ('GET', '/v1/files/pages', '200'),
                          ('none', 'none', '404'), ('HEAD', '/v1/health', '200')]), 'lines')
        tap.equal({uid for *_, uid in found}, {str(os.geteuid())}, 'uid')
        tap.truth(not re.search('7fff1|hostname|%2e', ' '.join(vmad.log)), 'neither addresses nor paths')


def each_error():
    """what is refused, wrong, gone, too long or no request at all: a line each, and in none of them what was said"""
    secret = 'dead5ec'
    asked = [
        ('400', '{pid}', f'/v1/processes/{secret}'), ('400', '/vmas', f'/v1/processes/{SELF}/vmas?path={secret}&limit=x'),
        ('400', '{addr}', f'/v1/processes/{SELF}/vmas/g{secret}'), ('400', '/vmas', f'/v1/vmas?{secret}=1'),
        ('404', 'none', f'/{secret}'), ('404', '{pid}', f'/v1/processes/4194304?start_time_ticks=777{SELF}'),
        ('404', '/files/pages', f'/v1/files/pages?path=/{secret}'), ('409', '{pid}', f'/v1/processes/{SELF}?start_time_ticks=7777'),
        ('404', '{pid}/pages/{addr}', f'/v1/processes/4194304/pages/{secret}'), ('501', '/ops', f'/v1/processes/{SELF}/vmas/{secret}/ops'),
    ]
    raw = [f'GET /{secret * 1300} HTTP/1.1\r\nHost: x\r\n\r\n', f'GET /v1 HTTP/1.1\r\nHost: {secret}\r\nHost: {secret}\r\n\r\n',
           f'GET /v1 HTTP/1.1\r\nHost: x\r\n{secret}: {secret * 4000}\r\n\r\n', f'{secret}\r\n\r\n', f'BREW /v1 HTTP/1.1\r\nHost: x\r\nX: {secret}\r\n\r\n',
           f'GET /v1/%00{secret} HTTP/1.1\r\nHost: x\r\n\r\n']
    with Vmad(arguments=['--log', 'requests']) as vmad:
        for status, _, target in asked:
            reply = vmad.get(target)
            tap.truth(str(reply.status) in (status, '403'), f'{target}: {reply.status}')
        for head in raw:
            with Wire(vmad.socket) as wire:
                wire.send(head.encode())
                wire.rest()
        for status, route, target in asked:
            wait_until(lambda: any(line[3] in (status, '403') and line[2].endswith(route) for line in lines(vmad)), f'a line of {target}')
        tap.truth(all(LINE.fullmatch(line) or re.fullmatch('vmad: (listening on .*|ready)', line) for line in vmad.log), f'{vmad.log}')
        tap.truth(not re.search(f'{secret}|777|4194304', ' '.join(line.split('duration')[0].split('method')[-1] for line in vmad.log)), f'{vmad.log}')


def the_same_name():
    """an error reply has the name of its request"""
    with Vmad(arguments=['--log=requests']) as vmad:
        names = [vmad.get('/v1/nothing').headers['X-Request-Id'] for _ in range(3)]
        wait_until(lambda: len(lines(vmad)) >= 3, 'three lines')
        tap.equal({name for name, *_ in lines(vmad)}, set(names), 'names')
        tap.equal(len(set(names)), 3, 'each its own')


def quiet():
    """without --log, and with none, nothing is said of requests that were answered, or were wrong"""
    for arguments in ([], ['--log', 'none'], ['--log', 'errors']):
        with Vmad(arguments=arguments) as vmad:
            for target in ('/v1/health', '/v1/nothing', '/v1/processes/x', '/v1/processes/4194303'):
                vmad.get(target)
            tap.equal([line for line in vmad.log if 'request' in line], [], f'{arguments}')


def bounded():
    """1,000 requests at once: not a line each, and how many were left out"""
    with Vmad(arguments=['--log', 'requests']) as vmad:
        with Wire(vmad.socket) as wire:
            for _ in range(20):     # one after the other they may take a minute on a slow machine, and there is a line for each
                wire.send(b'GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n' * 50)
                tap.equal({wire.reply().status for _ in range(50)}, {200}, 'fifty')
        time.sleep(0.2)     # there is room for a line again
        vmad.get('/v1/health')
        wait_until(lambda: len(lines(vmad)) + left_out(vmad) == 1001, 'all 1,001 are written, or counted among those that were not')
        tap.truth(left_out(vmad) > 0, 'some were not')


def no_token():
    """the log has no token, whether it was right or wrong"""
    with tempfile.NamedTemporaryFile('w') as tokens:
        root = ' root=yes' if os.geteuid() == 0 else ''
        tokens.write(f'sha256:{hashlib.sha256(b"right-token").hexdigest()} uid={os.geteuid()} gid={os.getegid()}{root}\n')
        tokens.flush()
        with Vmad(listen=['tcp:127.0.0.1:0'], arguments=['--log', 'requests', '--token-file', tokens.name]) as vmad:
            port = next(int(line.rsplit(':', 1)[1]) for line in vmad.log if 'tcp:' in line)
            for token in ('right-token', 'wrong-token'):
                with socket.create_connection(('127.0.0.1', port)) as client:
                    client.sendall(f'GET /v1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n'.encode())
                    while client.recv(65536):
                        pass
            found = wait_until(lambda: len(lines(vmad)) == 2 and lines(vmad), 'two lines')
            tap.equal(sorted((status, uid) for *_, status, uid in found), [('200', str(os.geteuid())), ('401', 'none')], 'lines')
            tap.truth('-token' not in ' '.join(vmad.log), 'a token')


def fields(datagram):
    return dict(line.split('=', 1) for line in datagram.decode().splitlines() if '=' in line)


def journal():
    """under systemd: fields of the journal, and nothing on standard error"""
    if os.geteuid() != 0:
        raise tap.Skip('needs root: a journal of its own is put in the way')
    program = f'mount -t tmpfs none /run && mkdir -p {os.path.dirname(JOURNAL)} && exec "$@"'
    with tempfile.TemporaryDirectory() as directory:
        # In a mount namespace whose /run has this test's socket where the journal's would be.
        own = os.path.join(directory, 'journal')
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.bind(own)
        os.chmod(own, 0o666)
        os.chmod(directory, 0o755)
        receiver.settimeout(20)
        reading, writing = os.pipe()
        state = os.fstat(writing)
        process = subprocess.Popen(
            ['unshare', '-m', 'sh', '-c', f'{program.split(" && exec")[0]} && ln -s {own} {JOURNAL} && exec "$@"', 'sh', BINARY, '--log', 'requests',
             '--listen', f'unix:{directory}/vmad.sock'],
            stderr=writing, env={**os.environ, 'JOURNAL_STREAM': f'{state.st_dev}:{state.st_ino}'})
        os.close(writing)
        try:
            said = os.fdopen(reading)
            for line in said:
                if line == 'vmad: ready\n':
                    break
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f'{directory}/vmad.sock')
                client.sendall(b'GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
                while client.recv(65536):
                    pass
            found = fields(receiver.recv(65536))
            tap.equal({name: found[name] for name in ('PRIORITY', 'VMAD_METHOD', 'VMAD_ROUTE', 'VMAD_STATUS', 'VMAD_UID')},
                      {'PRIORITY': '6', 'VMAD_METHOD': 'GET', 'VMAD_ROUTE': '/v1/health', 'VMAD_STATUS': '200', 'VMAD_UID': '0'}, 'fields')
            tap.truth(re.fullmatch('[0-9a-f]{16}', found['VMAD_REQUEST']) and int(found['VMAD_DURATION_US']) > 0, found)
        finally:
            process.terminate()
            tap.equal(process.wait(20), 0, 'status')
            receiver.close()
        tap.equal([line for line in said if 'request' in line], [], 'standard error')


def a_wrong_level():
    """--log with another word: usage, named"""
    done = subprocess.run([BINARY, '--log', 'loud'], capture_output=True, text=True, timeout=20, check=False)
    tap.equal((done.returncode, done.stderr.splitlines()[0]), (2, 'vmad: --log wants errors, requests or none'), 'usage')


tap.run([each_request, each_error, the_same_name, quiet, bounded, no_token, journal, a_wrong_level])
