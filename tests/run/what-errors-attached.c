/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three threads that allocate, and the first one, which asks for an alignment that
 * is none. */
#include <pthread.h>
#include <stdatomic.h>
#include "expect.h"

static atomic_int over;

static void *busy(void *arg)
{
	while (!over) {
		void *p = malloc(100);

		KEEP(p);
		free(p);
	}
	return arg;
}

int main(void)
{
	size_t odd = 24;
	void *p = NULL;
	char line[2];
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, busy, NULL);
	EXPECT_THAT(read(0, line, 1) == 1);
	expect_error("misaligned", 1);
	expect("error_count", 1);
	expect_text("state", "detached");
	KEEP(odd);
	EXPECT_THAT(posix_memalign(&p, odd, 100));
	over = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	return 0;
}
