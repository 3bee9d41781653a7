/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/gzip.h"

#include <stdlib.h>

#include <zlib.h>

struct gzip {
	z_stream z;
};

struct gzip *gzip_new(void)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	/* 15 + 16: the largest window, with gzip's header; level 1, for the client waits. */
	if (gzip && deflateInit2(&gzip->z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(gzip);
		return NULL;
	}
	return gzip;
}

void gzip_free(struct gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->z);
	free(gzip);
}

void gzip_put(struct gzip *gzip, const char *bytes, size_t len, bool last, struct buf *to)
{
	gzip->z.next_in = (Bytef *)bytes;
	gzip->z.avail_in = (uInt)len;
	do {
		size_t room = 16 * 1024;
		char *at = buf_reserve(to, room);

		if (!at)
			return;
		gzip->z.next_out = (Bytef *)at;
		gzip->z.avail_out = (uInt)room;
		deflate(&gzip->z, last ? Z_FINISH : Z_NO_FLUSH);
		to->len += room - gzip->z.avail_out;
	} while (gzip->z.avail_out == 0);
}
