/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/tally.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_AT_FIRST 64

void tally_free(struct tally *tally)
{
	free(tally->slots);
	*tally = (struct tally){ 0 };
}

/* The slot that the kind is in, or the free one that it would be put in. */
static struct tally_kind *find_slot(const struct tally *tally, uint64_t tag, uint64_t word)
{
	uint64_t hash = (word ^ tag * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t at = (size_t)(hash >> 32);; at++) {
		struct tally_kind *slot = &tally->slots[at & (tally->room - 1)];

		if (!slot->count || (slot->word == word && slot->tag == tag))
			return slot;
	}
}

static int grow(struct tally *tally)
{
	struct tally larger = { .room = tally->room ? tally->room * 2 : ROOM_AT_FIRST };

	if (larger.room > 2 * TALLY_KINDS_MAX)
		return -E2BIG;
	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < tally->room; i++)
		if (tally->slots[i].count)
			*find_slot(&larger, tally->slots[i].tag, tally->slots[i].word) = tally->slots[i];
	free(tally->slots);
	tally->slots = larger.slots;
	tally->room = larger.room;
	return 0;
}

/* Half of the slots stay free, so that a search soon meets a free one. */
int tally_add(struct tally *tally, uint64_t tag, uint64_t word, uint64_t count)
{
	struct tally_kind *slot = tally->room ? find_slot(tally, tag, word) : NULL;

	if (!count)
		return 0;
	if (!slot || (!slot->count && tally->kinds == tally->room / 2)) {
		int r = grow(tally);

		if (r < 0)
			return r;
		slot = find_slot(tally, tag, word);
	}
	tally->kinds += !slot->count;
	tally->total += count;
	*slot = (struct tally_kind){ tag, word, slot->count + count };
	return 0;
}

#define TOGETHER 8	/* words compared without a branch: a vector or two */

/* How many words, from the first on, are equal. */
static size_t count_equal(const uint64_t *words, size_t count)
{
	size_t n = 1;

	for (; n + TOGETHER <= count; n += TOGETHER) {
		uint64_t differs = 0;

		for (size_t i = 0; i < TOGETHER; i++)
			differs |= words[n + i] ^ words[0];
		if (differs)
			break;
	}
	while (n < count && words[n] == words[0])
		n++;
	return n;
}

int tally_add_words(struct tally *tally, uint64_t tag, const uint64_t *words, size_t count)
{
	int r = 0;

	for (size_t i = 0, n; r == 0 && i < count; i += n) {
		n = count_equal(words + i, count - i);
		r = tally_add(tally, tag, words[i], n);
	}
	return r;
}

int tally_add_all(struct tally *tally, const struct tally *other)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < other->room; i++)
		r = tally_add(tally, other->slots[i].tag, other->slots[i].word, other->slots[i].count);
	return r;
}

/* Of equally many the order is that of the words, so that the same tally reads the same. */
static int compare_counts(const void *a, const void *b)
{
	const struct tally_kind *left = a, *right = b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	if (left->word != right->word)
		return left->word < right->word ? -1 : 1;
	return left->tag < right->tag ? -1 : left->tag > right->tag;
}

void tally_sort(struct tally *tally)
{
	if (tally->room)
		qsort(tally->slots, tally->room, sizeof(*tally->slots), compare_counts);
}
