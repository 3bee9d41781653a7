/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/record_cut.h"
#include "source/reader.h"

struct vma_list {
	struct target target;
	struct vma_list_query query;
	struct reader *reader;
	struct record_cut cut;
	uint64_t given;			/* rows so far */
	uint64_t last_end;		/* end of the last row */
	uint64_t seen;			/* records read, wanted or not */
	enum vma_list_end end;
	bool ended;
};

int vma_list_new(struct target *target, const struct vma_list_query *query, struct vma_list **ret_list,
		 struct vmad_error *err)
{
	enum opener_file file = query->usage ? OPENER_SMAPS : OPENER_MAPS;
	struct vma_list *list = calloc(1, sizeof(*list));
	int r;

	if (!list) {
		target_close(target);
		return vmad_fail(err, ENOMEM, target->files.pid, NULL, "allocate");
	}
	list->target = *target;
	list->query = *query;
	r = reader_new(target_take(&list->target, file), list->target.files.pid, opener_file_name(file),
		       query->usage ? READER_PACED : READER_UNPACED, &list->reader, err);
	if (r < 0) {
		vma_list_free(list);
		return r;
	}
	record_cut_init(&list->cut, list->reader, query->usage);
	*ret_list = list;
	return 0;
}

void vma_list_free(struct vma_list *list)
{
	if (!list)
		return;
	record_cut_free(&list->cut);
	reader_free(list->reader);
	target_close(&list->target);
	free(list);
}

const struct target *vma_list_target(const struct vma_list *list)
{
	return &list->target;
}

static int finish(struct vma_list *list, enum vma_list_end end)
{
	list->ended = true;
	list->end = end;
	return 0;
}

/* An empty file is the truth for a thread of the kernel; for all others it means that the mm is gone. */
static int finish_at_eof(struct vma_list *list, struct vmad_error *err)
{
	int alive = list->seen ? reader_target_alive(list->reader) : target_has_no_mm(&list->target);

	if (alive < 0)
		return vmad_fail(err, -alive, list->target.files.pid, list->query.usage ? "smaps" : "maps", "read");
	return finish(list, alive ? VMA_LIST_COMPLETE : VMA_LIST_TARGET_GONE);
}

/* The next record of the file, wanted or not; and its keys, for smaps. */
static int read_row(struct vma_list *list, struct vma_list_row *row, struct vmad_str *ret_keys, struct vmad_error *err)
{
	struct maps_entry entry;
	struct vmad_str line;
	int r = record_cut_next(&list->cut, &line, ret_keys, err);

	if (r <= 0)
		return r;
	if (maps_parse_line(line.p, line.len, &entry) < 0)
		return vmad_fail(err, EIO, list->target.files.pid, "maps", "parse");
	list->seen++;
	row->vma = vma_record(&entry);
	row->usage.has = 0;
	row->unknown_count = 0;
	return 1;
}

static void keep_unknown(void *arg, struct vmad_str key, struct vmad_str value)
{
	struct vma_list_row *row = arg;

	if (row->unknown_count == VMA_LIST_UNKNOWN_MAX)
		return;
	row->unknown[row->unknown_count].key = key;
	row->unknown[row->unknown_count++].value = value;
}

static int read_usage(struct vma_list *list, struct vma_list_row *row, struct vmad_str keys, struct vmad_error *err)
{
	if (smaps_parse_keys(keys.p, keys.len, &row->usage, keep_unknown, row) < 0)
		return vmad_fail(err, EIO, list->target.files.pid, "smaps", "parse");
	return 1;
}

int vma_list_next(struct vma_list *list, struct vma_list_row *row, struct vmad_error *err)
{
	struct vmad_str keys;

	while (!list->ended) {
		int r = read_row(list, row, &keys, err);

		if (r == 0)
			return finish_at_eof(list, err);
		if (r == -ESRCH)	/* reaped: not even the file's end can be read */
			return finish(list, VMA_LIST_TARGET_GONE);
		if (r < 0)
			return r;
		if (vma_is_beyond(&list->query.filter, row->vma.start))
			return finish(list, VMA_LIST_COMPLETE);
		if (row->vma.end <= list->query.after || !vma_matches(&list->query.filter, &row->vma))
			continue;
		if (list->query.limit && list->given == list->query.limit)
			return finish(list, VMA_LIST_LIMIT);
		if (list->query.usage && read_usage(list, row, keys, err) < 0)
			return -EIO;
		list->given++;
		list->last_end = row->vma.end;
		return 1;
	}
	return 0;
}

enum vma_list_end vma_list_end(const struct vma_list *list)
{
	return list->end;
}

uint64_t vma_list_next_after(const struct vma_list *list)
{
	return list->last_end;
}

uint64_t vma_list_kernel_us(const struct vma_list *list)
{
	return reader_kernel_us(list->reader);
}
