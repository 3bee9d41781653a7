/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walks: one for a process, few for a caller and the host, the others in their order; and what a rest costs. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "http/walks.h"

static struct walks *walks;
static const struct vmad_caller one = { .class = VMAD_CALLER_USER, .uid = 1, .gid = 1 };
static const struct vmad_caller two = { .class = VMAD_CALLER_USER, .uid = 2, .gid = 1 };

#define TWIN 1000	/* so much above a process is another one of its mm's */

/* The third may not know. */
static size_t twin_of(void *arg, const struct vmad_caller *caller, const pid_t *pids, size_t count)
{
	size_t place = 1;

	(void)arg;
	if (caller->uid == 3)
		return 0;
	while (place < count && pids[place] % TWIN != pids[0] % TWIN)
		place++;
	return place < count ? place : 0;
}

static int make_walks(void **state)
{
	(void)state;
	return walks_new(twin_of, NULL, &walks);
}

static int free_walks(void **state)
{
	(void)state;
	walks_free(walks);
	return 0;
}

static unsigned host_quota(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN) / 4;

	return cpus < 1 ? 1 : cpus > 4 ? 4 : (unsigned)cpus;
}

struct waiter {
	pthread_t thread;
	const struct vmad_caller *caller;
	pid_t pid;
	atomic_int result;	/* 1: still waits */
	atomic_int *order;
	int place;
	double got_ms;
	struct walk_permit *permit;
};

static void *wait_for_permit(void *arg)
{
	struct waiter *waiter = arg;
	int r = walk_begin(walks, waiter->caller, waiter->pid, &waiter->permit);

	if (r == 0 && waiter->order)
		waiter->place = atomic_fetch_add(waiter->order, 1);
	atomic_store(&waiter->result, r);
	return NULL;
}

/* Notes when it has it, and ends it at once. */
static void *pass_on(void *arg)
{
	struct waiter *waiter = arg;
	int r = walk_begin(walks, waiter->caller, waiter->pid, &waiter->permit);

	waiter->got_ms = now_ms();
	if (r == 0)
		walk_end(waiter->permit);
	atomic_store(&waiter->result, r);
	return NULL;
}

static void start_as(struct waiter *waiter, void *(*run)(void *), const struct vmad_caller *caller, pid_t pid)
{
	waiter->caller = caller;
	waiter->pid = pid;
	waiter->permit = NULL;
	atomic_store(&waiter->result, 1);
	assert_int_equal(pthread_create(&waiter->thread, NULL, run, waiter), 0);
}

static void start(struct waiter *waiter, const struct vmad_caller *caller, pid_t pid)
{
	start_as(waiter, wait_for_permit, caller, pid);
}

static bool has_answer(void *arg)
{
	return atomic_load(&((struct waiter *)arg)->result) != 1;
}

static void join(struct waiter *waiter)
{
	assert_int_equal(pthread_join(waiter->thread, NULL), 0);
}

static bool so_many_wait(void *arg)
{
	return walks_waiting(walks) == *(unsigned *)arg;
}

/* So that they wait in this order. */
static void start_waiting(struct waiter *waiter, const struct vmad_caller *caller, pid_t pid)
{
	unsigned waiting = walks_waiting(walks) + 1;

	start(waiter, caller, pid);
	assert_true(eventually(so_many_wait, &waiting));
}

static void *resume(void *arg)
{
	struct waiter *waiter = arg;

	atomic_store(&waiter->result, walk_resume(waiter->permit));
	return NULL;
}

static void one_for_a_process(void **state)
{
	struct walk_permit *permit;
	struct waiter other = { 0 };

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	start(&other, &two, 42);
	walk_end(permit);
	join(&other);
	assert_int_equal(other.result, 0);
	walk_end(other.permit);
	walk_end(NULL);
}

/* Two users, so that it is not the quota of one that holds them back. */
static void one_for_an_mm(void **state)
{
	static const struct vmad_caller three = { .class = VMAD_CALLER_USER, .uid = 3, .gid = 1 };
	struct walk_permit *permit, *other_mm;
	struct waiter twin = { 0 }, first = { 0 };

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	start_waiting(&twin, &two, 42 + TWIN);
	assert_int_equal(walk_begin(walks, &three, 43 + TWIN, &other_mm), 0);
	walk_end(other_mm);
	assert_false(has_answer(&twin));
	walk_end(permit);
	assert_true(eventually(has_answer, &twin));
	/* Known to be the same by now, which ever is asked for. */
	start_waiting(&first, &one, 42);
	assert_false(has_answer(&first));
	join(&twin);
	walk_end(twin.permit);
	join(&first);
	/* Who may not know it is not held back by it. */
	assert_int_equal(walk_begin(walks, &three, 42 + TWIN, &permit), 0);
	walk_end(permit);
	walk_end(first.permit);
}

/* Won back after a rest, it is asked for as at first. */
static void rests_beside_a_twin(void **state)
{
	struct walk_permit *permit;
	struct waiter twin = { 0 }, again = { 0 };

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	walk_rest(permit);
	start(&twin, &two, 42 + TWIN);
	assert_true(eventually(has_answer, &twin));
	join(&twin);
	again.permit = permit;
	atomic_store(&again.result, 1);
	assert_int_equal(pthread_create(&again.thread, NULL, resume, &again), 0);
	assert_false(has_answer(&again));
	walk_end(twin.permit);
	join(&again);
	assert_int_equal(again.result, 0);
	walk_end(permit);
}

/* Nobody ends, so the ones in the queue end by the clock, and the one above it at once. */
static void queue_and_clock(void **state)
{
	struct waiter waiters[WALKS_QUEUE_MAX + 1] = { 0 };
	struct walk_permit *permit;
	unsigned refused = 0, late = 0;
	double began = now_ms();

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	for (size_t i = 0; i <= WALKS_QUEUE_MAX; i++)
		start(&waiters[i], &two, 42);
	for (size_t i = 0; i <= WALKS_QUEUE_MAX; i++) {
		join(&waiters[i]);
		refused += waiters[i].result == -EBUSY;
		late += waiters[i].result == -ETIMEDOUT;
	}
	assert_int_equal(refused, 1);
	assert_int_equal(late, WALKS_QUEUE_MAX);
	assert_true(now_ms() - began >= WALKS_WAIT_MS - 1);
	walk_end(permit);
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	walk_end(permit);
}

static void resting(void **state)
{
	struct walk_permit *permit;
	struct waiter other = { 0 };

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	walk_rest(permit);
	assert_int_equal(walk_resume(permit), 0);
	walk_rest(permit);
	/* It rests too long for one who waits. */
	start(&other, &two, 42);
	join(&other);
	assert_int_equal(other.result, 0);
	/* Won back once the other one has ended. */
	walk_end(other.permit);
	assert_int_equal(walk_resume(permit), 0);
	walk_end(permit);
}

/* A window, and the rest after it. How long that was: a machine may stand still. */
static double take_rest(struct walk_permit *permit)
{
	double began = now_ms();

	walk_rest(permit);
	assert_int_equal(walk_resume(permit), 0);
	return now_ms() - began;
}

/* What became of a permit beside one who waited for it. */
struct outcome {
	bool lost;		/* before it was ended; then it was won back */
	bool rested;		/* for too long, on a machine that stood still */
	double kept_ms;		/* at the most */
};

static struct outcome works(const struct vmad_caller *waits, double ms)
{
	struct walk_permit *permit;
	struct waiter other = { 0 };
	struct outcome outcome = { 0 };
	double began = now_ms();

	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	start_as(&other, pass_on, waits, 42);
	while (now_ms() - began < ms && !has_answer(&other))
		outcome.rested |= take_rest(permit) >= WALKS_REST_MS;
	outcome.lost = has_answer(&other);
	walk_end(permit);
	join(&other);
	assert_int_equal(other.result, 0);
	outcome.kept_ms = other.got_ms - began;
	return outcome;
}

static void working(void **state)
{
	struct outcome outcome = works(&one, 2 * WALKS_TURN_MS);

	(void)state;
	assert_true(!outcome.lost || outcome.rested);
	outcome = works(&two, WALKS_TURN_MS / 2);
	assert_true(!outcome.lost || outcome.rested || outcome.kept_ms >= WALKS_TURN_MS);
}

/* Its reply goes on when it is its turn again. */
static void turns(void **state)
{
	struct outcome outcome = works(&two, WALKS_WAIT_MS);

	(void)state;
	assert_true(outcome.lost);
	assert_true(outcome.rested || outcome.kept_ms >= WALKS_TURN_MS);
}

static void end(struct waiter *waiter)
{
	join(waiter);
	assert_int_equal(waiter->result, 0);
	walk_end(waiter->permit);
}

/* The queue of one is full, and all that the host has is in use: two begins at once. */
static void another_user(void **state)
{
	struct waiter greedy[WALKS_QUEUE_MAX] = { 0 };
	struct walk_permit *permit;

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	for (size_t i = 0; i < WALKS_QUEUE_MAX; i++)
		start_waiting(&greedy[i], &one, 42);
	assert_int_equal(walk_begin(walks, &one, 43, &greedy[0].permit), -EBUSY);
	assert_int_equal(walk_begin(walks, &two, 44, &greedy[0].permit), 0);
	walk_end(greedy[0].permit);
	walk_end(permit);
	for (size_t i = 0; i < WALKS_QUEUE_MAX; i++)
		end(&greedy[i]);
}

#define EACH 3

/* One came first, with all of its walks of a process; then two, with all of its own. */
static void users_take_turns(void **state)
{
	struct waiter waiters[2 * EACH] = { 0 };
	struct walk_permit *permit;
	atomic_int order = 0;

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 42, &permit), 0);
	for (int i = 0; i < 2 * EACH; i++) {
		waiters[i].order = &order;
		start_waiting(&waiters[i], i < EACH ? &one : &two, 42);
	}
	walk_end(permit);
	for (int i = 0; i < EACH; i++) {
		end(&waiters[EACH + i]);
		end(&waiters[i]);
	}
	for (int i = 0; i < EACH; i++) {
		assert_int_equal(waiters[EACH + i].place, 2 * i);
		assert_int_equal(waiters[i].place, 2 * i + 1);
	}
}

static void quotas(void **state)
{
	struct walk_permit *permits[8];
	struct waiter more = { 0 };
	unsigned most = host_quota() < WALKS_PER_CALLER ? host_quota() : WALKS_PER_CALLER;

	(void)state;
	for (unsigned i = 0; i < most; i++)
		assert_int_equal(walk_begin(walks, &one, (pid_t)(100 + i), &permits[i]), 0);
	start(&more, &one, 200);
	assert_false(has_answer(&more));
	walk_end(permits[0]);
	assert_true(eventually(has_answer, &more));
	assert_int_equal(more.result, 0);
	join(&more);
	walk_end(more.permit);
	for (unsigned i = 1; i < most; i++)
		walk_end(permits[i]);
}

static void one_of_many(void **state)
{
	struct walk_permit *first, *others;
	struct waiter second = { 0 };
	unsigned one_waits = 1;

	(void)state;
	assert_int_equal(walk_begin(walks, &one, 1, &first), 0);
	assert_int_equal(walk_begin(walks, &two, 2, &others), 0);
	assert_false(walk_is_one_of_many(first));
	start(&second, &one, 1);
	assert_true(eventually(so_many_wait, &one_waits));
	assert_true(walk_is_one_of_many(first));
	assert_false(walk_is_one_of_many(others));
	walk_end(first);
	join(&second);
	assert_false(walk_is_one_of_many(second.permit));
	walk_end(second.permit);
	walk_end(others);
}

#define RACERS 12
#define PIDS 3

static atomic_int active[PIDS], active_all, violations;

static void *race(void *arg)
{
	const struct vmad_caller *caller = (intptr_t)arg % 2 ? &one : &two;

	for (int i = 0; i < 300; i++) {
		int pid = (i + (int)(intptr_t)arg) % PIDS;
		struct walk_permit *permit;

		if (walk_begin(walks, caller, 1 + pid + i % 2 * TWIN, &permit) < 0)
			continue;
		for (int step = 0; step < 3; step++) {
			bool alone = atomic_fetch_add(&active[pid], 1) == 0;

			if (!alone || atomic_fetch_add(&active_all, 1) >= (int)host_quota() + WALKS_SPARE)
				atomic_fetch_add(&violations, 1);
			if (alone)
				atomic_fetch_sub(&active_all, 1);
			atomic_fetch_sub(&active[pid], 1);
			walk_rest(permit);
			if (walk_resume(permit) < 0)
				break;
		}
		walk_end(permit);
	}
	return NULL;
}

static void races(void **state)
{
	pthread_t threads[RACERS];

	(void)state;
	for (intptr_t i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, (void *)i), 0);
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(violations, 0);
}

#define WITH_WALKS(sentence, function) { sentence, function, make_walks, free_walks, NULL }

int main(void)
{
	const struct CMUnitTest cases[] = {
		WITH_WALKS("one at a time for a process, whoever asks", one_for_a_process),
		WITH_WALKS("one at a time for an mm, by whichever process it is asked for", one_for_an_mm),
		WITH_WALKS("it is won back when the mm's other walk has ended", rests_beside_a_twin),
		WITH_WALKS("sixteen wait, five seconds, and the next is refused", queue_and_clock),
		WITH_WALKS("who rests too long loses it to one who waits, and wins it back", resting),
		WITH_WALKS("who works keeps it, for a turn, or while nobody else waits", working),
		WITH_WALKS("after its turn another user's begins, and then it goes on", turns),
		WITH_WALKS("a full queue of one user's is not another's, who begins at once", another_user),
		WITH_WALKS("users take turns, each one's walks in their order", users_take_turns),
		WITH_WALKS("it is one of many where its user has another that walks or waits", one_of_many),
		WITH_WALKS("few for a caller and the host", quotas),
		WITH_WALKS("never two in one mm, nor too many on the host", races),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
