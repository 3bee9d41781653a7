/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip: what goes in comes out. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "http/gzip.h"

/* Packs it in pieces of that size, unpacks it, compares. */
static void round_trip(const char *bytes, size_t len, size_t piece)
{
	struct gzip *gzip = gzip_new();
	struct buf packed = { 0 };
	char *back = malloc(len + 1);
	z_stream z = { 0 };

	assert_non_null(gzip);
	assert_non_null(back);
	for (size_t at = 0; at == 0 || at < len; at += piece) {
		size_t now = len - at < piece ? len - at : piece;

		gzip_put(gzip, bytes + at, now, at + now == len, &packed);
	}
	gzip_free(gzip);
	assert_false(packed.failed);
	z.next_in = (Bytef *)packed.p;
	z.avail_in = (uInt)packed.len;
	z.next_out = (Bytef *)back;
	z.avail_out = (uInt)len + 1;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(back, bytes, len);
	assert_int_equal(z.avail_in, 0);
	inflateEnd(&z);
	free(back);
	buf_free(&packed);
}

static void round_trips(void **state)
{
	static const size_t pieces[] = { 1, 100, 16384, 65536, 1 << 20 };
	size_t len = 300000;
	char *bytes = malloc(len);
	uint32_t random = 1;

	(void)state;
	assert_non_null(bytes);
	/* Half of it does not compress. */
	for (size_t i = 0; i < len; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = i < len / 2 ? 'a' : (char)(random >> 24);
	}
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		round_trip(bytes, pieces[i] == 1 ? 5000 : len, pieces[i]);
	round_trip(bytes, 0, 1);
	free(bytes);
}

/* A stream that is given up in the middle leaves nothing behind (ASan). */
static void given_up(void **state)
{
	struct gzip *gzip = gzip_new();
	struct buf packed = { 0 };

	(void)state;
	gzip_put(gzip, "abc", 3, false, &packed);
	gzip_free(gzip);
	gzip_free(NULL);
	buf_free(&packed);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("what goes in comes out, in pieces of any size", round_trips),
		CASE("a stream that is given up", given_up),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
