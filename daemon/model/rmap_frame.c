/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/mapcounts.h"
#include "source/words.h"

int rmap_frame_open(struct rmap_frame *frame, struct opener *opener, const struct vmad_caller *caller,
		    struct vmad_error *err)
{
	*frame = (struct rmap_frame){ .files = FRAME_FILES_NONE };
	if (opener_is_captured(opener))
		return vmad_fail(err, EOPNOTSUPP, 0, "kpageflags", "open");
	frame->files = frame_files_open(opener, caller);
	if (frame->files.flags_fd < 0 || frame->files.count_fd < 0)
		return vmad_fail(err, EOPNOTSUPP, 0, frame->files.flags_fd < 0 ? "kpageflags" : "kpagecount", "open");
	return 0;
}

void rmap_frame_close(struct rmap_frame *frame)
{
	frame_files_close(&frame->files);
	free(frame->cgroup);
}

static bool is_counted(const struct rmap_frame *frame)
{
	return frame->record.has & VMAD_HAS(frame, mapcount);
}

bool rmap_frame_read(struct rmap_frame *frame, uint64_t pfn)
{
	frame->is_there = words_read(frame->files.flags_fd, pfn, &frame->flags, 1) == 1;
	if (!frame->is_there)
		return false;
	frame->record = (struct vmad_frame){ .pfn = pfn };
	frame->record.flags = (struct vmad_str){ frame->flag_names, kpage_flag_names(frame->flags, frame->flag_names) };
	if (words_read(frame->files.count_fd, pfn, &frame->count, 1) == 1) {
		frame->record.has = VMAD_HAS(frame, mapcount);
		frame->record.mapcount = frame->count;
	}
	free(frame->cgroup);
	frame_add_place(&frame->files, frame->flags, &frame->record, &frame->cgroup);
	return true;
}

bool rmap_frame_recount(struct rmap_frame *frame)
{
	if (words_read(frame->files.count_fd, frame->record.pfn, &frame->count, 1) != 1)
		return false;
	if (is_counted(frame))
		frame->record.mapcount = frame->count;
	return true;
}

/* Frames that page tables may map although nothing is counted, by what the kernel says of them. */
static const struct {
	uint64_t flag;
	const char *reason;
} uncounted[] = {
	{ KPAGE_BIT(SLAB), "slab" },
	{ KPAGE_BIT(BUDDY), "free" },
	{ KPAGE_BIT(PGTABLE), "page-table" },
	{ KPAGE_BIT(NOPAGE), "no-page-frame" },
	{ KPAGE_BIT(RESERVED), "reserved" },
};

const char *rmap_frame_why_unprovable(const struct rmap_frame *frame, bool is_mapped, struct opener *opener,
				      const struct vmad_caller *caller)
{
	const uint64_t compound = KPAGE_BIT(COMPOUND_HEAD) | KPAGE_BIT(COMPOUND_TAIL);
	struct stat ns;

	if (frame->flags & KPAGE_BIT(ZERO_PAGE))
		return "zero-page";
	for (size_t i = 0; !frame->count && i < sizeof(uncounted) / sizeof(uncounted[0]); i++) {
		if (frame->flags & uncounted[i].flag)
			return uncounted[i].reason;
	}
	if (!is_counted(frame) || (!frame->count && is_mapped))
		return "not-counted";
	if (frame->flags & compound && !(frame->flags & KPAGE_BIT(HUGE)) && !mapcounts_are_exact(opener, caller))
		return "average-mapcount";
	/*
	 * include/uapi/linux/nsfs.h PID_NS_INIT_INO: in another one, there are processes that cannot be seen from here.
	 */
	if (stat("/proc/self/ns/pid", &ns) < 0 || ns.st_ino != 0xEFFFFFFCU)
		return "pid-namespace";
	return NULL;
}
