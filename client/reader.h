/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an answer of vmad as it streams in: one JSON document or NDJSON, whichever it is. Records go to a function one by
 * one; what stands around them becomes the envelope.
 */
#ifndef CLIENT_READER_H
#define CLIENT_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trouble.h"

/* One record; head: what stood in front of the list. EXIT_DONE, or a code that ends the reading. */
typedef int reader_record(void *arg, const json_t *record, const json_t *head);

struct reader;

/* fn may be NULL: then records are passed over without being parsed. NULL: no memory. */
struct reader *reader_new(reader_record *fn, void *arg);
void reader_free(struct reader *reader);

/* EXIT_DONE, or EXIT_FAILED with what is wrong with the bytes. */
int reader_feed(struct reader *reader, const char *p, size_t len, struct trouble *trouble);

/* To be called once at the end of the bytes; a document that was cut is no trouble here: see reader_whole(). */
int reader_finish(struct reader *reader, struct trouble *trouble);

/* Did the bytes end where the answer ends, with as many records as it says? */
bool reader_whole(const struct reader *reader);

/* How many records there were. */
uint64_t reader_count(const struct reader *reader);

/* Members around the records; borrowed, valid after reader_finish(). Never NULL then. */
const json_t *reader_envelope(const struct reader *reader);

#endif
