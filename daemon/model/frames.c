/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/frame_count.h"
#include "source/cgroup.h"
#include "source/iomem.h"
#include "source/kpage.h"
#include "source/numa.h"
#include "source/small_file.h"

#define RANGES_MAX 1024
#define CHUNK 32768		/* frames counted at a time */

#define NODE_UNKNOWN UINT64_MAX

struct frames {
	enum frames_by by;
	struct cgroup_name *groups;	/* by cgroup: those that own a frame */
	size_t group_count;
	struct tally tally;		/* of flags, inodes of control groups, or nodes */
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
	tally_free(&frames->tally);
	free(frames);
}

uint64_t frames_total(const struct frames *frames)
{
	return frames->tally.total;
}

bool frames_complete(const struct frames *frames)
{
	return frames->complete;
}

/* What waits in the queue when time is up is a matter of milliseconds. */
static int add_range(struct frame_count *count, const struct frame_range *range, uint64_t deadline_us)
{
	int r = 0;

	for (uint64_t pfn = range->first; r == 0 && pfn < range->end; pfn += CHUNK) {
		uint64_t left = range->end - pfn;

		r = frame_count_add(count, &(struct frame_span){ .pfn = pfn, .count = left < CHUNK ? left : CHUNK }, 1);
		if (r == 0 && deadline_us && clock_us() > deadline_us)
			r = -ETIMEDOUT;
	}
	return r;
}

/* What the kernel says of a frame that is not in its file. */
static uint64_t beyond(const struct frames *frames)
{
	return frames->by == FRAMES_BY_FLAGS ? KPAGE_BIT(NOPAGE) : 0;
}

static int count_words(struct frames *frames, int fd, const struct frame_range *ranges, size_t range_count, uint64_t deadline_us)
{
	struct frame_count *count;
	int r = frame_count_new(fd, beyond(frames), &count), finished;

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < range_count; i++)
		r = add_range(count, &ranges[i], deadline_us);
	finished = r == 0 || r == -ETIMEDOUT ? frame_count_finish(count, &frames->tally) : 0;
	frame_count_free(count);
	return finished < 0 ? finished : r;
}

/* No frame has to be looked at: a block of memory is of one node. */
static int count_nodes(struct frames *frames, const struct frame_range *range, uint64_t deadline_us)
{
	uint64_t end;

	for (uint64_t pfn = range->first; pfn < range->end; pfn = end) {
		unsigned node;
		int r = numa_node_of(NUMA_SYSFS, pfn, &node, &end);

		if (r < 0 && r != -ENOENT)
			return r;
		if (end > range->end)
			end = range->end;
		r = tally_add(&frames->tally, 0, r < 0 ? NODE_UNKNOWN : node, end - pfn);
		if (r < 0)
			return r;
		if (deadline_us && clock_us() > deadline_us)
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

static int count_all(struct frames *frames, struct opener *opener, const struct vmad_caller *caller, int fd,
		     uint64_t budget_us)
{
	struct frame_range *ranges = malloc(RANGES_MAX * sizeof(*ranges));
	uint64_t deadline_us = budget_us ? clock_us() + budget_us : 0;
	long count = ranges ? read_ranges(opener, caller, ranges) : -ENOMEM;
	int r = count < 0 ? (int)count : 0;

	if (r == 0 && frames->by != FRAMES_BY_NODE)
		r = count_words(frames, fd, ranges, (size_t)count, deadline_us);
	for (long i = 0; r == 0 && frames->by == FRAMES_BY_NODE && i < count; i++)
		r = count_nodes(frames, &ranges[i], deadline_us);
	free(ranges);
	frames->complete = r == 0;
	tally_sort(&frames->tally);
	return r == -ETIMEDOUT ? 0 : r;
}

/* Once for all groups: a look-up of each would walk their tree as often. */
static int name_groups(struct frames *frames)
{
	frames->groups = calloc(frames->tally.kinds + 1, sizeof(*frames->groups));
	if (!frames->groups)
		return -ENOMEM;
	for (size_t i = 0; i < frames->tally.kinds; i++)
		if (frames->tally.slots[i].word)
			frames->groups[frames->group_count++].inode = frames->tally.slots[i].word;
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
	const struct tally_kind *kind;

	if (frames->next == frames->tally.kinds)
		return 0;
	kind = &frames->tally.slots[frames->next++];
	*ret_kind = (struct vmad_frame_kind){ .page_count = kind->count, .size_bytes = kind->count * (uint64_t)sysconf(_SC_PAGESIZE) };
	switch (frames->by) {
	case FRAMES_BY_FLAGS:
		tell_flags(frames, kind->word, ret_kind);
		break;
	case FRAMES_BY_NODE:
		tell_node(kind->word, ret_kind);
		break;
	case FRAMES_BY_CGROUP:
		tell_cgroup(frames, kind->word, ret_kind);
		break;
	}
	return 1;
}
