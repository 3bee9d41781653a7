/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "source/cgroup.h"
#include "source/iomem.h"
#include "source/kpage.h"
#include "source/numa.h"
#include "source/small_file.h"
#include "source/words.h"

#define RANGES_MAX 1024
#define CHUNK 32768		/* frames read at a time */
/* Of the table of kinds. Hosts have some hundred combinations of flags, and some thousand control groups at most. */
#define BUCKET_BITS 15
#define BUCKETS (1 << BUCKET_BITS)

/* The key is flags, inode of a control group, or a node. */
struct kind {
	uint64_t key, count;
};

#define NODE_UNKNOWN UINT64_MAX

struct frames {
	enum frames_by by;
	struct cgroup_name *groups;	/* by cgroup: those that own a frame */
	size_t group_count;
	struct kind table[BUCKETS];	/* open addressing; count 0 is free */
	size_t kinds;
	uint64_t total;
	bool complete;
	size_t next;
	char names[KPAGE_NAMES_MAX];
};

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	cgroup_names_clear(frames->groups, frames->group_count);
	free(frames->groups);
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
static struct kind *find_kind(struct frames *frames, uint64_t key)
{
	size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BUCKET_BITS));

	for (size_t i = 0; i < BUCKETS; i++) {
		struct kind *kind = &frames->table[(at + i) % BUCKETS];

		if (kind->count && kind->key == key)
			return kind;
		if (!kind->count) {
			kind->key = key;
			frames->kinds++;
			return kind;
		}
	}
	return NULL;
}

/* Neighbours are mostly of one kind, so a run is counted before the table is asked. */
static int count_chunk(struct frames *frames, const uint64_t *keys, size_t count)
{
	for (size_t i = 0, run; i < count; i += run) {
		struct kind *kind = find_kind(frames, keys[i]);

		if (!kind)
			return -E2BIG;
		for (run = 1; i + run < count && keys[i + run] == keys[i]; run++)
			;
		kind->count += run;
	}
	frames->total += count;
	return 0;
}

static int count_words(struct frames *frames, int fd, const struct frame_range *range, uint64_t *words, uint64_t deadline_us)
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

/* No frame has to be looked at: a block of memory is of one node. */
static int count_nodes(struct frames *frames, const struct frame_range *range, uint64_t deadline_us)
{
	uint64_t end;

	for (uint64_t pfn = range->first; pfn < range->end; pfn = end) {
		struct kind *kind;
		unsigned node;
		int r = numa_node_of(NUMA_SYSFS, pfn, &node, &end);

		if (r < 0 && r != -ENOENT)
			return r;
		if (end > range->end)
			end = range->end;
		kind = find_kind(frames, r < 0 ? NODE_UNKNOWN : node);
		if (!kind)
			return -E2BIG;
		kind->count += end - pfn;
		frames->total += end - pfn;
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
		r = frames->by == FRAMES_BY_NODE ? count_nodes(frames, &ranges[i], deadline) :
						   count_words(frames, fd, &ranges[i], words, deadline);
	free(ranges);
	free(words);
	frames->complete = r == 0;
	if (r == 0 || r == -ETIMEDOUT)
		qsort(frames->table, BUCKETS, sizeof(frames->table[0]), by_count);
	return r == -ETIMEDOUT ? 0 : r;
}

/* Once for all groups: a look-up of each would walk their tree as often. */
static int name_groups(struct frames *frames)
{
	frames->groups = calloc(frames->kinds + 1, sizeof(*frames->groups));
	if (!frames->groups)
		return -ENOMEM;
	for (size_t i = 0; i < frames->kinds; i++)
		if (frames->table[i].key)
			frames->groups[frames->group_count++].inode = frames->table[i].key;
	/* without the tree the inodes are all that is known */
	return cgroup_find_paths(cgroup_root(), frames->groups, frames->group_count) == -ENOMEM ? -ENOMEM : 0;
}

static const struct {
	enum opener_host_file file;
	const char *name;
} files[] = {
	[FRAMES_BY_FLAGS] = { OPENER_HOST_KPAGEFLAGS, "kpageflags" },
	[FRAMES_BY_NODE] = { OPENER_HOST_IOMEM, "iomem" },
	[FRAMES_BY_CGROUP] = { OPENER_HOST_KPAGECGROUP, "kpagecgroup" },
};

const char *frames_source(const struct frames *frames)
{
	return files[frames->by].name;
}

int frames_new(struct opener *opener, const struct vmad_caller *caller, enum frames_by by, uint64_t budget_us,
	       struct frames **ret_frames, struct vmad_error *err)
{
	struct frames *frames = calloc(1, sizeof(*frames));
	int fd, r;

	if (!frames)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	frames->by = by;
	fd = opener_open_frames(opener, caller, files[by].file);
	r = fd < 0 ? -EOPNOTSUPP : count_all(frames, opener, caller, fd, budget_us);
	if (r == 0 && by == FRAMES_BY_CGROUP)
		r = name_groups(frames);
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		frames_free(frames);
		return vmad_fail(err, -r, 0, by == FRAMES_BY_NODE ? "NUMA node" : files[by].name, "read");
	}
	*ret_frames = frames;
	return 0;
}

static void tell_cgroup(const struct frames *frames, uint64_t inode, struct vmad_frame_kind *kind)
{
	const char *path = cgroup_path_of(frames->groups, frames->group_count, inode);

	if (!inode)
		return;
	kind->has |= VMAD_HAS(frame_kind, cgroup_inode);
	kind->cgroup_inode = inode;
	if (!path)
		return;
	kind->has |= VMAD_HAS(frame_kind, cgroup);
	kind->cgroup = (struct vmad_str){ path, strlen(path) };
}

static void tell_node(uint64_t node, struct vmad_frame_kind *kind)
{
	if (node == NODE_UNKNOWN)
		return;
	kind->has |= VMAD_HAS(frame_kind, node);
	kind->node = node;
}

static void tell_flags(struct frames *frames, uint64_t flags, struct vmad_frame_kind *kind)
{
	kind->has |= VMAD_HAS(frame_kind, flags);
	kind->flags = (struct vmad_str){ frames->names, kpage_flag_names(flags, frames->names) };
}

int frames_next(struct frames *frames, struct vmad_frame_kind *ret_kind)
{
	const struct kind *kind = &frames->table[frames->next];

	if (frames->next == frames->kinds)
		return 0;
	frames->next++;
	*ret_kind = (struct vmad_frame_kind){ .page_count = kind->count, .size_bytes = kind->count * (uint64_t)sysconf(_SC_PAGESIZE) };
	switch (frames->by) {
	case FRAMES_BY_FLAGS:
		tell_flags(frames, kind->key, ret_kind);
		break;
	case FRAMES_BY_NODE:
		tell_node(kind->key, ret_kind);
		break;
	case FRAMES_BY_CGROUP:
		tell_cgroup(frames, kind->key, ret_kind);
		break;
	}
	return 1;
}
