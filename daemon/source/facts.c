/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/facts.h"

#include <errno.h>
#include <stdlib.h>

#include "source/facts_thread.h"

struct facts_reader {
	size_t room;
	struct facts *facts;
	struct facts_text *texts;
};

int facts_new(struct facts_reader **ret_reader, struct vmad_error *err)
{
	struct facts_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return vmad_fail(err, ENOMEM, 0, NULL, "read");
	*ret_reader = reader;
	return 0;
}

static void free_room(struct facts_reader *reader)
{
	for (size_t i = 0; i < reader->room; i++)
		free(reader->texts[i].cgroup);
	free(reader->texts);
	free(reader->facts);
}

void facts_free(struct facts_reader *reader)
{
	if (!reader)
		return;
	free_room(reader);
	free(reader);
}

static int make_room(struct facts_reader *reader, size_t count)
{
	struct facts_reader made = { .room = count };

	if (count <= reader->room)
		return 0;
	made.facts = calloc(count, sizeof(*made.facts));
	made.texts = calloc(count, sizeof(*made.texts));
	if (!made.facts || !made.texts) {
		free(made.facts);
		free(made.texts);
		return -ENOMEM;
	}
	free_room(reader);
	*reader = made;
	return 0;
}

int facts_read(struct facts_reader *reader, const pid_t *pids, size_t count, const struct facts **ret_facts,
	       struct vmad_error *err)
{
	struct facts_request request = { .pids = pids, .count = count };
	int r = count > FACTS_BATCH ? -E2BIG : make_room(reader, count);

	request.facts = reader->facts;
	request.texts = reader->texts;
	if (r == 0 && count)
		r = facts_thread_ask(&request);
	if (r < 0)
		return vmad_fail(err, -r, count == 1 ? pids[0] : 0, NULL, "read");
	*ret_facts = reader->facts;
	return 0;
}
