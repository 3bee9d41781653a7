/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/chunk_store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (64u << 10)		/* taken from malloc() at a time */
#define BUCKETS_LEAST 1024

/* Frames of hosts with up to 8 TiB take half the room. */
#define NARROW_FILE (UINT32_C(1) << 31)

/* How the words of a chunk are written down, without those that are 0. */
enum form {
	NARROW,
	WIDE,
	RUN,				/* all 512, each one more than the one before it: a huge page. Only the first is there */
};

/* A chunk as it is hashed, compared and stored: which pages are there, then their words. */
struct image {
	uint64_t present[CHUNK_PAGES / 64];
	union {
		uint32_t narrow[CHUNK_PAGES];
		uint64_t wide[CHUNK_PAGES];
	};
};

struct chunk {
	struct chunk *next;		/* in its bucket */
	uint64_t hash;
	uint32_t number;
	uint16_t count;			/* words that are written down */
	enum form form;
	struct image image;		/* as much of it as there are words */
};

struct block {
	struct block *next;
	size_t used;			/* this head included */
	_Alignas(16) char room[];
};

struct chunk_store {
	chunk_hash_fn *hash;
	size_t ceiling, bytes;
	struct block *blocks;		/* the first is the one that has room */
	struct chunk **buckets;
	size_t bucket_count;		/* a power of two */
	size_t count;
};

static size_t image_bytes(size_t count, enum form form)
{
	return sizeof(((struct image *)0)->present) + count * (form == NARROW ? sizeof(uint32_t) : sizeof(uint64_t));
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
	return hash ^ hash >> 32;
}

/* Four words side by side, because a multiplication waits for the one before it. What is left over is fewer than four. */
static uint64_t usual_hash(const void *bytes, size_t len)
{
	uint64_t a = len, b = 1, c = 2, d = 3, word[4];
	const char *p = bytes;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(word, p, sizeof(word));
		a = mix(a, word[0]);
		b = mix(b, word[1]);
		c = mix(c, word[2]);
		d = mix(d, word[3]);
	}
	memset(word, 0, sizeof(word));
	memcpy(word, p, len);
	for (size_t i = 0; i < 4; i++)
		a = mix(a, word[i]);
	return mix(mix(a, b), mix(c, d));
}

static bool has_room(const struct chunk_store *store, size_t bytes)
{
	return bytes <= store->ceiling - store->bytes;
}

int chunk_store_new(size_t ceiling_bytes, chunk_hash_fn *hash, struct chunk_store **ret_store)
{
	const size_t bytes = sizeof(struct chunk_store) + BUCKETS_LEAST * sizeof(struct chunk *);
	struct chunk_store *store;

	if (bytes > ceiling_bytes)
		return -ENOSPC;
	store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	*store = (struct chunk_store){ .hash = hash ? hash : usual_hash, .ceiling = ceiling_bytes, .bytes = bytes,
				       .buckets = calloc(BUCKETS_LEAST, sizeof(struct chunk *)),
				       .bucket_count = BUCKETS_LEAST };
	if (!store->buckets) {
		chunk_store_free(store);
		return -ENOMEM;
	}
	*ret_store = store;
	return 0;
}

void chunk_store_free(struct chunk_store *store)
{
	if (!store)
		return;
	for (struct block *block = store->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(store->buckets);
	free(store);
}

/* What is larger than a block gets one for itself, behind the one that has room. */
static struct block *add_block(struct chunk_store *store, size_t bytes)
{
	bool own = bytes > BLOCK_BYTES - sizeof(struct block);
	size_t size = own ? sizeof(struct block) + bytes : BLOCK_BYTES;
	struct block *block = has_room(store, size) ? calloc(1, size) : NULL;

	if (!block)
		return NULL;
	block->used = sizeof(*block);
	store->bytes += size;
	if (own && store->blocks) {
		block->next = store->blocks->next;
		store->blocks->next = block;
	} else {
		block->next = store->blocks;
		store->blocks = block;
	}
	return block;
}

void *chunk_store_allocate(struct chunk_store *store, size_t bytes)
{
	struct block *block = store->blocks;
	void *room;

	if (bytes > store->ceiling)
		return NULL;
	bytes = (bytes + 15) / 16 * 16;
	if (!block || block->used > BLOCK_BYTES || bytes > BLOCK_BYTES - block->used)
		block = add_block(store, bytes);
	if (!block)
		return NULL;
	room = (char *)block + block->used;
	block->used += bytes;
	return room;
}

/* For a while there are two tables; where that is too much, the old one goes on, with longer chains. */
static void grow(struct chunk_store *store)
{
	size_t count = store->bucket_count * 2;
	struct chunk **buckets = has_room(store, count * sizeof(*buckets)) ? calloc(count, sizeof(*buckets)) : NULL;

	if (!buckets)
		return;
	for (size_t i = 0; i < store->bucket_count; i++) {
		for (struct chunk *chunk = store->buckets[i], *next; chunk; chunk = next) {
			struct chunk **bucket = &buckets[chunk->hash & (count - 1)];

			next = chunk->next;
			chunk->next = *bucket;
			*bucket = chunk;
		}
	}
	free(store->buckets);
	store->bytes += (count - store->bucket_count) * sizeof(*buckets);
	store->buckets = buckets;
	store->bucket_count = count;
}

static uint32_t narrow_of(uint64_t word)
{
	return (uint32_t)word | (uint32_t)(word >> 30 & NARROW_FILE);
}

_Static_assert(PAGEMAP_FILE == (uint64_t)NARROW_FILE << 30, "the bit of a file, as narrow_of() moves it");

/* Without a branch for each page, because there is no rule which of them are there. Returns the number of words. */
static size_t pack_narrow(const uint64_t words[static CHUNK_PAGES], struct image *image)
{
	size_t count = 0;

	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		image->narrow[count] = narrow_of(words[i]);
		image->present[i / 64] |= (uint64_t)(words[i] != 0) << i % 64;
		count += words[i] != 0;
	}
	return count;
}

static size_t pack_wide(const uint64_t words[static CHUNK_PAGES], struct image *image)
{
	size_t count = 0;

	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		image->present[i / 64] |= (uint64_t)(words[i] != 0) << i % 64;
		if (words[i])
			image->wide[count++] = words[i];
	}
	return count;
}

/* All pages are there. */
static size_t pack_dense(const uint64_t words[static CHUNK_PAGES], struct image *image, enum form *ret_form)
{
	uint64_t other = 0;

	memset(image->present, 0xff, sizeof(image->present));
	for (size_t i = 0; i < CHUNK_PAGES; i++)
		other |= words[i] ^ (words[0] + i);
	*ret_form = other ? NARROW : RUN;
	if (other)
		return CHUNK_PAGES;
	image->wide[0] = words[0];
	return 1;
}

/*
 * Most chunks that are shared have all of their pages, and narrow words: that is tried first, in a loop of which compilers
 * make vectors. Returns the number of words.
 */
static size_t pack(const uint64_t words[restrict static CHUNK_PAGES], struct image *restrict image, enum form *ret_form)
{
	uint64_t all = 0, present = 0;
	bool wide;

	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		image->narrow[i] = narrow_of(words[i]);
		all |= words[i];
		present += (words[i] | -words[i]) >> 63;	/* 1 but for 0 */
	}
	wide = (all & PAGEMAP_PFN_MASK) >= NARROW_FILE;
	if (!wide && present == CHUNK_PAGES)
		return pack_dense(words, image, ret_form);
	memset(image->present, 0, sizeof(image->present));
	*ret_form = wide ? WIDE : NARROW;
	return wide ? pack_wide(words, image) : pack_narrow(words, image);
}

static struct chunk *find(const struct chunk_store *store, uint64_t hash, const struct image *image, size_t count,
			  enum form form)
{
	struct chunk *chunk = store->buckets[hash & (store->bucket_count - 1)];

	while (chunk && (chunk->hash != hash || chunk->count != count || chunk->form != form ||
			 memcmp(&chunk->image, image, image_bytes(count, form)) != 0))
		chunk = chunk->next;
	return chunk;
}

static struct chunk *add(struct chunk_store *store, uint64_t hash, const struct image *image, size_t count, enum form form)
{
	struct chunk *chunk = chunk_store_allocate(store, offsetof(struct chunk, image) + image_bytes(count, form)), **bucket;

	if (!chunk)
		return NULL;
	chunk->hash = hash;
	chunk->number = (uint32_t)store->count++;
	chunk->count = (uint16_t)count;
	chunk->form = form;
	memcpy(&chunk->image, image, image_bytes(count, form));
	bucket = &store->buckets[hash & (store->bucket_count - 1)];
	chunk->next = *bucket;
	*bucket = chunk;
	if (store->count > store->bucket_count)
		grow(store);
	return chunk;
}

int chunk_store_put(struct chunk_store *store, const uint64_t words[static CHUNK_PAGES], const struct chunk **ret_chunk)
{
	struct image image;
	struct chunk *chunk = NULL;
	enum form form;
	size_t count = pack(words, &image, &form);
	uint64_t hash;

	if (count) {
		hash = store->hash(&image, image_bytes(count, form));
		chunk = find(store, hash, &image, count, form);
		if (!chunk)
			chunk = add(store, hash, &image, count, form);
		if (!chunk)
			return has_room(store, BLOCK_BYTES) ? -ENOMEM : -ENOSPC;
	}
	*ret_chunk = chunk;
	return 0;
}

size_t chunk_store_count(const struct chunk_store *store)
{
	return store->count;
}

size_t chunk_store_bytes(const struct chunk_store *store)
{
	return store->bytes;
}

uint32_t chunk_number(const struct chunk *chunk)
{
	return chunk->number;
}

static uint64_t word_at(const struct chunk *chunk, size_t i)
{
	uint64_t narrow;

	if (chunk->form == RUN)
		return chunk->image.wide[0] + i;
	if (chunk->form == WIDE)
		return chunk->image.wide[i];
	narrow = chunk->image.narrow[i];
	return (narrow & ~(uint64_t)NARROW_FILE) | (narrow & NARROW_FILE ? PAGEMAP_FILE : 0);
}

void chunk_unpack(const struct chunk *chunk, uint64_t words[static CHUNK_PAGES])
{
	size_t next = 0;

	for (size_t i = 0; i < CHUNK_PAGES; i++)
		words[i] = chunk->image.present[i / 64] >> i % 64 & 1 ? word_at(chunk, next++) : 0;
}
