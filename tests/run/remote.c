/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Something of everything for remote.sh: blocks that stay, leak, fail; a mapping; a
 * child.  With an argument: 16 threads allocate until there is a file of that name.
 * Build: -pthread. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void *kept[64];
static void *volatile lost;

static const char *stop;

static void *storm(void *arg)
{
	void *block[50] = { 0 };

	for (unsigned i = 0; access(stop, F_OK); i++) {
		void **b = &block[i * 7 % 50];

		if (i % 5 == 4) {
			*b = realloc(*b, 20 + i % 300);
			continue;
		}
		free(*b);
		*b = i % 3 ? malloc(10 + i % 100) : NULL;
	}
	return arg;
}

static int run_storm(void)
{
	pthread_t thread[16];

	for (size_t i = 0; i < 16; i++)
		if (pthread_create(&thread[i], NULL, storm, NULL))
			return 1;
	for (size_t i = 0; i < 16; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	int local;
	pid_t child;

	if (argc > 1) {
		stop = argv[1];
		return run_storm();
	}

	for (int i = 0; i < 64; i++)
		kept[i] = malloc((size_t)i * 10);
	for (int i = 0; i < 32; i++)
		kept[i] = realloc(kept[i], 500);
	for (int i = 0; i < 16; i++)
		free(kept[i * 4]);
	lost = calloc(3, 100);
	lost = strdup("and this as well");
	lost = NULL;
	lost = malloc(SIZE_MAX / 4);
	mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (!child)
		_exit(kept[1] ? 0 : 1);
	waitpid(child, &local, 0);
	return 0;
}
