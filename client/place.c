/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "place.h"

#include <inttypes.h>
#include <stdio.h>

#include "query.h"

int place_find(struct session *s, const char *text, struct place *place)
{
	struct target target;
	int code = target_parse(text, &target, &s->trouble);

	*place = (struct place){ 0 };
	if (code != EXIT_DONE)
		return code;
	if (target.form == TARGET_FILE) {
		place->file = target.word;
		snprintf(place->subject, sizeof(place->subject), "%s", target.word);
		return EXIT_DONE;
	}
	code = target_resolve_one(s, &target, &place->process);
	snprintf(place->subject, sizeof(place->subject), "process %d", place->process.pid);
	return code;
}

int place_query(const struct place *place, enum route route, uint64_t addr, struct text *query)
{
	int r = query_begin(query, route, place->process.pid, addr);

	if (place->process.start_time_ticks)
		r |= text_printf(query, "&start_time_ticks=%" PRIu64, place->process.start_time_ticks);
	return r;
}

int place_show(struct session *s, const struct place *place, enum route route, uint64_t addr, place_ask *ask,
	       struct list *list)
{
	struct text query = { 0 };
	int r = place_query(place, route, addr, &query), code;

	if (ask)
		r |= ask(s, &query);
	query_end(&query);
	list->question = (struct question){ .path = query.p, .subject = place->subject, .file = place->file };
	code = r ? trouble_oom(&s->trouble) : list_show(s, list);
	text_free(&query);
	return code;
}

int place_show_target(struct session *s, const char *text, enum route route, const char *columns, place_ask *ask,
		      struct list *list)
{
	struct place place;
	int code = list_columns(s, route, columns, list);

	if (code == EXIT_DONE)
		code = place_find(s, text, &place);
	return code == EXIT_DONE ? place_show(s, &place, route, 0, ask, list) : code;
}
