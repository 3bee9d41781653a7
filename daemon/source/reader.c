/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/reader.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "source/paced_file.h"
#include "stall/giveway.h"

#define SLOTS 8
#define SLOT_BYTES (READER_AHEAD_BYTES / SLOTS)
#define WAKE_SLOTS (SLOTS / 2)		/* free ones that are worth waking the thread for */
#define READ_BYTES 4096			/* room for whole lines of one read(): seq_file prints into a page */
#define DIRECT_BYTES (64 * 1024)	/* a file that is longer gets a thread */
#define STACK_BYTES (128 * 1024)

/* A run of bytes: len of whole lines, then `carry` of the line that is not whole yet. */
struct slot {
	char *bytes;
	size_t size, len, carry;
};

/*
 * Slots are filled in order by one side, the thread or, before there is one, reader_next() itself, and emptied in order
 * by reader_next(). `lock` guards what both sides look at: filled, emptied, ended, stop and who waits.
 */
struct reader {
	struct paced_file file;
	pid_t pid;
	const char *name;

	struct slot slot[SLOTS];
	size_t given_bytes;		/* by reader_next(), so far */
	bool lent;			/* the slot at `emptied` is with who called reader_next() */

	bool threaded, gives_way;	/* its thread as the one that asked for it */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t some_filled, some_empty;
	unsigned filled, emptied;	/* slots in all, ever */
	bool ended;			/* nothing more will be filled */
	int end_code;			/* 0: end of file, or why reading ended */
	bool drain_waits, fill_waits;
	_Atomic bool stop;
};

static struct slot *slot_at(struct reader *reader, unsigned number)
{
	return &reader->slot[number % SLOTS];
}

static int slot_grow(struct slot *slot, size_t size)
{
	char *bytes;

	if (slot->size >= size)
		return 0;
	if (size > READER_LINE_MAX)
		return -EOVERFLOW;
	bytes = realloc(slot->bytes, size);
	if (!bytes)
		return -ENOMEM;
	slot->bytes = bytes;
	slot->size = size;
	return 0;
}

/* Begins a slot with the part of a line that the one before it ended with. */
static int slot_begin(struct slot *slot, const struct slot *before)
{
	size_t carry = before->carry;
	int r = slot_grow(slot, carry + READ_BYTES > SLOT_BYTES ? carry + READ_BYTES : SLOT_BYTES);

	if (r < 0)
		return r;
	if (carry)
		memcpy(slot->bytes, before->bytes + before->len, carry);
	slot->len = 0;
	slot->carry = carry;
	return 0;
}

/* Counts n bytes more, and whole lines as such. */
static void slot_add(struct slot *slot, size_t n)
{
	char *added = slot->bytes + slot->len + slot->carry, *newline = memrchr(added, '\n', n);
	size_t all = slot->len + slot->carry + n;

	if (newline)
		slot->len = (size_t)(newline + 1 - slot->bytes);
	slot->carry = all - slot->len;
}

/* One read(). 1: there may be more, 0: end of file, or a negative errno. */
static int slot_read(struct reader *reader, struct slot *slot)
{
	size_t used = slot->len + slot->carry;
	ssize_t n = paced_file_read(&reader->file, slot->bytes + used, slot->size - used);

	if (n > 0) {
		slot_add(slot, (size_t)n);
		return 1;
	}
	if (n == 0) {
		slot->len = used;	/* the last line may end without a newline */
		slot->carry = 0;
	}
	return (int)n;
}

/*
 * Reads until the slot holds whole lines, and, if `full`, until the next read() would not fit. Returns as slot_read()
 * does.
 */
static int slot_fill(struct reader *reader, struct slot *slot, bool full)
{
	int r = 1;

	while (r > 0 && !atomic_load_explicit(&reader->stop, memory_order_relaxed)) {
		if (slot->size - slot->len - slot->carry < READ_BYTES) {
			if (slot->len)
				break;
			r = slot_grow(slot, slot->size * 2);
			if (r < 0)
				break;
		}
		r = slot_read(reader, slot);
		if (slot->len && !full)
			break;
	}
	return r;
}

/* Hands a slot over, and, where r says that it was the last one, the end. */
static void publish(struct reader *reader, const struct slot *slot, int r)
{
	bool wake;

	pthread_mutex_lock(&reader->lock);
	if (slot->len)
		reader->filled++;
	if (r <= 0) {
		reader->ended = true;
		reader->end_code = r;
	}
	wake = reader->drain_waits;
	pthread_mutex_unlock(&reader->lock);
	if (wake)
		pthread_cond_signal(&reader->some_filled);
}

/* Fills the next slot, which is empty. False: that was the end. */
static bool fill_next(struct reader *reader, bool full)
{
	struct slot *slot = slot_at(reader, reader->filled);
	int r = slot_begin(slot, slot_at(reader, reader->filled - 1));

	if (r == 0)
		r = slot_fill(reader, slot, full);
	else
		slot->len = 0;
	publish(reader, slot, r);
	return r > 0;
}

/*
 * Waits until there is room again, for more than one slot, so that it wakes up seldom. False: the reader is being
 * freed.
 */
static bool wait_for_room(struct reader *reader)
{
	bool go_on;

	pthread_mutex_lock(&reader->lock);
	if (reader->filled - reader->emptied == SLOTS) {
		reader->fill_waits = true;
		while (reader->filled - reader->emptied > SLOTS - WAKE_SLOTS && !reader->stop)
			pthread_cond_wait(&reader->some_empty, &reader->lock);
		reader->fill_waits = false;
	}
	go_on = !reader->stop;
	pthread_mutex_unlock(&reader->lock);
	return go_on;
}

/*
 * Its sleeps are short, so no slack. It keeps its priority: it takes locks of the target in the kernel, and where it
 * lost the CPU while it holds one, the target would wait for it (measured at nice 10: the target's mmap throughput
 * falls to a quarter).
 */
static void *read_ahead(void *arg)
{
	struct reader *reader = arg;

	prctl(PR_SET_TIMERSLACK, 1UL);
	giveway_set(reader->gives_way);
	while (wait_for_room(reader) && fill_next(reader, true))
		;
	return NULL;
}

/* Without a thread (none to be had) reading goes on as before. */
static void start_thread(struct reader *reader)
{
	pthread_attr_t attr;

	if (pthread_attr_init(&attr))
		return;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	reader->gives_way = giveway_is_set();
	reader->threaded = pthread_create(&reader->thread, &attr, read_ahead, reader) == 0;
	pthread_attr_destroy(&attr);
}

int reader_new(int fd, pid_t pid, const char *file, enum reader_pace pace, struct reader **ret_reader,
	       struct vmad_error *err)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader) {
		close(fd);
		return vmad_fail(err, ENOMEM, pid, file, "read");
	}
	reader->file.fd = fd;
	reader->file.pace.unpaced = pace == READER_UNPACED;
	reader->pid = pid;
	reader->name = file;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_cond_init(&reader->some_filled, NULL);
	pthread_cond_init(&reader->some_empty, NULL);
	fill_next(reader, false);
	if (reader->filled == 0 && reader->end_code < 0) {
		r = reader->end_code;
		reader_free(reader);
		return vmad_fail(err, -r, pid, file, "read");
	}
	*ret_reader = reader;
	return 0;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	if (reader->threaded) {
		pthread_mutex_lock(&reader->lock);
		reader->stop = true;
		pthread_mutex_unlock(&reader->lock);
		pthread_cond_signal(&reader->some_empty);
		pthread_join(reader->thread, NULL);
	}
	close(reader->file.fd);
	pthread_cond_destroy(&reader->some_empty);
	pthread_cond_destroy(&reader->some_filled);
	pthread_mutex_destroy(&reader->lock);
	for (int i = 0; i < SLOTS; i++)
		free(reader->slot[i].bytes);
	free(reader);
}

/* Gives the slot of the last call back; under the lock, where there is a thread. */
static void give_back(struct reader *reader)
{
	if (!reader->lent)
		return;
	reader->lent = false;
	reader->emptied++;
	if (reader->fill_waits && reader->filled - reader->emptied <= SLOTS - WAKE_SLOTS)
		pthread_cond_signal(&reader->some_empty);
}

/* Waits for the thread that reads. False: nothing more will come. */
static bool await_slot(struct reader *reader)
{
	bool ready;

	pthread_mutex_lock(&reader->lock);
	give_back(reader);
	while (reader->filled == reader->emptied && !reader->ended) {
		reader->drain_waits = true;
		pthread_cond_wait(&reader->some_filled, &reader->lock);
		reader->drain_waits = false;
	}
	ready = reader->filled != reader->emptied;
	pthread_mutex_unlock(&reader->lock);
	return ready;
}

/* The same where reading happens here; what reader_new() read comes first. */
static bool read_slot(struct reader *reader)
{
	give_back(reader);
	if (reader->filled == reader->emptied && !reader->ended)
		fill_next(reader, false);
	return reader->filled != reader->emptied;
}

int reader_next(struct reader *reader, struct vmad_str *ret_bytes, struct vmad_error *err)
{
	const struct slot *slot = slot_at(reader, reader->emptied + reader->lent);

	if (!reader->threaded && !reader->ended && reader->given_bytes >= DIRECT_BYTES)
		start_thread(reader);
	if (!(reader->threaded ? await_slot(reader) : read_slot(reader)))
		return reader->end_code < 0 ? vmad_fail(err, -reader->end_code, reader->pid, reader->name, "read") : 0;
	*ret_bytes = (struct vmad_str){ slot->bytes, slot->len };
	reader->given_bytes += slot->len;
	reader->lent = true;
	return 1;
}

int reader_target_alive(struct reader *reader)
{
	char byte;
	ssize_t n;

	do {
		n = pread(reader->file.fd, &byte, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 && errno != ESRCH ? -errno : n > 0;
}

uint64_t reader_kernel_us(const struct reader *reader)
{
	return atomic_load_explicit(&reader->file.kernel_us, memory_order_relaxed);
}
