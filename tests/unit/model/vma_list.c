/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vma_list: what the file says, in its order; in parts, filtered, of processes without memory, and of those that die on the way. */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/vma_list.h"

static int list_of(struct opener *opener, int pid, const struct vma_list_query *query, struct vma_list **ret_list, struct vmad_error *err)
{
	struct target target = opened(opener, pid, OPENER_WANT(query->usage ? OPENER_SMAPS : OPENER_MAPS));

	return vma_list_new(&target, query, ret_list, err);
}

static struct vma_list *new_list(struct opener *opener, int pid, const struct vma_list_query *query)
{
	struct vma_list *list;

	assert_int_equal(list_of(opener, pid, query, &list, NULL), 0);
	return list;
}

static void assert_same_str(struct vmad_str a, struct vmad_str b)
{
	assert_int_equal(a.len, b.len);
	if (a.len)
		assert_memory_equal(a.p, b.p, a.len);
}

static void assert_same_vma(const struct vmad_vma *a, const struct vmad_vma *b)
{
	assert_int_equal(a->has, b->has);
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->offset_bytes, b->offset_bytes);
	assert_int_equal(a->device, b->device);
	assert_int_equal(a->inode, b->inode);
	assert_memory_equal(a->perms, b->perms, 4);
	assert_int_equal(a->deleted, b->deleted);
	assert_string_equal(a->kind, b->kind);
	if (a->has & VMAD_HAS(vma, path))
		assert_same_str(a->path, b->path);
	if (a->has & VMAD_HAS(vma, name))
		assert_same_str(a->name, b->name);
}

/* The list is the lines of the text; "Key: value" lines aside. */
static void expect_lines(struct vma_list *list, struct vmad_str text, size_t expected)
{
	struct vma_list_row row;
	struct vmad_str line;
	size_t count = 0;

	while (next_line(&text, &line)) {
		struct maps_entry entry;
		struct vmad_vma vma;

		if (maps_parse_line(line.p, line.len, &entry) < 0)
			continue;
		vma = vma_record(&entry);
		assert_int_equal(vma_list_next(list, &row, NULL), 1);
		assert_same_vma(&row.vma, &vma);
		count++;
	}
	assert_int_equal(count, expected);
	assert_int_equal(vma_list_next(list, &row, NULL), 0);
	assert_int_equal(vma_list_next(list, &row, NULL), 0);
	assert_int_equal(vma_list_end(list), VMA_LIST_COMPLETE);
}

static void captured(void **state)
{
	static const struct {
		const char *tree;
		int pid;
		const char *maps, *smaps;
		size_t count;
	} rows[] = {
		{ "linux-6.18", 4242, "linux-6.18/4242/maps", "linux-6.18/4242/smaps", 37 },
		{ "linux-6.18", 4243, "linux-6.18/4243/maps", "linux-6.18/4243/smaps", 38 },
		{ "linux-3.8", 700, "linux-3.8/700/maps", "linux-3.8/700/smaps", 6 },
		{ "odd", 100, "odd/100/maps", "odd/100/smaps", 2 },
		{ "odd", 101, "odd/101/maps", "odd/101/smaps", 7 },
		{ "odd", 102, "odd/102/maps", "odd/102/smaps", 15 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opener *opener = open_fixture(rows[i].tree);
		struct vma_list *maps = new_list(opener, rows[i].pid, &(struct vma_list_query){ 0 });
		struct vma_list *smaps = new_list(opener, rows[i].pid, &(struct vma_list_query){ .usage = true });

		expect_lines(maps, fixture(rows[i].maps), rows[i].count);
		expect_lines(smaps, fixture(rows[i].smaps), rows[i].count);
		vma_list_free(maps);
		vma_list_free(smaps);
		opener_free(opener);
	}
}

static struct vma_list_row first_row(const char *tree, int pid, struct vma_list **ret_list, struct opener **ret_opener)
{
	struct vma_list_row row;

	*ret_opener = open_fixture(tree);
	*ret_list = new_list(*ret_opener, pid, &(struct vma_list_query){ .usage = true });
	assert_int_equal(vma_list_next(*ret_list, &row, NULL), 1);
	return row;
}

static void keys_to_come(void **state)
{
	static const struct {
		const char *key, *value;
	} unknown[] = { { "Future_Pages", "12 kB" }, { "Future_Count", "7" }, { "Future_Words", "ab cd" } };
	struct opener *opener;
	struct vma_list *list;
	struct vma_list_row row = first_row("odd", 100, &list, &opener);

	(void)state;
	assert_int_equal(row.unknown_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_bytes(row.unknown[i].key, unknown[i].key);
		assert_bytes(row.unknown[i].value, unknown[i].value);
	}
	assert_str(row.usage.flags, "rd mr ?? zz sl");
	assert_int_equal(row.usage.rss_bytes, 4096);
	assert_int_equal(vma_list_next(list, &row, NULL), 1);
	assert_true(row.usage.has & VMAD_HAS(usage, flags));	/* there, and empty */
	assert_int_equal(row.usage.flags.len, 0);
	assert_false(row.usage.has & VMAD_HAS(usage, protection_key));
	vma_list_free(list);
	opener_free(opener);
}

static void older_kernels(void **state)
{
	struct opener *opener;
	struct vma_list *list;
	struct vma_list_row row = first_row("linux-3.8", 700, &list, &opener);

	(void)state;
	assert_true(row.usage.has & VMAD_HAS(usage, flags));
	assert_false(row.usage.has & (VMAD_HAS(usage, pss_dirty_bytes) | VMAD_HAS(usage, ksm_bytes) | VMAD_HAS(usage, thp_eligible)));
	vma_list_free(list);
	opener_free(opener);
	row = first_row("linux-2.6", 600, &list, &opener);
	assert_true(row.usage.has & VMAD_HAS(usage, rss_bytes));
	assert_false(row.usage.has & (VMAD_HAS(usage, flags) | VMAD_HAS(usage, anonymous_bytes)));
	vma_list_free(list);
	opener_free(opener);
}

/* Parts of `limit` rows, each from where the last one ended, are the whole. */
static void expect_parts(struct opener *opener, uint64_t limit, bool usage, const uint64_t *starts, size_t count)
{
	struct vma_list_query query = { .limit = limit, .usage = usage };
	enum vma_list_end end;
	size_t given = 0;

	do {
		struct vma_list *list = new_list(opener, 102, &query);
		struct vma_list_row row;
		size_t part = 0;

		for (; vma_list_next(list, &row, NULL) > 0; part++, given++) {
			assert_true(given < count);
			assert_int_equal(row.vma.start, starts[given]);
		}
		end = vma_list_end(list);
		assert_int_equal(part, end == VMA_LIST_LIMIT ? limit : part);
		assert_true(part && part <= limit);
		query.after = vma_list_next_after(list);
		vma_list_free(list);
	} while (end == VMA_LIST_LIMIT);
	assert_int_equal(end, VMA_LIST_COMPLETE);
	assert_int_equal(given, count);
}

static void parts(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct vma_list *list = new_list(opener, 102, &(struct vma_list_query){ 0 });
	struct vma_list_row row;
	uint64_t starts[16];
	size_t count = 0;

	(void)state;
	while (vma_list_next(list, &row, NULL) > 0)
		starts[count++] = row.vma.start;
	vma_list_free(list);
	assert_int_equal(count, 15);
	for (uint64_t limit = 1; limit <= count + 1; limit++) {
		expect_parts(opener, limit, false, starts, count);
		expect_parts(opener, limit, true, starts, count);
	}
	opener_free(opener);
}

static size_t count_rows(struct opener *opener, const struct vma_list_query *query, enum vma_list_end *ret_end)
{
	struct vma_list *list = new_list(opener, 102, query);
	struct vma_list_row row;
	size_t count = 0;

	while (vma_list_next(list, &row, NULL) > 0)
		count++;
	*ret_end = vma_list_end(list);
	vma_list_free(list);
	return count;
}

static void filtered(void **state)
{
	static const struct {
		struct vma_list_query query;
		size_t count;
		enum vma_list_end end;
	} rows[] = {
		{ { .after = 0x401000 }, 14, VMA_LIST_COMPLETE },
		{ { .after = 0x400fff }, 15, VMA_LIST_COMPLETE },
		{ { .after = UINT64_MAX }, 0, VMA_LIST_COMPLETE },
		{ { .filter.end = 0x10000000 }, 1, VMA_LIST_COMPLETE },
		{ { .filter.end = 0x10000001 }, 2, VMA_LIST_COMPLETE },
		{ { .filter = { .start = 0x7f0000011fff, .end = 0x7f0000012001 } }, 2, VMA_LIST_COMPLETE },
		{ { .filter.kinds = 1 << KIND_VSYSCALL | 1 << KIND_HEAP }, 2, VMA_LIST_COMPLETE },
		{ { .filter.deleted = VMA_DELETED_YES }, 4, VMA_LIST_COMPLETE },
		{ { .filter.deleted = VMA_DELETED_YES, .limit = 4 }, 4, VMA_LIST_COMPLETE },	/* no more that match */
		{ { .filter.deleted = VMA_DELETED_YES, .limit = 3 }, 3, VMA_LIST_LIMIT },
		{ { .filter = { .deleted = VMA_DELETED_YES, .end = 0x7f0000011000 }, .limit = 3 }, 3, VMA_LIST_COMPLETE },
		{ { .filter.path = "/dev/*" }, 2, VMA_LIST_COMPLETE },
		{ { .filter.path = "/no/such" }, 0, VMA_LIST_COMPLETE },
		{ { .filter.perms = "..x." }, 3, VMA_LIST_COMPLETE },
		{ { .filter.min_size_bytes = 1 << 20 }, 1, VMA_LIST_COMPLETE },
	};
	struct opener *opener = open_fixture("odd");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vma_list_query query = rows[i].query;

		for (int usage = 0; usage < 2; usage++) {
			enum vma_list_end end;

			query.usage = usage;
			assert_int_equal(count_rows(opener, &query, &end), rows[i].count);
			assert_int_equal(end, rows[i].end);
		}
	}
	opener_free(opener);
}

static enum vma_list_end end_of_empty(struct opener *opener, int pid, bool usage)
{
	struct vma_list *list = new_list(opener, pid, &(struct vma_list_query){ .usage = usage });
	struct vma_list_row row;
	enum vma_list_end end;

	assert_int_equal(vma_list_next(list, &row, NULL), 0);
	end = vma_list_end(list);
	vma_list_free(list);
	return end;
}

static void no_memory(void **state)
{
	struct opener *opener = open_fixture("odd");

	(void)state;
	for (int usage = 0; usage < 2; usage++) {
		assert_int_equal(end_of_empty(opener, 2, usage), VMA_LIST_COMPLETE);
		assert_int_equal(end_of_empty(opener, 103, usage), VMA_LIST_COMPLETE);
	}
	opener_free(opener);
	made_process(1, "gone", 'S', 7);
	made_puts("1/maps", "");
	opener = open_made();
	assert_int_equal(end_of_empty(opener, 1, false), VMA_LIST_TARGET_GONE);
	opener_free(opener);
}

/* The leader exited: the lines are those of the thread that lives. */
static void leaderless(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct vma_list *maps = new_list(opener, 104, &(struct vma_list_query){ 0 });
	struct vma_list *smaps = new_list(opener, 104, &(struct vma_list_query){ .usage = true });
	struct vmad_str text = fixture("odd/104/task/106/maps"), line;
	size_t count = 0;

	(void)state;
	while (next_line(&text, &line))
		count++;
	assert_true(count > 0);
	expect_lines(maps, fixture("odd/104/task/106/maps"), count);
	expect_lines(smaps, fixture("odd/104/task/106/smaps"), count);
	vma_list_free(maps);
	vma_list_free(smaps);
	opener_free(opener);
}

static void unreadable(void **state)
{
	static const char maps[] = "1000-2000 rw-p 00000000 00:00 0 \nwhat is this\n2000-3000 rw-p 00000000 00:00 0 \n";
	static const char smaps[] = "1000-2000 rw-p 00000000 00:00 0 \nRss: many kB\n";
	struct vma_list_row row;
	struct vmad_error err;
	struct opener *opener;
	struct vma_list *list;

	(void)state;
	made_process(2, "odd", 'S', 7);
	made_puts("2/maps", maps);
	made_puts("2/smaps", smaps);
	opener = open_made();
	list = new_list(opener, 2, &(struct vma_list_query){ 0 });
	assert_int_equal(vma_list_next(list, &row, &err), 1);
	assert_int_equal(vma_list_next(list, &row, &err), -EIO);
	assert_int_equal(err.pid, 2);
	vma_list_free(list);
	list = new_list(opener, 2, &(struct vma_list_query){ .usage = true });
	assert_int_equal(vma_list_next(list, &row, &err), -EIO);
	assert_string_equal(err.file, "smaps");
	vma_list_free(list);
	opener_free(opener);
}

/* More unknown keys than there is room for: those that fit come, and the next VMA is none the worse. */
static void too_many_keys(void **state)
{
	struct vma_list_row row;
	struct opener *opener;
	struct vma_list *list;
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	fprintf(file, "1000-2000 rw-p 00000000 00:00 0 \n");
	for (int i = 0; i < VMA_LIST_UNKNOWN_MAX + 4; i++)
		fprintf(file, "New%d: %d kB\n", i, i);
	fprintf(file, "Rss: 4 kB\n2000-3000 rw-p 00000000 00:00 0 \nRss: 8 kB\n");
	fclose(file);
	made_process(3, "new", 'S', 7);
	made_put("3/smaps", text, size);
	free(text);
	opener = open_made();
	list = new_list(opener, 3, &(struct vma_list_query){ .usage = true });
	assert_int_equal(vma_list_next(list, &row, NULL), 1);
	assert_int_equal(row.unknown_count, VMA_LIST_UNKNOWN_MAX);
	assert_int_equal(row.usage.rss_bytes, 4096);
	assert_int_equal(vma_list_next(list, &row, NULL), 1);
	assert_int_equal(row.unknown_count, 0);
	assert_int_equal(row.usage.rss_bytes, 8192);
	vma_list_free(list);
	opener_free(opener);
}

static void long_list(void **state)
{
	enum { LINES = 60000 };
	struct opener *opener;
	struct vma_list *list;
	struct vmad_str copy;
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	for (uint64_t i = 0; i < LINES; i++)
		fprintf(file, "%llx-%llx %s 00000000 fe:00 %llu                    /srv/%0*llu\n", 0x7f0000000000ULL + i * 8192,
			0x7f0000001000ULL + i * 8192, i % 2 ? "r--p" : "rw-s", (unsigned long long)i, (int)(i % 200 + 1),
			(unsigned long long)i);
	fclose(file);
	made_process(4, "long", 'S', 7);
	made_put("4/maps", text, size);
	made_put("4/smaps", text, size);
	copy = (struct vmad_str){ text, size };
	opener = open_made();
	for (int usage = 0; usage < 2; usage++) {
		list = new_list(opener, 4, &(struct vma_list_query){ .usage = usage });
		expect_lines(list, copy, LINES);
		vma_list_free(list);
	}
	free(text);
	opener_free(opener);
}

/* A process of so many VMAs that a reader cannot have read them all when the first one is given. */
static pid_t start_large(void)
{
	enum { AREAS = 8000 };
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork_child();
	if (pid == 0) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *area = mmap(NULL, AREAS * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (size_t i = 0; i < AREAS; i += 2)
			mprotect(area + i * page, page, PROT_NONE);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void dies_on_the_way(void **state)
{
	struct opener *opener = open_proc();

	(void)state;
	for (int usage = 0; usage < 2; usage++) {
		pid_t pid = start_large();
		struct vma_list *list = new_list(opener, pid, &(struct vma_list_query){ .usage = usage });
		struct vma_list_row row;
		size_t count = 1;
		int r;

		assert_int_equal(vma_list_next(list, &row, NULL), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while ((r = vma_list_next(list, &row, NULL)) > 0)
			count++;
		assert_int_equal(r, 0);
		assert_int_equal(vma_list_end(list), VMA_LIST_TARGET_GONE);
		assert_in_range(count, 1, 7999);
		vma_list_free(list);
	}
	opener_free(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("captured trees, line by line", captured),
		CASE("keys and flags that this vmad does not know", keys_to_come),
		CASE("what older kernels do not say is absent", older_kernels),
		CASE("parts of every size are the whole", parts),
		CASE("filters, after and limit together", filtered),
		CASE("an empty file: a thread of the kernel, a zombie, or gone", no_memory),
		CASE("the leader exited", leaderless),
		CASE("lines and values that are none", unreadable),
		CASE("more unknown keys than there is room for", too_many_keys),
		CASE("60,000 lines", long_list),
		CASE("a process that dies on the way", dies_on_the_way),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
