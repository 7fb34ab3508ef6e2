/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads come and go, joined and detached, each of them allocating in its
 * start function, in a destructor of thread-specific data, and freeing what
 * another allocated; none is lost and none is counted twice.
 * Build: -pthread.  Run: traced from the start. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include "expect.h"

#define WAVES ROUNDS_OF(20, 5)
#define AT_ONCE 10
#define EACH 5

static pthread_key_t key;
static int ended;

__attribute__((noinline)) static unsigned char *thread_alloc(unsigned char mark)
{
	unsigned char *p = malloc(48);

	KEEP(p);
	EXPECT_THAT(p);
	memset(p, mark, 48);
	return p;
}

__attribute__((noinline)) static void *late_alloc(void)
{
	void *p = malloc(24);

	KEEP(p);
	return p;
}

static void at_thread_exit(void *p)
{
	free(late_alloc());
	free(p);
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

static void *start(void *arg)
{
	unsigned char *given = arg, *own[EACH], mark = given[0];

	for (int i = 0; i < EACH; i++)
		own[i] = thread_alloc((unsigned char)(mark + i));
	EXPECT_THAT(given[47] == mark);
	free(given);
	for (int i = 1; i < EACH; i++) {
		EXPECT_THAT(own[i][0] == (unsigned char)(mark + i) && own[i][47] == own[i][0]);
		free(own[i]);
	}
	pthread_setspecific(key, own[0]);
	return NULL;
}

int main(void)
{
	pthread_attr_t detached;

	EXPECT_THAT(!pthread_key_create(&key, at_thread_exit));
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (int w = 0; w < WAVES; w++) {
		pthread_t t[AT_ONCE];

		for (int i = 0; i < AT_ONCE; i++)
			EXPECT_THAT(!pthread_create(&t[i], i % 2 ? &detached : NULL, start,
						    thread_alloc((unsigned char)(w * 16 + i))));
		for (int i = 0; i < AT_ONCE; i += 2)
			pthread_join(t[i], NULL);
	}
	while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < WAVES * AT_ONCE)
		sched_yield();
	expect_stack("thread_alloc", "total_blocks", WAVES * AT_ONCE * (EACH + 1));
	expect_stack("thread_alloc", "open_blocks", 0);
	expect_stack("late_alloc", "total_blocks", WAVES * AT_ONCE);
	expect_stack("late_alloc", "open_blocks", 0);
	return 0;
}
