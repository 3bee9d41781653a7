# SPDX-License-Identifier: GPL-2.0-or-later
"""Every route of a running vmad: status, fields of the head, and the members that its OpenAPI document promises."""
import os
import re
import sys
import tempfile
from urllib.parse import quote

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import Vmad, request  # noqa: E402
from wire import Wire  # noqa: E402

SELF = os.getpid()
NDJSON = {'Accept': 'application/x-ndjson'}

OWN = tempfile.NamedTemporaryFile(prefix='vmad-test-')  # what is cached of a file is its owner's to ask
OWN.write(b'x' * 8192)
OWN.flush()
FILE = '?path=' + quote(OWN.name)

# The plain question of a path that wants a parameter.
PLAIN = {'/v1/files/mappings': FILE, '/v1/files/pages': FILE}
# What to ask of a path of the document beside the plain question.
MORE = {
    '/v1/processes': ['?detail=vmas', '?limit=1', '?detail=usage&deadline_ms=30000'],
    '/v1/processes/{pid}': ['?detail=usage'],
    '/v1/processes/{pid}/vmas': ['?detail=usage', '?limit=2', '?perms=r-x.'],
    '/v1/files/mappings': [f'{FILE}&offset=4K&length=1&limit=2', '?device=fe:00&inode=1'],
    '/v1/files/pages': [f'{FILE}&offset=4096&length=1'],
    '/v1/processes/{pid}/gaps': ['?length=1G', '?length=64K&align=2M&limit=2', '?length=1000T'],
    '/v1/processes/{pid}/pages': ['?detail=flags&limit=200', '?detail=frames&limit=20', '?start=0&end=1000'],
    '/v1/processes/{pid}/pages/summary': ['?detail=flags', '?start=0&end=1000'],
    '/v1/vmas': ['?limit=30', '?comm=python*'],
}
PARAMETERS = {'{pid}': str(SELF), '{addr}': '0x1000', '{pfn}': '0x1'}
ROOTS = ('}/mappings', '/v1/frames')  # paths that only root may ask
MODULES = {'/v1/processes/{pid}/vmas/{addr}/ops'}  # takes the helper module: tests/api/helper.py has a stand-in for it
TEXT = 'text/plain; version=0.0.4; charset=utf-8'  # the metrics'; everything else is JSON
OPEN = {'/v1/openapi.json'}  # its schema says only that it is an object
MADE_OF = {'array': list, 'object': dict, 'string': str, 'boolean': bool, 'integer': int, 'number': (int, float)}


def fill(path):
    for name, value in PARAMETERS.items():
        path = path.replace(name, value)
    tap.truth('{' not in path, f'{path}: no value for its parameter')
    return path


def every_question():
    """Each path that this caller may ask, with a question."""
    for path in sorted(path for path in set(document['paths']) - MODULES if 'get' in document['paths'][path]):
        if os.geteuid() == 0 or not any(part in path for part in ROOTS):
            for rest in [PLAIN.get(path, ''), *MORE.get(path, [])]:
                yield path, fill(path) + rest


def check(value, schema, where):
    """The little of JSON Schema that the document uses."""
    if '$ref' in schema:
        schema = document['components']['schemas'][schema['$ref'].rsplit('/', 1)[1]]
    if 'const' in schema:
        tap.equal(value, schema['const'], where)
    if 'enum' in schema:
        tap.truth(value in schema['enum'], f'{where}: {value!r}')
    if 'type' in schema:
        tap.truth(isinstance(value, MADE_OF[schema['type']]), f'{where}: {value!r} is no {schema["type"]}')
    if 'pattern' in schema:
        tap.truth(re.search(schema['pattern'], value), f'{where}: {value!r}')
    if isinstance(value, list):
        for i, item in enumerate(value):
            check(item, schema['items'], f'{where}[{i}]')
    if isinstance(value, dict):
        check_members(value, schema, where)


def check_members(value, schema, where):
    properties = schema.get('properties', {})
    tap.equal([name for name in schema.get('required', []) if name not in value], [], f'{where}: missing')
    for name, member in value.items():
        if name in properties:
            check(member, properties[name], f'{where}.{name}')
        else:
            tap.truth(re.fullmatch(r'[a-z_]+', name) and 'usage' in where, f'{where}.{name} is not in the document')


def documented_paths():
    """the index names the paths of the document, and the questions below are about some of them"""
    tap.equal(sorted(route['path'] for route in vmad.get('/v1').json()['routes']), sorted(document['paths']), 'paths')
    tap.equal([path for path in MORE if path not in document['paths']], [], 'questions')


def members_are_those_of_the_document():
    """every route answers 200 with the members of its schema"""
    for path, target in every_question():
        reply = vmad.get(target)
        kind = TEXT if path == '/metrics' else 'application/json'
        tap.equal((reply.status, reply.headers['Content-Type']), (200, kind), target)
        if path in OPEN or kind == TEXT:
            continue
        content = document['paths'][path]['get']['responses']['200']['content']['application/json']
        check(reply.json(), content['schema'], target)


def ndjson():
    """every list as NDJSON: begin, records, end; the same rows as the JSON document"""
    for path, target in every_question():
        content = document['paths'][path]['get']['responses']['200']['content']
        reply = vmad.get(target, NDJSON)
        if 'application/x-ndjson' not in content:
            tap.equal(reply.headers['Content-Type'] in ('application/json', TEXT), True, f'{target} is no list')
            continue
        tap.equal(reply.headers['Content-Type'], 'application/x-ndjson', target)
        first, *rows, last = reply.lines()
        tap.equal((first['begin'], last['end']), (True, True), target)
        tap.equal(len({row['record'] for row in rows}), 1 if rows else 0, f'{target}: one kind of record')
        tap.equal(last['count'], len(rows), f'{target}: count')
        tap.truth(isinstance(last['complete'], bool), f'{target}: the last line is the verdict')


def head():
    """HEAD of every route: the status and fields of GET, and not one byte behind them"""
    for _, target in every_question():
        full = vmad.get(target)
        with Wire(vmad.socket) as wire:
            wire.send(f'HEAD {target} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
            bare = wire.reply(head=True)
            names = ('content-type', 'cache-control', 'etag')
            tap.equal(
                (bare.status, *(bare.headers.get(name) for name in names)),
                (200, *(full.headers.get(name) for name in names)),
                target,
            )
            if 'content-length' in bare.headers:
                tap.equal(len(bare.headers['content-length']), len(full.headers['Content-Length']), target)
            if bare.headers.get('connection') == 'close':
                tap.equal(wire.rest(), b'', f'{target}: a body')
            else:
                tap.truth(wire.is_open(), f'{target}: the next request on the connection')


def head_of_what_is_not_there():
    """HEAD of a process that is not there is 404 as with GET"""
    for rest in ('', '?detail=usage', '/vmas', '/vmas?detail=usage', '/vmas/0x1000', '/pages', '/pages?detail=flags', '/pages/summary', '/pages/0x1000/mappings'):
        if rest.endswith('mappings') and os.geteuid() != 0:
            continue
        target = f'/v1/processes/4194304{rest}'
        tap.equal([vmad.get(target, method=method).status for method in ('GET', 'HEAD')], [404, 404], target)


def other_methods():
    """other methods than those of a path: 405, with Allow"""
    for path, methods in document['paths'].items():
        allowed = 'GET, HEAD' if 'get' in methods else 'POST'
        for method in {'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'BREW'} - set(allowed.split(', ')):
            reply = vmad.get(fill(path), method=method)
            tap.equal((reply.status, reply.headers['Allow']), (405, allowed), f'{method} {path}')
            problem(reply, 'method-not-allowed', path)


def problem(reply, kind, what):
    """The reply is a problem of this kind, with the members that all of them have."""
    found = reply.json()
    tap.equal(reply.headers['Content-Type'], 'application/problem+json', what)
    tap.equal((found['type'], found['status']), (f'urn:vmad:problem:{kind}', reply.status), what)
    tap.truth(found['title'] and found.get('detail'), f'{what}: {found}')
    check(found, {'$ref': '/problem'}, what)


def unknown_paths():
    """unknown paths and versions are 404"""
    for path in ('/web', '/index.html', '/web/main', '/v2', '/v2/processes', '/v1/nothing', '/v1/health/x', '/v1//health', '/v1/processes/1/page',
                 '/metricsx', '/V1/health', '/v1/Health', '//', '/v1/processes/1/vmas/0x1000/x', '/%2e%2e/v1'):
        reply = vmad.get(path)
        tap.equal(reply.status, 404, path)
        problem(reply, 'no-such-path', path)


def a_slash_at_the_end():
    """a slash at the end makes no difference"""
    for path in ('/v1/', '/v1/health/', f'/v1/processes/{SELF}/', f'/v1/processes/{SELF}/vmas/'):
        tap.equal(vmad.get(path).status, 200, path)


def escaped_paths():
    """percent escapes stand for their characters; a plus is a plus"""
    tap.equal(vmad.get('/v1/%68ealth').status, 200, '/v1/%68ealth')
    tap.equal(vmad.get(f'/v1/processes/{SELF}/vmas?perm%73=r-x%2E').status, 200, 'names and values')
    tap.equal(vmad.get(f'/v1/processes/{SELF}/vmas?kind=private-anon%2Cheap').status, 200, 'a comma')
    tap.equal(vmad.get('/v1/processes?limit=+1').status, 400, 'no blank is made of a plus')


def etag():
    """openapi.json has an ETag: what the client has is not sent again"""
    target = '/v1/openapi.json'
    tag = vmad.get(target).headers['ETag']
    tap.truth(re.fullmatch(r'"[^"]+"', tag), f'a strong tag: {tag}')
    for value in (tag, f'"x", {tag}', f'W/{tag}', '*'):
        reply = vmad.get(target, {'If-None-Match': value})
        tap.equal((reply.status, reply.body, reply.headers['ETag']), (304, b'', tag), value)
    tap.equal(vmad.get(target, {'If-None-Match': '"other"'}).status, 200, 'another tag')
    for path in ('/v1/health', f'/v1/processes/{SELF}'):
        tap.equal(vmad.get(path).headers['ETag'], None, f'{path} is live')


def caching():
    """live data are not to be stored; the document may be, and is asked for again"""
    for path, target in every_question():
        wanted = 'no-cache' if path in OPEN else 'no-store'
        tap.equal(vmad.get(target).headers['Cache-Control'], wanted, target)
    tap.equal(vmad.get('/v1/nothing').headers['Cache-Control'], 'no-store', 'a problem')


def compressed():
    """gzip where it is asked for, and only then; the same document"""
    target = f'/v1/processes/{SELF}/vmas?path=*libc*'
    plain = vmad.get(target).json()
    for value in ('gzip', 'br, gzip;q=0.5', 'GZIP', 'deflate , gzip'):
        reply = vmad.get(target, {'Accept-Encoding': value})
        tap.equal((reply.headers['Content-Encoding'], reply.json()), ('gzip', plain), value)
    for value in ('gzip;q=0', 'gzip; q=0.0', 'identity', 'xgzip', 'gzipped', ''):
        reply = vmad.get(target, {'Accept-Encoding': value})
        tap.equal((reply.headers['Content-Encoding'], reply.json()), (None, plain), value)


def a_long_compressed_list():
    """gzip of a list that streams"""
    reply = vmad.get('/v1/vmas', {'Accept-Encoding': 'gzip', **NDJSON})
    *_, last = reply.lines()
    tap.equal((reply.headers['Content-Encoding'], last['end']), ('gzip', True), 'the whole host')


def server_timing():
    """Server-Timing on every live reply: what it took, as a metric of its own syntax"""
    for path, target in every_question():
        value = vmad.get(target).headers['Server-Timing']
        if path in OPEN:
            tap.equal(value, None, 'static text costs nothing')
            continue
        found = re.fullmatch(r'total;dur=(\d+\.\d{3});desc="until the (reply was whole|first byte)"', value)
        tap.truth(found and 0 <= float(found.group(1)) < 60000, f'{target}: {value}')


def timing_is_no_less_than_the_work():
    """Server-Timing of a reply that was waited for is no longer than the wait"""
    import time

    began = time.monotonic()
    reply = vmad.get(f'/v1/processes/{SELF}?detail=usage&max_age_ms=0')
    took_ms = (time.monotonic() - began) * 1000
    claimed = float(re.search(r'dur=([\d.]+)', reply.headers['Server-Timing']).group(1))
    tap.truth(0 < claimed <= took_ms, f'claimed {claimed} ms, took {took_ms} ms')


def limit_and_next():
    """limit= cuts a list, says so, and next goes on with the same question"""
    target = f'/v1/processes/{SELF}/vmas?limit=3&perms=r..p&path=*python*'
    part = vmad.get(target).json()
    tap.equal((part['count'], part['complete'], part['reason']), (3, False, 'limit'), 'the first part')
    tap.truth(part['next'].startswith(f'/v1/processes/{SELF}/vmas?cursor='), part['next'])
    following = vmad.get(part['next']).json()
    tap.truth(int(following['vmas'][0]['start'], 16) >= int(part['vmas'][-1]['end'], 16), 'they ascend')
    tap.truth(all('python' in vma['path'] for vma in following['vmas']), 'the same filter')


def next_of_an_absolute_target():
    """next is a path where the request named a host too"""
    with Wire(vmad.socket) as wire:
        reply = wire.get(f'http://localhost/v1/processes/{SELF}/vmas/?limit=1').json()
    tap.truth(reply['next'].startswith(f'/v1/processes/{SELF}/vmas?cursor='), reply['next'])


def keep_alive():
    """requests of all kinds one after the other on one connection"""
    connection = vmad.connect()
    connection.connect()
    first = connection.sock
    for _, target in every_question():
        tap.equal(request(connection, target).status, 200, target)
        tap.equal(request(connection, target, 'PUT').status, 405, target)
        tap.equal(request(connection, '/v1/processes/abc').status, 400, 'pid')
    tap.truth(connection.sock is first, 'still the first connection')
    connection.close()


def no_sniffing():
    """X-Content-Type-Options everywhere: what a process named itself is never taken for a page"""
    for target in ('/v1', '/v1/openapi.json', '/v1/nothing', f'/v1/processes/{SELF}/vmas'):
        tap.equal(vmad.get(target).headers['X-Content-Type-Options'], 'nosniff', target)


with Vmad() as vmad:
    document = vmad.get('/v1/openapi.json').json()
    tap.run([
        documented_paths,
        members_are_those_of_the_document,
        ndjson,
        head,
        head_of_what_is_not_there,
        other_methods,
        unknown_paths,
        a_slash_at_the_end,
        escaped_paths,
        etag,
        caching,
        compressed,
        a_long_compressed_list,
        server_timing,
        timing_is_no_less_than_the_work,
        limit_and_next,
        next_of_an_absolute_target,
        keep_alive,
        no_sniffing,
    ])
