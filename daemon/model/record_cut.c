/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record_cut.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/smaps.h"

void record_cut_init(struct record_cut *cut, struct reader *reader, bool with_keys)
{
	*cut = (struct record_cut){ .reader = reader, .with_keys = with_keys };
}

void record_cut_free(struct record_cut *cut)
{
	free(cut->carry);
	cut->carry = NULL;
}

/* Length of the whole record at the start of the chunk, or 0 where its end is not there yet. */
static size_t whole_record(const struct record_cut *cut, size_t *ret_keys)
{
	const struct vmad_str *chunk = &cut->chunk;
	const char *newline;
	size_t len;

	*ret_keys = 0;
	if (!chunk->len)
		return 0;
	if (cut->with_keys) {
		len = smaps_record_length(chunk->p, chunk->len, ret_keys);
		return len ? len : cut->at_eof ? chunk->len : 0;
	}
	newline = memchr(chunk->p, '\n', chunk->len);
	len = newline ? (size_t)(newline - chunk->p) + 1 : chunk->len;
	*ret_keys = len;
	return len;
}

/* Room for `need` bytes in carry; what the chunk holds is kept, at the start of it. */
static int keep_rest(struct record_cut *cut, size_t need, struct vmad_error *err)
{
	char *carry = cut->carry;

	if (need > cut->carry_capacity) {
		carry = malloc(need);
		if (!carry)
			return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	}
	memmove(carry, cut->chunk.p, cut->chunk.len);
	if (carry != cut->carry) {
		free(cut->carry);
		cut->carry = carry;
		cut->carry_capacity = need;
	}
	cut->chunk.p = carry;
	return 0;
}

/*
 * The reader's next lines, behind what is left of the last ones (which its slot holds no longer). 0 also at end of
 * file.
 */
static int refill(struct record_cut *cut, struct vmad_error *err)
{
	struct vmad_str next;
	int r = cut->chunk.len ? keep_rest(cut, cut->chunk.len, err) : 0;

	if (r < 0)
		return r;
	r = reader_next(cut->reader, &next, err);
	cut->at_eof = r == 0;
	if (r <= 0)
		return r;
	if (!cut->chunk.len) {
		cut->chunk = next;
		return 0;
	}
	r = keep_rest(cut, cut->chunk.len + next.len, err);
	if (r < 0)
		return r;
	memcpy(cut->carry + cut->chunk.len, next.p, next.len);
	cut->chunk.len += next.len;
	return 0;
}

int record_cut_next(struct record_cut *cut, struct vmad_str *ret_line, struct vmad_str *ret_keys,
		    struct vmad_error *err)
{
	size_t len, keys;
	int r;

	while (!(len = whole_record(cut, &keys))) {
		if (cut->at_eof)
			return 0;
		r = refill(cut, err);
		if (r < 0)
			return r;
	}
	*ret_line = (struct vmad_str){ cut->chunk.p, keys };
	*ret_keys = (struct vmad_str){ cut->chunk.p + keys, len - keys };
	cut->chunk.p += len;
	cut->chunk.len -= len;
	return 1;
}
