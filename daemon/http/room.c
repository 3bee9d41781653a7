/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/room.h"

#define STEP_US (ROOM_STEP_MS * UINT64_C(1000))

bool room_enter(struct room *room, const struct guest *guest, uint64_t now)
{
	if (room->count == ROOM_PLACES)
		return false;
	if (!room->count)
		room->due_us = now + STEP_US;
	room->guests[(room->first + room->count++) % ROOM_PLACES] = *guest;
	return true;
}

bool room_leave(struct room *room, uint64_t now, struct guest *ret_guest)
{
	if (!room->count || now < room->due_us)
		return false;
	*ret_guest = room->guests[room->first];
	room->first = (room->first + 1) % ROOM_PLACES;
	room->count--;
	room->due_us = now + STEP_US;
	return true;
}

void room_hurry(struct room *room)
{
	room->due_us = 0;
}

int room_wait_ms(const struct room *room, uint64_t now)
{
	if (!room->count)
		return -1;
	return room->due_us <= now ? 0 : (int)((room->due_us - now + 999) / 1000);
}

bool room_may_stay(const struct guest *guest, uint64_t now)
{
	return now < guest->since_us + ROOM_STAY_MS * UINT64_C(1000);
}
