#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is answered GET /metrics, and what the options of the sampler may say."""
import hashlib
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import BINARY, Vmad  # noqa: E402
from wire import Wire  # noqa: E402

TOKEN = 'a token for metrics'
HIDEPID = ['unshare', '--mount', 'sh', '-c', 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"']
NOWHERE = ['--listen', 'unix:/nowhere/vmad.sock']


def address(vmad):
    """Where it listens on TCP."""
    return next(('127.0.0.1', int(re.search(r':(\d+)$', line).group(1))) for line in vmad.log if 'tcp:' in line)


def tcp(vmad, *fields, path='/metrics'):
    """The status of one request over TCP."""
    with Wire(address(vmad)) as wire:
        wire.send('\r\n'.join([f'GET {path} HTTP/1.1', 'Host: localhost', *fields, '', '']).encode())
        return wire.reply().status


def statuses(arguments, **more):
    """Over the Unix socket; over TCP without a token, and with one."""
    with tempfile.NamedTemporaryFile('w', suffix='.tokens') as tokens:
        own = f'uid={os.geteuid()} gid={os.getegid()}' + (' root=yes' if os.geteuid() == 0 else '')
        tokens.write(f'sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()} {own}\n')
        tokens.flush()
        with Vmad(listen=['tcp:127.0.0.1:0'], arguments=['--token-file', tokens.name, *arguments], **more) as vmad:
            return vmad.get('/metrics').status, tcp(vmad), tcp(vmad, f'Authorization: Bearer {TOKEN}')


def open_to_this_host():
    """without a token from this host too, and that is all that is open"""
    tap.equal(statuses([]), (200, 200, 200), 'by default')
    tap.equal(statuses(['--metrics', 'open']), (200, 200, 200), '--metrics open')
    with Vmad(listen=['tcp:127.0.0.1:0']) as vmad:
        tap.equal([tcp(vmad, path=path) for path in ('/v1/processes', '/metrics/x', '/metrics/')], [401, 404, 200], 'beside it')


def with_a_token():
    """--metrics token: over TCP only with one"""
    tap.equal(statuses(['--metrics', 'token']), (200, 401, 200), '--metrics token')


def switched_off():
    """--metrics off: 404 for everybody, and there is no sampler"""
    tap.equal(statuses(['--metrics', 'off']), (404, 404, 404), '--metrics off')
    with Vmad(arguments=['--metrics', 'off']) as vmad:
        names = subprocess.run(['ps', '-o', 'comm=', '--ppid', str(vmad.pid)], capture_output=True, text=True, check=False).stdout
        tap.truth('sampler' not in names, names)
        tap.equal(vmad.get('/v1/health').status, 200, 'health')


def hidden_processes():
    """where hidepid= hides processes, metrics of them want a token too"""
    if os.geteuid() != 0:
        raise tap.Skip('only root can mount procfs')
    tap.equal(statuses([], prefix=HIDEPID), (200, 401, 200), 'hidepid=2')


def methods():
    """HEAD has the fields and no body; POST is not for it"""
    with Vmad() as vmad:
        head = vmad.get('/metrics', method='HEAD')
        tap.equal((head.status, head.body, head.headers['Content-Type']), (200, b'', 'text/plain; version=0.0.4; charset=utf-8'), 'HEAD')
        tap.equal((vmad.get('/metrics', method='POST').status, vmad.get('/metrics?x=1').status), (405, 400), 'POST, a parameter')


def refused(arguments):
    done = subprocess.run([BINARY, *arguments, *NOWHERE], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr.splitlines()[0]


WRONG = {
    'metrics': ('maybe', 'is not open, token or off'),
    'sample-interval': ('0', 'is not a number of seconds from 1 to 3600'),
    'sample-usage': ('much', 'is not a size such as 256M'),
    'sample-groups': ('1000', 'is not a number of groups that leaves room for the rest'),
    'group': ('nginx', 'is not comm:PATTERN=NAME, unit:PATTERN=NAME or cgroup:PATTERN=NAME'),
}


def wrong_options():
    """a wrong value: on the command line the option and why, exit 2; in a file also the line, exit 1"""
    for name, (value, why) in WRONG.items():
        tap.equal(refused([f'--{name}', value]), (2, f'vmad: --{name} {why}'), name)
        with tempfile.NamedTemporaryFile('w', suffix='.conf') as config:
            config.write(f'# for the sampler\n{name} = {value}\n')
            config.flush()
            tap.equal(refused(['--config', config.name]), (1, f'vmad: {config.name}:2: {name} {why}'), f'{name} in a file')
    tap.equal(refused(['--metrics', 'off', '--metrics', 'off']), (2, 'vmad: --metrics is given too often'), 'twice')


def a_file_of_options():
    """options of the sampler in a file, rules with = in them too"""
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as config:
        config.write('metrics = token\nsample-interval = 1\nsample-groups = 2\ngroup = comm:vm*=of vmad\ngroup=comm:python*=snakes\n')
        config.flush()
        tap.equal(statuses(['--config', config.name]), (200, 401, 200), 'the file is read')


tap.run([open_to_this_host, with_a_token, switched_off, hidden_processes, methods, wrong_options, a_file_of_options])
