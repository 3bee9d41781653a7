/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/cgroup.h"
#include "source/numa.h"
#include "source/words.h"

struct frame_files frame_files_open(struct opener *opener, const struct vmad_caller *caller)
{
	return (struct frame_files){
		.flags_fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGEFLAGS),
		.count_fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGECOUNT),
		.cgroup_fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGECGROUP),
	};
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void frame_files_close(struct frame_files *files)
{
	close_file(&files->flags_fd);
	close_file(&files->count_fd);
	close_file(&files->cgroup_fd);
}

static bool read_word(int fd, uint64_t pfn, uint64_t *ret_word)
{
	return fd >= 0 && words_read(fd, pfn, ret_word, 1) == 1;
}

static void add_folio(int flags_fd, uint64_t flags, struct vmad_frame *record)
{
	uint64_t head = record->pfn, count = 1;

	if (flags & (KPAGE_BIT(COMPOUND_HEAD) | KPAGE_BIT(COMPOUND_TAIL)) && kpage_folio(flags_fd, record->pfn, &head, &count) < 0)
		return;
	record->has |= VMAD_HAS(frame, folio_head_pfn) | VMAD_HAS(frame, folio_page_count) | VMAD_HAS(frame, folio_size_bytes) |
		       VMAD_HAS(frame, folio_index);
	record->folio_head_pfn = head;
	record->folio_page_count = count;
	record->folio_size_bytes = count * (uint64_t)sysconf(_SC_PAGESIZE);
	record->folio_index = record->pfn - head;
}

/* 0: charged to no group. */
static void add_cgroup(int cgroup_fd, struct vmad_frame *record, char **ret_cgroup)
{
	uint64_t inode;

	if (!read_word(cgroup_fd, record->pfn, &inode) || !inode)
		return;
	record->has |= VMAD_HAS(frame, cgroup_inode);
	record->cgroup_inode = inode;
	*ret_cgroup = cgroup_path(cgroup_root(), inode);
	if (!*ret_cgroup)
		return;
	record->has |= VMAD_HAS(frame, cgroup);
	record->cgroup = (struct vmad_str){ *ret_cgroup, strlen(*ret_cgroup) };
}

static void add_node(struct vmad_frame *record)
{
	unsigned node;
	uint64_t end;

	if (numa_node_of(NUMA_SYSFS, record->pfn, &node, &end) < 0)
		return;
	record->has |= VMAD_HAS(frame, node);
	record->node = node;
}

void frame_add_place(const struct frame_files *files, uint64_t flags, struct vmad_frame *record, char **ret_cgroup)
{
	*ret_cgroup = NULL;
	add_folio(files->flags_fd, flags, record);
	add_cgroup(files->cgroup_fd, record, ret_cgroup);
	add_node(record);
}

int frame_read(const struct frame_files *files, uint64_t pfn, struct frame *ret_frame)
{
	struct vmad_frame *record = &ret_frame->record;
	long n = files->flags_fd < 0 ? -EOPNOTSUPP : words_read(files->flags_fd, pfn, &ret_frame->flags, 1);

	if (n <= 0)
		return n < 0 ? (int)n : -ENXIO;
	*record = (struct vmad_frame){ .pfn = pfn };
	record->flags = (struct vmad_str){ ret_frame->flag_names, kpage_flag_names(ret_frame->flags, ret_frame->flag_names) };
	if (read_word(files->count_fd, pfn, &record->mapcount))
		record->has |= VMAD_HAS(frame, mapcount);
	frame_add_place(files, ret_frame->flags, record, &ret_frame->cgroup);
	return 0;
}

void frame_clear(struct frame *frame)
{
	free(frame->cgroup);
	*frame = (struct frame){ 0 };
}
