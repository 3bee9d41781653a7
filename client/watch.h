/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Again and again (--watch): redrawn on a terminal, else repeated with an empty line between. */
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include <stddef.h>

#include "trouble.h"

/* To be called in front of each round but the first. EXIT_DONE, or EXIT_INTERRUPTED where a signal came instead. */
int watch_wait(unsigned int ms);

/* To be called at the begin of each round. first: the very first one. */
void watch_draw(int first);

/* How many rows of a table the terminal has room for; 0: as many as there are. */
size_t watch_screen_rows(void);

#endif
