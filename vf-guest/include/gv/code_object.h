/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AMD GPU code objects (ELF64, amdhsa, gfx900) as clang makes them: checked,
 * laid out, relocated, and their kernels described. Pure: no device here.
 * A code object is hostile input: every offset and length in it is checked.
 */
#ifndef GV_CODE_OBJECT_H
#define GV_CODE_OBJECT_H

#include <gv/base.h>

#define GV_CO_MAX_ARGS    64u
#define GV_CO_NAME_MAX    256u
#define GV_CO_MAX_IMAGE   (256ull << 20) /* larger spans are refused */
#define GV_CO_MAX_KERNELS 1024u

enum gv_co_arg_kind {
	GV_CO_ARG_GLOBAL_BUFFER,
	GV_CO_ARG_BY_VALUE,
	GV_CO_ARG_DYNAMIC_LDS, /* dynamic_shared_pointer */
	GV_CO_ARG_HIDDEN,      /* filled in by whoever launches */
	GV_CO_ARG_UNSUPPORTED, /* images, samplers, pipes, queues */
};

/* What a hidden argument is (LLVM AMDGPUUsage, "Code Object V5 Metadata"). Offsets of the grid are
 * 0 for us, and buffers of a host runtime (printf, host calls, heap, queues) are absent: zero. */
enum gv_co_hidden {
	GV_CO_HIDDEN_ZERO,
	GV_CO_HIDDEN_BLOCK_COUNT, /* whole groups of a dimension */
	GV_CO_HIDDEN_GROUP_SIZE,
	GV_CO_HIDDEN_REMAINDER, /* work items of the partial group */
	GV_CO_HIDDEN_GRID_DIMS,
	GV_CO_HIDDEN_PRIVATE_BASE, /* high halves of the flat apertures */
	GV_CO_HIDDEN_SHARED_BASE,
};

struct gv_co_arg {
	char name[64];       /* "" when the object does not say */
	char type[64];       /* "float*" */
	char value_kind[32]; /* as written in the object */
	enum gv_co_arg_kind kind;
	enum gv_co_hidden hidden; /* GV_CO_ARG_HIDDEN */
	uint8_t dim;              /* of it: 0..2 */
	uint32_t offset, bytes;
	uint32_t pointee_align; /* GV_CO_ARG_DYNAMIC_LDS */
};

struct gv_co_kernel {
	char name[GV_CO_NAME_MAX];
	char symbol[GV_CO_NAME_MAX]; /* of the descriptor: "name.kd" */
	bool has_args;               /* the metadata lists arguments (even if none) */
	unsigned num_args;
	struct gv_co_arg arg[GV_CO_MAX_ARGS];
	bool has_hidden; /* any of them other than GV_CO_HIDDEN_ZERO */
	uint32_t kernarg_bytes;
	uint32_t max_flat_workgroup_size; /* 0: not said */
	uint32_t reqd_workgroup_size[3];  /* 0: not said */
	/* from the descriptor */
	uint64_t descriptor_off, entry_off; /* from the start of the image */
	uint64_t code_bytes;                /* as the symbol says, inside the image; 0: not said */
	uint32_t lds_bytes, scratch_bytes;  /* per group; per work item */
	uint32_t rsrc1, rsrc2, rsrc3;
	uint16_t properties;
};

struct gv_co;

/**
 * Read a code object from memory.
 *
 * -ENOEXEC: not an ELF64 amdhsa shared object for gfx900; -EBADMSG: one, but something in it is
 * wrong; -EOPNOTSUPP: sound, but uses what we do not support (a relocation, a version). The
 * text says what and where. Caller frees with gv_co_free().
 */
int gv_co_read(const void *elf, size_t bytes, struct gv_co **co, struct gv_err *err);
/** The same from a file. */
int gv_co_open(const char *path, struct gv_co **co, struct gv_err *err);
/** Takes NULL, returns NULL. */
struct gv_co *gv_co_free(struct gv_co *co);

/** Bytes of the loaded image; a multiple of 4096. */
uint64_t gv_co_image_bytes(const struct gv_co *co);
/** Write the image, relocated for being at @gpu_va (4096-aligned), to @out. */
void gv_co_image(const struct gv_co *co, uint64_t gpu_va, void *out);

unsigned gv_co_kernels(const struct gv_co *co);
/** Kernel number @i, borrowed; NULL beyond the end. */
const struct gv_co_kernel *gv_co_kernel_at(const struct gv_co *co, unsigned i);
/** Kernel by name (without ".kd"). -ENOENT: the text lists what there is. */
int gv_co_find(const struct gv_co *co, const char *name, const struct gv_co_kernel **kernel,
               struct gv_err *err);

#endif
