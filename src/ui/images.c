/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/xalloc.h"
#include "ui/images.h"

static void begin(struct images *im, const struct event *ev)
{
	free(im->bytes);
	im->bytes = xmalloc(ev->u.image.size);
	im->module = ev->u.image.module;
	im->size = ev->u.image.size;
	im->have = 0;
}

static void finish(struct images *im, taddr_t bias)
{
	struct elf_file *f = elf_file_from_image(im->bytes, im->size, bias, "");

	if (f)
		vec_push(&im->files, f);
	free(im->bytes);
	im->bytes = NULL;
}

void images_take(struct images *im, const struct event *ev)
{
	if (im->files.n >= IMAGES_MAX || !ev->u.image.ndata)
		return;
	if (!ev->u.image.offset)
		begin(im, ev);
	if (!im->bytes || ev->u.image.module != im->module || ev->u.image.size != im->size ||
	    ev->u.image.offset != im->have)
		return;
	memcpy(im->bytes + im->have, ev->u.image.data, ev->u.image.ndata);
	im->have += ev->u.image.ndata;
	if (im->have == im->size)
		finish(im, ev->u.image.bias);
}

void images_release(struct images *im)
{
	for (size_t i = 0; i < im->files.n; i++)
		elf_file_unref(im->files.v[i]);
	vec_release(&im->files);
	free(im->bytes);
	im->bytes = NULL;
}
