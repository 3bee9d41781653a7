# SPDX-License-Identifier: GPL-2.0-or-later
"""POST /v1/tokens, vmactl web: a token of the caller's own identity, made over the Unix socket alone, for the page over TCP."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import NOBODY, Vmad, as_user  # noqa: E402
from wire import Wire  # noqa: E402

VMACTL = os.path.join(os.environ['TOP_BUILDDIR'], 'client/vmactl')
PER_UID = 16
HOURS = 8


def make(daemon=None):
    """A token of this caller's."""
    reply = (daemon or vmad).get('/v1/tokens', method='POST')
    tap.equal((reply.status, reply.headers['Cache-Control']), (200, 'no-store'), 'a token')
    return reply.json()


def tcp(target, token=None, method='GET', where=None):
    with Wire(where or address) as wire:
        fields = [f'Authorization: Bearer {token}'] if token else []
        wire.send('\r\n'.join([f'{method} {target} HTTP/1.1', 'Host: localhost', *fields, '', '']).encode())
        return wire.reply()


def kind(reply):
    return reply.status, reply.json()['type'].removeprefix('urn:vmad:problem:')


def identity(reply):
    found = reply.json()
    return [found[name] for name in ('caller_uid', 'caller_gid', 'caller_class')]


def the_callers_own():
    """over TCP the token is who has asked for it"""
    granted = make()
    tap.equal((granted['uid'], granted['expires_in_seconds']), (os.geteuid(), HOURS * 3600), 'whose, and for how long')
    tap.equal(granted['page'], f'http://127.0.0.1:{address[1]}/', 'the page')
    tap.truth(re.fullmatch(r'vmad-[A-Za-z0-9_-]{43}', granted['token']), granted['token'])
    tap.equal(identity(tcp('/v1/capabilities', granted['token'])), identity(vmad.get('/v1/capabilities')), 'identity')
    tap.equal(tcp('/v1/processes', granted['token']).status, 200, 'processes')
    tap.truth(make()['token'] != granted['token'], 'the same again')


def somebody_elses():
    """an ordinary user's token shows what that user may see, and no more; its groups are that user's"""
    if os.geteuid() != 0:
        raise tap.Skip('only root can ask as somebody else')
    granted = as_user(NOBODY, make, gid=NOBODY, groups=[4, 27])
    tap.equal(granted['uid'], NOBODY, 'uid')
    tap.equal(identity(tcp('/v1/capabilities', granted['token'])), [NOBODY, NOBODY, 'user'], 'identity')
    with Victim(uid=NOBODY) as own, Victim() as other:
        tap.equal(tcp(f'/v1/processes/{other.pid}/vmas', granted['token']).status, 403, "root's process")
        def ask():
            return vmad.get(f'/v1/processes/{own.pid}/vmas').status
        tap.equal(tcp(f'/v1/processes/{own.pid}/vmas', granted['token']).status, as_user(NOBODY, ask, gid=NOBODY, groups=[4, 27]), 'its own')
    tap.equal(tcp('/v1/frames', granted['token']).status, 403, "root's alone")


def no_token_makes_a_token():
    """over TCP none is made: not without a token, not with one"""
    tap.equal(kind(tcp('/v1/tokens', method='POST')), (401, 'token-required'), 'without')
    tap.equal(kind(tcp('/v1/tokens', make()['token'], method='POST')), (403, 'not-allowed'), 'with one')


def words_that_are_none():
    """what is nearly a token is none"""
    token = make()['token']
    for wrong in (token[:-1], token + 'A', token.swapcase(), token.removeprefix('vmad-'), 'vmad-', 'x' * 6000):
        tap.equal(kind(tcp('/v1/health', wrong)), (401, 'token-unknown'), wrong[:20])


def so_many_and_no_more():
    """one more than a user may have ends the oldest"""
    first, *tokens = [make()['token'] for _ in range(PER_UID)]
    tap.equal(tcp('/v1/health', first).status, 200, 'the first')
    tokens.append(make()['token'])
    tap.equal(kind(tcp('/v1/health', first)), (401, 'token-unknown'), 'the first, once there is one more')
    tap.equal({tcp('/v1/health', token).status for token in tokens}, {200}, 'the others')


def another_vmad():
    """a token is good at the vmad that gave it, and ends with it"""
    with Vmad(listen=['tcp:127.0.0.1:0']) as other:
        where = ('127.0.0.1', int(next(name for name in other.log if 'tcp:' in name).rpartition(':')[2]))
        tap.equal(kind(tcp('/v1/health', make()['token'], where=where)), (401, 'token-unknown'), 'at another')
        tap.equal(tcp('/v1/health', make(other)['token'], where=where).status, 200, 'at its own')


def by_post_alone():
    """GET and others are 405, a body is refused"""
    for method in ('GET', 'HEAD', 'PUT', 'DELETE'):
        reply = vmad.get('/v1/tokens', method=method)
        tap.equal((reply.status, reply.headers['Allow']), (405, 'POST'), method)
    with Wire(vmad.socket) as wire:     # in one piece: it is refused unread, and the connection ends with that
        wire.send(b'POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}')
        tap.equal(wire.reply().status, 413, 'a body')


def vmactl(*arguments):
    return subprocess.run([VMACTL, '--socket', vmad.socket, *arguments], capture_output=True, text=True, timeout=30, check=False)


def vmactl_web():
    """vmactl web prints the page's address with a token that is good"""
    ran = vmactl('web')
    tap.equal((ran.returncode, ran.stderr), (0, ''), 'exit')
    page, token = re.fullmatch(r'(http://127\.0\.0\.1:\d+/)#token=(\S+)\n', ran.stdout).groups()
    tap.equal(page, f'http://127.0.0.1:{address[1]}/', 'the page')
    tap.equal(identity(tcp('/v1/capabilities', token))[0], os.geteuid(), 'identity')
    ran = vmactl('--json', 'web')
    tap.truth(re.fullmatch(r'\{"token":"vmad-[^"]+","expires_in_seconds":28800,"uid":\d+,"page":"[^"]+"\}\n', ran.stdout), ran.stdout)


def vmactl_web_cannot():
    """where there is no TCP, or no sense, vmactl web says so"""
    with Vmad() as bare:
        ran = subprocess.run([VMACTL, '--socket', bare.socket, 'web'], capture_output=True, text=True, timeout=30, check=False)
        tap.equal((ran.returncode, ran.stdout), (1, ''), 'without TCP')
        tap.truth('no TCP port' in ran.stderr and 'mend: start it with --listen tcp:' in ran.stderr, ran.stderr)
        tap.truth('page' not in make(bare), 'a page without TCP')
    for arguments in (['web', 'x'], ['web', '--watch'], ['web', '-o', 'pid'], ['web', '-r']):
        tap.equal(vmactl(*arguments).returncode, 2, ' '.join(arguments))
    ran = subprocess.run([VMACTL, '--local', 'web'], capture_output=True, text=True, timeout=30, check=False)
    tap.equal((ran.returncode, ran.stdout), (2, ''), '--local')


def nothing_is_logged():
    """no token stands in the log"""
    tap.equal([line for line in vmad.log if 'vmad-' in line.replace('vmad-test', '') and 'listening' not in line], [], 'log')


with Vmad(listen=['tcp:127.0.0.1:0'], open_to_all=True) as vmad:
    address = ('127.0.0.1', int(next(name for name in vmad.log if 'tcp:' in name).rpartition(':')[2]))
    tap.run([the_callers_own, somebody_elses, no_token_makes_a_token, words_that_are_none, so_many_and_no_more, another_vmad,
             by_post_alone, vmactl_web, vmactl_web_cannot, nothing_is_logged])
