/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <gv/base.h>

#include "cu_rig.h"

#define RIG_BYTES     (192 * GV_MIB)
#define SCRATCH_BYTES (32 * GV_MIB)
#define SCRATCH_AT    (RIG_BYTES - SCRATCH_BYTES)
#define WAVE_SCRATCH  (256 * 1024u) /* bytes of scratch per wave: 4 KiB per lane */

extern char **environ;

static int run_tool(const char *const argv[])
{
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ))
		return -ENOENT;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

bool cu_rig_has(const char *tool)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null", tool);
	return run_tool((const char *[]){"sh", "-c", cmd, NULL}) == 0;
}

static int compile(const char *source, const char *opt, const char *to)
{
	char from[512];

	/* -O2, or -O2 with "ftz": no f32 subnormals */
	bool ftz = strstr(opt, "ftz");
	char level[8];

	(void)snprintf(level, sizeof(level), "%.3s", opt);
	(void)snprintf(from, sizeof(from), "%s/%s", CU_KERNEL_DIR, source);
	return run_tool((const char *[]){"clang-14", "-x", "cl", "-Xclang",
	                                 "-finclude-default-header", "-cl-std=CL2.0", "-target",
	                                 "amdgcn-amd-amdhsa", "-mcpu=gfx900", "-nogpulib", "-w",
	                                 "-ffp-contract=off", level, from, "-o", to,
	                                 ftz ? "-cl-denorms-are-zero" : NULL, NULL});
}

/* PT_LOADs at their virtual addresses, relative to CU_RIG_VA. */
static int load_segments(struct cu_rig *rig, Elf *elf, const uint8_t *file, size_t file_bytes)
{
	size_t n;

	if (elf_getphdrnum(elf, &n))
		return -EINVAL;
	for (size_t k = 0; k < n; k++) {
		GElf_Phdr p;

		if (!gelf_getphdr(elf, (int)k, &p) || p.p_type != PT_LOAD)
			continue;
		if (p.p_offset + p.p_filesz > file_bytes || p.p_vaddr + p.p_memsz > 4 * GV_MIB)
			return -EINVAL;
		memcpy(rig->mem + p.p_vaddr, file + p.p_offset, p.p_filesz);
	}
	return 0;
}

static int load(struct cu_rig *rig)
{
	gv_auto_fd int fd = open(rig->path, O_RDONLY | O_CLOEXEC);
	Elf *elf;
	char *file;
	size_t bytes;
	int rc;

	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return -EINVAL;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	file = elf ? elf_rawfile(elf, &bytes) : NULL;
	rc = file ? load_segments(rig, elf, (const uint8_t *)file, bytes) : -EINVAL;
	(void)elf_end(elf);
	return rc;
}

int cu_rig_open(struct cu_rig *rig, const char *source, const char *opt)
{
	int fd, rc;

	memset(rig, 0, sizeof(*rig));
	(void)snprintf(rig->path, sizeof(rig->path), "/tmp/gv-cu-XXXXXX");
	fd = mkstemp(rig->path);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	rig->bytes = RIG_BYTES;
	rig->mem =
	        mmap(NULL, RIG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (rig->mem == MAP_FAILED) {
		rig->mem = NULL;
		return -ENOMEM;
	}
	rc = source ? compile(source, opt, rig->path) : 0;
	if (!rc && source)
		rc = load(rig);
	rig->mark = rig->used = 4 * GV_MIB;
	return rc;
}

void cu_rig_close(struct cu_rig *rig)
{
	if (rig->mem)
		(void)munmap(rig->mem, RIG_BYTES);
	if (rig->path[0])
		(void)unlink(rig->path);
	rig->mem = NULL;
	rig->path[0] = 0;
}

void cu_rig_reset(struct cu_rig *rig)
{
	rig->used = rig->mark;
}

void *cu_rig_alloc(struct cu_rig *rig, size_t bytes)
{
	uint8_t *p = rig->mem + rig->used;

	bytes = (bytes + 4095) & ~(size_t)4095;
	if (bytes > SCRATCH_AT - rig->used)
		return NULL;
	rig->used += bytes;
	memset(p, 0, bytes);
	return p;
}

uint64_t cu_rig_va(const struct cu_rig *rig, const void *host)
{
	return CU_RIG_VA + (uint64_t)((const uint8_t *)host - rig->mem);
}

static int translate(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	const struct cu_rig *rig = ctx;
	uint64_t at = va - CU_RIG_VA, size = rig->window ? rig->window : rig->bytes;

	(void)access;
	if (at >= rig->bytes)
		return -EFAULT;
	*w = (struct gv_cu_window){.va_base = va - at % size,
	                           .bytes = size,
	                           .host = rig->no_pointers ? NULL : rig->mem + at - at % size,
	                           .access = GV_CU_R | GV_CU_W | GV_CU_X};
	return 0;
}

/* Memory without pointers is moved by one at a time, as a bus would. */
static pthread_mutex_t bus = PTHREAD_MUTEX_INITIALIZER;

static int move(const struct cu_rig *rig, uint64_t va, void *buf, size_t n, bool write)
{
	uint64_t at = va - CU_RIG_VA;

	if (at > rig->bytes || n > rig->bytes - at)
		return -EFAULT;
	memcpy(write ? rig->mem + at : buf, write ? buf : rig->mem + at, n);
	return 0;
}

static int copy(void *ctx, uint64_t va, void *buf, size_t n, bool write)
{
	int rc;

	(void)pthread_mutex_lock(&bus);
	rc = move(ctx, va, buf, n, write);
	(void)pthread_mutex_unlock(&bus);
	return rc;
}

static int update(void *ctx, uint64_t va, size_t n, uint64_t (*next)(const void *arg, uint64_t old),
                  const void *arg, uint64_t *old)
{
	uint64_t was = 0, now;
	int rc;

	(void)pthread_mutex_lock(&bus);
	rc = move(ctx, va, &was, n, false);
	now = rc ? 0 : next(arg, was);
	if (!rc)
		rc = move(ctx, va, &now, n, true);
	(void)pthread_mutex_unlock(&bus);
	*old = was;
	return rc;
}

/* Value of a symbol of the dynamic table. */
static int find_symbol(const struct cu_rig *rig, const char *name, uint64_t *value)
{
	gv_auto_fd int fd = open(rig->path, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	Elf_Scn *scn = NULL;
	int rc = -ENOENT;

	while (elf && (scn = elf_nextscn(elf, scn))) {
		Elf_Data *data = elf_getdata(scn, NULL);
		GElf_Shdr sh;
		GElf_Sym sym;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_DYNSYM || !data)
			continue;
		for (int n = 0; gelf_getsym(data, n, &sym); n++) {
			const char *s = elf_strptr(elf, sh.sh_link, sym.st_name);

			if (s && strcmp(s, name) == 0) {
				*value = sym.st_value;
				rc = 0;
			}
		}
	}
	(void)elf_end(elf);
	return rc;
}

static void put64(uint32_t *at, uint64_t v)
{
	memcpy(at, &v, 8);
}

/* User SGPRs in the order of the code object's properties. */
static void user_data(struct gv_cu_dispatch *d, uint32_t props, uint64_t kernarg, uint64_t packet)
{
	uint64_t scratch = CU_RIG_VA + SCRATCH_AT;
	unsigned n = 0;

	if (props & 1) { /* V#: swizzled by dword and 64 lanes, thread id added */
		d->user_data[n] = (uint32_t)scratch;
		d->user_data[n + 1] = (uint32_t)(scratch >> 32) | 1u << 31;
		d->user_data[n + 2] = (uint32_t)SCRATCH_BYTES;
		d->user_data[n + 3] = 1u << 23 | 3u << 21;
		n += 4;
	}
	if (props & 2)
		put64(&d->user_data[n], packet), n += 2;
	if (props & 4)
		n += 2;
	if (props & 8)
		put64(&d->user_data[n], kernarg), n += 2;
	if (props & 16)
		n += 2;
	if (props & 32)
		put64(&d->user_data[n], scratch), n += 2;
	if (props & 64)
		d->user_data[n] = WAVE_SCRATCH / 64;
}

static uint64_t dispatch_packet(struct cu_rig *rig, const uint32_t items[3],
                                const uint32_t group[3])
{
	uint8_t *p = cu_rig_alloc(rig, 64);

	for (unsigned k = 0; p && k < 3; k++) {
		uint16_t g = (uint16_t)group[k];

		memcpy(p + 4 + 2 * k, &g, 2);
		memcpy(p + 12 + 4 * k, &items[k], 4);
	}
	return p ? cu_rig_va(rig, p) : 0;
}

int cu_rig_prepare(struct cu_rig *rig, const char *kernel, const uint32_t items[3],
                   const uint32_t group[3], const void *args, size_t args_bytes,
                   uint32_t dynamic_lds, struct gv_cu_dispatch *d)
{
	char name[128];
	uint64_t kd;
	const uint8_t *desc;
	uint32_t lds;
	int64_t entry;
	uint16_t props;
	void *kernarg = cu_rig_alloc(rig, args_bytes + 256);

	(void)snprintf(name, sizeof(name), "%s.kd", kernel);
	if (!kernarg || find_symbol(rig, name, &kd))
		return -ENOENT;
	if (args_bytes)
		memcpy(kernarg, args, args_bytes);
	desc = rig->mem + kd;
	memset(d, 0, sizeof(*d));
	memcpy(&lds, desc, 4);
	memcpy(&entry, desc + 16, 8);
	memcpy(&d->rsrc1, desc + 48, 4);
	memcpy(&d->rsrc2, desc + 52, 4);
	memcpy(&props, desc + 56, 2);
	d->mem = (struct gv_cu_mem){
	        .ctx = rig, .translate = translate, .copy = copy, .update = update};
	d->pgm_va = CU_RIG_VA + kd + (uint64_t)entry;
	d->isa = rig->isa;
	if (rig->denorm_off)
		d->rsrc1 &= ~(3u << 16);
	d->rsrc2 |= (lds + dynamic_lds + 511) / 512 << 15;
	d->tmpring_size = (uint32_t)(SCRATCH_BYTES / WAVE_SCRATCH) | WAVE_SCRATCH / 1024 << 12;
	d->private_base = 1ull << 48;
	d->shared_base = 2ull << 48;
	user_data(d, props, cu_rig_va(rig, kernarg), dispatch_packet(rig, items, group));
	for (unsigned k = 0; k < 3; k++) {
		d->num_thread[k] = group[k];
		d->dim[k] = (items[k] + group[k] - 1) / group[k];
		d->partial[k] = items[k] % group[k];
	}
	return 0;
}

struct worker {
	struct cu_rig *rig;
	struct gv_cu_dispatch d;
	enum gv_cu_status status;
	struct gv_cu_counters count;
	struct gv_cu_fault fault;
};

static void *work(void *arg)
{
	struct worker *wk = arg;
	struct gv_cu_run *run;

	wk->status = GV_CU_FAULT;
	if (gv_cu_begin(&run, &wk->d))
		return NULL;
	do {
		wk->status = gv_cu_step(run, wk->rig->slice ? wk->rig->slice : 1000000);
	} while (wk->status == GV_CU_YIELD);
	wk->count = *gv_cu_counters(run);
	wk->fault = *gv_cu_fault(run);
	(void)gv_cu_free(run);
	return NULL;
}

enum gv_cu_status cu_rig_dispatch(struct cu_rig *rig, const struct gv_cu_dispatch *d)
{
	struct gv_cu_shared shared = {0};
	struct worker wk[4];
	pthread_t thread[4];
	unsigned n = GV_MIN(GV_MAX(rig->threads, 1u), 4u);
	enum gv_cu_status status = GV_CU_DONE;
	uint64_t start = gv_now_ns();

	memset(wk, 0, sizeof(wk));
	memset(&rig->count, 0, sizeof(rig->count));
	memset(&rig->fault, 0, sizeof(rig->fault));
	for (unsigned k = 0; k < n; k++) {
		wk[k].rig = rig;
		wk[k].d = *d;
		wk[k].d.shared = &shared;
		wk[k].d.scratch_slot = k * gv_cu_waves_per_group(d);
		if (n == 1)
			(void)work(&wk[k]);
		else
			(void)pthread_create(&thread[k], NULL, work, &wk[k]);
	}
	for (unsigned k = 0; k < n; k++) {
		if (n > 1)
			(void)pthread_join(thread[k], NULL);
		rig->count.instructions += wk[k].count.instructions;
		rig->count.groups += wk[k].count.groups;
		rig->count.lds_out_of_range += wk[k].count.lds_out_of_range;
		rig->count.buffer_out_of_range += wk[k].count.buffer_out_of_range;
		rig->count.unimplemented += wk[k].count.unimplemented;
		if (wk[k].status != GV_CU_DONE) {
			status = wk[k].status;
			rig->fault = wk[k].fault;
		}
	}
	rig->seconds = (double)(gv_now_ns() - start) * 1e-9;
	return status;
}

enum gv_cu_status cu_rig_run(struct cu_rig *rig, const char *kernel, const uint32_t items[3],
                             const uint32_t group[3], const void *args, size_t args_bytes,
                             uint32_t dynamic_lds)
{
	struct gv_cu_dispatch d;
	enum gv_cu_status status = GV_CU_FAULT;
	char text[256];

	if (cu_rig_prepare(rig, kernel, items, group, args, args_bytes, dynamic_lds, &d)) {
		fprintf(stderr, "%s: no such kernel\n", kernel);
		return status;
	}
	status = cu_rig_dispatch(rig, &d);
	if (status == GV_CU_FAULT)
		fprintf(stderr, "%s: %s\n", kernel,
		        gv_cu_fault_text(&rig->fault, text, sizeof(text)));
	return status;
}

uint32_t *cu_rig_run_straight(struct cu_rig *rig, const char *kernel, uint32_t rounds,
                              uint32_t expected[CU_RIG_SAVE_ITEMS], struct gv_cu_dispatch *d)
{
	const uint32_t items[3] = {CU_RIG_SAVE_ITEMS, 1, 1}, group[3] = {CU_RIG_SAVE_GROUP, 1, 1};
	const size_t bytes = CU_RIG_SAVE_ITEMS * sizeof(*expected);
	struct {
		uint64_t out;
		uint32_t rounds;
	} args = {.rounds = rounds};
	uint32_t *out;

	cu_rig_reset(rig);
	out = cu_rig_alloc(rig, bytes);
	args.out = cu_rig_va(rig, out);
	if (!out || cu_rig_prepare(rig, kernel, items, group, &args, sizeof(args), 0, d) ||
	    cu_rig_dispatch(rig, d) != GV_CU_DONE)
		return NULL;
	memcpy(expected, out, bytes);
	memset(out, 0, bytes);
	return out;
}
