/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/file_pages.h"

#include <errno.h>
#include <unistd.h>

#include "clock/clock.h"

/*
 * What is looked at in one go, well within the opener's time: cachestat costs what is cached, and passes over holes;
 * mincore costs what is asked for.
 */
#define CACHESTAT_WINDOW (UINT64_C(16) << 30)
#define CACHESTAT_WINDOWS_MAX 1024
#define MINCORE_WINDOW (UINT64_C(256) << 20)

struct reading {
	enum opener_cache_source source;
	uint64_t page, window;
	uint64_t at, end;		/* at is a multiple of the page size */
	struct opener_cache sum;
};

static void use_source(struct reading *reading, enum opener_cache_source source)
{
	uint64_t share = (reading->end - reading->at) / CACHESTAT_WINDOWS_MAX;

	reading->source = source;
	if (source == OPENER_MINCORE)
		reading->window = MINCORE_WINDOW;
	else
		reading->window =
			share > CACHESTAT_WINDOW ? (share / reading->page + 1) * reading->page : CACHESTAT_WINDOW;
}

static void add(struct opener_cache *sum, const struct opener_cache *more)
{
	sum->cached_pages += more->cached_pages;
	sum->dirty_pages += more->dirty_pages;
	sum->writeback_pages += more->writeback_pages;
	sum->evicted_pages += more->evicted_pages;
	sum->recently_evicted_pages += more->recently_evicted_pages;
}

static int read_window(struct opener *opener, const struct vmad_caller *caller, const struct file *file,
		       struct reading *reading, struct vmad_error *err)
{
	uint64_t length = reading->end - reading->at < reading->window ? reading->end - reading->at : reading->window;
	struct opener_cache cache;
	int r = opener_cache(opener, caller, file->fd, reading->source, reading->at, length, &cache, err);

	if (r < 0)
		return r;
	if (length)	/* to cachestat none means all that follows */
		add(&reading->sum, &cache);
	reading->at += length;
	return 0;
}

/* An empty range costs one question too: whether it may be asked at all. */
static int read_all(struct opener *opener, const struct vmad_caller *caller, const struct file *file,
		    uint64_t budget_us, struct reading *reading, struct vmad_error *err)
{
	uint64_t deadline = clock_us() + budget_us;
	int r;

	do {
		r = read_window(opener, caller, file, reading, err);
		if (r == -ENOSYS && reading->source == OPENER_CACHESTAT) {
			use_source(reading, OPENER_MINCORE);
			r = read_window(opener, caller, file, reading, err);
		}
	} while (r == 0 && reading->at < reading->end && clock_us() < deadline);
	return r;
}

static struct vmad_file_pages record_of(const struct reading *reading, uint64_t start)
{
	uint64_t page = reading->page;
	struct vmad_file_pages record = {
		.cached_bytes = reading->sum.cached_pages * page,
		.dirty_bytes = reading->sum.dirty_pages * page,
		.writeback_bytes = reading->sum.writeback_pages * page,
		.evicted_bytes = reading->sum.evicted_pages * page,
		.recently_evicted_bytes = reading->sum.recently_evicted_pages * page,
		.examined_bytes = reading->at > start ? reading->at - start : 0,
		.complete = reading->at >= reading->end,
		.reason = "deadline",
	};

	if (reading->source == OPENER_CACHESTAT)
		record.has = VMAD_HAS(file_pages, dirty_bytes) | VMAD_HAS(file_pages, writeback_bytes) |
			     VMAD_HAS(file_pages, evicted_bytes) | VMAD_HAS(file_pages, recently_evicted_bytes);
	if (!record.complete)
		record.has |= VMAD_HAS(file_pages, reason);
	return record;
}

int file_pages_read(struct opener *opener, const struct vmad_caller *caller, const struct file *file, uint64_t start,
		    uint64_t end, uint64_t budget_us, struct file_pages *ret_pages, struct vmad_error *err)
{
	struct reading reading = { .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	uint64_t size = file->record.size_bytes;
	int r;

	reading.end = end < size ? end : size;
	reading.at = start < reading.end ? start - start % reading.page : reading.end;
	use_source(&reading, OPENER_CACHESTAT);
	r = read_all(opener, caller, file, budget_us, &reading, err);
	if (r < 0)
		return r;
	ret_pages->record = record_of(&reading, start);
	ret_pages->source = reading.source == OPENER_CACHESTAT ? "cachestat" : "mincore";
	return 0;
}
