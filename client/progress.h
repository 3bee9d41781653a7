/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sign of life on stderr for what takes longer than a second; on a terminal only. */
#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool wanted, shown;
	int64_t began_ms, said_ms;
};

void progress_begin(struct progress *progress);
void progress_say(struct progress *progress, uint64_t bytes);	/* as often as you like */
void progress_end(struct progress *progress);			/* takes the line away again */

#endif
