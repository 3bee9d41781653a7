/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/text.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "http/gzip.h"

struct text {
	atomic_uint references;
	struct buf plain, packed;
};

static void pack(struct text *text)
{
	struct gzip *gzip = gzip_new();

	text->packed.failed = !gzip;
	if (gzip)
		gzip_put(gzip, text->plain.p, text->plain.len, true, &text->packed);
	gzip_free(gzip);
}

struct text *text_new(struct buf *plain)
{
	struct text *text = malloc(sizeof(*text));

	if (!text) {
		buf_free(plain);
		return NULL;
	}
	*text = (struct text){ .references = 1, .plain = *plain };
	*plain = (struct buf){ 0 };
	pack(text);
	if (text->plain.failed || text->packed.failed) {
		text_release(text);
		return NULL;
	}
	return text;
}

struct text *text_hold(struct text *text)
{
	atomic_fetch_add_explicit(&text->references, 1, memory_order_relaxed);
	return text;
}

void text_release(struct text *text)
{
	if (!text || atomic_fetch_sub_explicit(&text->references, 1, memory_order_acq_rel) > 1)
		return;
	buf_free(&text->plain);
	buf_free(&text->packed);
	free(text);
}

struct vmad_str text_bytes(const struct text *text, bool gzip)
{
	const struct buf *bytes = gzip ? &text->packed : &text->plain;

	return (struct vmad_str){ bytes->p, bytes->len };
}
