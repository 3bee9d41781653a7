/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame: one frame, by files of words that are made for the test: kernels that tell less, and folios. */
#include "model.h"

#include <errno.h>
#include <unistd.h>

#include "model/frame.h"

#define FRAMES 64

static const uint64_t flags[FRAMES] = {
	[1] = KPAGE_BIT(LRU) | KPAGE_BIT(ANON),
	[8] = KPAGE_BIT(COMPOUND_HEAD) | KPAGE_BIT(THP),
	[9] = KPAGE_BIT(COMPOUND_TAIL) | KPAGE_BIT(THP),
	[10] = KPAGE_BIT(COMPOUND_TAIL) | KPAGE_BIT(THP),
	[11] = KPAGE_BIT(COMPOUND_TAIL) | KPAGE_BIT(THP),
	[12] = KPAGE_BIT(COMPOUND_HEAD),
};
static const uint64_t counts[FRAMES] = { [1] = 41, [10] = 3 };
/* no group has that inode */
static const uint64_t groups[FRAMES] = { [1] = UINT64_MAX };

static struct frame_files files;

static int set_up(void **state)
{
	(void)state;
	files = (struct frame_files){
		.flags_fd = file_of((const char *)flags, sizeof(flags)),
		.count_fd = file_of((const char *)counts, sizeof(counts)),
		.cgroup_fd = file_of((const char *)groups, sizeof(groups)),
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	frame_files_close(&files);
	return files.flags_fd == -1 && files.count_fd == -1 && files.cgroup_fd == -1 ? 0 : -1;
}

static void a_frame(void **state)
{
	struct frame frame = { 0 };

	(void)state;
	assert_int_equal(frame_read(&files, 1, &frame), 0);
	assert_int_equal(frame.record.pfn, 1);
	assert_str(frame.record.flags, "lru anon");
	assert_true(frame.record.has & VMAD_HAS(frame, mapcount));
	assert_int_equal(frame.record.mapcount, 41);
	assert_int_equal(frame.record.folio_head_pfn, 1);
	assert_int_equal(frame.record.folio_page_count, 1);
	frame_clear(&frame);
}

static void a_folio(void **state)
{
	struct frame frame = { 0 };

	(void)state;
	assert_int_equal(frame_read(&files, 10, &frame), 0);
	assert_int_equal(frame.record.folio_head_pfn, 8);
	assert_int_equal(frame.record.folio_page_count, 4);
	assert_int_equal(frame.record.folio_size_bytes, 4 * (uint64_t)sysconf(_SC_PAGESIZE));
	assert_int_equal(frame.record.folio_index, 2);
	frame_clear(&frame);
}

static void groups_of_frames(void **state)
{
	struct frame frame = { 0 };

	(void)state;
	assert_int_equal(frame_read(&files, 1, &frame), 0);
	assert_true(frame.record.has & VMAD_HAS(frame, cgroup_inode));
	assert_true(frame.record.cgroup_inode == UINT64_MAX);
	assert_false(frame.record.has & VMAD_HAS(frame, cgroup));	/* gone, or out of sight */
	frame_clear(&frame);
	assert_int_equal(frame_read(&files, 8, &frame), 0);
	assert_false(frame.record.has & (VMAD_HAS(frame, cgroup_inode) | VMAD_HAS(frame, cgroup)));
	frame_clear(&frame);
}

/* kpagecgroup came with Linux 4.3. */
static void old_kernels(void **state)
{
	struct frame_files old = { .flags_fd = files.flags_fd, .count_fd = -ENOENT, .cgroup_fd = -ENOENT };
	struct frame frame = { 0 };

	(void)state;
	assert_int_equal(frame_read(&old, 1, &frame), 0);
	assert_str(frame.record.flags, "lru anon");
	assert_false(frame.record.has & (VMAD_HAS(frame, mapcount) | VMAD_HAS(frame, cgroup_inode) | VMAD_HAS(frame, cgroup)));
	frame_clear(&frame);
	old.flags_fd = -ENOENT;
	assert_int_equal(frame_read(&old, 1, &frame), -EOPNOTSUPP);
}

static void no_such_frame(void **state)
{
	struct frame frame = { 0 };

	(void)state;
	assert_int_equal(frame_read(&files, FRAMES, &frame), -ENXIO);
	assert_int_equal(frame_read(&files, UINT64_MAX, &frame), -ENXIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("flags, map count; a folio of its own", a_frame),
		CASE("a frame in the middle of a folio", a_folio),
		CASE("control groups that cannot be found, and none", groups_of_frames),
		CASE("kernels that tell less", old_kernels),
		CASE("a frame that there is not", no_such_frame),
	};

	return cmocka_run_group_tests_name("model/frame", tests, set_up, tear_down);
}
