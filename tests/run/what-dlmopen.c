/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dlmopen: a second C library with an allocator of its own, loaded and unloaded.
 * Build: plugin=harm-plugin -ldl. */
#include <dlfcn.h>
#include "expect.h"

#define LOADS 3
#define EACH 5

static void plugin_path(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 20);

	EXPECT_THAT(n > 0);
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "harm-plugin.so");
}

int main(void)
{
	char path[4096];

	plugin_path(path, sizeof path);
	for (int i = 0; i < LOADS; i++) {
		void *handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW), *block;
		void *(*get)(size_t) = (void *(*)(size_t))(handle ? dlsym(handle, "plugin_get") : NULL);
		void (*put)(void *) = (void (*)(void *))(handle ? dlsym(handle, "plugin_put") : NULL);

		EXPECT_THAT(handle && get && put);
		for (int k = 0; k < EACH; k++) {
			block = get(100);
			EXPECT_THAT(block);
			memset(block, k, 100);
			put(block);
		}
		EXPECT_THAT(!dlclose(handle));
	}
	expect_stack("plugin_get", "total_blocks", LOADS * EACH);
	expect_stack("plugin_get", "open_blocks", 0);
	expect_stack("plugin_begin", "total_blocks", LOADS);
	expect_stack("plugin_begin", "open_blocks", 0);
	expect("unknown_releases", 0);
	return 0;
}
