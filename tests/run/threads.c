/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that allocate at once and release one another's blocks. */
#include <pthread.h>

#include "expect.h"

enum { THREADS = 4, ROUNDS = ROUNDS_OF(300, 60), KEPT = 10 };

static void *kept[THREADS][KEPT];

static void *thread_body(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < ROUNDS; i++) {
		char *p = malloc((size_t)(i % 64 + 1));

		EXPECT_THAT(p);
		p[0] = (char)i;
		KEEP(p);
		free(p);
	}
	for (int i = 0; i < KEPT; i++)
		kept[me][i] = malloc(100);
	return NULL;
}

static void *release_body(void *arg)
{
	(void)arg;
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < KEPT / 2; i++)
			free(kept[t][i]);
	return NULL;
}

int main(void)
{
	pthread_t thread[THREADS], last;
	long long bytes = 0;

	for (long t = 0; t < THREADS; t++)
		EXPECT_THAT(!pthread_create(&thread[t], NULL, thread_body, (void *)t));
	for (int t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	EXPECT_THAT(!pthread_create(&last, NULL, release_body, NULL));
	pthread_join(last, NULL);

	for (int i = 0; i < ROUNDS; i++)
		bytes += i % 64 + 1;
	expect_stack("thread_body", "total_blocks", THREADS * (ROUNDS + KEPT));
	expect_stack("thread_body", "total_bytes", THREADS * (bytes + KEPT * 100));
	expect_stack("thread_body", "open_blocks", THREADS * KEPT / 2);
	expect_stack("thread_body", "open_bytes", THREADS * KEPT / 2 * 100);
	expect("frees >=", THREADS * (ROUNDS + KEPT / 2));
	expect("error_count", 0); /* the C library's own, at a thread's end, is none */
	expect("exit_code", 0);
	return 0;
}
