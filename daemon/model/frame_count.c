/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/frame_count.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "source/words.h"

#define HELPERS_MAX 3
#define BATCHES (HELPERS_MAX + 2)	/* one for each thread, and one that waits */
#define WORTH_A_THREAD 8192		/* frames: a millisecond */
#define READ_WORDS 8192			/* together */
#define NEAR_FRAMES 4			/* cheaper to read over than to begin another read() */

enum batch_state { BATCH_FREE, BATCH_WAITS, BATCH_TAKEN };

struct batch {
	enum batch_state state;
	size_t count;
	struct frame_span spans[FRAME_SPANS_MAX];
};

/* What a thread has for itself. */
struct hand {
	struct frame_count *count;
	struct tally tally;
	pthread_t thread;
	uint64_t words[READ_WORDS];
};

struct frame_count {
	int fd;
	uint64_t beyond;
	unsigned cpus;
	uint64_t taken;			/* frames, in all */

	pthread_mutex_t lock;		/* of all below; spans and hands are of who took them */
	pthread_cond_t work;		/* a batch waits, or it is over */
	struct batch batches[BATCHES];
	bool over;
	int error;

	unsigned helpers;
	struct hand *hands[1 + HELPERS_MAX];	/* the first is the caller's */
};

/* --- one thread's part --- */

static int read_words(struct hand *hand, uint64_t pfn, size_t count)
{
	long n = words_read(hand->count->fd, pfn, hand->words, count);

	if (n < 0)
		return (int)n;
	for (size_t i = (size_t)n; i < count; i++)
		hand->words[i] = hand->count->beyond;
	return 0;
}

/* Of the words of [first, first + ...), those of the span. */
static int count_read(struct hand *hand, const struct frame_span *span, uint64_t first)
{
	const uint64_t *words = hand->words + (span->pfn - first);
	int r;

	if (!span->alike || span->count <= 2)
		return tally_add_words(&hand->tally, span->tag, words, span->count);
	r = tally_add(&hand->tally, span->tag, words[0], 1);
	return r < 0 ? r : tally_add(&hand->tally, span->tag, words[1], span->count - 1);
}

/* How many frames of it are read. */
static uint64_t frames_read(const struct frame_span *span)
{
	return span->alike && span->count > 2 ? 2 : span->count;
}

static int count_long(struct hand *hand, struct frame_span span)
{
	int r = 0;

	while (r == 0 && span.count) {
		struct frame_span part = { span.pfn, span.count < READ_WORDS ? span.count : READ_WORDS, span.tag, false };

		r = read_words(hand, part.pfn, part.count);
		if (r == 0)
			r = count_read(hand, &part, part.pfn);
		span.pfn += part.count;
		span.count -= part.count;
	}
	return r;
}

/* How many spans, from the first on, one read gets; *ret_end: where it ends. One that is too long comes alone. */
static size_t count_near(const struct frame_span *spans, size_t count, uint64_t *ret_end)
{
	uint64_t end = spans[0].pfn + frames_read(&spans[0]);
	size_t n = 1;

	for (; n < count && end - spans[0].pfn <= READ_WORDS && spans[n].pfn <= end + NEAR_FRAMES; n++) {
		uint64_t own_end = spans[n].pfn + frames_read(&spans[n]);

		if (own_end - spans[0].pfn > READ_WORDS)
			break;
		end = own_end > end ? own_end : end;
	}
	*ret_end = end;
	return n;
}

static int count_spans(struct hand *hand, const struct frame_span *spans, size_t count)
{
	uint64_t end;
	size_t n;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i += n) {
		n = count_near(spans + i, count - i, &end);
		if (end - spans[i].pfn > READ_WORDS) {
			r = count_long(hand, spans[i]);
			continue;
		}
		r = read_words(hand, spans[i].pfn, end - spans[i].pfn);
		for (size_t k = i; r == 0 && k < i + n; k++)
			r = count_read(hand, &spans[k], spans[i].pfn);
	}
	return r;
}

static int compare_pfns(const void *a, const void *b)
{
	const struct frame_span *left = a, *right = b;

	return left->pfn < right->pfn ? -1 : left->pfn > right->pfn;
}

/* What was allocated together often is in order already. */
static void sort_spans(struct frame_span *spans, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (spans[i].pfn < spans[i - 1].pfn) {
			qsort(spans, count, sizeof(*spans), compare_pfns);
			return;
		}
	}
}

/* --- the queue; the lock is held, but while a batch is counted --- */

static struct batch *find_batch(struct frame_count *count, enum batch_state state)
{
	for (size_t i = 0; i < BATCHES; i++)
		if (count->batches[i].state == state)
			return &count->batches[i];
	return NULL;
}

static void count_batch(struct frame_count *count, struct hand *hand, struct batch *batch)
{
	int r;

	batch->state = BATCH_TAKEN;
	pthread_mutex_unlock(&count->lock);
	sort_spans(batch->spans, batch->count);
	r = count_spans(hand, batch->spans, batch->count);
	pthread_mutex_lock(&count->lock);
	batch->state = BATCH_FREE;
	if (count->error == 0)
		count->error = r;
}

static void *help(void *arg)
{
	struct hand *hand = arg;
	struct frame_count *count = hand->count;
	struct batch *batch;

	pthread_mutex_lock(&count->lock);
	while ((batch = find_batch(count, BATCH_WAITS)) || !count->over) {
		if (batch)
			count_batch(count, hand, batch);
		else
			pthread_cond_wait(&count->work, &count->lock);
	}
	pthread_mutex_unlock(&count->lock);
	return NULL;
}

static struct hand *add_hand(struct frame_count *count)
{
	struct hand *hand = malloc(sizeof(*hand));

	if (hand) {
		hand->count = count;
		hand->tally = (struct tally){ 0 };
	}
	return hand;
}

/* One more helper, where there is a CPU for it. Without it, it only takes longer. */
static void call_help(struct frame_count *count)
{
	struct hand *hand;

	if (count->helpers + 1 >= count->cpus || count->helpers == HELPERS_MAX)
		return;
	hand = add_hand(count);
	if (!hand)
		return;
	if (pthread_create(&hand->thread, NULL, help, hand) != 0)
		free(hand);
	else
		count->hands[1 + count->helpers++] = hand;
}

static unsigned usable_cpus(void)
{
	cpu_set_t cpus;

	/* more than 1024 of them: enough */
	return sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 + HELPERS_MAX : (unsigned)CPU_COUNT(&cpus);
}

int frame_count_new(int fd, uint64_t beyond, struct frame_count **ret_count)
{
	struct frame_count *count = calloc(1, sizeof(*count));

	if (!count)
		return -ENOMEM;
	count->hands[0] = add_hand(count);
	if (!count->hands[0]) {
		free(count);
		return -ENOMEM;
	}
	count->fd = fd;
	count->beyond = beyond;
	count->cpus = usable_cpus();
	pthread_mutex_init(&count->lock, NULL);
	pthread_cond_init(&count->work, NULL);
	*ret_count = count;
	return 0;
}

static void dismiss(struct frame_count *count)
{
	pthread_mutex_lock(&count->lock);
	count->over = true;
	pthread_cond_broadcast(&count->work);
	pthread_mutex_unlock(&count->lock);
	for (; count->helpers; count->helpers--)
		pthread_join(count->hands[count->helpers]->thread, NULL);
}

void frame_count_free(struct frame_count *count)
{
	if (!count)
		return;
	pthread_mutex_lock(&count->lock);
	for (size_t i = 0; i < BATCHES; i++)
		if (count->batches[i].state == BATCH_WAITS)
			count->batches[i].state = BATCH_FREE;
	pthread_mutex_unlock(&count->lock);
	dismiss(count);
	for (size_t i = 0; i < 1 + HELPERS_MAX && count->hands[i]; i++) {
		tally_free(&count->hands[i]->tally);
		free(count->hands[i]);
	}
	pthread_cond_destroy(&count->work);
	pthread_mutex_destroy(&count->lock);
	free(count);
}

int frame_count_add(struct frame_count *count, const struct frame_span *spans, size_t n)
{
	struct batch *batch;
	int error;

	for (size_t i = 0; i < n; i++)
		count->taken += frames_read(&spans[i]);
	pthread_mutex_lock(&count->lock);
	/* There are more batches than helpers: where none is free, one waits. */
	while (!(batch = find_batch(count, BATCH_FREE)))
		count_batch(count, count->hands[0], find_batch(count, BATCH_WAITS));
	memcpy(batch->spans, spans, n * sizeof(*spans));
	batch->count = n;
	batch->state = BATCH_WAITS;
	pthread_cond_signal(&count->work);
	error = count->error;
	pthread_mutex_unlock(&count->lock);
	if (count->taken / WORTH_A_THREAD > count->helpers)
		call_help(count);
	return error;
}

int frame_count_finish(struct frame_count *count, struct tally *tally)
{
	unsigned helpers = count->helpers;
	struct batch *batch;
	int r;

	pthread_mutex_lock(&count->lock);
	while ((batch = find_batch(count, BATCH_WAITS)))
		count_batch(count, count->hands[0], batch);
	pthread_mutex_unlock(&count->lock);
	dismiss(count);
	r = count->error;
	for (unsigned i = 0; r == 0 && i <= helpers; i++)
		r = tally_add_all(tally, &count->hands[i]->tally);
	return r;
}
