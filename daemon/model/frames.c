/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "source/iomem.h"
#include "source/kpage.h"
#include "source/small_file.h"
#include "source/words.h"

#define RANGES_MAX 1024
#define CHUNK 32768		/* frames read at a time */
#define BUCKETS 4096		/* of the table of combinations; hosts have some hundred */

struct kind {
	uint64_t flags, count;
};

struct frames {
	struct kind table[BUCKETS];	/* open addressing; count 0 is free */
	size_t kinds;
	uint64_t total;
	bool complete;
	size_t next;
	char names[KPAGE_NAMES_MAX];
};

void frames_free(struct frames *frames)
{
	free(frames);
}

uint64_t frames_total(const struct frames *frames)
{
	return frames->total;
}

bool frames_complete(const struct frames *frames)
{
	return frames->complete;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* NULL where the table is full: no host comes near that. */
static struct kind *find_kind(struct frames *frames, uint64_t flags)
{
	size_t at = (size_t)(flags * UINT64_C(0x9e3779b97f4a7c15) >> 52);

	for (size_t i = 0; i < BUCKETS; i++) {
		struct kind *kind = &frames->table[(at + i) % BUCKETS];

		if (kind->count && kind->flags == flags)
			return kind;
		if (!kind->count) {
			kind->flags = flags;
			frames->kinds++;
			return kind;
		}
	}
	return NULL;
}

/* Neighbours are mostly of one kind, so a run is counted before the table is asked. */
static int count_chunk(struct frames *frames, const uint64_t *flags, size_t count)
{
	for (size_t i = 0, run; i < count; i += run) {
		struct kind *kind = find_kind(frames, flags[i]);

		if (!kind)
			return -E2BIG;
		for (run = 1; i + run < count && flags[i + run] == flags[i]; run++)
			;
		kind->count += run;
	}
	frames->total += count;
	return 0;
}

static int count_range(struct frames *frames, int fd, const struct frame_range *range, uint64_t *words,
		       uint64_t deadline_us)
{
	for (uint64_t pfn = range->first; pfn < range->end; ) {
		size_t wanted = range->end - pfn < CHUNK ? (size_t)(range->end - pfn) : CHUNK;
		long n = words_read(fd, pfn, words, wanted);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return 0;
		if (count_chunk(frames, words, (size_t)n) < 0)
			return -E2BIG;
		pfn += (uint64_t)n;
		if (deadline_us && now_us() > deadline_us)
			return -ETIMEDOUT;
	}
	return 0;
}

/* The memory of the host. Returns how many ranges, or a negative errno. */
static long read_ranges(struct opener *opener, const struct vmad_caller *caller, struct frame_range *ranges)
{
	int fd = opener_open_frames(opener, caller, OPENER_HOST_IOMEM);
	size_t size = 256 * 1024, count = 0;
	char *text = malloc(size);
	ssize_t len = fd >= 0 && text ? small_file_read(fd, text, size) : -1;

	if (len > 0)
		count = iomem_parse(text, (size_t)len, (uint64_t)sysconf(_SC_PAGESIZE), ranges, RANGES_MAX);
	free(text);
	if (fd >= 0)
		close(fd);
	return count && count <= RANGES_MAX ? (long)count : -EOPNOTSUPP;
}

static int by_count(const void *a, const void *b)
{
	const struct kind *left = a, *right = b;

	return left->count > right->count ? -1 : left->count < right->count;
}

static int count_all(struct frames *frames, struct opener *opener, const struct vmad_caller *caller, int fd,
		     uint64_t budget_us)
{
	struct frame_range *ranges = malloc(RANGES_MAX * sizeof(*ranges));
	uint64_t *words = malloc(CHUNK * sizeof(*words)), deadline = budget_us ? now_us() + budget_us : 0;
	long count = ranges && words ? read_ranges(opener, caller, ranges) : -ENOMEM;
	int r = count < 0 ? (int)count : 0;

	for (long i = 0; r == 0 && i < count; i++)
		r = count_range(frames, fd, &ranges[i], words, deadline);
	free(ranges);
	free(words);
	frames->complete = r == 0;
	if (r == 0 || r == -ETIMEDOUT)
		qsort(frames->table, BUCKETS, sizeof(frames->table[0]), by_count);
	return r == -ETIMEDOUT ? 0 : r;
}

int frames_new(struct opener *opener, const struct vmad_caller *caller, uint64_t budget_us, struct frames **ret_frames,
	       struct vmad_error *err)
{
	struct frames *frames = calloc(1, sizeof(*frames));
	int fd, r;

	if (!frames)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGEFLAGS);
	r = fd < 0 ? -EOPNOTSUPP : count_all(frames, opener, caller, fd, budget_us);
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		frames_free(frames);
		return vmad_fail(err, -r, 0, "kpageflags", "read");
	}
	*ret_frames = frames;
	return 0;
}

int frames_next(struct frames *frames, struct vmad_frame_kind *ret_kind)
{
	const struct kind *kind = &frames->table[frames->next];

	if (frames->next == frames->kinds)
		return 0;
	frames->next++;
	*ret_kind = (struct vmad_frame_kind){
		.flags = { frames->names, kpage_flag_names(kind->flags, frames->names) },
		.page_count = kind->count,
		.size_bytes = kind->count * (uint64_t)sysconf(_SC_PAGESIZE),
	};
	return 1;
}

int frame_read(struct opener *opener, const struct vmad_caller *caller, uint64_t pfn, char *names,
	       struct vmad_frame *ret_frame, struct vmad_error *err)
{
	int flags_fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGEFLAGS),
	    count_fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGECOUNT);
	uint64_t flags, count;
	int r = flags_fd < 0 ? -EOPNOTSUPP : words_read(flags_fd, pfn, &flags, 1) == 1 ? 0 : -ENXIO;

	if (r == 0) {
		*ret_frame = (struct vmad_frame){ .pfn = pfn, .flags = { names, kpage_flag_names(flags, names) } };
		if (count_fd >= 0 && words_read(count_fd, pfn, &count, 1) == 1) {
			ret_frame->has = VMAD_HAS(frame, mapcount);
			ret_frame->mapcount = count;
		}
	}
	if (flags_fd >= 0)
		close(flags_fd);
	if (count_fd >= 0)
		close(count_fd);
	return r < 0 ? vmad_fail(err, -r, 0, "kpageflags", "read") : 0;
}
