/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chunk_store: what page tables say of 512 pages that follow each other, each different content stored once. Fork and
 * shared libraries leave equal chunks behind in every process.
 *
 * All memory that it takes, for itself and for its user, is counted against one ceiling.
 */
#ifndef MODEL_CHUNK_STORE_H
#define MODEL_CHUNK_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "source/pagemap.h"

#define CHUNK_PAGES 512

/*
 * What is kept of a present page's entry; 0 stands for all other pages. Soft-dirty and the like differ between
 * processes that map the same page; whether it is of a file does not.
 */
#define CHUNK_WORD_MASK (PAGEMAP_PFN_MASK | PAGEMAP_FILE)

struct chunk;
struct chunk_store;

typedef uint64_t chunk_hash_fn(const void *bytes, size_t len);

/* hash: NULL for the usual one; equal hashes are no more than a hint, whatever it is. -ENOMEM, or -ENOSPC: see below. */
int chunk_store_new(size_t ceiling_bytes, chunk_hash_fn *hash, struct chunk_store **ret_store);
void chunk_store_free(struct chunk_store *store);

/*
 * The chunk of this content, which lives as long as the store; NULL where all words are 0. -ENOSPC: it would be above
 * the ceiling; then nothing has changed. -ENOMEM.
 */
int chunk_store_put(struct chunk_store *store, const uint64_t words[static CHUNK_PAGES], const struct chunk **ret_chunk);

/* Zeroed memory that lives as long as the store. NULL: it would be above the ceiling, or there is none. */
void *chunk_store_allocate(struct chunk_store *store, size_t bytes);

/* Different chunks, and all memory that was taken. */
size_t chunk_store_count(const struct chunk_store *store);
size_t chunk_store_bytes(const struct chunk_store *store);

/* Chunks are numbered from 0 as they come. */
uint32_t chunk_number(const struct chunk *chunk);

void chunk_unpack(const struct chunk *chunk, uint64_t ret_words[static CHUNK_PAGES]);

#endif
