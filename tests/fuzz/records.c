/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader and record_cut, which take a list apart as it comes: the first byte says whether it is of maps or of smaps, the second in pieces of how
 * many bytes it comes. The records are the same as if it came at once, and one behind the other they are the whole of it.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>

#include "model/record_cut.h"

#define SIZE_MAX_CUT 8192
#define PIECES_MAX 64

/* All bytes in order, and where each record's line and keys end. */
struct cuts {
	uint8_t bytes[SIZE_MAX_CUT];
	size_t len, ends[2 * SIZE_MAX_CUT], count;
};

static void add(struct cuts *cuts, struct vmad_str part)
{
	MUST(part.len <= sizeof(cuts->bytes) - cuts->len);
	memcpy(cuts->bytes + cuts->len, part.p, part.len);
	cuts->len += part.len;
	cuts->ends[cuts->count++] = cuts->len;
}

static void cut_all(int fd, bool with_keys, struct cuts *cuts)
{
	struct vmad_str line, keys;
	struct record_cut cut;
	struct reader *reader;

	cuts->len = cuts->count = 0;
	MUST(reader_new(fd, 7, "maps", READER_UNPACED, &reader, NULL) == 0);
	record_cut_init(&cut, reader, with_keys);
	while (record_cut_next(&cut, &line, &keys, NULL) > 0) {
		MUST(line.len > 0 && (with_keys || keys.len == 0));
		add(cuts, line);
		add(cuts, keys);
	}
	record_cut_free(&cut);
	reader_free(reader);
}

/* A packet is what one read() brings, and nothing is behind the last. */
static int packets_of(const uint8_t *data, size_t size, size_t piece)
{
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	for (; size; data += piece, size -= piece) {
		piece = piece < size ? piece : size;
		MUST(send(ends[1], data, piece, MSG_DONTWAIT) == (ssize_t)piece);
	}
	close(ends[1]);
	return ends[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cuts whole, pieces;
	size_t piece;

	if (size < 2 || size - 2 > SIZE_MAX_CUT)
		return 0;
	piece = data[1] + 1;
	piece = piece < size / PIECES_MAX + 1 ? size / PIECES_MAX + 1 : piece;
	cut_all(dup(file_with(data + 2, size - 2)), data[0] & 1, &whole);
	cut_all(packets_of(data + 2, size - 2, piece), data[0] & 1, &pieces);
	MUST(whole.len == size - 2 && !memcmp(whole.bytes, data + 2, whole.len));
	MUST(pieces.len == whole.len && !memcmp(pieces.bytes, whole.bytes, whole.len));
	MUST(pieces.count == whole.count && !memcmp(pieces.ends, whole.ends, whole.count * sizeof(*whole.ends)));
	return 0;
}
