/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <gelf.h>
#include <libelf.h>

#include <gv/gfx9.h>

#include "code_object.h"

/* AMD's ELF numbers (LLVM AMDGPUUsage: ELF Code Object); libelf's elf.h knows only some. */
enum {
	CO_EM_AMDGPU = 224,
	CO_OSABI_AMDGPU_HSA = 64,
	CO_ABI_V3 = 1,
	CO_ABI_V5 = 3,
	CO_MACH_MASK = 0xff,
	CO_MACH_GFX900 = 0x2c,
	CO_NT_METADATA = 32,
	CO_R_NONE = 0,
	CO_R_RELATIVE64 = 13,
};

/* Kernel descriptor (LLVM AMDGPUUsage: Kernel Descriptor). */
struct descriptor {
	uint32_t group_segment_fixed_size;
	uint32_t private_segment_fixed_size;
	uint32_t kernarg_size;
	uint8_t reserved0[4];
	int64_t kernel_code_entry_byte_offset;
	uint8_t reserved1[20];
	uint32_t compute_pgm_rsrc3;
	uint32_t compute_pgm_rsrc1;
	uint32_t compute_pgm_rsrc2;
	uint16_t kernel_code_properties;
	uint8_t reserved2[6];
};
_Static_assert(sizeof(struct descriptor) == 64, "kernel descriptor");
_Static_assert(offsetof(struct descriptor, kernel_code_entry_byte_offset) == 16, "descriptor");
_Static_assert(offsetof(struct descriptor, compute_pgm_rsrc3) == 44, "descriptor");
_Static_assert(offsetof(struct descriptor, compute_pgm_rsrc1) == 48, "descriptor");
_Static_assert(offsetof(struct descriptor, kernel_code_properties) == 56, "descriptor");

struct reloc {
	uint64_t off; /* in the image */
	int64_t addend;
};

struct gv_co {
	uint8_t *image;
	uint64_t bytes; /* rounded up to 4 KiB */
	uint64_t base;  /* p_vaddr that lies at the start of the image */
	struct gv_co_kernel *kernel;
	unsigned num_kernels;
	struct reloc *reloc;
	size_t num_relocs;
};

/* Relocations may be many; a table this long is not of a compiler. */
#define MAX_RELOCS   (1u << 20)
#define MAX_SECTIONS 4096u

/* ---- header and segments ---------------------------------------------------- */

static int check_header(Elf *elf, const GElf_Ehdr *eh, struct gv_err *err)
{
	if (elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64)
		return gv_fail(err, -ENOEXEC, "not a 64-bit ELF file");
	if (eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return gv_fail(err, -ENOEXEC, "not little-endian");
	if (eh->e_machine != CO_EM_AMDGPU)
		return gv_fail(err, -ENOEXEC, "e_machine is %u, not AMDGPU (%u)", eh->e_machine,
		               CO_EM_AMDGPU);
	if (eh->e_type != ET_DYN)
		return gv_fail(
		        err, -ENOEXEC,
		        "e_type is %u, not a shared object (%u): link it with ld.lld -shared",
		        eh->e_type, ET_DYN);
	if (eh->e_ident[EI_OSABI] != CO_OSABI_AMDGPU_HSA)
		return gv_fail(err, -ENOEXEC, "OS ABI is %u, not amdhsa (%u)",
		               eh->e_ident[EI_OSABI], CO_OSABI_AMDGPU_HSA);
	if (eh->e_ident[EI_ABIVERSION] < CO_ABI_V3 || eh->e_ident[EI_ABIVERSION] > CO_ABI_V5)
		return gv_fail(err, -EOPNOTSUPP,
		               "code object ABI version %u: 1 (v3) to 3 (v5) are supported",
		               eh->e_ident[EI_ABIVERSION]);
	if ((eh->e_flags & CO_MACH_MASK) != CO_MACH_GFX900)
		return gv_fail(
		        err, -ENOEXEC,
		        "made for machine 0x%x, this GPU is gfx900 (0x%x): clang -mcpu=gfx900",
		        eh->e_flags & CO_MACH_MASK, CO_MACH_GFX900);
	return 0;
}

/* Span of all PT_LOADs. */
static int measure(Elf *elf, size_t phnum, size_t file_bytes, struct gv_co *co, struct gv_err *err)
{
	uint64_t lo = UINT64_MAX, hi = 0;

	for (size_t i = 0; i < phnum; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph))
			return gv_fail(err, -EBADMSG, "program header %zu is unreadable", i);
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_filesz > ph.p_memsz)
			return gv_fail(err, -EBADMSG, "segment %zu: p_filesz above p_memsz", i);
		if (!ph.p_memsz)
			continue;
		if (ph.p_offset > file_bytes || ph.p_filesz > file_bytes - ph.p_offset)
			return gv_fail(err, -EBADMSG, "segment %zu lies outside the file", i);
		if (ph.p_vaddr > UINT64_MAX / 2 || ph.p_memsz > GV_CO_MAX_IMAGE)
			return gv_fail(err, -EBADMSG, "segment %zu: p_vaddr or p_memsz too large",
			               i);
		lo = GV_MIN(lo, ph.p_vaddr & ~4095ull);
		hi = GV_MAX(hi, ph.p_vaddr + ph.p_memsz);
	}
	if (hi <= lo)
		return gv_fail(err, -EBADMSG, "nothing to load (no PT_LOAD segment)");
	if (hi - lo > GV_CO_MAX_IMAGE)
		return gv_fail(err, -EBADMSG, "segments span %llu bytes, at most %llu are loaded",
		               (unsigned long long)(hi - lo), (unsigned long long)GV_CO_MAX_IMAGE);
	co->base = lo;
	co->bytes = (hi - lo + 4095) & ~4095ull;
	return 0;
}

static int load_segments(Elf *elf, const uint8_t *file, size_t file_bytes, struct gv_co *co,
                         struct gv_err *err)
{
	size_t phnum = 0;
	int rc;

	if (elf_getphdrnum(elf, &phnum) || !phnum || phnum > MAX_SECTIONS)
		return gv_fail(err, -EBADMSG, "no program headers, or too many");
	rc = measure(elf, phnum, file_bytes, co, err);
	if (rc)
		return rc;
	co->image = calloc(1, co->bytes);
	if (!co->image)
		return gv_fail(err, -ENOMEM, "out of memory for an image of %llu bytes",
		               (unsigned long long)co->bytes);
	for (size_t i = 0; i < phnum; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && ph.p_filesz)
			memcpy(co->image + (ph.p_vaddr - co->base), file + ph.p_offset,
			       ph.p_filesz);
	}
	return 0;
}

/* [va, va + bytes) as an offset into the image. */
static bool in_image(const struct gv_co *co, uint64_t va, uint64_t bytes, uint64_t *off)
{
	if (va < co->base || va - co->base > co->bytes || bytes > co->bytes - (va - co->base))
		return false;
	*off = va - co->base;
	return true;
}

/* ---- sections: metadata note, relocations, symbols ---------------------------- */

/* Data of a section, as bytes that lie in the file; NULL when it has none. */
static Elf_Data *section_data(Elf_Scn *scn, GElf_Shdr *sh)
{
	Elf_Data *data;

	if (!gelf_getshdr(scn, sh) || sh->sh_type == SHT_NOBITS)
		return NULL;
	data = elf_rawdata(scn, NULL);
	return data && data->d_buf && data->d_size ? data : NULL;
}

/* One note at @off of @data; *@next is where the one after it starts. */
static bool note_at(const uint8_t *data, size_t bytes, size_t off, Elf64_Nhdr *nh,
                    const uint8_t **name, const uint8_t **desc, size_t *next)
{
	size_t left, namesz, descsz;

	if (off > bytes || bytes - off < sizeof(*nh))
		return false;
	memcpy(nh, data + off, sizeof(*nh));
	left = bytes - off - sizeof(*nh);
	namesz = ((size_t)nh->n_namesz + 3) & ~(size_t)3;
	descsz = ((size_t)nh->n_descsz + 3) & ~(size_t)3;
	if (namesz > left || nh->n_descsz > left - namesz)
		return false;
	*name = data + off + sizeof(*nh);
	*desc = *name + namesz;
	*next = off + sizeof(*nh) + namesz + GV_MIN(descsz, left - namesz);
	return true;
}

static int read_notes(Elf *elf, const uint8_t *file, size_t file_bytes, struct gv_co *co,
                      struct gv_err *err)
{
	size_t phnum = 0;

	(void)elf_getphdrnum(elf, &phnum);
	for (size_t i = 0; i < phnum; i++) {
		const uint8_t *name, *desc;
		size_t next = 0;
		Elf64_Nhdr nh;
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_NOTE)
			continue;
		if (ph.p_offset > file_bytes || ph.p_filesz > file_bytes - ph.p_offset)
			return gv_fail(err, -EBADMSG, "PT_NOTE lies outside the file");
		for (size_t off = 0;
		     note_at(file + ph.p_offset, ph.p_filesz, off, &nh, &name, &desc, &next);
		     off = next) {
			if (nh.n_type == CO_NT_METADATA && nh.n_namesz == 7 &&
			    !memcmp(name, "AMDGPU", 7))
				return gv_co_metadata(desc, nh.n_descsz, &co->kernel,
				                      &co->num_kernels, err);
		}
	}
	return gv_fail(err, -EBADMSG, "no NT_AMDGPU_METADATA note");
}

static int add_reloc(struct gv_co *co, const Elf64_Rela *rela, struct gv_err *err)
{
	uint64_t type = ELF64_R_TYPE(rela->r_info), off = 0;

	if (type == CO_R_NONE)
		return 0;
	if (type != CO_R_RELATIVE64)
		return gv_fail(err, -EOPNOTSUPP,
		               "relocation of type %llu (an undefined symbol?), only "
		               "R_AMDGPU_RELATIVE64 is supported",
		               (unsigned long long)type);
	if (!in_image(co, rela->r_offset, 8, &off))
		return gv_fail(err, -EBADMSG, "relocation at 0x%llx is outside the image",
		               (unsigned long long)rela->r_offset);
	co->reloc[co->num_relocs++] = (struct reloc){off, rela->r_addend};
	return 0;
}

static int read_relocs(Elf *elf, struct gv_co *co, struct gv_err *err)
{
	size_t room = 0;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
		struct reloc *bigger;
		Elf64_Rela rela;
		Elf_Data *data;
		GElf_Shdr sh;

		data = section_data(scn, &sh);
		if (!data || (sh.sh_type != SHT_RELA && sh.sh_type != SHT_REL))
			continue;
		if (sh.sh_type == SHT_REL)
			return gv_fail(err, -EOPNOTSUPP, "relocations without addends");
		if (data->d_size / sizeof(rela) > MAX_RELOCS - room)
			return gv_fail(err, -EBADMSG, "more than %u relocations", MAX_RELOCS);
		room += data->d_size / sizeof(rela);
		bigger = realloc(co->reloc, GV_MAX(room, (size_t)1) * sizeof(*bigger));
		if (!bigger)
			return gv_fail(err, -ENOMEM, "out of memory for relocations");
		co->reloc = bigger;
		for (size_t i = 0; i < data->d_size / sizeof(rela); i++) {
			int rc;

			memcpy(&rela, (const uint8_t *)data->d_buf + i * sizeof(rela),
			       sizeof(rela));
			rc = add_reloc(co, &rela, err);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* Value of dynamic symbol @name. A linear scan: there are few. */
static int find_symbol(Elf *elf, const char *name, Elf64_Sym *found, struct gv_err *err)
{
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
		Elf_Data *data;
		GElf_Shdr sh;

		data = section_data(scn, &sh);
		if (!data || sh.sh_type != SHT_DYNSYM)
			continue;
		for (size_t i = 0; i < data->d_size / sizeof(*found); i++) {
			const char *text;

			memcpy(found, (const uint8_t *)data->d_buf + i * sizeof(*found),
			       sizeof(*found));
			text = elf_strptr(elf, sh.sh_link, found->st_name);
			if (text && !strcmp(text, name) && found->st_shndx != SHN_UNDEF)
				return 0;
		}
	}
	return gv_fail(err, -EBADMSG, "symbol '%s' is not in .dynsym", name);
}

/* ---- kernels ----------------------------------------------------------------- */

/* Where the code starts; the descriptor says it relative to itself. */
static int check_entry(const struct gv_co *co, struct gv_co_kernel *k, int64_t rel,
                       struct gv_err *err)
{
	int64_t entry = 0;

	if (__builtin_add_overflow((int64_t)k->descriptor_off, rel, &entry) || entry < 0 ||
	    (uint64_t)entry >= co->bytes)
		return gv_fail(err, -EBADMSG,
		               "code entry %lld from the descriptor is outside the image",
		               (long long)rel);
	if (entry & 255)
		return gv_fail(err, -EBADMSG, "code entry is not 256-byte aligned");
	k->entry_off = (uint64_t)entry;
	return 0;
}

static int read_descriptor(Elf *elf, const struct gv_co *co, struct gv_co_kernel *k,
                           struct gv_err *err)
{
	struct descriptor d;
	Elf64_Sym sym;
	int rc = find_symbol(elf, k->symbol, &sym, err);

	if (rc)
		return rc;
	if (sym.st_size != sizeof(d) || (sym.st_value & 63) ||
	    !in_image(co, sym.st_value, sizeof(d), &k->descriptor_off))
		return gv_fail(err, -EBADMSG,
		               "'%s' is no kernel descriptor (64 bytes, 64-byte aligned)",
		               k->symbol);
	memcpy(&d, co->image + k->descriptor_off, sizeof(d));
	k->lds_bytes = d.group_segment_fixed_size;
	k->scratch_bytes = d.private_segment_fixed_size;
	k->rsrc1 = d.compute_pgm_rsrc1;
	k->rsrc2 = d.compute_pgm_rsrc2;
	k->rsrc3 = d.compute_pgm_rsrc3;
	k->properties = d.kernel_code_properties;
	if (k->lds_bytes > GV9_LDS_BYTES)
		return gv_fail(err, -EBADMSG, "group segment of %u bytes, a group has %u",
		               k->lds_bytes, GV9_LDS_BYTES);
	if (d.kernarg_size > k->kernarg_bytes)
		k->kernarg_bytes = d.kernarg_size;
	return check_entry(co, k, d.kernel_code_entry_byte_offset, err);
}

/* The kernel's own symbol is optional: only a disassembler asks for it. */
static void read_code_size(Elf *elf, const struct gv_co *co, struct gv_co_kernel *k)
{
	struct gv_err ignored;
	Elf64_Sym sym;

	if (!find_symbol(elf, k->name, &sym, &ignored) && sym.st_value >= co->base &&
	    sym.st_value - co->base == k->entry_off)
		k->code_bytes = GV_MIN(sym.st_size, co->bytes - k->entry_off);
}

static int read_all(Elf *elf, const void *file, size_t bytes, struct gv_co *co, struct gv_err *err)
{
	GElf_Ehdr eh;
	int rc;

	if (!gelf_getehdr(elf, &eh))
		return gv_fail(err, -ENOEXEC, "not an ELF file");
	rc = check_header(elf, &eh, err);
	if (!rc)
		rc = load_segments(elf, file, bytes, co, err);
	if (!rc)
		rc = read_notes(elf, file, bytes, co, err);
	if (!rc)
		rc = read_relocs(elf, co, err);
	for (unsigned i = 0; !rc && i < co->num_kernels; i++) {
		if (read_descriptor(elf, co, &co->kernel[i], err))
			rc = gv_fail_prefix(err, "kernel '%s'", co->kernel[i].name);
		else
			read_code_size(elf, co, &co->kernel[i]);
	}
	return rc;
}

int gv_co_read(const void *file, size_t bytes, struct gv_co **out, struct gv_err *err)
{
	struct gv_err local = {0};
	struct gv_co *co;
	Elf *elf;
	int rc;

	if (!bytes)
		return gv_fail(err, -ENOEXEC, "the file is empty");
	if (bytes < sizeof(Elf64_Ehdr) || memcmp(file, ELFMAG, SELFMAG))
		return gv_fail(err, -ENOEXEC, "not an ELF file");
	(void)elf_version(EV_CURRENT);
	co = calloc(1, sizeof(*co));
	if (!co)
		return gv_fail(err, -ENOMEM, "out of memory");
	elf = elf_memory((char *)(uintptr_t)file, bytes); /* read only: see elf_memory(3) */
	rc = elf ? read_all(elf, file, bytes, co, &local)
	         : gv_fail(&local, -ENOEXEC, "not an ELF file");
	if (elf)
		(void)elf_end(elf);
	if (rc) {
		gv_co_free(co);
		if (err)
			*err = local;
		return rc;
	}
	*out = co;
	return 0;
}

static int read_file(const char *path, uint8_t **data, size_t *bytes, struct gv_err *err)
{
	gv_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	gv_auto_free uint8_t *buf = NULL;
	struct stat st;
	size_t got = 0;

	if (fd < 0 || fstat(fd, &st))
		return gv_fail(err, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return gv_fail(err, -EINVAL, "not a regular file");
	if (st.st_size <= 0 || (uint64_t)st.st_size > GV_CO_MAX_IMAGE)
		return gv_fail(err, -ENOEXEC, st.st_size ? "too large" : "the file is empty");
	buf = malloc((size_t)st.st_size);
	if (!buf)
		return gv_fail(err, -ENOMEM, "out of memory");
	while (got < (size_t)st.st_size) {
		ssize_t n = read(fd, buf + got, (size_t)st.st_size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return gv_fail(err, n < 0 ? -errno : -EIO, "read failed");
		got += (size_t)n;
	}
	*data = GV_TAKE(buf);
	*bytes = got;
	return 0;
}

int gv_co_open(const char *path, struct gv_co **co, struct gv_err *err)
{
	gv_auto_free uint8_t *data = NULL;
	struct gv_err local = {0};
	size_t bytes = 0;
	int rc = read_file(path, &data, &bytes, &local);

	if (!rc)
		rc = gv_co_read(data, bytes, co, &local);
	if (rc) {
		(void)gv_fail_prefix(&local, "%s", path);
		if (err)
			*err = local;
	}
	return rc;
}

struct gv_co *gv_co_free(struct gv_co *co)
{
	if (!co)
		return NULL;
	free(co->image);
	free(co->kernel);
	free(co->reloc);
	free(co);
	return NULL;
}

uint64_t gv_co_image_bytes(const struct gv_co *co)
{
	return co->bytes;
}

void gv_co_image(const struct gv_co *co, uint64_t gpu_va, void *out)
{
	memcpy(out, co->image, co->bytes);
	for (size_t i = 0; i < co->num_relocs; i++) {
		uint64_t val = gpu_va - co->base + (uint64_t)co->reloc[i].addend;

		memcpy((uint8_t *)out + co->reloc[i].off, &val, sizeof(val));
	}
}

unsigned gv_co_kernels(const struct gv_co *co)
{
	return co->num_kernels;
}

const struct gv_co_kernel *gv_co_kernel_at(const struct gv_co *co, unsigned i)
{
	return i < co->num_kernels ? &co->kernel[i] : NULL;
}

int gv_co_find(const struct gv_co *co, const char *name, const struct gv_co_kernel **kernel,
               struct gv_err *err)
{
	char list[256] = "";
	size_t at = 0;

	for (unsigned i = 0; i < co->num_kernels; i++) {
		const struct gv_co_kernel *k = &co->kernel[i];

		if (!strcmp(k->name, name)) {
			*kernel = k;
			return 0;
		}
		if (at + 1 < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "",
			                       k->name);
	}
	return gv_fail(err, -ENOENT, "no kernel '%s' in it; there is: %s", name, list);
}
