# SPDX-License-Identifier: GPL-2.0-or-later
"""10,000 mutated requests: each is answered by HTTP or by the end of the connection, no answer is an error of vmad's own, and nothing is left over.

The seed is printed; VMAD_SEED=N repeats a run.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from crowd import at_once, checked  # noqa: E402
from vmad import Vmad, is_sanitized  # noqa: E402
from wire import Closed, Wire, descriptors, tasks, wait_until  # noqa: E402

REQUESTS = 10000
THREADS = 4
SEED = int(os.environ.get('VMAD_SEED') or random.SystemRandom().randrange(1 << 32))
# What vmad may say of a request that nobody meant: never 500, and 503 only where there are too many at a time.
FINE = {200, 304, 400, 401, 403, 404, 405, 406, 409, 411, 413, 414, 421, 429, 431, 501, 503, 505}

HEAD = 'Host: localhost'
CORPUS = [request.encode('latin1') for request in (
    f'GET /v1/health HTTP/1.1\r\n{HEAD}\r\n\r\n',
    f'GET /v1/processes/1/vmas?kind=heap,stack&limit=3&perms=rw%3f%2a HTTP/1.1\r\n{HEAD}\r\nAccept: application/x-ndjson\r\n\r\n',
    f'GET /v1/processes/self/vmas/0x7fffffff0000?max_age_ms=100 HTTP/1.1\r\n{HEAD}\r\nAccept-Encoding: gzip;q=0.5, *\r\n\r\n',
    f'HEAD /v1/processes?comm=a%2Ab&uid=0 HTTP/1.1\r\n{HEAD}\r\nConnection: keep-alive\r\n\r\n',
    f'GET /v1/openapi.json HTTP/1.1\r\n{HEAD}\r\nIf-None-Match: "x", W/"y"\r\n\r\n',
    f'GET /v1/files/pages?path=%2Fbin%2Fsh&offset=0&length=4096 HTTP/1.1\r\n{HEAD}\r\nAuthorization: Bearer a.b-c_d\r\n\r\n',
    'GET http://localhost:1/v1 HTTP/1.0\r\nHost: localhost:1\r\nOrigin: http://localhost:1\r\n\r\n',
    # smuggling: bodies and lengths that two servers read in two ways
    f'POST /v1/health HTTP/1.1\r\n{HEAD}\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/vmas HTTP/1.1\r\nHost: x\r\n\r\n',
    f'GET /v1/health HTTP/1.1\r\n{HEAD}\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n',
    f'GET /v1/health HTTP/1.1\r\n{HEAD}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456',
    f'GET /v1/health HTTP/1.1\r\n{HEAD}\r\nContent-Length: +5\r\n\r\n12345',
    f'GET /v1/health HTTP/1.1\r\n{HEAD}\r\n Content-Length: 5\r\nX: y\r\n\tfolded\r\n\r\n12345',
    f'GET /v1/health HTTP/1.1\r\n{HEAD}\r\nTransfer-Encoding : chunked\r\n\r\nffffffffffffffff\r\n',
    'GET /v1/health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n',
    f'GET /v1/health HTTP/1.1\n{HEAD}\n\n',
    f'GET /v1/%2e%2e/%00/%zz?%=&&==&a=%c3%28 HTTP/1.1\r\n{HEAD}\r\n\r\n',
)]
WORDS = [b'\r\n', b'\r', b'\n', b'\0', b' ', b'\t', b':', b'/', b'?', b'&', b'=', b'%', b'%00', b'%2e', b'%ff', b'..', b'0x', b'-1', b'18446744073709551616', b'HTTP/1.1',
         b'HTTP/9.9', b'Host: ', b'Content-Length: 1', b'Transfer-Encoding: chunked', b'GET ', b'A' * 300, b'A' * 9000, b'\xff\xfe', b'\r\n\r\n', b',', b'"', b'processes', b'self']


def mutated(rng):
    """A request of the corpus, with some bytes changed, cut out, doubled, or another's put in."""
    data = bytearray(rng.choice(CORPUS))
    for _ in range(rng.randint(1, 6)):
        at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        end = min(end, at + 40)
        what = rng.randrange(6)
        if what == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif what == 1:
            del data[at:end]
        elif what == 2:
            data[at:at] = rng.choice(WORDS)
        elif what == 3:
            data[at:at] = data[at:end]
        elif what == 4:
            data[at:end] = rng.choice(WORDS)
        else:
            other = rng.choice(CORPUS)
            data[at:] = other[rng.randrange(len(other)):]
    return bytes(data)


def answers(data):
    """The status of each answer; it ends with the connection, for which nothing more is sent."""
    found = []
    with Wire(vmad.socket) as wire:
        wire.send(data)
        # What is not a whole request waits for the rest of it: it gets one, and the end of the connection.
        wire.send(b'\r\n\r\nGET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        wire.socket.shutdown(1)
        try:
            while True:
                reply = wire.reply(head=data.lstrip().startswith(b'HEAD'))
                found.append(reply.status)
        except Closed:
            pass
        except (AttributeError, ValueError) as error:  # the second of two replies, one of them to HEAD: where it begins is not known here
            tap.truth(b'HEAD' in data, f'{error}: {wire.have!r:.200} after {data!r:.400}')
    return found


def some(seed, count):
    rng = random.Random(seed)
    for i in range(count):
        data = mutated(rng)
        found = answers(data)
        tap.truth(set(found) <= FINE, f'seed {seed}, request {i}: {found} to {data!r:.400}')
        seen.update(found)


def many():
    """10,000 mutated requests, from four clients at once"""
    print(f'# VMAD_SEED={SEED}', flush=True)
    count = REQUESTS // (5 if is_sanitized() else 1)
    checked(at_once([lambda n=n: some(SEED + n, count // THREADS) for n in range(THREADS)]))
    tap.truth({200, 400, 404, 405} <= seen, f'mutations reach far: {seen}')


def is_as_before():
    """then vmad answers as before, and no thread, descriptor or word in the log is left of them"""
    tap.equal(vmad.get('/v1/health').status, 200, 'health')
    wait_until(lambda: (tasks(vmad.pid), descriptors(vmad.pid)) <= (before[0] + 2, before[1] + 2), 'at rest again')
    tap.truth(len(vmad.log) < 10, f'{vmad.log[-3:]}')


seen = set()
with Vmad() as vmad:
    vmad.get('/v1/processes?limit=1')
    vmad.get('/v1/vmas?limit=1')
    time.sleep(0.2)
    before = tasks(vmad.pid), descriptors(vmad.pid)
    tap.run([many, is_as_before])
