/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An object as it lies in a tracee's memory, put together again as a file:
 * the vdso, which has none, and objects whose file is gone or unreadable. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "file.h"

#define MAX_IMAGE (1u << 30)
#define MAX_HEADERS 65536u

/* Reads what can be read; holes stay zero.  Bytes up to the last one read. */
static uint64_t read_range(const struct mem_reader *mem, taddr_t addr, uint8_t *buf, uint64_t len)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t done = 0, end = 0;
	ssize_t n;

	while (done < len) {
		n = mem->read(mem->arg, addr + done, buf + done, len - done);
		if (n > 0) {
			done += MIN((uint64_t)n, len - done);
			end = done;
		} else {
			done += page - (addr + done) % page;
		}
	}
	return end;
}

/* Length of the image that the segments make; 0: not sensible. */
static uint64_t image_length(const struct image *hdr, uint64_t extent)
{
	Elf64_Phdr ph;
	uint64_t end = 0;

	for (uint32_t i = 0; image_phdr(hdr, i, &ph); i++) {
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_offset > MAX_IMAGE || ph.p_filesz > extent)
			return 0;
		end = MAX(end, ph.p_offset + ph.p_filesz);
	}
	return end > MAX_IMAGE ? 0 : end;
}

/* The load bias: the first segment holds the headers. */
static bool find_bias(const struct image *hdr, taddr_t start, taddr_t *bias)
{
	Elf64_Phdr ph;

	for (uint32_t i = 0; image_phdr(hdr, i, &ph); i++)
		if (ph.p_type == PT_LOAD && ph.p_filesz &&
		    ph.p_offset < (uint64_t)sysconf(_SC_PAGESIZE)) {
			*bias = start - (ph.p_vaddr - ph.p_offset);
			return true;
		}
	return false;
}

static void read_loads(const struct image *hdr, const struct mem_reader *mem, taddr_t start,
		       uint64_t extent, taddr_t bias, uint8_t *buf, uint64_t size)
{
	Elf64_Phdr ph;
	taddr_t addr;

	for (uint32_t i = 0; image_phdr(hdr, i, &ph); i++) {
		addr = ph.p_vaddr + bias;
		if (ph.p_type != PT_LOAD || ph.p_offset > size || ph.p_filesz > size - ph.p_offset ||
		    addr - start > extent || ph.p_filesz > extent - (addr - start))
			continue;
		read_range(mem, addr, buf + ph.p_offset, ph.p_filesz);
	}
}

/* Section headers are not loaded: what lies at their offset is nothing. */
static void drop_sections(uint8_t *p, bool is64)
{
	if (is64) {
		Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)p;

		eh->e_shoff = 0;
		eh->e_shnum = eh->e_shstrndx = 0;
	} else {
		Elf32_Ehdr *eh = (Elf32_Ehdr *)(void *)p;

		eh->e_shoff = 0;
		eh->e_shnum = eh->e_shstrndx = 0;
	}
}

static uint8_t *map_anonymous(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The image of the object whose first bytes are hdr; mapped. */
static uint8_t *build_image(const struct image *hdr, const struct mem_reader *mem, taddr_t start,
			    uint64_t extent, uint64_t *size, taddr_t *bias)
{
	uint64_t len = image_length(hdr, extent);
	uint64_t shend = hdr->shoff + (uint64_t)hdr->shnum * ELF_SIZEOF(hdr, Shdr);
	uint8_t *buf;

	if (!len || !find_bias(hdr, start, bias))
		return NULL;
	*size = MAX(len, hdr->size);
	/* The vdso is loaded with its section headers and all. */
	if (hdr->shoff && shend <= extent && hdr->shnum && extent <= MAX_HEADERS)
		*size = extent;
	buf = map_anonymous(*size);
	if (!buf)
		return NULL;
	if (*size == extent)
		read_range(mem, start, buf, extent);
	else
		memcpy(buf, hdr->p, hdr->size);
	read_loads(hdr, mem, start, extent, *bias, buf, *size);
	if (*size != extent)
		drop_sections(buf, hdr->is64);
	return buf;
}

size_t elf_memory_build_id(const struct mem_reader *mem, taddr_t start, uint8_t *id, size_t max)
{
	uint8_t head[4096]; /* linkers put the notes behind the headers */
	struct image hdr = { .p = head };
	struct elf_ident ident;
	const uint8_t *found;
	size_t len = 0;

	hdr.size = read_range(mem, start, head, sizeof head);
	if (image_init(&hdr, &ident) < 0)
		return 0;
	found = image_build_id(&hdr, &len);
	if (!found || len > max)
		return 0;
	memcpy(id, found, len);
	return len;
}

/* Another process of the session may have brought the same object. */
static struct elf_file *share(struct elf_file *f)
{
	struct elf_file *old = NULL;

	if (f->build_id_len)
		old = elf_file_find(f->build_id, f->build_id_len, 0, 0);
	if (old && old->from_memory && old->im.size == f->im.size && old->bias == f->bias) {
		elf_file_unref(f);
		return old;
	}
	elf_file_unref(old);
	file_enlist(f);
	return f;
}

struct elf_file *elf_file_from_memory(const struct mem_reader *mem, taddr_t start, uint64_t len,
				      const char *name)
{
	struct elf_ident ident;
	struct elf_file *f;
	uint64_t n = MIN(len, MAX_HEADERS), size;
	uint8_t *head = xcalloc(1, n ? n : 1), *p;
	struct image hdr = { .p = head };
	taddr_t bias;
	int err;

	hdr.size = read_range(mem, start, head, n);
	err = image_init(&hdr, &ident);
	p = err ? NULL : build_image(&hdr, mem, start, len, &size, &bias);
	free(head);
	if (!p) {
		errno = ENOEXEC;
		return NULL;
	}
	f = file_new(p, size, BACKED_BY_MAP, name);
	if (!f)
		return NULL;
	f->from_memory = true;
	f->bias = bias;
	return share(f);
}

const uint8_t *elf_file_memory_image(const struct elf_file *f, uint64_t *size, taddr_t *bias)
{
	*size = f->from_memory ? f->im.size : 0;
	*bias = f->bias;
	return f->from_memory ? f->im.p : NULL;
}

struct elf_file *elf_file_from_image(const void *bytes, uint64_t size, taddr_t bias,
				     const char *name)
{
	uint8_t *copy = size && size <= MAX_IMAGE ? map_anonymous(size) : NULL;
	struct elf_file *f;

	if (!copy) {
		errno = ENOEXEC;
		return NULL;
	}
	memcpy(copy, bytes, size);
	f = file_new(copy, size, BACKED_BY_MAP, name);
	if (!f)
		return NULL;
	f->from_memory = true;
	f->bias = bias;
	return share(f);
}
