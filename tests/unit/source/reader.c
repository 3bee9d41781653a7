/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reader: the same bytes as the file's, in whole lines, whatever its length and the length of its lines. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/pace.h"
#include "source/reader.h"

static struct reader *reader_of(int fd, enum reader_pace pace)
{
	struct reader *reader;
	struct vmad_error err;

	assert_int_equal(reader_new(fd, 4242, "maps", pace, &reader, &err), 0);
	return reader;
}

/* Reads on to the end and compares with text: the bytes, and that each run is whole lines. */
static void expect_rest(struct reader *reader, struct vmad_str text)
{
	struct vmad_str run;
	struct vmad_error err;
	size_t at = 0;
	int r;

	while ((r = reader_next(reader, &run, &err)) > 0) {
		assert_true(run.len > 0);
		assert_true(at + run.len <= text.len);
		assert_memory_equal(run.p, text.p + at, run.len);
		at += run.len;
		assert_true(run.p[run.len - 1] == '\n' || at == text.len);
	}
	assert_int_equal(r, 0);
	assert_int_equal(at, text.len);
	assert_int_equal(reader_next(reader, &run, &err), 0);
}

static void expect_file(struct vmad_str text)
{
	struct reader *reader = reader_of(file_of(text.p, text.len), READER_UNPACED);

	expect_rest(reader, text);
	assert_true(reader_target_alive(reader) == (text.len > 0));
	reader_free(reader);
}

static void empty_file(void **state)
{
	(void)state;
	expect_file((struct vmad_str){ "", 0 });
}

static void last_line_without_newline(void **state)
{
	(void)state;
	expect_file(VMAD_STR("one\ntwo"));
	expect_file(VMAD_STR("one"));
	expect_file(VMAD_STR("\n\n"));
}

/* Text of lines, of a length that differs from line to line. */
static struct vmad_str lines(size_t count, size_t shortest, size_t longest)
{
	char *text = malloc(count * (longest + 1));
	size_t len = 0;
	unsigned random = 1;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++) {
		size_t line = shortest + (random = random * 1103515245 + 12345) / 65536 % (longest - shortest + 1);

		memset(text + len, 'a' + (int)(i % 26), line);
		text[len + line] = '\n';
		len += line + 1;
	}
	return (struct vmad_str){ text, len };
}

/* 60,000 lines as maps prints them. */
static struct vmad_str many_maps_lines(void)
{
	char *text = malloc(60000 * 128);
	size_t len = 0;

	assert_non_null(text);
	for (unsigned long i = 0; i < 60000; i++)
		len += (size_t)sprintf(text + len, "%lx-%lx r--p %08lx fe:00 %lu                    /usr/lib/library-%lu.so\n",
				       0x7f0000000000 + i * 4096, 0x7f0000001000 + i * 4096, i * 4096, i, i);
	return (struct vmad_str){ text, len };
}

static void sixty_thousand_lines(void **state)
{
	struct vmad_str text = many_maps_lines();

	(void)state;
	expect_file(text);
	free((char *)text.p);
}

/* Every way for a line to lie across the borders of what is read at once. */
static void lines_across_borders(void **state)
{
	(void)state;
	for (size_t longest = 1; longest < 9000; longest += 997) {
		struct vmad_str text = lines(400000 / longest, longest / 2, longest);

		expect_file(text);
		free((char *)text.p);
	}
}

static void long_lines(void **state)
{
	struct vmad_str text = lines(30, 15000, 20000);

	(void)state;
	expect_file(text);
	free((char *)text.p);
	text = lines(3, READER_LINE_MAX - 5000, READER_LINE_MAX - 4096);
	expect_file(text);
	free((char *)text.p);
}

static void endless_line(void **state)
{
	struct vmad_str text = lines(1, 3 * READER_LINE_MAX, 3 * READER_LINE_MAX);
	struct reader *reader;
	struct vmad_error err = { 0 };
	int fd = file_of(text.p, text.len);

	(void)state;
	assert_int_equal(reader_new(fd, 4242, "maps", READER_UNPACED, &reader, &err), -EOVERFLOW);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	free((char *)text.p);
}

static void error_at_once(void **state)
{
	struct reader *reader;
	struct vmad_error err = { 0 };
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(reader_new(fd, 4242, "maps", READER_UNPACED, &reader, &err), -EISDIR);
	assert_int_equal(err.code, EISDIR);
	assert_int_equal(err.pid, 4242);
	assert_string_equal(err.file, "maps");
	assert_string_equal(err.operation, "read");
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static pid_t start_child(const char *file, int *ret_fd)
{
	char path[40];
	pid_t child = fork();

	if (child == 0) {
		begin_child();
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)child, file);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
	return child;
}

static void end_child(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
}

/* maps reads empty then, smaps_rollup has an error for it. */
static void gone_before_the_first_read(void **state)
{
	struct reader *reader;
	struct vmad_error err = { 0 };
	int fd;

	(void)state;
	end_child(start_child("smaps_rollup", &fd));
	assert_int_equal(reader_new(fd, 2, "smaps_rollup", READER_UNPACED, &reader, &err), -ESRCH);
	assert_int_equal(err.code, ESRCH);
}

static void *write_slowly(void *arg)
{
	const int *fd = arg;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(write(*fd, "half a ", 7), 7);
		usleep(2000);
		assert_int_equal(write(*fd, "line\n", 5), 5);
	}
	close(*fd);
	return NULL;
}

static void eagain(void **state)
{
	char text[20 * 12 + 1] = "";
	struct reader *reader;
	pthread_t writer;
	int ends[2];

	(void)state;
	for (int i = 0; i < 20; i++)
		strcat(text, "half a line\n");
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_slowly, &ends[1]), 0);
	reader = reader_of(ends[0], READER_UNPACED);
	expect_rest(reader, (struct vmad_str){ text, strlen(text) });
	reader_free(reader);
	pthread_join(writer, NULL);
}

/* What a target that dies leaves: EOF, early, as if that were all. */
static void target_dies(void **state)
{
	struct reader *reader;
	struct vmad_str run;
	int fd, r;
	pid_t child = start_child("maps", &fd);

	(void)state;
	reader = reader_of(fd, READER_UNPACED);
	assert_int_equal(reader_next(reader, &run, NULL), 1);
	assert_true(reader_target_alive(reader));
	end_child(child);
	while ((r = reader_next(reader, &run, NULL)) > 0)
		;
	assert_true(r == 0 || r == -ESRCH);
	assert_false(reader_target_alive(reader));
	reader_free(reader);
}

static size_t threads_of_test;		/* those that are no reader's */

static int set_up(void **state)
{
	(void)state;
	threads_of_test = usual_threads();
	return 0;
}

static bool is_alone(void *arg)
{
	(void)arg;
	return count_entries("/proc/self/task") == threads_of_test;
}

/* Dropped at any moment, before, while and after the thread runs: nothing stays. */
static void freed_early(void **state)
{
	struct vmad_str text = many_maps_lines(), run;
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	assert_true(eventually(is_alone, NULL));
	for (int runs = 0; runs < 60; runs++) {
		struct reader *reader = reader_of(file_of(text.p, text.len), READER_UNPACED);

		for (int i = 0; i < runs; i++)
			assert_int_equal(reader_next(reader, &run, NULL), 1);
		reader_free(reader);
	}
	assert_true(eventually(is_alone, NULL));
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	reader_free(NULL);
	free((char *)text.p);
}

/* Half of it read by a reader that has a thread of its own by then. */
static void reads_ahead(void **state)
{
	struct vmad_str text = many_maps_lines(), run;
	struct reader *reader = reader_of(file_of(text.p, text.len), READER_UNPACED);
	size_t at = 0;

	(void)state;
	assert_true(is_alone(NULL));
	for (; at < text.len / 2; at += run.len)
		assert_int_equal(reader_next(reader, &run, NULL), 1);
	assert_int_equal(count_entries("/proc/self/task"), threads_of_test + 1);
	expect_rest(reader, (struct vmad_str){ text.p + at, text.len - at });
	reader_free(reader);
	free((char *)text.p);
}

#define WAIT_MS 5

/* A line that has to be waited for, and soon after it another one. */
static void *write_two_lines(void *arg)
{
	const int *fd = arg;

	nanosleep(&(struct timespec){ .tv_nsec = WAIT_MS * 1000000 }, NULL);
	assert_int_equal(write(*fd, "one\n", 4), 4);
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_int_equal(write(*fd, "two\n", 4), 4);
	close(*fd);
	return NULL;
}

static double time_to_read(enum reader_pace pace)
{
	const struct vmad_str text = { "one\ntwo\n", 8 };
	double began = now_ms();
	pthread_t thread;
	int ends[2];
	struct reader *reader;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_two_lines, &ends[1]), 0);
	reader = reader_of(ends[0], pace);
	expect_rest(reader, text);
	reader_free(reader);
	pthread_join(thread, NULL);
	return now_ms() - began;
}

/*
 * The first read() has to wait, as it would for mmap_lock, and what is due then is in proportion. A machine that is busy
 * may be late in either case: the line is there before it is read, or nothing is quick.
 */
static void pauses(void **state)
{
	const double due = WAIT_MS + WAIT_MS * PACE_REST;
	double unpaced = 1e9, paced = 0;

	(void)state;
	for (int i = 0; i < 100 && (paced < due || unpaced >= due); i++) {
		double took = time_to_read(READER_PACED);

		paced = took > paced ? took : paced;
		took = time_to_read(READER_UNPACED);
		unpaced = took < unpaced ? took : unpaced;
	}
	assert_true(paced >= due);
	assert_true(unpaced < due);
}

static void tells_its_cost(void **state)
{
	struct reader *reader = reader_of(open("/proc/self/smaps", O_RDONLY), READER_PACED);
	struct vmad_str run;

	(void)state;
	while (reader_next(reader, &run, NULL) > 0)
		;
	assert_in_range(reader_kernel_us(reader), 1, 10000000);
	assert_true(reader_target_alive(reader));
	reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("an empty file", empty_file),
		CASE("a last line without a newline", last_line_without_newline),
		CASE("60,000 lines", sixty_thousand_lines),
		CASE("lines of all lengths across the borders of reads", lines_across_borders),
		CASE("lines longer than a slot", long_lines),
		CASE("a line that does not end is refused", endless_line),
		CASE("an error of the first read is told at once", error_at_once),
		CASE("a target that is gone before the first read", gone_before_the_first_read),
		CASE("EAGAIN is no end", eagain),
		CASE("a target that dies on the way", target_dies),
		CASE("a long file is read ahead by a thread", reads_ahead),
		CASE("freed at any moment, nothing stays", freed_early),
		CASE("a paced reader that had to wait pauses in proportion", pauses),
		CASE("a reader tells the time it spent in the kernel", tells_its_cost),
	};

	return cmocka_run_group_tests(cases, set_up, NULL);
}
