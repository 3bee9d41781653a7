/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/gzip.h"

#include <stdlib.h>
#include <strings.h>

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

/* Is the weight behind a coding ("gzip;q=0") zero? */
static bool is_refused(const char *rest, const char *end)
{
	const char *q = strchr(rest, '=');

	return q && q < end && strtod(q + 1, NULL) <= 0;
}

bool gzip_is_accepted(const char *accept)
{
	while (accept && *accept) {
		size_t len;

		accept += strspn(accept, " \t,");
		len = strcspn(accept, ",");
		if (!strncasecmp(accept, "gzip", 4) && strchr(" \t;,", accept[4]))
			return !is_refused(accept + 4, accept + len);
		accept += len;
	}
	return false;
}
