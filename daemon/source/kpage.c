/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kpage.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "source/words.h"

static const char *const names_of_bits[64] = {
#define KPAGEFLAG(bit, id, name, help) [bit] = name,
#include "vmad/kpageflags.def"
#undef KPAGEFLAG
};

size_t kpage_flag_names(uint64_t flags, char names[static KPAGE_NAMES_MAX])
{
	size_t len = 0;

	for (unsigned bit = 0; bit < 64 && len + 16 < KPAGE_NAMES_MAX; bit++) {
		if (!(flags >> bit & 1))
			continue;
		if (names_of_bits[bit])
			len += (size_t)sprintf(names + len, "%s%s", len ? " " : "", names_of_bits[bit]);
		else
			len += (size_t)sprintf(names + len, "%sbit-%u", len ? " " : "", bit);
	}
	names[len] = '\0';
	return len;
}

static int compare_pfns(const void *a, const void *b)
{
	const struct kpage_frame *left = a, *right = b;

	return left->pfn < right->pfn ? -1 : left->pfn > right->pfn;
}

static int compare_places(const void *a, const void *b)
{
	const struct kpage_frame *left = a, *right = b;

	return left->place < right->place ? -1 : left->place > right->place;
}

/* In the order of their numbers. What was allocated together often is already: then nothing has to be put back. */
static bool sort_frames(struct kpage_frame *frames, size_t count)
{
	bool sorted = true;

	for (size_t i = 0; i < count; i++) {
		frames[i].place = i;
		sorted &= i == 0 || frames[i - 1].pfn <= frames[i].pfn;
	}
	if (!sorted)
		qsort(frames, count, sizeof(*frames), compare_pfns);
	return !sorted;
}

#define GAP_FRAMES 16	/* cheaper to read than to begin another read() */
#define READ_FRAMES 512

/* How many of the frames, from the first on, one read() gets. */
static size_t count_near(const struct kpage_frame *frames, size_t count)
{
	size_t n = 1;

	while (n < count && frames[n].pfn - frames[n - 1].pfn <= GAP_FRAMES && frames[n].pfn - frames[0].pfn < READ_FRAMES)
		n++;
	return n;
}

static int read_near(int fd, struct kpage_frame *frames, size_t count, uint64_t beyond)
{
	uint64_t words[READ_FRAMES], first = frames[0].pfn;
	long n = words_read(fd, first, words, frames[count - 1].pfn - first + 1);

	if (n < 0)
		return (int)n;
	for (size_t i = 0; i < count; i++)
		frames[i].word = frames[i].pfn - first < (uint64_t)n ? words[frames[i].pfn - first] : beyond;
	return 0;
}

int kpage_read_frames(int fd, struct kpage_frame *frames, size_t count, uint64_t beyond)
{
	bool moved = sort_frames(frames, count);
	int r = 0;

	for (size_t i = 0, n; r == 0 && i < count; i += n) {
		n = count_near(frames + i, count - i);
		r = read_near(fd, frames + i, n, beyond);
	}
	if (moved)
		qsort(frames, count, sizeof(*frames), compare_places);
	return r;
}

#define FOLIO_FRAMES_MAX (1u << 18)	/* 1 GiB of 4 KiB frames, the largest hugetlb page */

/* The first frame of the compound page that pfn is a tail of, looking back in aligned blocks. */
static int find_head(int fd, uint64_t pfn, uint64_t *ret_head)
{
	uint64_t words[READ_FRAMES], block = pfn / READ_FRAMES * READ_FRAMES, last = pfn - block;

	for (uint64_t looked = 0; looked < FOLIO_FRAMES_MAX; looked += READ_FRAMES, block -= READ_FRAMES, last = READ_FRAMES - 1) {
		long n = words_read(fd, block, words, last + 1);

		if (n < 0)
			return (int)n;
		for (uint64_t at = (uint64_t)n; at-- > 0;) {
			if (!(words[at] & KPAGE_BIT(COMPOUND_TAIL))) {
				*ret_head = block + at;
				return 0;
			}
		}
		if (block < READ_FRAMES)
			break;
	}
	*ret_head = pfn;
	return 0;
}

static int count_tails(int fd, uint64_t head, uint64_t *ret_tails)
{
	uint64_t words[READ_FRAMES];

	for (*ret_tails = 0; *ret_tails < FOLIO_FRAMES_MAX;) {
		long n = words_read(fd, head + 1 + *ret_tails, words, READ_FRAMES);

		if (n <= 0)
			return (int)n;
		for (long i = 0; i < n; i++, ++*ret_tails)
			if (!(words[i] & KPAGE_BIT(COMPOUND_TAIL)))
				return 0;
	}
	return 0;
}

int kpage_folio(int flags_fd, uint64_t pfn, uint64_t *ret_head, uint64_t *ret_count)
{
	uint64_t head, tails;
	int r = find_head(flags_fd, pfn, &head);

	if (r == 0)
		r = count_tails(flags_fd, head, &tails);
	if (r < 0)
		return r;
	*ret_head = head;
	*ret_count = tails + 1;
	return 0;
}
