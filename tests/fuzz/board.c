/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board: the bytes are what a sampler that was taken over writes into the memory that it shares with the worker. Whoever reads stays within
 * bounds; and what is published there afterwards in good order is read as it was written.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/stat.h>

#include "encode/prom.h"
#include "sampler/snapshot.h"

static struct board *board, *reader;
static size_t board_bytes;

static void open_board(void)
{
	struct stat st;
	int fd;

	MUST(board_new(&board, &fd) == 0 && board_new_reader(&reader) == 0);
	MUST(board_follow(reader, fd) == 0 && fstat(fd, &st) == 0);
	board_bytes = (size_t)st.st_size;
	close(fd);
}

/* Without its quotes and escapes it is the name again, and it stays on its line. */
static void check_label(const char *name)
{
	struct buf label = { 0 };
	char again[GROUP_NAME_MAX];
	size_t len = 0, at;

	prom_label(&label, "group", name);
	MUST(!label.failed && label.len >= 8 && !memcmp(label.p, "group=\"", 7) && label.p[label.len - 1] == '"');
	MUST(!memchr(label.p, '\n', label.len));
	for (at = 7; at < label.len - 1; at++) {
		bool escaped = label.p[at] == '\\';

		MUST(label.p[at] != '"');
		at += escaped;
		again[len++] = (char)(escaped && label.p[at] == 'n' ? '\n' : label.p[at]);
	}
	MUST(at == label.len - 1 && len == strlen(name) && !memcmp(again, name, len));
	buf_free(&label);
}

static void check_read(uint64_t sequence)
{
	static struct snapshot snapshot;

	MUST(board_read(reader, &snapshot) == (sequence >= 2));
	if (sequence < 2)
		return;
	MUST(snapshot.count <= GROUPS_MAX);
	for (uint32_t i = 0; i < snapshot.count; i++)
		check_label(snapshot.groups[i].name);
}

static void check_publish(const uint8_t *data, size_t size)
{
	static struct snapshot written, found;

	memset(&written, 0, sizeof(written));
	memcpy(&written, data, size < sizeof(written) ? size : sizeof(written));
	written.count = GROUPS_MAX;
	for (uint32_t i = 0; i < GROUPS_MAX; i++)
		written.groups[i].name[GROUP_NAME_MAX - 1] = '\0';
	board_publish(board, &written);
	MUST(board_read(reader, &found) && !memcmp(&found, &written, sizeof(found)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t sequence;

	if (!board)
		open_board();
	memset(board, 0, board_bytes);
	memcpy(board, data, size < board_bytes ? size : board_bytes);
	memcpy(&sequence, board, sizeof(sequence));
	check_read(sequence);
	/* A sampler in good order begins at 0, and never comes round. */
	if (sequence % 2 == 0 && sequence < UINT64_MAX / 2)
		check_publish(data, size);
	return 0;
}
