# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP: who may ask is said by a token, what site asks by Host and Origin; the Unix socket knows neither."""
import hashlib
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import BINARY, NOBODY, Vmad  # noqa: E402
from wire import Wire, wait_until  # noqa: E402

ROOT, USER, GROUPED = 'a token of root', 'a-token/of+nobody=', 'x' * 200
SELF = os.getpid()
PER_ADDRESS = 16


def line(token, words):
    return f'sha256:{hashlib.sha256(token.encode()).hexdigest()} {words}\n'


def lines():
    """Tokens as this test's user may have them: only root can act for another."""
    own = f'uid={os.geteuid()} gid={os.getegid()}'
    if os.geteuid() == 0:
        own += ' root=yes'
    return (
        '# who may ask\n\n' + line(ROOT, f'{own} name=own') + '   \n'
        + line(USER, f'uid={NOBODY}\tgid={NOBODY}') + line(GROUPED, f'groups=7,5,7 gid=9 uid={NOBODY}').rstrip('\n')
    )


def bearer(token, scheme='Bearer'):
    return f'Authorization: {scheme} {token}'


def address(name):
    """Where vmad says that it listens."""
    host, port = re.fullmatch(r'vmad: listening on tcp:(.*):(\d+)', name).groups()
    return host.strip('[]'), int(port)


def tcp(target, *fields, where=None, host=None):
    """One request over TCP; host None: the address that was asked."""
    where = where or addresses[0]
    with Wire(where) as wire:
        if host is None:
            return wire.get(target, *fields)
        wire.send('\r\n'.join([f'GET {target} HTTP/1.1', f'Host: {host}', *fields, '', '']).encode())
        return wire.reply()


def kind(reply):
    return reply.status, reply.json()['type'].removeprefix('urn:vmad:problem:')


def without_a_token():
    """without a token: /v1/health; 401 for the rest, with what would help and WWW-Authenticate"""
    for where in addresses:
        tap.equal(tcp('/v1/health', where=where).status, 200, 'health')
        for target in ('/v1', '/v1/openapi.json', '/v1/capabilities', '/v1/processes', f'/v1/processes/{SELF}', '/v1/vmas',
                       f'/v1/processes/{SELF}/vmas', f'/v1/processes/{SELF}/vmas/0x1000'):
            reply = tcp(target, where=where)
            tap.equal(kind(reply), (401, 'token-required'), target)
            tap.equal(reply.headers['www-authenticate'], 'Bearer realm="vmad"', target)
            tap.truth(reply.json()['mend'], 'mend')


def with_a_token():
    """with a token the same answers as over the Unix socket"""
    for where in addresses:
        document = tcp('/v1/capabilities', bearer(ROOT), where=where).json()
        tap.equal((document['caller_uid'], document['caller_gid']), (os.geteuid(), os.getegid()), 'who')
        tap.equal(document['listener'], 'tcp', 'how')
        found = tcp(f'/v1/processes/{SELF}/vmas', bearer(ROOT), where=where).json()
        tap.equal(found['count'], len(procfs.maps(SELF)), 'this process')


def needs_root():
    if os.geteuid() != 0:
        raise tap.Skip('needs root: an ordinary user\'s vmad acts for that user alone')


def the_token_is_the_identity():
    """a token of nobody sees what nobody sees: its own processes' maps, and no others"""
    needs_root()
    with Victim(uid=NOBODY) as own, Victim() as other:
        tap.equal(tcp(f'/v1/processes/{own.pid}/vmas', bearer(USER)).json()['count'], len(procfs.maps(own.pid)), 'own')
        tap.equal(kind(tcp(f'/v1/processes/{own.pid}/vmas', bearer(GROUPED))), (403, 'not-allowed'), 'the gid counts too')
        for token in (USER, GROUPED):
            for rest in ('/vmas', '/vmas?detail=usage', '/vmas/0x1000', '?detail=usage'):
                tap.equal(kind(tcp(f'/v1/processes/{other.pid}{rest}', bearer(token))), (403, 'not-allowed'), rest)
        tap.equal(tcp(f'/v1/processes/{other.pid}/vmas', bearer(ROOT)).status, 200, "root's token")


def ids_of_a_token():
    """uid, gid and class are those of the token's line"""
    needs_root()
    for token, gid in ((USER, NOBODY), (GROUPED, 9)):
        document = tcp('/v1/capabilities', bearer(token)).json()
        tap.equal((document['caller_uid'], document['caller_gid'], document['caller_class']), (NOBODY, gid, 'user'), token[:9])


def one_connection_many_callers():
    """each request on a connection is its own token's: nothing is remembered"""
    with Wire(addresses[0]) as wire:
        for token, status in ((ROOT, 200), (None, 401), ('wrong', 401), (ROOT, 200), (None, 401)):
            reply = wire.get('/v1/capabilities', *([bearer(token)] if token else []))
            tap.equal(reply.status, status, f'{token}')


def unknown_tokens():
    """tokens that are not known: 401 token-unknown, on /v1/health too"""
    hashed = hashlib.sha256(ROOT.encode()).hexdigest()
    for field in (bearer('wrong'), bearer(''), bearer(ROOT[:-1]), bearer(ROOT + 'x'), bearer(hashed), bearer(f'sha256:{hashed}'),
                  bearer(ROOT, 'Basic'), bearer(ROOT, 'Token'), 'Authorization:', bearer('a' * 9000)):
        for target in ('/v1/processes', '/v1/health'):
            reply = tcp(target, field)
            tap.equal(kind(reply), (401, 'token-unknown'), field[:60])
            tap.equal(reply.headers['www-authenticate'], 'Bearer realm="vmad"', field[:60])


def the_scheme_in_any_case():
    """Bearer in any case"""
    tap.equal(tcp('/v1/processes?limit=1', bearer(ROOT, 'bEaReR')).status, 200, 'status')


def tokens_mean_nothing_to_the_unix_socket():
    """over the Unix socket the kernel says who asks, whatever a token says"""
    for token in (USER, 'wrong'):
        document = vmad.get('/v1/capabilities', {'Authorization': f'Bearer {token}'}).json()
        tap.equal(document['caller_uid'], os.geteuid(), token)


def hosts():
    """Host must be a loopback name, with or without a port, or one of --allow-host; else 421"""
    for host in ('localhost', 'LOCALHOST', '127.0.0.1', '[::1]', 'localhost:8623', '127.0.0.1:1', '[::1]:8623', 'box.example',
                 'Box.Example:80', 'other'):
        tap.equal(tcp('/v1/health', host=host).status, 200, host)
    for host in ('example.com', 'localhost.evil.example', 'xlocalhost', 'box.example.org', '127.0.0.1.evil.example', '::1', '',
                 '0.0.0.0', '127.0.0.2', 'localhost@evil', 'box'):
        reply = tcp('/v1/health', host=host)
        tap.equal(kind(reply), (421, 'foreign-host'), host)
        tap.truth('--allow-host' in reply.json()['mend'], 'mend')


def any_host_over_unix():
    """over the Unix socket any Host will do: no web site can reach it"""
    tap.equal(vmad.get('/v1/health', {'Host': 'anything'}).status, 200, 'status')


def origins():
    """a foreign Origin is refused, token or not; vmad's own is taken; there is no CORS"""
    host = f'127.0.0.1:{addresses[0][1]}'
    for origin in ('http://evil.example', 'null', f'http://{host}.evil.example', 'http://127.0.0.1', '', host,
                   f'http://evil@{host}', f'http://{host}/'):
        for field in ([], [bearer(ROOT)]):
            reply = tcp('/v1/health', f'Origin: {origin}', *field, host=host)
            tap.equal(kind(reply), (403, 'foreign-origin'), origin)
    reply = tcp('/v1/health', f'Origin: http://{host}', host=host)
    tap.equal(reply.status, 200, 'its own')
    tap.equal([name for name in reply.headers if name.startswith('access-control')], [], 'CORS')


BROWSER_FIELDS = {
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
}


def what_browsers_are_told():
    """every reply, errors too, tells browsers: no frame, no script, no other site, no guess at the type, no CORS"""
    here = f'/v1/processes/{SELF}'
    sent = [
        (200, ['/v1/health']), (200, [here, bearer(ROOT)]), (200, [f'{here}/vmas', bearer(ROOT)]), (200, ['/v1/openapi.json', bearer(ROOT)]),
        (200, [f'{here}/vmas?max_age_ms=1000&detail=usage', bearer(ROOT)]), (200, [f'{here}/vmas?max_age_ms=1000&detail=usage', bearer(ROOT)]),
        (200, [f'{here}/vmas', bearer(ROOT), 'Accept: application/x-ndjson']), (200, ['/v1/vmas', bearer(ROOT), 'Accept-Encoding: gzip']),
        (200, ['/']), (404, ['/nowhere', bearer(ROOT)]), (401, ['/v1/processes']), (401, ['/v1/health', bearer('wrong')]),
        (400, [f'{here}?colour=red', bearer(ROOT)]), (400, ['/v1/%zz']), (404, ['/v1/processes/4194304', bearer(ROOT)]), (405, ['/v1/tokens', bearer(ROOT)]),
        (403, ['/v1/health', 'Origin: http://evil.example']), (413, ['/v1/health', 'Content-Length: 5']), (414, ['/' + 'x' * 8001]),
    ]
    vmad.get(f'{here}/vmas?max_age_ms=1000&detail=usage')   # kept, for this caller, without those fields
    for status, (target, *fields) in sent:
        reply = tcp(target, *fields)
        tap.equal(reply.status, status, f'{target[:60]} {fields}')
        told = {name: reply.headers.get(name) for name in BROWSER_FIELDS}
        tap.equal(told, BROWSER_FIELDS, f'{target[:60]} {fields}')
        policy = reply.headers['content-security-policy']
        tap.truth(policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy, f'{target[:60]}: {policy}')
        tap.equal([name for name in reply.headers if name.startswith('access-control')], [], target[:60])
    reply = tcp('/v1/health', host='evil.example')
    tap.equal((reply.status, {name: reply.headers.get(name) for name in BROWSER_FIELDS}), (421, BROWSER_FIELDS), 'a foreign host')


def all_of_an_address():
    """As many connections as an address has, each answered; None while those of the cases before are still counted."""
    wires = [Wire(addresses[0]) for _ in range(PER_ADDRESS)]
    if all(wire.get('/v1/health').status == 200 for wire in wires):
        return wires
    for wire in wires:
        wire.close()
    return None


def connections_of_an_address():
    """an address has 16 connections, IPv4 and IPv6 apart; the next is told 429"""
    wires = wait_until(all_of_an_address, 'the first 16')
    reply = tcp('/v1/health')
    tap.equal((kind(reply), reply.headers['retry-after']), ((429, 'too-many'), '1'), 'the next')
    tap.truth('address' in reply.json()['detail'], reply.json()['detail'])
    tap.equal(tcp('/v1/health', where=addresses[1]).status, 200, 'another address')
    tap.equal(vmad.get('/v1/health').status, 200, 'the Unix socket')
    for wire in wires:
        wire.close()
    wait_until(lambda: tcp('/v1/health').status == 200, 'a place that came free')


BAD_LINES = {
    'md5:abc uid=1 gid=1': 'sha256:',
    'sha256:abc uid=1 gid=1': '64 hex digits',
    line('x', '').strip(): 'uid= and gid=',
    line('x', 'uid=1').strip(): 'uid= and gid=',
    line('x', 'uid=0 gid=0').strip(): 'root=yes',
    line('x', 'uid=1 gid=1 root=yes').strip(): 'root=yes',
    line('x', 'uid=1 gid=1 root=no').strip(): 'root= can only be yes',
    line('x', 'uid=-1 gid=1').strip(): 'uid= wants a number',
    line('x', 'uid=4294967295 gid=1').strip(): 'uid= wants a number',
    line('x', 'uid=root gid=1').strip(): 'uid= wants a number',
    line('x', 'uid=1 gid=').strip(): 'gid= wants a number',
    line('x', 'uid=1 gid=1 groups=').strip(): 'groups=',
    line('x', 'uid=1 gid=1 groups=1,,2').strip(): 'groups=',
    line('x', 'uid=1 gid=1 groups=1,x').strip(): 'groups=',
    line('x', 'uid=1 gid=1 groups=' + ','.join(map(str, range(1025)))).strip(): 'groups=',
    line('x', 'uid=1 gid=1 uid=2').strip(): 'twice',
    line('x', 'uid=1 gid=1 colour=red').strip(): 'unknown word',
    line('x', 'uid=1 gid=1 name').strip(): 'key=value',
    line(USER, 'uid=2 gid=2').strip(): 'same token',
}


def bad_token_files():
    """a line that is wrong: vmad refuses to start, with file, line and what is wrong, and without the line itself"""
    for bad, word in BAD_LINES.items():
        with tempfile.NamedTemporaryFile('w', suffix='.tokens') as file:
            file.write(line(USER, 'uid=1 gid=1') + '# a comment\n' + bad + '\n' + line('y', 'uid=1 gid=1'))
            file.flush()
            process = subprocess.run(
                [BINARY, '--listen', 'unix:/nowhere/vmad.sock', '--token-file', file.name], capture_output=True, timeout=20, check=False
            )
        said = process.stderr.decode()
        tap.equal((process.returncode, process.stdout), (1, b''), bad)
        tap.truth(re.fullmatch(rf'vmad: {re.escape(file.name)}:3: .*\n', said) and word in said, f'{bad}: {said!r}')
        tap.truth(not re.search('[0-9a-f]{64}', said), f'the hash is told: {said!r}')


def unreadable_token_files():
    """a token file that cannot be read: one line, exit 1"""
    for path, word in (('/nowhere/tokens', 'No such file'), ('/', 'not a regular file'), ('/dev/null', 'not a regular file')):
        process = subprocess.run(
            [BINARY, '--listen', 'unix:/nowhere/vmad.sock', '--token-file', path], capture_output=True, timeout=20, check=False
        )
        said = process.stderr.decode()
        tap.equal((process.returncode, said.count('\n')), (1, 1), said)
        tap.truth(said.startswith(f'vmad: {path}: ') and word in said, said)


def no_tokens_at_all():
    """without --token-file no token is known"""
    with Vmad(listen=['tcp:127.0.0.1:0']) as bare:
        where = next(address(name) for name in bare.log if 'tcp:' in name)
        tap.equal(kind(tcp('/v1/processes', bearer(ROOT), where=where)), (401, 'token-unknown'), 'any token')
        tap.equal(kind(tcp('/v1/processes', where=where)), (401, 'token-required'), 'none')
        tap.equal(tcp('/v1/health', where=where).status, 200, 'health')


def an_ordinary_users_tokens():
    """an ordinary user's vmad acts for no other uid, whatever its token file says"""
    needs_root()
    with tempfile.NamedTemporaryFile('w') as file, Victim() as other:
        file.write(line(ROOT, 'uid=0 gid=0 root=yes') + line('p', 'uid=1 gid=1'))
        file.flush()
        os.chmod(file.name, 0o644)
        with Vmad(listen=['tcp:127.0.0.1:0'], arguments=['--token-file', file.name], uid=NOBODY) as own:
            where = next(address(name) for name in own.log if 'tcp:' in name)
            for token in (ROOT, 'p'):
                for target in ('/v1/processes', f'/v1/processes/{other.pid}', f'/v1/processes/{other.pid}/vmas'):
                    tap.equal(kind(tcp(target, bearer(token), where=where)), (403, 'not-allowed'), target)


def nothing_is_logged():
    """no token stands in the log"""
    tap.equal([said for said in vmad.log if not re.match(r'vmad: (listening on (unix|tcp):|ready$)', said)], [], 'log')


with tempfile.NamedTemporaryFile('w') as tokens:
    tokens.write(lines())
    tokens.flush()
    with Vmad(
        listen=['tcp:127.0.0.1:0', 'tcp:[::1]:0'],
        arguments=['--token-file', tokens.name, '--allow-host', 'box.example', '--allow-host', 'other'],
    ) as vmad:
        addresses = [address(name) for name in vmad.log if 'tcp:' in name]
        vmad.get('/v1/processes')
        tap.run([
            without_a_token,
            with_a_token,
            the_token_is_the_identity,
            ids_of_a_token,
            one_connection_many_callers,
            unknown_tokens,
            the_scheme_in_any_case,
            tokens_mean_nothing_to_the_unix_socket,
            hosts,
            any_host_over_unix,
            origins,
            what_browsers_are_told,
            connections_of_an_address,
            bad_token_files,
            unreadable_token_files,
            no_tokens_at_all,
            an_ordinary_users_tokens,
            nothing_is_logged,
        ])
