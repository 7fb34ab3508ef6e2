/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts itself into the background, the parent ending at once: the child must
 * have no breakpoint in it.  It compares its C library's text with the file,
 * allocates, and writes "fine" to the file that is named.  With a second
 * argument it forks twice. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long start, offset;
static unsigned char *file;
static size_t length;

/* The text of the object that malloc is in. */
static int find_text(void)
{
	unsigned long lo, hi, off, at = (unsigned long)malloc;
	char line[4352], path[4096];
	struct stat st;
	FILE *f = fopen("/proc/self/maps", "r");
	int fd = -1;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%lx-%lx r-xp %lx %*s %*s %4095s", &lo, &hi, &off, path) == 4 &&
		    at >= lo && at < hi) {
			start = lo;
			offset = off;
			length = hi - lo;
			fd = open(path, O_RDONLY);
		}
	if (f)
		fclose(f);
	if (fd < 0 || fstat(fd, &st))
		return -1;
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (length > (size_t)st.st_size - offset)
		length = (size_t)st.st_size - offset;
	return file == MAP_FAILED ? -1 : 0;
}

int main(int argc, char **argv)
{
	FILE *f;
	void *p = malloc(10);

	if (argc < 2 || find_text())
		return 1;
	if (fork())
		return 0;
	setsid();
	if (argc > 2 && fork())
		_exit(0);
	for (int i = 0; i < 100; i++) {
		free(malloc(100));
		usleep(10000);
	}
	free(p);
	f = fopen(argv[1], "w");
	if (!f)
		return 1;
	fputs(memcmp((void *)start, file + offset, length) ? "changed\n" : "fine\n", f);
	return fclose(f) != 0;
}
