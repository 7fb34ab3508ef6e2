/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug information that names anything but source files; list-hostile.sh makes them
 * (argv[0]'s folder is that of the compiler). */
#include <stdlib.h>

static void *volatile p[12];

int main(void)
{
#line 1 "/dev/zero"
	p[0] = malloc(100);
#line 1 "/dev/tty"
	p[1] = malloc(101);
#line 1 "hostile/fifo.c"
	p[2] = malloc(102);
#line 1 "hostile/folder.c"
	p[3] = malloc(103);
#line 1 "hostile/binary.c"
	p[4] = malloc(104);
#line 1 "hostile/huge.c"
	p[5] = malloc(105);
#line 1 "hostile/long.c"
	p[6] = malloc(106);
#line 2 "hostile/escape.c"
	p[7] = malloc(107);
#line 1000000 "hostile/escape.c"
	p[8] = malloc(108);
#line 1 "hostile/missing.c"
	p[9] = malloc(109);
#line 1 "/proc/self/mem"
	p[10] = malloc(110);
#line 1 "hostile/loop.c"
	p[11] = malloc(111);
	return 0;
}
