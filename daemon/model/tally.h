/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally: how many things there are of each kind, where neighbours are mostly of one kind: a run of equal words costs one
 * look-up. A kind is a word, such as the flags of a frame, and a tag of the caller's.
 */
#ifndef MODEL_TALLY_H
#define MODEL_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* Hosts have some hundred combinations of flags, and some thousand control groups at most. */
#define TALLY_KINDS_MAX (1u << 15)

struct tally_kind {
	uint64_t tag, word;
	uint64_t count;
};

/* Begins as all zeros. */
struct tally {
	struct tally_kind *slots;	/* open addressing; count 0 is free */
	size_t room;			/* a power of two */
	size_t kinds;
	uint64_t total;
};

void tally_free(struct tally *tally);

/* `count` more of a kind. 0; -ENOMEM; -E2BIG: there are more kinds than TALLY_KINDS_MAX. */
int tally_add(struct tally *tally, uint64_t tag, uint64_t word, uint64_t count);

/* One more of the kind of each word. */
int tally_add_words(struct tally *tally, uint64_t tag, const uint64_t *words, size_t count);

int tally_add_all(struct tally *tally, const struct tally *other);

/* Moves the kinds to the front of the slots, the most frequent first. Nothing can be added any more. */
void tally_sort(struct tally *tally);

#endif
