# SPDX-License-Identifier: GPL-2.0-or-later
"""What no client should send: each gets a problem that names what was wrong, and a connection that cannot be trusted ends.

Some of it libmicrohttpd (0.9.75) answers before vmad sees it, with a status and a page of HTML that nothing can change: a head that is larger than a
connection's memory, a line without a colon or a version, a Content-Length that is no number. Of those only the status and the end of the
connection are held here.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import Vmad  # noqa: E402
from wire import Closed, Wire  # noqa: E402

SELF = os.getpid()
VMAS = f'/v1/processes/{SELF}/vmas'
HOST = b'Host: localhost\r\n'


def raw(data):
    """The one reply to these bytes (None: the connection ended without one), and whether the connection goes on."""
    with Wire(vmad.socket) as wire:
        wire.send(data)
        try:
            reply = wire.reply()
        except Closed:
            return None, False
        return reply, wire.is_open()


def refused(data, status, kind, *words, stays_open=False):
    """These bytes get that problem, which says these words."""
    reply, is_open = raw(data)
    tap.truth(reply, f'{data[:80]!r}: no reply')
    tap.equal((reply.status, reply.headers['content-type']), (status, 'application/problem+json'), f'{data[:80]!r}')
    found = reply.json()
    tap.equal((found['type'], found['status']), (f'urn:vmad:problem:{kind}', status), f'{data[:80]!r}')
    for word in words:
        tap.truth(word in found['detail'], f'{data[:80]!r}: {word!r} is not in {found["detail"]!r}')
    tap.equal(is_open, stays_open, f'{data[:80]!r}: the connection goes on')


def get(target, *fields, method=b'GET'):
    lines = [method + b' ' + target + b' HTTP/1.1', HOST[:-2], *fields, b'', b'']
    return b'\r\n'.join(lines)


def parameter(target, name, value):
    """This request is refused because of that parameter, and says so with what it said."""
    reply = vmad.get(target)
    found = reply.json()
    tap.equal(
        (reply.status, found['type'], found.get('parameter')), (400, 'urn:vmad:problem:bad-parameter', name), target
    )
    tap.truth(value in found['detail'], f'{target}: {value!r} is not in {found["detail"]!r}')


def pids():
    """pids that are none: 400 that names pid and what it was; one that nobody has: 404"""
    for pid in ('0', '-1', '99999999999', '4194305', 'abc', '1x', '0x1', '+1', '1.0', '18446744073709551617', '%20',
                '%0a1', '1,2', '\u0661'.encode().decode('latin1')):
        for rest in ('', '/vmas', '/vmas/0x1000', '/vmas?detail=usage'):
            target = f'/v1/processes/{pid}{rest}'
            if pid.isascii():
                parameter(target, 'pid', pid if '%' not in pid else '')
    for rest in ('', '/vmas', '/vmas/0x1000', '?detail=usage'):
        reply = vmad.get(f'/v1/processes/4194304{rest}')
        tap.equal((reply.status, reply.json()['type']), (404, 'urn:vmad:problem:no-such-process'), rest)
        tap.truth('4194304' in reply.json()['detail'], 'it is named')
        tap.equal(reply.json().get('errno'), None, 'hidden and gone are told apart by nothing')


def leading_zeros_are_decimal():
    """a pid with zeros before it is decimal"""
    tap.equal(vmad.get(f'/v1/processes/000{SELF}').json()['pid'], SELF, 'pid')


def addresses():
    """addresses that are none: 400 that names addr; odd and non-canonical ones are answered"""
    for text in ('0x', 'xyz', '0x12g', '0x10000000000000000', '1ffffffffffffffff', '-1', '0x-1', '+1', '0x1%20', '0x0x1',
                 '1_000'):
        parameter(f'{VMAS}/{text}', 'addr', text if '%' not in text else '')
        parameter(f'{VMAS}?start={text.replace("+", "%2B")}', 'start', text if '%' not in text else '')
    for text in ('1000', '0X1000', '0x1001', 'fFf', '0', '0x0', '7fffffffffff', '800000000000', '0xdead000000000000',
                 'ffffffffffffffff', '00000000000000001000', 'ffffffffff600000'):
        reply = vmad.get(f'{VMAS}/{text}')
        wanted = f'0x{int(text, 16):x}'
        tap.equal((reply.status, reply.json().get('address')), (200, wanted), text)


def ranges():
    """start must lie below end"""
    for start, end in (('0x2000', '0x1000'), ('0x1000', '0x1000'), ('ffffffffffffffff', '0')):
        parameter(f'{VMAS}?start={start}&end={end}', 'start', 'below end')
        parameter(f'/v1/vmas?end={end}&start={start}', 'start', 'below end')


VALUES = {
    'kind': ['heap,', ',', 'heaps', 'HEAP', 'heap;stack', ''],
    'perms': ['rwx', 'rwxpp', 'xxxx', 'rw-?', 'RWXP', ''],
    'path': [''],
    'deleted': ['1', 'yes', 'TRUE', ''],
    'min_size_bytes': ['-1', '1k', '1KB', 'K', '1.5M', '18446744073709551616', '99999999999999T', ''],
    'limit': ['0', '-1', '1e3', '18446744073709551616', ''],
    'cursor': ['x', ':', '1:', '1:x', '-1', '99999999', '1:10000000000000000', ''],
    'start_time_ticks': ['-1', 'x', ''],
    'max_age_ms': ['-1', 'x', ''],
    'deadline_ms': ['0', '-5', 'x', '300001', '18446744073709551615', ''],
    'detail': ['vmas', 'Usage', 'maps,usage', ''],
    'end': ['', 'x'],
}


def values():
    """every parameter of a list with values that are none of it"""
    for name, texts in VALUES.items():
        for text in texts:
            parameter(f'{VMAS}?{name}={text}', name, name)
    for name, text in (('uid', '4294967295'), ('uid', 'root'), ('comm', ''), ('unit', '')):
        parameter(f'/v1/processes?{name}={text}', name, name)
    parameter('/v1/processes?detail=maps', 'detail', 'vmas,usage')
    parameter(f'/v1/processes/{SELF}?detail=vmas', 'detail', 'usage')


def a_parameter_without_a_value():
    """a parameter without = is one with an empty value"""
    parameter(f'{VMAS}?deleted', 'deleted', 'true or false')


def unknown_parameters():
    """unknown parameters are refused by name, where they are not of this path too"""
    for target, name in (
        ('/v1/health?x=1', 'x'), (f'{VMAS}?Kind=heap', 'Kind'), (f'{VMAS}?comm=x', 'comm'), (f'{VMAS}?pid=1', 'pid'),
        ('/v1/vmas?detail=usage', 'detail'), (f'{VMAS}?=1', '""'), ('/v1/processes?limit=1&offset=2', 'offset'),
    ):
        reply = vmad.get(target)
        tap.equal((reply.status, reply.json()['type']), (400, 'urn:vmad:problem:bad-parameter'), target)
        tap.truth(name in reply.json()['detail'], f'{target}: {reply.json()["detail"]}')
        tap.equal(reply.json().get('parameter', '""'), name, target)


def repeated_parameters():
    """a parameter that is given twice is refused, the same value or not"""
    for query in ('limit=1&limit=1', 'kind=heap&kind=stack', 'limit=1&perms=r...&limi%74=2'):
        reply = vmad.get(f'{VMAS}?{query}')
        found = reply.json()
        tap.equal((reply.status, found['parameter']), (400, query.split('=')[0]), query)
        tap.truth('more than once' in found['detail'], found['detail'])


def echoed_text_is_harmless():
    """what a problem repeats of the request cannot break its JSON"""
    for text in ('%22%7d', '%0a%0d%00'.replace('%00', '%01'), '%ff%fe', '%e2%80%ae', '%3Cscript%3E', 'a' * 500):
        found = vmad.get(f'{VMAS}?kind={text}').json()
        tap.equal(found['parameter'], 'kind', text)
        tap.truth(len(found['detail']) < 300, 'a short detail')


def many_parameters():
    """a query of very many parameters"""
    refused(get(b'/v1/health?' + b'&'.join(b'a%d=1' % i for i in range(500))), 400, 'bad-request', 'too many parameters')
    reply, is_open = raw(get(b'/v1/health?' + b'&' * 7900))
    tap.equal((reply.status, is_open), (200, True), 'separators of nothing')


def long_targets():
    """a URL of 8 KiB is too long, and said to be; a little less is looked at"""
    refused(get(b'/v1/health?' + b'a' * 8192), 414, 'uri-too-long', '8000')
    refused(get(b'/' + b'a' * 7998 + b'bc'), 414, 'uri-too-long', '8000')
    refused(get(b'/' + b'a' * 7999), 404, 'no-such-path', stays_open=True)
    refused(get(b'/v1/health?x=' + b'a' * 7900), 400, 'bad-parameter', '"x"', stays_open=True)


def very_long_targets():
    """a URL of 100 KiB, of 1 MiB: 414, and the end of the connection (libmicrohttpd's own words)"""
    for size in (100 << 10, 1 << 20):
        reply, is_open = raw(get(b'/' + b'a' * size))
        tap.equal((reply and reply.status, is_open), (414, False), f'{size} bytes')


def large_heads():
    """a field of 8 KiB is taken; a head of 64 KiB, in one field or in thousands: 431 and the end (libmicrohttpd's)"""
    reply, is_open = raw(get(b'/v1/health', b'X: ' + b'a' * 8192))
    tap.equal((reply.status, is_open), (200, True), 'a field of 8 KiB')
    for fields in ([b'X: ' + b'a' * 65536], [b'X: a'] * 11000, [b'X-%d: a' % i for i in range(6000)]):
        reply, is_open = raw(get(b'/v1/health', b'Authorization: Bearer its-secret', *fields))
        tap.equal((reply and reply.status, is_open), (431, False), f'{len(fields)} fields')
        tap.truth(b'secret' not in reply.body and b'aaa' not in reply.body, f'what was sent comes back: {reply.body}')


def bodies():
    """a body on GET, counted or chunked: 413, unread, and the end of the connection"""
    for fields, body in (
        ([b'Content-Length: 5'], b'abcde'),
        ([b'Content-Length: 5'], b''),
        ([b'Content-Length: 1000000000'], b'x' * 1000),
        ([b'content-length: 00'], b''),
        ([b'Transfer-Encoding: chunked'], b'5\r\nabcde\r\n0\r\n\r\n'),
        ([b'transfer-encoding: CHUNKED'], b'0\r\n\r\n'),
        ([b'Transfer-Encoding: gzip'], b''),
        ([b'Content-Length: 5', b'Expect: 100-continue'], b''),
    ):
        refused(get(b'/v1/health', *fields) + body, 413, 'body-not-allowed')


def an_empty_body():
    """Content-Length: 0 is no body"""
    reply, is_open = raw(get(b'/v1/health', b'Content-Length: 0'))
    tap.equal((reply.status, is_open), (200, True), 'GET with an empty body')


def a_body_is_never_the_next_request():
    """what stands in a body is never answered as a request"""
    inner = get(b'/v1/processes')
    for fields in ([b'Content-Length: %d' % len(inner)], [b'Content-Length: 0', b'Content-Length: %d' % len(inner)],
                   [b'Transfer-Encoding: chunked', b'Content-Length: %d' % len(inner)], [b'Transfer-Encoding: x']):
        with Wire(vmad.socket) as wire:
            wire.send(get(b'/v1/health', *fields) + inner)
            first = wire.reply()
            tap.truth(first.status in (400, 413), f'{fields}: {first.status}')
            tap.equal(wire.rest(), b'', f'{fields}: after the first reply')


def two_lengths():
    """two lengths, or a length with an encoding: 400"""
    for fields in (
        [b'Content-Length: 5', b'Content-Length: 5'],
        [b'Content-Length: 0', b'Content-Length: 5'],
        [b'Content-Length: 5', b'Content-Length: 0'],
        [b'Content-Length: 0', b'Content-Length: 0'],
        [b'Transfer-Encoding: chunked', b'Content-Length: 5'],
        [b'Content-Length: 5', b'Transfer-Encoding: chunked'],
        [b'Transfer-Encoding: chunked', b'Transfer-Encoding: identity'],
    ):
        refused(get(b'/v1/health', *fields) + b'abcde', 400, 'bad-request', 'Content-Length', 'Transfer-Encoding')


def lengths_that_are_none():
    """a Content-Length that is no number: 400 (413 above 64 bits), and the end (libmicrohttpd's)"""
    for text, status in ((b'abc', 400), (b'-1', 400), (b'', 400), (b'9' * 30, 413), (b'5 5', 400)):
        reply, is_open = raw(get(b'/v1/health', b'Content-Length: ' + text))
        tap.equal((reply and reply.status, is_open), (status, False), repr(text))


def hosts():
    """exactly one Host, whatever the version"""
    refused(b'GET /v1/health HTTP/1.1\r\n\r\n', 400, 'bad-request', 'no Host')
    refused(b'GET /v1/health HTTP/1.0\r\n\r\n', 400, 'bad-request', 'no Host')
    refused(b'GET /v1/health HTTP/1.1\r\n' + HOST + HOST + b'\r\n', 400, 'bad-request', 'more than one Host')
    refused(b'GET /v1/health HTTP/1.1\r\nhost: a\r\nHOST: b\r\n\r\n', 400, 'bad-request', 'more than one Host')


def other_fields_twice():
    """two Authorization or Origin fields: 400"""
    refused(get(b'/v1/health', b'Authorization: Bearer a', b'authorization: Bearer b'), 400, 'bad-request', 'Authorization')
    refused(get(b'/v1/health', b'Origin: http://localhost', b'Origin: http://x'), 400, 'bad-request', 'Origin')


def versions():
    """HTTP/1.0 is answered and the connection ends; other majors get 505 (libmicrohttpd's)"""
    reply, is_open = raw(b'GET /v1/health HTTP/1.0\r\n' + HOST + b'\r\n')
    tap.equal((reply.status, reply.headers['connection'], is_open), (200, 'close', False), '1.0')
    reply, is_open = raw(b'GET ' + VMAS.encode() + b' HTTP/1.0\r\n' + HOST + b'\r\n')
    tap.equal((reply.status, reply.headers.get('transfer-encoding')), (200, None), '1.0 knows no chunks')
    tap.equal(reply.json()['complete'], True, 'and gets the whole list')
    for version in (b'HTTP/2.0', b'HTTP/0.9', b'HTTP/9.9'):
        reply, is_open = raw(b'GET /v1/health ' + version + b'\r\n' + HOST + b'\r\n')
        tap.equal((reply and reply.status, is_open), (505, False), repr(version))


def no_http_at_all():
    """what is no HTTP ends the connection, with 400 or without a word (libmicrohttpd's)"""
    for data in (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', b'GET /v1/health\r\n' + HOST + b'\r\n',
                 get(b'/v1/health', b'no colon'), get(b'/v1/health', b'Content-Length : 5'), b'\0' * 100 + b'\r\n\r\n',
                 b'GET\t/v1/health\tHTTP/1.1\r\n\r\n', b'a\r\n\r\n'):
        reply, is_open = raw(data)
        tap.truth(reply is None or reply.status == 400, f'{data[:40]!r}: {reply and reply.status}')
        tap.equal(is_open, False, repr(data[:40]))


def escapes():
    """%00 and bad percent escapes: 400 that says so"""
    for target in (b'/v1/health%00', b'/%00', b'/v1/processes?comm=%00', b'/v1/processes?comm=a%00b', b'/v1/health?%00=1'):
        refused(get(target), 400, 'bad-request', '%00')
    for target in (b'/v1/%', b'/v1/%zz', b'/v1/%4', b'/v1/health?x=%', b'/v1/health?x=%g0', b'/v1/health?%=1',
                   b'/v1/%%30%30', b'/v1/health?x=%0'):
        refused(get(target), 400, 'bad-request', 'hex digits')


def raw_bytes():
    """raw control bytes, blanks and bytes above ASCII in a target: 400; a raw NUL hides nothing"""
    for byte in (b'\x01', b'\x1f', b'\x7f', b'\x80', b'\xff', b' ', b'\x0b'):
        refused(get(b'/v1/he' + byte + b'alth'), 400, 'bad-request', 'ASCII')
        refused(get(b'/v1/health?x=' + byte + b'1'), 400, 'bad-request', 'ASCII')
    for target in (b'/v1/health\0', b'/v1/health\0x', b'/v1/health?\0x=1', b'/v1/he\0alth'):
        reply, is_open = raw(get(target))
        if target.endswith(b'\0'):
            continue  # libmicrohttpd sees the same bytes as a blank behind the target
        tap.equal((reply.status, is_open), (400, False), repr(target))
        tap.truth('NUL' in reply.json()['detail'], reply.json()['detail'])


def other_forms():
    """absolute-form is taken; *, host:port and what does not begin with / are refused"""
    for target in (b'http://localhost/v1/health', b'HTTP://x:80/v1/health'):
        reply, is_open = raw(get(target))
        tap.equal((reply.status, is_open), (200, True), repr(target))
    refused(get(b'*', method=b'OPTIONS'), 400, 'bad-request', 'begin with /')
    refused(get(b'localhost:80', method=b'CONNECT'), 400, 'bad-request', 'begin with /')
    for target in (b'v1/health', b'http://localhost', b'http://x?a=/v1/health', b'ftp://x/v1/health', b'?', b'#'):
        refused(get(target), 400, 'bad-request', 'begin with /')


def odd_methods():
    """lower-case and unheard-of methods are 405"""
    for method in (b'get', b'Get', b'HEAd', b'G', b'A' * 5000, b'GET/', b'"'):
        refused(get(b'/v1/health', method=method), 405, 'method-not-allowed', stays_open=True)


def pipelined():
    """pipelined requests are answered in their order; behind a malformed one nothing is"""
    with Wire(vmad.socket) as wire:
        wire.send(get(b'/v1/health') + get(b'/v1/nothing') + get(b'/v1/processes/x') + get(VMAS.encode()) + get(b'/v1'))
        tap.equal([wire.reply().status for _ in range(5)], [200, 404, 400, 200, 200], 'five at once')
    with Wire(vmad.socket) as wire:
        wire.send(get(b'/v1/health') + get(b'/%00') + get(b'/v1/health'))
        tap.equal([wire.reply().status for _ in range(2)], [200, 400], 'up to the malformed one')
        tap.equal(wire.rest(), b'', 'behind it')


def a_head_in_pieces():
    """a request that comes byte by byte is one request"""
    with Wire(vmad.socket) as wire:
        for byte in get(b'/v1/health'):
            wire.send(bytes([byte]))
        tap.equal(wire.reply().status, 200, 'status')


def nothing_is_logged():
    """vmad logs nothing of all this: no address, path or token of a client ever stands in its log"""
    tap.equal([line for line in vmad.log if not line.startswith(('vmad: listening on unix:', 'vmad: ready'))], [], 'log')


with Vmad() as vmad:
    tap.run([
        pids,
        leading_zeros_are_decimal,
        addresses,
        ranges,
        values,
        a_parameter_without_a_value,
        unknown_parameters,
        repeated_parameters,
        echoed_text_is_harmless,
        many_parameters,
        long_targets,
        very_long_targets,
        large_heads,
        bodies,
        an_empty_body,
        a_body_is_never_the_next_request,
        two_lengths,
        lengths_that_are_none,
        hosts,
        other_fields_twice,
        versions,
        no_http_at_all,
        escapes,
        raw_bytes,
        other_forms,
        odd_methods,
        pipelined,
        a_head_in_pieces,
        nothing_is_logged,
    ])
