/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sharing_frames.h"

#include <errno.h>

#include "source/kpage.h"

struct slot {
	uint64_t pfn;			/* 0: free */
	uint32_t origin;
	uint32_t seen;			/* number of the count that met it last */
};

/* Which slots the frames of a chunk have; found out once for each chunk, however many address spaces it is of. */
struct hits {
	uint32_t count;
	uint32_t slots[CHUNK_PAGES];	/* as many of them as there are */
};

struct sharing_frames {
	struct chunk_store *store;
	const struct hits **hits;	/* by number of chunk */
	struct slot *slots;
	size_t mask;			/* their number, a power of two, less one */
	uint32_t counted;
	uint64_t seen;
	struct hits spare;		/* for a chunk whose hits found no room in the store */
};

void sharing_frames_free(struct sharing_frames *frames)
{
	free(frames);
}

static struct slot *find(const struct sharing_frames *frames, uint64_t pfn)
{
	size_t at = (size_t)(pfn * UINT64_C(0x9e3779b97f4a7c15) >> 20) & frames->mask;

	while (frames->slots[at].pfn && frames->slots[at].pfn != pfn)
		at = (at + 1) & frames->mask;
	return &frames->slots[at];
}

static uint64_t count_words(const struct page_index_mm *mm)
{
	struct page_index_cursor cursor = page_index_begin(mm);
	uint64_t words[CHUNK_PAGES], count = 0;
	struct page_index_ref ref;

	while (page_index_next(&cursor, &ref)) {
		chunk_unpack(ref.chunk, words);
		for (size_t i = 0; i < CHUNK_PAGES; i++)
			count += words[i] != 0;
	}
	return count;
}

/* A chunk of the address space itself, with what is known of its frames. */
struct own_chunk {
	uint64_t words[CHUNK_PAGES];
	struct kpage_frame frames[CHUNK_PAGES];
};

static int add_chunk(struct sharing_frames *frames, const struct sharing_origins *origins, int kpageflags_fd,
		     const struct page_index_ref *ref, const struct sharing_area **area, struct own_chunk *own)
{
	size_t count = 0;
	int r;

	chunk_unpack(ref->chunk, own->words);
	for (size_t i = 0; i < CHUNK_PAGES; i++)
		if (own->words[i])
			own->frames[count++].pfn = own->words[i] & PAGEMAP_PFN_MASK;
	r = kpage_read_frames(kpageflags_fd, own->frames, count, KPAGE_BIT(NOPAGE));
	count = 0;
	for (size_t i = 0; r == 0 && i < CHUNK_PAGES; i++) {
		struct slot *slot;
		uint32_t origin;

		if (!own->words[i] || own->frames[count++].word & KPAGE_BIT(ZERO_PAGE) ||
		    !sharing_origins_find(origins, ref->page + i, own->words[i] & PAGEMAP_FILE, area, &origin))
			continue;
		slot = find(frames, own->words[i] & PAGEMAP_PFN_MASK);
		if (!slot->pfn)
			*slot = (struct slot){ .pfn = own->words[i] & PAGEMAP_PFN_MASK, .origin = origin };
	}
	return r;
}

static int add_all(struct sharing_frames *frames, const struct page_index_mm *mm, const struct sharing_origins *origins,
		   int kpageflags_fd)
{
	struct page_index_cursor cursor = page_index_begin(mm);
	struct own_chunk *own = malloc(sizeof(*own));
	const struct sharing_area *area = NULL;
	struct page_index_ref ref;
	int r = own ? 0 : -ENOMEM;

	while (r == 0 && page_index_next(&cursor, &ref))
		r = add_chunk(frames, origins, kpageflags_fd, &ref, &area, own);
	free(own);
	return r;
}

int sharing_frames_new(const struct page_index *index, const struct page_index_mm *mm,
		       const struct sharing_origins *origins, int kpageflags_fd, struct sharing_frames **ret_frames)
{
	struct sharing_frames *frames = calloc(1, sizeof(*frames));
	struct chunk_store *store = page_index_store(index);
	size_t slots = 64;
	uint64_t count = count_words(mm);
	int r;

	if (!frames)
		return -ENOMEM;
	while (slots < count + count / 2)
		slots *= 2;
	frames->store = store;
	frames->mask = slots - 1;
	frames->slots = chunk_store_allocate(store, slots * sizeof(*frames->slots));
	frames->hits = chunk_store_allocate(store, (chunk_store_count(store) + 1) * sizeof(const struct hits *));
	r = frames->slots && frames->hits ? add_all(frames, mm, origins, kpageflags_fd) : -ENOSPC;
	if (r < 0) {
		sharing_frames_free(frames);
		return r;
	}
	*ret_frames = frames;
	return 0;
}

static const struct hits *find_hits(struct sharing_frames *frames, const struct chunk *chunk)
{
	const struct hits **place = &frames->hits[chunk_number(chunk)], *known = *place;
	uint64_t words[CHUNK_PAGES];
	struct hits *hits = &frames->spare, *kept;
	size_t bytes;

	if (known)
		return known;
	chunk_unpack(chunk, words);
	hits->count = 0;
	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		const struct slot *slot = words[i] ? find(frames, words[i] & PAGEMAP_PFN_MASK) : NULL;

		if (slot && slot->pfn)
			hits->slots[hits->count++] = (uint32_t)(slot - frames->slots);
	}
	bytes = offsetof(struct hits, slots) + hits->count * sizeof(hits->slots[0]);
	kept = chunk_store_allocate(frames->store, bytes);
	if (!kept)
		return hits;
	memcpy(kept, hits, bytes);
	*place = kept;
	return kept;
}

uint64_t sharing_frames_count(struct sharing_frames *frames, const struct page_index_mm *mm, uint64_t *by_origin)
{
	struct page_index_cursor cursor = page_index_begin(mm);
	struct page_index_ref ref;
	uint64_t count = 0;

	frames->counted++;
	while (page_index_next(&cursor, &ref)) {
		const struct hits *hits = find_hits(frames, ref.chunk);

		for (size_t i = 0; i < hits->count; i++) {
			struct slot *slot = &frames->slots[hits->slots[i]];

			if (slot->seen == frames->counted)
				continue;
			frames->seen += !slot->seen;
			slot->seen = frames->counted;
			count++;
			if (by_origin)
				by_origin[slot->origin]++;
		}
	}
	return count;
}

uint64_t sharing_frames_seen(const struct sharing_frames *frames)
{
	return frames->seen;
}
