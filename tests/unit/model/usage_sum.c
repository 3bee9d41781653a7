/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage_sum: smaps_rollup as it is, and processes that have none. */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/usage_sum.h"

static struct usage_sum sum;

static int read_of(const char *tree, int pid, uint64_t start_time_ticks, struct vmad_error *err)
{
	struct opener *opener = open_fixture(tree);
	int r = usage_sum_read(opener, me(), pid, start_time_ticks, &sum, err);

	opener_free(opener);
	return r;
}

/* The value of a key of smaps_rollup, as plainly as can be. */
static uint64_t kib_of(struct vmad_str text, const char *key)
{
	struct vmad_str line;

	while (next_line(&text, &line))
		if (line.len > strlen(key) && !memcmp(line.p, key, strlen(key)) && line.p[strlen(key)] == ':')
			return strtoull(line.p + strlen(key) + 1, NULL, 10);
	fail_msg("no key %s", key);
	return 0;
}

static void captured(void **state)
{
	struct vmad_str text = fixture("linux-6.18/4242/smaps_rollup");

	(void)state;
	assert_int_equal(read_of("linux-6.18", 4242, 0, NULL), 0);
	assert_int_equal(sum.unknown_count, 0);
	assert_int_equal(sum.usage.rss_bytes, kib_of(text, "Rss") * 1024);
	assert_int_equal(sum.usage.pss_bytes, kib_of(text, "Pss") * 1024);
	assert_int_equal(sum.usage.pss_file_bytes, kib_of(text, "Pss_File") * 1024);
	assert_int_equal(sum.usage.private_dirty_bytes, kib_of(text, "Private_Dirty") * 1024);
	assert_int_equal(sum.usage.locked_bytes, kib_of(text, "Locked") * 1024);
	assert_true(sum.usage.rss_bytes > 0);
	assert_false(sum.usage.has & (VMAD_HAS(usage, flags) | VMAD_HAS(usage, thp_eligible) | VMAD_HAS(usage, kernel_page_size_bytes)));
}

static void without_memory(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		sum.usage.has = 1;
		assert_int_equal(read_of("odd", i ? 2 : 103, 0, NULL), 0);
		assert_int_equal(sum.usage.has, 0);
		assert_int_equal(sum.unknown_count, 0);
	}
	assert_int_equal(read_of("odd", 104, 0, NULL), 0);	/* its leader exited; a thread has the memory */
	assert_true(sum.usage.has & VMAD_HAS(usage, rss_bytes));
}

static void errors(void **state)
{
	struct vmad_error err = { 0 };

	(void)state;
	assert_int_equal(read_of("linux-6.18", 4242, 1, &err), -ESTALE);
	assert_int_equal(read_of("linux-6.18", 1, 0, &err), -ENOENT);
	assert_int_equal(read_of("linux-2.6", 600, 0, &err), -EOPNOTSUPP);
	assert_int_equal(err.pid, 600);
	assert_string_equal(err.file, "smaps_rollup");
}

static int read_made(const char *text, struct vmad_error *err)
{
	struct opener *opener;
	int r;

	made_process(1, "made", 'S', 7);
	made_puts("1/smaps_rollup", text);
	opener = open_made();
	r = usage_sum_read(opener, me(), 1, 7, &sum, err);
	opener_free(opener);
	return r;
}

static void odd_texts(void **state)
{
	struct vmad_error err = { 0 };
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(read_made("", &err), -ESRCH);
	assert_int_equal(read_made("no newline", &err), -ESRCH);
	assert_int_equal(read_made("1000-2000 ---p 0 00:00 0 [rollup]\nRss: lots\n", &err), -EIO);
	assert_int_equal(err.pid, 1);
	fprintf(file, "1000-2000 ---p 0 00:00 0 [rollup]\nRss: 4 kB\n");
	for (int i = 0; i < USAGE_SUM_UNKNOWN_MAX + 3; i++)
		fprintf(file, "New%d: %d kB\n", i, i);
	fclose(file);
	assert_int_equal(read_made(text, &err), 0);
	free(text);
	assert_int_equal(sum.usage.rss_bytes, 4096);
	assert_int_equal(sum.unknown_count, USAGE_SUM_UNKNOWN_MAX);
	assert_bytes(sum.unknown[USAGE_SUM_UNKNOWN_MAX - 1].key, "New31");
	assert_bytes(sum.unknown[USAGE_SUM_UNKNOWN_MAX - 1].value, "31 kB");
}

static void live(void **state)
{
	struct opener *opener = open_proc();

	(void)state;
	if (geteuid() != 0)
		skip_because("only root may read the process that the opener lives in");
	assert_int_equal(usage_sum_read(opener, me(), getpid(), 0, &sum, NULL), 0);
	assert_true(sum.usage.has & VMAD_HAS(usage, pss_bytes));
	assert_true(sum.usage.rss_bytes > 0);
	opener_free(opener);
}

/* The running kernel does not even let its rollup be opened. */
static void live_zombie(void **state)
{
	struct opener *opener = open_proc();
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_true(eventually(is_zombie, &pid));
	sum.usage.has = 1;
	assert_int_equal(usage_sum_read(opener, me(), pid, 0, &sum, NULL), 0);
	assert_int_equal(sum.usage.has, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(usage_sum_read(opener, me(), pid, 0, &sum, NULL), -ENOENT);
	opener_free(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a captured process, key by key", captured),
		CASE("processes without memory have no sums; one whose leader exited has", without_memory),
		CASE("gone, another one, and kernels without smaps_rollup", errors),
		CASE("texts that are none, and more keys than there is room for", odd_texts),
		CASE("this process", live),
		CASE("a zombie of the running kernel", live_zombie),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
