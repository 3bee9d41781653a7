/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/list.h"

#include "encode/record.h"
#include "http/problem.h"
#include "meter/meter.h"

void list_writer_init(struct list_writer *writer, const struct list_ops *ops, void *list, const char *name, bool ndjson)
{
	*writer = (struct list_writer){ .ops = ops, .list = list, .name = name, .ndjson = ndjson };
}

void list_writer_free(struct list_writer *writer)
{
	if (writer->list)
		writer->ops->free(writer->list);
	writer->list = NULL;
}

void list_stop(struct list_writer *writer, const char *reason)
{
	writer->stop_reason = reason;
}

static void begin(struct list_writer *writer, struct buf *to)
{
	writer->begun = true;
	if (writer->ndjson) {
		BUF_PUT_LITERAL(to, "{\"begin\":true,");
		writer->ops->head(writer->list, to);
		record_close(to);
		BUF_PUT_LITERAL(to, "\n");
		return;
	}
	BUF_PUT_LITERAL(to, "{");
	writer->ops->head(writer->list, to);
	BUF_PUT_LITERAL(to, "\"");
	buf_puts(to, writer->name);
	BUF_PUT_LITERAL(to, "\":[");
}

/*
 * What stands before a row's members; taken back where there is no row. The comma comes before a row and not behind the
 * last one, which may have left with the buffer already.
 */
static void open_row(struct list_writer *writer, struct buf *to)
{
	if (!writer->ndjson) {
		if (writer->count)
			BUF_PUT_LITERAL(to, ",");
		BUF_PUT_LITERAL(to, "{");
		return;
	}
	BUF_PUT_LITERAL(to, "{\"record\":\"");
	buf_puts(to, writer->ops->record);
	BUF_PUT_LITERAL(to, "\",");
}

static void close_row(struct list_writer *writer, struct buf *to)
{
	record_close(to);
	if (writer->ndjson)
		BUF_PUT_LITERAL(to, "\n");
	writer->count++;
}

static void put_failure(struct buf *to, const struct vmad_error *err)
{
	struct problem problem;

	problem_from_error(&problem, err);
	BUF_PUT_LITERAL(to, "\"problem\":{");
	problem_put(to, &problem);
	record_close(to);
	BUF_PUT_LITERAL(to, ",");
}

static void put_tail(struct list_writer *writer, struct buf *to, const struct vmad_error *err)
{
	struct vmad_verdict verdict = { .complete = true };

	if (err) {
		verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = "failed" };
		put_failure(to, err);
	} else {
		writer->ops->tail(writer->list, to, &verdict);
		if (writer->stop_reason) {
			verdict.has |= VMAD_HAS(verdict, reason);
			verdict.reason = writer->stop_reason;
			verdict.complete = false;
		}
	}
	verdict.count = writer->count;
	record_put_verdict(to, &verdict);
	writer->failed = err != NULL;
	writer->complete = verdict.complete;
	writer->reason = verdict.has & VMAD_HAS(verdict, reason) ? verdict.reason : NULL;
	/* A list that its caller wanted cut is what was asked for. */
	if (!writer->complete && writer->route && !(writer->reason && !strcmp(writer->reason, "limit")))
		meter_add(METER_INCOMPLETE, writer->route, writer->reason ? writer->reason : "unknown", 1);
}

static void end(struct list_writer *writer, struct buf *to, const struct vmad_error *err)
{
	writer->ended = true;
	if (writer->ndjson) {
		BUF_PUT_LITERAL(to, "{\"end\":true,");
	} else {
		BUF_PUT_LITERAL(to, "],");
	}
	put_tail(writer, to, err);
	record_close(to);
	BUF_PUT_LITERAL(to, "\n");
}

void list_write(struct list_writer *writer, struct buf *to, size_t enough)
{
	struct vmad_error err = { 0 };

	if (!writer->begun)
		begin(writer, to);
	while (!writer->ended && to->len < enough && !to->failed) {
		size_t mark = to->len;
		int r = 0;

		if (!writer->stop_reason) {
			open_row(writer, to);
			r = writer->ops->next(writer->list, to, &err);
		}
		if (r > 0) {
			close_row(writer, to);
			continue;
		}
		to->len = mark;
		end(writer, to, r < 0 ? &err : NULL);
	}
}
