/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where answers go: standard output, through a pager where that is a terminal. */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "trouble.h"

/* To be called once, first: paged says whether a pager may be started. */
void output_setup(bool paged);

/* Is a person reading this? (The pager counts as the terminal behind it.) */
bool output_is_terminal(void);

/* The stream to print to; starts the pager when it is first asked for. */
FILE *output(void);

/* Writes bytes as they are. EXIT_DONE, EXIT_QUIET where the reader went away, or EXIT_FAILED. */
int output_write(const char *p, size_t len, struct trouble *trouble);

/* Did an earlier write fail? output_flush() says how. */
bool output_lost(void);

/* What was printed is out, or trouble says why not; the same codes. */
int output_flush(struct trouble *trouble);

/* Waits for the pager to be left. */
void output_close(void);

#endif
