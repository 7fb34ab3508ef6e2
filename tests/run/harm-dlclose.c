/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A library that allocates in its constructor, functions and destructor is
 * unloaded and loaded again by one thread, nearly always at the same address,
 * while others allocate; its own allocation function is called every time.
 * Build: -pthread plugin=harm-plugin -ldl.  Run: traced from the start. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include "expect.h"

#define LOADS ROUNDS_OF(40, 10)
#define EACH 6

static volatile int stop;
static long long others;

__attribute__((noinline)) static void other_alloc(void)
{
	void *p = malloc(80);

	KEEP(p);
	free(p);
}

static void *allocate(void *arg)
{
	for (; !stop; others++)
		other_alloc();
	return arg;
}

/* The plugin is beside the program. */
static void plugin_path(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 20);

	EXPECT_THAT(n > 0);
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "harm-plugin.so");
}

static void *load_and_unload(void *arg)
{
	void *last = NULL;
	int same = 0;

	for (int i = 0; i < LOADS; i++) {
		void *handle = dlopen(arg, i % 2 ? RTLD_NOW : RTLD_LAZY), *block;
		void *(*get)(size_t) = (void *(*)(size_t))(handle ? dlsym(handle, "plugin_get") : NULL);
		void (*put)(void *) = (void (*)(void *))(handle ? dlsym(handle, "plugin_put") : NULL);

		EXPECT_THAT(handle && get && put);
		for (int k = 0; k < EACH; k++) {
			block = get(100);
			EXPECT_THAT(block);
			memset(block, k, 100);
			put(block);
		}
		same += (void *)get == last;
		last = (void *)get;
		EXPECT_THAT(!dlclose(handle));
		EXPECT_THAT(!dlopen(arg, RTLD_NOW | RTLD_NOLOAD));
	}
	EXPECT_THAT(same > 0);
	return NULL;
}

int main(void)
{
	pthread_t loader, busy;
	char path[4096];

	plugin_path(path, sizeof path);
	EXPECT_THAT(!pthread_create(&busy, NULL, allocate, NULL));
	EXPECT_THAT(!pthread_create(&loader, NULL, load_and_unload, path));
	pthread_join(loader, NULL);
	stop = 1;
	pthread_join(busy, NULL);
	expect_stack("plugin_get", "total_blocks", LOADS * EACH);
	expect_stack("plugin_get", "open_blocks", 0);
	expect_stack("plugin_begin", "total_blocks", LOADS);
	expect_stack("plugin_begin", "open_blocks", 0);
	expect_stack("plugin_end", "total_blocks", LOADS);
	expect_stack("plugin_end", "open_blocks", LOADS);
	expect_stack("other_alloc", "total_blocks", others);
	return 0;
}
