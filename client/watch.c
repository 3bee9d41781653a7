/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output.h"
#include "signals.h"

static bool drawing;

int watch_wait(unsigned int ms)
{
	struct pollfd fd = { .fd = signals_fd(), .events = POLLIN };

	poll(&fd, 1, (int)ms);
	return signals_caught() ? EXIT_INTERRUPTED : EXIT_DONE;
}

void watch_draw(int first)
{
	drawing = output_is_terminal();
	if (drawing)
		fputs("\033[H\033[2J", output());
	else if (!first)
		fputc('\n', output());
}

size_t watch_screen_rows(void)
{
	enum { AROUND = 5 };	/* the answer, a blank line, headings, what does not fit, the cursor */
	struct winsize size;

	if (!drawing || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row <= AROUND)
		return 0;
	return size.ws_row - AROUND;
}
