/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record_cut: cuts what a reader brings into records: a line of maps, or a line of smaps with its keys. A record that
 * lies whole in the reader's slot is not copied; one that goes on in the next slot is put together here.
 */
#ifndef MODEL_RECORD_CUT_H
#define MODEL_RECORD_CUT_H

#include <stdbool.h>

#include "source/reader.h"

struct record_cut {
	struct reader *reader;
	bool with_keys;			/* smaps */
	bool at_eof;
	struct vmad_str chunk;		/* not yet cut: in the reader's slot, or in carry */
	char *carry;			/* the record that crosses a border, and what follows it */
	size_t carry_capacity;
};

/* The reader stays the caller's, and must live as long. */
void record_cut_init(struct record_cut *cut, struct reader *reader, bool with_keys);
void record_cut_free(struct record_cut *cut);

/* 1: *ret_line, and *ret_keys for smaps, until the next call; 0: end of file; negative: an error of the reader. */
int record_cut_next(struct record_cut *cut, struct vmad_str *ret_line, struct vmad_str *ret_keys,
		    struct vmad_error *err);

#endif
