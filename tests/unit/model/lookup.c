/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookup: one address, by the text of maps and by PROCMAP_QUERY, which must agree; also while the process maps and unmaps. */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/lookup.h"
#include "source/procmap_query.h"

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))
#define VSYSCALL UINT64_C(0xffffffffff600000)

static struct lookup *look_up(struct target *target, uint64_t address)
{
	struct lookup *lookup;

	assert_int_equal(lseek(target->files.fd[OPENER_MAPS], 0, SEEK_SET), 0);
	assert_int_equal(lookup_new(target, address, &lookup, NULL), 0);
	assert_int_equal(lookup_record(lookup)->address, address);
	return lookup;
}

static uint64_t start_of(const struct vmad_vma *vma)
{
	return vma ? vma->start : 0;
}

/* odd/102 has a VMA of each kind, and [vsyscall] in the upper half. 0 stands for "is not there". */
static void captured(void **state)
{
	static const struct {
		uint64_t address, vma, previous, next, gap_start, gap_end;
	} rows[] = {
		{ 0, 0, 0, 0x400000, 0, 0x400000 },
		{ 0x3fffff, 0, 0, 0x400000, 0, 0x400000 },
		{ 0x400000, 0x400000, 0, 0x10000000, 0, 0 },
		{ 0x400fff, 0x400000, 0, 0x10000000, 0, 0 },
		{ 0x401000, 0, 0x400000, 0x10000000, 0x401000, 0x10000000 },
		{ 0x7f0000010000, 0x7f0000010000, 0x7f0000000000, 0x7f0000011000, 0, 0 },
		{ 0x7f0000010fff, 0x7f0000010000, 0x7f0000000000, 0x7f0000011000, 0, 0 },
		{ 0x7ffc00104000, 0x7ffc00104000, 0x7ffc00100000, 0, 0, 0 },
		{ VSYSCALL, VSYSCALL, 0x7ffc00104000, 0, 0, 0 },
		{ VSYSCALL + 0xfff, VSYSCALL, 0x7ffc00104000, 0, 0, 0 },
#ifdef __x86_64__
		{ 0x7ffc00106000, 0, 0x7ffc00104000, 0, 0x7ffc00106000, 0x7ffffffff000 },
		{ 0x7fffffffefff, 0, 0x7ffc00104000, 0, 0x7ffc00106000, 0x7ffffffff000 },
#endif
	};
	struct opener *opener = open_fixture("odd");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target target = opened(opener, 102, OPENER_WANT(OPENER_MAPS));
		struct lookup *lookup = look_up(&target, rows[i].address);
		const struct vmad_lookup *record = lookup_record(lookup);

		assert_string_equal(lookup_source(lookup), "maps");
		assert_int_equal(start_of(record->vma), rows[i].vma);
		assert_int_equal(start_of(record->previous), rows[i].previous);
		assert_int_equal(start_of(record->next), rows[i].next);
		assert_int_equal(record->gap ? record->gap->start : 0, rows[i].gap_start);
		assert_int_equal(record->gap ? record->gap->end : 0, rows[i].gap_end);
		assert_int_equal(record->gap ? record->gap->size_bytes : 0, rows[i].gap_end - rows[i].gap_start);
		assert_false(record->has & VMAD_HAS(lookup, beyond_user_space));
		assert_true(record->exact);
		lookup_free(lookup);
		target_close(&target);
	}
	opener_free(opener);
}

static void beyond(void **state)
{
	static const uint64_t addresses[] = { UINT64_C(1) << 56, UINT64_C(1) << 63, VSYSCALL - 1, VSYSCALL + 0x1000, UINT64_MAX };
	struct opener *opener = open_fixture("odd");

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct target target = opened(opener, 102, OPENER_WANT(OPENER_MAPS));
		struct lookup *lookup = look_up(&target, addresses[i]);
		const struct vmad_lookup *record = lookup_record(lookup);

		assert_null(record->vma);
		assert_null(record->gap);
		assert_null(record->next);
		assert_int_equal(start_of(record->previous), addresses[i] > VSYSCALL ? VSYSCALL : 0x7ffc00104000);
		assert_true(record->has & VMAD_HAS(lookup, beyond_user_space) && record->beyond_user_space);
		lookup_free(lookup);
		target_close(&target);
	}
	opener_free(opener);
}

static void file_offsets(void **state)
{
	static const struct {
		uint64_t address, offset;
		bool has;
	} rows[] = {
		{ 0x400123, 0x123, true },			/* a file */
		{ 0x7f0000014fff, 0xfee00fff, true },		/* /dev/mem */
		{ 0x20000000, 0, false },			/* [heap] */
		{ 0x7f0000016000, 0, false },			/* no name */
	};
	struct opener *opener = open_fixture("odd");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target target = opened(opener, 102, OPENER_WANT(OPENER_MAPS));
		struct lookup *lookup = look_up(&target, rows[i].address);
		const struct vmad_lookup *record = lookup_record(lookup);

		assert_int_equal((record->has & VMAD_HAS(lookup, file_offset_bytes)) != 0, rows[i].has);
		assert_int_equal(record->file_offset_bytes, rows[i].offset);
		lookup_free(lookup);
		target_close(&target);
	}
	opener_free(opener);
}

static int result_of(struct opener *opener, int pid, struct vmad_error *err)
{
	struct target target = opened(opener, pid, OPENER_WANT(OPENER_MAPS));
	struct lookup *lookup = NULL;
	int r = lookup_new(&target, 0x1000, &lookup, err);

	if (r == 0) {
		assert_null(lookup_record(lookup)->vma);
		assert_int_equal(lookup_record(lookup)->gap->start, 0);
	}
	lookup_free(lookup);
	target_close(&target);
	return r;
}

static void without_lines(void **state)
{
	struct vmad_error err = { 0 };
	struct opener *opener = open_fixture("odd");

	(void)state;
	assert_int_equal(result_of(opener, 2, &err), 0);
	assert_int_equal(result_of(opener, 103, &err), 0);
	opener_free(opener);
	made_process(1, "gone", 'S', 7);
	made_puts("1/maps", "");
	made_process(2, "odd", 'S', 7);
	made_puts("2/maps", "what is this\n");
	opener = open_made();
	assert_int_equal(result_of(opener, 1, &err), -ESRCH);
	assert_int_equal(err.pid, 1);
	assert_int_equal(result_of(opener, 2, &err), -EIO);
	assert_int_equal(err.pid, 2);
	opener_free(opener);
}

/* A child that does nothing, or that maps and unmaps in a loop. */
static pid_t start_child(bool busy)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork_child();
	if (pid == 0) {
		(void)!write(ready[1], "x", 1);
		while (!busy)
			pause();
		for (size_t i = 0;; i++) {
			char *area = mmap(NULL, 64 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			mprotect(area + 8 * PAGE, 8 * PAGE, PROT_NONE);
			munmap(area + (i % 64) * PAGE, PAGE);
			munmap(area, 64 * PAGE);
		}
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void assert_same_vma(const struct vmad_vma *a, const struct vmad_vma *b)
{
	const struct vmad_str *x, *y;

	assert_int_equal(a != NULL, b != NULL);
	if (!a)
		return;
	assert_int_equal(a->has, b->has);
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->end, b->end);
	assert_memory_equal(a->perms, b->perms, 4);
	assert_int_equal(a->offset_bytes, b->offset_bytes);
	assert_int_equal(a->device, b->device);
	assert_int_equal(a->inode, b->inode);
	x = a->has & VMAD_HAS(vma, path) ? &a->path : &a->name;
	y = a->has & VMAD_HAS(vma, path) ? &b->path : &b->name;
	assert_int_equal(x->len, y->len);
	if (x->len)
		assert_memory_equal(x->p, y->p, x->len);
}

/* query: the live maps; text: a copy of it, which no ioctl works on. */
static void expect_agreement(struct target *query, struct target *text, uint64_t address)
{
	struct lookup *a = look_up(query, address), *b = look_up(text, address);
	const struct vmad_lookup *x = lookup_record(a), *y = lookup_record(b);

	assert_string_equal(lookup_source(b), "maps");
	assert_int_equal(x->has, y->has);
	assert_int_equal(x->file_offset_bytes, y->file_offset_bytes);
	assert_same_vma(x->vma, y->vma);
	assert_same_vma(x->previous, y->previous);
	assert_same_vma(x->next, y->next);
	assert_int_equal(x->gap != NULL, y->gap != NULL);
	if (x->gap) {
		assert_int_equal(x->gap->start, y->gap->start);
		assert_int_equal(x->gap->end, y->gap->end);
	}
	if (address < UINT64_C(1) << 47)
		assert_string_equal(lookup_source(a), "PROCMAP_QUERY");
	assert_true(x->exact || !strcmp(lookup_source(a), "maps"));
	lookup_free(a);
	lookup_free(b);
}

static struct vmad_str read_all(int fd)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	return (struct vmad_str){ text, len };
}

static void agree_on_edges(struct target *query, struct target *text, struct vmad_str maps)
{
	static const uint64_t others[] = { 0, 1, 0xfff, 0x7fffffffefff, 0x7ffffffff000, UINT64_C(1) << 47, UINT64_C(1) << 55,
					   (UINT64_C(1) << 56) - 0x1001, (UINT64_C(1) << 56) - 0x1000, UINT64_C(1) << 63, VSYSCALL - 1,
					   VSYSCALL, VSYSCALL + 0xfff, VSYSCALL + 0x1000, UINT64_MAX };
	struct vmad_str line;
	struct maps_entry entry;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect_agreement(query, text, others[i]);
	while (next_line(&maps, &line)) {
		assert_int_equal(maps_parse_line(line.p, line.len, &entry), 0);
		expect_agreement(query, text, entry.start - 1);
		expect_agreement(query, text, entry.start);
		expect_agreement(query, text, entry.end - 1);
		expect_agreement(query, text, entry.end);
	}
}

static uint64_t random64(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

static void query_and_text(void **state)
{
	struct opener *opener;
	struct target query, text;
	struct vmad_str maps;
	pid_t pid;

	(void)state;
	if (!procmap_query_available())
		skip_because("this kernel has no PROCMAP_QUERY (Linux 6.11)");
	opener = open_proc();
	pid = start_child(false);
	query = opened(opener, pid, OPENER_WANT(OPENER_MAPS));
	text = query;
	maps = read_all(query.files.fd[OPENER_MAPS]);
	text.files.fd[OPENER_MAPS] = file_of(maps.p, maps.len);
	srandom(4242);
	agree_on_edges(&query, &text, maps);
	for (int i = 0; i < 5000; i++)
		expect_agreement(&query, &text, random64() >> random() % 64);
	close(text.files.fd[OPENER_MAPS]);
	target_close(&query);
	stop_child(pid);
	opener_free(opener);
}

/* What must hold of any answer, whatever the process does meanwhile. */
static void expect_sane(const struct vmad_lookup *record)
{
	uint64_t address = record->address;

	assert_int_equal(record->vma != NULL, record->gap == NULL);
	if (record->vma)
		assert_true(record->vma->start <= address && address < record->vma->end);
	if (record->gap)
		assert_true(record->gap->start <= address && address < record->gap->end);
	if (record->previous)
		assert_true(record->previous->end <= address && record->previous->start < record->previous->end);
	if (record->next)
		assert_true(record->next->start > address && record->next->start < record->next->end);
}

static void busy_process(void **state)
{
	struct opener *opener = open_proc();
	pid_t pid = start_child(true);
	struct target target = opened(opener, pid, OPENER_WANT(OPENER_MAPS));
	struct vmad_str maps = read_all(target.files.fd[OPENER_MAPS]), line;
	struct maps_entry entry = { 0 };
	uint64_t low = 0;

	(void)state;
	/* mmap() works downwards from the libraries: what comes and goes lies below the first of them. */
	while (next_line(&maps, &line) && maps_parse_line(line.p, line.len, &entry) == 0)
		if (!low && entry.start > UINT64_C(1) << 46)
			low = entry.start;
	for (int i = 0; i < 3000; i++) {
		struct lookup *lookup = look_up(&target, low - 70 * PAGE + (uint64_t)i % 140 * PAGE);

		expect_sane(lookup_record(lookup));
		lookup_free(lookup);
	}
	stop_child(pid);
	assert_int_equal(lookup_new(&target, low, &(struct lookup *){ NULL }, NULL), -ESRCH);
	target_close(&target);
	opener_free(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("VMAs, gaps and neighbours of a captured process", captured),
		CASE("beyond user space there is no gap", beyond),
		CASE("file offsets", file_offsets),
		CASE("no lines: no memory, or gone; and lines that are none", without_lines),
		CASE("PROCMAP_QUERY and the text agree", query_and_text),
		CASE("a process that maps and unmaps meanwhile, and then dies", busy_process),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
